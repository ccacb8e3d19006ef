//! A pseudo-terminal for the command, and the real one behind it.
//!
//! The command's terminal starts with the modes and the size of the real one.
//! While a person types, the real one is in raw mode and every key is passed on,
//! so that it is the command's terminal that echoes, edits lines and makes
//! signals of Ctrl-C and Ctrl-\. Ctrl-Z is for the shell that started cachex: it
//! stops the command, and cachex with it.

mod answers;

use answers::Answers;
use cachex_base::system::failpoint;
use cachex_base::system::fsutil;
use cachex_base::system::signals::Altered;
use rustix::event::PollFlags;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{Mode, OFlags};
use rustix::io::{Errno, FdFlags};
use rustix::process::{Pid, Signal, getpgrp, kill_process_group};
use rustix::pty::OpenptFlags;
use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, isatty, tcgetattr, tcgetpgrp,
    tcgetwinsize, tcsetattr, tcsetwinsize,
};
use signal_hook::consts::SIGTTOU;

const CHUNK: usize = 4096;

/// Both ends of a pseudo-terminal.
pub struct Pty {
    /// Where what the command prints comes out.
    output: OwnedFd,
    /// The same, for what goes in.
    input: OwnedFd,
    /// The command's end.
    slave: OwnedFd,
    /// Whether the command's standard input is its terminal too,
    typed: bool,
    /// and whether its standard error is.
    errors_too: bool,
}

impl Pty {
    /// One like the terminal that standard output is. The command reads from it
    /// if `inherits_input` and that is a terminal, and its standard error goes to
    /// it if cachex's goes to a terminal.
    pub fn open(inherits_input: bool) -> rustix::io::Result<Pty> {
        failpoint::at("pty")?;
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY;
        let master = rustix::pty::openpt(flags)?;
        rustix::io::fcntl_setfd(&master, FdFlags::CLOEXEC)?;
        rustix::pty::grantpt(&master)?;
        rustix::pty::unlockpt(&master)?;
        let name = rustix::pty::ptsname(&master, Vec::new())?;
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let slave = rustix::fs::open(name.as_c_str(), flags, Mode::empty())?;
        let stdin = rustix::stdio::stdin();
        let typed = inherits_input && isatty(stdin);
        let like = if typed { stdin } else { rustix::stdio::stdout() };
        if let Ok(modes) = tcgetattr(like) {
            tcsetattr(&slave, OptionalActions::Now, &modes)?;
        }
        let errors_too = isatty(rustix::stdio::stderr());
        resize(&master);
        let input = rustix::io::fcntl_dupfd_cloexec(&master, 3)?;
        Ok(Pty { output: master, input, slave, typed, errors_too })
    }

    /// The command's end. The command leads a session whose terminal it is.
    pub fn slave(&self) -> BorrowedFd<'_> {
        self.slave.as_fd()
    }

    /// Whether the command's standard input is its terminal too.
    pub fn takes_stdin(&self) -> bool {
        self.typed
    }

    /// Whether the command's standard error goes to its terminal too.
    pub fn takes_stderr(&self) -> bool {
        self.errors_too
    }

    /// Lets go of the command's end; what is printed comes out of the first, and
    /// the second is for what goes in.
    pub fn split(self, leader: Pid) -> (OwnedFd, Console) {
        let keyboard = self.typed.then(Keyboard::default);
        (self.output, Console { master: self.input, leader, keyboard })
    }
}

/// Gives a pseudo-terminal the size of the real one.
fn resize(master: impl AsFd) {
    if let Ok(size) = tcgetwinsize(rustix::stdio::stdout()) {
        let _ = tcsetwinsize(master, size);
    }
}

/// The way from the person to the command.
pub struct Console {
    master: OwnedFd,
    leader: Pid,
    /// None if the command's standard input is something else.
    keyboard: Option<Keyboard>,
}

/// The real terminal, whose keys are passed on.
#[derive(Default)]
struct Keyboard {
    /// The modes that it had, while it is in raw mode.
    before: Option<Termios>,
    /// What was typed and is not passed on yet.
    keys: Vec<u8>,
    /// Whether a key was among what was typed that ends a command.
    interrupted: bool,
    /// What of it the terminal said,
    answers: Answers,
    /// and whether a person typed the rest.
    was_typed: bool,
}

/// What a person wants, besides typing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pressed {
    /// Nothing.
    Nothing,
    /// That the command ends: it has been told.
    Interrupt,
    /// That it stops: it has not been told.
    Stop,
}

impl Console {
    /// Passes keys on from now on, if that is for this process to do: the
    /// terminal is not its while it is in the background.
    pub fn engage(&mut self) {
        resize(&self.master);
        if let Some(keyboard) = &mut self.keyboard {
            keyboard.engage();
        }
    }

    /// Gives the real terminal the modes back that it had.
    pub fn release(&mut self) {
        if let Some(keyboard) = &mut self.keyboard {
            keyboard.release();
        }
    }

    /// Passes no keys on any more.
    pub fn close(&mut self) {
        self.release();
        self.keyboard = None;
    }

    /// Whether it has to be asked again for the keys, which are somebody else's now.
    pub fn is_in_the_background(&self) -> bool {
        self.keyboard.as_ref().is_some_and(|keyboard| keyboard.before.is_none())
    }

    /// Whether a person ended the command by a key.
    pub fn interrupted(&self) -> bool {
        self.keyboard.as_ref().is_some_and(|keyboard| keyboard.interrupted)
    }

    /// Whether a person typed anything for the command. The command's terminal may have
    /// echoed that among what was recorded, read or not.
    pub fn was_typed(&self) -> bool {
        let typed = |keyboard: &Keyboard| keyboard.was_typed || keyboard.answers.is_pending();
        self.keyboard.as_ref().is_some_and(typed)
    }

    /// Has the command's terminal follow the real one in size.
    pub fn resize(&self) {
        resize(&self.master);
    }

    /// Sends a signal to what is in the foreground of the command's terminal, if
    /// that is not the command itself.
    pub fn signal(&self, signal: Signal) {
        if let Ok(front) = tcgetpgrp(&self.master)
            && front != self.leader
        {
            let _ = kill_process_group(front, signal);
        }
    }

    /// What must be ready for [`Console::pass_on`] to do anything, and for what.
    pub fn waits_for(&self) -> Option<(BorrowedFd<'_>, PollFlags)> {
        let keyboard = self.keyboard.as_ref()?;
        if !keyboard.keys.is_empty() {
            Some((self.master.as_fd(), PollFlags::OUT))
        } else if keyboard.before.is_some() {
            Some((rustix::stdio::stdin(), PollFlags::IN))
        } else {
            None
        }
    }

    /// Passes on what has been typed.
    pub fn pass_on(&mut self) -> Pressed {
        let Some(keyboard) = &mut self.keyboard else { return Pressed::Nothing };
        let mut pressed = Pressed::Nothing;
        let has_keys = || fsutil::is_ready(rustix::stdio::stdin(), PollFlags::IN) == Ok(true);
        if keyboard.before.is_some() && keyboard.keys.is_empty() && has_keys() {
            keyboard.keys.resize(CHUNK, 0);
            let read = rustix::io::read(rustix::stdio::stdin(), &mut keyboard.keys[..]);
            keyboard.keys.truncate(read.unwrap_or(0));
            match read {
                Ok(0) | Err(_) if read != Err(Errno::INTR) && read != Err(Errno::AGAIN) => {
                    // It hung up.
                    self.close();
                    return Pressed::Nothing;
                }
                _ => pressed = meaning(&self.master, self.leader, &mut keyboard.keys),
            }
            keyboard.interrupted |= pressed == Pressed::Interrupt;
            keyboard.was_typed |= keyboard.answers.are_typed(&keyboard.keys);
        }
        while !keyboard.keys.is_empty() {
            match rustix::io::write(&self.master, &keyboard.keys) {
                Ok(n) => drop(keyboard.keys.drain(..n)),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => break,
                Err(_) => keyboard.keys.clear(),
            }
        }
        pressed
    }
}

/// What these keys mean to the command's terminal as it is now; the key that
/// stops is taken out.
fn meaning(master: &OwnedFd, leader: Pid, keys: &mut Vec<u8>) -> Pressed {
    let Ok(modes) = tcgetattr(master) else { return Pressed::Nothing };
    if !modes.local_modes.contains(LocalModes::ISIG) {
        return Pressed::Nothing;
    }
    let code = |index| Some(modes.special_codes[index]).filter(|&code| code != DISABLED);
    let at = |index| code(index).and_then(|code| keys.iter().position(|&key| key == code));
    if at(SpecialCodeIndex::VINTR).or(at(SpecialCodeIndex::VQUIT)).is_some() {
        return Pressed::Interrupt;
    }
    match at(SpecialCodeIndex::VSUSP) {
        // Else it is for a shell within to say what stops.
        Some(at) if tcgetpgrp(master) == Ok(leader) => {
            keys.remove(at);
            Pressed::Stop
        }
        _ => Pressed::Nothing,
    }
}

/// `_POSIX_VDISABLE`: no key.
const DISABLED: u8 = if cfg!(target_os = "linux") { 0 } else { 0xff };

impl Keyboard {
    fn engage(&mut self) {
        let stdin = rustix::stdio::stdin();
        if tcgetpgrp(stdin).is_ok_and(|front| front != getpgrp()) {
            return;
        }
        let Ok(now) = tcgetattr(stdin) else { return };
        let mut raw = now.clone();
        raw.make_raw();
        if tcsetattr(stdin, OptionalActions::Now, &raw).is_ok() {
            // It was in raw mode already if nobody had the time to release it.
            self.before.get_or_insert(now);
        }
    }

    fn release(&mut self) {
        if let Some(before) = self.before.take() {
            // Even from the background.
            let _ignored = Altered::ignored(SIGTTOU);
            let _ = tcsetattr(rustix::stdio::stdin(), OptionalActions::Now, &before);
        }
    }
}

impl Drop for Keyboard {
    fn drop(&mut self) {
        self.release();
    }
}
