//! What a miss adds to the bare command: the smallest process there is, with
//! another argument each time, so that it is run and recorded each time.

use super::{Sampler, compete, contenders};
use crate::contender::{Emit, Expected, Tool};
use crate::lab::Lab;
use crate::measure::{Sink, run};
use crate::table::{Table, comparison, measured, ratio, time};
use anyhow::Result;
use std::ffi::{OsStr, OsString};

pub fn overhead(lab: &Lab) -> Result<Table> {
    let mut bare = 0_u64;
    let mut entrants: Vec<(String, Result<Sampler<'_>>)> = vec![(
        "bare command".to_owned(),
        Ok(Box::new(move || {
            bare += 1;
            run(lab.command(&lab.noop).arg(bare.to_string()), Sink::Null)
        })),
    )];
    for (tool, contender) in contenders(lab, &Tool::ALL, "miss") {
        let prepared = contender.and_then(|contender| -> Result<Sampler<'_>> {
            // That a first call runs and records is shown with a command that
            // can be counted, which the no-op cannot.
            let counter = format!("miss.{}", tool.name());
            let emit = Emit::new(lab, &counter, OsStr::new("-"), &["miss"])?;
            contender.prove(lab, &emit, &Expected::line("miss"))?;
            let mut call = 0_u64;
            Ok(Box::new(move || {
                call += 1;
                let argv = [lab.noop.clone().into_os_string(), OsString::from(call.to_string())];
                run(&mut contender.ask(lab, &argv), Sink::Null)
            }))
        });
        entrants.push((tool.name().to_owned(), prepared));
    }
    let results = compete(lab.rounds(600), entrants);
    let mut table = comparison("A miss, recorded", &["bare command", "bkt"], &results);
    let of = |name: &str| measured(&results).find(|(other, _)| *other == name);
    if let Some((_, bare)) = of("bare command") {
        let added = |name| Some(of(name)?.1.median.saturating_sub(bare.median));
        let bkt = added(Tool::Bkt.name());
        for name in Tool::ALL.map(Tool::name) {
            let Some(added) = added(name) else { continue };
            let against =
                bkt.map_or_else(String::new, |bkt| format!(", {} × bkt's", ratio(added, bkt)));
            table.note(format!("{name} adds {}{against}", time(added)));
        }
    }
    Ok(table)
}
