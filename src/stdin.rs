//! Standard input: what it is, the hash of what it holds, and what the command gets.
//!
//! | it is | it counts as | the command gets |
//! |---|---|---|
//! | closed | "closed" | a closed one |
//! | a terminal | "terminal" | the terminal |
//! | `/dev/null` | empty contents | it |
//! | a file | its contents from the current offset | the file, at that offset |
//! | a pipe, a socket | all that comes until its end | the same bytes through a pipe |
//!
//! What comes out of a pipe is kept in a [`Spool`] until the command reads it.

use crate::fsutil;
use crate::hashing;
use crate::spool::Spool;
use crate::values::StdinMode;
use rustix::event::{PollFd, PollFlags};
use rustix::fs::{FileType, SeekFrom};
use rustix::io::Errno;
use std::fs::File;
use std::io::Seek;
use std::time::Duration;

const CHUNK: usize = 64 * 1024;
/// How long a pipe may be silent before cachex says what it waits for.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a refresher's digest is: its key was computed before it was started.
const PASSED_ON: &str = "passed on";

/// How standard input counts in the key.
#[derive(Debug)]
pub enum Digest {
    /// By what it holds.
    Contents(blake3::Hash),
    /// By what it is.
    Kind(&'static str),
}

impl Digest {
    /// What of it counts.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Digest::Contents(hash) => hash.as_bytes(),
            Digest::Kind(kind) => kind.as_bytes(),
        }
    }
}

/// What the command gets as standard input.
#[derive(Debug)]
pub enum Source {
    /// cachex's own.
    Inherit,
    /// Nothing.
    Null,
    /// What was read of it.
    Feed(Spool),
}

/// Standard input, taken in.
#[derive(Debug)]
pub struct Stdin {
    /// How it counts.
    pub digest: Digest,
    /// What the command gets.
    pub source: Source,
    /// Where in a file the command starts to read.
    start: Option<u64>,
}

impl Stdin {
    /// How far a command has read since [`take`], where that can be told and it
    /// has read at all.
    pub fn consumed(&self) -> Option<u64> {
        let now = rustix::fs::tell(rustix::stdio::stdin()).ok();
        now?.checked_sub(self.start?).filter(|&consumed| consumed > 0)
    }

    /// What a refresher found: its own standard input, which is nobody else's.
    pub fn passed_on() -> Stdin {
        let stdin = rustix::stdio::stdin();
        let is_file = |stat: &rustix::fs::Stat| {
            FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
        };
        let start = rustix::fs::fstat(stdin).is_ok_and(|stat| is_file(&stat));
        let start = start.then(|| rustix::fs::tell(stdin).ok()).flatten();
        Stdin { digest: Digest::Kind(PASSED_ON), source: Source::Inherit, start }
    }

    /// Whether the digest is of what counted in the key.
    pub fn is_known(&self) -> bool {
        !matches!(self.digest, Digest::Kind(PASSED_ON))
    }

    /// The same standard input for another process, from where it began, as a
    /// file that is nobody else's; none where the command gets nothing that it
    /// may take its time over. `closed` says that it was when cachex started.
    pub fn again(&mut self, closed: bool) -> std::io::Result<Option<File>> {
        match (std::mem::replace(&mut self.source, Source::Inherit), self.start) {
            (Source::Feed(spool), _) => spool.into_file().map(Some),
            (Source::Inherit, Some(start)) if !closed => reopened(start).map(Some),
            _ => Ok(None),
        }
    }

    /// Reads as far as a command once read.
    pub fn skip(&self, consumed: u64) {
        if let Some(offset) = self.start.and_then(|start| start.checked_add(consumed)) {
            let _ = rustix::fs::seek(rustix::stdio::stdin(), SeekFrom::Start(offset));
        }
    }
}

/// Why a command's result cannot be told from its standard input.
#[derive(Debug)]
pub enum Unknown {
    /// It is a device, or cannot be read; nothing was taken from it.
    Untouched,
    /// What came so far is here; the rest could not be kept.
    Partly(Spool),
}

/// Takes in standard input. `closed` says that it was when cachex started,
/// `silent` is called once if a pipe stays silent.
pub fn take(mode: StdinMode, closed: bool, silent: impl FnOnce()) -> Result<Stdin, Unknown> {
    let kind = |kind, source| Ok(Stdin { digest: Digest::Kind(kind), source, start: None });
    match mode {
        StdinMode::Null => return kind("null", Source::Null),
        StdinMode::Inherit => return kind("inherit", Source::Inherit),
        StdinMode::Hash if closed => return kind("closed", Source::Inherit),
        StdinMode::Hash => {}
    }
    let stdin = rustix::stdio::stdin();
    let stat = rustix::fs::fstat(stdin).map_err(|_| Unknown::Untouched)?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::CharacterDevice if is_null(stat.st_rdev) => Ok(Stdin {
            digest: Digest::Contents(hashing::of(b"")),
            source: Source::Inherit,
            start: None,
        }),
        FileType::CharacterDevice if rustix::termios::isatty(stdin) => {
            kind("terminal", Source::Inherit)
        }
        FileType::RegularFile => {
            let start = rustix::fs::tell(stdin).map_err(|_| Unknown::Untouched)?;
            let hash = hashing::to_the_end(stdin, start).map_err(|_| Unknown::Untouched)?;
            Ok(Stdin {
                digest: Digest::Contents(hash),
                source: Source::Inherit,
                start: Some(start),
            })
        }
        FileType::Fifo | FileType::Socket => {
            let (hash, spool) = read_pipe(silent)?;
            Ok(Stdin { digest: Digest::Contents(hash), source: Source::Feed(spool), start: None })
        }
        _ => Err(Unknown::Untouched),
    }
}

/// The file that standard input is, with an offset of its own.
#[cfg(target_os = "linux")]
fn reopened(start: u64) -> std::io::Result<File> {
    let mut file = File::open("/proc/self/fd/0")?;
    file.seek(std::io::SeekFrom::Start(start))?;
    Ok(file)
}

/// What is in the file that standard input is: a second opening of it would
/// share its offset.
#[cfg(not(target_os = "linux"))]
fn reopened(mut start: u64) -> std::io::Result<File> {
    use std::io::Write;
    let mut copy = tempfile::tempfile()?;
    let mut chunk = vec![0; CHUNK];
    loop {
        let n = rustix::io::pread(rustix::stdio::stdin(), &mut chunk[..], start)?;
        if n == 0 {
            copy.rewind()?;
            return Ok(copy);
        }
        copy.write_all(&chunk[..n])?;
        start += n as u64;
    }
}

#[cfg(target_os = "linux")]
fn is_null(device: u64) -> bool {
    (rustix::fs::major(device), rustix::fs::minor(device)) == (1, 3)
}

#[cfg(not(target_os = "linux"))]
fn is_null(device: rustix::fs::Dev) -> bool {
    rustix::fs::stat("/dev/null").is_ok_and(|null| null.st_rdev == device)
}

fn read_pipe(silent: impl FnOnce()) -> Result<(blake3::Hash, Spool), Unknown> {
    let stdin = rustix::stdio::stdin();
    // What stays in memory is hashed in one go.
    let mut hasher: Option<blake3::Hasher> = None;
    let mut spool = Spool::default();
    let mut chunk = vec![0; CHUNK];
    let mut silent = Some(silent);
    loop {
        let patience = silent.is_some().then_some(PATIENCE);
        match fsutil::poll(&mut [PollFd::new(&stdin, PollFlags::IN)], patience) {
            Ok(0) => {
                if let Some(silent) = silent.take() {
                    silent();
                }
                continue;
            }
            Ok(_) => {}
            Err(Errno::INTR) => continue,
            Err(_) => return Err(unknown(spool)),
        }
        match rustix::io::read(stdin, &mut chunk[..]) {
            Ok(0) => break,
            Ok(n) => {
                if let Some(hasher) = &mut hasher {
                    hasher.update(&chunk[..n]);
                }
                if spool.append(&chunk[..n]).is_err() {
                    spool.unfinished = true;
                    return Err(Unknown::Partly(spool));
                }
                if spool.file.is_some() && hasher.is_none() {
                    let mut begun = blake3::Hasher::new();
                    begun.update(&spool.memory).update(&chunk[..n]);
                    hasher = Some(begun);
                }
            }
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(_) => return Err(unknown(spool)),
        }
    }
    let hash = hasher.map_or_else(|| hashing::of(&spool.memory), |hasher| hasher.finalize());
    Ok((hash, spool))
}

fn unknown(spool: Spool) -> Unknown {
    if spool.is_empty() { Unknown::Untouched } else { Unknown::Partly(spool) }
}
