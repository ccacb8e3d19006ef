//! `cachex clear`: drop everything.

use super::misused;
use crate::cache;
use crate::cli::ClearArgs;
use crate::config::{self, Vars};
use crate::exit::{self, Exit};
use crate::store::fence::Fenced;
use anyhow::Result;
use std::io::{BufRead, Write};

/// Clears the store.
pub fn clear(args: ClearArgs, vars: &Vars) -> Result<Exit> {
    let dir = config::store_dir(args.cache_dir, vars);
    let root = cache::open_store(dir.as_deref())?;
    if !args.yes {
        if !rustix::termios::isatty(rustix::stdio::stdin()) {
            return Ok(misused(
                "clear",
                exit::USAGE,
                "nobody is there to ask; `--yes` clears without asking",
            ));
        }
        eprint!("Forget everything in {}? [y/N] ", root.path().display());
        std::io::stderr().flush()?;
        let mut answer = String::new();
        std::io::stdin().lock().read_line(&mut answer)?;
        if !matches!(answer.trim(), "y" | "Y" | "yes") {
            return Ok(Exit::Status(exit::FAILURE));
        }
    }
    let freed = Fenced::new(&root).clear()?;
    println!("cleared, {} freed", bytesize::ByteSize::b(freed).display().iec());
    Ok(Exit::SUCCESS)
}
