//! What managing a store takes, by how much is in it.

use super::{Sampler, compete};
use crate::contender::{Contender, Emit, Expected, Tool};
use crate::hooks::{self, Kept};
use crate::lab::Lab;
use crate::measure::{Sink, ask, run, settle};
use crate::table::{Table, count, ratio, time};
use anyhow::{Context, Result};
use std::ffi::OsStr;

pub fn by_size(lab: &Lab) -> Result<Table> {
    let sizes: &[u64] = if lab.quick { &[1000, 10_000] } else { &[1000, 100_000] };
    let header = ["entries", "list --limit 20", "list", "forget -- CMD", "doctor", "clear"];
    let mut table = Table::new("Managing a store, one call each", &header);
    for &entries in sizes {
        let contender = Contender::new(lab, Tool::Cachex, &format!("manage.{entries}"))?;
        let emit = Emit::new(lab, &format!("manage.{entries}"), OsStr::new("-"), &["known"])?;
        contender.prove(lab, &emit, &Expected::line("known"))?;
        hooks::fill(&contender.cache, entries - 1, Kept::Folded)?;
        run(&mut hooks::fold(lab, &contender), Sink::Null).context("folding")?;
        settle()?;
        let verb = |args: &[&str]| {
            let mut command = lab.command(&contender.binary);
            command.args(args).arg("--cache-dir").arg(&contender.cache);
            command
        };
        let mut forget = verb(&["forget"]);
        forget.arg("--").args(&emit.argv);
        let mut row = vec![count(entries)];
        let lists = [verb(&["list", "--limit", "20"]), verb(&["list"])];
        let others = [forget, verb(&["doctor"]), verb(&["clear", "--yes"])];
        for mut command in lists.into_iter().chain(others) {
            row.push(time(run(&mut command, Sink::Null)?.wall));
            settle()?;
        }
        table.row(row);
    }
    table.note("doctor decodes every entry and hashes every blob");
    Ok(table)
}

/// What people ask, and how it is spelt.
const QUESTIONS: [(&str, &[&str]); 4] = [
    ("list --limit 20", &["list", "--limit", "20"]),
    ("explain, a hit", &["explain", "--"]),
    ("explain, a miss", &["explain", "--key", "another", "--"]),
    ("stats", &["stats"]),
];

/// What people wait for on a screen should hardly depend on how much there is.
pub fn by_question(lab: &Lab) -> Result<Table> {
    let sizes: [u64; 2] = if lab.quick { [1000, 10_000] } else { [1000, 100_000] };
    let mut entrants: Vec<(String, Result<Sampler<'_>>)> = Vec::new();
    for entries in sizes {
        let contender = Contender::new(lab, Tool::Cachex, &format!("ask.{entries}"))?;
        hooks::fill(&contender.cache, entries - 1, Kept::Folded)?;
        let emit = Emit::new(lab, &format!("ask.{entries}"), OsStr::new("-"), &["known"])?;
        contender.prove(lab, &emit, &Expected::line("known"))?;
        run(&mut hooks::fold(lab, &contender), Sink::Null).context("folding")?;
        settle()?;
        for (name, words) in QUESTIONS {
            let (cache, binary) = (contender.cache.clone(), contender.binary.clone());
            let argv = if words.ends_with(&["--"]) { emit.argv.clone() } else { Vec::new() };
            let sample: Sampler<'_> = Box::new(move || {
                // A miss is a status of its own.
                ask(lab.command(&binary).env("CACHEX_DIR", &cache).args(words).args(&argv))
            });
            entrants.push((name.to_owned(), Ok(sample)));
        }
    }
    let outcomes = compete(lab.rounds(30), entrants);
    let header = ["", &count(sizes[0]), &count(sizes[1]), "ratio"];
    let mut table = Table::new("Asking a store, by the entries in it", &header);
    let (few, many) = outcomes.split_at(QUESTIONS.len());
    for ((name, few), (_, many)) in few.iter().zip(many) {
        match (few, many) {
            (Ok(few), Ok(many)) => table.row(vec![
                name.clone(),
                time(few.median),
                time(many.median),
                ratio(many.median, few.median),
            ]),
            (Err(why), _) | (_, Err(why)) => table.note(format!("{name}: {why}")),
        }
    }
    table.note("the bar: each under 10 times as long");
    Ok(table)
}
