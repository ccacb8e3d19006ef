//! The command's pseudo-terminal, and the real terminal behind it.
//!
//! The command's terminal starts with the modes and the size of the real one. While a person types,
//! the real one is in raw mode and every key is passed on, so that the command's terminal echoes,
//! edits lines and turns Ctrl-C and Ctrl-\ into signals. Ctrl-Z is for the shell that started
//! cachex: it stops the command, and cachex with it.

mod answers;

use crate::typed::Terminal;
use answers::Answers;
use cachex_base::streams::nonblocking_writer::has_hung_up;
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
    LocalModes, OptionalActions, OutputModes, SpecialCodeIndex, Termios, isatty, tcgetattr,
    tcgetpgrp, tcgetwinsize, tcsetattr, tcsetwinsize,
};
use signal_hook::consts::SIGTTOU;
use std::mem;

const CHUNK: usize = 4096;

/// Both ends of a pseudo-terminal.
pub struct Pty {
    /// The master end, for reading the command's output.
    output: OwnedFd,
    /// The master end, for writing its input.
    input: OwnedFd,
    /// The command's end.
    slave: OwnedFd,
    /// True if the command's standard input is this terminal.
    typed: bool,
    /// True if the command's standard error is this terminal.
    errors_too: bool,
}

impl Pty {
    /// Opens a pseudo-terminal like the terminal on standard output. The command reads from it if
    /// `inherits_input` and standard input is a terminal. Its standard error goes there if cachex's
    /// goes to a terminal.
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
        // In the background, the modes are those of the shell's line editor, and the new terminal's
        // own are the usual ones.
        let is_elsewhere = tcgetpgrp(like).is_ok_and(|front| front != getpgrp());
        if !is_elsewhere && let Ok(modes) = tcgetattr(like) {
            tcsetattr(&slave, OptionalActions::Now, &modes)?;
        }
        let errors_too = isatty(rustix::stdio::stderr());
        resize(&master);
        let input = rustix::io::fcntl_dupfd_cloexec(&master, 3)?;
        Ok(Pty { output: master, input, slave, typed, errors_too })
    }

    /// The command's end. The command leads a session of which this is the terminal.
    pub fn slave(&self) -> BorrowedFd<'_> {
        self.slave.as_fd()
    }

    /// Returns whether the command's standard input is this terminal.
    pub fn takes_stdin(&self) -> bool {
        self.typed
    }

    /// Returns whether the command's standard error is this terminal.
    pub fn takes_stderr(&self) -> bool {
        self.errors_too
    }

    /// Closes the command's end. Returns the descriptor to read its output from, and the console
    /// for its input.
    pub fn split(self, leader: Pid) -> (OwnedFd, Console) {
        let keyboard = Keyboard::of(self.typed, tcgetattr(&self.input).ok());
        (self.output, Console { master: self.input, leader, keyboard })
    }
}

/// Gives a pseudo-terminal the size of the real one. Returns whether it had another width.
fn resize(master: impl AsFd) -> bool {
    let Ok(size) = tcgetwinsize(rustix::stdio::stdout()) else { return false };
    let before = tcgetwinsize(&master);
    let _ = tcsetwinsize(master, size);
    before.is_ok_and(|before| before.ws_col != size.ws_col)
}

/// Passes input from the person to the command.
pub struct Console {
    master: OwnedFd,
    leader: Pid,
    /// The keyboard; none if the real terminal is not this session's.
    keyboard: Option<Keyboard>,
}

/// The real terminal, whose keys are passed on.
struct Keyboard {
    terminal: Terminal,
    /// False until the command uses its terminal for keys, if that is not its standard input: until
    /// then, they may be for others, such as the first program of a pipeline.
    is_wanted: bool,
    /// The modes that the command's terminal had at first.
    first: Option<Termios>,
    /// The terminal's modes before raw mode; none while not in raw mode.
    before: Option<Termios>,
    /// The keys that were typed and not passed on yet.
    keys: Vec<u8>,
    /// The number of keys that were typed before raw mode and not read yet.
    ahead: usize,
    /// True if one of the keys told the command to end.
    interrupted: bool,
    /// Recognizes answers of the terminal among the keys.
    answers: Answers,
    /// True if a person typed any of the keys.
    was_typed: bool,
    /// True if any key was passed on since that was last asked.
    has_passed_on: bool,
}

/// A request of the person, besides typing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pressed {
    /// Nothing.
    Nothing,
    /// The command is to end, and has been told.
    Interrupt,
    /// The command is to stop, and has not been told.
    Stop,
    /// The terminal is gone.
    HungUp,
}

impl Console {
    /// Starts to pass keys on, unless this process is in the background, where the terminal belongs
    /// to another.
    pub fn engage(&mut self) {
        resize(&self.master);
        if let Some(keyboard) = &mut self.keyboard {
            keyboard.engage();
        }
    }

    /// Restores the modes of the real terminal.
    pub fn release(&mut self) {
        if let Some(keyboard) = &mut self.keyboard {
            keyboard.release();
        }
    }

    /// Lets keys send signals again, while the rest of the output is shown as it is.
    pub fn give_keys_back(&mut self) {
        if let Some(before) = self.keyboard.as_ref().and_then(|keyboard| keyboard.before.as_ref()) {
            let mut modes = before.clone();
            modes.output_modes.remove(OutputModes::OPOST);
            if let Some(keyboard) = &self.keyboard {
                let _ = tcsetattr(&keyboard.terminal, OptionalActions::Now, &modes);
            }
        }
    }

    /// Returns whether the command has set its terminal otherwise, as whatever takes single keys or
    /// asks for a password does before it reads any.
    pub fn is_set_otherwise(&self) -> bool {
        let Some(first) = self.keyboard.as_ref().and_then(|it| it.first.as_ref()) else {
            return false;
        };
        let of_keys = LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG;
        let now = tcgetattr(&self.master);
        now.is_ok_and(|now| now.local_modes & of_keys != first.local_modes & of_keys)
    }

    /// Passes keys on from now on: the command reads them.
    pub fn is_read(&mut self) {
        if let Some(keyboard) = self.keyboard.as_mut().filter(|keyboard| !keyboard.is_wanted) {
            keyboard.is_wanted = true;
            keyboard.engage();
        }
    }

    /// Returns whether keys are passed on once the command reads them.
    pub fn awaits_readers(&self) -> bool {
        self.keyboard.as_ref().is_some_and(|keyboard| !keyboard.is_wanted)
    }

    /// Returns whether the keys currently belong to another process, so that `engage` must be
    /// retried.
    pub fn is_in_the_background(&self) -> bool {
        self.keyboard.as_ref().is_some_and(|it| it.is_wanted && it.before.is_none())
    }

    /// Returns whether a person ended the command with a key.
    pub fn interrupted(&self) -> bool {
        self.keyboard.as_ref().is_some_and(|keyboard| keyboard.interrupted)
    }

    /// Returns whether a person typed anything for the command. The command's terminal may have
    /// echoed it into the recording, whether or not it was read.
    pub fn was_typed(&self) -> bool {
        let typed = |keyboard: &Keyboard| keyboard.was_typed || keyboard.answers.is_pending();
        self.keyboard.as_ref().is_some_and(typed)
    }

    /// Gives the command's terminal the size of the real one. Returns whether it had another width.
    pub fn resize(&self) -> bool {
        resize(&self.master)
    }

    /// Sends a signal to the foreground group of the command's terminal, unless that is the command
    /// itself.
    pub fn signal(&self, signal: Signal) {
        if let Ok(front) = tcgetpgrp(&self.master)
            && front != self.leader
        {
            let _ = kill_process_group(front, signal);
        }
    }

    /// Returns what must be ready for [`Console::pass_on`] to make progress.
    pub fn waits_for(&self) -> Option<(BorrowedFd<'_>, PollFlags)> {
        let keyboard = self.keyboard.as_ref()?;
        if !keyboard.keys.is_empty() {
            Some((self.master.as_fd(), PollFlags::OUT))
        } else if keyboard.before.is_some() {
            Some((keyboard.terminal.as_fd(), PollFlags::IN))
        } else {
            None
        }
    }

    /// Returns whether any key was passed on since the last call.
    pub fn has_passed_on(&mut self) -> bool {
        self.keyboard.as_mut().is_some_and(|keyboard| mem::take(&mut keyboard.has_passed_on))
    }

    /// Passes on the keys that have been typed.
    pub fn pass_on(&mut self) -> Pressed {
        let Some(keyboard) = &mut self.keyboard else { return Pressed::Nothing };
        let terminal = keyboard.terminal.as_fd();
        if keyboard.before.is_none() && has_hung_up(terminal) {
            return Pressed::HungUp;
        }
        let mut pressed = Pressed::Nothing;
        let has_keys = || fsutil::is_ready(terminal, PollFlags::IN) == Ok(true);
        if keyboard.before.is_some() && keyboard.keys.is_empty() && has_keys() {
            keyboard.keys.resize(CHUNK, 0);
            let read = rustix::io::read(terminal, &mut keyboard.keys[..]);
            keyboard.keys.truncate(read.unwrap_or(0));
            keyboard.restore_ends(&self.master);
            match read {
                Ok(0) | Err(_) if read != Err(Errno::INTR) && read != Err(Errno::AGAIN) => {
                    return Pressed::HungUp;
                }
                _ => pressed = meaning(&self.master, self.leader, &mut keyboard.keys),
            }
            keyboard.interrupted |= pressed == Pressed::Interrupt;
            keyboard.was_typed |= keyboard.answers.are_typed(&keyboard.keys);
        }
        while !keyboard.keys.is_empty() {
            match rustix::io::write(&self.master, &keyboard.keys) {
                Ok(n) => {
                    keyboard.has_passed_on = true;
                    keyboard.keys.drain(..n);
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => break,
                Err(_) => keyboard.keys.clear(),
            }
        }
        pressed
    }
}

/// Returns what these keys mean to the command's terminal in its present modes, and removes the key
/// that stops.
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
        // Otherwise an inner shell decides what to stop.
        Some(at) if tcgetpgrp(master) == Ok(leader) => {
            let key = keys.remove(at);
            // The command's terminal would have echoed it, without a part in the command's output.
            if modes.local_modes.contains(LocalModes::ECHO | LocalModes::ECHOCTL) && key < b' ' {
                let _ = fsutil::write_some(rustix::stdio::stdout(), &[b'^', key ^ 0x40]);
            }
            Pressed::Stop
        }
        _ => Pressed::Nothing,
    }
}

/// `_POSIX_VDISABLE`: no key.
const DISABLED: u8 = if cfg!(target_os = "linux") { 0 } else { 0xff };

impl Keyboard {
    /// Returns the keyboard of the terminal on standard output, which also is standard input if
    /// `is_stdin`. None if it is not the terminal of this session: no key of it could be meant.
    fn of(is_stdin: bool, first: Option<Termios>) -> Option<Keyboard> {
        let terminal = if is_stdin {
            Terminal::Stream(rustix::stdio::stdin())
        } else {
            tcgetpgrp(rustix::stdio::stdout()).ok()?;
            let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
            Terminal::Opened(rustix::fs::open("/dev/tty", flags, Mode::empty()).ok()?)
        };
        Some(Keyboard {
            terminal,
            is_wanted: is_stdin,
            first,
            before: None,
            keys: Vec::new(),
            ahead: 0,
            interrupted: false,
            answers: Answers::default(),
            was_typed: false,
            has_passed_on: false,
        })
    }

    fn engage(&mut self) {
        if !self.is_wanted {
            return;
        }
        let terminal = self.terminal.as_fd();
        if tcgetpgrp(terminal).is_ok_and(|front| front != getpgrp()) {
            return;
        }
        let Ok(now) = tcgetattr(terminal) else { return };
        let mut raw = now.clone();
        raw.make_raw();
        if tcsetattr(terminal, OptionalActions::Now, &raw).is_ok() {
            let were_lines = now.local_modes.contains(LocalModes::ICANON);
            let typed = || rustix::io::ioctl_fionread(terminal).unwrap_or(0) as usize;
            self.ahead = if were_lines { typed() } else { 0 };
            // It was in raw mode already if cachex was stopped before it could release it.
            self.before.get_or_insert(now);
        }
    }

    /// Turns the ends of input that were typed before raw mode back into keys: the terminal keeps
    /// them as zero bytes.
    fn restore_ends(&mut self, master: &OwnedFd) {
        let ahead = self.ahead.min(self.keys.len());
        self.ahead -= ahead;
        let ends = self.keys[..ahead].iter_mut().filter(|key| **key == DISABLED);
        if cfg!(target_os = "linux")
            && let Ok(modes) = tcgetattr(master)
        {
            ends.for_each(|key| *key = modes.special_codes[SpecialCodeIndex::VEOF]);
        }
    }

    fn release(&mut self) {
        if let Some(before) = self.before.take() {
            // Works even from the background.
            let _ignored = Altered::ignored(SIGTTOU);
            let _ = tcsetattr(&self.terminal, OptionalActions::Now, &before);
        }
    }
}

impl Drop for Keyboard {
    fn drop(&mut self) {
        self.release();
    }
}
