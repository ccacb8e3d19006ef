//! The experiments, by name.

#![expect(clippy::unnecessary_wraps, reason = "all experiments are of one type; some cannot fail")]

mod crowds;
mod files;
mod fleet;
mod fold;
mod full;
mod hits;
mod manage;
mod misses;
mod packed;
mod record;
mod remote;
mod scripts;
mod single_flight;
mod space;

use crate::contender::{Contender, Tool};
use crate::lab::Lab;
use crate::measure::{Outcome, Rounds, Sample, alternate};
use crate::table::Table;
use anyhow::{Result, anyhow};
use std::path::PathBuf;

/// One of the things that are measured.
#[derive(Clone, Copy, Debug)]
pub struct Experiment {
    /// What `--only` takes.
    pub name: &'static str,
    /// One line for `--list`.
    pub about: &'static str,
    /// Carries it out.
    pub run: fn(&Lab) -> Result<Table>,
}

/// All of them, in the order in which they are run.
pub const ALL: [Experiment; 28] = [
    Experiment { name: "hit-6B", about: "a hit on 6 bytes of output", run: hits::six_bytes },
    Experiment { name: "hit-10K", about: "a hit on 10 KiB", run: hits::ten_kib },
    Experiment { name: "hit-1M", about: "a hit on 1 MiB, into a pipe", run: hits::one_mib },
    Experiment { name: "hit-10M", about: "a hit on 10 MiB, into a pipe", run: hits::ten_mib },
    Experiment { name: "hit-1G", about: "a hit on 1 GiB, into a pipe", run: hits::one_gib },
    Experiment { name: "packed-10K", about: "10 KiB of text, compressed", run: packed::ten_kib },
    Experiment { name: "packed-1M", about: "1 MiB of text, compressed", run: packed::one_mib },
    Experiment { name: "packed-10M", about: "10 MiB of text, compressed", run: packed::ten_mib },
    Experiment { name: "packed-1G", about: "1 GiB of text, compressed", run: packed::one_gib },
    Experiment {
        name: "miss",
        about: "what a miss adds to the bare command",
        run: misses::overhead,
    },
    Experiment {
        name: "misses-1000",
        about: "1,000 distinct misses, 8 at a time; is any lost?",
        run: crowds::misses,
    },
    Experiment { name: "hits-10000", about: "10,000 hits, 8 at a time", run: crowds::hits },
    Experiment { name: "make", about: "1,000 hits from `make -j8`", run: scripts::make },
    Experiment { name: "loop", about: "1,000 hits from a loop of a shell", run: scripts::shell },
    Experiment {
        name: "full",
        about: "hits and misses with 10 to 100,000 entries stored (a million: --million)",
        run: full::by_size,
    },
    Experiment {
        name: "manage",
        about: "list, forget, doctor and clear, by how much is stored",
        run: manage::by_size,
    },
    Experiment {
        name: "ask",
        about: "list, explain and stats, by how much is stored",
        run: manage::by_question,
    },
    Experiment {
        name: "record-1G",
        about: "recording 1 GiB against `CMD | tee FILE`",
        run: record::against_tee,
    },
    Experiment {
        name: "single-flight",
        about: "64 simultaneous callers of one command",
        run: single_flight::together,
    },
    Experiment {
        name: "fold",
        about: "folding 100,000 young entries, and calls during it",
        run: fold::beside_calls,
    },
    Experiment {
        name: "space",
        about: "what a store takes under a limit, while results come and go",
        run: space::under_a_limit,
    },
    Experiment {
        name: "inputs",
        about: "looking at declared inputs, against `git status` and reading them",
        run: files::inputs,
    },
    Experiment {
        name: "outputs",
        about: "bringing declared outputs back, against `cp -r`",
        run: files::outputs,
    },
    Experiment { name: "remote-redis", about: "a hit that comes from Redis", run: remote::redis },
    Experiment {
        name: "remote-s3",
        about: "100 MiB to and from S3, against the engine's own client",
        run: remote::s3,
    },
    Experiment {
        name: "fleet-redis",
        about: "50 machines with 200 results each, through Redis; is any lost?",
        run: fleet::redis,
    },
    Experiment { name: "fleet-s3", about: "the same through S3", run: fleet::s3 },
    Experiment {
        name: "fleet-flight",
        about: "50 machines that miss one call at once",
        run: fleet::single_flight,
    },
];

/// Takes one sample of a contender.
type Sampler<'a> = Box<dyn FnMut() -> Result<Sample> + 'a>;

/// What every process costs: one without a C library, a static one, and one that is there
/// everywhere.
fn floors(lab: &Lab) -> [(&'static str, Result<PathBuf>); 3] {
    let floor = lab.floor.clone().map_err(|why| anyhow!("{why}"));
    [
        ("no C library", floor),
        ("no-op", Ok(lab.noop.clone())),
        ("/bin/true", Ok(PathBuf::from("/bin/true"))),
    ]
}

/// Lets `entrants` run in turns. One that could not even be prepared, and is
/// an error here, takes part in the table and not in the run.
fn compete(rounds: Rounds, entrants: Vec<(String, Result<Sampler<'_>>)>) -> Vec<(String, Outcome)> {
    let mut results: Vec<(String, Outcome)> = Vec::new();
    let mut ready = Vec::new();
    for (place, (name, entrant)) in entrants.into_iter().enumerate() {
        match entrant {
            Ok(sample) => {
                ready.push((place, sample));
                results.push((name, Err("it was not measured".to_owned())));
            }
            Err(error) => results.push((name, Err(format!("{error:#}")))),
        }
    }
    let outcomes = alternate(rounds, ready.len(), |contender| ready[contender].1());
    for ((place, _), outcome) in ready.iter().zip(outcomes) {
        results[*place].1 = outcome;
    }
    results
}

/// A contender of each of `tools`, or why there is none.
fn contenders<'a>(
    lab: &'a Lab,
    tools: &'a [Tool],
    experiment: &'a str,
) -> impl Iterator<Item = (Tool, Result<Contender>)> + 'a {
    tools.iter().map(move |&tool| (tool, Contender::new(lab, tool, experiment)))
}
