//! Standard input: its kind, the hash of its contents, and the source for the command.
//!
//! | it is | part of the key | the command gets |
//! |---|---|---|
//! | closed | "closed" | a closed one |
//! | a terminal | "terminal" | the terminal |
//! | `/dev/null` | "empty" | it |
//! | the same, opened for writing only | "write-only" | it |
//! | a file | "file", the file's contents and the current offset | the file, at that offset |
//! | a pipe, a socket | its kind and all that comes until its end | the same bytes through one of its kind |
//!
//! Other processes may share standard input and read from it while the command runs. So a command
//! whose result is recorded gets a file opened again, or a pipe of its own: then it read exactly
//! what the key covers, and how far it read depends on it alone. cachex's standard input is then
//! moved by the same amount, if it still is as it was found; otherwise somebody else has read on,
//! and it is left alone. A command that is not recorded gets standard input itself, if nothing had
//! to be taken out of it.
//!
//! Nothing is taken from others (see `peek`). Input taken out of a pipe is kept in a [`Spool`] until
//! the command reads it. cachex never waits for a pipe longer than [`SILENT`] or [`OPEN`], nor reads
//! more than [`LIMIT`]: beyond that the command runs uncached, with the input that was read and the
//! rest.

mod anew;
#[cfg(target_os = "linux")]
mod peek;
mod pipe;
mod shared;
mod why;

use cachex_base::streams::spool::Spool;
use cachex_base::system::fsutil;
use cachex_base::system::hashing;
use cachex_base::system::null;
use cachex_base::system::stamp::{self, Stamp};
use cachex_base::text::values::StdinMode;
use rustix::fd::OwnedFd;
use rustix::fs::{FileType, OFlags, SeekFrom, Stat};
use rustix::net::SocketType;
use std::borrow::Cow;
use std::fs::File;
use std::time::{Duration, Instant};
pub use why::Why;

use cachex_core::stdin::contents;
pub use cachex_core::stdin::{
    CLOSED, EMPTY, FILE, INHERIT, NULL, PIPE, SOCKET, TERMINAL, WRITE_ONLY,
};
pub use pipe::{LIMIT, OPEN, SILENT};
pub use shared::caller_reads_on;

/// The part of the key that represents standard input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Digest {
    /// The kind alone.
    Kind(&'static str),
    /// The kind and the contents.
    Contents {
        /// One of [`FILE`], [`PIPE`] and [`SOCKET`].
        kind: &'static str,
        /// The hash of everything that can be read; for a file, from its beginning.
        hash: blake3::Hash,
        /// The offset in a file at which the command starts to read.
        offset: u64,
    },
}

const KINDS: [&str; 9] = [NULL, INHERIT, CLOSED, TERMINAL, EMPTY, WRITE_ONLY, FILE, PIPE, SOCKET];

impl Digest {
    /// Returns the bytes for the key. No kind is a prefix of another.
    pub fn bytes(&self) -> Cow<'static, [u8]> {
        match self {
            Digest::Kind(kind) => kind.as_bytes().into(),
            Digest::Contents { kind, hash, offset } => {
                let mut bytes = Vec::with_capacity(64);
                bytes.extend(kind.as_bytes());
                bytes.extend(contents(hash.as_bytes(), *offset));
                bytes.into()
            }
        }
    }

    /// Returns the name of the kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Digest::Kind(kind) | Digest::Contents { kind, .. } => kind,
        }
    }
}

/// The source of the command's standard input.
#[derive(Debug)]
pub enum Source {
    /// cachex's own.
    Inherit,
    /// Nothing.
    Null,
    /// cachex's own file, with a separate offset.
    Own(OwnedFd),
    /// The input that was read, and the rest if that is not all.
    Feed(Spool),
}

/// Standard input, as it was read for the key.
#[derive(Debug)]
pub struct Stdin {
    /// The part of the key.
    pub digest: Digest,
    /// The source for the command.
    pub source: Source,
    /// The time spent waiting for it.
    pub waited: Duration,
    /// The file, if it is one.
    file: Option<Start>,
    /// The number of bytes that were taken out of a pipe.
    taken: Option<u64>,
    /// The number of these bytes that the command left unread, once known.
    unread: Option<u64>,
    /// The contents of a pipe of which nothing was taken.
    peeked: Option<Vec<u8>>,
    /// The file with the offset of a recorded command, which nobody else moves.
    own: Option<OwnedFd>,
}

/// An error: the amount that a command has read is unknown, or cannot be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Untold;

/// A file on standard input, as it was when it was hashed.
#[derive(Clone, Copy, Debug)]
struct Start {
    /// The offset at which the command starts to read.
    offset: u64,
    stamp: Stamp,
    /// The time at which it was examined.
    at: Instant,
}

impl Stdin {
    fn new(digest: Digest, source: Source) -> Stdin {
        let waited = Duration::ZERO;
        let (file, taken, unread, peeked, own) = (None, None, None, None, None);
        Stdin { digest, source, waited, file, taken, unread, peeked, own }
    }

    fn kind(kind: &'static str, source: Source) -> Stdin {
        Stdin::new(Digest::Kind(kind), source)
    }

    /// Treats an empty pipe like `/dev/null`. Make arbitrarily gives one of its jobs its own
    /// standard input and the others a pipe that has ended: where its own is `/dev/null`, the two
    /// are equivalent.
    pub fn is_by_chance(&mut self) {
        if let Digest::Contents { kind: PIPE, hash, .. } = self.digest
            && hash == hashing::of(b"")
        {
            self.digest = Digest::Kind(EMPTY);
        }
    }

    /// Returns a source for a recorded command from which nobody else reads. None if there is no
    /// such source, or if the file `is_shared`: the command may have it with the same offset on
    /// another descriptor.
    pub fn of_its_own(&mut self, is_shared: impl FnOnce(&Stamp) -> bool) -> Option<Source> {
        if let Some(bytes) = &self.peeked {
            return Some(Source::Feed(self.spooled(bytes).ok()?));
        }
        if let Some(file) = self.file
            && self.own.is_none()
        {
            if is_shared(&file.stamp) {
                return None;
            }
            let own = OwnedFd::from(anew::opened(file.offset).ok()?);
            let theirs = own.try_clone().ok()?;
            self.own = Some(own);
            return Some(Source::Own(theirs));
        }
        Some(std::mem::replace(&mut self.source, Source::Inherit))
    }

    /// Returns a spool with the contents of a pipe or a socket.
    fn spooled(&self, bytes: &[u8]) -> std::io::Result<Spool> {
        let mut spool = Spool::default();
        spool.is_socket = self.digest.kind() == SOCKET;
        spool.append(bytes)?;
        Ok(spool)
    }

    /// Gives standard input itself to a command that could not be started and is run another way,
    /// if nothing was taken out of it.
    pub fn put_back(&self, source: &mut Option<Source>) {
        if self.peeked.is_some() || self.own.is_some() {
            *source = Some(Source::Inherit);
        }
    }

    /// Returns whether its whole contents were taken out of it.
    pub fn was_taken(&self) -> bool {
        self.taken.is_some()
    }

    /// Returns whether a command got the input taken out of a pipe, so that its rest is known.
    pub fn was_read(&self) -> bool {
        self.unread.is_some()
    }

    /// Returns how much a recorded command has read of its own standard input. None if that says
    /// nothing: of a file, if it has not read at all.
    pub fn consumed(&self) -> Result<Option<u64>, Untold> {
        if let Some(taken) = self.taken {
            return Ok(self.unread.and_then(|unread| taken.checked_sub(unread)));
        }
        if let Some(bytes) = &self.peeked {
            let unread = self.unread.ok_or(Untold)?;
            return (bytes.len() as u64).checked_sub(unread).map(Some).ok_or(Untold);
        }
        let moved = self.moved()?;
        u64::try_from(moved).map(|moved| (moved > 0).then_some(moved)).map_err(|_| Untold)
    }

    /// Returns by how much the command has moved the offset of a file.
    fn moved(&self) -> Result<i64, Untold> {
        let Some(start) = self.file else { return Ok(0) };
        let now = rustix::fs::tell(self.own.as_ref().ok_or(Untold)?).map_err(|_| Untold)?;
        Ok(now.cast_signed().wrapping_sub(start.offset.cast_signed()))
    }

    /// Records how much of the input taken or copied from a pipe the command did not read, and
    /// takes that input back.
    pub fn leaves_unread(&mut self, (unread, spool): (Option<u64>, Spool)) {
        self.unread = unread;
        if self.was_taken() {
            self.source = Source::Feed(spool);
        }
    }

    /// Leaves standard input as the recorded command left its own.
    pub fn follow(&self) {
        if self.file.is_some() {
            self.shift(self.moved().unwrap_or_default());
        } else if self.peeked.is_some() {
            self.skip(self.consumed().ok().flatten().unwrap_or_default(), || false);
        }
    }

    /// Leaves standard input as if a command had read `consumed` bytes. Returns how many of those
    /// that were taken out of a pipe are lost, if somebody `reads_on`.
    pub fn skip(&self, consumed: u64, reads_on: impl FnOnce() -> bool) -> u64 {
        if let Some(taken) = self.taken {
            let lost = taken.saturating_sub(consumed);
            return if lost > 0 && reads_on() { lost } else { 0 };
        }
        if let Some(bytes) = &self.peeked {
            let stdin = rustix::stdio::stdin();
            let wanted = bytes.len().min(usize::try_from(consumed).unwrap_or(usize::MAX));
            // Nobody writes to it any more: if its length is the same, so are its contents.
            if wanted > 0 && rustix::io::ioctl_fionread(stdin) == Ok(bytes.len() as u64) {
                let _ = fsutil::read_full(stdin, &mut vec![0; wanted]);
            }
        } else if let Ok(consumed) = i64::try_from(consumed) {
            self.shift(consumed);
        }
        0
    }

    /// Returns whether it is a file, whose offset moves without anything being taken out.
    pub fn is_file(&self) -> bool {
        self.file.is_some()
    }

    /// Undoes [`Stdin::skip`] for a file.
    pub fn unskip(&self, consumed: u64) {
        if let (Some(Start { offset, .. }), Ok(by)) = (self.file, i64::try_from(consumed)) {
            shift(offset.wrapping_add(consumed), by.wrapping_neg());
        }
    }

    /// Moves the offset of a file, unless somebody else has moved it.
    fn shift(&self, by: i64) {
        if let Some(Start { offset, .. }) = self.file {
            shift(offset, by);
        }
    }

    /// Returns whether the command does not, or did not, get the input that was hashed.
    pub fn changed(&self) -> bool {
        let Some(then) = self.file else { return false };
        let stdin = rustix::stdio::stdin();
        if rustix::fs::fstat(stdin).map(|stat| Stamp::of(&stat)) != Ok(then.stamp) {
            return true;
        }
        let Digest::Contents { hash, .. } = self.digest else { return false };
        // The system time of that moment: reading the clock then would have cost every hit.
        let at = stamp::now() - i64::try_from(then.at.elapsed().as_nanos()).unwrap_or(i64::MAX);
        then.stamp.is_racy(at) && hashing::to_the_end(stdin, 0) != Ok(hash)
    }

    /// Returns a private file with the same standard input for another process, from where it
    /// began. None where the command gets nothing that can be read later. `closed` tells whether
    /// standard input was closed when cachex started.
    pub fn again(&mut self, closed: bool) -> std::io::Result<Option<File>> {
        if let Some(bytes) = &self.peeked {
            self.source = Source::Feed(self.spooled(bytes)?);
        }
        match (&self.source, self.file) {
            (Source::Feed(spool), _) => spool.to_file().map(Some),
            (Source::Inherit, Some(file)) if !closed => {
                anew::opened(file.offset).or_else(|_| anew::copied(file.offset)).map(Some)
            }
            _ if self.digest == Digest::Kind(WRITE_ONLY) => {
                File::options().write(true).open("/dev/null").map(Some)
            }
            _ => Ok(None),
        }
    }
}

/// Moves the offset of standard input by this amount, if it still is at `from`.
fn shift(from: u64, by: i64) {
    let stdin = rustix::stdio::stdin();
    let Some(there) = from.checked_add_signed(by) else { return };
    if by == 0 || rustix::fs::tell(stdin) != Ok(from) {
        return;
    }
    if rustix::fs::seek(stdin, SeekFrom::Current(by)).is_ok_and(|now| now != there) {
        // Somebody else has moved it between these two calls.
        let _ = rustix::fs::seek(stdin, SeekFrom::Current(by.wrapping_neg()));
    }
}

impl Stdin {
    /// Returns whether it is as it was found, so that a second process can be given the same.
    pub fn is_untaken(&self) -> bool {
        let was_taken = self.peeked.is_some() || matches!(self.source, Source::Feed(_));
        !was_taken && self.digest != Digest::Kind(INHERIT)
    }
}

/// Returns the standard input of a refresher: a private file with its caller's input of this kind.
/// None if there is no such kind, or the file cannot be read.
pub fn passed_on(kind: &str) -> Option<Stdin> {
    let kind = KINDS.into_iter().find(|known| *known == kind)?;
    if ![FILE, PIPE, SOCKET].contains(&kind) {
        return Some(Stdin::kind(kind, Source::Inherit));
    }
    let stat = rustix::fs::fstat(rustix::stdio::stdin()).ok()?;
    let own = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3).ok()?;
    Some(Stdin { own: Some(own), ..take_file(kind, &stat).ok()? })
}

/// An error: standard input cannot be part of the key, so the result cannot be cached.
#[derive(Debug)]
pub struct Unknown {
    /// The reason.
    pub why: Why,
    /// The source for the command nevertheless.
    pub source: Source,
}

impl Unknown {
    fn untouched(why: Why) -> Unknown {
        Unknown { why, source: Source::Inherit }
    }
}

/// Reads standard input for the key. `closed` tells whether it was closed when cachex started.
pub fn take(mode: StdinMode, closed: bool) -> Result<Stdin, Unknown> {
    match mode {
        StdinMode::Null => return Ok(Stdin::kind(NULL, Source::Null)),
        StdinMode::Inherit => return Ok(Stdin::kind(INHERIT, Source::Inherit)),
        StdinMode::Hash if closed => return Ok(Stdin::kind(CLOSED, Source::Inherit)),
        StdinMode::Hash => {}
    }
    let stdin = rustix::stdio::stdin();
    let unreadable = |_| Unknown::untouched(Why::Unreadable);
    let stat = rustix::fs::fstat(stdin).map_err(unreadable)?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::CharacterDevice if null::is_device(stat.st_rdev) => {
            let flags = rustix::fs::fcntl_getfl(stdin).map_err(unreadable)?;
            let is_unreadable =
                flags.contains(OFlags::PATH) || flags & OFlags::ACCMODE == OFlags::WRONLY;
            let kind = if is_unreadable { WRITE_ONLY } else { EMPTY };
            Ok(Stdin::kind(kind, Source::Inherit))
        }
        FileType::CharacterDevice if rustix::termios::isatty(stdin) => {
            Ok(Stdin::kind(TERMINAL, Source::Inherit))
        }
        FileType::RegularFile => {
            if shared::is_an_output(&stat) {
                // Its contents depend on what the command prints.
                return Err(Unknown::untouched(Why::Output));
            }
            take_file(FILE, &stat).map_err(unreadable)
        }
        FileType::Fifo if keeps_messages_apart() => Err(Unknown::untouched(Why::Messages)),
        FileType::Socket if rustix::net::sockopt::socket_type(stdin) != Ok(SocketType::STREAM) => {
            Err(Unknown::untouched(Why::Messages))
        }
        FileType::Fifo => pipe::take(PIPE, caller_reads_on),
        // A peer that gets answers through the same socket may ask more, and has to see its end.
        FileType::Socket => pipe::take(SOCKET, || caller_reads_on() || shared::is_an_output(&stat)),
        _ => Err(Unknown::untouched(Why::Unreadable)),
    }
}

/// Returns whether standard input is a pipe from which each read takes what one write wrote.
fn keeps_messages_apart() -> bool {
    #[cfg(target_os = "linux")]
    {
        let flags = rustix::fs::fcntl_getfl(rustix::stdio::stdin());
        flags.is_ok_and(|flags| flags.contains(OFlags::DIRECT))
    }
    #[cfg(not(target_os = "linux"))]
    false
}

/// Hashes a file with this status.
fn take_file(kind: &'static str, stat: &Stat) -> rustix::io::Result<Stdin> {
    let stdin = rustix::stdio::stdin();
    let (stamp, at) = (Stamp::of(stat), Instant::now());
    let offset = rustix::fs::tell(stdin)?;
    // A command may also read what precedes the offset: through `/dev/stdin` or by a seek.
    let hash = hashing::to_the_end(stdin, 0)?;
    let digest = Digest::Contents { kind, hash, offset };
    Ok(Stdin { file: Some(Start { offset, stamp, at }), ..Stdin::new(digest, Source::Inherit) })
}
