//! One stream, chunk by chunk.

use super::destination::Destination;
use cachex_base::record::frames::{Loss, Stream};
use cachex_base::system::fsutil;
use rustix::buffer::spare_capacity;
use rustix::event::{PollFd, PollFlags};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::FileType;
use rustix::io::Errno;
use std::time::{Duration, Instant};

/// How long a command may go on after its reader went away,
const ABANDONED_TIME: Duration = Duration::from_secs(10);
/// and how many bytes more it may print.
const ABANDONED_BYTES: u64 = 64 << 20;

/// How long the command may take to end after its streams, most often with them.
const SOON: Duration = Duration::from_millis(10);

/// How much is read at once.
pub const CHUNK: usize = 64 * 1024;
/// What a stream's pipe is widened to once the command has filled it, and its reader has
/// taken as much: fewer, larger chunks for those who print a lot. The most Linux allows to
/// everyone. What is in it when its reader leaves the command believes to have been read.
const WIDE: usize = 1 << 20;

/// One stream on its way from the command to cachex's own.
pub struct OutputStream {
    /// Which.
    pub stream: Stream,
    /// The read end of the command's pipe, or its terminal; none after its end.
    pub source: Option<OwnedFd>,
    /// Where it goes.
    pub outlet: Destination,
    /// Why some of it is lost, unless its reader just left.
    pub lost: Option<Loss>,
    /// When it last moved on.
    pub moved: Instant,
    /// What was read last.
    buffer: Vec<u8>,
    /// How much of it has been passed on.
    sent: usize,
    /// How much of all of it has been passed on.
    passed: usize,
    /// Whether the pipe is as wide as it gets.
    is_wide: bool,
    /// Since when there is no reader, and what was read since then.
    abandoned: Option<(Instant, u64)>,
    /// Whether its reader is looked after while there is nothing to pass on.
    reader: Reader,
    /// Whether that is not for want of a reader: it goes where there is no room, say.
    is_unwritable: bool,
    /// When nobody had the command's end of it any more.
    ended: Option<Instant>,
    /// How much of what the command printed is still on its way, once it has ended. What
    /// comes after that is something's that it left behind.
    owed: Option<u64>,
    /// Whether a read never waits.
    is_unblocked: bool,
}

/// The reader of a stream that is shown as it comes, as far as it is known before anything is
/// passed on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reader {
    /// It is there, as far as is known.
    Watched,
    /// It has left.
    Gone,
    /// It is not a pipe's, so that its end is nothing that a command would look for.
    Unwatched,
}

/// What a leg keeps its chunks in.
pub fn buffer() -> Vec<u8> {
    Vec::with_capacity(CHUNK)
}

impl OutputStream {
    /// A leg that starts at `source`, which is cachex's alone, and keeps its chunks in
    /// what [`buffer`] gave.
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
            is_unwritable: false,
            ended: None,
            owed: None,
            is_unblocked,
        }
    }

    /// Whether something was read that could not be passed on yet.
    pub fn is_pending(&self) -> bool {
        self.sent < self.buffer.len()
    }

    /// Whether the stream has ended and has been passed on.
    pub fn is_done(&self) -> bool {
        self.source.is_none() && !self.is_pending()
    }

    /// Whether nothing moves: it is done, or its reader takes nothing.
    pub fn is_idle(&self) -> bool {
        self.source.is_none() || self.is_pending()
    }

    /// Notes that the command has ended: what is in the pipe now is the last of it.
    pub fn note_the_end(&mut self) {
        let Some(source) = &self.source else { return };
        let waiting = rustix::io::ioctl_fionread(source).unwrap_or(u64::MAX);
        let unsent = (self.buffer.len() - self.sent) as u64;
        self.owed = Some(waiting.saturating_add(unsent));
    }

    /// Whether all that the command printed has been passed on, and something that it left
    /// behind can print more.
    pub fn is_left_behind(&self) -> bool {
        self.source.is_some() && self.owed == Some(0)
    }

    /// Whether something was printed on it, or can be, that was not read yet.
    pub fn has_more(&self) -> bool {
        let Some(source) = &self.source else { return false };
        is_held(source) || rustix::io::ioctl_fionread(source).unwrap_or(0) > 0
    }

    /// Whether its reader takes nothing, and somebody can print more.
    pub fn is_stuck(&self) -> bool {
        self.is_pending() && self.source.as_ref().is_some_and(is_held)
    }

    /// Whether something that was printed could not be passed on, nor will the rest be.
    pub fn is_abandoned(&self) -> bool {
        self.abandoned.is_some()
    }

    /// The same, if the command would have been told by SIGPIPE.
    pub fn lacks_a_reader(&self) -> bool {
        self.is_abandoned() && !self.is_unwritable
    }

    /// When cachex's own stream is to end, because the command has ended its own and goes on.
    pub fn ends_at(&self) -> Option<Instant> {
        let is_shown = !self.is_pending() && matches!(self.outlet, Destination::Live(_));
        self.ended.filter(|_| is_shown).map(|at| at + SOON)
    }

    /// Takes the end of the stream for the command's own, which is about to end.
    pub fn postpone_the_end(&mut self) {
        self.ended = self.ended.map(|_| Instant::now());
    }

    /// Notes that there is nothing left to pass on, nor to end.
    pub fn leave(&mut self) {
        self.ended = None;
        self.outlet = Destination::Nowhere;
    }

    /// Whether it never had a source of its own: the other one has both streams.
    pub fn is_of_the_other(&self) -> bool {
        self.source.is_none() && self.ended.is_none()
    }

    /// Ends the stream where it is: whoever prints on it is told by the system.
    pub fn close(&mut self) {
        self.source = None;
        self.sent = self.buffer.len();
    }

    /// Passes on what can be passed on now; whether anything came from the command.
    pub fn advance(&mut self, mut record: impl FnMut(Stream, &[u8])) -> bool {
        self.send();
        let mut any = false;
        // A few chunks at a time, so that the other stream has its turn.
        for _ in 0..4 {
            let pending = self.is_pending();
            let Some(source) = self.source.as_ref().filter(|_| !pending) else { break };
            self.buffer.clear();
            self.sent = 0;
            if !self.is_unblocked && fsutil::is_ready(source, PollFlags::IN) == Ok(false) {
                break;
            }
            let buffer = &mut self.buffer;
            let read = || rustix::io::read(source, spare_capacity(buffer));
            match fsutil::persistently(read) {
                Ok(0) => {
                    self.source = None;
                    self.ended = Some(Instant::now());
                }
                Ok(n) => {
                    any = true;
                    self.send();
                    record(self.stream, &self.buffer);
                    if n >= CHUNK && !self.is_wide && self.is_read() {
                        self.widen();
                    }
                }
                Err(Errno::AGAIN) => {
                    self.owed = self.owed.map(|_| 0);
                    break;
                }
                // A terminal that nobody has open any more.
                Err(Errno::IO) if rustix::termios::isatty(source) => self.source = None,
                // The rest is lost, and the command is to see that.
                Err(errno) => {
                    self.lost = Some(Loss::Reading(errno));
                    self.source = None;
                }
            }
        }
        any
    }

    /// What must be ready for [`OutputStream::advance`] to do anything, and for what.
    pub fn waits_for(&self) -> Option<PollFd<'_>> {
        if self.is_pending() {
            let outlet = self.outlet.descriptor()?;
            Some(PollFd::from_borrowed_fd(outlet, PollFlags::OUT))
        } else {
            Some(PollFd::new(self.source.as_ref()?, PollFlags::IN))
        }
    }

    /// Its reader, if its departure is to be noticed although nothing is to be passed on.
    pub fn watches(&self) -> Option<PollFd<'_>> {
        let is_idle = !self.is_pending() && self.source.is_some() && !self.is_abandoned();
        match (&self.outlet, self.reader) {
            (Destination::Live(sink), Reader::Watched) if is_idle => {
                Some(PollFd::from_borrowed_fd(sink.as_fd(), PollFlags::empty()))
            }
            _ => None,
        }
    }

    /// Looks whether a reader that is watched has left.
    pub fn notice_departure(&mut self) {
        let Some(reader) = self.watches() else { return };
        let reader = reader.as_fd();
        if fsutil::is_ready(reader, PollFlags::empty()) != Ok(true) {
            return;
        }
        let kind = rustix::fs::fstat(reader).map(|stat| FileType::from_raw_mode(stat.st_mode));
        let is_pipe = matches!(kind, Ok(FileType::Fifo));
        self.reader = if is_pipe { Reader::Gone } else { Reader::Unwatched };
    }

    /// Whether its reader has left, and nothing has been printed since then.
    pub fn is_unread(&self) -> bool {
        self.reader == Reader::Gone && self.source.is_some() && !self.is_abandoned()
    }

    /// Passes on what was not read from the command now: [`CHUNK`] bytes at the most.
    pub fn insert(&mut self, bytes: &[u8]) {
        self.buffer.clear();
        self.sent = 0;
        self.buffer.extend_from_slice(bytes);
        self.send();
    }

    /// Passes on what is pending.
    pub fn send(&mut self) {
        while self.is_pending() {
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
                // The command would have been told so of this write alone, and might write
                // again to better effect. Few programs look at it.
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

    /// When it is let go of because there is no reader.
    pub fn deadline(&self) -> Option<Instant> {
        self.source.as_ref()?;
        self.abandoned.map(|(since, _)| since + ABANDONED_TIME)
    }

    /// Lets go of a stream whose reader left long enough ago, so that the
    /// command finds out as it would have; whether it did.
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

    /// Whether somebody reads on, who has taken a lot, or nobody is to.
    fn is_read(&self) -> bool {
        matches!(self.outlet, Destination::Nowhere) || self.passed >= WIDE
    }

    /// Has the pipe and the buffer hold more; the latter keeps what is in it.
    fn widen(&mut self) {
        // Not to be tried twice.
        self.is_wide = true;
        #[cfg(target_os = "linux")]
        if let Some(source) = &self.source
            && rustix::pipe::fcntl_setpipe_size(source, WIDE).is_ok()
        {
            // Where there is no memory for that, chunks stay as they are.
            let _ = self.buffer.try_reserve_exact(4 * CHUNK - self.buffer.len());
        }
    }
}

/// Whether somebody has the other end of a pipe.
fn is_held(source: &OwnedFd) -> bool {
    fsutil::is_ready(source, PollFlags::empty()) == Ok(false)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use cachex_base::streams::nonblocking_writer::NonblockingWriter;
    use std::io::{PipeReader, PipeWriter, Read, Write, pipe};

    /// A leg from a pipe that is full of this into one of its own.
    fn leg() -> (OutputStream, PipeWriter, PipeReader) {
        let (source, command) = pipe().unwrap();
        let (reader, outlet) = pipe().unwrap();
        let outlet: &'static PipeWriter = Box::leak(Box::new(outlet));
        let outlet = Destination::Live(NonblockingWriter::new(outlet.as_fd()));
        (OutputStream::new(Stream::Stdout, Some(source.into()), outlet, buffer()), command, reader)
    }

    fn size(leg: &OutputStream) -> usize {
        rustix::pipe::fcntl_getpipe_size(leg.source.as_ref().unwrap()).unwrap()
    }

    #[test]
    fn what_nobody_reads_has_no_more_room_than_without_cachex() {
        let (mut leg, mut command, mut reader) = leg();
        let mut fill = |leg: &mut OutputStream| {
            command.write_all(&vec![b'x'; CHUNK]).unwrap();
            leg.advance(|_, _| {});
        };
        fill(&mut leg);
        fill(&mut leg);
        assert!(leg.is_pending());
        assert_eq!(size(&leg), CHUNK);
        for _ in 0..=(WIDE / CHUNK) {
            reader.read_exact(&mut vec![0; CHUNK]).unwrap();
            fill(&mut leg);
        }
        assert_eq!(size(&leg), WIDE, "its reader has taken a lot");
    }
}
