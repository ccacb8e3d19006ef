//! Completions, man pages and `docs/options.md`, generated from the definition of the command line.
//!
//! clap's scripts know verbs, options and files. For values from the store, bash, zsh and fish call
//! [`super::complete`]. That is added here by hand, because clap supports completion at run time
//! only under an unstable feature.

mod manual;
mod options;

use crate::args::{Cli, RUN};
use anyhow::{Context, Result};
use cachex_base::process::exit::Exit;
use clap::{Arg, Command, CommandFactory, ValueEnum, ValueHint};
use clap_complete::{Generator, Shell};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

/// The placeholder for the options of `run` that take values, by all their names.
const VALUED: &str = "@valued@";
const BASH: &str = include_str!("generate/bash.sh");
const ZSH: &str = include_str!("generate/zsh.zsh");
const FISH: &str = include_str!("generate/fish.fish");

/// The options whose values come from the store, and the name of each kind for `__complete`.
const NAMED: [(&str, &str); 2] = [("tag", "tags"), ("scope", "scopes")];
/// The verbs that take keys.
const KEYED: [&str; 4] = ["show", "inputs", "export", "forget"];

/// Prints the completion script for a shell.
pub fn completions(shell: Shell) -> Exit {
    let _ = std::io::stdout().lock().write_all(script(shell).as_bytes());
    Exit::SUCCESS
}

/// Writes `completions/`, `man/` and `docs/options.md` below `folder`, the repository. Some man
/// pages are converted from other pages in its `docs/`.
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
    let mut cli = without_files(Cli::command(), shell);
    clap_complete::generate(shell, &mut cli, "cachex", &mut script);
    let script = String::from_utf8_lossy(&script);
    match shell {
        Shell::Bash => script.into_owned() + &BASH.replace(VALUED, &valued()),
        Shell::Zsh => zsh(&script),
        Shell::Fish => fish(&script),
        _ => script.into_owned(),
    }
}

/// Offers files only where an argument may be one.
fn without_files(command: Command, shell: Shell) -> Command {
    // In zsh's script, these are replaced by name.
    let is_stored = |arg: &Arg| {
        let is_named = NAMED.iter().any(|(name, _)| arg.get_long() == Some(name));
        shell == Shell::Zsh && (is_named || ["prefix", "prefixes"].contains(&arg.get_id().as_str()))
    };
    let other = |arg: Arg| {
        let is_free = arg.get_action().takes_values()
            && arg.get_possible_values().is_empty()
            && arg.get_value_hint() == ValueHint::Unknown;
        if is_free && !is_stored(&arg) { arg.value_hint(ValueHint::Other) } else { arg }
    };
    command.mut_args(other).mut_subcommands(|verb| without_files(verb, shell))
}

fn valued() -> String {
    let cli = Cli::command();
    let run = cli.find_subcommand(RUN).map(Command::get_arguments).into_iter().flatten();
    let valued = run.filter(|arg| arg.get_action().takes_values());
    let names = valued.flat_map(|arg| {
        let letters = arg.get_short().map(|letter| format!("-{letter}"));
        let long = arg.get_long_and_visible_aliases().unwrap_or_default();
        long.into_iter().map(|name| format!("--{name}")).chain(letters)
    });
    names.collect::<Vec<_>>().join(" ")
}

/// Replaces clap's default completion in zsh with values from the store.
fn zsh(script: &str) -> String {
    let mut made = String::new();
    for line in script.lines() {
        // The code that follows calls these functions.
        if line.starts_with("if [ \"$funcstack") {
            made += ZSH;
        }
        let option = |name: &str| line.trim_start_matches(['\'', '*']).starts_with(name);
        let named = NAMED.iter().find(|(name, _)| option(&format!("--{name}=")));
        let is_key = option("::prefix -- ") || option("::prefixes -- ");
        let kind = if is_key { Some("keys") } else { named.map(|(_, kind)| *kind) };
        // `show` takes a command instead of a key.
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

/// Adds a line for each place to clap's script, which must not act after a command.
fn fish(script: &str) -> String {
    let begin = "    set -l cmd (__fish_cachex_needs_command)\n";
    let guarded = format!("    __fish_cachex_at >/dev/null; and return 1\n{begin}");
    let mut made = script.replacen(begin, &guarded, 1) + &FISH.replace(VALUED, &valued());
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
