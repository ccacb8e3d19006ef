//! Descriptors that a command inherits and its arguments name.
//!
//! `cat <(date)` reaches cachex as `cat /dev/fd/63`: the text does not show what is read. So the
//! content of such a file is part of the key.
//!
//! | the arguments name it | it is | so |
//! |---|---|---|
//! | by path (`/dev/fd/N`, `/proc/self/fd/N`) or as a shell does (`<&N`, `>&N`) | a file opened for reading | its contents and offset are part of the key |
//! | | anything else: to look at a pipe is to take from it, and what is written there a replay would not write | the call runs uncached |
//! | by its number alone (`-u 3`, `--fd=3`) | a file that can be read | its contents and offset are part of the key |
//! | | anything else | it is not part of the key: the number may well mean something else |
//!
//! Descriptors 0, 1 and 2 are not handled here: standard input is part of the key in its own way.
//! Descriptors that no argument names are ignored, because most of them are leaked, and a hit
//! cannot afford to look for them.

use cachex_base::system::hashing;
use cachex_base::system::null;
use cachex_base::system::stamp::{self, Stamp};
use cachex_core::descriptors::How;
use rustix::fd::BorrowedFd;
use rustix::fs::{FileType, OFlags};
use rustix::io::FdFlags;
use std::ffi::OsString;
use std::fmt;
use std::fs::DirEntry;
use std::os::unix::ffi::OsStrExt;
use std::time::Instant;

/// The state of a file on such a descriptor.
#[derive(Debug)]
pub struct Inherited {
    number: i32,
    hash: blake3::Hash,
    offset: u64,
    stamp: Stamp,
    at: Instant,
}

/// An error: a descriptor is named whose contents cannot be part of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unknowable(i32);

impl fmt::Display for Unknowable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an argument names descriptor {}, which is no file opened for reading", self.0)
    }
}

/// Returns the files that these arguments name by descriptor. Those in `left_out` are known not to
/// be inputs.
pub fn named(argv: &[OsString], left_out: &[i32]) -> Result<Vec<Inherited>, Unknowable> {
    let mut found: Vec<Inherited> = Vec::new();
    let mut passed_over: Vec<i32> = Vec::new();
    for argument in argv {
        for (number, how) in numbers(argument.as_bytes()) {
            if found.iter().any(|known| known.number == number)
                || left_out.contains(&number)
                || how == How::ByNumber && passed_over.contains(&number)
            {
                continue;
            }
            match look_at(number, how)? {
                Some(file) => found.push(file),
                None => passed_over.push(number),
            }
        }
    }
    Ok(found)
}

impl Inherited {
    /// Returns the number.
    pub fn number(&self) -> i32 {
        self.number
    }

    /// Returns the path of the descriptor.
    pub fn name(&self) -> String {
        format!("/dev/fd/{}", self.number)
    }

    /// Returns the bytes for the key.
    pub fn bytes(&self) -> [u8; 40] {
        let mut bytes = [0; 40];
        bytes[..32].copy_from_slice(self.hash.as_bytes());
        bytes[32..].copy_from_slice(&self.offset.to_le_bytes());
        bytes
    }

    /// Returns whether this is the file with this stamp.
    pub fn is_file(&self, stamp: &Stamp) -> bool {
        (self.stamp.dev, self.stamp.ino) == (stamp.dev, stamp.ino)
    }

    /// Returns whether the file was written to, or was read, which a replay would have to repeat.
    pub fn changed(&self) -> bool {
        let Some(fd) = inherited(self.number) else { return true };
        let is_same = || {
            let stamp = Stamp::of(&rustix::fs::fstat(fd)?);
            let at = stamp::now() - i64::try_from(self.at.elapsed().as_nanos()).unwrap_or(i64::MAX);
            Ok::<bool, rustix::io::Errno>(
                stamp == self.stamp
                    && rustix::fs::tell(fd)? == self.offset
                    && (!stamp.is_racy(at) || hashing::to_the_end(fd, 0)? == self.hash),
            )
        };
        is_same() != Ok(true)
    }
}

fn look_at(number: i32, how: How) -> Result<Option<Inherited>, Unknowable> {
    let unknowable = || match how {
        How::Plainly => Err(Unknowable(number)),
        How::ByNumber => Ok(None),
    };
    let Some(fd) = inherited(number) else { return Ok(None) };
    let at = Instant::now();
    let (Ok(flags), Ok(stat)) = (rustix::fs::fcntl_getfl(fd), rustix::fs::fstat(fd)) else {
        return unknowable();
    };
    let access = flags & OFlags::ACCMODE;
    let is_file = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
    let fits = match how {
        How::Plainly => access == OFlags::RDONLY,
        How::ByNumber => access != OFlags::WRONLY,
    };
    if !is_file || !fits {
        return unknowable();
    }
    // It may be read from the offset on, or, if opened again, from its beginning.
    match (hashing::to_the_end(fd, 0), rustix::fs::tell(fd)) {
        (Ok(hash), Ok(offset)) => {
            let stamp = Stamp::of(&stat);
            Ok(Some(Inherited { number, hash, offset, stamp, at }))
        }
        _ => unknowable(),
    }
}

/// Returns whether the command will inherit any, or may, where that cannot be seen. Nothing can be
/// read from `/dev/null`, and nobody waits for it.
pub fn are_inherited() -> bool {
    let own = if cfg!(target_os = "linux") { "/proc/self/fd" } else { "/dev/fd" };
    let Ok(entries) = std::fs::read_dir(own) else { return true };
    let number = |entry: DirEntry| entry.file_name().to_str()?.parse().ok();
    let numbers = entries.filter_map(|entry| number(entry.ok()?));
    let mut others = numbers.filter(|number| *number > 2).filter_map(inherited);
    others.any(|fd| rustix::fs::fstat(fd).is_ok_and(|stat| !null::is_device(stat.st_rdev)))
}

/// Returns a descriptor that the command will inherit.
fn inherited(number: i32) -> Option<BorrowedFd<'static>> {
    // SAFETY: if the descriptor is not open, every call on it fails and changes nothing. If it was
    // inherited, nobody in this process closes it.
    let fd = unsafe { BorrowedFd::borrow_raw(number) };
    // Descriptors that are closed on exec are cachex's own.
    let flags = rustix::io::fcntl_getfd(fd).ok()?;
    (!flags.contains(FdFlags::CLOEXEC)).then_some(fd)
}

/// Returns the numbers in an argument that may be descriptors from 3 on.
fn numbers(argument: &[u8]) -> impl Iterator<Item = (i32, How)> {
    let own = || rustix::process::getpid().as_raw_nonzero().to_string();
    cachex_core::descriptors::numbers(argument, move |process| process == own().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(argument: &str) -> Vec<(i32, How)> {
        numbers(argument.as_bytes()).collect()
    }

    #[test]
    fn a_descriptor_is_known_by_how_it_is_named() {
        for plain in [
            "/dev/fd/63",
            "/dev//fd/63",
            "/dev/./fd/.//63",
            "/proc/self/fd/63",
            "-f/dev/fd/63",
            "@/dev/fd/63",
            "cat <&63",
            "echo >&63",
            "echo 2>& 63",
        ] {
            assert_eq!(of(plain), [(63, How::Plainly)], "{plain}");
        }
        let own = format!("/proc/{}/fd/7", std::process::id());
        assert!(of(&own).contains(&(7, How::Plainly)));
        for number in ["7", "-u7", "--fd=7", "fd:7", "-u 7", "read -u 7 x"] {
            assert_eq!(of(number), [(7, How::ByNumber)], "{number}");
        }
    }

    #[test]
    fn other_numbers_are_no_descriptors() {
        for other in ["mp3", "3.5", "v3", "a_3", "3x", "03", "2", "0", "/dev/fd/1", "99999999999"] {
            assert_eq!(of(other), [], "{other}");
        }
        assert_eq!(of("/proc/1/fd/7"), []);
    }
}
