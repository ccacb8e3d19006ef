//! The helper process of the store: the only place where sled runs, see [`super::db_client`].
//!
//! The helper prints nothing but frames and reads no `CACHEX_*` variable. It works from within the
//! store's folder, by a relative path, so that a folder removed meanwhile is not created anew. A
//! panic is silent. A watchdog ends a helper that makes no progress in sled, and sets the database
//! aside if the database is the cause and not the disk, see `watch`.
//!
//! Except in the background, as for a fold, a helper ends with the process that started it,
//! wherever it is: it would hold the locks for nobody, and may be killed at any point.

mod quick;
mod reports;
mod watch;

use super::db_client::{BROKEN, SET_ASIDE, WAITS};
use super::fold::{self, FoldOptions};
use super::guard::{self, Broken, PULSE, SetAside};
use super::in_place::{self, TakenOut};
use super::metadata::EntryMetadata;
use super::old::Old;
use super::walk::Span;
use super::young::{self, Young};
use super::{Root, account, room, stats, tidy};
use crate::lock::{self, Lock, Mode};
use anyhow::{Context, Result, bail};
use cachex_base::process::detached;
use cachex_base::process::exit::{self, Exit};
use cachex_base::process::ipc::{self, ALIVE, DONE, FAILED, ITEM, encode, write_frame};
use cachex_base::record::entry::{Damaged, Entry, Key, MAX_SEALED};
use cachex_base::system::clock::Timestamp;
use cachex_base::system::fsutil;
use cachex_base::system::progress::{self, Stage};
use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use std::ffi::{OsStr, OsString};
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::{Duration, Instant};
use watch::Verdict;

/// `get ROOT KEY`: returns the sealed entry, or nothing.
pub const GET: &str = "get";
/// `attend ROOT`: like `get`, for each key that arrives on standard input, with one frame tagged
/// [`DONE`] for each, until none arrives for a while.
pub const ATTEND: &str = "attend";
/// `find ROOT`: returns the entries of the keys on standard input as items, in the same order;
/// nothing is promoted.
pub const FIND: &str = "find";
/// `remove ROOT`: removes the keys on standard input; returns their number. Items are the hashes of
/// blobs that are no longer referenced, many in each.
pub const REMOVE: &str = "remove";
/// `tidy ROOT REMOVED`: deletes what the given number of removed entries left behind, including the
/// blobs on standard input; returns the totals.
pub const TIDY: &str = "tidy";
/// `check ROOT`: returns every key with its stored entry, damaged or not, as items; nothing is
/// repaired or set aside.
pub const CHECK: &str = "check";
/// `query ROOT`: returns the entries that the [`Query`](super::query::Query) on standard input
/// selects as items, and the number of matches.
pub const QUERY: &str = "query";
/// `stats ROOT DAY`: returns the statistics from that day on as items.
pub const STATS: &str = "stats";
/// `reset-stats ROOT`: resets the statistics.
pub const RESET_STATS: &str = "reset-stats";
/// `totals ROOT`: returns the totals.
pub const TOTALS: &str = "totals";
/// `fold ROOT OPTIONS`: folds in the background.
pub const FOLD: &str = "fold";
/// `fold-now ROOT OPTIONS`: folds in the foreground; returns the report.
pub const FOLD_NOW: &str = "fold-now";
/// `tag ROOT KEY TAG…`: adds tags in the background.
pub const TAG: &str = "tag";

/// The time without progress after which a look-up that computes or waits for its own threads is
/// considered hung by its database.
const GET_STUCK: Duration = Duration::from_secs(4);
/// The corresponding time for operations on the whole database.
const STUCK: Duration = Duration::from_secs(20);
/// The time without progress after which the disk is considered too slow.
const TOO_SLOW: Duration = Duration::from_mins(5);
/// The niceness of a background fold.
const NICE: i32 = 19;

/// The time the database stays open for the next question,
const SOON: Duration = Duration::from_millis(20);
/// and the maximum time it stays open while questions arrive.
const HELD: Duration = Duration::from_millis(250);
/// The time after which an idle helper exits.
const IDLE: Duration = Duration::from_secs(10);

/// The number of hashes in one item.
const HASHES: usize = 1000;

/// An entry and its metadata.
#[derive(Debug, Serialize, Deserialize)]
pub struct Item {
    /// The metadata of the entry.
    pub facts: EntryMetadata,
    /// The sealed entry.
    #[serde(with = "serde_bytes")]
    pub sealed: Vec<u8>,
}

/// Runs a helper; `args` are those after [`super::db_client::VERB`].
pub fn serve(args: &[OsString]) -> Exit {
    ipc::begin();
    // sled does not restrict the permissions of the files it creates.
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
    let [op, path, rest @ ..] = args else { return Exit::Status(exit::USAGE) };
    if op == FOLD || op == TAG {
        detached::settle(NICE);
    } else {
        ipc::end_with_the_asker();
        progress::listen(ipc::tell);
        quick::yields_to_itself();
        if op == GET || op == ATTEND {
            quick::waits_for_no_disk();
        } else {
            lock::listen(|whom| {
                // The reader may be gone by now.
                let _ = write_frame(&mut std::io::stdout().lock(), WAITS, whom.as_bytes());
            });
        }
    }
    let mut output = std::io::stdout().lock();
    let done = open(Path::new(path)).and_then(|root| {
        let limit = if op == GET || op == ATTEND { GET_STUCK } else { STUCK };
        let only_looks = op == CHECK;
        watch::watch(limit, TOO_SLOW, &PULSE, {
            let root = open(Path::new("."))?;
            move |verdict| give_up(&root, verdict, only_looks)
        })?;
        watch::is_enough()?;
        answer(&root, op, rest, &mut std::io::stdin().lock(), &mut output)
    });
    // The reader may be gone by now.
    let _ = match &done {
        Ok(result) => write_frame(&mut output, DONE, result),
        Err(error) => match error.downcast_ref() {
            Some(SetAside(name)) => write_frame(&mut output, SET_ASIDE, name.as_bytes()),
            None if error.is::<Broken>() => write_frame(&mut output, BROKEN, &[]),
            None => write_frame(&mut output, FAILED, in_words(error).as_bytes()),
        },
    };
    if done.is_ok() { Exit::SUCCESS } else { Exit::Status(exit::FAILURE) }
}

/// Describes an error, with a hint if something else is in the place of a file.
fn in_words(error: &anyhow::Error) -> String {
    let is_misplaced = |errno| matches!(errno, Errno::ISDIR | Errno::NOTDIR | Errno::LOOP);
    let errno = |cause: &(dyn std::error::Error + 'static)| {
        let io = || Errno::from_io_error(cause.downcast_ref()?);
        cause.downcast_ref().copied().or_else(io)
    };
    let asks = error.chain().filter_map(errno).any(is_misplaced);
    let hint = if asks { "; `cachex doctor --repair` puts that right" } else { "" };
    format!("{error:#}{hint}")
}

/// Opens the store from within, so that one removed meanwhile is not created anew.
pub fn open(path: &Path) -> Result<Root> {
    rustix::process::chdir(path).context("entering the cache folder")?;
    match Root::open(Path::new(".")) {
        Ok(root) => Ok(root),
        Err(unusable) => bail!("{unusable}"),
    }
}

fn answer(
    root: &Root,
    op: &OsStr,
    args: &[OsString],
    input: &mut dyn Read,
    output: &mut dyn Write,
) -> Result<Vec<u8>> {
    match (op.to_str(), args) {
        (Some(GET), [key]) => {
            let key = Key::from_hex(key.as_bytes()).context("reading a key")?;
            Ok(get(root, &key)?.unwrap_or_default())
        }
        (Some(ATTEND), []) => attend(root, output).map(|()| Vec::new()),
        (Some(REMOVE), []) => {
            let mut keys = Vec::new();
            input.read_to_end(&mut keys)?;
            let (keys, _) = keys.as_chunks();
            encode(&remove(root, keys, output)?)
        }
        (Some(TIDY), [removed]) => {
            let removed = removed.to_str().and_then(|count| count.parse().ok());
            let mut blobs = Vec::new();
            input.read_to_end(&mut blobs)?;
            let blobs = blobs.as_chunks().0.to_vec();
            encode(&tidy::tidy(root, blobs, removed.context("reading a number")?)?)
        }
        (Some(CHECK), []) => check(root, output).map(|()| Vec::new()),
        (Some(FIND), []) => {
            let mut keys = Vec::new();
            input.read_to_end(&mut keys)?;
            let (keys, _) = keys.as_chunks();
            reports::find(root, keys, output).map(|()| Vec::new())
        }
        (Some(QUERY), []) => reports::query(root, input, output),
        (Some(STATS), [day]) => {
            let day = day.to_str().and_then(|day| day.parse().ok()).context("reading a day")?;
            reports::stats(root, day, output).map(|()| Vec::new())
        }
        (Some(RESET_STATS), []) => stats::reset(root).map(|()| Vec::new()),
        (Some(TAG), [key, tags @ ..]) => {
            let key = Key::from_hex(key.as_bytes()).context("reading a key")?;
            let tags = tags.iter().map(|tag| tag.to_str().map(str::to_owned));
            let tags: Option<Vec<String>> = tags.collect();
            super::tags::add(root, &key, &tags.context("reading tags")?)?;
            Ok(Vec::new())
        }
        (Some(TOTALS), []) => encode(&Old::with(root, |old| Ok(old.totals()))?),
        (Some(FOLD | FOLD_NOW), args) => {
            let options = fold_options(args).context("reading what to fold")?;
            encode(&fold::fold(root, &options)?.unwrap_or_default())
        }
        _ => bail!("no such operation on the store"),
    }
}

/// Looks an entry up and promotes it to the young entries, unless a fold or a removal is running:
/// the next look-up needs no helper. The fold lock is held from reading to writing, so that removed
/// entries stay removed.
fn get(root: &Root, key: &Key) -> Result<Option<Vec<u8>>> {
    if !guard::exists(root) {
        return Ok(None);
    }
    let fold = Lock::take(root, lock::FOLD, Mode::TryExclusive)?;
    let found = Old::entry(root, key);
    brought_up(root, found, fold.is_some())
}

/// Seals the entry that was found, after promoting it if `may_be`.
fn brought_up(root: &Root, found: Result<Option<Entry>>, may_be: bool) -> Result<Option<Vec<u8>>> {
    let entry = match found {
        Err(error) if error.is::<Damaged>() => None,
        found => found?,
    };
    let Some(entry) = entry else { return Ok(None) };
    if may_be && entry.is_of_use(Timestamp::now()) {
        // The answer matters most; it is given even if the promotion fails.
        let _ = promote(root, &entry);
    }
    Ok(Some(entry.seal()?))
}

/// Answers for one key after another. The database stays open while they arrive, but not so long
/// that others wait for it.
fn attend(root: &Root, output: &mut dyn Write) -> Result<()> {
    let mut next = next_key(IDLE)?;
    while let Some(first) = next.take() {
        if !guard::exists(root) {
            write_frame(output, DONE, &[])?;
            next = next_key(IDLE)?;
            continue;
        }
        let (mut key, opened) = (first, Instant::now());
        next = Old::with(root, |old| {
            loop {
                let fold = Lock::take(root, lock::FOLD, Mode::TryExclusive)?;
                let found = brought_up(root, old.get(&key), fold.is_some())?;
                drop(fold);
                write_frame(output, DONE, &found.unwrap_or_default())?;
                PULSE.beat();
                if opened.elapsed() > HELD {
                    return Ok(None);
                }
                match next_key(SOON)? {
                    Some(next) => key = next,
                    None => return Ok(None),
                }
            }
        })?;
        if next.is_none() {
            next = next_key(IDLE)?;
        }
    }
    Ok(())
}

/// Reads the next key from standard input; `None` if none arrives in time.
fn next_key(within: Duration) -> Result<Option<Key>> {
    let stdin = rustix::stdio::stdin();
    let mut key = Key([0; 32]);
    let mut read = 0;
    while read < key.0.len() {
        if fsutil::poll(&mut [PollFd::new(&stdin, PollFlags::IN)], Some(within))? == 0 {
            return Ok(None);
        }
        match fsutil::retry(|| rustix::io::read(stdin, &mut key.0[read..]))? {
            0 => return Ok(None),
            n => read += n,
        }
    }
    Ok(Some(key))
}

/// Copies an entry to the young files. Never replaces a young file, which is newer, unless that is a
/// damaged copy: nothing is recorded under an exclusive lock.
fn promote(root: &Root, entry: &Entry) -> Result<()> {
    let Some(_publish) = Lock::take(root, lock::PUBLISH, Mode::TryExclusive)? else {
        return Ok(());
    };
    let (sealed, there) = (entry.seal()?, young::sealed(root, &entry.key)?);
    if there.is_none_or(|there| young::is_damaged_copy(&entry.key, &there, &sealed)) {
        Young::new(root).put(entry)?;
        account::add(root, account::BLOCK);
    }
    Ok(())
}

fn remove(root: &Root, keys: &[[u8; 32]], output: &mut dyn Write) -> Result<u64> {
    // Removing from sled writes to disk, too.
    room::relieve_for_the_first_step(root)?;
    if guard::exists(root) && !room::is_enough_to_remove(root, keys.len())? {
        let mut alive = || {
            // The reader may be gone by now.
            let _ = write_frame(output, ALIVE, &[]);
        };
        let TakenOut { count, orphans } = in_place::take_out(root, keys, &mut alive)?;
        write_orphans(output, &orphans)?;
        return Ok(count);
    }
    let mut count = 0;
    let mut keys = keys.iter();
    while keys.len() > 0 && guard::exists(root) {
        let mut orphans = Vec::new();
        Old::with(root, |old| {
            for key in keys.by_ref().take(fold::BATCH) {
                if let Some(removed) = old.take_out(&Key(*key))? {
                    count += 1;
                    orphans.extend(removed.orphans);
                }
                if orphans.len() > fold::BATCH {
                    break;
                }
            }
            Ok(())
        })?;
        write_orphans(output, &orphans)?;
    }
    Ok(count)
}

fn write_orphans(output: &mut dyn Write, orphans: &[[u8; 32]]) -> Result<()> {
    for orphans in orphans.chunks(HASHES) {
        write_frame(output, ITEM, orphans.as_flattened())?;
    }
    Ok(())
}

/// Reports entries page by page, so that a slow reader does not block others.
fn check(root: &Root, output: &mut dyn Write) -> Result<()> {
    let mut done = 0;
    let mut span = Span::all();
    while guard::exists(root) {
        let (page, entries) =
            Old::look(root, |old| Ok((old.page(&mut span, fold::BATCH)?, old.totals().entries)))?;
        if done == 0 {
            progress::begin(Stage::CheckingEntries, entries);
        }
        let mut frames = Vec::new();
        for (key, sealed) in &page {
            // An entry cut here is still too long to be valid.
            let sealed = &sealed[..sealed.len().min(MAX_SEALED + 1)];
            write_frame(&mut frames, ITEM, &[&key.0, sealed].concat())?;
        }
        output.write_all(&frames)?;
        if page.is_empty() {
            break;
        }
        done += page.len();
        progress::advance(page.len() as u64);
    }
    Ok(())
}

/// Encodes the options of a fold as arguments.
pub fn fold_args(options: &FoldOptions) -> Vec<OsString> {
    let max_size = options.max_size.map_or("-".to_owned(), |max| max.to_string());
    let grace = options.grace.as_nanos().to_string();
    let max_entries = options.max_entries.map_or("-".to_owned(), |max| max.to_string());
    let flag = |set| OsString::from(if set { "1" } else { "0" });
    let compress = options.compress.map(|level| OsString::from(level.to_string()));
    let bounds = [max_size.into(), max_entries.into()];
    let args = bounds.into_iter().chain([grace.into(), flag(options.full), flag(options.wait)]);
    args.chain(compress).collect()
}

fn fold_options(args: &[OsString]) -> Option<FoldOptions> {
    let [max_size, max_entries, grace, full, wait, compress @ ..] = args else { return None };
    let bound = |text: &OsString| match text.to_str()? {
        "-" => Some(None),
        max => Some(Some(max.parse().ok()?)),
    };
    let (max_size, max_entries) = (bound(max_size)?, bound(max_entries)?);
    let grace = grace.to_str()?.parse::<u128>().ok()?;
    let grace = Duration::from_nanos(u64::try_from(grace).unwrap_or(u64::MAX));
    let compress = match compress {
        [] => None,
        [level] => Some(level.to_str()?.parse().ok()?),
        _ => return None,
    };
    let (full, wait) = (full == "1", wait == "1");
    Some(FoldOptions { max_size, max_entries, grace, full, wait, compress })
}

/// Ends a process that is stuck in sled. It holds the database's lock, so nobody else uses the
/// database being set aside, and it writes no frame while it is stuck.
fn give_up(root: &Root, verdict: Verdict, only_looks: bool) -> ! {
    let (tag, body) = match verdict {
        Verdict::Slow => (FAILED, b"the store of older entries takes too long".to_vec()),
        Verdict::Hung if room::is_short(root) => (FAILED, guard::FULL.into()),
        Verdict::Hung if PULSE.is_beside() => {
            (FAILED, b"the store of older entries cannot be written anew".to_vec())
        }
        Verdict::Hung if only_looks => (BROKEN, Vec::new()),
        Verdict::Hung => match guard::set_aside(root) {
            Ok(SetAside(name)) => (SET_ASIDE, name.into_bytes()),
            Err(error) => (FAILED, format!("{error:#}").into_bytes()),
        },
    };
    let mut frame = Vec::new();
    let _ = write_frame(&mut frame, tag, &body);
    // The main thread holds the lock of `std::io::stdout`.
    let _ = fsutil::write_all(rustix::stdio::stdout(), &frame);
    Exit::Status(exit::FAILURE).end()
}

#[cfg(test)]
mod tests;
