//! cachex under the name of another command: `~/bin/kubectl`, a link to cachex, runs the next
//! `kubectl` on PATH, and caches the calls for which `config.toml` has a rule.
//!
//! A call that matches no rule is passed to the command unchanged: nobody wants `kubectl delete` to
//! be replayed because `kubectl get` is.

use super::run;
use crate::args::{Cli, RunArgs};
use crate::config::{self, Vars};
use crate::run::Closed;
use cachex_base::process::exit::Exit;
use cachex_base::process::ipc;
use cachex_base::record::entry::base_name;
use cachex_base::streams::messages::Messages;
use cachex_exec::invocation::{Invocation, Resolved, is_cachex};
use clap::CommandFactory;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// Returns the command by whose name cachex was called, if any.
pub fn name(args: &[OsString], vars: &Vars) -> Option<OsString> {
    let name = base_name(args.first()?.as_bytes());
    if is_cachex(name) || name.is_empty() {
        return None;
    }
    // A copied or renamed cachex is cachex under its new name.
    let file = executable()?;
    if !is_cachex(base_name(file.as_os_str().as_bytes())) {
        return None;
    }
    let name = OsStr::from_bytes(name).to_owned();
    let invocation = Invocation { argv: vec![name.clone()] };
    let is_there = !matches!(invocation.resolve(config::var(vars, "PATH")), Resolved::NotFound);
    // Otherwise the link is just a shorter name for cachex.
    (is_there || !is_for_cachex(&args[1..])).then_some(name)
}

/// Returns whether arguments are meant for cachex itself.
fn is_for_cachex(args: &[OsString]) -> bool {
    let Some(first) = args.first().and_then(|first| first.to_str()) else { return true };
    first.starts_with('-') || Cli::command().find_subcommand(first).is_some()
}

/// Returns the file of this process, without links.
fn executable() -> Option<PathBuf> {
    #[cfg(target_os = "linux")]
    return std::fs::read_link("/proc/self/exe").ok();
    #[cfg(not(target_os = "linux"))]
    return std::env::current_exe().and_then(std::fs::canonicalize).ok();
}

/// Runs the command of this name with this process's arguments.
pub fn run(name: OsString, mut command: Vec<OsString>, vars: &Vars, closed: Closed) -> Exit {
    ipc::is_called_for(&name);
    command[0] = name;
    let args = RunArgs { command, ..RunArgs::default() };
    let (config, argv) = match config::resolve_by_rule(args.clone(), vars) {
        Ok(resolved) => resolved,
        // Whoever calls the command did not ask for cachex.
        Err(why) => {
            Messages { quiet: false, verbose: false }.warn(format_args!("not cached: {why}"));
            match config::resolve_disabled(args, vars) {
                Ok(resolved) => resolved,
                Err(why) => {
                    return super::misused(
                        crate::args::RUN,
                        cachex_base::process::exit::CACHEX_FAILED,
                        why,
                    );
                }
            }
        }
    };
    run::with(config, argv, vars, closed)
}
