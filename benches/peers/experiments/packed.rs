//! Hits on what a fold compressed, beside hits on the same that it did not.

use super::{Sampler, compete};
use crate::contender::{Contender, Emit, Tool};
use crate::hooks;
use crate::lab::{Lab, find};
use crate::measure::{Sink, digest, run};
use crate::table::{Table, bytes, comparison};
use anyhow::{Result, ensure};
use std::ffi::OsStr;
use std::fs;
use std::path::Path;

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

pub fn ten_kib(lab: &Lab) -> Result<Table> {
    hit(lab, "packed-10K", 10 * KIB, 300)
}

pub fn one_mib(lab: &Lab) -> Result<Table> {
    hit(lab, "packed-1M", MIB, 100)
}

pub fn ten_mib(lab: &Lab) -> Result<Table> {
    hit(lab, "packed-10M", 10 * MIB, 40)
}

pub fn one_gib(lab: &Lab) -> Result<Table> {
    hit(lab, "packed-1G", 1024 * MIB, 5)
}

/// Level 1 packs what is short, and leaves alone what is not; 3 packs anything.
const LEVELS: [&str; 3] = ["0", "1", "3"];

fn hit(lab: &Lab, name: &str, size: u64, rounds: usize) -> Result<Table> {
    let file = lab.text(size)?;
    let cat = find("cat")?;
    let expected = digest(lab.command(&cat).arg(&file))?;
    let mut entrants: Vec<(String, Result<Sampler<'_>>)> = Vec::new();
    let floor = || run(lab.command(&cat).arg(&file), Sink::Pipe);
    entrants.push(("cat FILE".to_owned(), Ok(Box::new(floor))));
    let mut notes = Vec::new();
    for (tool, level) in
        LEVELS.map(|level| (Tool::Cachex, level)).into_iter().chain([(Tool::Bkt, "")])
    {
        let label = format!("{} {level}", tool.name()).trim_end().to_owned();
        let options = if level.is_empty() { Vec::new() } else { vec!["--compress", level] };
        let prepared = (|| -> Result<Sampler<'_>> {
            let contender = Contender::new(lab, tool, &format!("{name}.{level}"))?;
            let own = contender.clone();
            let emit = Emit::new(lab, &format!("{name}.{label}"), OsStr::new(&file), &[])?;
            let ask = move || contender.ask_with(lab, &options, &emit.argv);
            run(&mut ask(), Sink::Pipe)?;
            if tool == Tool::Cachex {
                run(hooks::fold(lab, &own).arg(level), Sink::Null)?;
                let stored = blobs(&own.cache)?;
                notes.push(format!("{label}: stored in {}", bytes(stored)));
            }
            ensure!(digest(&mut ask())? == expected, "what it replays is something else");
            Ok(Box::new(move || run(&mut ask(), Sink::Pipe)))
        })();
        entrants.push((label, prepared));
    }
    let results = compete(lab.rounds(rounds), entrants);
    let title = format!("A hit on {} of text, compressed at a level, into a pipe", bytes(size));
    let mut table = comparison(&title, &["cat FILE", "bkt"], &results);
    for note in notes {
        table.note(note);
    }
    for level in LEVELS {
        let _ = Contender::new(lab, Tool::Cachex, &format!("{name}.{level}"));
    }
    let _ = Contender::new(lab, Tool::Bkt, &format!("{name}."));
    if size > 100 * MIB {
        let _ = fs::remove_file(&file);
    }
    Ok(table)
}

/// What the blobs of a store take.
fn blobs(store: &Path) -> Result<u64> {
    let mut taken = 0;
    for shard in fs::read_dir(store.join("v2/blobs"))? {
        for blob in fs::read_dir(shard?.path())? {
            taken += blob?.metadata()?.len();
        }
    }
    Ok(taken)
}
