//! The variables that are part of a key, and their values.

use crate::config::{EnvSelection, Identity, Vars};
use cachex_base::text::values::NamePattern;
use cachex_core::environment;
use cachex_core::key::Selection;
use std::borrow::Cow;
use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt;

pub use cachex_core::environment::LeftOut;

/// A selection of variables that is part of the key: any but the default.
///
/// Lists are equal if they have the same patterns. It is shown as the option that makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen<'s> {
    how: Selection,
    /// The patterns, sorted, each once.
    patterns: Vec<&'s str>,
}

impl Chosen<'_> {
    /// Returns the selection in a comparable form, or `None` for the default.
    pub fn by(env: &EnvSelection) -> Option<Chosen<'_>> {
        let (how, patterns) = match env {
            EnvSelection::All => return None,
            EnvSelection::Except(patterns) if patterns.is_empty() => return None,
            EnvSelection::Except(patterns) => (Selection::Except, &patterns[..]),
            EnvSelection::Only(patterns) if !patterns.is_empty() => {
                (Selection::Only, &patterns[..])
            }
            EnvSelection::Only(_) | EnvSelection::None => (Selection::None, &[][..]),
        };
        let mut patterns: Vec<&str> = patterns.iter().map(NamePattern::as_str).collect();
        patterns.sort_unstable();
        patterns.dedup();
        Some(Chosen { how, patterns })
    }

    /// Parses the form in which it is shown.
    pub fn parse(option: &str) -> Option<EnvSelection> {
        let (option, list) = option.split_once(' ').unwrap_or((option, ""));
        let patterns = || -> Option<Vec<NamePattern>> {
            list.split(',').map(|pattern| pattern.parse().ok()).collect()
        };
        let is = |how: Selection| option.strip_prefix("--") == Some(how.option());
        if is(Selection::Only) {
            patterns().map(EnvSelection::Only)
        } else if is(Selection::Except) {
            patterns().map(EnvSelection::Except)
        } else {
            is(Selection::None).then_some(EnvSelection::None)
        }
    }

    /// Returns the option.
    pub fn option(&self) -> &'static str {
        match self.how {
            Selection::Only => "--env",
            Selection::Except => "--ignore-env",
            Selection::None => "--no-env",
        }
    }

    /// Returns the words of the option and its value.
    pub fn words(&self) -> Vec<String> {
        let value = (!self.patterns.is_empty()).then(|| self.patterns.join(","));
        std::iter::once(self.option().to_owned()).chain(value).collect()
    }

    /// Returns the values that stand in the key.
    pub(super) fn values(&self) -> Vec<&[u8]> {
        let patterns = self.patterns.iter().copied();
        std::iter::once(self.how.option()).chain(patterns).map(str::as_bytes).collect()
    }
}

impl fmt::Display for Chosen<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words().join(" "))
    }
}

/// Returns the names of the variables that are part of the key, and those of the others with the
/// reason, both sorted.
pub fn variables<'v>(
    vars: &'v Vars,
    identity: &Identity,
) -> (Vec<&'v OsStr>, Vec<(&'v OsStr, LeftOut)>) {
    let cwd = identity.cwd.then(std::env::current_dir).and_then(Result::ok);
    let cwd = cwd.as_deref().map(|cwd| cwd.as_os_str().as_bytes());
    let (mut counted, mut others) = (Vec::new(), Vec::new());
    for (name, value) in vars {
        match in_key(name, value, identity, cwd) {
            Ok(_) => counted.push(*name),
            Err(why) => others.push((*name, why)),
        }
    }
    counted.sort_unstable();
    counted.dedup();
    others.sort_unstable();
    others.dedup();
    (counted, others)
}

/// Returns the value of a variable in the key, or why it is not part of it; `cwd` is the working
/// directory, if that is part of the key.
#[inline]
pub(super) fn in_key<'v>(
    name: &OsStr,
    value: &'v OsStr,
    identity: &Identity,
    cwd: Option<&[u8]>,
) -> Result<Cow<'v, [u8]>, LeftOut> {
    let value = value.as_bytes();
    match left_out(name, value, identity, cwd) {
        Some(why) => Err(why),
        None => environment::significant(name.as_bytes(), value).ok_or(LeftOut::Jobs),
    }
}

fn left_out(
    name: &OsStr,
    value: &[u8],
    identity: &Identity,
    cwd: Option<&[u8]>,
) -> Option<LeftOut> {
    let by_default = || environment::left_out(name.as_bytes(), value, identity.portable, cwd);
    match &identity.env {
        EnvSelection::None => Some(LeftOut::Option),
        EnvSelection::Only(patterns) => {
            (!patterns.iter().any(|pattern| pattern.matches(name))).then_some(LeftOut::Option)
        }
        EnvSelection::All => by_default(),
        EnvSelection::Except(patterns) => by_default().or_else(|| {
            patterns.iter().any(|pattern| pattern.matches(name)).then_some(LeftOut::Option)
        }),
    }
}
