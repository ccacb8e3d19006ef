//! Support for benchmarks: fills a store in seconds.

use anyhow::Result;
use cachex_base::record::entry::{About, Bytes, Entry, Key};
use cachex_base::record::frames::{Frame, Stream};
use cachex_base::system::clock::Timestamp;
use cachex_base::system::hashing;
use cachex_store::metadata::Usage;
use cachex_store::old::Old;
use cachex_store::young::Young;
use cachex_store::{Root, fold, rebuild};
use serde_bytes::ByteBuf;
use std::path::Path;

const BATCH: u64 = 10_000;

/// Adds `entries` small entries, with keys that no command has, to the store at `dir`: to the old
/// store if `folded`, else as young files. Nothing else may use the store meanwhile, and sled runs
/// in this process.
pub fn fill(dir: &Path, entries: u64, folded: bool) -> Result<()> {
    // Helper processes do the same: sled creates its own files.
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
    let root = Root::create(dir)?;
    let salt = Timestamp::now().0;
    for first in (0..entries).step_by(BATCH as usize) {
        let batch: Vec<Entry> =
            (first..entries.min(first + BATCH)).map(|n| entry(salt, n)).collect();
        if folded {
            fold::publish_with(&root, batch.iter().map(|entry| &entry.key))?;
            Old::with(&root, |old| {
                batch.iter().try_for_each(|entry| {
                    old.fold_in(entry, &entry.seal()?, Usage::default())?;
                    Ok(())
                })
            })?;
            rebuild::rebuild_if_due(&root, false, None)?;
        } else {
            batch.iter().try_for_each(|entry| Young::new(&root).put(entry))?;
        }
    }
    Ok(())
}

/// Returns a typical entry: a few hundred bytes of output.
fn entry(salt: u64, number: u64) -> Entry {
    let seed = [salt.to_le_bytes(), number.to_le_bytes()].concat();
    let data = format!("output {number} of a command {}\n", "x".repeat(200)).into_bytes();
    let mut frames = Vec::new();
    Frame { stream: Stream::Stdout, len: data.len() as u64 }.encode(&mut frames);
    Entry {
        key: Key(*hashing::of(&seed).as_bytes()),
        created: Timestamp(salt),
        expires_in: None,
        stale_for: None,
        run_time: 1_000_000,
        status: 0,
        stdin_consumed: None,
        frames: Bytes::Inline(frames),
        data: Bytes::Inline(data),
        outputs: None,
        about: About {
            argv: vec![ByteBuf::from("command"), ByteBuf::from(number.to_string())],
            cut: false,
            cwd: Some(ByteBuf::from("/home/somebody/project")),
            scope: None,
            tags: Vec::new(),
        },
        parts: Vec::new(),
    }
}
