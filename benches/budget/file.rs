//! `budget.txt`: what was counted, with what, and how much more is allowed.

use anyhow::{Context, Result};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

const HEADER: &str = "\
# Instructions of the release binary under callgrind: see benches/budget/main.rs.
# Written by `cargo bench --bench budget -- --record`; a commit that raises a
# number says why.
#
# The tolerance covers what the same code may differ by: BLAKE3's variants by
# processor, and what its key happens to be. `elsewhere` is for what
# `made-with` does not describe, where other code is compiled from this source.
";

/// Per cent over the budget that are let pass.
const TOLERANCE: f64 = 2.0;
/// The same where something else was recorded with.
const ELSEWHERE: f64 = 15.0;

/// Instructions of one call each.
#[derive(Clone, Copy, Debug)]
pub struct Counts {
    /// A hit on six bytes.
    pub hit: u64,
    /// A miss that prints six bytes, without what the command takes.
    pub miss: u64,
}

/// What is recorded.
#[derive(Debug)]
pub struct Budget {
    counts: Counts,
    tolerance: f64,
    elsewhere: f64,
    made_with: String,
}

impl Budget {
    /// Reads `budget.txt`.
    ///
    /// # Errors
    ///
    /// It is missing, or lacks a value.
    pub fn load() -> Result<Budget> {
        let text = fs::read_to_string(path())
            .with_context(|| format!("reading {}: record it first", path().display()))?;
        let value = |name: &str| {
            text.lines()
                .filter_map(|line| line.split_once('='))
                .find_map(|(key, value)| (key.trim() == name).then(|| value.trim()))
                .with_context(|| format!("{} has no {name:?}", path().display()))
        };
        let number = |name: &str| -> Result<f64> {
            value(name)?.parse().with_context(|| format!("reading {name:?} of the budget"))
        };
        Ok(Budget {
            counts: Counts { hit: number("hit")? as u64, miss: number("miss")? as u64 },
            tolerance: number("tolerance-percent")?,
            elsewhere: number("elsewhere-percent")?,
            made_with: value("made-with")?.to_owned(),
        })
    }

    /// Writes `budget.txt`.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    pub fn record(counts: Counts, made_with: String) -> Result<()> {
        let budget = Budget { counts, tolerance: TOLERANCE, elsewhere: ELSEWHERE, made_with };
        fs::write(path(), budget.text())
            .with_context(|| format!("writing {}", path().display()))?;
        print!("{}", budget.text());
        Ok(())
    }

    fn text(&self) -> String {
        let mut text = HEADER.to_owned();
        let _ = writeln!(text, "made-with = {}", self.made_with);
        let _ = writeln!(text, "tolerance-percent = {}", self.tolerance);
        let _ = writeln!(text, "elsewhere-percent = {}", self.elsewhere);
        let _ = writeln!(text, "hit = {}", self.counts.hit);
        let _ = writeln!(text, "miss = {}", self.counts.miss);
        text
    }

    /// Prints how `counts` compare, and returns which of them are over.
    pub fn compare(&self, counts: Counts, made_with: &str) -> Vec<String> {
        let tolerance = if made_with == self.made_with {
            self.tolerance
        } else {
            println!("recorded with {}\ncounted with  {made_with}", self.made_with);
            self.elsewhere
        };
        println!("{:<5}  {:>12}  {:>12}  {:>10}", "", "instructions", "budget", "difference");
        let both = [("hit", counts.hit, self.counts.hit), ("miss", counts.miss, self.counts.miss)];
        let mut over = Vec::new();
        for (name, count, budget) in both {
            let percent = (count as f64 / budget as f64 - 1.0) * 100.0;
            println!("{name:<5}  {count:>12}  {budget:>12}  {percent:>+9.2}%");
            if percent > tolerance {
                over.push(format!("a {name} by {percent:.2} %, with {tolerance} % allowed"));
            }
        }
        over
    }
}

/// Beside this program's source.
fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/budget/budget.txt")
}
