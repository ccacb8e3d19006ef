//! Following the run of another process: its output, as it is produced.
//!
//! The live files belong to this user, and nothing verifies them: they hold what the other process
//! just wrote. Whatever they contain, reads stay within their length, and malformed records end the
//! following. A slow reader slows down nobody else: the files keep what has not been read.

use cachex_base::process::fallback;
use cachex_base::record::frames::{Frame, Stream};
use cachex_base::streams::nonblocking_writer::{NonblockingWriter, Outputs, has_hung_up};
use cachex_base::streams::output_prefix::{OutputPrefix, PrefixCheck};
use cachex_base::system::fsutil;
use cachex_store::Root;
use cachex_store::live::{Live, Record, Records};
use cachex_store::lock::{End, LiveFiles};
use rustix::fd::{AsFd, BorrowedFd};
use rustix::io::Errno;
use std::ops::Range;

const CHUNK: usize = 64 * 1024;
/// The most chunks shown before control returns to the caller.
const TURN: usize = 16;

/// The readers of this process's output, and the output shown to them.
pub struct Audience {
    sinks: [NonblockingWriter<'static>; 2],
    /// True if the reader of each stream left.
    left: [bool; 2],
    /// The output shown, including what readers that left would have been shown.
    pub printed: OutputPrefix,
}

impl Audience {
    /// Returns the readers of this process's standard output and standard error.
    pub fn new() -> Audience {
        Audience {
            sinks: Stream::BOTH.map(NonblockingWriter::of),
            left: [false; 2],
            printed: OutputPrefix::default(),
        }
    }

    /// Returns a descriptor that becomes writable when a stream can take more.
    pub fn awaited(&self, stream: Stream) -> BorrowedFd<'_> {
        self.sinks[stream as usize].as_fd()
    }

    /// Shows some of `bytes`; returns how many were shown.
    fn show(&mut self, stream: Stream, bytes: &[u8]) -> rustix::io::Result<usize> {
        let at = stream as usize;
        fallback::is_too_late();
        let shown = if self.left[at] { Ok(bytes.len()) } else { self.sinks[at].write(bytes) };
        // Whoever survives the end of its terminal goes on, as the command does.
        let is_gone = shown == Err(Errno::IO) && has_hung_up(&self.sinks[at]);
        let shown = if is_gone { Ok(bytes.len()) } else { shown };
        // Continue as if the command ignored SIGPIPE, as this process does.
        self.left[at] |= shown == Err(Errno::PIPE);
        let shown = if self.left[at] { bytes.len() } else { shown? };
        self.printed.add(stream, &bytes[..shown]);
        Ok(shown)
    }
}

/// The result of an attempt to show output.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Some output was shown, or skipped because it was shown before.
    Moved,
    /// No more output is available yet.
    Idle,
    /// The stream takes nothing at present.
    Blocked(Stream),
    /// The output was shown completely, and the run ended by itself.
    Ended(End),
    /// The output differs from the output shown of another run.
    Diverged,
    /// The stream cannot be written.
    Unwritable(Stream, Errno),
    /// The files are malformed, or of output that cannot be shown here.
    Nonsense,
}

/// Progress of a run, regardless of how much has been shown.
#[derive(Default)]
struct Ahead {
    records: Records,
    /// The number of bytes printed so far.
    bytes: u64,
    end: Option<End>,
    is_paused: bool,
    /// True if both streams come through one pipe.
    is_of_one_pipe: bool,
}

/// A run that is followed.
pub struct Following {
    live: Live,
    records: Records,
    ahead: Ahead,
    /// The unread rest of the current chunk.
    chunk: Frame,
    /// The number of bytes read of all chunks.
    offset: u64,
    /// True if both streams come through one pipe.
    is_of_one_pipe: bool,
    /// What that was for the output shown before, if there is any.
    was_of_one_pipe: Option<bool>,
    again: [PrefixCheck; 2],
    buffer: Vec<u8>,
    unshown: Range<usize>,
}

impl Following {
    /// Follows the run with these files from its beginning, skipping what was already `printed`.
    /// Returns none if the run is over.
    pub fn begin(root: &Root, files: &LiveFiles, printed: &OutputPrefix) -> Option<Following> {
        let live = Live::open(root, files).ok()??;
        Some(Following {
            records: Records::default(),
            ahead: Ahead::default(),
            live,
            chunk: Frame { stream: Stream::Stdout, len: 0 },
            offset: 0,
            is_of_one_pipe: false,
            was_of_one_pipe: (!printed.is_empty()).then(|| printed.is_of_one_pipe()),
            again: printed.again(),
            buffer: vec![0; CHUNK],
            unshown: 0..0,
        })
    }

    /// Returns how the run ended, if it ended by itself after printing something, and all of its
    /// output is available, so that nothing else is needed.
    pub fn whole(&mut self) -> Option<End> {
        self.look_ahead();
        let Ahead { end, bytes, is_of_one_pipe, .. } = self.ahead;
        end.filter(|_| {
            let is_there = || self.live.len().is_some_and(|there| there >= bytes);
            bytes > 0 && self.may_be_shown(is_of_one_pipe) && is_there()
        })
    }

    /// Returns whether the run is blocked until its own reader takes something.
    pub fn is_paused(&mut self) -> bool {
        self.look_ahead();
        self.ahead.is_paused
    }

    fn look_ahead(&mut self) {
        let Ahead { records, bytes, end, is_paused, is_of_one_pipe } = &mut self.ahead;
        while let Ok(Some(record)) = self.live.next(records) {
            *is_paused = record == Record::Paused;
            match record {
                Record::Chunk(Frame::ONE_PIPE) => *is_of_one_pipe = true,
                Record::Chunk(frame) => *bytes = bytes.saturating_add(frame.len),
                Record::End(how) => *end = Some(how),
                Record::Paused => {}
            }
        }
    }

    /// Shows available output, up to a limit.
    pub fn advance(&mut self, audience: &mut Audience) -> Step {
        for turn in 0..TURN {
            while !self.unshown.is_empty() {
                let stream = self.chunk.stream;
                match audience.show(stream, &self.buffer[self.unshown.clone()]) {
                    Ok(shown) => self.unshown.start += shown,
                    Err(Errno::AGAIN) => return Step::Blocked(stream),
                    // A run ignores such an error of standard error, too.
                    Err(errno) if stream == Stream::Stderr && errno != Errno::PIPE => {
                        self.unshown.start = self.unshown.end;
                    }
                    Err(errno) => return Step::Unwritable(stream, errno),
                }
            }
            match self.read() {
                Ok(()) if self.is_of_one_pipe => audience.printed.note_one_pipe(),
                Ok(()) => {}
                Err(Step::Idle) if turn > 0 => return Step::Moved,
                Err(step) => return step,
            }
        }
        Step::Moved
    }

    /// Reads some of the output to show next.
    fn read(&mut self) -> Result<(), Step> {
        while self.chunk.len == 0 {
            match self.live.next(&mut self.records).map_err(|_| Step::Nonsense)? {
                Some(Record::Chunk(Frame::ONE_PIPE)) => self.is_of_one_pipe = true,
                Some(Record::Chunk(frame)) => self.chunk = frame,
                Some(Record::Paused) => {}
                Some(Record::End(end)) => {
                    self.again.iter().try_for_each(PrefixCheck::end).map_err(|_| Step::Diverged)?;
                    return Err(Step::Ended(end));
                }
                None => return Err(Step::Idle),
            }
        }
        if !self.may_be_shown(self.is_of_one_pipe) {
            return Err(Step::Nonsense);
        }
        // Many small chunks are merged.
        while self.chunk.len < CHUNK as u64
            && let Ok(Some(Record::Chunk(next))) = self.live.peek(&mut self.records)
            && next.stream == self.chunk.stream
            && let Some(len) = self.chunk.len.checked_add(next.len)
        {
            self.chunk.len = len;
            let _ = self.live.next(&mut self.records);
        }
        let wanted = self.chunk.len.min(CHUNK as u64) as usize;
        let buffer = &mut self.buffer[..wanted];
        let read = match fsutil::pread(self.live.data(), buffer, self.offset) {
            Ok(0) => return Err(Step::Idle),
            Ok(read) => read,
            Err(_) => return Err(Step::Nonsense),
        };
        self.offset += read as u64;
        self.chunk.len -= read as u64;
        let bytes = &self.buffer[..read];
        let again = &mut self.again[self.chunk.stream as usize];
        let passed = again.pass(bytes).map_err(|_| Step::Diverged)?;
        self.unshown = passed..read;
        Ok(())
    }

    /// Returns whether such a run can be shown: what came through one pipe can be neither split in
    /// two, nor compared with what came through two.
    fn may_be_shown(&self, is_of_one_pipe: bool) -> bool {
        self.was_of_one_pipe.is_none_or(|was| was == is_of_one_pipe)
            && !(is_of_one_pipe && Outputs::of_this_process() == Outputs::Apart)
    }
}
