//! The stream that each run of recorded bytes belongs to.
//!
//! A recording is one sequence of bytes, in the order they arrived, and one sequence of frames,
//! each of which gives a number of bytes and their stream. Adjacent bytes of one stream are one
//! frame, so a command that writes only to stdout has a single one. On disk a frame is its length
//! times two plus the stream, as a little-endian base-128 number (LEB128).

use crate::entry::Damaged;
use alloc::vec::Vec;

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

    /// Returns the name for people.
    pub fn name(self) -> &'static str {
        match self {
            Stream::Stdout => "standard output",
            Stream::Stderr => "standard error",
        }
    }
}

/// A number of bytes of one stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The stream of the bytes.
    pub stream: Stream,
    /// The number of bytes.
    pub len: u64,
}

impl Frame {
    /// The first frame of a recording whose streams cannot be separated any more: both came through
    /// one pipe, in the command's own order.
    pub const ONE_PIPE: Frame = Frame { stream: Stream::Stderr, len: 0 };

    /// The last frame of a recording if the command's children may have printed some of it.
    pub const HELPED: Frame = Frame { stream: Stream::Stdout, len: 0 };

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

/// An iterator over encoded frames.
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

/// Returns whether these are all frames of a recording that [`Frame::HELPED`] ends.
pub fn are_helped(frames: &[u8]) -> bool {
    // No other frame is encoded with a last byte of zero.
    frames.last() == Some(&0)
}

/// Returns the sum of all lengths, or `None` if a frame is invalid or the sum overflows.
pub fn total<I: Iterator<Item = u8>>(frames: Frames<I>) -> Option<u64> {
    let mut total = 0_u64;
    for frame in frames {
        total = total.checked_add(frame.ok()?.len)?;
    }
    Some(total)
}
