//! Sends the queued entries to a remote store: blobs first, each entry last, so that nobody finds
//! an entry without what it needs.

use super::fetch::SKEW;
use super::names::{Book, Class, MAX_ENTRY, Names};
use super::rules::Rules;
use super::{Sent, Target, circuit_breaker, invalid, path_sets, platform_of, queue, transfer};
use crate::events::{self, Event, Kind, Remotely};
use crate::path_sets::PathSet;
use crate::{self as store, Root, blobs, removal};
use anyhow::Result;
use cachex_base::record::entry::{BlobRef, Entry, Key, Tag};
use cachex_base::system::clock::Timestamp;
use cachex_base::system::progress::{self, Stage};
use cachex_remote::Engine;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use std::cell::RefCell;
use std::collections::HashSet;
use std::io::Read;

/// The number of entries that are sent at once.
const ENTRIES_AT_ONCE: usize = 4;
/// The number of blobs that are sent at once for each entry.
const BLOBS_AT_ONCE: usize = 8;
/// The number of bytes that are read at once.
const CHUNK: usize = 512 * 1024;

/// An entry that cannot be sent, regardless of the remote store.
#[derive(Debug)]
struct Spoiled;

impl std::fmt::Display for Spoiled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a part of it is gone or damaged")
    }
}

impl std::error::Error for Spoiled {}

/// Sends what is queued to the remote store. Entries that fail stay in the queue. If others could
/// be sent at the same time, the failure is the entry's own fault, and it waits by itself for the
/// next attempt. Unless `all` are sent, it is skipped until then.
pub async fn send(root: &Root, target: &Target, book: &Book<'_>, all: bool) -> Result<Sent> {
    let id = target.id();
    let url = target.url()?;
    let queued = queue::keys(root, &id)?;
    let gate = circuit_breaker::CircuitBreaker::of_writes(root, &id);
    let is_due = |key: &Key| all || queue::failure(root, &id, key).is_none_or(|it| it.is_over());
    let keys: Vec<Key> = queued.iter().copied().filter(is_due).collect();
    if keys.is_empty() {
        if let (false, Some(failure)) = (queued.is_empty(), gate.failure()) {
            // No other process needs to look again for a while.
            gate.failed(&failure.why, false);
        } else {
            gate.open();
        }
        return Ok(Sent { left: queued.len() as u64, ..Sent::default() });
    }
    progress::begin(Stage::Sending, keys.len() as u64);
    let sent = RefCell::new(Sent::default());
    let failed = RefCell::new(Vec::new());
    let invalid = RefCell::new(Vec::new());
    // An engine without a lifetime serves all entries that do not expire.
    let opened = async {
        let engine = Engine::open(&url, &target.access, None).await?;
        let rules = invalid::learn_and_restore(root, &id, &engine, book).await?;
        anyhow::Ok((engine, rules))
    };
    let (engine, rules) = match opened.await {
        Ok(opened) => opened,
        Err(error) => {
            let why = format!("{error:#}");
            gate.failed(&why, true);
            let (failed, left) = (keys.len() as u64, queued.len() as u64);
            return Ok(Sent { failed, left, why: Some(why), ..Sent::default() });
        }
    };
    invalid::sweep(root, &id)?;
    let one = async |key: Key| {
        let found = find(root, &key);
        let found = found.and_then(|entry| Some((path_sets::of(root, &entry).ok()?, entry)));
        let Some((leads, entry)) = found else {
            // The entry was removed meanwhile, or is of no use to anybody.
            let _ = queue::remove(root, &id, &key);
            return progress::advance(1);
        };
        if rules.are_about(&entry) {
            // Its run began before the store was swept, and ended after that.
            invalid.borrow_mut().push(key);
            return progress::advance(1);
        }
        let names = book.names(platform_of(&entry.about.tags));
        let done = send_one(root, target, book, &names, &engine, (&entry, leads), &rules).await;
        progress::advance(1);
        let (what, bytes) = match done {
            Ok(None) => {
                let _ = queue::remove(root, &id, &key);
                return;
            }
            Ok(Some(bytes)) => {
                let _ = queue::remove(root, &id, &key);
                let mut sent = sent.borrow_mut();
                sent.entries += 1;
                sent.bytes += bytes;
                (Remotely::Sent, bytes)
            }
            Err(error) => {
                let why = format!("{error:#}");
                if error.is::<Spoiled>() {
                    let _ = queue::give_up(root, &id, &key, &why);
                } else {
                    failed.borrow_mut().push((key, why));
                }
                (Remotely::NotSent, 0)
            }
        };
        let kind = Kind::Remote { what, bytes };
        let _ = events::append(
            root,
            &Event { kind, time: Timestamp::now(), key, run_time: 0 },
            None,
            None,
        );
    };
    // After this many failures and no success, give up.
    let hopeless = || failed.borrow().len() >= ENTRIES_AT_ONCE && sent.borrow().entries == 0;
    let keys_are_all = keys.len() == queued.len();
    let keys = stream::iter(keys).take_while(|_| std::future::ready(!hopeless()));
    keys.for_each_concurrent(ENTRIES_AT_ONCE, one).await;
    let (mut sent, failed) = (sent.into_inner(), failed.into_inner());
    let invalid = invalid.into_inner();
    removal::remove(root, &invalid)?;
    for key in &invalid {
        let _ = queue::remove(root, &id, key);
    }
    sent.failed = failed.len() as u64;
    sent.left = queue::keys(root, &id)?.len() as u64;
    if let Some((_, why)) = failed.first() {
        sent.why = Some(why.clone());
        let is_their_fault = note_failures(root, &id, &failed, sent.entries > 0)?;
        gate.failed(why, !is_their_fault);
    } else if sent.left == 0 || keys_are_all {
        gate.open();
    }
    Ok(sent)
}

/// Returns whether the entries could not be sent by their own fault, because others could be sent
/// or because they failed before. If so, each one waits by itself.
fn note_failures(root: &Root, id: &str, failed: &[(Key, String)], others: bool) -> Result<bool> {
    let failed_before = |key: &Key| queue::failure(root, id, key).is_some();
    let is_their_fault = others || failed.iter().all(|(key, _)| failed_before(key));
    if is_their_fault {
        for (key, why) in failed {
            queue::fail(root, id, key, why)?;
        }
    }
    Ok(is_their_fault)
}

/// Returns the entry of a key, if it is still of use.
fn find(root: &Root, key: &Key) -> Option<Entry> {
    let found = store::get(root, key).ok().flatten();
    let stays = |entry: &Entry| entry.about.tags.iter().any(|tag| tag == Tag::LOCAL);
    found.filter(|entry| entry.is_of_use(Timestamp::now()) && !stays(entry))
}

/// Returns whether the store has a later result than this entry that is of use to others. The
/// entry may have waited here while others went on.
async fn is_outdated(
    engine: &Engine,
    book: &Book<'_>,
    names: &Names,
    entry: &Entry,
    rules: &Rules,
) -> Result<bool> {
    let stored = engine.get(&names.entry(&entry.key), MAX_ENTRY).await?;
    let there = stored.and_then(|stored| names.open(&entry.key, &stored, book.trust()).ok());
    let now = Timestamp::now();
    Ok(there.is_some_and(|there| {
        // An entry from a clock that is far ahead would stay there for good.
        let ahead = there.created.since(now).unwrap_or_default();
        let is_later = there.created > entry.created && ahead <= SKEW;
        is_later && there.is_of_use(now) && !rules.are_about(&there)
    }))
}

/// Sends one entry and what it needs. Returns the number of bytes sent, or `None` if the entry is
/// no longer needed.
async fn send_one(
    root: &Root,
    target: &Target,
    book: &Book<'_>,
    names: &Names,
    lasting: &Engine,
    (entry, leads): (&Entry, Option<(Key, PathSet)>),
    rules: &Rules,
) -> Result<Option<u64>> {
    if is_outdated(lasting, book, names, entry, rules).await? {
        return Ok(None);
    }
    let class = Class::of(entry);
    let url = target.url()?;
    let mut of_class = None;
    if let (Some(kept), true) = (class.kept(), lasting.drops()) {
        of_class = Some(Engine::open(&url, &target.access, Some(kept)).await?);
    }
    let engine = of_class.as_ref().unwrap_or(lasting);
    let mut needed: Vec<BlobRef> = entry.streams().collect();
    if let Some(manifest) = entry.manifest() {
        let list = blobs::manifest(root, &manifest)?.ok_or(Spoiled)?;
        needed.extend(list.blobs().chain([manifest]));
    }
    let mut known = HashSet::new();
    needed.retain(|blob| known.insert(blob.hash));
    let blobs = stream::iter(needed).map(|blob| async move {
        let name = names.blob(&blob, class);
        if engine.has(&name).await? {
            Ok(0)
        } else {
            upload(root, engine, &name, &blob, target.level).await
        }
    });
    let bytes = blobs
        .buffer_unordered(BLOBS_AT_ONCE)
        .try_fold(0, |sum, bytes| async move { Ok::<u64, anyhow::Error>(sum + bytes) });
    let bytes = bytes.await?;
    let stored = book.seal(names, entry).map_err(|_| Spoiled)?;
    let len = stored.len() as u64;
    let left = entry.gone().map(|gone| gone.since(Timestamp::now()).unwrap_or_default());
    let mut of_entry = None;
    if let (Some(left), true) = (left, lasting.drops()) {
        of_entry = Some(Engine::open(&url, &target.access, Some(left)).await?);
    }
    of_entry.as_ref().unwrap_or(lasting).put(&names.entry(&entry.key), stored).await?;
    // The path sets go last, so that they lead nobody to an entry that is not there yet.
    let sets = match leads {
        Some((key, set)) => path_sets::send(lasting, book, names, &key, set).await?,
        None => 0,
    };
    Ok(Some(bytes + len + sets))
}

async fn upload(
    root: &Root,
    engine: &Engine,
    name: &str,
    blob: &BlobRef,
    level: u8,
) -> Result<u64> {
    let opened = blobs::open(root, blob)?.ok_or(Spoiled)?;
    let mut object = transfer::object(opened.reader().take(blob.len), level)?;
    let _room = engine.room(blob.len).await;
    let mut writer = engine.writer(name).await?;
    let mut bytes = 0;
    let mut copied = async || {
        loop {
            let mut chunk = Vec::with_capacity(CHUNK);
            (&mut object).take(CHUNK as u64).read_to_end(&mut chunk)?;
            if chunk.is_empty() {
                return anyhow::Ok(());
            }
            bytes += chunk.len() as u64;
            writer.append(chunk).await?;
        }
    };
    let copied = copied().await;
    match copied {
        Ok(()) => writer.finish().await.map(|()| bytes),
        Err(error) => {
            writer.abandon().await;
            Err(error)
        }
    }
}
