//! Fetches an entry and all that it needs from a remote store into this one.
//!
//! Everything is verified as it arrives, and gets its name only when all of it is there: blobs
//! first, the entry last, as in a recording. What is missing or not what it should be is treated
//! as if there were nothing.

use super::super::settings::Limits;
use super::invalid;
use super::names::{Book, Class, MAX_ENTRY, Names};
use super::origin::Origin;
use super::rules::{self, Rules};
use super::transfer::{self, Content, Garbled};
use super::{Fetched, Seen, Target, Wanted};
use crate::blobs::{self, NewBlob, WholeBlob};
use crate::lock::Lock;
use crate::room::{self, Room};
use crate::young::{NewFile, Young};
use crate::{Root, account, components};
use anyhow::{Context, Result, bail};
use cachex_base::process::ipc::{self, ALIVE};
use cachex_base::record::entry::{BlobRef, Entry, Key, MAX_SEALED};
use cachex_base::record::manifest::{MAX_MANIFEST, Manifest};
use cachex_base::system::clock::{Timestamp, nanos};
use cachex_base::system::progress::{self, Stage};
use cachex_remote::{Engine, STALL};
use futures_util::future;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use std::cell::RefCell;
use std::collections::HashSet;
use std::io::Read;
use std::time::Duration;

/// The number of blobs fetched at once.
const AT_ONCE: usize = 8;
/// The maximum time by which the clock of an entry's recorder may be ahead.
pub const SKEW: Duration = Duration::from_mins(2);
/// The minimum average speed in bytes per second; slower transfers are given up.
const SLOWEST: u64 = 32 << 10;

const MAKING_ROOM: &str = "making room in the store";

/// Finds the entry of a key alone, if there is one that is `wanted`.
async fn find(
    root: &Root,
    open: impl Future<Output = Result<Engine>>,
    book: &Book<'_>,
    wanted: &Wanted,
    target: &Target,
    changes: bool,
) -> Result<Result<Candidate, Flaw>> {
    let patience = target.patience;
    let asked = async {
        let engine = open.await?;
        let (stored, rules) = stored(root, &engine, book, wanted, target, changes).await?;
        anyhow::Ok(stored.map(|(names, stored)| (engine, names, stored, rules)))
    };
    let found = match tokio::time::timeout(patience, asked).await {
        Ok(answer) => answer?,
        Err(_) => bail!("no answer within {}", humantime::format_duration(patience)),
    };
    let Some((engine, names, stored, rules)) = found else { return Ok(Err(Flaw::Gone)) };
    // No entry begins so. A damaged one is a single miss, but such a server answers nothing else.
    if stored.trim_ascii_start().starts_with(b"<") {
        bail!("it answers with a web page");
    }
    let len = stored.len();
    let judged = judge(&names, &stored, &rules, book, wanted, target);
    Ok(judged.map(|entry| Candidate { engine, names, entry, len }))
}

/// Opens a stored entry, if it may be served.
fn judge(
    names: &Names,
    stored: &[u8],
    rules: &Rules,
    book: &Book<'_>,
    wanted: &Wanted,
    target: &Target,
) -> Result<Entry, Flaw> {
    let Ok(entry) = names.open(&Key(wanted.key), stored, book.trust()) else {
        return Err(Flaw::Wrong);
    };
    let now = Timestamp::now();
    let entry = by_this_clock(entry, now);
    if !wanted.takes(&entry, now) || rules.are_about(&entry) {
        return Err(Flaw::Gone);
    }
    within_limits(&entry, target.limits).map(|()| entry)
}

/// Treats an entry from a clock that is a little ahead of this one as one recorded now, and
/// shortens its validity by the difference.
fn by_this_clock(entry: Entry, now: Timestamp) -> Entry {
    match entry.created.since(now) {
        Some(ahead) if !ahead.is_zero() && ahead <= SKEW => {
            let expires_in = entry.expires_in.map(|span| span.saturating_sub(nanos(ahead)));
            Entry { created: now, expires_in, ..entry }
        }
        _ => entry,
    }
}

/// Returns whether there is an entry that is `wanted`.
pub async fn is_there(
    root: &Root,
    engine: &Engine,
    book: &Book<'_>,
    wanted: &Wanted,
    target: &Target,
) -> Result<bool> {
    let (stored, rules) = stored(root, engine, book, wanted, target, false).await?;
    Ok(stored.is_some_and(|(names, stored)| {
        judge(&names, &stored, &rules, book, wanted, target).is_ok()
    }))
}

/// Returns what is stored under one of the names of a key, with these names, and the invalidation
/// rules, as far as they matter.
async fn stored(
    root: &Root,
    engine: &Engine,
    book: &Book<'_>,
    wanted: &Wanted,
    target: &Target,
    changes: bool,
) -> Result<(Option<(Names, Vec<u8>)>, Rules)> {
    let stored = async {
        for names in book.all(wanted.platform.as_deref()) {
            if let Some(stored) = engine.get(&names.entry(&Key(wanted.key)), MAX_ENTRY).await? {
                return anyhow::Ok(Some((names, stored)));
            }
        }
        Ok(None)
    };
    let rules = async {
        if changes {
            invalid::learn(root, &target.id(), engine, book).await
        } else {
            invalid::see(root, engine, book).await
        }
    };
    if engine.takes_questions_together() {
        return future::try_join(stored, rules).await;
    }
    Ok(match stored.await? {
        None => (None, Rules::default()),
        stored => (stored, rules.await?),
    })
}

/// An entry that may be served if everything that it needs can be fetched.
struct Candidate {
    engine: Engine,
    names: Names,
    entry: Entry,
    /// The length of its stored form, in bytes.
    len: usize,
}

/// The maximum length of a frame, in bytes.
const FRAME: u64 = 16;

/// Checks whether a reader accepts what an entry says that it needs. No more than that is
/// fetched.
fn within_limits(entry: &Entry, limits: Limits) -> Result<(), Flaw> {
    // Each frame stands for at least one byte, except one that says that both streams are one
    // file.
    if entry.frames.count() > entry.data.count().saturating_add(FRAME) {
        return Err(Flaw::Wrong);
    }
    let is_too_large = entry.longest() > limits.entry || entry.blob_bytes() > limits.store;
    if is_too_large { Err(Flaw::TooLarge) } else { Ok(()) }
}

/// Returns the maximum size on disk of the entry and everything that it needs, in bytes.
fn needed_on_disk(entry: &Entry) -> u64 {
    let files = entry.outputs.map_or(0, |outputs| {
        outputs.bytes.saturating_add(outputs.files.saturating_mul(account::BLOCK))
    });
    let blobs = entry.blobs().map(|blob| account::blocks(blob.len));
    let entry = account::blocks(MAX_SEALED as u64);
    blobs.chain([entry]).fold(files, u64::saturating_add)
}

/// Looks for an entry that is `wanted`, without what it needs.
pub async fn look(
    root: &Root,
    open: impl Future<Output = Result<Engine>>,
    book: &Book<'_>,
    wanted: &Wanted,
    target: &Target,
) -> Result<Seen> {
    Ok(match find(root, open, book, wanted, target, false).await? {
        Ok(found) => Seen::Entry { created: found.entry.created },
        Err(Flaw::Gone | Flaw::TooLarge | Flaw::NoRoom) => Seen::Nothing,
        Err(Flaw::Wrong) => Seen::Refused,
    })
}

/// Fetches the entry of a key, if there is one that is `wanted`.
pub async fn fetch(
    root: &Root,
    open: impl Future<Output = Result<Engine>>,
    book: &Book<'_>,
    wanted: &Wanted,
    target: &Target,
) -> Result<Fetched> {
    let Candidate { engine, names, mut entry, len } =
        match find(root, open, book, wanted, target, true).await? {
            Ok(found) => found,
            Err(flaw) => return Ok(flaw.into()),
        };
    if let Some(facts) = &wanted.facts {
        entry.parts = components::with_facts(entry.parts, facts);
    }
    let mut room = Room::within(root, target.limits.store);
    if !room.make_for(needed_on_disk(&entry)).context(MAKING_ROOM)? {
        return Ok(Flaw::NoRoom.into());
    }
    let room = RefCell::new(room);
    // The entry is known to exist, so it may take longer now.
    ipc::write_frame(&mut std::io::stdout().lock(), ALIVE, &[])?;
    progress::begin(Stage::Fetching, entry.blob_bytes());
    let class = Class::of(&entry);
    let (engine, names) = (&engine, &names);
    let from = Source { root, room: &room, engine, names, class, mends: wanted.mends };
    let slowest = STALL + Duration::from_secs(entry.blob_bytes() / SLOWEST);
    // By then, running the command would have given the result.
    let run_time = Duration::from_nanos(entry.run_time).max(target.patience);
    let budget = target.budget.unwrap_or(run_time);
    let limit = budget.min(slowest);
    let staged = match tokio::time::timeout(limit, get_needed(&from, &entry)).await {
        Ok(Ok(Ok(staged))) => staged,
        Ok(Ok(Err(flaw))) => return Ok(flaw.into()),
        Ok(Err(error)) => return Err(error),
        // A server that sends nothing at all is not a slow one.
        Err(_) if limit >= target.patience && progress::now().is_none_or(|it| it.done == 0) => {
            bail!("no answer within {}", humantime::format_duration(target.patience));
        }
        Err(_) if budget < slowest => return Ok(Fetched::TooSlow),
        Err(_) => bail!("what it sends comes too slowly"),
    };
    let bytes = staged.iter().map(WholeBlob::len).fold(len as u64, u64::saturating_add);
    let taken = publish(root, target, staged, &entry)?;
    Ok(Fetched::Entry { bytes, is_fold_due: room.into_inner().settle(taken) })
}

/// Fetches what an entry needs and is not here.
async fn get_needed<'r>(
    from: &Source<'r, '_>,
    entry: &Entry,
) -> Result<Result<Vec<WholeBlob<'r>>, Flaw>> {
    let mut staged = match get_all(from, entry.blobs().collect()).await? {
        Ok(first) => first,
        Err(flaw) => return Ok(Err(flaw)),
    };
    // The manifest says what else to fetch.
    let Some(outputs) = entry.outputs else { return Ok(Ok(staged)) };
    let list = list_in(from.root, &staged, &outputs.manifest)?;
    let Some(list) = list.filter(|list| list.outputs(outputs.manifest) == outputs) else {
        return Ok(Err(Flaw::Wrong));
    };
    let files = get_all(from, list.blobs().collect()).await?;
    Ok(files.map(|files| {
        staged.extend(files);
        staged
    }))
}

/// The reason why an entry cannot be fetched with all that it needs.
#[derive(Clone, Copy, Debug)]
enum Flaw {
    /// There is none that is wanted, or a part is gone, for example because the server needed
    /// room.
    Gone,
    /// The entry is larger than the reader accepts.
    TooLarge,
    /// There is no room for it here, whatever else is removed.
    NoRoom,
    /// The entry or a part of it is not what was stored.
    Wrong,
}

impl From<Flaw> for Fetched {
    fn from(flaw: Flaw) -> Fetched {
        match flaw {
            Flaw::Gone => Fetched::Nothing,
            Flaw::TooLarge => Fetched::TooLarge,
            Flaw::NoRoom => Fetched::NoRoom,
            Flaw::Wrong => Fetched::Refused,
        }
    }
}

/// The source of an entry's blobs, and the store that they go to.
struct Source<'r, 'e> {
    root: &'r Root,
    room: &'e RefCell<Room<'r>>,
    engine: &'e Engine,
    names: &'e Names,
    class: Class,
    mends: bool,
}

/// Fetches the blobs that are not here, each once.
async fn get_all<'r>(
    from: &Source<'r, '_>,
    blobs: Vec<BlobRef>,
) -> Result<Result<Vec<WholeBlob<'r>>, Flaw>> {
    let mut known = HashSet::new();
    let mut missing = Vec::new();
    for blob in blobs {
        if known.insert(blob.hash) && blobs::open(from.root, &blob)?.is_none() {
            missing.push(blob);
        } else {
            progress::advance(blob.len);
        }
    }
    let got = stream::iter(missing).map(|blob| async move {
        let name = from.names.blob(&blob, from.class);
        let got = get(from, &name, &blob).await?;
        // A sender skips any object that exists, so a damaged one has to be removed.
        if matches!(got, Err(Flaw::Wrong)) && from.mends && from.engine.takes_removals() {
            let _ = from.engine.remove_long(&name).await;
        }
        anyhow::Ok(got)
    });
    let got: Vec<_> = got.buffer_unordered(AT_ONCE).try_collect().await?;
    Ok(got.into_iter().collect())
}

async fn get<'r>(
    from: &Source<'r, '_>,
    name: &str,
    blob: &BlobRef,
) -> Result<Result<WholeBlob<'r>, Flaw>> {
    let engine = from.engine;
    let _room = engine.room(blob.len).await;
    let mut new = NewBlob::new(from.root).context("writing to the store")?;
    let (mut left, mut has_room) = (blob.len, true);
    let mut content = Content::new(|bytes: &[u8]| {
        let len = bytes.len() as u64;
        left = left.checked_sub(len).ok_or(Garbled)?;
        has_room = from.room.borrow_mut().claim(len).context(MAKING_ROOM)?;
        if !has_room {
            bail!("others have taken the room");
        }
        progress::advance(len);
        new.append(bytes).context("writing to the store")
    });
    let longest = transfer::longest(blob.len);
    let poured = engine.pour(name, longest, &mut |bytes| content.take(bytes)).await;
    drop(content);
    match poured {
        Ok(true) if left == 0 => {}
        Ok(false) => return Ok(Err(Flaw::Gone)),
        // A piece of the object was dropped for something else.
        Ok(true) if engine.drops() => return Ok(Err(Flaw::Gone)),
        // An object that does not unpack, or has the wrong length, is damaged.
        Ok(true) => return Ok(Err(Flaw::Wrong)),
        Err(error) if error.is::<Garbled>() => return Ok(Err(Flaw::Wrong)),
        Err(_) if !has_room => return Ok(Err(Flaw::NoRoom)),
        // Anything else may be a fault of the connection.
        Err(error) => return Err(error),
    }
    let new = new.finish().context("writing to the store")?;
    Ok(if new.blob() == *blob { Ok(new) } else { Err(Flaw::Wrong) })
}

/// Returns the manifest, from this store or from what was fetched.
fn list_in(root: &Root, staged: &[WholeBlob<'_>], blob: &BlobRef) -> Result<Option<Manifest>> {
    let Some(staged) = staged.iter().find(|staged| staged.blob() == *blob) else {
        return Ok(blobs::manifest(root, blob)?);
    };
    let name = staged.name().context("what is written has a name")?;
    let file = std::fs::File::from(cachex_base::system::fsutil::open_file(root, name)?);
    let mut stored = Vec::new();
    file.take(MAX_MANIFEST as u64 + 1).read_to_end(&mut stored)?;
    Ok(Manifest::decode(&stored).ok())
}

/// Gives everything its name, unless a later result was recorded meanwhile. Returns the number of
/// bytes that it takes.
fn publish(root: &Root, target: &Target, staged: Vec<WholeBlob<'_>>, entry: &Entry) -> Result<u64> {
    let _publishing = Lock::to_publish(root)?;
    // A rule may have been learnt and swept meanwhile, before this entry is here.
    if rules::all(root).are_about(entry) {
        return Ok(0);
    }
    let young = Young::new(root);
    let present = young.get(&entry.key).ok().flatten();
    // An entry that may not be served does not stand in the way.
    let serves =
        |it: &Entry| it.is_of_use(Timestamp::now()) && Origin::is_accepted(it, &target.access);
    if present.as_ref().is_some_and(|it| it.created > entry.created && serves(it)) {
        return Ok(0);
    }
    let sealed = entry.seal()?;
    let mut taken = account::blocks(sealed.len() as u64) * u64::from(present.is_none());
    for blob in staged {
        taken = taken.saturating_add(account::blocks(blob.keep()?.len));
    }
    NewFile::of(root, &entry.key, &sealed).and_then(NewFile::keep).context("writing an entry")?;
    if let Some(present) = present {
        room::supersede(root, &present, entry);
    }
    Ok(taken)
}
