//! The soak: `cargo bench --bench soak -- --minutes 10`.
//!
//! Eight workers keep as many `cachex` processes busy on one store: hits,
//! misses, forced runs, one run at a time, results that expire, short and long
//! outputs on both streams, standard input, `forget`, `clear`, a store that is
//! too small, folds, and SIGKILL for calls and folds at any moment. Every served
//! byte and every exit status is compared with what the command prints, and
//! every entry that must be there is asked for. The exit status is 1 if
//! anything was not as it must be.

mod engine;
#[path = "../support/release.rs"]
mod release;

use anyhow::{Result, bail};
use clap::Parser;
use engine::Options;
use std::path::PathBuf;
use std::time::Duration;

/// Use one store in every way at once, and check every byte
#[derive(Debug, Parser)]
#[command(name = "cargo bench --bench soak --")]
struct Arguments {
    /// For so long
    #[arg(long, default_value_t = 10.0)]
    minutes: f64,
    /// By so many processes
    #[arg(long, default_value_t = 8)]
    workers: u64,
    /// Flip bits in stored files too; entries may be lost then, bytes not
    #[arg(long)]
    flips: bool,
    /// Repeat the choices of an earlier soak
    #[arg(long)]
    seed: Option<u64>,
    /// Use this binary and not the one that the release profile builds
    #[arg(long, value_name = "PATH")]
    cachex: Option<PathBuf>,
    /// Given by `cargo bench`, and not by `cargo test --benches`
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if !arguments.bench {
        println!("this is run by `cargo bench`; the short one is in tests/it/soak.rs");
        return Ok(());
    }
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    let options = Options {
        cachex: match arguments.cachex {
            Some(path) => path,
            None => release::binary()?,
        },
        duration: Duration::from_secs_f64(arguments.minutes * 60.0),
        workers: arguments.workers,
        commands: 900,
        clear_every: Duration::from_secs(150),
        flips: arguments.flips,
        seed: arguments.seed.unwrap_or(since.as_secs()),
        progress: Some(Duration::from_mins(1)),
    };
    println!("seed {}, {} minutes, {} workers", options.seed, arguments.minutes, options.workers);
    let report = engine::run(options)?;
    println!("{report}");
    if !report.is_clean() {
        bail!("not everything was as it must be");
    }
    Ok(())
}
