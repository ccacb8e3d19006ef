//! How much of the disk a store takes under a limit, while results come and go.

use crate::contender::{Contender, Tool};
use crate::lab::Lab;
use crate::measure::{crowd, settle};
use crate::table::{Table, bytes, count};
use anyhow::{Context, Result};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How often it is looked how much the store takes.
const LOOK: Duration = Duration::from_millis(50);
const MIB: u64 = 1 << 20;

/// Results that come and go.
struct Churn {
    name: &'static str,
    /// The limit on the store's size.
    limit: u64,
    /// How many results there are, or with `--quick`.
    results: [usize; 2],
    /// How long each is.
    len: u64,
    /// How many calls are under way at a time.
    at_a_time: usize,
    /// Whether all are of one key, recorded anew each time.
    forced: bool,
}

const CHURNS: [Churn; 6] = [
    Churn {
        name: "20,000 × 10 KB",
        limit: 50 * MIB,
        results: [20_000, 8000],
        len: 10_000,
        at_a_time: 1,
        forced: false,
    },
    Churn {
        name: "20,000 × 200 B",
        limit: 10 * MIB,
        results: [20_000, 8000],
        len: 200,
        at_a_time: 1,
        forced: false,
    },
    Churn {
        name: "4,000 × 1 MB",
        limit: 20 * MIB,
        results: [4000, 400],
        len: 1_000_000,
        at_a_time: 1,
        forced: false,
    },
    Churn {
        name: "1,500 × 1 MB of one key",
        limit: 20 * MIB,
        results: [1500, 200],
        len: 1_000_000,
        at_a_time: 1,
        forced: true,
    },
    Churn {
        name: "100 × 60 MB",
        limit: 100 * MIB,
        results: [100, 12],
        len: 60_000_000,
        at_a_time: 1,
        forced: false,
    },
    Churn {
        name: "4,000 × 1 MB, 8 at a time",
        limit: 50 * MIB,
        results: [4000, 400],
        len: 1_000_000,
        at_a_time: 8,
        forced: false,
    },
];

pub fn under_a_limit(lab: &Lab) -> Result<Table> {
    let mut table = Table::new(
        "What a store takes under a limit",
        &["", "limit", "at the most", "÷ limit", "5 s after", "÷ limit", "results left"],
    );
    for churn in &CHURNS {
        let Measured { most, after, left } = churn.measure(lab)?;
        // It takes minutes to the next.
        eprintln!("{}: at the most {}, then {}", churn.name, bytes(most), bytes(after));
        let share = |taken: u64| format!("{:.2}", taken as f64 / churn.limit as f64);
        table.row(vec![
            churn.name.to_owned(),
            bytes(churn.limit),
            bytes(most),
            share(most),
            bytes(after),
            share(after),
            count(left),
        ]);
    }
    table.note("blocks of everything in the cache's folder, folders too, as `du` counts them");
    Ok(table)
}

struct Measured {
    most: u64,
    after: u64,
    left: u64,
}

impl Churn {
    fn measure(&self, lab: &Lab) -> Result<Measured> {
        let contender = Contender::new(lab, Tool::Cachex, "space")?;
        let results = self.results[usize::from(lab.quick)];
        let done = AtomicBool::new(false);
        let most = std::thread::scope(|scope| -> Result<u64> {
            let watching = scope.spawn(|| {
                let mut most = 0;
                while !done.load(Ordering::Relaxed) {
                    most = most.max(taken(&contender.cache));
                    std::thread::sleep(LOOK);
                }
                most
            });
            let called =
                crowd(self.at_a_time, results, |number| self.call(lab, &contender, number));
            done.store(true, Ordering::Relaxed);
            let most = watching.join().expect("the watching thread panicked");
            called.map(|_| most)
        })?;
        std::thread::sleep(Duration::from_secs(5));
        let after = taken(&contender.cache);
        settle()?;
        let mut list = lab.command(&contender.binary);
        list.args(["list", "--json", "--cache-dir"]).arg(&contender.cache);
        let listed = list.output().context("listing what is left")?;
        let left = String::from_utf8_lossy(&listed.stdout).matches("\"key\"").count() as u64;
        Ok(Measured { most: most.max(after), after, left })
    }

    fn call(&self, lab: &Lab, contender: &Contender, number: usize) -> Command {
        let key = if self.forced { "same".to_owned() } else { number.to_string() };
        let limit = self.limit.to_string();
        let mut options = vec!["--max-size", &limit, "--key", &key, "--stdin", "null"];
        if self.forced {
            options.push("--force");
        }
        let len = self.len.to_string();
        contender.ask_with(lab, &options, &["head", "-c", &len, "/dev/urandom"])
    }
}

/// What everything below a folder takes. What goes meanwhile takes nothing.
fn taken(folder: &Path) -> u64 {
    let own = fs::symlink_metadata(folder).map_or(0, |metadata| metadata.blocks() * 512);
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.fold(own, |sum, entry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => sum + taken(&entry.path()),
        Ok(metadata) => sum + metadata.blocks() * 512,
        Err(_) => sum,
    })
}
