//! Stamps of files, which tell whether a file was changed or replaced.
//!
//! A file is taken to be unchanged if its device, inode, size, mtime and ctime are the same, and, if
//! the stamp is kept beyond this process, its mount: two images of file systems may agree in all
//! else, and be mounted in turn on one device. Times
//! are as coarse as the file system's clock, so a file that was written shortly before it was read
//! may be written again without a trace: such a stamp is racy, and the content has to be compared.

use rustix::fs::Stat;
use std::time::SystemTime;

/// The length of the stored form.
pub const STAMP: usize = 6 * 8;
/// The granularity of time of the coarsest file systems: two seconds.
const SETTLED: i64 = 2_000_000_000;

/// The identity and the state of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamp {
    /// The device.
    pub dev: u64,
    /// The inode on that device.
    pub ino: u64,
    /// The size in bytes; zero also for files that the kernel generates.
    pub size: u64,
    /// The time of the last change of the content, in nanoseconds since 1970.
    pub mtime: i64,
    /// The time of the last change of the status, in nanoseconds since 1970.
    pub ctime: i64,
    /// The mount, in this boot; zero where it is not asked for or not known.
    pub mount: u64,
}

impl Stamp {
    /// Returns the stamp of a file with this status.
    pub fn of(stat: &Stat) -> Stamp {
        // Large enough until 2262.
        let time =
            |seconds: i64, nanos: i64| seconds.wrapping_mul(1_000_000_000).wrapping_add(nanos);
        #[allow(clippy::unnecessary_cast, reason = "the types are other systems'")]
        Stamp {
            dev: stat.st_dev as u64,
            ino: stat.st_ino as u64,
            size: stat.st_size as u64,
            mtime: time(stat.st_mtime as i64, stat.st_mtime_nsec as i64),
            ctime: time(stat.st_ctime as i64, stat.st_ctime_nsec as i64),
            mount: 0,
        }
    }

    /// Combines the stamp of a link with that of its target.
    pub fn with(self, behind: &Stamp) -> Stamp {
        Stamp {
            ino: self.ino.rotate_left(32) ^ behind.ino,
            mtime: self.mtime.max(behind.mtime),
            ctime: self.ctime.max(behind.ctime),
            ..*behind
        }
    }

    /// Returns whether the file could change without changing its stamp. `now` must not be later
    /// than the reading of the stamp.
    pub fn is_racy(&self, now: i64) -> bool {
        self.size == 0 || self.mtime.max(self.ctime) > now - SETTLED
    }

    /// Appends the stored form, which is [`STAMP`] bytes long.
    pub fn encode(&self, to: &mut Vec<u8>) {
        let Stamp { dev, ino, size, mtime, ctime, mount } = *self;
        for number in [dev, ino, size, mtime as u64, ctime as u64, mount] {
            to.extend(number.to_le_bytes());
        }
    }

    /// Decodes the stored form.
    pub fn decode(bytes: &[u8; STAMP]) -> Stamp {
        let (words, _) = bytes.as_chunks::<8>();
        let number = |at: usize| u64::from_le_bytes(words[at]);
        let [mtime, ctime] = [number(3) as i64, number(4) as i64];
        let [dev, ino, size, mount] = [0, 1, 2, 5].map(number);
        Stamp { dev, ino, size, mtime, ctime, mount }
    }
}

/// Returns the system's time in nanoseconds since 1970. It is compared with the times of files, so
/// it is not cachex's own clock, which a test may set.
pub fn now() -> i64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.map_or(0, |now| now.as_nanos() as i64)
}
