//! cachex beside its peers: `cargo bench --bench peers [-- OPTIONS]`.
//!
//! Installs what it compares into `target/peers`, prints a table per
//! experiment as it goes and leaves them all as Markdown in
//! `target/peers/table.md`. It reports and judges nothing: no figure makes it
//! fail, since the same figures on a busy machine would.

mod contender;
mod experiments;
mod hooks;
mod lab;
mod measure;
#[path = "../support/release.rs"]
mod release;
mod table;

use anyhow::{Context, Result, bail};
use clap::Parser;
use contender::Tool;
use experiments::Experiment;
use lab::Lab;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::time::Instant;

/// Compare cachex with its peers
#[derive(Debug, Parser)]
#[command(name = "cargo bench --bench peers --")]
struct Options {
    /// About a sixth of the rounds
    #[arg(long)]
    quick: bool,
    /// Only the experiments of these names, or whose names start so
    #[arg(long, value_name = "NAME", num_args = 1..)]
    only: Vec<String>,
    /// Measure this binary and not the one that the release profile builds [or: $`CACHEX_BENCH_BINARY`]
    #[arg(long, value_name = "PATH")]
    cachex: Option<PathBuf>,
    /// Fill a store with a million entries too
    #[arg(long)]
    million: bool,
    /// Name the experiments and end
    #[arg(long)]
    list: bool,

    /// Given by `cargo bench`, and not by `cargo test --benches`
    #[arg(long, hide = true)]
    bench: bool,
    /// Fill a store and end: see `hooks::fill`
    #[arg(long, hide = true, requires_all = ["entries", "kept"])]
    fill: Option<PathBuf>,
    #[arg(long, hide = true)]
    entries: Option<u64>,
    #[arg(long, hide = true)]
    kept: Option<hooks::Kept>,
}

fn main() -> Result<()> {
    let options = Options::parse();
    if let (Some(folder), Some(entries), Some(kept)) =
        (&options.fill, options.entries, options.kept)
    {
        return hooks::generate(folder, entries, kept);
    }
    let chosen = chosen(&options.only)?;
    if options.list {
        for experiment in chosen {
            println!("{:<14} {}", experiment.name, experiment.about);
        }
        return Ok(());
    }
    if !options.bench {
        println!("these are measured by `cargo bench`, not tested");
        return Ok(());
    }
    let cachex = options.cachex.or_else(|| std::env::var_os("CACHEX_BENCH_BINARY").map(Into::into));
    let lab = Lab::set_up(cachex, options.quick, options.million)?;
    measure::adopt_orphans();
    let outcome = report(&lab, &chosen);
    fs::remove_dir_all(&lab.work).with_context(|| format!("removing {}", lab.work.display()))?;
    outcome
}

fn chosen(only: &[String]) -> Result<Vec<Experiment>> {
    for name in only {
        if !experiments::ALL.iter().any(|experiment| experiment.name.starts_with(name.as_str())) {
            bail!("no experiment is called {name:?}: see --list");
        }
    }
    let wanted = |experiment: &Experiment| {
        only.is_empty() || only.iter().any(|name| experiment.name.starts_with(name.as_str()))
    };
    Ok(experiments::ALL.into_iter().filter(wanted).collect())
}

fn report(lab: &Lab, chosen: &[Experiment]) -> Result<()> {
    let mut markdown = format!("{}\n\n", header(lab));
    println!("{}", header(lab));
    let page = lab.root.join("table.md");
    for experiment in chosen {
        eprintln!("\n{}: {} …", experiment.name, experiment.about);
        let start = Instant::now();
        match (experiment.run)(lab) {
            Ok(table) => {
                println!("{}", table.terminal());
                markdown.push_str(&table.markdown());
            }
            Err(error) => {
                println!("\n{}: not measured: {error:#}", experiment.name);
                let _ = write!(markdown, "### {}\n\nNot measured: {error:#}\n\n", experiment.about);
            }
        }
        eprintln!("{} took {:.0} s", experiment.name, start.elapsed().as_secs_f64());
        // After each, so that an interrupted run leaves what it has.
        fs::write(&page, &markdown).with_context(|| format!("writing {}", page.display()))?;
    }
    println!("as Markdown: {}", page.display());
    Ok(())
}

fn header(lab: &Lab) -> String {
    let tools = Tool::ALL.map(|tool| format!("{} {}", tool.name(), tool.version()));
    let rounds = if lab.quick { " (`--quick`: few rounds)" } else { "" };
    format!(
        "Whole processes, spawn to exit, contenders taking turns in one run{rounds}. {}. {}. Peak \
         memory shows no less than this program's own, which is the smallest figure in the column.",
        tools.join(", "),
        lab.machine(),
    )
}
