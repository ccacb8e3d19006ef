//! Output without escape sequences, for `--color-strip`.
//!
//! Recordings keep what the command printed. The sequences are removed on the way to cachex's own
//! streams, for runs and replays alike, so that a hit looks like a miss.

use crate::record::frames::Stream;
use crate::text::values::ColorStrip;
use std::sync::atomic::{AtomicU8, Ordering};

const ESC: u8 = 0x1b;
const BEL: u8 = 0x07;

/// The streams of this process that get no escape sequences, a bit for each.
static PLAIN: AtomicU8 = AtomicU8::new(0);

/// Decides which streams get no escape sequences, before anything is printed.
pub fn decide(strip: ColorStrip) {
    let is_plain = |is_terminal: bool| match strip {
        ColorStrip::Never => false,
        ColorStrip::Auto => !is_terminal,
        ColorStrip::Always => true,
    };
    if strip == ColorStrip::Never {
        return;
    }
    let is_terminal =
        [rustix::stdio::stdout(), rustix::stdio::stderr()].map(rustix::termios::isatty);
    let bits = u8::from(is_plain(is_terminal[0])) | u8::from(is_plain(is_terminal[1])) << 1;
    PLAIN.store(bits, Ordering::Relaxed);
}

/// The parser's position in a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Text,
    /// After ESC.
    Escape,
    /// After `ESC [`.
    Control,
    /// Within a string that begins with `ESC ]`, `ESC P` or the like and needs a terminator.
    Command,
    /// Within such a string, after an ESC that may begin the terminator.
    CommandEscape,
}

/// Separates the text of a stream from its escape sequences.
#[derive(Debug, PartialEq, Eq)]
pub struct Plain(At);

/// The kind of the next bytes.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    /// This many bytes of text.
    Text(usize),
    /// This many bytes of sequences, which were skipped.
    Sequence(usize),
}

impl Plain {
    /// Returns a filter for this stream of this process, if it gets no sequences.
    pub fn of(stream: Stream) -> Option<Plain> {
        let is_plain = PLAIN.load(Ordering::Relaxed) & (1 << stream as u8) != 0;
        is_plain.then_some(Plain(At::Text))
    }

    fn next(&mut self, bytes: &[u8]) -> Next {
        if self.0 == At::Text {
            match memchr::memchr(ESC, bytes) {
                Some(0) => {}
                Some(at) => return Next::Text(at),
                None => return Next::Text(bytes.len()),
            }
        }
        for (at, &byte) in bytes.iter().enumerate() {
            self.0 = match (self.0, byte) {
                (At::Escape, b'[') => At::Control,
                (At::Escape, b']' | b'P' | b'X' | b'^' | b'_') => At::Command,
                (At::Escape, 0x20..=0x2f) | (At::Text | At::Escape | At::Control, ESC) => {
                    At::Escape
                }
                (At::Control, 0x20..=0x3f) => At::Control,
                (At::Command | At::CommandEscape, ESC) => At::CommandEscape,
                (At::Command, BEL) | (At::CommandEscape, b'\\') => At::Text,
                // An unterminated sequence does not swallow the following lines.
                (At::Escape | At::Control | At::Command | At::CommandEscape, b'\n') => {
                    self.0 = At::Text;
                    return Next::Sequence(at);
                }
                (At::Command | At::CommandEscape, _) => At::Command,
                (At::Text | At::Escape | At::Control, _) => At::Text,
            };
            if self.0 == At::Text {
                return Next::Sequence(at + 1);
            }
        }
        Next::Sequence(bytes.len())
    }
}

/// Has `write` take some of `bytes`, without sequences if the stream is `plain`. Returns how many
/// bytes were consumed.
pub fn write(
    plain: &mut Option<Plain>,
    bytes: &[u8],
    write: impl FnOnce(&[u8]) -> rustix::io::Result<usize>,
) -> rustix::io::Result<usize> {
    match plain.as_mut().map(|plain| plain.next(bytes)) {
        None => write(bytes),
        Some(Next::Text(len)) => write(&bytes[..len]),
        Some(Next::Sequence(len)) => Ok(len),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(pieces: &[&[u8]]) -> String {
        let mut plain = Some(Plain(At::Text));
        let mut out = Vec::new();
        for mut left in pieces.iter().copied() {
            while !left.is_empty() {
                let done = write(&mut plain, left, |bytes| {
                    // Simulates a slow reader.
                    out.extend_from_slice(&bytes[..1]);
                    Ok(1)
                });
                left = &left[done.unwrap()..];
            }
        }
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn text_stays_and_sequences_go() {
        for (written, expected) in [
            ("plain\n", "plain\n"),
            ("\x1b[1;31mred\x1b[0m\n", "red\n"),
            ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x07 on", "link on"),
            ("\x1b(Bascii\x1b=", "ascii"),
            ("\x1bPq#0\x1b\\image", "image"),
            ("broken \x1b[31\nnext", "broken \nnext"),
            ("broken \x1b]0;title\nnext", "broken \nnext"),
            ("end \x1b", "end "),
            ("ä\x1b\x1b[1mö", "äö"),
        ] {
            assert_eq!(shown(&[written.as_bytes()]), expected, "{written:?}");
        }
    }

    proptest! {
        #[test]
        fn however_it_is_cut_it_is_the_same(at in 0..30_usize) {
            let text = b"a\x1b[1;31mred\x1b[0m \x1b]0;t\x07z \x1b(Bend";
            let at = at.min(text.len());
            prop_assert_eq!(shown(&[&text[..at], &text[at..]]), "ared z end");
        }
    }
}
