//! What managing a store takes, by how much is in it.

use crate::contender::{Contender, Emit, Expected, Tool};
use crate::hooks::{self, Kept};
use crate::lab::Lab;
use crate::measure::{Sink, run, settle};
use crate::table::{Table, count, time};
use anyhow::{Context, Result};
use std::ffi::OsStr;

pub fn by_size(lab: &Lab) -> Result<Table> {
    let sizes: &[u64] = if lab.quick { &[1000, 10_000] } else { &[1000, 100_000] };
    let header = ["entries", "forget -- CMD", "doctor", "clear"];
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
        for mut command in [forget, verb(&["doctor"]), verb(&["clear", "--yes"])] {
            row.push(time(run(&mut command, Sink::Null)?.wall));
            settle()?;
        }
        table.row(row);
    }
    table.note("doctor decodes every entry and hashes every blob");
    Ok(table)
}
