//! What the experiments need from cachex beyond `cachex run`: a store that is
//! filled in seconds, and a fold at a time of their choosing.

use crate::contender::Contender;
use crate::lab::Lab;
use anyhow::{Context, Result, bail};
use std::path::Path;
use std::process::Command;

/// How generated entries are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Kept {
    /// In the old store, as if folded.
    Folded,
    /// As young files that no fold has seen.
    Young,
}

/// Adds `entries` small entries to the store in `folder`, of keys that no
/// command has.
///
/// # Errors
///
/// The store could not be written.
pub fn generate(folder: &Path, entries: u64, kept: Kept) -> Result<()> {
    cachex::bench_support::fill(folder, entries, kept == Kept::Folded)
}

/// The process that moves every young entry of `contender` into the old store
/// and ends when that is done.
pub fn fold(lab: &Lab, contender: &Contender) -> Command {
    // What cachex starts for itself, see `store::helper`: no limits, no
    // grace, not a full check, and waiting for another fold.
    let mut command = lab.command(&contender.binary);
    command.args(["__store", "fold-now"]).arg(&contender.cache).args(["-", "-", "0", "0", "1"]);
    command
}

/// Has [`generate`] run by a child: the memory that it takes would otherwise
/// show up as the peak of every process that this one starts from then on.
///
/// # Errors
///
/// The child could not be started, or failed.
pub fn fill(folder: &Path, entries: u64, kept: Kept) -> Result<()> {
    let this = std::env::current_exe().context("looking for this program")?;
    let kept = match kept {
        Kept::Folded => "folded",
        Kept::Young => "young",
    };
    let status = Command::new(this)
        .args(["--bench", "--kept", kept, "--entries", &entries.to_string(), "--fill"])
        .arg(folder)
        .status()
        .context("starting the generator")?;
    if !status.success() {
        bail!("the generator ended with {status}");
    }
    Ok(())
}
