//! Following the run of another process: its output, as it is produced.
//!
//! The files it is read from are this user's, and checked for nothing: they are
//! what that process wrote a moment ago. Whatever they hold, no more is read than
//! there is, and what makes no sense ends the following. A reader who is slow
//! slows down nobody else: the files keep what has not been read.

use cachex_base::process::fallback;
use cachex_base::record::frames::{Frame, Stream};
use cachex_base::streams::nonblocking_writer::{NonblockingWriter, Outputs};
use cachex_base::streams::output_prefix::{OutputPrefix, PrefixCheck};
use cachex_base::system::fsutil;
use cachex_store::Root;
use cachex_store::live::{Live, Record, Records};
use cachex_store::lock::{End, LiveFiles};
use rustix::fd::{AsFd, BorrowedFd};
use rustix::io::Errno;
use std::ops::Range;

const CHUNK: usize = 64 * 1024;
/// How many chunks are shown before somebody looks at what else there is.
const TURN: usize = 16;

/// Those to whom output is shown, and what they have been shown.
pub struct Audience {
    sinks: [NonblockingWriter<'static>; 2],
    /// Whether the reader of a stream left.
    left: [bool; 2],
    /// What they have been shown, or would have been if they had not left.
    pub printed: OutputPrefix,
}

impl Audience {
    /// Whoever reads this process's own two streams.
    pub fn new() -> Audience {
        Audience {
            sinks: Stream::BOTH.map(NonblockingWriter::of),
            left: [false; 2],
            printed: OutputPrefix::default(),
        }
    }

    /// What gets writable when a stream can take more.
    pub fn awaited(&self, stream: Stream) -> BorrowedFd<'_> {
        self.sinks[stream as usize].as_fd()
    }

    /// Shows some of `bytes`; how many.
    fn show(&mut self, stream: Stream, bytes: &[u8]) -> rustix::io::Result<usize> {
        let at = stream as usize;
        fallback::is_too_late();
        let shown = if self.left[at] { Ok(bytes.len()) } else { self.sinks[at].write(bytes) };
        // As if the command had ignored the signal, like this process.
        self.left[at] |= shown == Err(Errno::PIPE);
        let shown = if self.left[at] { bytes.len() } else { shown? };
        self.printed.add(stream, &bytes[..shown]);
        Ok(shown)
    }
}

/// How far one came.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Something was shown, or passed in silence.
    Moved,
    /// There is nothing more yet.
    Idle,
    /// A stream takes nothing now.
    Blocked(Stream),
    /// All was shown, and the run ended by itself.
    Ended(End),
    /// It differs from what was shown of another run.
    Diverged,
    /// A stream cannot be written.
    Unwritable(Stream, Errno),
    /// What is there makes no sense.
    Nonsense,
}

/// What is known of a run, however much of it has been shown.
#[derive(Default)]
struct Ahead {
    records: Records,
    /// How much it printed so far.
    bytes: u64,
    end: Option<End>,
    is_paused: bool,
}

/// A run that is followed.
pub struct Following {
    live: Live,
    records: Records,
    ahead: Ahead,
    /// What of the present chunk has not been read.
    chunk: Frame,
    /// How much has been read of all chunks.
    offset: u64,
    again: [PrefixCheck; 2],
    buffer: Vec<u8>,
    unshown: Range<usize>,
}

impl Following {
    /// Follows the run whose files these are, from its beginning; silently
    /// through what has been `printed`. None: it does not go on.
    pub fn begin(root: &Root, files: &LiveFiles, printed: &OutputPrefix) -> Option<Following> {
        let live = Live::open(root, files).ok()??;
        Some(Following {
            records: Records::default(),
            ahead: Ahead::default(),
            live,
            chunk: Frame { stream: Stream::Stdout, len: 0 },
            offset: 0,
            again: printed.again(),
            buffer: vec![0; CHUNK],
            unshown: 0..0,
        })
    }

    /// How the run ended, if it came to its own end after it had printed something,
    /// and all of that is there: nothing else is needed then.
    pub fn whole(&mut self) -> Option<End> {
        self.look_ahead();
        let Ahead { end, bytes, .. } = self.ahead;
        end.filter(|_| bytes > 0 && self.live.len().is_some_and(|there| there >= bytes))
    }

    /// Whether it cannot go on before its own reader takes something.
    pub fn is_paused(&mut self) -> bool {
        self.look_ahead();
        self.ahead.is_paused
    }

    fn look_ahead(&mut self) {
        let Ahead { records, bytes, end, is_paused } = &mut self.ahead;
        while let Ok(Some(record)) = self.live.next(records) {
            *is_paused = record == Record::Paused;
            match record {
                Record::Chunk(frame) => *bytes = bytes.saturating_add(frame.len),
                Record::End(how) => *end = Some(how),
                Record::Paused => {}
            }
        }
    }

    /// Shows what there is, up to a point.
    pub fn advance(&mut self, audience: &mut Audience) -> Step {
        for turn in 0..TURN {
            while !self.unshown.is_empty() {
                let stream = self.chunk.stream;
                match audience.show(stream, &self.buffer[self.unshown.clone()]) {
                    Ok(shown) => self.unshown.start += shown,
                    Err(Errno::AGAIN) => return Step::Blocked(stream),
                    // As a run bears it.
                    Err(errno) if stream == Stream::Stderr && errno != Errno::PIPE => {
                        self.unshown.start = self.unshown.end;
                    }
                    Err(errno) => return Step::Unwritable(stream, errno),
                }
            }
            match self.read() {
                Ok(()) => {}
                Err(Step::Idle) if turn > 0 => return Step::Moved,
                Err(step) => return step,
            }
        }
        Step::Moved
    }

    /// Reads some of what is next to be shown.
    fn read(&mut self) -> Result<(), Step> {
        while self.chunk.len == 0 {
            match self.live.next(&mut self.records).map_err(|_| Step::Nonsense)? {
                // Both streams in one cannot be shown on two.
                Some(Record::Chunk(Frame::ONE_PIPE))
                    if Outputs::of_this_process() == Outputs::Apart =>
                {
                    return Err(Step::Nonsense);
                }
                Some(Record::Chunk(frame)) => self.chunk = frame,
                Some(Record::Paused) => {}
                Some(Record::End(end)) => {
                    self.again.iter().try_for_each(PrefixCheck::end).map_err(|_| Step::Diverged)?;
                    return Err(Step::Ended(end));
                }
                None => return Err(Step::Idle),
            }
        }
        // Many small chunks at once.
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
}
