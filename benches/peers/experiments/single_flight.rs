//! 64 simultaneous callers of one command that takes a while.

use super::{Sampler, compete};
use crate::contender::{Contender, Emit, Tool};
use crate::lab::Lab;
use crate::measure::{Sample, Sink, run, simultaneously};
use crate::table::{Table, comparison};
use anyhow::{Result, bail};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::process::Command;

const CALLERS: usize = 64;
const SLOW: &str = "sleep=500";

/// What the command ran for in one round, by contender: fewest and most.
type Runs = RefCell<BTreeMap<&'static str, (u64, u64)>>;

pub fn together(lab: &Lab) -> Result<Table> {
    let bare = Emit::new(lab, "single-flight.bare", OsStr::new("-"), &[SLOW])?;
    let runs = Runs::default();
    let mut entrants: Vec<(String, Result<Sampler<'_>>)> = vec![(
        "one run of CMD".to_owned(),
        Ok(Box::new(|| run(lab.command(&bare.argv[0]).args(&bare.argv[1..]), Sink::Pipe))),
    )];
    let callers: [(&str, Tool, &[&str]); 5] = [
        ("cachex --no-concurrent", Tool::Cachex, &["--no-concurrent"]),
        ("cachex", Tool::Cachex, &[]),
        ("bkt", Tool::Bkt, &[]),
        ("deja", Tool::Deja, &[]),
        ("cacher", Tool::Cacher, &[]),
    ];
    for (name, tool, options) in callers {
        let runs = &runs;
        let prepared = Contender::new(lab, tool, "single-flight").and_then(|contender| {
            let counter = format!("single-flight.{}", name.replace(' ', ""));
            let emit = Emit::new(lab, &counter, OsStr::new("-"), &[SLOW])?;
            let sampler: Sampler<'_> = Box::new(move || {
                let sample = round(lab, &contender, &emit, options)?;
                let ran = emit.runs()?;
                let mut runs = runs.borrow_mut();
                let (fewest, most) = runs.entry(name).or_insert((ran, ran));
                (*fewest, *most) = ((*fewest).min(ran), (*most).max(ran));
                Ok(sample)
            });
            Ok(sampler)
        });
        entrants.push((name.to_owned(), prepared));
    }
    let results = compete(lab.rounds(7), entrants);
    let title = "64 simultaneous callers of one command of half a second";
    let mut table = comparison(title, &["one run of CMD"], &results);
    for (name, (fewest, most)) in runs.take() {
        let times =
            if fewest == most { format!("{most}×") } else { format!("{fewest}–{most}×") };
        table.note(format!("{name} ran the command {times}"));
    }
    Ok(table)
}

/// All callers start with an empty cache, and all have to be right.
fn round(lab: &Lab, contender: &Contender, emit: &Emit, options: &[&str]) -> Result<Sample> {
    contender.empty()?;
    emit.reset()?;
    let mut calls: Vec<Command> =
        (0..CALLERS).map(|_| contender.ask_with(lab, options, &emit.argv)).collect();
    let (sample, outputs) = simultaneously(&mut calls)?;
    let expected = format!("{SLOW}\n");
    match outputs.iter().find(|output| output.trim_ascii_end() != expected.trim().as_bytes()) {
        None => Ok(sample),
        Some(wrong) => bail!("a caller got {:?}", String::from_utf8_lossy(wrong)),
    }
}
