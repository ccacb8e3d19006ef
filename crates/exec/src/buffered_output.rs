//! Output that waits until it is known whether it is to be shown.

use crate::screen::Screen;
use cachex_base::record::frames::{self, Frame, Frames, Loss, Readable, Stream};
use cachex_base::streams::nonblocking_writer;
use cachex_base::streams::plain::{self, Plain};
use cachex_base::streams::spool::Spool;
use cachex_base::system::fsutil;
use cachex_base::system::signals::Altered;
use rustix::io::Errno;
use signal_hook::consts::SIGPIPE;
use std::io::{self, BufRead, BufReader, Read};

const CHUNK: usize = 64 * 1024;

/// The output of both streams, in the order in which it was produced.
#[derive(Debug, Default)]
pub struct BufferedOutput {
    bytes: Spool,
    /// The encoded frames, but for the last, which may still grow.
    frames: Spool,
    last: Option<Frame>,
}

impl BufferedOutput {
    /// Buffers a chunk of a stream. On an error the chunk is still kept, but later chunks may use
    /// unbounded memory.
    pub fn append(&mut self, stream: Stream, bytes: &[u8]) -> io::Result<()> {
        let len = bytes.len() as u64;
        let frame = match &mut self.last {
            Some(last) if last.stream == stream => {
                last.len += len;
                Ok(())
            }
            last => match last.replace(Frame { stream, len }) {
                Some(done) => keep(&mut self.frames, done),
                None => Ok(()),
            },
        };
        self.bytes.append(bytes).and(frame)
    }

    /// Prints the output, adapted to the terminal by [`Screen`] if the command had one of its own.
    /// An error names the stream that lost output.
    pub fn release(self, mut screen: Option<Screen>) -> Result<(), (Stream, Loss)> {
        let _ignored = Altered::ignored(SIGPIPE);
        let mut gone = Stream::BOTH.map(|stream| (false, Plain::of(stream)));
        let mut outcome = Ok(());
        let mut pieces = self.into_pieces();
        let mut drawn = Vec::new();
        let unread = |error| (Stream::Stdout, Loss::of_reading(&error));
        while let Some((stream, bytes)) = pieces.next().map_err(unread)? {
            let bytes = match (&mut screen, stream) {
                (Some(screen), Stream::Stdout) => {
                    drawn.clear();
                    screen.pass(bytes, &mut drawn);
                    &drawn
                }
                _ => bytes,
            };
            outcome = outcome.and(put(stream, bytes, &mut gone));
        }
        if let Some(screen) = &mut screen {
            drawn.clear();
            screen.finish(&mut drawn);
            outcome = outcome.and(put(Stream::Stdout, &drawn, &mut gone));
        }
        outcome
    }

    /// Returns the chunks in order.
    pub fn into_pieces(mut self) -> Pieces {
        if let Some(last) = self.last {
            // The frame is kept in memory even if this fails.
            let _ = keep(&mut self.frames, last);
        }
        let frames: Box<dyn Read> = Box::new(self.frames.into_reader());
        Pieces {
            frames: Frames(Readable::new(BufReader::new(frames))),
            bytes: BufReader::with_capacity(CHUNK, Box::new(self.bytes.into_reader())),
            stream: Stream::Stdout,
            left: 0,
            used: 0,
        }
    }
}

/// Prints bytes, unless the stream is `gone` because its reader left.
fn put(
    stream: Stream,
    mut left: &[u8],
    gone: &mut [(bool, Option<Plain>); 2],
) -> Result<(), (Stream, Loss)> {
    let (gone, plain) = &mut gone[stream as usize];
    let out = nonblocking_writer::own(stream);
    let some = |bytes: &[u8]| fsutil::persistently(|| fsutil::write_some(out, bytes));
    while !left.is_empty() && !*gone {
        match plain::write(plain, left, some) {
            Ok(written) => left = &left[written..],
            Err(errno) => {
                *gone = true;
                match errno {
                    Errno::PIPE => {}
                    Errno::IO if nonblocking_writer::has_hung_up(out) => {
                        return Err((stream, Loss::HungUp));
                    }
                    _ => return Err((stream, Loss::Writing(errno))),
                }
            }
        }
    }
    Ok(())
}

fn keep(frames: &mut Spool, frame: Frame) -> io::Result<()> {
    let mut encoded = Vec::with_capacity(10);
    frame.encode(&mut encoded);
    frames.append(&encoded)
}

/// The buffered output, read back in pieces.
pub struct Pieces {
    frames: Frames<Readable<BufReader<Box<dyn Read>>>>,
    bytes: BufReader<Box<dyn Read>>,
    stream: Stream,
    /// The bytes of the current frame that are still to come.
    left: u64,
    /// The number of buffered bytes that the last piece used.
    used: usize,
}

impl Pieces {
    /// Returns the next piece, at most `CHUNK` bytes, and its stream.
    pub fn next(&mut self) -> io::Result<Option<(Stream, &[u8])>> {
        self.bytes.consume(std::mem::take(&mut self.used));
        while self.left == 0 {
            let Some(frame) = frames::read(&mut self.frames)? else { return Ok(None) };
            Frame { stream: self.stream, len: self.left } = frame;
        }
        let bytes = self.bytes.fill_buf()?;
        if bytes.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let piece = &bytes[..bytes.len().min(usize::try_from(self.left).unwrap_or(usize::MAX))];
        self.used = piece.len();
        self.left -= piece.len() as u64;
        Ok(Some((self.stream, piece)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Returns the pieces, merging neighbours of the same stream.
    fn printed(held: BufferedOutput) -> Vec<(Stream, Vec<u8>)> {
        let mut pieces = held.into_pieces();
        let mut all = Vec::new();
        while let Some((stream, bytes)) = pieces.next().unwrap() {
            assert!(!bytes.is_empty() && bytes.len() <= CHUNK);
            add(&mut all, stream, bytes);
        }
        all
    }

    fn add(all: &mut Vec<(Stream, Vec<u8>)>, stream: Stream, bytes: &[u8]) {
        match all.last_mut() {
            Some((last, before)) if *last == stream => before.extend_from_slice(bytes),
            _ => all.push((stream, bytes.to_vec())),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn what_is_held_comes_out_as_it_came(chunks in proptest::collection::vec((any::<bool>(), any::<u8>(), 1..300_000_usize), 0..12)) {
            let mut held = BufferedOutput::default();
            let mut expected = Vec::new();
            for (err, byte, len) in chunks {
                let (stream, bytes) = (Stream::BOTH[usize::from(err)], vec![byte; len]);
                held.append(stream, &bytes).unwrap();
                add(&mut expected, stream, &bytes);
            }
            prop_assert!(printed(held) == expected);
        }
    }
}
