//! `cachex remote`: whether the store that machines share works, what came from it and
//! went there, waiting for what is yet to go, and taking out what is too much.

mod check;
mod flush;
mod prune;
mod stats;

use super::entries::Settings;
use super::misused;
use crate::cache;
use crate::cli::{RemoteArgs, RemoteVerb, RunArgs, WhichArgs};
use crate::config::{self, Vars};
use crate::exit::{self, Exit};
use crate::store::Root;
use crate::store::remote::{Prune, Remote};
use crate::ui;
use crate::values::RemoteMode;
use anyhow::{Context, Result};
use serde::Serialize;
use std::io::Write;

/// Does one of them.
pub fn remote(args: RemoteArgs, vars: &Vars) -> Result<Exit> {
    match args.verb {
        RemoteVerb::Check(args) => match Told::of("remote check", args.remote, vars) {
            Ok(told) => check::check(&told),
            Err(exit) => Ok(exit),
        },
        RemoteVerb::Stats(args) => match Told::of("remote stats", args.remote, vars) {
            Ok(told) => stats::stats(&told, args.count),
            Err(exit) => Ok(exit),
        },
        RemoteVerb::Prune(args) => {
            let which =
                Prune { max_age: args.max_age, max_size: args.max_size, dry_run: args.dry_run };
            match Told::of("remote prune", args.remote, vars) {
                Ok(told) => prune::prune(&told, which),
                Err(exit) => Ok(exit),
            }
        }
        RemoteVerb::Flush(args) => match Told::of("remote flush", args.remote, vars) {
            Ok(told) => flush::flush(&told, args.timeout),
            Err(exit) => Ok(exit),
        },
    }
}

/// What each of them is told.
struct Told {
    settings: Settings,
    remote: config::Remote,
    json: bool,
}

impl Told {
    fn of(verb: &str, args: WhichArgs, vars: &Vars) -> Result<Told, Exit> {
        let run = RunArgs {
            remote: args.remote,
            remote_timeout: args.remote_timeout,
            cache_dir: args.store.cache_dir,
            quiet: args.store.quiet,
            ..RunArgs::default()
        };
        let settings = Settings::of_run(verb, run, vars)?;
        match settings.config.remote.as_deref().cloned() {
            Some(remote) => Ok(Told { settings, remote, json: args.json }),
            None => Err(misused(
                verb,
                exit::USAGE,
                "no remote store is set; name one with --remote URL, with CACHEX_REMOTE, or \
                 with `remote = \"URL\"` in config.toml",
            )),
        }
    }

    fn quiet(&self) -> bool {
        self.settings.config.quiet
    }

    /// The remote store, beside this local one.
    fn beside<'r>(&self, root: &'r Root) -> Remote<'r> {
        cache::remote_beside(root, &self.remote, self.settings.config.compress)
    }

    fn url(&self) -> String {
        self.remote.url.to_string()
    }

    /// The mode as it is typed.
    fn mode(&self) -> String {
        ui::choice(&self.remote.mode)
    }

    /// The same, and what it means where it keeps something from being done.
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

    /// Prints what was found, as JSON or in words, unless nothing is to be said.
    fn print(&self, object: &impl Serialize, words: impl FnOnce() -> String) -> Result<()> {
        let mut out = std::io::stdout().lock();
        if self.json {
            return ui::json(&mut out, object);
        }
        let done = out.write_all(words().as_bytes()).and_then(|()| out.flush());
        done.context("writing what was found")
    }
}
