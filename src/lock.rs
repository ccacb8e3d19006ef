//! Locks on files (`flock`): released by the kernel when their holder dies.
//!
//! | lock | held | by |
//! |---|---|---|
//! | `locks/KEY` | while the command runs | `run --no-concurrent` |
//! | `locks/fold` | for a whole fold, a `forget`, a `clear`, a `doctor`, a promotion | whoever changes what the store holds below the young files |
//! | `locks/old` | for one short open…drop of sled | whoever opens it |
//! | `locks/publish` | shared: while a record appears; exclusive: while files are unlinked | recorders; fold |
//!
//! They are taken in this order, and a later one is never held while an
//! earlier one is waited for. Lock files of keys are unlinked by the fold when
//! nobody holds them, so whoever got a lock checks that its file is still the
//! one of that name.

use crate::failpoint;
use crate::fsutil;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{FlockOperation, OFlags};
use rustix::io::Errno;
use std::path::{Path, PathBuf};

/// Covers a whole fold and every change that must not meet one.
pub const FOLD: &str = "locks/fold";
/// Covers an open sled database.
pub const OLD: &str = "locks/old";
/// Covers the appearance and the removal of young files and blobs.
pub const PUBLISH: &str = "locks/publish";

/// A lock that is held until this is dropped.
#[derive(Debug)]
pub struct Lock {
    file: OwnedFd,
}

/// How a lock is shared, and whether one waits for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Alone; waits.
    Exclusive,
    /// With others who share; waits.
    Shared,
    /// Alone; gives up at once.
    TryExclusive,
}

impl Lock {
    /// Takes the lock of this name. None: somebody holds it and `mode` does not wait.
    pub fn take(
        at: impl AsFd,
        name: impl AsRef<Path>,
        mode: Mode,
    ) -> rustix::io::Result<Option<Lock>> {
        let operation = match mode {
            Mode::Exclusive => FlockOperation::LockExclusive,
            Mode::Shared => FlockOperation::LockShared,
            Mode::TryExclusive => FlockOperation::NonBlockingLockExclusive,
        };
        loop {
            let file = fsutil::create_file(&at, &name, OFlags::RDWR)?;
            failpoint::at("flock")?;
            match fsutil::retry(|| rustix::fs::flock(&file, operation)) {
                Ok(()) => {}
                Err(Errno::WOULDBLOCK) => return Ok(None),
                Err(errno) => return Err(errno),
            }
            let named = fsutil::stat(&at, &name)?;
            if named.is_some_and(|named| {
                rustix::fs::fstat(&file).is_ok_and(|held| fsutil::same_file(&named, &held))
            }) {
                return Ok(Some(Lock { file }));
            }
        }
    }

    /// Takes the lock of this name, waiting for it.
    pub fn wait(at: impl AsFd, name: impl AsRef<Path>, mode: Mode) -> rustix::io::Result<Lock> {
        Lock::take(at, name, mode)?.ok_or(Errno::WOULDBLOCK)
    }

    /// Writes down who holds the lock, for those who wait.
    pub fn sign(&self) {
        let pid = format!("{}\n", rustix::process::getpid().as_raw_nonzero());
        let _ = rustix::fs::ftruncate(&self.file, 0);
        let _ = rustix::io::pwrite(&self.file, pid.as_bytes(), 0);
    }
}

/// The name of a key's lock.
pub fn of_key(key: &crate::entry::Key) -> PathBuf {
    PathBuf::from(format!("locks/{key}"))
}

/// The process that signed the lock of this name.
pub fn holder(at: BorrowedFd<'_>, name: &Path) -> Option<u32> {
    let mut text = [0; 16];
    let file = fsutil::open_file(at, name).ok()?;
    let len = fsutil::read_full(file, &mut text).ok()?;
    parse_holder(&text[..len])
}

/// The process that this signature names.
pub fn parse_holder(text: &[u8]) -> Option<u32> {
    std::str::from_utf8(text).ok()?.trim().parse().ok()
}
