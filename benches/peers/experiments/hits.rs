//! Hits by the size of what is replayed, with two floors: a process that does
//! nothing, and `cat` of a file with the same bytes.

use super::{Sampler, compete, contenders, floors};
use crate::contender::{Contender, Emit, Expected, Tool};
use crate::lab::{Lab, find};
use crate::measure::{Sink, run};
use crate::table::{Table, bytes, comparison};
use anyhow::{Result, bail};
use std::fs;

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;
const GIB: u64 = 1024 * MIB;

pub fn six_bytes(lab: &Lab) -> Result<Table> {
    hit(lab, "hit-6B", 6, 600, Sink::Null)
}

pub fn ten_kib(lab: &Lab) -> Result<Table> {
    hit(lab, "hit-10K", 10 * KIB, 600, Sink::Null)
}

pub fn one_mib(lab: &Lab) -> Result<Table> {
    hit(lab, "hit-1M", MIB, 200, Sink::Pipe)
}

pub fn ten_mib(lab: &Lab) -> Result<Table> {
    hit(lab, "hit-10M", 10 * MIB, 60, Sink::Pipe)
}

pub fn one_gib(lab: &Lab) -> Result<Table> {
    hit(lab, "hit-1G", GIB, 7, Sink::Pipe)
}

fn hit(lab: &Lab, name: &str, size: u64, rounds: usize, sink: Sink) -> Result<Table> {
    let file = lab.file(size)?;
    let expected = Expected::file(&file)?;
    let cat = find("cat")?;
    let mut entrants: Vec<(String, Result<Sampler<'_>>)> = Vec::new();
    if sink == Sink::Null {
        for (name, floor) in floors(lab) {
            let prepared = floor.map(|floor| -> Sampler<'_> {
                Box::new(move || run(&mut lab.command(&floor), sink))
            });
            entrants.push((name.to_owned(), prepared));
        }
    }
    let floor = || run(lab.command(&cat).arg(&file), sink);
    entrants.push(("cat FILE".to_owned(), Ok(Box::new(floor))));
    for (tool, contender) in contenders(lab, &Tool::ALL, name) {
        let prepared = contender.and_then(|contender| -> Result<Sampler<'_>> {
            if size >= GIB {
                bearable(tool)?;
            }
            let emit = Emit::new(lab, &format!("{name}.{}", tool.name()), file.as_os_str(), &[])?;
            contender.prove(lab, &emit, &expected)?;
            Ok(Box::new(move || run(&mut contender.ask(lab, &emit.argv), sink)))
        });
        entrants.push((tool.name().to_owned(), prepared));
    }
    let results = compete(lab.rounds(rounds), entrants);
    let to = if sink == Sink::Null { "to /dev/null" } else { "into a pipe" };
    let title = format!("A hit on {} of output, {to}", bytes(size));
    let references: &[&str] = match sink {
        Sink::Null => &["no C library", "no-op", "/bin/true", "cat FILE", "bkt"],
        Sink::Pipe => &["cat FILE", "bkt"],
    };
    let table = comparison(&title, references, &results);
    // A gibibyte per tool is too much to leave for the experiments to come.
    for tool in Tool::ALL {
        let _ = Contender::new(lab, tool, name);
    }
    if size >= GIB {
        let _ = fs::remove_file(&file);
    }
    Ok(table)
}

/// Whether `tool` handles a gibibyte in the time that one waits for a table.
fn bearable(tool: Tool) -> Result<()> {
    match tool {
        Tool::Cachex | Tool::Bkt => Ok(()),
        Tool::Deja => bail!("it replays by the line, and 10 MiB take it long enough"),
        Tool::Cacher => bail!("it never hits: see its 10 MiB"),
    }
}
