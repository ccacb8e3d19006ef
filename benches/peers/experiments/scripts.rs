//! Hits as scripts make them: the recipes of a parallel make, and a loop of a shell.

use super::{Sampler, compete, floors};
use crate::contender::{Contender, Emit, Expected, Tool};
use crate::lab::{Lab, find};
use crate::measure::{Sink, run};
use crate::table::{Table, comparison};
use anyhow::{Context, Result, bail};
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

const CALLS: usize = 1000;

pub fn make(lab: &Lab) -> Result<Table> {
    let make = find("make")?;
    let write = |name: &str, call: &str| {
        let mut text = String::from(".PHONY: all\n");
        let targets: Vec<String> = (0..CALLS).map(|number| format!("target{number}")).collect();
        let _ = writeln!(text, ".PHONY: {0}\nall: {0}", targets.join(" "));
        let _ = writeln!(text, "{}:\n\t@{}", targets.join(" "), call.replace('$', "$$"));
        let path = lab.work.join(format!("{name}.mk"));
        fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
        Ok(path)
    };
    let ask = |path: &Path| {
        let mut command = lab.command(&make);
        command.args(["-j8", "-s", "-f"]).arg(path);
        command
    };
    scripts(lab, "make", "1,000 recipes of `make -j8`, wall time of all", write, ask)
}

pub fn shell(lab: &Lab) -> Result<Table> {
    let write = |name: &str, call: &str| {
        let text = format!("i=0\nwhile [ $i -lt {CALLS} ]; do {call}; i=$((i+1)); done\n");
        let path = lab.work.join(format!("{name}.sh"));
        fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
        Ok(path)
    };
    let ask = |path: &Path| {
        let mut command = lab.command("/bin/sh");
        command.arg(path);
        command
    };
    scripts(lab, "loop", "1,000 calls in a loop of the shell, wall time of all", write, ask)
}

/// Lets scripts of so many calls compete, each written by `write` and run by `ask`.
fn scripts(
    lab: &Lab,
    name: &str,
    title: &str,
    write: impl Fn(&str, &str) -> Result<std::path::PathBuf>,
    ask: impl Fn(&Path) -> Command + Copy,
) -> Result<Table> {
    let mut entrants: Vec<(String, Result<Sampler<'_>>)> = Vec::new();
    for (number, (title, floor)) in floors(lab).into_iter().enumerate() {
        let prepared = floor.and_then(|floor| -> Result<Sampler<'_>> {
            let script = write(&format!("{name}.{number}"), &quoted(floor.as_os_str())?)?;
            Ok(Box::new(move || run(&mut ask(&script), Sink::Null)))
        });
        entrants.push((title.to_owned(), prepared));
    }
    for tool in [Tool::Cachex, Tool::Bkt] {
        let prepared = Contender::new(lab, tool, name).and_then(|contender| {
            let emit = Emit::new(lab, &format!("{name}.{}", tool.name()), "-".as_ref(), &["hit"])?;
            // Within make, the variables of make are there as well.
            let call = line(&contender.ask(lab, &emit.argv))?;
            let script = write(&format!("{name}.{}", tool.name()), &call)?;
            contender.prove(lab, &emit, &Expected::line("hit"))?;
            run(&mut ask(&script), Sink::Null)?;
            let recorded = emit.runs()?;
            let sampler: Sampler<'_> = Box::new(move || {
                let sample = run(&mut ask(&script), Sink::Null)?;
                match emit.runs()? {
                    runs if runs == recorded => Ok(sample),
                    _ => bail!("a hit ran the command"),
                }
            });
            Ok(sampler)
        });
        entrants.push((tool.name().to_owned(), prepared));
    }
    let results = compete(lab.rounds(12), entrants);
    Ok(comparison(title, &["no-op", "/bin/true", "bkt"], &results))
}

/// A command line for a shell.
fn line(command: &Command) -> Result<String> {
    let words = [command.get_program()].into_iter().chain(command.get_args());
    Ok(words.map(quoted).collect::<Result<Vec<_>>>()?.join(" "))
}

fn quoted(word: &OsStr) -> Result<String> {
    let word = word.to_str().context("a path is not UTF-8")?;
    Ok(format!("'{}'", word.replace('\'', r"'\''")))
}
