//! Which stream each run of recorded bytes belongs to.
//!
//! A recording is one sequence of bytes, in the order they arrived, and one
//! sequence of frames that says which stream the next so many bytes went to.
//! Neighbours of one stream are one frame, so a command that writes only to
//! stdout has a single one. On disk a frame is its length times two plus the
//! stream, as a little-endian base-128 number (LEB128).

use crate::entry::Damaged;
use rustix::io::Errno;
use std::fmt;
use std::io::{self, Read};

/// One of the two streams that are recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout = 0,
    /// Standard error.
    Stderr = 1,
}

impl Stream {
    /// Both, in the order of their descriptors.
    pub const BOTH: [Stream; 2] = [Stream::Stdout, Stream::Stderr];

    /// What people call it.
    pub fn name(self) -> &'static str {
        match self {
            Stream::Stdout => "standard output",
            Stream::Stderr => "standard error",
        }
    }
}

/// How some of an output was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// It could not be read from the command, or not again from where it was kept.
    Reading(Errno),
    /// It could not be written.
    Writing(Errno),
}

impl Loss {
    /// What was kept could not be read again.
    pub fn of_reading(error: &io::Error) -> Loss {
        Loss::Reading(Errno::from_io_error(error).unwrap_or(Errno::IO))
    }
}

impl fmt::Display for Loss {
    /// What was being done.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Loss::Reading(_) => "reading",
            Loss::Writing(_) => "writing",
        })
    }
}

impl From<Loss> for io::Error {
    fn from(loss: Loss) -> io::Error {
        let (Loss::Reading(errno) | Loss::Writing(errno)) = loss;
        errno.into()
    }
}

/// So many bytes of one stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Where they went.
    pub stream: Stream,
    /// How many they are.
    pub len: u64,
}

impl Frame {
    /// What a recording begins with in which nobody can tell the streams apart any more:
    /// both came through one pipe, in the command's own order.
    pub const ONE_PIPE: Frame = Frame { stream: Stream::Stderr, len: 0 };

    /// Appends the frame to `out`.
    pub fn encode(self, out: &mut Vec<u8>) {
        let mut rest = self.len << 1 | self.stream as u64;
        while rest >= 0x80 {
            out.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        out.push(rest as u8);
    }
}

/// The bytes of a reader, which end where it cannot be read; why is kept.
pub struct Readable<R> {
    bytes: io::Bytes<R>,
    error: Option<io::Error>,
}

impl<R: Read> Readable<R> {
    /// Those of this reader.
    #[expect(clippy::unbuffered_bytes, reason = "the readers here are buffered or in memory")]
    pub fn new(reader: R) -> Readable<R> {
        Readable { bytes: reader.bytes(), error: None }
    }
}

impl<R: Read> Iterator for Readable<R> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        self.bytes.next()?.map_err(|error| self.error = Some(error)).ok()
    }
}

impl<R: Read> Frames<Readable<R>> {
    /// The next frame; none only where the reader has come to its end.
    pub fn read(&mut self) -> io::Result<Option<Frame>> {
        let frame = self.next();
        match self.0.error.take() {
            Some(error) => Err(error),
            None => frame.transpose().map_err(io::Error::other),
        }
    }
}

/// Reads frames from their encoding.
pub struct Frames<I>(pub I);

impl<I: Iterator<Item = u8>> Iterator for Frames<I> {
    type Item = Result<Frame, Damaged>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut value = 0_u64;
        for shift in (0..=63).step_by(7) {
            let Some(byte) = self.0.next() else {
                return (shift > 0).then_some(Err(Damaged));
            };
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                return Some(Err(Damaged));
            }
            value |= bits << shift;
            if byte < 0x80 {
                let stream = Stream::BOTH[(value & 1) as usize];
                return Some(Ok(Frame { stream, len: value >> 1 }));
            }
        }
        Some(Err(Damaged))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Gives a few bytes and then an error.
    struct Failing<'a>(&'a [u8]);

    impl Read for Failing<'_> {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() { Err(io::ErrorKind::Other.into()) } else { self.0.read(buf) }
        }
    }

    #[test]
    fn what_cannot_be_read_is_no_end() {
        let frame = Frame { stream: Stream::Stderr, len: 300 };
        let mut encoded = Vec::new();
        frame.encode(&mut encoded);
        for len in 0..=encoded.len() {
            let mut frames = Frames(Readable::new(Failing(&encoded[..len])));
            if len == encoded.len() {
                assert_eq!(frames.read().unwrap(), Some(frame));
            }
            assert_eq!(frames.read().unwrap_err().kind(), io::ErrorKind::Other, "{len} bytes");
        }
        assert!(Frames(Readable::new(&b""[..])).read().unwrap().is_none());
    }

    proptest! {
        #[test]
        fn frames_survive_their_encoding(lens in proptest::collection::vec((any::<bool>(), 0..=u64::MAX >> 1), 0..50)) {
            let frames: Vec<Frame> = lens
                .into_iter()
                .map(|(err, len)| Frame { stream: Stream::BOTH[usize::from(err)], len })
                .collect();
            let mut bytes = Vec::new();
            for frame in &frames {
                frame.encode(&mut bytes);
            }
            let back: Result<Vec<Frame>, Damaged> = Frames(bytes.iter().copied()).collect();
            prop_assert_eq!(back, Ok(frames));
        }

        #[test]
        fn any_bytes_decode_or_fail_and_end(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            prop_assert!(Frames(bytes.iter().copied()).count() <= bytes.len());
        }
    }
}
