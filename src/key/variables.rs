//! Which variables are part of a key, and with which value.

use crate::config::{EnvSelection, Identity, Vars};
use crate::session;
use std::borrow::Cow;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// Why a variable does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeftOut {
    /// It describes the session, see [`session`].
    Session,
    /// It is the working directory by another name.
    Directory,
    /// An option leaves it out, or does not take it in.
    Option,
    /// It only shares out jobs, see [`session::significant`].
    Jobs,
    /// It names the host or the user, which do not count where results are portable.
    Host,
}

/// The names of the variables that count, and those of the others with why they
/// do not, both in order.
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

/// The value that a variable has in the key, or why it is not part of it; `cwd` is the
/// working directory, if that is.
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
        None => session::significant(name.as_bytes(), value).ok_or(LeftOut::Jobs),
    }
}

fn left_out(
    name: &OsStr,
    value: &[u8],
    identity: &Identity,
    cwd: Option<&[u8]>,
) -> Option<LeftOut> {
    let by_default = || left_out_by_default(name, value, identity, cwd);
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

fn left_out_by_default(
    name: &OsStr,
    value: &[u8],
    identity: &Identity,
    cwd: Option<&[u8]>,
) -> Option<LeftOut> {
    if session::is_noise(name.as_bytes()) {
        return Some(LeftOut::Session);
    }
    if identity.portable && session::is_of_the_host(name.as_bytes()) {
        return Some(LeftOut::Host);
    }
    // Where it names the working directory by another way, a command may show that way.
    (name == "PWD" && cwd.is_none_or(|cwd| cwd == value)).then_some(LeftOut::Directory)
}
