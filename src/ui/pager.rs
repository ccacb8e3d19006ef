//! Paging: output that is longer than the screen goes through the user's pager, as in git. Never
//! where standard output is no terminal.

use super::Screen;
use crate::config::{self, Vars};
use anyhow::Result;
use cachex_base::streams::messages;
use signal_hook::consts::{SIGINT, SIGPIPE, SIGQUIT};
use std::ffi::{OsStr, OsString};
use std::io::{self, BufWriter, ErrorKind, Stdout, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

/// The smallest number of lines on a screen for paging.
const LEAST: u16 = 2;

/// Calls `fill` to write to standard output, through a pager if that is a terminal, `paging` is
/// wanted, and the output is longer than the screen. Quitting the pager ends the output, and is no
/// error.
pub fn show(
    screen: Screen,
    vars: &Vars,
    paging: bool,
    fill: impl FnOnce(&mut Pages) -> Result<()>,
) -> Result<()> {
    let height = screen.height.filter(|&height| paging && height >= LEAST);
    let held = height.zip(Pager::of(vars)).map(|(height, pager)| Held {
        pager,
        // The last line is for the prompt.
        room: usize::from(height) - 1,
        text: Vec::new(),
    });
    let mut pages = Pages(match held {
        Some(held) => State::Held(held),
        None => State::Plain(BufWriter::new(std::io::stdout())),
    });
    let filled = fill(&mut pages);
    let paged = matches!(pages.0, State::Paged(_));
    let ended = pages.end();
    let left = |error: &anyhow::Error| {
        let error = error.downcast_ref::<io::Error>();
        paged && error.is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
    };
    match filled {
        Err(error) if !left(&error) => Err(error),
        _ => Ok(ended?),
    }
}

/// The destination of text to be shown.
pub struct Pages(State);

enum State {
    /// Text is written as it comes.
    Plain(BufWriter<Stdout>),
    /// Text is buffered, as it may still fit the screen.
    Held(Held),
    /// Text goes to the pager.
    Paged(Child),
}

struct Held {
    pager: Pager,
    room: usize,
    text: Vec<u8>,
}

impl Pages {
    /// Starts the pager with the buffered text, once that does not fit the screen.
    fn turn(&mut self) -> io::Result<()> {
        let State::Held(held) = &mut self.0 else { return Ok(()) };
        let lines = held.text.split(|&byte| byte == b'\n').count() - 1;
        if lines <= held.room {
            return Ok(());
        }
        let text = std::mem::take(&mut held.text);
        self.0 = match held.pager.start() {
            Some(child) => State::Paged(child),
            None => State::Plain(BufWriter::new(std::io::stdout())),
        };
        self.write_all(&text)
    }

    fn end(mut self) -> io::Result<()> {
        match &mut self.0 {
            State::Plain(out) => out.flush(),
            State::Held(held) => {
                let mut out = std::io::stdout();
                out.write_all(&held.text)?;
                out.flush()
            }
            State::Paged(child) => {
                drop(child.stdin.take());
                let status = child.wait()?;
                if [126, 127].map(Some).contains(&status.code()) {
                    messages::error(format_args!(
                        "the pager could not be started; set PAGER to another, or use --no-pager"
                    ));
                }
                Ok(())
            }
        }
    }
}

impl Write for Pages {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            State::Plain(out) => return out.write(bytes),
            State::Held(held) => held.text.extend(bytes),
            State::Paged(child) => {
                let gone = || io::Error::from(ErrorKind::BrokenPipe);
                return child.stdin.as_mut().ok_or_else(gone)?.write(bytes);
            }
        }
        self.turn()?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.0 {
            State::Plain(out) => out.flush(),
            State::Held(_) | State::Paged(_) => Ok(()),
        }
    }
}

/// The pager program.
struct Pager {
    /// The user's choice; none means `less`, if it exists.
    command: Option<OsString>,
    /// True if the user has configured `less`.
    told: bool,
}

impl Pager {
    /// Returns `CACHEX_PAGER`, `PAGER` or `less`; none if that is empty or `cat`.
    fn of(vars: &Vars) -> Option<Pager> {
        let command = config::var(vars, "CACHEX_PAGER").or_else(|| config::var(vars, "PAGER"));
        let none = command.is_some_and(|command| command.is_empty() || command == "cat");
        let told = config::var(vars, "LESS").is_some();
        (!none).then(|| Pager { command: command.map(OsStr::to_owned), told })
    }

    /// Starts the pager; none if that fails.
    fn start(&self) -> Option<Child> {
        let mut command = match &self.command {
            // A command line, as in other programs.
            Some(text) => {
                let mut shell = Command::new("sh");
                shell.arg("-c").arg(text);
                shell
            }
            None => Command::new("less"),
        };
        if !self.told {
            // Keep colours, do not page output that fits, and leave it on the screen.
            command.env("LESS", "FRX");
        }
        let child = command.stdin(Stdio::piped()).spawn().ok()?;
        for signal in [SIGINT, SIGQUIT, SIGPIPE] {
            // The pager handles keys itself, and its end shows as a write error.
            let _ = signal_hook::flag::register(signal, Arc::default());
        }
        Some(child)
    }
}
