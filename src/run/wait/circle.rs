//! Commands that wait for each other in a circle.
//!
//! `a` calls `b` and `b` calls `a`. If both are started at once, each holds the lock on its own
//! key, and its child waits for the other's lock: for ever. The kernel does not see that, because a
//! descendant of the holder waits, not the holder. So a process that waits longer than a moment
//! writes the lock's name and its own ancestors to a file in `tmp/`, and holds a lock on it that
//! shows that it is alive.
//!
//! From these files the circle can be walked: from a lock to its holder, to those that wait on the
//! holder's behalf, to the locks they wait for, and so on. If that leads to a holder on whose
//! behalf this process waits, nothing in the circle goes on by itself. Then one of them runs its
//! command without the cache. All see the same files, so they agree on which: the one whose file
//! has the least name. If that one does not do it, each of the others does a moment later.
//!
//! Output would go round in such a circle, each process showing what the other shows. So a process
//! that runs on behalf of another call shows nothing before it has written its file and looked: the
//! last to do so sees the circle and does not close it.
//!
//! Files may come and go while they are read. A missed one is seen at the next look. A circle seen
//! by mistake only costs a run without the cache.

use cachex_base::process::lineage::Lineage;
use cachex_base::system::clock::Timestamp;
use cachex_base::system::fsutil;
use cachex_store::Root;
use cachex_store::lock;
use cachex_store::temporary::{self, Temporary};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::FlockOperation;
use rustix::io::Errno;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The prefix of the names of these files in `tmp/`.
const PREFIX: &str = "wait-";
/// The maximum length of a file.
const LONGEST: usize = 64 * 1024;
/// The time after which a waiting process writes a file: most are done by then.
const MOMENT: Duration = Duration::from_millis(100);
/// The interval between looks for a circle,
const EVERY: Duration = Duration::from_millis(500);
/// or this for each waiting process, if longer, since a look costs as much.
const EVERY_FOR_EACH: Duration = Duration::from_millis(20);
/// The age at which an unlocked file is known to belong to a dead process.
const LEFT: Duration = Duration::from_secs(10);
/// The time that others have to break a circle.
const LEFT_TO_OTHERS: Duration = Duration::from_secs(1);

/// A waiting process, made visible to others.
pub struct Waiter<'r> {
    root: &'r Root,
    /// The process's file; none while it is not worth it, or cannot be written.
    file: Option<File<'r>>,
    next_look: Instant,
    /// How many others waited when that was last looked at.
    others: u32,
    seen: Option<Instant>,
}

/// The file of a waiting process, and the lock that it names.
struct File<'r> {
    name: Temporary<'r>,
    /// Keeps the file locked.
    _open: OwnedFd,
    of: PathBuf,
}

/// Another waiting process, as described by its file.
struct Other {
    name: OsString,
    lock: PathBuf,
    lineage: Lineage,
}

impl<'r> Waiter<'r> {
    /// Begins a wait.
    pub fn new(root: &'r Root) -> Waiter<'r> {
        Waiter { root, file: None, next_look: Instant::now() + MOMENT, others: 0, seen: None }
    }

    /// Returns whether only this process can break a circle in which it waits for this lock. Call
    /// it now and then; mostly it does nothing.
    pub fn is_to_break_a_circle(&mut self, name: &Path, own: &Lineage) -> bool {
        let now = Instant::now();
        if now < self.next_look {
            return false;
        }
        let sees_it = self.sees_a_circle(name, own);
        self.next_look = now + EVERY.max(EVERY_FOR_EACH.saturating_mul(self.others));
        let Some(is_first) = sees_it else {
            self.seen = None;
            return false;
        };
        // Processes that do not see the circle yet would not agree.
        let since = *self.seen.get_or_insert(now);
        self.next_look = now + LEFT_TO_OTHERS / 5;
        is_first || now.duration_since(since) >= LEFT_TO_OTHERS
    }

    /// Returns whether this process is the one to break a circle in which it waits for this lock;
    /// none if there is no circle. Whoever asks for another reason does not put off that look.
    fn sees_a_circle(&mut self, name: &Path, own: &Lineage) -> Option<bool> {
        let is_of_this = |file: &File<'_>| file.of == name;
        if !self.file.as_ref().is_some_and(is_of_this) {
            self.file = None;
            self.file = write_down(self.root, name, own).ok();
        }
        let own_name = self.file.as_ref()?.name.name()?.file_name()?.to_owned();
        let others = others(self.root, &own_name);
        self.others = u32::try_from(others.len()).unwrap_or(u32::MAX);
        let mut walk = Walk { root: self.root, own, others: &others, been: Vec::new() };
        let members = walk.back_from(name)?;
        Some(members.iter().all(|member| own_name.as_os_str() < *member))
    }

    /// Returns whether the holder's output may be shown, because it does not go round in a circle.
    /// Looks at once, in any case.
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
    /// Returns the names of those through whom the holder of this lock waits for a holder on whose
    /// behalf this process runs; none if it does not.
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
    // Others ignore a file that is not locked, as where that is impossible, or not written yet.
    let text = format!("{}\n{own}", name.display());
    fsutil::write_file(&file, text.as_bytes())?;
    Ok(File { name: temporary, _open: file, of: name.to_owned() })
}

/// Returns all waiting processes except the owner of this file.
fn others(root: &Root, own: &OsStr) -> Vec<Other> {
    let names = fsutil::names(root, temporary::FOLDER).unwrap_or_default();
    let is_other = |name: &OsString| name != own && name.as_bytes().starts_with(PREFIX.as_bytes());
    names.into_iter().filter(is_other).filter_map(|name| read(root, name)).collect()
}

/// Returns a waiting process; none if it no longer waits.
fn read(root: &Root, name: OsString) -> Option<Other> {
    let file = fsutil::open_file(root, Path::new(temporary::FOLDER).join(&name)).ok()?;
    let shared = rustix::fs::flock(&file, FlockOperation::NonBlockingLockShared);
    if shared != Err(Errno::WOULDBLOCK) {
        if shared.is_ok() && is_left(&file) {
            let _ = fsutil::remove_file(root, Path::new(temporary::FOLDER).join(&name));
        }
        return None;
    }
    let mut text = vec![0; LONGEST];
    let len = fsutil::read_full(&file, &mut text).ok()?;
    let (lock, lineage) = std::str::from_utf8(&text[..len]).ok()?.split_once('\n')?;
    Some(Other { name, lock: PathBuf::from(lock), lineage: Lineage::parse(lineage)? })
}

/// Returns whether a file is so old that its writer should have locked it, and so must have died.
fn is_left(file: &OwnedFd) -> bool {
    let written = |stat: rustix::fs::Stat| {
        Timestamp(u64::try_from(stat.st_mtime).unwrap_or(0).saturating_mul(1_000_000_000))
    };
    let age = rustix::fs::fstat(file).ok().and_then(|stat| Timestamp::now().since(written(stat)));
    age.is_some_and(|age| age > LEFT)
}
