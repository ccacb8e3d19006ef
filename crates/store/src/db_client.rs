//! Access to the old store through a helper: sled runs only in a process that can be given up.
//!
//! [`DbClient`] starts this very executable with hidden arguments and reads frames from its
//! standard output under a time limit. It treats a helper that is late or dies as an error, which
//! to a look-up is a miss. The other side is [`super::db_server`].
//!
//! Besides the frames that every helper knows ([`cachex_base::process::ipc`]), an answer may end
//! with a frame tagged [`SET_ASIDE`] or [`BROKEN`].

mod attend;
mod reports;

pub use attend::Attendant;

use super::fold::{Bounds, FoldOptions, FoldReport};
use super::guard::{self, SetAside};
use super::metadata::Totals;
use super::{Root, db_server, filter, room};
use crate::lock::{self, HeldBy, Lock, Mode};
use anyhow::{Context, Result, anyhow, bail};
use cachex_base::process::detached;
use cachex_base::process::exit::Exit;
use cachex_base::process::ipc::{self, ALIVE, DONE, Helper, ITEM, Late, PROGRESS};
use cachex_base::record::entry::{Entry, Key};
use cachex_base::system::fsutil;
use cachex_base::system::null;
use cachex_base::system::progress;
use rustix::process::Signal;
use std::collections::HashSet;
use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The hidden verb of a helper.
pub const VERB: &str = "__store";
/// The tag of a frame that says that the database was set aside. The bytes are its new name.
pub const SET_ASIDE: u8 = b'B';
/// The tag of a frame that says for whom the helper waits, in words.
pub const WAITS: u8 = b'W';
/// The tag of a frame that says that the database is damaged, and was left in place.
pub const BROKEN: u8 = b'X';

/// The maximum time that a look-up waits for a result that only saves a rerun.
const GET: Duration = Duration::from_secs(5);
/// The maximum time between two signs of progress for other answers.
const STEP: Duration = Duration::from_mins(1);

/// The settings of the C library's allocator in a helper. sled allocates tables of 6 MB and
/// hardly touches them, so they are mapped anew each time instead of being cleared. Its ten
/// threads, in a process of a few milliseconds, make do with one arena.
const MALLOC: (&str, &str) =
    ("GLIBC_TUNABLES", "glibc.malloc.mmap_threshold=131072:glibc.malloc.arena_max=1");

/// The signals by which a process dies of what it read.
const CRASHES: [Signal; 4] = [Signal::ABORT, Signal::BUS, Signal::SEGV, Signal::ILL];

/// Whether this process has waited long for another one that has the database.
static WAITED: AtomicBool = AtomicBool::new(false);

/// Runs a helper. `args` are the arguments after [`VERB`].
pub fn serve(args: &[OsString]) -> Exit {
    db_server::serve(args)
}

/// Starts a fold in the background, which outlives this process, and returns at once. `path` is
/// the [`Root::path`] of the store.
pub fn start_fold(path: &Path, bounds: &Bounds) -> Result<()> {
    let options = bounds.as_options();
    let mut command = command(path, db_server::FOLD, &db_server::fold_args(&options))?;
    command.stdin(null::input()?).stdout(null::output()?);
    detached::start(&mut command).context("starting a fold of the store")?;
    Ok(())
}

/// Adds tags to the result of a key in the background, and returns at once.
pub fn start_tagging(path: &Path, key: &Key, tags: &[String]) -> Result<()> {
    let args: Vec<OsString> =
        std::iter::once(key.to_string()).chain(tags.iter().cloned()).map(OsString::from).collect();
    let mut command = command(path, db_server::TAG, &args)?;
    command.stdin(null::input()?).stdout(null::output()?);
    detached::start(&mut command).context("starting a process for it")?;
    Ok(())
}

/// The old store, accessed through a helper process.
pub struct DbClient<'a> {
    root: &'a Root,
}

impl<'a> DbClient<'a> {
    /// Returns a client for the old store of `root`.
    pub fn new(root: &'a Root) -> DbClient<'a> {
        DbClient { root }
    }

    /// Folds and checks everything, but drops nothing that is whole, regardless of age and size.
    /// The caller holds no lock.
    pub fn mend(&self) -> Result<FoldReport> {
        let grace = Duration::MAX;
        self.fold_with(&FoldOptions { grace, full: true, wait: true, ..FoldOptions::default() })
    }

    /// Moves young entries into the old store, after any fold that is under way, and drops
    /// nothing that is whole. The caller holds no lock.
    pub fn take_in(&self) -> Result<FoldReport> {
        let grace = Duration::MAX;
        self.fold_with(&FoldOptions { grace, wait: true, ..FoldOptions::default() })
    }

    fn fold_with(&self, options: &FoldOptions) -> Result<FoldReport> {
        // A fold has a watchdog of its own, and may wait for another fold.
        let args = db_server::fold_args(options);
        let report = self.ask(db_server::FOLD_NOW, &args, None, None, &mut |_| Ok(()))?;
        ipc::decode(&report).context("reading what a fold reported")
    }

    /// Removes entries, and returns how many there were. Adds the blobs that are no longer
    /// referenced to `orphans`. The caller holds the fold lock, so that no look-up brings an
    /// entry back.
    pub fn remove_all(&self, keys: &[Key], orphans: &mut HashSet<[u8; 32]>) -> Result<u64> {
        let input = self.that_may_be_held(keys);
        if input.is_empty() {
            return Ok(0);
        }
        room::relieve_for_the_first_step(self.root)?;
        let mut told = |hashes: &[u8]| {
            orphans.extend(hashes.as_chunks().0);
            Ok(())
        };
        let count = self.ask(db_server::REMOVE, &[], Some(&input), Some(STEP), &mut told)?;
        ipc::decode(&count).context("reading how many entries were removed")
    }

    /// Returns those of the keys that the database may hold, concatenated.
    fn that_may_be_held(&self, keys: &[Key]) -> Vec<u8> {
        if !guard::exists(self.root) {
            return Vec::new();
        }
        // Read the whole filter, since its checksum says whether to trust it: an entry that a
        // damaged filter hides would come back when the filter is repaired.
        let held = filter::contents(self.root);
        let may_hold =
            |key: &&Key| held.as_ref().is_none_or(|held| held.binary_search(&key.prefix()).is_ok());
        keys.iter().filter(may_hold).flat_map(|key| key.0).collect()
    }

    /// Frees what `removed` deleted entries left behind, of which `blobs` are the blobs they
    /// referenced. Returns the totals of what is left. The caller holds the fold lock.
    pub fn tidy(&self, blobs: &[[u8; 32]], removed: u64) -> Result<Totals> {
        let args = [OsString::from(removed.to_string())];
        let input = blobs.concat();
        let totals = self.ask(db_server::TIDY, &args, Some(&input), None, &mut |_| Ok(()))?;
        ipc::decode(&totals).context("reading the sums of the store")
    }

    /// Passes every key and its stored entry, not verified, to `visit`. A broken database stays
    /// in place, and the error is [`guard::Broken`].
    pub fn check(&self, visit: &mut dyn FnMut(Key, &[u8]) -> Result<()>) -> Result<()> {
        if !guard::exists(self.root) {
            return Ok(());
        }
        self.ask(db_server::CHECK, &[], None, Some(STEP), &mut |item| {
            let (key, sealed) = item.split_first_chunk().context("reading an entry")?;
            visit(Key(*key), sealed)
        })?;
        Ok(())
    }

    /// Starts a helper, passes its items to `visit` and returns its result. `step` limits the
    /// time between two signs of progress.
    fn ask(
        &self,
        op: &str,
        args: &[OsString],
        input: Option<&[u8]>,
        step: Option<Duration>,
        visit: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<Vec<u8>> {
        // It was waited for long enough, and goes on only when somebody has it go on.
        if WAITED.load(Ordering::Relaxed)
            && let holder = HeldBy::of(self.root, lock::OLD)
            && holder.is_stopped()
        {
            return Err(holder.into());
        }
        let database = self.database()?;
        let mut command = command(self.root.path(), op, args)?;
        command.stdin(match input {
            Some(input) => Stdio::from(self.root.unnamed_file(input)?),
            None => null::input().context("opening an empty question")?.into(),
        });
        let mut helper = Helper::start(&mut command)?;
        loop {
            let frame = helper.frame(step).map_err(|error| {
                if error.is::<Late>() {
                    anyhow!("the store of older entries did not answer in time")
                } else {
                    error.context("asking the store of older entries")
                }
            });
            let Some((tag, body)) = frame? else { break };
            match tag {
                ITEM => visit(&body)?,
                ALIVE => {}
                WAITS => {
                    WAITED.store(true, Ordering::Relaxed);
                    lock::tell(&String::from_utf8_lossy(&body));
                }
                PROGRESS => {
                    progress::set(ipc::decode(&body).context("reading how far a helper is")?);
                }
                DONE => return Ok(body),
                SET_ASIDE => {
                    return Err(SetAside(String::from_utf8_lossy(&body).into_owned()).into());
                }
                BROKEN => return Err(guard::Broken.into()),
                _ => bail!("the store of older entries: {}", String::from_utf8_lossy(&body)),
            }
        }
        // The helper closed its output by dying. If it crashed, the next one would die of the
        // same database again.
        let status = helper.end()?;
        let crashed = CRASHES.iter().any(|crash| status.signal() == Some(crash.as_raw()));
        if crashed && !room::is_short(self.root) {
            if op == db_server::CHECK {
                return Err(guard::Broken.into());
            }
            let _old = Lock::wait(self.root, lock::OLD, Mode::Exclusive)?;
            // Another process may have set it aside already, and begun a new one.
            if self.database()?.zip(database).is_some_and(|(a, b)| fsutil::same_file(&a, &b)) {
                return Err(guard::set_aside(self.root)?.into());
            }
        }
        Err(anyhow!("a helper process of the store ended without an answer ({status})"))
    }

    fn database(&self) -> rustix::io::Result<Option<rustix::fs::Stat>> {
        fsutil::stat(self.root, guard::DIR)
    }
}

impl DbClient<'_> {
    /// Returns the entry of a key. Starts no process if the filter rules the key out.
    pub fn get(&self, key: &Key) -> Result<Option<Entry>> {
        if !filter::may_hold(self.root, key) {
            return Ok(None);
        }
        let args = [OsString::from(key.to_string())];
        let sealed = self.ask(db_server::GET, &args, None, Some(GET), &mut |_| Ok(()))?;
        if sealed.is_empty() {
            return Ok(None);
        }
        Ok(Some(Entry::open(key, &sealed)?))
    }
}

fn command(path: &Path, op: &str, args: &[OsString]) -> Result<Command> {
    let outer = path.parent().filter(|path| !path.as_os_str().is_empty());
    let mut command = ipc::helper(VERB)?;
    command.arg(op).arg(outer.unwrap_or(Path::new("."))).args(args);
    command.env(MALLOC.0, MALLOC.1);
    command.stderr(null::output()?);
    Ok(command)
}
