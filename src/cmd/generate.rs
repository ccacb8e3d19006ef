//! Completions and man pages, made from the command line's own description.

use crate::cli::Cli;
use crate::exit::Exit;
use anyhow::{Context, Result};
use clap::{CommandFactory, ValueEnum};
use clap_complete::Shell;
use std::path::Path;

/// Prints the completion script for a shell.
pub fn completions(shell: Shell) -> Exit {
    clap_complete::generate(shell, &mut Cli::command(), "cachex", &mut std::io::stdout());
    Exit::SUCCESS
}

/// Writes `completions/` and `man/` below `folder`.
pub fn everything(folder: &Path) -> Result<Exit> {
    let made = |name: &str| -> Result<_> {
        let path = folder.join(name);
        std::fs::create_dir_all(&path).with_context(|| format!("creating {}", path.display()))?;
        Ok(path)
    };
    let completions = made("completions")?;
    for &shell in Shell::value_variants() {
        clap_complete::generate_to(shell, &mut Cli::command(), "cachex", &completions)
            .with_context(|| format!("writing the completion script for {shell}"))?;
    }
    clap_mangen::generate_to(Cli::command(), made("man")?).context("writing the man pages")?;
    Ok(Exit::SUCCESS)
}
