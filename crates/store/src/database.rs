//! A sled database: how it is opened and prepared.

use super::guard::{self, PULSE};
use cachex_base::system::failpoint;
use cachex_base::system::fsutil;
use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

/// The memory that sled uses as a cache for one database.
const CACHE: u64 = 32 * 1024 * 1024;
/// The segment size by which sled allocates disk: an empty database is hardly smaller than one.
const SEGMENT: usize = 64 * 1024;
/// Attempts to open a database, and the pause between them: sled may hold its own lock for a moment
/// after a database was dropped.
const REOPEN: (u32, Duration) = (400, Duration::from_millis(5));

/// Opens a sled database, or creates one.
pub(super) fn open_database(path: &Path) -> sled::Result<sled::Db> {
    let config = sled::Config::new()
        .path(path)
        .cache_capacity(CACHE)
        .segment_size(SEGMENT)
        .flush_every_ms(None);
    step()?;
    prepare(path)?;
    let mut tries = 0;
    loop {
        match config.open() {
            Err(error) if guard::is_locked(&error) && tries < REOPEN.0 => {
                tries += 1;
                PULSE.beat();
                std::thread::sleep(REOPEN.1);
            }
            db => return db,
        }
    }
}

/// The file name of sled's log, and the prefix of its snapshots: a number follows that says how
/// much of the log the snapshot covers.
const LOG: &str = "db";
const SNAPSHOT: &[u8] = b"snap.";
/// The range of a segment's header that holds its offset in the log, and the mask applied to it.
const PLACE: std::ops::Range<usize> = 4..12;
const MASK: u64 = i64::MAX as u64;
const HEADER: usize = 20;

/// Checks that there are only files and folders in a database, since sled would follow a link and
/// wait for a pipe, and prepares the folder for sled's recovery.
fn prepare(path: &Path) -> sled::Result<()> {
    let strange = || {
        let what = "there is something else among its files".to_owned();
        Err(sled::Error::ReportableBug(what))
    };
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let folder = match rustix::fs::open(path, flags, Mode::empty()) {
        Err(Errno::NOENT) => return Ok(()),
        Err(Errno::LOOP | Errno::NOTDIR) => return strange(),
        folder => folder.map_err(io::Error::from)?,
    };
    if !fsutil::is_plain(&folder).map_err(io::Error::from)? {
        return strange();
    }
    Ok(make_ready(&folder).map_err(io::Error::from)?)
}

fn make_ready(folder: &OwnedFd) -> rustix::io::Result<()> {
    let mut covered = 0;
    for name in fsutil::names(folder, ".")? {
        let bytes = name.as_bytes();
        // A process was killed while sled wrote this file. sled would take it for its newest
        // snapshot, and the database for damaged.
        if bytes.ends_with(b".generating") {
            fsutil::remove_file(folder, name)?;
        } else if let Some(number) = bytes.strip_prefix(SNAPSHOT) {
            let number = std::str::from_utf8(number).ok();
            let number = number.and_then(|number| u64::from_str_radix(number, 16).ok());
            covered = covered.max(number.unwrap_or(0));
        }
    }
    match fsutil::open_file(folder, LOG) {
        Ok(log) => read_beforehand(&log, covered),
        Err(Errno::NOENT) => Ok(()),
        Err(errno) => Err(errno),
    }
}

/// Reads what sled is about to read: the header of each segment, and all segments beyond what a
/// snapshot covers. sled takes a segment that it fails to read for the end of its log, and
/// overwrites everything after it. Once read, the data is in the page cache.
fn read_beforehand(log: &OwnedFd, covered: u64) -> rustix::io::Result<()> {
    failpoint::at("recover")?;
    let mut segment = [0; HEADER];
    let mut all = Vec::new();
    let len = rustix::fs::fstat(log)?.st_size as u64;
    for at in (0..len).step_by(SEGMENT) {
        fsutil::retry(|| rustix::io::pread(log, &mut segment, at))?;
        let place = segment[PLACE].first_chunk().map_or(0, |it| u64::from_le_bytes(*it) ^ MASK);
        if place.saturating_add(SEGMENT as u64) > covered {
            all.resize(SEGMENT, 0);
            fsutil::retry(|| rustix::io::pread(log, &mut all[..], at))?;
        }
    }
    Ok(())
}

/// The number of bytes after which a database that is written at once is flushed.
const FLUSH_AFTER: usize = 128 * 1024;

/// Writes many rows. sled reuses what it leaves behind only after a flush: with one at the end
/// alone, a database takes half as much again.
#[derive(Debug, Default)]
pub(super) struct Filling {
    unflushed: usize,
}

impl Filling {
    /// Writes a row.
    pub fn insert(
        &mut self,
        tree: &sled::Tree,
        place: &[u8],
        value: impl Into<sled::IVec>,
    ) -> sled::Result<()> {
        step()?;
        let value = value.into();
        self.unflushed += place.len() + value.len();
        tree.insert(place, value)?;
        if self.unflushed >= FLUSH_AFTER {
            self.unflushed = 0;
            tree.flush()?;
        }
        Ok(())
    }
}

/// Signals progress; tests can fail here.
pub(super) fn step() -> sled::Result<()> {
    PULSE.beat();
    failpoint::at("sled").map_err(|errno| sled::Error::Io(errno.into()))
}
