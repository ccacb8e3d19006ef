//! Recording 1 GiB as it streams by, against `CMD | tee FILE`, both into a
//! pipe that is read.

use super::{Sampler, compete, contenders};
use crate::contender::{Emit, Expected, Tool};
use crate::lab::{Lab, find};
use crate::measure::{Sink, run};
use crate::table::{Table, comparison};
use anyhow::Result;
use std::fs;

const SIZE: u64 = 1024 * 1024 * 1024;
const TOOLS: [Tool; 2] = [Tool::Cachex, Tool::Bkt];

pub fn against_tee(lab: &Lab) -> Result<Table> {
    let file = lab.file(SIZE)?;
    let expected = Expected::file(&file)?;
    let (shell, tee) = (find("sh")?, find("tee")?);
    let copy = lab.work.join("record-1G.tee");
    let bare = Emit::new(lab, "record-1G.bare", file.as_os_str(), &[])?;
    let mut entrants: Vec<(String, Result<Sampler<'_>>)> = vec![
        (
            "CMD".to_owned(),
            Ok(Box::new(|| {
                level();
                run(lab.command(&bare.argv[0]).args(&bare.argv[1..]), Sink::Pipe)
            })),
        ),
        (
            "CMD | tee FILE".to_owned(),
            Ok(Box::new(|| {
                let _ = fs::remove_file(&copy);
                level();
                let mut command = lab.command(&shell);
                command.args(["-c", r#""$1" "$2" "$3" | "$4" "$5""#, "sh"]).args(&bare.argv);
                run(command.arg(&tee).arg(&copy), Sink::Pipe)
            })),
        ),
    ];
    for (tool, contender) in contenders(lab, &TOOLS, "record-1G") {
        let prepared = contender.and_then(|contender| -> Result<Sampler<'_>> {
            let counter = format!("record-1G.{}", tool.name());
            let emit = Emit::new(lab, &counter, file.as_os_str(), &[])?;
            contender.prove(lab, &emit, &expected)?;
            Ok(Box::new(move || {
                contender.empty()?;
                level();
                run(&mut contender.ask(lab, &emit.argv), Sink::Pipe)
            }))
        });
        entrants.push((tool.name().to_owned(), prepared));
    }
    let results = compete(lab.rounds(7), entrants);
    for (_, contender) in contenders(lab, &TOOLS, "record-1G") {
        contender.and_then(|contender| contender.empty())?;
    }
    for leftover in [&copy, &file] {
        let _ = fs::remove_file(leftover);
    }
    let title = "Recording 1 GiB, into a pipe";
    let mut table = comparison(title, &["CMD | tee FILE", "bkt"], &results);
    table.note("before each run, the previous record is removed and the file system is synced");
    Ok(table)
}

/// Starts each run with nothing waiting to be written, lest one contender's
/// gibibyte be written back during the next one's turn.
fn level() {
    rustix::fs::sync();
}
