//! The verbs of the command line, one file each, and the dispatch between them.

mod allow;
mod clear;
mod complete;
mod config;
mod doctor;
mod entries;
mod explain;
mod export;
mod forget;
mod generate;
mod import;
mod init;
mod inputs;
mod list;
mod log;
mod masquerade;
mod prune;
mod remote;
mod removal;
mod run;
mod show;
mod stats;
mod trace;

use crate::args::lean;
use crate::args::{self, Called, Cli, RUN, SH, Verb};
use crate::config::{UsageError, Vars};
use cachex_base::process::exit::{self, Exit};
use cachex_base::process::ipc;
use cachex_base::streams::messages;
use cachex_base::system::null;
use clap::CommandFactory;
use clap::error::ErrorKind;
use std::ffi::{OsStr, OsString};
use std::fmt::Display;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt;

/// The message for a caller that uses cachex itself as a shell.
const NOT_THE_SHELL: &str = "a script is run by `cachex sh -c SCRIPT`; in a Makefile, \
    `SHELL = cachex` needs `.SHELLFLAGS = sh -c` beside it";

/// Runs the whole program. Does not return.
///
/// `arguments` are those of the process, its name first, and `environment` its variables, each as
/// `NAME=value`.
pub fn main(arguments: &'static [&'static OsStr], environment: &[&'static OsStr]) -> ! {
    ipc::is_cachex_from_now_on(arguments);
    let closed = null::fill_closed_descriptors();
    let args: Vec<OsString> = arguments.iter().map(OsString::from).collect();
    let vars = variables(environment);
    let exit = std::panic::catch_unwind(|| dispatch(args, &vars, closed));
    exit.unwrap_or(Exit::Status(exit::CACHEX_FAILED)).end()
}

fn dispatch(mut args: Vec<OsString>, vars: &Vars, closed: [bool; 3]) -> Exit {
    if let Some(name) = masquerade::name(&args, vars) {
        return masquerade::run(name, args, vars, closed);
    }
    if let Some(called) = lean::take(&mut args) {
        return run::run(called, vars, closed);
    }
    let verb = args.get(1).and_then(|verb| verb.to_str());
    match verb {
        Some(complete::VERB) => return complete::serve(&args[2..], vars),
        Some(ipc::RUN_FOR) => return run::serve(&args[2..], vars, closed),
        Some(crate::run::REFRESH) => return crate::run::serve_refresh(&args[2..], vars),
        Some(verb) => {
            if let Some(exit) = cachex_store::serve_helper(verb, &args[2..]) {
                return exit;
            }
        }
        None => {}
    }
    let verb = verb.unwrap_or_default().to_owned();
    let stands_in = [RUN, SH, trace::TRACE].contains(&verb.as_str());
    let is_script = args::sh::check(args.get(1..).unwrap_or_default()).is_ok();
    let typed = args.clone();
    let parsed = match args::parse(args) {
        Ok(parsed) => parsed,
        // This is how make calls it with `SHELL = cachex` alone.
        Err(_) if is_script => return misused(&verb, exit::CACHEX_FAILED, NOT_THE_SHELL),
        Err(mut error) => {
            args::quieten(&mut error);
            let _ = error.print();
            if let Some(tip) = typed.get(1..).and_then(|typed| args::tip(typed, &error)) {
                let _ = writeln!(std::io::stderr(), "{tip}");
            }
            return match (error.use_stderr(), stands_in) {
                (false, _) => Exit::SUCCESS,
                (true, true) => Exit::Status(exit::CACHEX_FAILED),
                (true, false) => Exit::Status(exit::USAGE),
            };
        }
    };
    let done = match parsed {
        Verb::Run(args) => return run::run(Called::Run(args), vars, closed),
        Verb::Sh(args) => return run::run(Called::Sh(args), vars, closed),
        Verb::Trace(args) => return trace::trace(args, vars),
        Verb::Explain(args) => explain::explain(args, vars, closed),
        Verb::List(args) => list::list(args, vars),
        Verb::Inputs(args) => inputs::inputs(args, vars, closed),
        Verb::Show(args) => show::show(&args, vars, closed),
        Verb::Forget(args) => forget::forget(args, vars, closed),
        Verb::Prune(args) => prune::prune(&args, vars),
        Verb::Clear(args) => clear::clear(args, vars),
        Verb::Export(args) => export::export(&args, vars),
        Verb::Import(args) => import::import(&args, vars),
        Verb::Remote(args) => remote::remote(args, vars),
        Verb::Log(args) => log::log(args, vars),
        Verb::Doctor(args) => doctor::doctor(args, vars),
        Verb::Stats(args) => stats::stats(args, vars),
        Verb::Allow { path } => allow::allow(path.as_deref(), vars),
        Verb::Deny { path } => allow::deny(path.as_deref(), vars),
        Verb::Config(args) => config::config(&args, vars),
        Verb::Init { shell } => return init::init(shell),
        Verb::Completions { shell } => return generate::completions(shell),
        Verb::Generate { folder } => generate::everything(&folder),
    };
    done.unwrap_or_else(|error| {
        if let Some(misuse) = error.downcast_ref::<UsageError>() {
            return misused(&verb, exit::USAGE, misuse);
        }
        messages::error(format_args!("{error:#}"));
        Exit::Status(exit::FAILURE)
    })
}

/// Splits variables into names and values. A string without `=` is not a variable, but reaches the
/// command all the same: it is represented as the value of a variable `=`, a name that no variable
/// can have.
fn variables(environment: &[&'static OsStr]) -> Vec<(&'static OsStr, &'static OsStr)> {
    let split = |variable: &&'static OsStr| {
        let bytes = variable.as_bytes();
        match bytes.iter().position(|&byte| byte == b'=') {
            Some(at) => (OsStr::from_bytes(&bytes[..at]), OsStr::from_bytes(&bytes[at + 1..])),
            None => (OsStr::new("="), *variable),
        }
    };
    environment.iter().map(split).collect()
}

/// Reports misuse of a verb in clap's format. A nested verb is given by both names.
fn misused(verb: &str, status: u8, why: impl Display) -> Exit {
    let mut cli = Cli::command();
    cli.build();
    for name in verb.split(' ') {
        if let Some(within) = cli.find_subcommand(name) {
            cli = within.clone();
        }
    }
    let _ = cli.error(ErrorKind::ValueValidation, why).print();
    Exit::Status(status)
}

#[cfg(test)]
#[test]
fn everything_in_the_environment_is_told() {
    let environment = ["A=1", "A=2", "", "=x", "ALONE", "B==C=D"].map(OsStr::new);
    let told = variables(&environment);
    let expected = [("A", "1"), ("A", "2"), ("=", ""), ("", "x"), ("=", "ALONE"), ("B", "=C=D")];
    assert_eq!(told, expected.map(|(name, value)| (OsStr::new(name), OsStr::new(value))));
}
