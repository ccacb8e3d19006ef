//! Whether a full store is as fast as an empty one: a hit on a recent entry, a
//! hit on one that was folded away long ago, and a miss, by how much is stored.
//!
//! Stores of all sizes take turns in one run, as contenders do elsewhere.

use super::{Sampler, compete};
use crate::contender::{Contender, Emit, Expected, Tool};
use crate::hooks::{self, Kept};
use crate::lab::Lab;
use crate::measure::{Outcome, Sample, Sink, crowd, run, settle};
use crate::table::{Table, bytes, count, ratio, time};
use anyhow::{Context, Result, bail};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// More than this is not recorded call by call; it takes two minutes.
const BY_CALLS: u64 = 100_000;
/// The same with `--quick`.
const QUICKLY: u64 = 1000;

/// What is asked of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ask {
    Recent,
    Folded,
    Miss,
}

/// A store of some size, with two entries to ask for.
struct Store {
    contender: Contender,
    entries: u64,
    recent: Emit,
    folded: Emit,
    blocks: u64,
    inodes: u64,
}

pub fn by_size(lab: &Lab) -> Result<Table> {
    let mut sizes = vec![10, 1000, 100_000];
    if lab.million {
        sizes.push(1_000_000);
    }
    let mut stores = Vec::new();
    let mut notes = Vec::new();
    for tool in [Tool::Cachex, Tool::Bkt] {
        for &entries in &sizes {
            match Store::filled(lab, tool, entries) {
                Ok(store) => stores.push(store),
                Err(error) => {
                    notes.push(format!("{} with {}: {error:#}", tool.name(), count(entries)));
                }
            }
        }
    }
    // Misses add entries, so they come after all hits.
    let recent = ask(lab, &stores, Ask::Recent);
    let folded = ask(lab, &stores, Ask::Folded);
    let missed = ask(lab, &stores, Ask::Miss);
    let mut table = Table::new(
        "By the number of entries stored",
        &[
            "",
            "entries",
            "recent hit",
            "÷ 10",
            "folded hit",
            "÷ 10",
            "miss",
            "÷ 10",
            "disk",
            "inodes",
        ],
    );
    for (index, store) in stores.iter().enumerate() {
        let first = stores.iter().position(|other| other.contender.tool == store.contender.tool);
        let mut cells = vec![store.contender.tool.name().to_owned(), count(store.entries)];
        for outcomes in [&recent, &folded, &missed] {
            let base = first.and_then(|first| outcomes[first].as_ref().ok());
            match (&outcomes[index], base) {
                (Ok(summary), Some(base)) => {
                    cells.extend([time(summary.median), ratio(summary.median, base.median)]);
                }
                (Ok(summary), None) => cells.extend([time(summary.median), String::new()]),
                (Err(reason), _) => {
                    cells.extend(["–".to_owned(), String::new()]);
                    table.note(format!("{}: {reason}", store.contender.tool.name()));
                }
            }
        }
        cells.extend([bytes(store.blocks), count(store.inodes)]);
        table.row(cells);
    }
    for note in notes {
        table.note(note);
    }
    table.note("disk and inodes are those before the calls; the misses are recorded too");
    Ok(table)
}

/// The same question to all stores, in turns.
fn ask(lab: &Lab, stores: &[Store], ask: Ask) -> Vec<Outcome> {
    let entrants = stores
        .iter()
        .map(|store| (String::new(), store.sampler(lab, ask)))
        .collect::<Vec<(String, Result<Sampler<'_>>)>>();
    compete(lab.rounds(200), entrants).into_iter().map(|(_, outcome)| outcome).collect()
}

impl Store {
    fn filled(lab: &Lab, tool: Tool, entries: u64) -> Result<Store> {
        let name = format!("full-{entries}");
        let contender = Contender::new(lab, tool, &name)?;
        let known = |kind: &str| -> Result<Emit> {
            let counter = format!("{name}.{}.{kind}", tool.name());
            let emit = Emit::new(lab, &counter, OsStr::new("-"), &[kind])?;
            contender.prove(lab, &emit, &Expected::line(kind))?;
            Ok(emit)
        };
        let (recent, folded) = (known("recent")?, known("folded")?);
        let left = entries - 2;
        if tool == Tool::Cachex {
            hooks::fill(&contender.cache, left, Kept::Folded)?;
        } else if left < if lab.quick { QUICKLY } else { BY_CALLS } {
            crowd(4, left as usize, |index| {
                contender.ask(lab, &unknown(lab, "fill", index as u64))
            })?;
        } else {
            bail!("a store of this size is not filled call by call");
        }
        if tool == Tool::Cachex {
            run(&mut hooks::fold(lab, &contender), Sink::Null).context("folding")?;
        }
        settle()?;
        let (blocks, inodes) = occupied(&contender.cache)?;
        Ok(Store { contender, entries, recent, folded, blocks, inodes })
    }

    fn sampler<'a>(&'a self, lab: &'a Lab, ask: Ask) -> Result<Sampler<'a>> {
        match ask {
            Ask::Recent => {
                // Recorded anew, so that it is recent whatever was evicted.
                run(
                    &mut self.contender.ask_with(lab, &["--force"], &self.recent.argv),
                    Sink::Null,
                )?;
                self.recent.reset()?;
                Ok(Box::new(move || hit(lab, &self.contender, &self.recent)))
            }
            Ask::Folded if self.contender.tool != Tool::Cachex => bail!("it folds nothing"),
            Ask::Folded => {
                self.folded.reset()?;
                Ok(Box::new(move || {
                    // The hit before has made it recent again.
                    age(&self.contender.cache)?;
                    hit(lab, &self.contender, &self.folded)
                }))
            }
            Ask::Miss => {
                let mut call = 0;
                Ok(Box::new(move || {
                    call += 1;
                    run(&mut self.contender.ask(lab, &unknown(lab, "miss", call)), Sink::Null)
                }))
            }
        }
    }
}

/// One call of what is known; it must not run.
fn hit(lab: &Lab, contender: &Contender, emit: &Emit) -> Result<Sample> {
    let sample = run(&mut contender.ask(lab, &emit.argv), Sink::Null)?;
    match emit.runs()? {
        0 => Ok(sample),
        _ => bail!("what was to be a hit ran the command"),
    }
}

/// A command that was never run.
fn unknown(lab: &Lab, kind: &str, number: u64) -> [OsString; 2] {
    [lab.noop.clone().into_os_string(), format!("{kind}-{number}").into()]
}

/// Takes the fast copies of folded entries away, as time and eviction do.
fn age(cache: &Path) -> Result<()> {
    for version in fs::read_dir(cache)? {
        let young = version?.path().join("young");
        if young.is_dir() {
            empty_files(&young).with_context(|| format!("emptying {}", young.display()))?;
        }
    }
    Ok(())
}

fn empty_files(folder: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            empty_files(&entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Bytes on disk, and files and folders, below `folder`.
fn occupied(folder: &Path) -> Result<(u64, u64)> {
    let (mut blocks, mut inodes) = (0, 0);
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        blocks += metadata.blocks() * 512;
        inodes += 1;
        if metadata.is_dir() {
            let (below, more) = occupied(&entry.path())?;
            blocks += below;
            inodes += more;
        }
    }
    Ok((blocks, inodes))
}
