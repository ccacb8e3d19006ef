//! Relays one output stream, chunk by chunk.

use super::destination::Destination;
use cachex_base::record::frames::{Loss, Stream};
use cachex_base::streams::nonblocking_writer;
use cachex_base::system::fsutil;
use rustix::buffer::spare_capacity;
use rustix::event::{PollFd, PollFlags};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::FileType;
use rustix::io::Errno;
use std::time::{Duration, Instant};

/// The time for which a command may go on after its reader left.
const ABANDONED_TIME: Duration = Duration::from_secs(2);
/// The number of bytes that it may still print then.
const ABANDONED_BYTES: u64 = 64 << 20;

/// The time that a command usually takes to end after it closed its streams.
const SOON: Duration = Duration::from_millis(10);

/// The size of a read, in bytes.
pub const CHUNK: usize = 64 * 1024;
/// The size to which a pipe is enlarged once the command has filled it and its reader has taken as
/// much: fewer, larger chunks. This is Linux's limit for unprivileged users. The command believes
/// that everything in the pipe was read, even if the reader leaves.
const WIDE: usize = 1 << 20;

/// One stream on its way from the command to cachex's own.
pub struct OutputStream {
    /// The kind of stream.
    pub stream: Stream,
    /// The read end of the command's pipe, or its terminal; none at the end of the stream.
    pub source: Option<OwnedFd>,
    /// The destination.
    pub outlet: Destination,
    /// The reason for lost output, unless its reader just left.
    pub lost: Option<Loss>,
    /// The time of the last progress.
    pub moved: Instant,
    /// The chunk that was read last.
    buffer: Vec<u8>,
    /// The bytes of the buffer that have been passed on.
    sent: usize,
    /// The bytes of the stream that have been passed on.
    passed: usize,
    /// True once the pipe was to be enlarged.
    is_wide: bool,
    /// The time at which the reader left, and the bytes read since then.
    abandoned: Option<(Instant, u64)>,
    /// The reader, which is watched while there is nothing to pass on.
    reader: Reader,
    /// The bytes that were discarded because the terminal is gone.
    unseen: u64,
    /// True if the output is abandoned for another reason than a missing reader: a full disk, say.
    is_unwritable: bool,
    /// The time at which the last writer closed its end.
    ended: Option<Instant>,
    /// The bytes that the command printed and that are not passed on yet, once it has ended.
    /// Anything beyond comes from a process that it left behind.
    owed: Option<u64>,
    /// True if reads never block.
    is_unblocked: bool,
    /// The bytes that were read ahead: they are passed on by [`OutputStream::insert_late`].
    ahead: usize,
}

/// The reader of a live stream, as far as it is known before anything is passed on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reader {
    /// Present, as far as is known.
    Watched,
    /// Gone.
    Gone,
    /// Not watched: the output is no pipe, and no command would check for its end.
    Unwatched,
}

/// Allocates the buffer of a stream.
pub fn buffer() -> Vec<u8> {
    Vec::with_capacity(CHUNK)
}

impl OutputStream {
    /// Creates a stream that reads from `source`, which nobody else reads, into a buffer that
    /// [`buffer`] allocated.
    pub fn new(
        stream: Stream,
        source: Option<OwnedFd>,
        outlet: Destination,
        buffer: Vec<u8>,
    ) -> OutputStream {
        let is_unblocked = source.as_ref().is_none_or(fsutil::unblock);
        OutputStream {
            stream,
            source,
            outlet,
            lost: None,
            moved: Instant::now(),
            buffer,
            sent: 0,
            passed: 0,
            is_wide: false,
            abandoned: None,
            reader: Reader::Watched,
            unseen: 0,
            is_unwritable: false,
            ended: None,
            owed: None,
            is_unblocked,
            ahead: 0,
        }
    }

    /// Returns whether something was read that could not be passed on yet.
    pub fn is_pending(&self) -> bool {
        self.unsent() > 0
    }

    /// Returns how many bytes were read and could not be passed on yet.
    fn unsent(&self) -> usize {
        self.buffer.len() - self.sent + self.ahead
    }

    /// Returns whether what was read last waits for the reader.
    pub fn is_held_up(&self) -> bool {
        self.sent < self.buffer.len()
    }

    /// Returns whether the stream has ended and has been passed on.
    pub fn is_done(&self) -> bool {
        self.source.is_none() && !self.is_pending()
    }

    /// Returns whether the stream cannot move: it is done, or its reader takes nothing.
    pub fn is_idle(&self) -> bool {
        self.source.is_none() || self.is_pending()
    }

    /// Notes that the command has ended: the pipe now holds the last of its output.
    pub fn note_the_end(&mut self) {
        let Some(source) = &self.source else { return };
        let waiting = rustix::io::ioctl_fionread(source).unwrap_or(u64::MAX);
        self.owed = Some(waiting.saturating_add(self.unsent() as u64));
    }

    /// Returns whether all of the command's output has been passed on, while a process that it left
    /// behind can still print.
    pub fn is_left_behind(&self) -> bool {
        self.source.is_some() && self.owed == Some(0)
    }

    /// Returns whether unread output exists or can still be printed.
    pub fn has_more(&self) -> bool {
        let Some(source) = &self.source else { return false };
        is_held(source) || self.has_unread()
    }

    /// Returns whether there is output that was printed and not read.
    pub fn has_unread(&self) -> bool {
        self.source.as_ref().is_some_and(|it| rustix::io::ioctl_fionread(it).unwrap_or(0) > 0)
    }

    /// Returns whether the reader takes nothing while somebody can still print.
    pub fn is_stuck(&self) -> bool {
        self.is_pending() && self.source.as_ref().is_some_and(is_held)
    }

    /// Returns whether output could not be passed on, and the rest will not be.
    pub fn is_abandoned(&self) -> bool {
        self.abandoned.is_some()
    }

    /// Returns whether it is abandoned, and SIGPIPE would have told the command.
    pub fn lacks_a_reader(&self) -> bool {
        self.is_abandoned() && !self.is_unwritable
    }

    /// Returns when to close cachex's own stream, after the command has closed its own.
    pub fn ends_at(&self) -> Option<Instant> {
        let is_shown = !self.is_pending() && matches!(self.outlet, Destination::Live(_));
        self.ended.filter(|_| is_shown).map(|at| at + SOON)
    }

    /// Postpones the close of cachex's own stream, because the command is about to end.
    pub fn postpone_the_end(&mut self) {
        self.ended = self.ended.map(|_| Instant::now());
    }

    /// Notes that there is nothing left to pass on or to close.
    pub fn leave(&mut self) {
        self.ended = None;
        self.outlet = Destination::Nowhere;
    }

    /// Returns whether this stream never had a source: the other one carries both.
    pub fn is_of_the_other(&self) -> bool {
        self.source.is_none() && self.ended.is_none()
    }

    /// Closes the stream: the system tells whoever still prints on it.
    pub fn close(&mut self) {
        self.source = None;
        self.sent = self.buffer.len();
    }

    /// Passes on what it can now: `look` is called first, and `record` gets it afterwards. Returns
    /// whether anything came from the command.
    pub fn advance(
        &mut self,
        mut look: impl FnMut(),
        mut record: impl FnMut(Stream, &[u8]),
    ) -> bool {
        self.send();
        let mut any = false;
        // A few chunks at a time, so that the other stream gets its turn.
        for _ in 0..4 {
            if self.is_pending() {
                break;
            }
            let mut buffer = std::mem::take(&mut self.buffer);
            buffer.clear();
            self.sent = 0;
            let read = self.read(&mut buffer);
            self.buffer = buffer;
            let Some(n) = read else { break };
            any = true;
            look();
            self.send();
            record(self.stream, &self.buffer);
            if n >= CHUNK && !self.is_wide && self.is_read() {
                self.widen();
            }
        }
        any
    }

    /// Reads what the command has printed, if that is anything, and passes it on later: so many bytes
    /// at the most.
    pub fn read_ahead(&mut self, most: usize) -> Option<Vec<u8>> {
        let mut buffer = Vec::with_capacity(most);
        self.ahead += self.read(&mut buffer)?;
        Some(buffer)
    }

    /// Reads into the free part of a buffer. Returns how many bytes; `None` if there are none now.
    fn read(&mut self, buffer: &mut Vec<u8>) -> Option<usize> {
        let source = self.source.as_ref()?;
        if !self.is_unblocked && fsutil::is_ready(source, PollFlags::IN) == Ok(false) {
            return None;
        }
        let read = || rustix::io::read(source, spare_capacity(buffer));
        match fsutil::persistently(read) {
            Ok(0) => {
                self.source = None;
                self.ended = Some(Instant::now());
            }
            Ok(n) => return Some(n),
            Err(Errno::AGAIN) => self.owed = self.owed.map(|_| self.unsent() as u64),
            // Nobody has the terminal open any more.
            Err(Errno::IO) if rustix::termios::isatty(source) => self.source = None,
            // The rest is lost, and the command has to see that.
            Err(errno) => {
                self.lost = Some(Loss::Reading(errno));
                self.source = None;
            }
        }
        None
    }

    /// Returns what must be ready for [`OutputStream::advance`] to make progress.
    pub fn waits_for(&self) -> Option<PollFd<'_>> {
        if self.is_pending() {
            let outlet = self.outlet.descriptor()?;
            Some(PollFd::from_borrowed_fd(outlet, PollFlags::OUT))
        } else {
            self.reads_from()
        }
    }

    /// Returns what must be ready for [`OutputStream::read_ahead`] to read anything.
    pub fn reads_from(&self) -> Option<PollFd<'_>> {
        Some(PollFd::new(self.source.as_ref()?, PollFlags::IN))
    }

    /// Returns the reader to poll, if its departure matters although nothing is to be passed on.
    pub fn watches(&self) -> Option<PollFd<'_>> {
        let is_idle = !self.is_pending() && self.source.is_some() && !self.is_abandoned();
        match (&self.outlet, self.reader) {
            (Destination::Live(sink), Reader::Watched) if is_idle => {
                Some(PollFd::from_borrowed_fd(sink.as_fd(), PollFlags::empty()))
            }
            _ => None,
        }
    }

    /// Checks whether a watched reader has left.
    pub fn notice_departure(&mut self) {
        let Some(reader) = self.watches() else { return };
        if let Some(reader) = departed(reader.as_fd()) {
            self.reader = reader;
        }
    }

    /// Returns whether the reader has left, and nothing has been printed since then.
    pub fn is_unread(&self) -> bool {
        self.reader == Reader::Gone && self.source.is_some() && !self.is_abandoned()
    }

    /// Passes on bytes that were not read from the command now: at most [`CHUNK`].
    pub fn insert(&mut self, bytes: &[u8]) {
        self.buffer.clear();
        self.sent = 0;
        self.buffer.extend_from_slice(bytes);
        self.send();
    }

    /// Passes on bytes that were read ahead. What was read before has been passed on.
    pub fn insert_late(&mut self, bytes: &[u8]) {
        self.ahead -= bytes.len();
        self.insert(bytes);
    }

    /// Discards what is pending, as if it had been passed on.
    pub fn discard(&mut self) {
        let unsent = self.unsent();
        self.owed = self.owed.map(|owed| owed.saturating_sub(unsent as u64));
        (self.sent, self.ahead) = (self.buffer.len(), 0);
    }

    /// Discards what the command has printed until now and was not read.
    pub fn discard_unread(&mut self) {
        let unread = |source| rustix::io::ioctl_fionread(source).unwrap_or(0);
        let mut buffer = Vec::with_capacity(self.source.as_ref().map_or(0, unread) as usize);
        if buffer.capacity() > 0 {
            let read = self.read(&mut buffer).unwrap_or(0) as u64;
            self.owed = self.owed.map(|owed| owed.saturating_sub(read));
        }
    }

    /// Passes on what is pending.
    pub fn send(&mut self) {
        while self.is_held_up() {
            let unsent = &self.buffer[self.sent..];
            if let Some((_, bytes)) = &mut self.abandoned {
                let unsent = unsent.len() as u64;
                *bytes += unsent;
                self.owed = self.owed.map(|owed| owed.saturating_sub(unsent));
                self.sent = self.buffer.len();
                return;
            }
            match self.outlet.write(unsent) {
                Ok(n) => {
                    self.sent += n;
                    self.passed = self.passed.saturating_add(n);
                    self.owed = self.owed.map(|owed| owed.saturating_sub(n as u64));
                    self.moved = Instant::now();
                }
                Err(Errno::AGAIN) => return,
                // Whoever survives the end of its terminal goes on, and finds out if it prints on.
                Err(Errno::IO) if self.outlet.has_hung_up() => {
                    self.unseen = self.unseen.saturating_add(unsent.len() as u64);
                    if self.unseen >= ABANDONED_BYTES {
                        (self.abandoned, self.is_unwritable) = (Some((Instant::now(), 0)), true);
                    }
                    self.lost = Some(Loss::HungUp);
                    self.owed = self.owed.map(|owed| owed.saturating_sub(unsent.len() as u64));
                    self.sent = self.buffer.len();
                }
                // Without cachex, only this write would have failed, and a later one might succeed.
                // Few programs check for errors on standard error.
                Err(errno) if errno != Errno::PIPE && self.stream == Stream::Stderr => {
                    self.lost = Some(Loss::Writing(errno));
                    self.owed = self.owed.map(|owed| owed.saturating_sub(unsent.len() as u64));
                    self.sent = self.buffer.len();
                }
                Err(errno) => {
                    if errno != Errno::PIPE {
                        self.lost = Some(Loss::Writing(errno));
                        self.is_unwritable = true;
                    }
                    self.abandoned = Some((Instant::now(), 0));
                }
            }
        }
    }

    /// Returns when the stream is closed for want of a reader.
    pub fn deadline(&self) -> Option<Instant> {
        self.source.as_ref()?;
        self.abandoned.map(|(since, _)| since + ABANDONED_TIME)
    }

    /// Closes a stream whose reader left long enough ago, so that the command finds out as it would
    /// have without cachex. Returns whether it was closed.
    pub fn let_go(&mut self) -> bool {
        let over = |(since, bytes): (Instant, u64)| {
            since.elapsed() >= ABANDONED_TIME || bytes >= ABANDONED_BYTES
        };
        let over = self.source.is_some() && self.abandoned.is_some_and(over);
        if over {
            self.source = None;
        }
        over
    }

    /// Returns whether the reader has taken a lot, or there is none to wait for.
    fn is_read(&self) -> bool {
        matches!(self.outlet, Destination::Nowhere) || self.passed >= WIDE
    }

    /// Enlarges the pipe and the buffer, which keeps its contents.
    fn widen(&mut self) {
        // Do not try twice.
        self.is_wide = true;
        #[cfg(target_os = "linux")]
        if let Some(source) = &self.source
            // What is in the pipe is still shown after Ctrl-C.
            && !self.outlet.descriptor().is_some_and(rustix::termios::isatty)
            && rustix::pipe::fcntl_setpipe_size(source, WIDE).is_ok()
        {
            // If memory is short, chunks stay as they are.
            let _ = self.buffer.try_reserve_exact(4 * CHUNK - self.buffer.len());
        }
    }
}

/// Returns whether the other end of a pipe is open.
fn is_held(source: &OwnedFd) -> bool {
    fsutil::is_ready(source, PollFlags::empty()) == Ok(false)
}

/// Returns whether the reader of the pipe that is this output of cachex has left.
pub fn has_lost_its_reader(stream: Stream) -> bool {
    matches!(departed(nonblocking_writer::own(stream)), Some(Reader::Gone))
}

/// Checks whether a reader has left; of anything but a pipe that cannot be told. None if nothing
/// has happened.
fn departed(output: BorrowedFd<'_>) -> Option<Reader> {
    if fsutil::is_ready(output, PollFlags::empty()) != Ok(true) {
        return None;
    }
    let kind = rustix::fs::fstat(output).map(|stat| FileType::from_raw_mode(stat.st_mode));
    let is_pipe = matches!(kind, Ok(FileType::Fifo));
    Some(if is_pipe { Reader::Gone } else { Reader::Unwatched })
}

#[cfg(all(test, target_os = "linux"))]
mod tests;
