//! The stream that each run of recorded bytes belongs to.
//!
//! The frames themselves are defined in [`cachex_core::frames`].

use rustix::io::Errno;
use std::fmt;
use std::io::{self, Read};

pub use cachex_core::frames::{Frame, Frames, Stream, total};

/// A loss of a part of an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// The output could not be read from the command, or from where it was buffered.
    Reading(Errno),
    /// The output could not be written.
    Writing(Errno),
    /// The terminal that it was written to is gone.
    HungUp,
}

impl Loss {
    /// Returns the loss of buffered output that could not be read again.
    pub fn of_reading(error: &io::Error) -> Loss {
        Loss::Reading(Errno::from_io_error(error).unwrap_or(Errno::IO))
    }

    /// Returns the error of the system.
    pub fn errno(self) -> Errno {
        match self {
            Loss::Reading(errno) | Loss::Writing(errno) => errno,
            Loss::HungUp => Errno::IO,
        }
    }
}

impl fmt::Display for Loss {
    /// Writes the operation that failed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Loss::Reading(_) => "reading",
            Loss::Writing(_) | Loss::HungUp => "writing",
        })
    }
}

impl From<Loss> for io::Error {
    fn from(loss: Loss) -> io::Error {
        loss.errno().into()
    }
}

/// The bytes of a reader up to its end or an error, which is kept.
pub struct Readable<R> {
    bytes: io::Bytes<R>,
    error: Option<io::Error>,
}

impl<R: Read> Readable<R> {
    /// Wraps a reader.
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

/// Returns the next frame, or `None` at the end of the reader.
pub fn read<R: Read>(frames: &mut Frames<Readable<R>>) -> io::Result<Option<Frame>> {
    let frame = frames.next();
    match frames.0.error.take() {
        Some(error) => Err(error),
        None => frame.transpose().map_err(io::Error::other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::entry::Damaged;
    use proptest::prelude::*;

    /// A reader that gives a few bytes and then an error.
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
                assert_eq!(read(&mut frames).unwrap(), Some(frame));
            }
            assert_eq!(read(&mut frames).unwrap_err().kind(), io::ErrorKind::Other, "{len} bytes");
        }
        assert!(read(&mut Frames(Readable::new(&b""[..]))).unwrap().is_none());
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
