//! Whether a file is still the one that was looked at, and unchanged.
//!
//! A file is taken for unchanged if its device, inode, size, mtime and ctime are
//! what they were. Times are as coarse as the file system's clock, so a file that
//! was written shortly before it was read may be written again without a trace:
//! such a stamp is racy, and the content has to be compared.

use rustix::fs::Stat;
use std::time::SystemTime;

/// The length of the stored form.
pub const STAMP: usize = 5 * 8;
/// File systems keep time in steps of up to two seconds.
const SETTLED: i64 = 2_000_000_000;

/// Tells whether a file is as it was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamp {
    /// The file system,
    pub dev: u64,
    /// and the file in it.
    pub ino: u64,
    /// In bytes; zero of what the kernel makes up, too.
    pub size: u64,
    /// In nanoseconds since 1970.
    pub mtime: i64,
    /// The same of its status.
    pub ctime: i64,
}

impl Stamp {
    /// Of a file with this status.
    pub fn of(stat: &Stat) -> Stamp {
        // Wide enough until 2262.
        let time =
            |seconds: i64, nanos: i64| seconds.wrapping_mul(1_000_000_000).wrapping_add(nanos);
        #[allow(clippy::unnecessary_cast, reason = "the types are other systems'")]
        Stamp {
            dev: stat.st_dev as u64,
            ino: stat.st_ino as u64,
            size: stat.st_size as u64,
            mtime: time(stat.st_mtime as i64, stat.st_mtime_nsec as i64),
            ctime: time(stat.st_ctime as i64, stat.st_ctime_nsec as i64),
        }
    }

    /// That of a link together with that of what it leads to.
    pub fn with(self, behind: &Stamp) -> Stamp {
        Stamp {
            ino: self.ino.rotate_left(32) ^ behind.ino,
            mtime: self.mtime.max(behind.mtime),
            ctime: self.ctime.max(behind.ctime),
            ..*behind
        }
    }

    /// Whether it may stay the same while the file changes; `now` is not later
    /// than the look at the file.
    pub fn is_racy(&self, now: i64) -> bool {
        self.size == 0 || self.mtime.max(self.ctime) > now - SETTLED
    }

    /// Appends it in its stored form, which is [`STAMP`] bytes long.
    pub fn encode(&self, to: &mut Vec<u8>) {
        for number in [self.dev, self.ino, self.size, self.mtime as u64, self.ctime as u64] {
            to.extend(number.to_le_bytes());
        }
    }

    /// Reads the stored form.
    pub fn decode(bytes: &[u8; STAMP]) -> Stamp {
        let (words, _) = bytes.as_chunks::<8>();
        let number = |at: usize| u64::from_le_bytes(words[at]);
        let [mtime, ctime] = [number(3) as i64, number(4) as i64];
        Stamp { dev: number(0), ino: number(1), size: number(2), mtime, ctime }
    }
}

/// The system's time, in nanoseconds since 1970. Not cachex's own clock, which a
/// test may set: it is compared with the times of files.
pub fn now() -> i64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.map_or(0, |now| now.as_nanos() as i64)
}
