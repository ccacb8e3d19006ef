//! `cachex forget`: drop the recorded run of one command.

use super::misused;
use crate::cache::{self, Closed, Runner};
use crate::cli::RunArgs;
use crate::config::{self, Vars};
use crate::exit::{self, Exit};
use crate::invocation::Invocation;
use crate::lock::{self, Lock, Mode};
use crate::messages::Messages;
use crate::store::fence::Fenced;
use crate::store::guard::SetAside;
use crate::store::young::Young;
use crate::store::{Stack, Store};
use anyhow::{Context, Result};

/// Forgets it.
pub fn forget(args: RunArgs, vars: &Vars, closed: Closed) -> Result<Exit> {
    let (config, argv) = match config::resolve(args, vars) {
        Ok(resolved) => resolved,
        Err(why) => return Ok(misused("forget", exit::USAGE, why)),
    };
    let invocation = Invocation { argv };
    let runner = Runner { invocation: &invocation, config: &config, vars, closed };
    let key = cache::key_of(&runner)?;
    let root = cache::open_store(config.dir.as_deref())?;
    let stack = Stack::new(vec![Box::new(Young::new(&root)), Box::new(Fenced::new(&root))]);
    let folding =
        Lock::wait(&root, lock::FOLD, Mode::Exclusive).context("waiting for the store")?;
    let forgotten = stack.remove(&key)?;
    drop(folding);
    if forgotten {
        // What it kept in blobs is freed by the fold.
        let folded = Fenced::new(&root).fold_now(config.max_size, false)?;
        if let Some(name) = folded.set_aside {
            let messages = Messages { quiet: config.quiet, verbose: config.verbose };
            messages.warn(format_args!("{}", SetAside(name)));
        }
    }
    if !config.quiet {
        println!("{} forgotten", if forgotten { "1 entry" } else { "no entry" });
    }
    Ok(Exit::SUCCESS)
}
