//! `cachex remote`: checks a shared store, shows its statistics and contents, sends, prunes and
//! invalidates results, and creates signing keys.

mod check;
mod flush;
mod invalidate;
mod keygen;
mod list;
mod prune;
mod push;
mod stats;

use super::entries::Settings;
use super::misused;
use crate::args::{RemoteArgs, RemoteVerb, RunArgs, WhichArgs};
use crate::config::{self, Config, Vars};
use crate::run;
use crate::ui;
use anyhow::{Context, Result};
use cachex_base::process::exit::{self, Exit};
use cachex_store::Root;
use cachex_store::remote::{Prune, Remote};
use cachex_store::settings::RemoteMode;
use serde::Serialize;
use std::io::Write;
use std::time::Duration;

/// The default time limit for sending the queue.
const PATIENCE: Duration = Duration::from_mins(10);

/// Runs the subcommand.
pub fn remote(args: RemoteArgs, vars: &Vars) -> Result<Exit> {
    match args.verb {
        RemoteVerb::Check(args) => each("remote check", &args.remote, vars, &check::check),
        RemoteVerb::Stats(args) => {
            each("remote stats", &args.remote, vars, &|told| match args.by {
                Some(by) => list::by(told, by),
                None => stats::stats(told, args.count, args.metrics),
            })
        }
        RemoteVerb::List(args) => {
            each("remote list", &args.remote, vars, &|told| list::list(told, &args))
        }
        RemoteVerb::Push(args) => {
            each("remote push", &args.remote, vars, &|told| push::push(told, &args, vars))
        }
        RemoteVerb::Prune(args) => {
            let which =
                Prune { max_age: args.max_age, max_size: args.max_size, dry_run: args.dry_run };
            each("remote prune", &args.remote, vars, &|told| prune::prune(told, which))
        }
        RemoteVerb::Invalidate(args) => {
            let rule = invalidate::rule(&args)?;
            each("remote invalidate", &args.remote, vars, &|told| {
                invalidate::invalidate(told, &rule)
            })
        }
        RemoteVerb::Keygen(args) => keygen::keygen(&args),
        RemoteVerb::Flush(args) => {
            let patience = args.timeout.unwrap_or(PATIENCE);
            each("remote flush", &args.remote, vars, &|told| flush::flush(told, patience))
        }
    }
}

/// Runs a subcommand for each remote store that calls use. Returns the exit status of the first
/// failure.
fn each(
    verb: &str,
    which: &WhichArgs,
    vars: &Vars,
    act: &dyn Fn(&Told) -> Result<Exit>,
) -> Result<Exit> {
    let all = match Told::all(verb, which, vars) {
        Ok(all) => all,
        Err(exit) => return Ok(exit),
    };
    let mut exit = Exit::SUCCESS;
    for told in all {
        let ended = act(&told)?;
        if exit == Exit::SUCCESS {
            exit = ended;
        }
    }
    Ok(exit)
}

/// The context of a subcommand, for one store.
struct Told {
    settings: Settings,
    remote: config::Remote,
    json: bool,
}

impl Told {
    /// Returns a context for each store that calls use, beginning with that of all commands.
    fn all(verb: &str, args: &WhichArgs, vars: &Vars) -> Result<Vec<Told>, Exit> {
        let run = RunArgs {
            remote: args.remote.clone(),
            remote_timeout: args.remote_timeout,
            cache_dir: args.store.cache_dir.clone(),
            quiet: args.store.quiet,
            ..RunArgs::default()
        };
        let all = config::read(vars).and_then(|read| config::resolve_remotes(&run, vars, &read));
        let told = |(config, remote): (Config, config::Remote)| {
            let settings = Settings { config, argv: Vec::new() };
            Told { settings, remote, json: args.json }
        };
        let all: Vec<Told> =
            all.map_err(|why| misused(verb, exit::USAGE, why))?.into_iter().map(told).collect();
        if all.is_empty() {
            return Err(misused(
                verb,
                exit::USAGE,
                "no remote store is set; name one with --remote URL, with CACHEX_REMOTE, or \
                 with `remote = \"URL\"` in config.toml",
            ));
        }
        Ok(all)
    }

    fn quiet(&self) -> bool {
        self.settings.config.quiet
    }

    /// Returns the remote store, next to this local one.
    fn beside<'r>(&self, root: &'r Root) -> Remote<'r> {
        run::remote_beside(root, &self.remote, self.settings.config.compress)
    }

    /// Applies what was invalidated there, as a look-up would.
    fn learn(&self, root: &Root) {
        if self.remote.mode != RemoteMode::Off {
            self.beside(root).learn();
        }
    }

    fn url(&self) -> String {
        self.remote.url.to_string()
    }

    /// Returns the mode as it is typed.
    fn mode(&self) -> String {
        ui::choice(&self.remote.mode)
    }

    /// Returns the mode, and a note where it prevents something.
    fn mode_explained(&self) -> String {
        let means = match self.remote.mode {
            RemoteMode::ReadWrite => "",
            RemoteMode::ReadOnly => " (nothing is sent there from here)",
            RemoteMode::Off => " (`run` leaves it alone)",
        };
        self.mode() + means
    }

    fn writes(&self) -> bool {
        self.remote.mode == RemoteMode::ReadWrite
    }

    /// Prints a result, as JSON or as text.
    fn print(&self, object: &impl Serialize, words: impl FnOnce() -> String) -> Result<()> {
        let mut out = std::io::stdout().lock();
        if self.json {
            return ui::json(&mut out, object);
        }
        let done = out.write_all(words().as_bytes()).and_then(|()| out.flush());
        done.context("writing what was found")
    }
}
