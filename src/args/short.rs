//! `cachex [OPTIONS] -- CMD`, which is `cachex run [OPTIONS] -- CMD`, and what is said where
//! the verb was forgotten.

use super::sh;
use cachex_base::text::quote::Credentials;
use clap::error::{ContextKind, ContextValue};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// Whether these are the arguments of a `run` without that word.
pub fn is_short_form(args: &[OsString]) -> bool {
    let Some(first) = args.first() else { return false };
    first.as_bytes().starts_with(b"-")
        && !["-h", "--help", "-V", "--version"].iter().any(|it| first == it)
        && args.iter().any(|arg| arg == "--")
        && sh::check(args).is_err()
}

/// Leaves out of a complaint how what was mistyped could be passed on as a value.
pub fn quieten(error: &mut clap::Error) {
    if let Some(ContextValue::StyledStrs(mut tips)) = error.remove(ContextKind::Suggested) {
        tips.retain(|tip| !tip.to_string().starts_with("to pass "));
        if !tips.is_empty() {
            error.insert(ContextKind::Suggested, ContextValue::StyledStrs(tips));
        }
    }
}

/// What may have been meant by the name of a command that there is none of.
pub fn tip_for_a_shell(name: &OsStr) -> Option<String> {
    let bytes = name.as_bytes();
    let is_script =
        bytes.iter().any(|byte| b"|&;<>()$`\"'".contains(byte) || byte.is_ascii_whitespace());
    is_script.then(|| {
        let script = Credentials::Masked.line([bytes]);
        format!("tip: a shell runs a script: cachex sh -c {script}")
    })
}

/// What may have been meant by arguments of which the first is no verb.
pub fn tip(args: &[OsString]) -> String {
    let line = Credentials::Masked.line(args.iter().map(|arg| arg.as_bytes()));
    format!("  tip: to run a command through the cache: cachex run -- {line}")
}
