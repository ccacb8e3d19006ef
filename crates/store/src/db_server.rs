//! What a helper process does: the only place where sled runs, see [`super::db_client`].
//!
//! It prints nothing but frames, reads no `CACHEX_*` variable, and works from
//! within the store's folder, by a relative path, so that a folder that is
//! removed meanwhile is not created anew. A panic is silent. A watchdog ends a
//! helper that makes no progress in sled, and sets the database aside if that is its
//! doing and not the disk's, see `watch`.
//!
//! But for what is done in the background, a fold say, it ends with who started it, wherever it is
//! then: it would hold the locks for nobody, and may be killed anywhere.

mod quick;
mod reports;
mod watch;

use super::db_client::{BROKEN, SET_ASIDE};
use super::fold::{self, FoldOptions};
use super::guard::{self, Broken, PULSE, SetAside};
use super::metadata::EntryMetadata;
use super::old::Old;
use super::walk::Span;
use super::young::{self, Young};
use super::{Root, account, room, stats, tidy};
use crate::lock::{self, Lock, Mode};
use anyhow::{Context, Result, bail};
use cachex_base::process::detached;
use cachex_base::process::exit::{self, Exit};
use cachex_base::process::ipc::{self, DONE, FAILED, ITEM, encode, write_frame};
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

/// `get ROOT KEY`: the sealed entry, or nothing.
pub const GET: &str = "get";
/// `attend ROOT`: the same for each key that comes on standard input, in a frame tagged
/// [`DONE`] each, until none comes for a while.
pub const ATTEND: &str = "attend";
/// `find ROOT`: the entries of the keys on standard input, as items, in the order
/// in which they are asked for; nothing is brought up.
pub const FIND: &str = "find";
/// `remove ROOT`: the keys on standard input are dropped; their number. Items are
/// the hashes of the blobs that nothing needs any more, many in each.
pub const REMOVE: &str = "remove";
/// `tidy ROOT REMOVED`: what so many removed entries left behind goes, among it
/// the blobs on standard input; the sums.
pub const TIDY: &str = "tidy";
/// `check ROOT`: every key and what is kept of it, damaged or not, as items;
/// nothing is mended or set aside.
pub const CHECK: &str = "check";
/// `query ROOT`: the entries that the [`Query`](super::query::Query) on standard
/// input asks for, as items; how many match.
pub const QUERY: &str = "query";
/// `stats ROOT DAY`: what was counted from that day on, as items.
pub const STATS: &str = "stats";
/// `reset-stats ROOT`: counts from nothing again.
pub const RESET_STATS: &str = "reset-stats";
/// `totals ROOT`: the sums.
pub const TOTALS: &str = "totals";
/// `fold ROOT OPTIONS`: in the background.
pub const FOLD: &str = "fold";
/// `fold-now ROOT OPTIONS`: in the foreground; the report.
pub const FOLD_NOW: &str = "fold-now";
/// `tag ROOT KEY TAG…`: in the background.
pub const TAG: &str = "tag";

/// A look-up that computes or waits for its own threads for longer, without a step
/// forward, has met a database that hangs it.
const GET_STUCK: Duration = Duration::from_secs(4);
/// The same for whoever works through the whole of it.
const STUCK: Duration = Duration::from_secs(20);
/// A disk that takes longer from one step to the next is too slow for any of this.
const TOO_SLOW: Duration = Duration::from_mins(5);
/// A background fold leaves the machine to others.
const NICE: i32 = 19;

/// How long the database is kept open for a question that may come,
const SOON: Duration = Duration::from_millis(20);
/// and how long at the most for those that do.
const HELD: Duration = Duration::from_millis(250);
/// How long a helper that nobody asks anything stays.
const IDLE: Duration = Duration::from_secs(10);

/// How many hashes are told at once.
const HASHES: usize = 1000;

/// An entry and what is known of it.
#[derive(Debug, Serialize, Deserialize)]
pub struct Item {
    /// What is known of it.
    pub facts: EntryMetadata,
    /// Its sealed form.
    #[serde(with = "serde_bytes")]
    pub sealed: Vec<u8>,
}

/// Runs a helper: `args` are those after [`super::db_client::VERB`].
pub fn serve(args: &[OsString]) -> Exit {
    ipc::begin();
    // sled is not as careful with what it creates.
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
    let [op, path, rest @ ..] = args else { return Exit::Status(exit::USAGE) };
    if op == FOLD || op == TAG {
        detached::settle(NICE, &[]);
    } else {
        ipc::end_with_the_asker();
        progress::listen(ipc::tell);
        quick::yields_to_itself();
        if op == GET || op == ATTEND {
            quick::waits_for_no_disk();
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
    // Nobody may be left to read the answer.
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

/// Says what failed, and who knows more where something else is in the place of a file.
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

/// Opens the store from within, so that one that is removed meanwhile is not made anew.
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

/// Looks an entry up and, if nobody folds or forgets, brings it up among the
/// young: the next look-up needs no helper. The fold lock is held from the
/// reading to the writing, so that what is forgotten stays so.
fn get(root: &Root, key: &Key) -> Result<Option<Vec<u8>>> {
    if !guard::exists(root) {
        return Ok(None);
    }
    let fold = Lock::take(root, lock::FOLD, Mode::TryExclusive)?;
    let found = Old::entry(root, key);
    brought_up(root, found, fold.is_some())
}

/// What was found, once it is among the young if it may be.
fn brought_up(root: &Root, found: Result<Option<Entry>>, may_be: bool) -> Result<Option<Vec<u8>>> {
    let entry = match found {
        Err(error) if error.is::<Damaged>() => None,
        found => found?,
    };
    let Some(entry) = entry else { return Ok(None) };
    if may_be && entry.is_of_use(Timestamp::now()) {
        // To answer is what matters; a look-up that cannot bring it up still does.
        let _ = promote(root, &entry);
    }
    Ok(Some(entry.seal()?))
}

/// Answers for one key after the other. The database stays open while they come, and not
/// for so long that others wait for it.
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

/// The next key on standard input; none if there is none within so long.
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

/// Never takes the place of a young file, which is newer: nothing is recorded
/// under a lock that is held alone.
fn promote(root: &Root, entry: &Entry) -> Result<()> {
    if let Some(_publish) = Lock::take(root, lock::PUBLISH, Mode::TryExclusive)?
        && fsutil::stat(root, young::path(&entry.key))?.is_none()
    {
        Young::new(root).put(entry)?;
        // What cannot be taken down now a survey puts right.
        let _ = account::update(root, |account| {
            account.taken = account.taken.saturating_add(account::BLOCK);
        });
    }
    Ok(())
}

fn remove(root: &Root, keys: &[[u8; 32]], output: &mut dyn Write) -> Result<u64> {
    let mut count = 0;
    let mut keys = keys.iter();
    // To take something out of sled is to write, too.
    room::relieve(root)?;
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
        for orphans in orphans.chunks(HASHES) {
            write_frame(output, ITEM, orphans.as_flattened())?;
        }
    }
    Ok(count)
}

/// Page by page, so that no reader waits for whoever reads this.
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
            // What is cut here is too long to pass for an entry all the same.
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

/// The arguments that say what to fold.
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

/// Ends a process that is stuck in sled. It holds the database's lock, so that nobody
/// else uses what is set aside, and writes no frame while it is in there.
fn give_up(root: &Root, verdict: Verdict, only_looks: bool) -> ! {
    let (tag, body) = match verdict {
        Verdict::Slow => (FAILED, b"the store of older entries takes too long".to_vec()),
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
