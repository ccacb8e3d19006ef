//! Commands that wait for each other in a circle.
//!
//! `a` calls `b` and `b` calls `a`. If both are started at once, each holds the lock on
//! its own key, and what it calls waits for the other's: for ever. The kernel does not
//! see that, because it is not the holder that waits but a descendant of its. So whoever
//! waits for longer than a moment writes down for which lock, and whom it descends from,
//! in a file in `tmp/` that it holds a lock on, by which one can tell that it lives.
//!
//! From there the circle can be walked: from the lock that one waits for to its holder,
//! to those who wait on that holder's behalf, to the locks they wait for, and so on. If
//! that leads to a holder on whose behalf one waits oneself, nobody in the circle goes on
//! by itself. Then one of them runs its command without the cache. All see the same
//! files, so they agree on who that is: the one whose file has the least name. Should
//! that one not do it, each of the others does it a moment later.
//!
//! What such a circle prints would go round in it, each showing what the other shows. So
//! one who runs on behalf of another call shows nothing before its file is there and it has
//! looked: the last to do so sees the circle, and that is one too few for it to close.
//!
//! Files may come and go while they are read. What is missed is seen at the next look;
//! a circle that is seen and is none costs a run without the cache, and nothing else.

use cachex_base::process::lineage::Lineage;
use cachex_base::system::clock::Timestamp;
use cachex_base::system::fsutil;
use cachex_store::Root;
use cachex_store::blobs::Temporary;
use cachex_store::lock;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::FlockOperation;
use rustix::io::Errno;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How the names of these files begin, in `tmp/`.
const PREFIX: &str = "wait-";
/// No file is longer.
const LONGEST: usize = 64 * 1024;
/// How long one who waits does without a file: most are done by then.
const MOMENT: Duration = Duration::from_millis(100);
/// How often one looks for a circle,
const EVERY: Duration = Duration::from_millis(500);
/// and how much less often for each one who waits: a look costs as much.
const EVERY_FOR_EACH: Duration = Duration::from_millis(20);
/// How old a file is that nobody holds a lock on because its writer died.
const LEFT: Duration = Duration::from_secs(10);
/// How long one leaves it to somebody else to break a circle.
const LEFT_TO_OTHERS: Duration = Duration::from_secs(1);

/// That this process waits for a lock, for others to see.
pub struct Waiter<'r> {
    root: &'r Root,
    /// None as long as it is not worth it, or cannot be written.
    file: Option<File<'r>>,
    next_look: Instant,
    seen: Option<Instant>,
}

/// The file that says so, and which lock it names.
struct File<'r> {
    name: Temporary<'r>,
    /// Holds the lock on it.
    _open: OwnedFd,
    of: PathBuf,
}

/// Another who waits, as its file says.
struct Other {
    name: OsString,
    lock: PathBuf,
    lineage: Lineage,
}

impl<'r> Waiter<'r> {
    /// One who begins to wait.
    pub fn new(root: &'r Root) -> Waiter<'r> {
        Waiter { root, file: None, next_look: Instant::now() + MOMENT, seen: None }
    }

    /// Whether nobody but this process can break a circle in which it waits for the lock
    /// of this name. To be called now and then; mostly it does nothing.
    pub fn is_to_break_a_circle(&mut self, name: &Path, own: &Lineage) -> bool {
        let now = Instant::now();
        if now < self.next_look {
            return false;
        }
        let Some(is_first) = self.sees_a_circle(name, own) else {
            self.seen = None;
            return false;
        };
        // Those who do not see it yet would not agree.
        let since = *self.seen.get_or_insert(now);
        self.next_look = now + LEFT_TO_OTHERS / 5;
        is_first || now.duration_since(since) >= LEFT_TO_OTHERS
    }

    /// Whether this process waits for that lock in a circle, and if so, whether it is the
    /// one to break it.
    fn sees_a_circle(&mut self, name: &Path, own: &Lineage) -> Option<bool> {
        let now = Instant::now();
        self.next_look = now + EVERY;
        let is_of_this = |file: &File<'_>| file.of == name;
        if !self.file.as_ref().is_some_and(is_of_this) {
            self.file = None;
            self.file = write_down(self.root, name, own).ok();
        }
        let own_name = self.file.as_ref()?.name.name()?.file_name()?.to_owned();
        let others = others(self.root, &own_name);
        let count = u32::try_from(others.len()).unwrap_or(u32::MAX);
        self.next_look = now + EVERY.max(EVERY_FOR_EACH.saturating_mul(count));
        let mut walk = Walk { root: self.root, own, others: &others, been: Vec::new() };
        let members = walk.back_from(name)?;
        Some(members.iter().all(|member| own_name.as_os_str() < *member))
    }

    /// Whether what the holder of this lock prints may be shown: that does not go round in
    /// a circle. It is looked at once, in any case.
    pub fn may_show(&mut self, name: &Path, own: &Lineage) -> bool {
        !own.is_nested() || self.sees_a_circle(name, own).is_none()
    }
}

/// A walk from lock to lock.
struct Walk<'a> {
    root: &'a Root,
    own: &'a Lineage,
    others: &'a [Other],
    been: Vec<PathBuf>,
}

impl<'a> Walk<'a> {
    /// The names of those through whom the holder of this lock waits for a holder on
    /// whose behalf this process runs; none if it does not.
    fn back_from(&mut self, name: &Path) -> Option<Vec<&'a OsStr>> {
        if self.been.iter().any(|been| been == name) {
            return None;
        }
        self.been.push(name.to_owned());
        let signature = lock::signature(self.root.as_fd(), name)?;
        if signature.end.is_some() {
            return None;
        }
        if self.own.descends_from(&signature.holder) {
            return Some(Vec::new());
        }
        let others = self.others;
        let waits_for_it = |other: &&Other| other.lineage.descends_from(&signature.holder);
        others.iter().filter(waits_for_it).find_map(|other| {
            let mut members = self.back_from(&other.lock)?;
            members.push(&other.name);
            Some(members)
        })
    }
}

fn write_down<'r>(root: &'r Root, name: &Path, own: &Lineage) -> rustix::io::Result<File<'r>> {
    let (temporary, file) = Temporary::create_with(root, PREFIX)?;
    // Nobody looks at a file before it is locked.
    rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive)?;
    let text = format!("{}\n{own}", name.display());
    fsutil::write_file(&file, text.as_bytes())?;
    Ok(File { name: temporary, _open: file, of: name.to_owned() })
}

/// All who wait, but for the one whose file this is.
fn others(root: &Root, own: &OsStr) -> Vec<Other> {
    let names = fsutil::names(root, "tmp").unwrap_or_default();
    let is_other = |name: &OsString| name != own && name.as_bytes().starts_with(PREFIX.as_bytes());
    names.into_iter().filter(is_other).filter_map(|name| read(root, name)).collect()
}

/// One who waits; none if it does not any more.
fn read(root: &Root, name: OsString) -> Option<Other> {
    let file = fsutil::open_file(root, Path::new("tmp").join(&name)).ok()?;
    let shared = rustix::fs::flock(&file, FlockOperation::NonBlockingLockShared);
    if shared != Err(Errno::WOULDBLOCK) {
        if shared.is_ok() && is_left(&file) {
            let _ = fsutil::remove_file(root, Path::new("tmp").join(&name));
        }
        return None;
    }
    let mut text = vec![0; LONGEST];
    let len = fsutil::read_full(&file, &mut text).ok()?;
    let (lock, lineage) = std::str::from_utf8(&text[..len]).ok()?.split_once('\n')?;
    Some(Other { name, lock: PathBuf::from(lock), lineage: Lineage::parse(lineage)? })
}

/// Whether its writer had the time to take a lock on a file, and so must have died.
fn is_left(file: &OwnedFd) -> bool {
    let written = |stat: rustix::fs::Stat| {
        Timestamp(u64::try_from(stat.st_mtime).unwrap_or(0).saturating_mul(1_000_000_000))
    };
    let age = rustix::fs::fstat(file).ok().and_then(|stat| Timestamp::now().since(written(stat)));
    age.is_some_and(|age| age > LEFT)
}
