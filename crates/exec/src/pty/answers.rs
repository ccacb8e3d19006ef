//! Recognizes a terminal's own answers among what a person types.
//!
//! A terminal answers queries (see [`crate::screen`]) as if somebody had typed, and reports whether
//! its window has the focus. Nobody who replays the recording would type that.

const ESC: u8 = 0x1b;
const BEL: u8 = 0x07;
/// The maximum number of parameter bytes in an answer.
const LONGEST: usize = 64;

/// Tells answers from keys, however the input is split.
#[derive(Debug, Default)]
pub struct Answers {
    at: At,
    /// The bytes between `ESC [` and the final byte.
    parameters: Vec<u8>,
}

/// The parser's position in the input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum At {
    /// Between two keys or answers.
    #[default]
    Start,
    /// After ESC.
    Escape,
    /// After `ESC [`.
    Control,
    /// In a sequence that begins with `ESC ]`, `ESC P` or `ESC _` and ends with a terminator.
    String,
    /// In such a sequence, after an ESC that may begin the terminator.
    StringEscape,
}

impl Answers {
    /// Returns whether a person typed any of the next `bytes`.
    pub fn are_typed(&mut self, bytes: &[u8]) -> bool {
        let mut are_typed = false;
        for &byte in bytes {
            are_typed |= self.is_typed(byte);
        }
        are_typed
    }

    /// Returns whether the input ends in an Escape that has begun nothing yet.
    pub fn is_pending(&self) -> bool {
        self.at == At::Escape
    }

    fn is_typed(&mut self, byte: u8) -> bool {
        let (at, is_typed) = match (self.at, byte) {
            (At::Start, ESC) => (At::Escape, false),
            // The first Escape was a key.
            (At::Escape, ESC) => (At::Escape, true),
            (At::Escape, b'[') => (At::Control, false),
            (At::Control, 0x20..=0x3f) if self.parameters.len() < LONGEST => {
                self.parameters.push(byte);
                (At::Control, false)
            }
            (At::Control, _) => {
                let is_answer = is_answer(&self.parameters, byte);
                self.parameters.clear();
                (At::Start, !is_answer)
            }
            (At::String, BEL) | (At::StringEscape, b'\\') => (At::Start, false),
            (At::String | At::StringEscape, ESC) => (At::StringEscape, false),
            (At::String | At::StringEscape, _) | (At::Escape, b']' | b'P' | b'_') => {
                (At::String, false)
            }
            (At::Start | At::Escape, _) => (At::Start, true),
        };
        self.at = at;
        is_typed
    }
}

/// Returns whether a control sequence with these parameters and final byte is an answer.
fn is_answer(parameters: &[u8], last: u8) -> bool {
    match last {
        // Cursor position, status, device attributes, window reports.
        b'R' | b'n' | b'c' | b't' | b'x' => !parameters.is_empty(),
        b'y' => parameters.ends_with(b"$"),
        // Keyboard protocol and graphics; without the prefix it is a key.
        b'u' | b'S' => parameters.starts_with(b"?"),
        // Focus gained or lost.
        b'I' | b'O' => parameters.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(pieces: &[&str]) -> bool {
        let mut answers = Answers::default();
        let mut typed = false;
        for piece in pieces {
            typed |= answers.are_typed(piece.as_bytes());
        }
        typed || answers.is_pending()
    }

    #[test]
    fn a_terminal_answers() {
        for answer in [
            "\x1b[24;80R",
            "\x1b[0n",
            "\x1b[?997;1n",
            "\x1b[?62;22c",
            "\x1b[>1;4000;22c",
            "\x1b[8;24;80t",
            "\x1b[?2026;2$y",
            "\x1b[?0u",
            "\x1b[?1;0;256S",
            "\x1b[I\x1b[O",
            "\x1b]11;rgb:1e1e/1e1e/1e1e\x07",
            "\x1b]10;rgb:ffff/ffff/ffff\x1b\\\x1b[?62c",
            "\x1bP>|XTerm(390)\x1b\\",
            "\x1b_Gi=31;OK\x1b\\",
        ] {
            assert!(!typed(&[answer]), "{answer:?}");
            for at in 0..answer.len() {
                let (one, other) = answer.split_at(at);
                assert!(!typed(&[one, other]), "{one:?} {other:?}");
            }
        }
    }

    #[test]
    fn a_person_types() {
        for keys in [
            "a",
            "\r",
            "\x04",
            "\x1b",
            "\x1b\x1b",
            "\x1b[A",
            "\x1bOP",
            "\x1b[15~",
            "\x1b[1;5C",
            "\x1b[97;5u",
            "\x1bx",
            "\x1b[200~text\x1b[201~",
            "\x1b[24;80Ry",
            "ä",
        ] {
            assert!(typed(&[keys]), "{keys:?}");
        }
        assert!(!typed(&[]));
    }
}
