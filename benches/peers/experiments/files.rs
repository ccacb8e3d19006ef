//! Declared files: what it takes to see that inputs are as they were, to read them
//! for the first time, and to bring outputs back.

use super::{Sampler, compete};
use crate::contender::Tool;
use crate::lab::Lab;
use crate::measure::{Outcome, Sink, run, settle};
use crate::table::{Table, ratio, time};
use anyhow::{Context, Result};
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Longer than cachex takes a file's times for what may still change unseen.
const SETTLED: Duration = Duration::from_millis(2_500);

/// 50,000 small files in 1,050 folders, under git.
fn plant(lab: &Lab, name: &str) -> Result<std::path::PathBuf> {
    let tree = lab.work.join(name);
    for folder in 0..50 {
        for below in 0..20 {
            let path = tree.join(format!("folder{folder}/below{below}"));
            fs::create_dir_all(&path).with_context(|| format!("making {}", path.display()))?;
            for file in 0..50 {
                let line = format!("// {folder} {below} {file}\n");
                fs::write(path.join(format!("file{file}.c")), line.repeat(60))
                    .context("writing a source")?;
            }
        }
    }
    let git = "git init -q && git add -A && \
               git -c user.name=a -c user.email=a@b commit -q -m all && git status";
    run(lab.command("sh").args(["-c", git]).current_dir(&tree), Sink::Null)?;
    std::thread::sleep(SETTLED);
    Ok(tree)
}

fn cachex(lab: &Lab, cache: &Path, options: &[&str], argv: &[&str]) -> Result<Command> {
    let mut command = lab.command(lab.binary(Tool::Cachex)?);
    command.arg("run").args(options).arg("--").args(argv).env("CACHEX_DIR", cache);
    Ok(command)
}

/// Looking at inputs again, beside `git status`; and for the first time, beside
/// reading them.
pub fn inputs(lab: &Lab) -> Result<Table> {
    let tree = plant(lab, "tree")?;
    let cache = lab.work.join("inputs.cache");
    let call = |cache: &Path| -> Result<Command> {
        let mut command = cachex(lab, cache, &["--input", "."], &["true"])?;
        command.current_dir(&tree);
        Ok(command)
    };
    run(&mut call(&cache)?, Sink::Null)?;
    let again: Sampler<'_> = Box::new(|| run(&mut call(&cache)?, Sink::Null));
    let status: Sampler<'_> =
        Box::new(|| run(lab.command("git").arg("status").current_dir(&tree), Sink::Null));
    let mut number = 0;
    let first: Sampler<'_> = Box::new(|| {
        number += 1;
        let cache = lab.work.join(format!("inputs.cache.{number}"));
        run(&mut call(&cache)?, Sink::Null)
    });
    let reading: Sampler<'_> = Box::new(|| {
        let all = "find . -name .git -prune -o -type f -print0 | xargs -0 cat";
        run(lab.command("sh").args(["-c", all]).current_dir(&tree), Sink::Null)
    });
    let large = lab.work.join("large");
    fill(&large, 1 << 30)?;
    let one = |cache: &Path| cachex(lab, cache, &["--input", "large"], &["true"]);
    let mut number = 0;
    let whole: Sampler<'_> = Box::new(|| {
        number += 1;
        run(&mut one(&lab.work.join(format!("large.cache.{number}")))?, Sink::Null)
    });
    let through: Sampler<'_> = Box::new(|| run(lab.command("cat").arg(&large), Sink::Pipe));
    let entrants = vec![
        ("50,000 files, unchanged".to_owned(), Ok(again)),
        ("`git status`".to_owned(), Ok(status)),
        ("50,000 files, for the first time".to_owned(), Ok(first)),
        ("`find | xargs cat`".to_owned(), Ok(reading)),
        ("one of 1 GiB, for the first time".to_owned(), Ok(whole)),
        ("`cat FILE`, into a pipe".to_owned(), Ok(through)),
    ];
    let outcomes = compete(lab.rounds(20), entrants);
    let table = beside("Inputs", &outcomes);
    fs::remove_dir_all(tree).context("removing the tree")?;
    fs::remove_file(large).context("removing a large file")?;
    Ok(table)
}

/// Bringing 1 GiB of files back, beside `cp -r`.
pub fn outputs(lab: &Lab) -> Result<Table> {
    let mut entrants: Vec<(String, Result<Sampler<'_>>)> = Vec::new();
    for (name, files, bytes) in
        [("1 GiB in 64 files", 64, 1 << 24), ("10,000 files of 4 KiB", 10_000, 4096)]
    {
        let work = lab.work.join(format!("outputs.{files}"));
        let source = work.join("source");
        fs::create_dir_all(&source).with_context(|| format!("making {}", source.display()))?;
        for file in 0..files {
            fill(&source.join(format!("file{file}")), bytes)?;
        }
        let cache = work.join("cache");
        let call = {
            let (cache, work) = (cache.clone(), work.clone());
            move || -> Result<Command> {
                let argv = ["cp", "-r", "source", "made"];
                let mut command = cachex(lab, &cache, &["--output", "made"], &argv)?;
                command.current_dir(&work);
                Ok(command)
            }
        };
        run(&mut call()?, Sink::Null)?;
        let made = work.join("made");
        let hit: Sampler<'_> = Box::new(move || {
            remove(&made)?;
            run(&mut call()?, Sink::Null)
        });
        let copy = work.join("copy");
        let plain: Sampler<'_> = Box::new(move || {
            remove(&copy)?;
            run(lab.command("cp").args(["-r", "source", "copy"]).current_dir(&work), Sink::Null)
        });
        entrants.push((format!("{name}, brought back"), Ok(hit)));
        entrants.push(("`cp -r`".to_owned(), Ok(plain)));
    }
    Ok(beside("Outputs", &compete(lab.rounds(10), entrants)))
}

/// A table of pairs: what cachex does, and what it is measured by.
fn beside(title: &str, outcomes: &[(String, Outcome)]) -> Table {
    let mut table = Table::new(title, &["", "cachex", "", "", "ratio"]);
    for pair in outcomes.chunks(2) {
        if let [(name, own), (other, theirs)] = pair {
            match (own, theirs) {
                (Ok(own), Ok(theirs)) => table.row(vec![
                    name.clone(),
                    time(own.median),
                    other.clone(),
                    time(theirs.median),
                    ratio(own.median, theirs.median),
                ]),
                (Err(why), _) | (_, Err(why)) => table.note(format!("{name}: {why}")),
            }
        }
    }
    table
}

/// Removes what the last round made, and lets the system write what it has to.
fn remove(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("removing {}", folder.display()))?;
    }
    settle().map(drop)
}

/// Writes so many bytes that nothing makes shorter.
fn fill(path: &Path, bytes: usize) -> Result<()> {
    let name = path.as_os_str().as_encoded_bytes();
    let mut noise = blake3::Hasher::new().update(name).finalize_xof();
    let mut file = fs::File::create(path).with_context(|| format!("making {}", path.display()))?;
    let mut chunk = vec![0; bytes.min(1 << 20)];
    for _ in 0..bytes / chunk.len() {
        noise.fill(&mut chunk);
        file.write_all(&chunk).context("writing noise")?;
    }
    Ok(())
}
