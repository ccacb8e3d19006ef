//! Guards the use of sled: locked, watched, and set aside when broken.
//!
//! On damaged files sled may fail, panic, abort or hang. Here its failures and panics set the
//! database aside, and each of its steps is reported to a [`Pulse`], so that a watchdog can do the
//! same when there is no progress. System errors, such as a full disk or a read error, are returned
//! as plain errors.
//!
//! Lock order: [`lock::OLD`] comes after the fold lock and before the publish lock.

use super::{Root, filter, rebuild, reserve, room};
use crate::lock::{self, Lock, Mode};
use anyhow::{Context, Result, bail};
use cachex_base::system::clock::Timestamp;
use cachex_base::system::fsutil;
use rustix::io::Errno;
use std::any::Any;
use std::fmt;
use std::io::{self, ErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The name of the database, relative to the root.
pub const DIR: &str = "old";
/// The prefix of the names of databases that were set aside; a timestamp follows.
pub const BROKEN: &str = "old.broken-";
/// The error of a database that failed where the file system is full, which is no damage.
pub const FULL: &str = "no space is left on the disk for the store of older entries";

/// The database was damaged and was set aside under this name. A new, empty one takes its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAside(pub String);

impl fmt::Display for SetAside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the store of older entries was damaged; it was set aside as {}", self.0)
    }
}

impl std::error::Error for SetAside {}

/// The store's folder was removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone;

impl fmt::Display for Gone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the cache folder was removed")
    }
}

impl std::error::Error for Gone {}

/// Signs of progress of the thread that runs sled, for a watchdog.
#[derive(Debug, Default)]
pub struct Pulse {
    beats: AtomicU64,
    inside: AtomicBool,
    /// True while a database is written that is not in its place yet.
    beside: AtomicBool,
}

/// The pulse of this process.
pub static PULSE: Pulse = Pulse {
    beats: AtomicU64::new(0),
    inside: AtomicBool::new(false),
    beside: AtomicBool::new(false),
};

impl Pulse {
    /// Signals progress.
    pub fn beat(&self) {
        self.beats.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns a number that changes with progress; `None` while sled is not open.
    pub fn feel(&self) -> Option<u64> {
        let is_open = self.inside.load(Ordering::Relaxed) || self.is_beside();
        is_open.then(|| self.beats.load(Ordering::Relaxed))
    }

    /// Returns whether a database is written that is not in its place yet: whatever happens is no
    /// fault of the one that is.
    pub fn is_beside(&self) -> bool {
        self.beside.load(Ordering::Relaxed)
    }

    /// Works on a database that is not in its place yet.
    pub fn beside<T>(&self, work: impl FnOnce() -> T) -> T {
        self.beat();
        self.beside.store(true, Ordering::Relaxed);
        let done = work();
        self.beside.store(false, Ordering::Relaxed);
        done
    }

    /// Marks that sled is being entered or was left.
    pub fn enter(&self, inside: bool) {
        self.beat();
        self.inside.store(inside, Ordering::Relaxed);
    }
}

/// Opens something in the database's folder, works on it and closes it, all under the database's
/// lock.
pub fn guarded<D, T>(
    root: &Root,
    open: impl FnOnce(&Path) -> Result<D>,
    work: impl FnOnce(&D) -> Result<T>,
) -> Result<T> {
    locked(root, open, work, || Ok(set_aside(root)?.into()))
}

/// Works like [`guarded`], but leaves a broken database in place and returns [`Broken`].
pub fn looked_at<D, T>(
    root: &Root,
    open: impl FnOnce(&Path) -> Result<D>,
    work: impl FnOnce(&D) -> Result<T>,
) -> Result<T> {
    locked(root, open, work, || Ok(Broken.into()))
}

fn locked<D, T>(
    root: &Root,
    open: impl FnOnce(&Path) -> Result<D>,
    work: impl FnOnce(&D) -> Result<T>,
    broken: impl FnOnce() -> Result<anyhow::Error>,
) -> Result<T> {
    let lock = Lock::wait(root, lock::OLD, Mode::Exclusive);
    // sled would recreate the folders.
    if gone(root) {
        return Err(Gone.into());
    }
    let _lock = lock.context("locking the store of older entries")?;
    if !is_in_place(root) {
        rebuild::finish_exchange(root).context("finding the store of older entries")?;
    }
    // No link in its place is followed, nor any inside it, see `open_database`.
    fsutil::subfolder(root, DIR).context("creating the store of older entries")?;
    // Without it, there is just less room.
    let _lent = reserve::lend(root);
    PULSE.enter(true);
    let done = attempt(&root.path().join(DIR), open, work);
    PULSE.enter(false);
    match done {
        Err(_) if gone(root) => Err(Gone.into()),
        // What sled makes of a write that did not fit looks like damage. If it is, that shows again.
        Err(Broken) if room::is_short(root) => bail!(FULL),
        Err(Broken) => Err(broken()?),
        Ok(done) => done,
    }
}

/// The database is damaged and cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the store of older entries is damaged")
    }
}

impl std::error::Error for Broken {}

fn attempt<D, T>(
    path: &Path,
    open: impl FnOnce(&Path) -> Result<D>,
    work: impl FnOnce(&D) -> Result<T>,
) -> Result<Result<T>, Broken> {
    let database = match caught(|| open(path)) {
        Ok(Ok(database)) => database,
        Ok(Err(error)) => return Ok(Err(error)),
        Err(fault) => return fault.ends(),
    };
    let done = match caught(|| work(&database)) {
        Ok(done) => done,
        Err(fault) => {
            // Closing it would hit the same fault, and a panic during that aborts.
            std::mem::forget(database);
            return fault.ends();
        }
    };
    match caught(|| {
        drop(database);
        Ok(())
    }) {
        Ok(_) => Ok(done),
        Err(fault) => fault.ends(),
    }
}

/// A fault after which the database must not be used, not even closed.
enum Fault {
    /// The database is damaged.
    Damage,
    /// sled panicked because of a system error.
    System(io::Error),
}

impl Fault {
    fn ends<T>(self) -> Result<Result<T>, Broken> {
        match self {
            Fault::Damage => Err(Broken),
            Fault::System(error) => Ok(Err(error).context("reading the store of older entries")),
        }
    }
}

fn caught<T>(work: impl FnOnce() -> Result<T>) -> Result<Result<T>, Fault> {
    // No state changed by the closure is used after a panic.
    match catch_unwind(AssertUnwindSafe(work)) {
        Err(panic) => Err(match named_error(panic.as_ref()) {
            Some(code) if !is_of_damage(code) => Fault::System(io::Error::from_raw_os_error(code)),
            _ => Fault::Damage,
        }),
        Ok(Err(error)) if is_broken(&error) => Err(Fault::Damage),
        Ok(done) => Ok(done),
    }
}

/// The panic message of the standard library when the system provides no random numbers.
const NOT_RANDOM: &str = "failed to generate random data";

/// Returns the code of the system error that sled panicked about, if any.
fn named_error(panic: &(dyn Any + Send)) -> Option<i32> {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied())?;
    if text.contains(NOT_RANDOM) {
        return Some(Errno::IO.raw_os_error());
    }
    named_code(text)
}

/// Returns the code of the system error that a text shows, if any.
fn named_code(text: &str) -> Option<i32> {
    let (_, code) = text.split_once("Os { code: ")?;
    code.split(',').next()?.parse().ok()
}

fn is_broken(error: &anyhow::Error) -> bool {
    use ErrorKind::{OutOfMemory, StorageFull, WouldBlock};
    match error.downcast_ref::<sled::Error>() {
        None => false,
        Some(error) if is_locked(error) => false,
        // A copy of an error, which sled gives to all who come later, has its code as text.
        Some(sled::Error::Io(error)) => {
            match error.raw_os_error().or_else(|| named_code(&error.to_string())) {
                Some(code) => is_of_damage(code),
                None => !matches!(error.kind(), OutOfMemory | StorageFull | WouldBlock),
            }
        }
        Some(_) => true,
    }
}

/// Returns whether a system error indicates damage of the database: a part is missing, or a
/// reference points outside of it. Disk failures, exceeded limits and denied calls do not; they may
/// be over next time.
fn is_of_damage(code: i32) -> bool {
    const OF_DAMAGE: [Errno; 7] = [
        Errno::NOENT,
        Errno::NOTDIR,
        Errno::ISDIR,
        Errno::INVAL,
        Errno::SPIPE,
        Errno::OVERFLOW,
        Errno::BADMSG,
    ];
    OF_DAMAGE.iter().any(|errno| errno.raw_os_error() == code)
}

/// Returns whether sled found its own lock taken, which only the message of the error tells.
pub fn is_locked(error: &sled::Error) -> bool {
    matches!(error, sled::Error::Io(error) if error.to_string().contains("could not acquire lock"))
}

/// Moves the database out of the way and removes the filter. The caller holds the database's lock.
pub fn set_aside(root: &Root) -> Result<SetAside> {
    let name = format!("{BROKEN}{}", Timestamp::now().0);
    match fsutil::rename(root, DIR, &name) {
        Ok(()) | Err(Errno::NOENT) => {}
        Err(errno) => return Err(errno).context("setting the damaged store aside"),
    }
    fsutil::remove_file(root, filter::FILE).context("removing the filter of stored keys")?;
    Ok(SetAside(name))
}

/// Returns the databases that were set aside, oldest first.
pub fn broken(root: &Root) -> Result<Vec<String>> {
    let names = fsutil::names(root, ".")?.into_iter().filter_map(|name| name.into_string().ok());
    let mut names: Vec<String> = names.filter(|name| name.starts_with(BROKEN)).collect();
    names.sort();
    Ok(names)
}

/// Returns whether there is a database, in its place or about to get there.
pub fn exists(root: &Root) -> bool {
    is_in_place(root) || matches!(fsutil::stat(root, rebuild::NEXT), Ok(Some(_)))
}

/// Returns whether there is a database in its place.
pub fn is_in_place(root: &Root) -> bool {
    !matches!(fsutil::stat(root, DIR), Ok(None))
}

/// Returns whether the store's folder was removed or replaced.
pub fn gone(root: &Root) -> bool {
    match (rustix::fs::fstat(root), rustix::fs::stat(root.path())) {
        (Ok(held), Ok(named)) => held.st_nlink == 0 || !fsutil::same_file(&held, &named),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_the_disk_is_no_damage_however_it_is_passed_on() {
        for errno in [Errno::IO, Errno::NOSPC, Errno::DQUOT, Errno::FBIG, Errno::MFILE] {
            let error = sled::Error::Io(io::Error::from_raw_os_error(errno.raw_os_error()));
            assert!(!is_broken(&error.clone().into()), "{errno}");
            assert!(!is_broken(&error.into()), "{errno}");
        }
        let missing = sled::Error::Io(io::Error::from_raw_os_error(Errno::NOENT.raw_os_error()));
        assert!(is_broken(&missing.clone().into()) && is_broken(&missing.into()));
    }
}
