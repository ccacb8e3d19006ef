//! `cachex trace`: runs a command, and lists the files that it read, looked up and wrote.

mod list;

use super::misused;
use crate::args::TraceArgs;
use crate::config::{self, Vars, var};
use cachex_base::process::exit::{self, Exit};
use cachex_base::streams::messages;
use cachex_base::system::signals;
use cachex_base::text::quote;
use cachex_exec::invocation::{Invocation, Resolved};
use cachex_exec::stdin::Source;
use cachex_exec::{self as exec, Output, Plan};
use cachex_trace::{Jobserver, Settings, Tracer};
use std::ffi::OsStr;
use std::fmt::Display;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;

/// The name of the verb.
pub const TRACE: &str = "trace";

/// Runs the verb.
pub fn trace(args: TraceArgs, vars: &Vars) -> Exit {
    // Created before the command runs, like the shell's `>`, so that no older list is left.
    let file = match args.output.as_ref().map(File::create).transpose() {
        Ok(file) => file,
        Err(error) => {
            let path = args.output.unwrap_or_default();
            let why = format!("--output: {}: {error}", quote::harmless(&path.to_string_lossy()));
            return misused(TRACE, exit::CACHEX_FAILED, why);
        }
    };
    signals::outlive_file_limit();
    let invocation = Invocation { argv: args.command.clone() };
    let name =
        || cachex_base::text::quote::harmless(&invocation.name().to_string_lossy()).into_owned();
    let search_path = vars.iter().find(|(name, _)| *name == "PATH").map(|(_, value)| *value);
    let executable = match invocation.resolve(search_path) {
        Resolved::Found(executable) => executable,
        Resolved::NotExecutable => {
            return failed(exit::NOT_EXECUTABLE, name(), "Permission denied");
        }
        Resolved::NotFound if invocation.is_path() => {
            return failed(exit::NOT_FOUND, name(), "No such file or directory");
        }
        Resolved::NotFound => return failed(exit::NOT_FOUND, name(), "command not found"),
        Resolved::Unreachable(errno) | Resolved::Unknown(errno) => {
            return failed(exit::NOT_EXECUTABLE, name(), io::Error::from(errno));
        }
    };
    let store = config::store_dir_quietly(None, vars).ok().flatten();
    let tracer = Tracer::new(Settings {
        left_out: store.iter().map(|dir| dir.as_os_str().as_bytes().to_vec()).collect(),
        program: Some(executable.path.clone()),
        jobserver: Jobserver::of(var(vars, "MAKEFLAGS").unwrap_or_default()),
        ..Settings::default()
    });
    let plan = Plan {
        invocation: &invocation,
        program: &executable.path,
        source: Source::Inherit,
        output: Output::Own,
        timeout: None,
        tty: false,
        trace: tracer.as_ref().ok().map(Tracer::hook),
    };
    let ended = match exec::run(plan, None) {
        Ok(ended) => ended,
        Err(unstarted) => {
            let status = match unstarted.error.kind() {
                io::ErrorKind::NotFound => exit::NOT_FOUND,
                _ => exit::NOT_EXECUTABLE,
            };
            return failed(status, name(), unstarted.error);
        }
    };
    let exit = Exit::from(ended.status);
    // The keepers end while the list is written.
    let (report, _keepers) = match tracer {
        Ok(tracer) => tracer.finish(),
        Err(why) => {
            messages::error(format_args!("the command was not traced: {why}"));
            return exit;
        }
    };
    if let (false, Some(why)) = (report.traced, &report.refusal) {
        messages::error(format_args!("the command was not traced: {why}"));
        return exit;
    }
    let list = list::List::new(&report, args.all);
    let text = list.text(&args);
    let written = match file {
        Some(mut file) => file.write_all(&text),
        None => io::stderr().lock().write_all(&text),
    };
    if let (Err(error), Some(path)) = (written, &args.output) {
        let path = cachex_base::text::quote::harmless(&path.to_string_lossy()).into_owned();
        messages::error(format_args!("--output: {path}: {error}"));
    }
    for path in list.unnamed(&args) {
        messages::error(format_args!("no rule can name {}: left out", quote::word(path)));
    }
    if let Some(why) = &report.refusal {
        messages::error(format_args!("such a run cannot be recorded: {why}"));
    }
    exit
}

fn failed(status: u8, name: impl Display, why: impl Display) -> Exit {
    messages::error(format_args!("{name}: {why}"));
    Exit::Status(status)
}

/// Returns the working directory, without links.
fn working_directory() -> Vec<u8> {
    let here = std::env::current_dir().and_then(|here| here.canonicalize());
    here.map(|here| OsStr::as_bytes(here.as_os_str()).to_vec()).unwrap_or_default()
}
