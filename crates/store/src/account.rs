//! An account of the store's disk usage. Recorders read and update it without scanning the store.
//!
//! ```text
//! magic and version (4) | checksum of the rest (4) | taken (8) | database (8) | written (8)
//! ```
//!
//! All numbers are little-endian. An update is one short critical section under a lock on the file
//! itself, and nobody waits for it long: a process that is stopped inside it costs others a record.
//! Bytes enter the account before they are written to disk. A killed process leaves the account too
//! high by what it had claimed, or too low by what it had removed; the next survey corrects that.

use super::{Root, guard};
use crate::lock::{self, HeldBy, Locked};
use cachex_base::system::failpoint;
use cachex_base::system::fsutil;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, FileType, FlockOperation, OFlags, Stat};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

/// Its name below the root.
pub const FILE: &str = "account";
const MAGIC: [u8; 4] = [0xce, b'k', b'a', 1];
const LEN: usize = 32;
/// The number of attempts to take the lock, and the pause between them.
const ATTEMPTS: (u32, Duration) = (250, Duration::from_millis(1));
/// The block size: files take multiples of it.
pub const BLOCK: u64 = 4096;
/// The unit in which `stat` counts blocks.
const SECTOR: u64 = 512;
/// The maximum nesting depth of the store's folders.
const DEPTH: u32 = 8;

/// The disk usage of the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Bytes on disk, including those claimed by current writers.
    pub taken: u64,
    /// The database's share of them.
    pub database: u64,
    /// Bytes written since the last fold began.
    pub written: u64,
}

/// Returns the disk usage of a file.
#[allow(clippy::unnecessary_cast, reason = "the type is another system's")]
pub fn on_disk(stat: &Stat) -> u64 {
    stat.st_blocks as u64 * SECTOR
}

/// Returns when a file was last changed, in nanoseconds since the epoch.
#[allow(clippy::unnecessary_cast, reason = "the type is another system's")]
pub fn changed(stat: &Stat) -> u64 {
    let (seconds, nanos) = (stat.st_mtime.max(0) as u64, stat.st_mtime_nsec as u64);
    seconds.saturating_mul(1_000_000_000).saturating_add(nanos)
}

/// Returns the disk usage of a file of `len` bytes.
pub const fn blocks(len: u64) -> u64 {
    len.saturating_add(BLOCK - 1) / BLOCK * BLOCK
}

/// Updates the account. A missing or damaged one is created anew.
pub fn update<T>(root: &Root, change: impl FnOnce(&mut Account) -> T) -> rustix::io::Result<T> {
    let file = fsutil::create_file(root, FILE, OFlags::RDWR)?;
    // Surveyed before locking, to keep the critical section short.
    let surveyed = match read(&file)? {
        Some(_) => None,
        None => Some(Survey::of(root, &mut |_| {})?),
    };
    lock(root, &file)?;
    let file = Locked::new(file);
    let known = read(file.file())?;
    let mut account = known.or(surveyed.map(|survey| survey.account())).unwrap_or_default();
    let done = change(&mut account);
    if known != Some(account) {
        failpoint::at("account")?;
        let written = fsutil::retry(|| rustix::io::pwrite(file.file(), &encode(&account), 0))?;
        if written != LEN {
            return Err(Errno::NOSPC);
        }
    }
    Ok(done)
}

/// Corrects the account by a survey that began when the account was `before`.
pub fn correct(root: &Root, before: &Account, found: &Survey) -> rustix::io::Result<Account> {
    update(root, |account| {
        // The survey may have missed concurrent changes, so their growth is added in any case.
        let since = i128::from(account.taken) - i128::from(before.taken);
        let taken = i128::from(found.total) + since.max(0);
        account.taken = u64::try_from(taken).unwrap_or(u64::MAX);
        account.database = found.database;
        *account
    })
}

/// Surveys the store and returns the corrected account.
pub fn surveyed(root: &Root) -> rustix::io::Result<Account> {
    let before = update(root, |account| *account)?;
    correct(root, &before, &Survey::of(root, &mut |_| {})?)
}

/// Subtracts removed bytes. If that fails, the next survey corrects the account.
pub fn give_back(root: &Root, bytes: u64) {
    if bytes > 0 {
        let _ = update(root, |account| account.taken = account.taken.saturating_sub(bytes));
    }
}

/// Adds written bytes. If that fails, the next survey corrects the account.
pub fn add(root: &Root, bytes: u64) {
    let _ = update(root, |account| account.taken = account.taken.saturating_add(bytes));
}

/// Updates the database's disk usage after a change to it.
pub fn note_database(root: &Root) -> rustix::io::Result<()> {
    let now = database(root)?;
    update(root, |account| {
        account.taken = account.taken.saturating_sub(account.database).saturating_add(now);
        account.database = now;
    })
}

fn lock(root: &Root, file: &OwnedFd) -> rustix::io::Result<()> {
    for _ in 0..ATTEMPTS.0 {
        let lock = |()| rustix::fs::flock(file, FlockOperation::NonBlockingLockExclusive);
        match failpoint::at("flock").and_then(lock) {
            Err(Errno::INTR) => {}
            Err(Errno::WOULDBLOCK) => std::thread::sleep(ATTEMPTS.1),
            // A store on a file system without locks has no strict limit.
            Err(Errno::NOSYS | Errno::NOLCK | Errno::OPNOTSUPP) => return Ok(()),
            done => return done,
        }
    }
    let holder = HeldBy::of(root, FILE);
    if holder.is_stopped() {
        lock::tell(&holder.to_string());
    }
    Err(Errno::WOULDBLOCK)
}

fn read(file: &OwnedFd) -> rustix::io::Result<Option<Account>> {
    let mut bytes = [0; LEN];
    let len = fsutil::retry(|| rustix::io::pread(file, &mut bytes[..], 0))?;
    Ok(if len == LEN { decode(&bytes) } else { None })
}

/// Encodes an account as the content of its file.
pub fn encode(account: &Account) -> [u8; LEN] {
    let mut bytes = [0; LEN];
    bytes[..4].copy_from_slice(&MAGIC);
    bytes[8..16].copy_from_slice(&account.taken.to_le_bytes());
    bytes[16..24].copy_from_slice(&account.database.to_le_bytes());
    bytes[24..].copy_from_slice(&account.written.to_le_bytes());
    let sum = checksum(&bytes);
    bytes[4..8].copy_from_slice(&sum);
    bytes
}

/// Decodes an account; `None` if it is damaged.
pub fn decode(bytes: &[u8; LEN]) -> Option<Account> {
    if bytes[..4] != MAGIC || bytes[4..8] != checksum(bytes) {
        return None;
    }
    let number = |at: usize| Some(u64::from_le_bytes(bytes[at..at + 8].try_into().ok()?));
    Some(Account { taken: number(8)?, database: number(16)?, written: number(24)? })
}

fn checksum(bytes: &[u8; LEN]) -> [u8; 4] {
    let [a, b, c, d, ..] = *cachex_base::system::hashing::of(&bytes[8..]).as_bytes();
    [a, b, c, d]
}

/// A file of the store, as seen by a survey.
pub struct Surveyed<'a> {
    /// Its path relative to the root.
    pub path: &'a Path,
    /// The bytes it takes on disk.
    pub bytes: u64,
    /// When it was last changed, in nanoseconds since the epoch.
    pub changed: u64,
}

/// The disk usage of the files in the store's folder. Folders are not counted: they come to 2 MiB
/// at most, on file systems where they take any space.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// The total of all files.
    pub total: u64,
    /// The database.
    pub database: u64,
}

impl Survey {
    /// Visits every file. Files that disappear meanwhile are not counted.
    pub fn of(root: &Root, visit: &mut dyn FnMut(Surveyed<'_>)) -> rustix::io::Result<Survey> {
        let mut survey = Survey::default();
        survey.walk(root.as_fd(), Path::new(""), DEPTH, visit)?;
        Ok(survey)
    }

    fn account(&self) -> Account {
        Account { taken: self.total, database: self.database, written: 0 }
    }

    fn walk(
        &mut self,
        folder: BorrowedFd<'_>,
        path: &Path,
        depth: u32,
        visit: &mut dyn FnMut(Surveyed<'_>),
    ) -> rustix::io::Result<()> {
        for entry in rustix::fs::Dir::read_from(folder)? {
            let entry = entry?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if name == "." || name == ".." {
                continue;
            }
            let stat = match rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => stat,
                Err(Errno::NOENT) => continue,
                Err(errno) => return Err(errno),
            };
            let path = path.join(name);
            match FileType::from_raw_mode(stat.st_mode) {
                FileType::Directory if depth > 0 => {
                    let flags =
                        OFlags::DIRECTORY | OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                    // A folder that is gone or unreadable counts as empty.
                    let opened = rustix::fs::openat(folder, name, flags, rustix::fs::Mode::empty());
                    if let Ok(inner) = opened {
                        self.walk(inner.as_fd(), &path, depth - 1, visit)?;
                    }
                }
                FileType::RegularFile => {
                    let bytes = on_disk(&stat);
                    self.total = self.total.saturating_add(bytes);
                    if path.starts_with(guard::DIR) {
                        self.database = self.database.saturating_add(bytes);
                    }
                    visit(Surveyed { path: &path, bytes, changed: changed(&stat) });
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Returns the database's disk usage.
pub fn database(root: &Root) -> rustix::io::Result<u64> {
    size_of(root, guard::DIR)
}

/// Returns the disk usage of the files in a folder.
pub fn size_of(at: impl AsFd, name: impl AsRef<Path>) -> rustix::io::Result<u64> {
    let mut survey = Survey::default();
    let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match rustix::fs::openat(at, name.as_ref(), flags, rustix::fs::Mode::empty()) {
        Ok(folder) => {
            survey.walk(folder.as_fd(), Path::new(""), DEPTH, &mut |_| {})?;
            Ok(survey.total)
        }
        // Anything but a folder has no files. Whoever needs a folder there replaces it.
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(0),
        Err(errno) => Err(errno),
    }
}
