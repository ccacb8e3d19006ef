//! Prepares output that was recorded at a terminal for another one.
//!
//! A terminal answers some of what is written to it: the cursor position, its features, its
//! colours. During a run the command reads the answers. During a replay nobody does, and they would
//! be typed into the next prompt, so queries are left out.
//!
//! The recording has the line ends that the first terminal produced, `\r\n` for `\n`. A terminal
//! that does the same gets `\n` again.

use rustix::fd::AsFd;
use rustix::termios::{OutputModes, tcgetattr};

const ESC: u8 = 0x1b;
const BEL: u8 = 0x07;
/// The terminal's "who are you?" query.
const ENQ: u8 = 0x05;
/// The maximum length of a query.
const LONGEST: usize = 4096;

/// The parser's position in the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// In text, or in a sequence that is too long for a query.
    Text,
    /// After a `\r`.
    Return,
    /// After ESC.
    Escape,
    /// After `ESC [`.
    Control,
    /// In a sequence that begins with `ESC ]`, `ESC P` or `ESC _` and ends with a terminator.
    String,
    /// In such a sequence, after an ESC that may begin the terminator.
    StringEscape,
}

/// Prepares output for a terminal, however the output is split.
pub struct Screen {
    at: At,
    /// The sequence in progress.
    sequence: Vec<u8>,
    /// True if the terminal turns `\n` into `\r\n`.
    makes_returns: bool,
}

impl Screen {
    /// Prepares output for this terminal.
    pub fn new(terminal: impl AsFd) -> Screen {
        let makes = OutputModes::OPOST | OutputModes::ONLCR;
        let modes = tcgetattr(terminal).map(|modes| modes.output_modes);
        Screen::that(modes.is_ok_and(|modes| modes.contains(makes)))
    }

    fn that(makes_returns: bool) -> Screen {
        Screen { at: At::Text, sequence: Vec::new(), makes_returns }
    }

    /// Appends to `out` what the terminal is to show of the next `bytes`.
    pub fn pass(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        for &byte in bytes {
            self.step(byte, out);
        }
    }

    /// Appends an unfinished sequence at the end of the output.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        if self.at == At::Return {
            out.push(b'\r');
        }
        out.append(&mut self.sequence);
        self.at = At::Text;
    }

    fn step(&mut self, byte: u8, out: &mut Vec<u8>) {
        match (self.at, byte) {
            (At::Text, ESC) => self.begin(),
            (At::Text, b'\r') if self.makes_returns => self.at = At::Return,
            (At::Text, ENQ) => {}
            (At::Text, byte) => out.push(byte),
            (At::Return, b'\n') => {
                out.push(b'\n');
                self.at = At::Text;
            }
            (At::Return, byte) => {
                out.push(b'\r');
                self.at = At::Text;
                self.step(byte, out);
            }
            (_, byte) => {
                self.sequence.push(byte);
                self.follow(byte, out);
            }
        }
    }

    fn begin(&mut self) {
        self.at = At::Escape;
        self.sequence.push(ESC);
    }

    /// Processes the next byte of a sequence.
    fn follow(&mut self, byte: u8, out: &mut Vec<u8>) {
        self.at = match (self.at, byte) {
            (At::Escape, b'[') => At::Control,
            (At::Escape, b']' | b'P' | b'_') => At::String,
            // The terminal also drops the sequence that was begun.
            (At::Escape | At::Control, ESC) | (At::Escape, 0x20..=0x2f) => At::Escape,
            (At::Control, 0..=0x3f) | (At::Escape, 0..=0x1f) => self.at,
            (At::String | At::StringEscape, ESC) => At::StringEscape,
            (At::String, BEL) | (At::StringEscape, b'\\') | (At::Escape | At::Control, _) => {
                return self.end(out);
            }
            (At::StringEscape, _) => At::String,
            (at, _) => at,
        };
        if self.sequence.len() > LONGEST {
            self.at = At::Text;
            out.append(&mut self.sequence);
        }
    }

    /// Appends a complete sequence, unless it is a query.
    fn end(&mut self, out: &mut Vec<u8>) {
        self.at = At::Text;
        if !is_question(&self.sequence) {
            out.append(&mut self.sequence);
        }
        self.sequence.clear();
    }
}

/// Returns whether a terminal answers this sequence.
fn is_question(sequence: &[u8]) -> bool {
    match sequence {
        // DECID
        [ESC, b'Z'] => true,
        [ESC, b'[', parameters @ .., last] => is_control_question(parameters, *last),
        [ESC, b']', text @ ..] => is_command_question(terminated(text)),
        // DECRQSS, XTGETTCAP
        [ESC, b'P', text @ ..] => text.starts_with(b"$q") || text.starts_with(b"+q"),
        // Graphics protocol: queries for support
        [ESC, b'_', b'G', text @ ..] => {
            let control = text.split(|&byte| byte == b';').next().unwrap_or_default();
            control.split(|&byte| byte == b',').any(|pair| pair == b"a=q")
        }
        _ => false,
    }
}

/// Returns whether a control sequence with these parameters and final byte is a query.
fn is_control_question(parameters: &[u8], last: u8) -> bool {
    let prefix = parameters.first().copied().filter(|byte| (0x3c..=0x3f).contains(byte));
    let intermediate = parameters.last().copied().filter(|byte| (0x20..=0x2f).contains(byte));
    match (prefix, intermediate, last) {
        // DSR and DECDSR; DA, the first three; DECREQTPARM; XTVERSION
        (None | Some(b'?'), None, b'n')
        | (None | Some(b'>' | b'='), None, b'c')
        | (None, None, b'x')
        | (Some(b'>'), None, b'q')
        // DECRQM, DECRQPSR, DECRQTSR, DECRQUPSS, DECRQDE, DECRQCRA, DECRQLP
        | (_, Some(b'$'), b'p' | b'w' | b'u')
        | (_, Some(b'&'), b'u')
        | (_, Some(b'"'), b'v')
        | (_, Some(b'*'), b'y')
        | (_, Some(b'\''), b'|')
        // Keyboard protocol, key modifiers, graphics
        | (Some(b'?'), None, b'u' | b'm' | b'S') => true,
        // Window state, position, size and title
        (None, None, b't') => {
            let first = parameters.split(|&byte| byte == b';').next().unwrap_or_default();
            matches!(first, b"11" | b"13" | b"14" | b"15" | b"16" | b"18" | b"19" | b"20" | b"21")
        }
        _ => false,
    }
}

/// Returns whether a terminal answers the operating system command with this text.
fn is_command_question(text: &[u8]) -> bool {
    let mut parts = text.split(|&byte| byte == b';');
    let number = parts.next().unwrap_or_default();
    match number {
        // Colours, the font, the pointer, the clipboard
        b"4" | b"5" | b"21" | b"22" | b"50" | b"52" | b"99" => {
            parts.any(|part| part == b"?" || part.ends_with(b"=?"))
        }
        [b'1', b'0'..=b'9'] => parts.any(|part| part == b"?"),
        b"1337" => parts.next().is_some_and(|what| {
            [&b"Report"[..], b"Capabilities", b"RequestUpload"]
                .iter()
                .any(|question| what.starts_with(question))
        }),
        _ => false,
    }
}

/// Strips the terminator.
fn terminated(text: &[u8]) -> &[u8] {
    let text = text.strip_suffix(b"\x1b\\").unwrap_or(text);
    text.strip_suffix(&[BEL]).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(makes_returns: bool, pieces: &[&[u8]]) -> Vec<u8> {
        let (mut screen, mut out) = (Screen::that(makes_returns), Vec::new());
        for piece in pieces {
            screen.pass(piece, &mut out);
        }
        screen.finish(&mut out);
        out
    }

    #[test]
    fn questions_are_left_out() {
        for question in [
            "\x05",
            "\x1bZ",
            "\x1b[6n",
            "\x1b[5n",
            "\x1b[?6n",
            "\x1b[?996n",
            "\x1b[c",
            "\x1b[0c",
            "\x1b[>c",
            "\x1b[>0c",
            "\x1b[=c",
            "\x1b[?2026$p",
            "\x1b[20$p",
            "\x1b[>q",
            "\x1b[>0q",
            "\x1b[14t",
            "\x1b[18t",
            "\x1b[21t",
            "\x1b[x",
            "\x1b[?u",
            "\x1b[?4m",
            "\x1b[?1;1;0S",
            "\x1b[1;1;2;2;5;5*y",
            "\x1b]10;?\x07",
            "\x1b]11;?\x1b\\",
            "\x1b]4;1;?\x07",
            "\x1b]52;c;?\x07",
            "\x1b]1337;ReportCellSize\x07",
            "\x1bP+q544e\x1b\\",
            "\x1bP$qm\x1b\\",
            "\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\",
        ] {
            let text = format!("before{question}after");
            assert_eq!(shown(false, &[text.as_bytes()]), b"beforeafter", "{question:?}");
        }
    }

    #[test]
    fn everything_else_is_shown_as_it_is() {
        for text in [
            "\x1b[31mred\x1b[m",
            "\x1b[2J\x1b[H",
            "\x1b[?25l",
            "\x1b[10;20H",
            "\x1b[>4;2m",
            "\x1b[>4n",
            "\x1b[?1c",
            "\x1b[2 q",
            "\x1b[22;0t",
            "\x1b[>1u",
            "\x1b[u",
            "\x1b[!p",
            "\x1b]0;what?\x07",
            "\x1b]8;;http://example.com/?q\x1b\\link\x1b]8;;\x1b\\",
            "\x1b]10;#ffffff\x07",
            "\x1b]52;c;aGk=\x07",
            "\x1bPq#0;2;0;0;0~\x1b\\",
            "\x1b_Ga=T,f=24,s=1,v=1;AAAA\x1b\\",
            "\x1b(B",
            "\x1b7\x1b8",
            "\x1b",
            "\x1b[",
            "\x1b]2;",
            "50%\r100%\r\n",
            "a\r",
        ] {
            assert_eq!(shown(false, &[text.as_bytes()]), text.as_bytes(), "{text:?}");
        }
        let long = [b"\x1b]1337;File=:".as_slice(), &[b'A'; 3 * LONGEST], b"\x07end"].concat();
        assert_eq!(shown(true, &[&long]), long);
    }

    #[test]
    fn a_terminal_that_makes_returns_gets_them_once() {
        assert_eq!(shown(true, &[b"one\r\ntwo\r\n"]), b"one\ntwo\n");
        assert_eq!(shown(true, &[b"raw\r\r\n50%\r100%\r"]), b"raw\r\n50%\r100%\r");
        assert_eq!(shown(true, &[b"one\r", b"\ntwo\r", b"three"]), b"one\ntwo\rthree");
    }

    proptest! {
        #[test]
        fn it_does_not_matter_how_it_is_cut(text in "[\x1b\\[\\]P_G>?$;016cnq\r\nZ\\\\\x07 a=]{0,60}", at in 0..60_usize, makes in any::<bool>()) {
            let text = text.as_bytes();
            let (one, other) = text.split_at(at.min(text.len()));
            prop_assert_eq!(shown(makes, &[one, other]), shown(makes, &[text]));
        }
    }
}
