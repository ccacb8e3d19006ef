//! Answers of a helper that are shown to users, written in frames as they are found.

use super::Item;
use crate::metadata::EntryMetadata;
use crate::old::Old;
use crate::query::{self, Query};
use crate::{Root, fold, guard, stats};
use anyhow::Result;
use cachex_base::process::ipc::{ALIVE, ITEM, decode, encode, write_frame};
use cachex_base::record::entry::{Entry, Key};
use sled::IVec;
use std::io::{Read, Write};

/// The maximum length of an encoded query.
const MAX_QUERY: u64 = 64 * 1024;
/// The buffer size at which frames are written.
const BUFFER: usize = 32 * 1024;

pub fn query(root: &Root, input: &mut dyn Read, output: &mut dyn Write) -> Result<Vec<u8>> {
    let mut question = Vec::new();
    input.take(MAX_QUERY).read_to_end(&mut question)?;
    let question: Query = decode(&question)?;
    let matched = query::select(root, &question, &mut |page| write_items(output, page))?;
    encode(&matched)
}

/// Finds entries by their keys. Damaged ones are skipped.
pub fn find(root: &Root, keys: &[[u8; 32]], output: &mut dyn Write) -> Result<()> {
    if !guard::exists(root) {
        return Ok(());
    }
    for keys in keys.chunks(fold::BATCH) {
        let page = Old::with(root, |old| {
            let mut page = Vec::new();
            for key in keys.iter().map(|key| Key(*key)) {
                if let Some(sealed) = old.sealed(&key)?
                    && Entry::open(&key, &sealed).is_ok()
                {
                    page.push((old.facts(&key)?.unwrap_or_default(), sealed));
                }
            }
            Ok(page)
        })?;
        write_items(output, page)?;
    }
    Ok(())
}

/// Writes a page at once, so that the database is not held while the reader reads.
fn write_items(output: &mut dyn Write, page: Vec<(EntryMetadata, IVec)>) -> Result<()> {
    let mut frames = Vec::new();
    for (facts, sealed) in page {
        let item = Item { facts, sealed: sealed.to_vec() };
        write_frame(&mut frames, ITEM, &encode(&item)?)?;
    }
    write_frame(&mut frames, ALIVE, &[])?;
    Ok(output.write_all(&frames)?)
}

pub fn stats(root: &Root, since: u32, output: &mut dyn Write) -> Result<()> {
    let mut frames = Vec::new();
    stats::read(root, since, |day, name, counts| {
        write_frame(&mut frames, ITEM, &encode(&(day, name, counts))?)?;
        if frames.len() > BUFFER {
            output.write_all(&frames)?;
            frames.clear();
        }
        Ok(())
    })?;
    Ok(output.write_all(&frames)?)
}
