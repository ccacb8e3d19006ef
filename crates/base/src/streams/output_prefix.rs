//! The output that a caller has been shown of a run that did not finish.
//!
//! Shown output cannot be taken back and must not be shown twice. So every later source of the
//! output, such as another caller's run, a run of its own or a record, silently skips the part of
//! each stream that has been shown, and continues visibly if that part was the same. A count and a
//! hash are compared.

use crate::record::frames::{Frame, Stream};
use blake3::{Hash, Hasher};
use cachex_core::handover;
use std::fmt;

/// The output shown of each stream, from its beginning.
#[derive(Debug, Default)]
pub struct OutputPrefix {
    streams: [Option<Box<Shown>>; 2],
    /// True if both streams came through one pipe: then they are one, and are counted as the first.
    is_of_one_pipe: bool,
}

#[derive(Debug, Default)]
struct Shown {
    len: u64,
    hasher: Hasher,
}

impl OutputPrefix {
    /// Returns the output that was shown before this process took over, see
    /// [`cachex_core::handover`].
    pub fn at_start() -> OutputPrefix {
        let mut printed = OutputPrefix::default();
        for (stream, bytes) in handover::shown() {
            let frame = Frame { stream, len: bytes.len() as u64 };
            if printed.is_empty() && frame == Frame::ONE_PIPE {
                printed.note_one_pipe();
            }
            printed.add(stream, bytes);
        }
        printed
    }

    /// Returns whether nothing has been shown yet.
    pub fn is_empty(&self) -> bool {
        self.streams.iter().all(Option::is_none)
    }

    /// Returns whether both streams came through one pipe. Only output that does so, too, can be
    /// compared with it.
    pub fn is_of_one_pipe(&self) -> bool {
        self.is_of_one_pipe
    }

    /// Notes that both streams come through one pipe.
    pub fn note_one_pipe(&mut self) {
        self.is_of_one_pipe = true;
    }

    /// Returns the number of bytes shown of each stream.
    pub fn bytes(&self) -> [u64; 2] {
        self.streams.each_ref().map(|shown| shown.as_ref().map_or(0, |shown| shown.len))
    }

    /// Adds bytes that have been shown.
    pub fn add(&mut self, stream: Stream, bytes: &[u8]) {
        if !bytes.is_empty() {
            let shown = self.streams[stream as usize].get_or_insert_default();
            shown.len += bytes.len() as u64;
            shown.hasher.update(bytes);
        }
    }

    /// Returns a check for each stream of the same output, from its beginning.
    pub fn again(&self) -> [PrefixCheck; 2] {
        self.streams.each_ref().map(|shown| {
            PrefixCheck(shown.as_ref().map(|shown| {
                let expected = shown.hasher.finalize();
                Box::new(Passage { left: shown.len, hasher: Hasher::new(), expected })
            }))
        })
    }
}

/// A check that a restarted stream repeats what has been shown.
#[derive(Debug)]
pub struct PrefixCheck(Option<Box<Passage>>);

#[derive(Debug)]
struct Passage {
    left: u64,
    hasher: Hasher,
    expected: Hash,
}

impl PrefixCheck {
    /// Returns how many of the next bytes have been shown before; those after them are new. After
    /// an error the stream cannot be continued.
    pub fn pass(&mut self, bytes: &[u8]) -> Result<usize, Diverged> {
        let Some(passage) = &mut self.0 else { return Ok(0) };
        let passed = bytes.len().min(usize::try_from(passage.left).unwrap_or(usize::MAX));
        passage.hasher.update(&bytes[..passed]);
        passage.left -= passed as u64;
        if passage.left == 0 {
            if passage.hasher.finalize() != passage.expected {
                return Err(Diverged);
            }
            self.0 = None;
        }
        Ok(passed)
    }

    /// Returns how many of the next bytes are still to be checked.
    pub fn left(&self) -> u64 {
        self.0.as_ref().map_or(0, |passage| passage.left)
    }

    /// Checks the end of the stream, which must not come within what has been shown.
    pub fn end(&self) -> Result<(), Diverged> {
        if self.0.is_none() { Ok(()) } else { Err(Diverged) }
    }
}

/// The error of output that differs from what has been shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Diverged;

impl fmt::Display for Diverged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the run whose output is shown so far did not come to its end, and another printed something else",
        )
    }
}

impl std::error::Error for Diverged {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::frames::Stream::{Stderr, Stdout};

    fn printed(out: &[u8], err: &[u8]) -> OutputPrefix {
        let mut printed = OutputPrefix::default();
        for byte in out.chunks(1) {
            printed.add(Stdout, byte);
        }
        printed.add(Stderr, err);
        printed
    }

    #[test]
    fn nothing_shown_is_nothing_to_pass() {
        let printed = printed(b"", b"");
        assert!(printed.is_empty());
        for mut again in printed.again() {
            assert_eq!((again.pass(b"x"), again.end()), (Ok(0), Ok(())));
        }
    }

    #[test]
    fn the_same_is_passed_wherever_it_is_cut() {
        for cut in 0..=5 {
            let [mut out, mut err] = printed(b"abc", b"e").again();
            let (first, second) = b"abcde".split_at(cut);
            let passed = out.pass(first).unwrap() + out.pass(second).unwrap();
            assert_eq!((passed, out.left(), out.end()), (3, 0, Ok(())));
            assert_eq!((err.left(), err.end()), (1, Err(Diverged)));
            assert_eq!((err.pass(b"ef"), err.end()), (Ok(1), Ok(())));
        }
    }

    #[test]
    fn a_difference_is_told_when_all_of_it_came() {
        let [mut out, _] = printed(b"abc", b"").again();
        assert_eq!(out.pass(b"ax"), Ok(2));
        assert_eq!(out.pass(b"c"), Err(Diverged));
    }
}
