//! The variables that are part of a key, and their values.

use crate::config::{EnvSelection, Identity, Vars};
use cachex_core::environment;
use std::borrow::Cow;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

pub use cachex_core::environment::LeftOut;

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
