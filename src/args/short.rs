//! `cachex [OPTIONS] -- CMD`, which is `cachex run [OPTIONS] -- CMD`, and what is said where
//! the verb was forgotten.

use super::{RUN, Verb, sh};
use cachex_base::text::quote::Credentials;
use cachex_exec::invocation::{Invocation, Resolved};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// Returns whether these are arguments of `run` without that word.
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

/// Returns a tip about the name of a command that does not exist, if it looks like a script.
pub fn tip_for_a_shell(name: &OsStr) -> Option<String> {
    let bytes = name.as_bytes();
    let is_script =
        bytes.iter().any(|byte| b"|&;<>()$`\"'".contains(byte) || byte.is_ascii_whitespace());
    is_script.then(|| {
        let script = Credentials::Masked.line([bytes]);
        format!("tip: a shell runs a script: cachex sh -c {script}")
    })
}

/// Returns a tip about refused arguments, if what was meant can be guessed.
pub fn tip(args: &[OsString], error: &clap::Error) -> Option<String> {
    let line = |args: &[OsString]| Credentials::Masked.line(args.iter().map(|arg| arg.as_bytes()));
    let first = args.first()?;
    match error.kind() {
        ErrorKind::InvalidSubcommand if first != "help" => {
            // A verb that is misspelt is no command.
            let is_misspelt = error.get(ContextKind::SuggestedSubcommand).is_some();
            (!is_misspelt || is_found(first)).then(|| {
                format!("  tip: to run a command through the cache: cachex run -- {}", line(args))
            })
        }
        ErrorKind::UnknownArgument if first.as_bytes().starts_with(b"-") => {
            let verb = ["cachex".into(), RUN.into()].into_iter().chain(args.iter().cloned());
            let Ok(Verb::Run(run)) = super::parse(verb.collect()) else { return None };
            let (options, command) = args.split_at(args.len() - run.command.len());
            let (options, command) = (line(options), line(command));
            Some(format!("  tip: a command stands behind `--`: cachex {options} -- {command}"))
        }
        _ => None,
    }
}

/// Returns whether there is a command of this name.
fn is_found(name: &OsStr) -> bool {
    let invocation = Invocation { argv: vec![name.to_owned()] };
    let path = std::env::var_os("PATH");
    matches!(invocation.resolve(path.as_deref()), Resolved::Found(_))
}
