//! A database of sled's: how it is opened, and what it is asked for.

use super::guard::{self, PULSE};
use crate::failpoint;
use crate::fsutil;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

/// What sled keeps in memory of one database.
const CACHE: u64 = 32 * 1024 * 1024;
/// sled takes disk by segments: an empty database is hardly smaller than one.
const SEGMENT: usize = 64 * 1024;
/// sled may hold its own lock for a moment after a database was dropped.
const REOPEN: (u32, Duration) = (400, Duration::from_millis(5));

/// Opens a database of sled's, or makes one.
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

/// Looks at the files of a database, which sled opens by their names: it would follow a
/// link among them. Removes the snapshots that a process left which was killed while sled
/// wrote them: sled takes one for its newest, and the database for damaged.
fn prepare(path: &Path) -> sled::Result<()> {
    let link = || Err(sled::Error::ReportableBug("there is a link among its files".to_owned()));
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let folder = match rustix::fs::open(path, flags, Mode::empty()) {
        Err(Errno::NOENT) => return Ok(()),
        Err(Errno::LOOP | Errno::NOTDIR) => return link(),
        folder => folder.map_err(std::io::Error::from)?,
    };
    if fsutil::has_link(&folder).map_err(std::io::Error::from)? {
        return link();
    }
    for name in fsutil::names(&folder, ".").map_err(std::io::Error::from)? {
        if name.as_bytes().ends_with(b".generating") {
            fsutil::remove_file(&folder, name).map_err(std::io::Error::from)?;
        }
    }
    Ok(())
}

/// A sign of life, and a place where a test may end it.
pub(super) fn step() -> sled::Result<()> {
    PULSE.beat();
    failpoint::at("sled").map_err(|errno| sled::Error::Io(errno.into()))
}
