//! `cachex [OPTIONS] -- CMD`, which is `cachex run [OPTIONS] -- CMD`, and what is said where
//! the verb was forgotten.

use super::sh;
use crate::words;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

/// Whether these are the arguments of a `run` without that word.
pub fn is_short_form(args: &[OsString]) -> bool {
    let Some(first) = args.first() else { return false };
    first.as_bytes().starts_with(b"-")
        && !["-h", "--help", "-V", "--version"].iter().any(|it| first == it)
        && args.iter().any(|arg| arg == "--")
        && sh::check(args).is_err()
}

/// What may have been meant by arguments of which the first is no verb.
pub fn tip(args: &[OsString]) -> String {
    let line = words::command_line(args.iter().map(|arg| arg.as_bytes()));
    format!("  tip: to run a command through the cache: cachex run -- {line}")
}
