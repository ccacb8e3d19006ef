//! How long 100,000 young entries take to fold, and whether calls are as fast
//! while that goes on as they are without.

use crate::contender::{Contender, Emit, Expected, Tool};
use crate::hooks::{self, Kept};
use crate::lab::Lab;
use crate::measure::{Sample, Summary, run_beside, settle};
use crate::table::{Table, count, ratio, time};
use anyhow::{Result, bail};
use std::ffi::{OsStr, OsString};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Between looks at whether a fold without calls beside it is done.
const PAUSE: Duration = Duration::from_millis(10);

pub fn beside_calls(lab: &Lab) -> Result<Table> {
    let entries = if lab.quick { 10_000 } else { 100_000 };
    let contender = Contender::new(lab, Tool::Cachex, "fold")?;
    let emit = Emit::new(lab, "fold.cachex", OsStr::new("-"), &["fold"])?;

    hooks::fill(&contender.cache, entries, Kept::Young)?;
    let alone = folding(lab, &contender, || {
        std::thread::sleep(PAUSE);
        Ok(())
    })?;

    contender.empty()?;
    contender.prove(lab, &emit, &Expected::line("fold"))?;
    hooks::fill(&contender.cache, entries, Kept::Young)?;
    let mut calls = Calls { lab, contender: &contender, emit: &emit, number: 0 };
    let (mut hits, mut misses) = (Vec::new(), Vec::new());
    let beside = folding(lab, &contender, || calls.both(&mut hits, &mut misses))?;
    // As many again, with the fold done and nothing in the background.
    let (mut quiet_hits, mut quiet_misses) = (Vec::new(), Vec::new());
    for _ in 0..hits.len() {
        calls.both(&mut quiet_hits, &mut quiet_misses)?;
        settle()?;
    }
    if hits.is_empty() || emit.runs()? != 1 {
        bail!("no call was made during the fold, or what was to be a hit was none");
    }

    let title = format!("Folding {} young entries", count(entries));
    let mut table = Table::new(&title, &["", "during the fold", "without", "÷ without", "calls"]);
    for (name, during, without) in [("hit", &hits, &quiet_hits), ("miss", &misses, &quiet_misses)] {
        let (during, without) = (Summary::of(during), Summary::of(without));
        table.row(vec![
            name.to_owned(),
            time(during.median),
            time(without.median),
            ratio(during.median, without.median),
            count(hits.len() as u64),
        ]);
    }
    let each = alone / entries as u32;
    table.note(format!("the fold alone: {}, {} µs per entry", time(alone), each.as_micros()));
    table.note(format!("the fold beside those calls: {}", time(beside)));
    Ok(table)
}

/// Folds the store and meanwhile calls `meanwhile` again and again.
fn folding(
    lab: &Lab,
    contender: &Contender,
    mut meanwhile: impl FnMut() -> Result<()> + Send,
) -> Result<Duration> {
    let mut fold = hooks::fold(lab, contender);
    let done = AtomicBool::new(false);
    let sample = std::thread::scope(|scope| -> Result<Sample> {
        let calling = scope.spawn(|| -> Result<()> {
            while !done.load(Ordering::Relaxed) {
                meanwhile()?;
            }
            Ok(())
        });
        let sample = run_beside(&mut fold);
        done.store(true, Ordering::Relaxed);
        calling.join().expect("the calling thread panicked")?;
        sample
    })?;
    settle()?;
    Ok(sample.wall)
}

/// A hit and a miss by turns.
struct Calls<'a> {
    lab: &'a Lab,
    contender: &'a Contender,
    emit: &'a Emit,
    number: u64,
}

impl Calls<'_> {
    fn both(&mut self, hits: &mut Vec<Sample>, misses: &mut Vec<Sample>) -> Result<()> {
        self.number += 1;
        hits.push(run_beside(&mut self.contender.ask(self.lab, &self.emit.argv))?);
        let argv: [OsString; 2] =
            [self.lab.noop.clone().into(), format!("beside-{}", self.number).into()];
        misses.push(run_beside(&mut self.contender.ask(self.lab, &argv))?);
        Ok(())
    }
}
