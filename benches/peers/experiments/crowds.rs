//! Many calls, eight at a time: what a parallel make or a CI job does.

use super::{Sampler, compete, contenders, floors};
use crate::contender::{Contender, Emit, Tool};
use crate::lab::Lab;
use crate::measure::{Sample, crowd};
use crate::table::{Table, comparison, count};
use anyhow::{Result, bail};
use std::cell::RefCell;
use std::ffi::OsStr;

const AT_A_TIME: usize = 8;
const DISTINCT: usize = 1000;
const HITS: usize = 10_000;

pub fn misses(lab: &Lab) -> Result<Table> {
    let bare = Emit::new(lab, "misses-1000.bare", OsStr::new("-"), &[])?;
    let lost = RefCell::new(Vec::new());
    let mut entrants: Vec<(String, Result<Sampler<'_>>)> = vec![(
        "bare command".to_owned(),
        Ok(Box::new(|| {
            crowd(AT_A_TIME, DISTINCT, |index| {
                let argv = bare.tagged(&index.to_string());
                let mut command = lab.command(&argv[0]);
                command.args(&argv[1..]);
                command
            })
        })),
    )];
    for (tool, contender) in contenders(lab, &Tool::ALL, "misses-1000") {
        let lost = &lost;
        let prepared = contender.and_then(|contender| -> Result<Sampler<'_>> {
            let counter = format!("misses-1000.{}", tool.name());
            let emit = Emit::new(lab, &counter, OsStr::new("-"), &[])?;
            Ok(Box::new(move || {
                contender.empty()?;
                let (sample, again) = fill(lab, &contender, &emit)?;
                if again > 0 {
                    let note = format!("{} lost {again} of {} records", tool.name(), count(1000));
                    lost.borrow_mut().push(note);
                }
                Ok(sample)
            }))
        });
        entrants.push((tool.name().to_owned(), prepared));
    }
    let results = compete(lab.rounds(5), entrants);
    let title = "1,000 distinct misses, 8 at a time, wall time of all";
    let mut table = comparison(title, &["bare command", "bkt"], &results);
    let lost = lost.take();
    if lost.is_empty() {
        table.note("all 1,000 were hits afterwards, with each tool and in each round");
    }
    for note in lost {
        table.note(note);
    }
    Ok(table)
}

pub fn hits(lab: &Lab) -> Result<Table> {
    let mut entrants: Vec<(String, Result<Sampler<'_>>)> = Vec::new();
    for (name, floor) in floors(lab) {
        let prepared = floor.map(|floor| -> Sampler<'_> {
            Box::new(move || crowd(AT_A_TIME, HITS, |_| lab.command(&floor)))
        });
        entrants.push((name.to_owned(), prepared));
    }
    for (tool, contender) in contenders(lab, &Tool::ALL, "hits-10000") {
        let prepared = contender.and_then(|contender| -> Result<Sampler<'_>> {
            let counter = format!("hits-10000.{}", tool.name());
            let emit = Emit::new(lab, &counter, OsStr::new("-"), &[])?;
            let (_, again) = fill(lab, &contender, &emit)?;
            if again > 0 {
                bail!("it lost {again} of 1,000 records");
            }
            Ok(Box::new(move || {
                let sample = crowd(AT_A_TIME, HITS, |index| {
                    contender.ask(lab, &emit.tagged(&(index % DISTINCT).to_string()))
                })?;
                match emit.runs()? {
                    0 => Ok(sample),
                    runs => bail!("{runs} of 10,000 hits ran the command"),
                }
            }))
        });
        entrants.push((tool.name().to_owned(), prepared));
    }
    let results = compete(lab.rounds(3), entrants);
    let title = "10,000 hits on 1,000 entries, 8 at a time, wall time of all";
    Ok(comparison(title, &["no-op", "/bin/true", "bkt"], &results))
}

/// Records 1,000 commands, asks for all of them again, and returns the time of
/// the former and how many ran once more in the latter. The count is zero then.
fn fill(lab: &Lab, contender: &Contender, emit: &Emit) -> Result<(Sample, u64)> {
    let ask = |index: usize| contender.ask(lab, &emit.tagged(&index.to_string()));
    emit.reset()?;
    let sample = crowd(AT_A_TIME, DISTINCT, ask)?;
    let runs = emit.runs()?;
    if runs != DISTINCT as u64 {
        bail!("1,000 different calls ran the command {runs} times");
    }
    crowd(AT_A_TIME, DISTINCT, ask)?;
    let again = emit.runs()? - runs;
    emit.reset()?;
    Ok((sample, again))
}
