//! Replays a recording; every byte is verified before the first is written.

mod out;

use cachex_base::record::entry::{Bytes, Entry};
use cachex_base::record::frames::{self, Frame, Frames, Readable, Stream, total};
use cachex_base::streams::nonblocking_writer::{Outputs, own};
use cachex_base::streams::output_prefix::{Diverged, OutputPrefix, PrefixCheck};
use cachex_base::streams::plain::Plain;
use cachex_exec::screen::Screen;
use cachex_store::blobs::Blob;
use cachex_store::packed::Unpacking;
use cachex_store::{Root, blobs};
use out::{COPY_BY_HAND, Out};
use rustix::fd::BorrowedFd;
use rustix::io::Errno;
use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read};

/// A function that returns the destination of each of the command's streams.
type Outlets = fn(Stream) -> BorrowedFd<'static>;

/// An entry whose bytes are at hand and verified.
pub struct Replay {
    entry: Entry,
    data: Option<Blob>,
    frames: Option<Blob>,
    /// The number of bytes written of each stream.
    shown: [u64; 2],
    /// Set if the rest of the output is shown when some of it cannot be.
    bears_losses: bool,
    /// The stream that could not be written, and why.
    lost: Option<(Stream, Errno)>,
}

/// The reason why a recording was not played to its end.
#[derive(Debug)]
pub enum Unplayed {
    /// The recording can no longer be read, though it could a moment ago.
    Unreadable(io::Error),
    /// A stream cannot be written.
    Unwritable(Stream, Errno),
    /// The recording differs from the output already printed; nothing was written.
    Diverged,
}

impl fmt::Display for Unplayed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unplayed::Unreadable(error) => write!(f, "reading the recorded output: {error}"),
            Unplayed::Unwritable(stream, errno) => {
                write!(f, "writing {}: {}", stream.name(), io::Error::from(*errno))
            }
            Unplayed::Diverged => write!(f, "{Diverged}"),
        }
    }
}

impl std::error::Error for Unplayed {}

impl Unplayed {
    /// Returns whether the reader of the stream left.
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Unplayed::Unwritable(_, Errno::PIPE))
    }
}

impl From<io::Error> for Unplayed {
    fn from(error: io::Error) -> Unplayed {
        Unplayed::Unreadable(error)
    }
}

impl From<Diverged> for Unplayed {
    fn from(Diverged: Diverged) -> Unplayed {
        Unplayed::Diverged
    }
}

impl Replay {
    /// Verifies the entry's blobs, and that its frames cover exactly its bytes. Returns none if
    /// some are missing or damaged.
    pub fn prepare(root: &Root, entry: Entry) -> rustix::io::Result<Option<Replay>> {
        let open = |bytes: &Bytes| match bytes.blob() {
            None => Ok(Some(None)),
            Some(blob) => Ok(blobs::open(root, &blob)?.map(Some)),
        };
        let (Some(data), Some(frames)) = (open(&entry.data)?, open(&entry.frames)?) else {
            return Ok(None);
        };
        let replay = Replay { entry, data, frames, shown: [0; 2], bears_losses: false, lost: None };
        Ok(replay.adds_up().then_some(replay))
    }

    fn adds_up(&self) -> bool {
        let framed = match (&self.entry.frames, &self.frames) {
            (Bytes::Inline(frames), _) => total(Frames(frames.iter().copied())),
            // Unreadable frames do not add up.
            (Bytes::Blob(_), Some(blob)) => total(Frames(bytes_of(blob))),
            (Bytes::Blob(_), None) => None,
        };
        framed == Some(self.len())
    }

    /// Returns whether both streams were recorded through one pipe.
    pub fn is_of_one_pipe(&self) -> bool {
        !self.suits(|| Outputs::Apart)
    }

    /// Returns whether the recording may be shown on outputs with this arrangement. Output of one
    /// pipe cannot be split in two, and the order of output of two pipes is unknown.
    #[inline]
    pub fn suits(&self, outputs: impl FnOnce() -> Outputs) -> bool {
        let first = match (&self.entry.frames, &self.frames) {
            (Bytes::Inline(frames), _) => {
                let mut frames = Frames(frames.iter().copied());
                match (frames.next(), frames.next()) {
                    // With at most one frame, all of it is of one stream.
                    (_, None | Some(Ok(Frame::HELPED))) => return true,
                    (first, Some(_)) => first,
                }
            }
            (Bytes::Blob(_), Some(blob)) => Frames(bytes_of(blob)).next(),
            (Bytes::Blob(_), None) => None,
        };
        let is_of_one_pipe = matches!(first, Some(Ok(Frame::ONE_PIPE)));
        outputs() != if is_of_one_pipe { Outputs::Apart } else { Outputs::One }
    }

    /// Returns whether children of the command may have printed some of the output. Who cannot write
    /// may be one of them, and the command goes on.
    pub fn is_helped(&self) -> bool {
        let mut last = None;
        let read = self.each_frame(|frame| {
            last = Some(frame);
            Ok::<_, io::Error>(())
        });
        read.is_ok() && last == Some(Frame::HELPED)
    }

    /// Goes on when some of the output cannot be written.
    pub fn bear_losses(&mut self) {
        self.bears_losses = true;
    }

    /// Returns what could not be written, if the replay went on.
    pub fn lost(&self) -> Option<(Stream, Errno)> {
        self.lost
    }

    /// Returns the length of both streams in bytes.
    fn len(&self) -> u64 {
        match &self.entry.data {
            Bytes::Inline(data) => data.len() as u64,
            Bytes::Blob(blob) => blob.len,
        }
    }

    /// Returns the number of bytes for standard output and for standard error.
    pub fn sizes(&self) -> [u64; 2] {
        let mut sizes = [0; 2];
        let mut count = |frame: Result<Frame, _>| {
            if let Ok(Frame { stream, len }) = frame {
                sizes[stream as usize] += len;
            }
        };
        match (&self.entry.frames, &self.frames) {
            (Bytes::Inline(frames), _) => Frames(frames.iter().copied()).for_each(&mut count),
            (Bytes::Blob(_), Some(blob)) => Frames(bytes_of(blob)).for_each(&mut count),
            (Bytes::Blob(_), None) => {}
        }
        sizes
    }

    /// Returns the recorded entry.
    pub fn entry(&self) -> &Entry {
        &self.entry
    }

    /// Writes both streams in the order in which they were recorded.
    pub fn play(&mut self) -> Result<(), Unplayed> {
        self.play_after(&OutputPrefix::default())
    }

    /// Replays at a terminal like the one of the recording, without what was already printed; see
    /// [`Screen`].
    pub fn play_at_a_terminal(&mut self, printed: &OutputPrefix) -> Result<(), Unplayed> {
        self.shown = printed.bytes();
        if !printed.is_empty() {
            self.compare(printed)?;
        }
        let mut skip = printed.bytes();
        let mut screen = Screen::new(rustix::stdio::stdout());
        let mut data = self.reader();
        let (mut buffer, mut drawn) = (vec![0; COPY_BY_HAND as usize], Vec::new());
        let mut seen = self.shown;
        let mut plain = Stream::BOTH.map(Plain::of);
        let done = self.each_frame(|Frame { stream, len: mut left }| {
            while left > 0 {
                let wanted = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                data.read_exact(&mut buffer[..wanted])?;
                left -= wanted as u64;
                let skipped = skip[stream as usize].min(wanted as u64);
                skip[stream as usize] -= skipped;
                let bytes = &buffer[skipped as usize..wanted];
                match stream {
                    Stream::Stdout => screen.pass(bytes, &mut drawn),
                    Stream::Stderr => drawn.extend_from_slice(bytes),
                }
                // Drawn bytes differ from recorded ones, and only the latter are counted as shown.
                let mut written = 0;
                let (fd, is_lenient) = (own(stream), is_borne(stream, seen));
                let plain = &mut plain[stream as usize];
                let (shown, lost, has_begun) = (&mut written, None, false);
                let mut out = Out { stream, fd, shown, is_lenient, lost, has_begun, plain };
                out.write_all(&drawn)?;
                seen[stream as usize] += bytes.len() as u64;
                drawn.clear();
            }
            Ok::<_, Unplayed>(())
        });
        screen.finish(&mut drawn);
        let mut written = 0;
        let (stream, fd) = (Stream::Stdout, own(Stream::Stdout));
        let (is_lenient, lost, has_begun, plain) = (false, None, false, &mut plain[0]);
        let shown = &mut written;
        let mut out = Out { stream, fd, shown, is_lenient, lost, has_begun, plain };
        let finished = out.write_all(&drawn);
        drop(data);
        self.shown = seen;
        done.and(finished)
    }

    /// Replays both streams without what was already printed.
    pub fn play_after(&mut self, printed: &OutputPrefix) -> Result<(), Unplayed> {
        self.shown = printed.bytes();
        if !printed.is_empty() {
            self.compare(printed)?;
        }
        self.play_to(own, true, printed.bytes())
    }

    /// Writes one of the streams, either one, to standard output.
    pub fn play_stream(&mut self, only: Stream) -> Result<(), Unplayed> {
        let mut skip = [u64::MAX; 2];
        skip[only as usize] = 0;
        self.play_to(|_| rustix::stdio::stdout(), false, skip)
    }

    /// Returns whether nothing has been written yet.
    pub fn is_unshown(&self) -> bool {
        self.shown == [0; 2]
    }

    /// Returns the output written so far, if it can be read again.
    pub fn printed(&self) -> io::Result<OutputPrefix> {
        let mut printed = OutputPrefix::default();
        if self.is_of_one_pipe() {
            printed.note_one_pipe();
        }
        let mut left = self.shown;
        let mut data = self.reader();
        let mut buffer = vec![0; COPY_BY_HAND as usize];
        self.each_frame(|Frame { stream, len }| {
            let mut unread = len;
            while unread > 0 && left != [0; 2] {
                let wanted = buffer.len().min(usize::try_from(unread).unwrap_or(usize::MAX));
                data.read_exact(&mut buffer[..wanted])?;
                let left = &mut left[stream as usize];
                let shown = wanted.min(usize::try_from(*left).unwrap_or(usize::MAX));
                printed.add(stream, &buffer[..shown]);
                *left -= shown as u64;
                unread -= wanted as u64;
            }
            Ok::<_, io::Error>(())
        })?;
        Ok(printed)
    }

    /// Plays each stream to its destination, without its first `skip` bytes.
    fn play_to(
        &mut self,
        to: Outlets,
        is_lenient: bool,
        mut skip: [u64; 2],
    ) -> Result<(), Unplayed> {
        let mut shown = self.shown;
        let mut lost = None;
        // A stream that is shown by itself is not changed.
        let mut plain = Stream::BOTH.map(|stream| Plain::of(stream).filter(|_| is_lenient));
        let mut played = 0;
        let mut blob = self.data.as_ref().map(|blob| match blob {
            Blob::Plain(file) => {
                Content::Plain(BufReader::with_capacity(COPY_BY_HAND as usize, file))
            }
            Blob::Packed(packed) => Content::Packed(packed.reader()),
        });
        let done = self.each_frame(|Frame { stream, len }| {
            let skipped = len.min(skip[stream as usize]);
            skip[stream as usize] -= skipped;
            let (fd, is_lenient) = (to(stream), is_lenient && is_borne(stream, shown));
            let has_begun = shown != [0; 2];
            let (shown, plain) = (&mut shown[stream as usize], &mut plain[stream as usize]);
            let lost = self.bears_losses.then_some(&mut lost);
            let mut out = Out { stream, fd, shown, is_lenient, lost, has_begun, plain };
            match (&self.entry.data, &mut blob) {
                (Bytes::Inline(data), _) => {
                    let bytes = data.get((played + skipped) as usize..(played + len) as usize);
                    out.write_all(bytes.unwrap_or_default())?;
                }
                (Bytes::Blob(_), Some(Content::Plain(file))) => {
                    if skipped > 0 {
                        file.seek_relative(skipped as i64)?;
                    }
                    out.copy(file, len - skipped)?;
                }
                (Bytes::Blob(_), Some(Content::Packed(content))) => {
                    io::copy(&mut content.take(skipped), &mut io::sink())?;
                    out.copy_by_hand(content, len - skipped)?;
                }
                (Bytes::Blob(_), None) => {}
            }
            played += len;
            Ok::<_, Unplayed>(())
        });
        (self.shown, self.lost) = (shown, lost);
        done?;
        // The frames could not be read a second time.
        if played == self.len() { Ok(()) } else { Err(io::Error::from(ErrorKind::UnexpectedEof))? }
    }

    /// Checks that each stream begins with the part of it already printed.
    fn compare(&self, printed: &OutputPrefix) -> Result<(), Unplayed> {
        let mut again = printed.again();
        let mut buffer = vec![0; COPY_BY_HAND as usize];
        let mut data = self.reader();
        self.each_frame(|Frame { stream, len }| {
            let again = &mut again[stream as usize];
            let mut left = len.min(again.left());
            let beyond = len - left;
            while left > 0 {
                let wanted = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                data.read_exact(&mut buffer[..wanted])?;
                again.pass(&buffer[..wanted])?;
                left -= wanted as u64;
            }
            io::copy(&mut data.by_ref().take(beyond), &mut io::sink())?;
            Ok::<_, Unplayed>(())
        })?;
        Ok(again.iter().try_for_each(PrefixCheck::end)?)
    }

    /// Passes each frame to `visit`, in order.
    fn each_frame<E: From<io::Error>>(
        &self,
        mut visit: impl FnMut(Frame) -> Result<(), E>,
    ) -> Result<(), E> {
        match (&self.entry.frames, &self.frames) {
            (Bytes::Inline(frames), _) => {
                for frame in Frames(frames.iter().copied()) {
                    visit(frame.map_err(io::Error::other)?)?;
                }
            }
            (Bytes::Blob(_), Some(blob)) => {
                let mut frames = Frames(bytes_of(blob));
                while let Some(frame) = frames::read(&mut frames)? {
                    visit(frame)?;
                }
            }
            (Bytes::Blob(_), None) => {}
        }
        Ok(())
    }

    /// Returns a reader of the bytes of both streams.
    fn reader(&self) -> Box<dyn Read + '_> {
        match (&self.entry.data, &self.data) {
            (Bytes::Inline(data), _) => Box::new(&data[..]),
            (Bytes::Blob(_), Some(blob)) => Box::new(blob.reader()),
            (Bytes::Blob(_), None) => Box::new(io::empty()),
        }
    }
}

/// Returns whether write errors on this stream of a result are ignored, as they are for a run.
/// Before anything is shown, the command can meet the error itself.
fn is_borne(stream: Stream, shown: [u64; 2]) -> bool {
    stream == Stream::Stderr && shown != [0; 2]
}

/// The bytes of both streams in a blob, as they are played.
enum Content<'a> {
    Plain(BufReader<&'a File>),
    Packed(Unpacking),
}

/// Returns a reader of a blob's bytes.
fn bytes_of(blob: &Blob) -> Readable<BufReader<blobs::Reader<'_>>> {
    Readable::new(BufReader::with_capacity(COPY_BY_HAND as usize, blob.reader()))
}

#[cfg(test)]
mod tests;
