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
//! A pipe is kept in memory up to a limit and then in an unlinked temporary
//! file outside the store, because what is typed or piped may be secret.

use crate::hashing;
use crate::values::StdinMode;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FileType, SeekFrom, major, minor};
use rustix::io::Errno;
use std::fs::File;
use std::io::{Seek, Write};

const CHUNK: usize = 64 * 1024;
/// How much of a pipe is kept in memory.
const MEMORY_LIMIT: usize = 1 << 20;
/// How long a pipe may be silent before cachex says what it waits for.
const PATIENCE: Timespec = Timespec { tv_sec: 5, tv_nsec: 0 };

/// How standard input counts in the key.
#[derive(Debug)]
pub enum Digest {
    /// By what it holds.
    Contents(blake3::Hash),
    /// By what it is.
    Kind(&'static str),
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

/// Bytes that were read from a pipe.
#[derive(Debug, Default)]
pub struct Spool {
    /// The first of them.
    pub memory: Vec<u8>,
    /// Those after that: all of this file.
    pub file: Option<File>,
    /// Those that the file had no room for.
    pub tail: Vec<u8>,
    /// Whether more are still to be read from standard input.
    pub unfinished: bool,
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
    /// How far a command has read since [`take`], where that can be told.
    pub fn consumed(&self) -> Option<u64> {
        let now = rustix::fs::tell(rustix::stdio::stdin()).ok();
        now?.checked_sub(self.start?)
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

#[cfg(target_os = "linux")]
fn is_null(device: u64) -> bool {
    (major(device), minor(device)) == (1, 3)
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
        let patience = silent.is_some().then_some(&PATIENCE);
        match poll(&mut [PollFd::new(&stdin, PollFlags::IN)], patience) {
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

impl Spool {
    /// On an error the bytes are kept in memory nevertheless.
    fn append(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        if self.file.is_none() {
            if self.memory.len() + bytes.len() <= MEMORY_LIMIT {
                self.memory.extend_from_slice(bytes);
                return Ok(());
            }
            self.file =
                Some(tempfile::tempfile().inspect_err(|_| self.tail.extend_from_slice(bytes))?);
        }
        let Some(file) = &mut self.file else { return Ok(()) };
        let whole = file.stream_position()?;
        file.write_all(bytes).inspect_err(|_| {
            // Part of them may be in the file.
            let _ = file.set_len(whole);
            self.tail.extend_from_slice(bytes);
        })
    }

    fn is_empty(&self) -> bool {
        self.memory.is_empty() && self.file.is_none() && self.tail.is_empty()
    }
}
