//! Locks on files (`flock`): released by the kernel when their holder dies.
//!
//! | lock | held | by |
//! |---|---|---|
//! | `locks/KEY` | while the command runs | `run --no-concurrent` |
//! | `locks/KEY.refresh` | while a command runs in the background | whoever refreshes |
//! | `locks/fold` | for a whole fold, a `forget`, a `clear`, a `doctor`, an import, a promotion | whoever changes what the store holds below the young files, or puts blobs before their entries |
//! | `locks/old` | for one short open…drop of sled | whoever opens it |
//! | `locks/publish` | shared: while a record appears; exclusive: while files are unlinked, or replaced only if they are earlier | recorders; fold, import |
//!
//! They are taken in this order, and a later one is never held while an
//! earlier one is waited for. Lock files of keys are unlinked by the fold when
//! nobody holds them, so whoever got a lock checks that its file is still the
//! one of that name.
//!
//! Who holds `locks/KEY` writes into it, for those who wait: its process id, and
//! once the command prints something a second line, the names of the two files
//! in which that can be followed (see [`crate::store::live`]). A signature may be
//! one of who is dead; the lock alone says who holds it.

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

    /// What holds the lock as long as it, or a copy of it in another process, is open.
    pub fn file(&self) -> &OwnedFd {
        &self.file
    }

    /// The lock that an open file holds.
    pub fn held_by(file: OwnedFd) -> Lock {
        Lock { file }
    }

    /// Writes down who holds the lock, for those who wait.
    pub fn sign(&self) {
        let _ = rustix::fs::ftruncate(&self.file, 0);
        let _ = self.write(&format!("{}\n", own_pid()));
    }

    /// Adds where the holder's output can be followed.
    pub fn publish(&self, files: &LiveFiles) -> rustix::io::Result<()> {
        let (data, index) = (files.data.display(), files.index.display());
        self.write(&format!("{}\n{data} {index}\n", own_pid()))
    }

    /// All at once, so that nobody reads one holder's line and another's.
    fn write(&self, text: &str) -> rustix::io::Result<()> {
        failpoint::at("write")?;
        match rustix::io::pwrite(&self.file, text.as_bytes(), 0)? {
            written if written == text.len() => Ok(()),
            _ => Err(Errno::NOSPC),
        }
    }
}

fn own_pid() -> std::num::NonZeroI32 {
    rustix::process::getpid().as_raw_nonzero()
}

/// The name of a key's lock.
pub fn of_key(key: &crate::entry::Key) -> PathBuf {
    PathBuf::from(format!("locks/{key}"))
}

/// The name of the lock of who refreshes a key's entry.
pub fn of_refresh(key: &crate::entry::Key) -> PathBuf {
    PathBuf::from(format!("locks/{key}.refresh"))
}

/// Whether a file of this name below `locks/` is one key's lock.
pub fn is_of_a_key(name: &[u8]) -> bool {
    crate::entry::Key::from_hex(name.strip_suffix(b".refresh").unwrap_or(name)).is_some()
}

/// What a holder wrote into its lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// Its process.
    pub pid: u32,
    /// Where its output can be followed.
    pub live: Option<LiveFiles>,
}

/// The names of the two files by which a run can be followed, in `tmp/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveFiles {
    /// What it prints.
    pub data: PathBuf,
    /// How much of that there is, and whose.
    pub index: PathBuf,
}

/// Longer than any signature is.
const SIGNATURE: usize = 256;

/// Who signed the lock of this name.
pub fn signature(at: BorrowedFd<'_>, name: &Path) -> Option<Signature> {
    let mut text = [0; SIGNATURE];
    let file = fsutil::open_file(at, name).ok()?;
    let len = fsutil::read_full(file, &mut text).ok()?;
    parse_signature(&text[..len])
}

/// What these bytes say, as far as they may be believed.
pub fn parse_signature(text: &[u8]) -> Option<Signature> {
    let (first, rest) = std::str::from_utf8(text).ok()?.split_once('\n')?;
    Some(Signature { pid: first.parse().ok()?, live: parse_live(rest) })
}

fn parse_live(text: &str) -> Option<LiveFiles> {
    let (data, index) = text.strip_suffix('\n')?.split_once(' ')?;
    let temporary = |name: &str| {
        let plain = |name: &&str| name.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
        name.strip_prefix("tmp/").filter(plain).map(|_| PathBuf::from(name))
    };
    Some(LiveFiles { data: temporary(data)?, index: temporary(index)? })
}

/// The process that signed the lock of this name.
pub fn holder(at: BorrowedFd<'_>, name: &Path) -> Option<u32> {
    Some(signature(at, name)?.pid)
}
