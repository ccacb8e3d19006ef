//! Completions, man pages and `docs/options.md`, made from the command line's own description.
//!
//! clap's scripts know verbs, options and files. What the store holds, bash, zsh
//! and fish ask [`super::complete`] for; that is added here, by hand, since clap
//! completes at run time only under a feature of which it promises nothing.

mod manual;
mod options;

use crate::cli::Cli;
use crate::exit::Exit;
use anyhow::{Context, Result};
use clap::{CommandFactory, ValueEnum};
use clap_complete::{Generator, Shell};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

const BASH: &str = include_str!("generate/bash.sh");
const ZSH: &str = include_str!("generate/zsh.zsh");
const FISH: &str = include_str!("generate/fish.fish");

/// The options whose values the store knows, and what `__complete` calls these.
const NAMED: [(&str, &str); 2] = [("tag", "tags"), ("scope", "scopes")];
/// The verbs that take keys.
const KEYED: [&str; 3] = ["show", "export", "forget"];

/// Prints the completion script for a shell.
pub fn completions(shell: Shell) -> Exit {
    let _ = std::io::stdout().lock().write_all(script(shell).as_bytes());
    Exit::SUCCESS
}

/// Writes `completions/`, `man/` and `docs/options.md` below `folder`, the repository.
/// Some man pages are made from other pages in its `docs/`.
pub fn everything(folder: &Path) -> Result<Exit> {
    let made = |name: &str| -> Result<_> {
        let path = folder.join(name);
        std::fs::create_dir_all(&path).with_context(|| format!("creating {}", path.display()))?;
        Ok(path)
    };
    let completions = made("completions")?;
    for &shell in Shell::value_variants() {
        std::fs::write(completions.join(shell.file_name("cachex")), script(shell))
            .with_context(|| format!("writing the completion script for {shell}"))?;
    }
    let man = made("man")?;
    clap_mangen::generate_to(Cli::command(), &man).context("writing the man pages")?;
    manual::generate_to(&folder.join("docs"), &man)?;
    std::fs::write(made("docs")?.join("options.md"), options::page())
        .context("writing the page of the options")?;
    Ok(Exit::SUCCESS)
}

fn script(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "cachex", &mut script);
    let script = String::from_utf8_lossy(&script);
    match shell {
        Shell::Bash => script.into_owned() + BASH,
        Shell::Zsh => zsh(&script),
        Shell::Fish => script.into_owned() + &fish(),
        _ => script.into_owned(),
    }
}

/// Where clap has the shell's default, that of the store.
fn zsh(script: &str) -> String {
    let mut made = String::new();
    for line in script.lines() {
        // What follows calls them.
        if line.starts_with("if [ \"$funcstack") {
            made += ZSH;
        }
        let option = |name: &str| line.trim_start_matches(['\'', '*']).starts_with(name);
        let named = NAMED.iter().find(|(name, _)| option(&format!("--{name}=")));
        let is_key = option("::prefix -- ") || option("::prefixes -- ");
        let kind = if is_key { Some("keys") } else { named.map(|(_, kind)| *kind) };
        // Of `show`, which takes a key in its stead.
        let is_behind = option("::command -- The command whose entry it is");
        match kind {
            Some(kind) => made += &line.replace(":_default'", &format!(":_cachex_{kind}'")),
            None if is_behind => made += &line.replace(":_cmdambivalent'", ":_cachex_behind'"),
            None => made += line,
        }
        made.push('\n');
    }
    made
}

/// One line for each place, in addition to clap's.
fn fish() -> String {
    let mut made = FISH.to_owned();
    for verb in Cli::command().get_subcommands() {
        let begin =
            format!("complete -c cachex -n \"__fish_cachex_using_subcommand {}\"", verb.get_name());
        for (name, kind) in NAMED {
            if verb.get_arguments().any(|arg| arg.get_long() == Some(name)) {
                let _ = writeln!(made, "{begin} -l {name} -x -a '(__fish_cachex_stored {kind})'");
            }
        }
        if KEYED.contains(&verb.get_name()) {
            let _ = writeln!(made, "{begin} -f -a '(__fish_cachex_stored any)'");
        }
    }
    made
}
