//! The command's processes as a shell sees a job: signalled together, stopped
//! and continued, and lent the terminal.
//!
//! A command that may have to be ended with all that it started (`--timeout`, a
//! background refresh) leads a process group of its own, and one at a
//! pseudo-terminal a session. cachex then stands between it and the shell:
//!
//! - What the terminal sends to cachex's group (Ctrl-C, Ctrl-\, Ctrl-Z) is sent
//!   on to the command's.
//! - The command gets the terminal when it asks for it, which is when it stops
//!   for want of it (SIGTTIN, SIGTTOU), and not before: the other processes of
//!   the shell's job, `less` at the end of a pipeline say, may need it too.
//! - When the command stops, cachex takes the terminal back and stops as it did,
//!   so that the shell sees a stopped job; continued, it continues the command.

use crate::signals::{self, Altered};
use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, getpgrp, kill_process, kill_process_group,
    test_kill_process_group, waitid,
};
use rustix::termios::{tcgetpgrp, tcsetpgrp};
use signal_hook::consts::SIGTTOU;

/// How far a command is set apart from cachex.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It is in cachex's process group, and a child as any other.
    Process,
    /// It leads a process group.
    Group,
    /// It leads a session, with a pseudo-terminal of its own.
    Session,
}

/// A command that is running.
pub struct Job {
    leader: Pid,
    kind: Kind,
    /// The terminal that cachex and the shell share, once it was needed.
    terminal: Option<Terminal>,
    /// It was told to stop when it had stopped for want of the terminal, and will
    /// not hear of it: what continues it takes that signal away.
    is_to_stop: bool,
}

impl Job {
    /// The job that `leader` leads, or is.
    pub fn new(leader: Pid, kind: Kind) -> Job {
        Job { leader, kind, terminal: None, is_to_stop: false }
    }

    /// How far it is set apart.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Sends a signal to all of it.
    pub fn signal(&self, signal: Signal) {
        let _ = match self.kind {
            Kind::Process => kill_process(self.leader, signal),
            Kind::Group | Kind::Session => kill_process_group(self.leader, signal),
        };
    }

    /// Passes on what Ctrl-Z sends. A session has no shell to look after its
    /// stopped jobs, so that the system would not stop it by anything less.
    pub fn stop(&mut self) {
        match self.kind {
            Kind::Process => {}
            Kind::Group => {
                self.signal(Signal::TSTP);
                self.is_to_stop = self.stop_seen(WaitIdOptions::NOWAIT).is_some_and(asks);
            }
            Kind::Session => self.signal(Signal::STOP),
        }
    }

    /// Whether anything of a group is left, the leader's remains included.
    pub fn is_there(&self) -> bool {
        is_there(self.leader)
    }

    /// The signal that the command was stopped by, if it was just now.
    pub fn stopped(&self) -> Option<Signal> {
        if self.kind == Kind::Process {
            // It is the shell's business, as cachex's own stop is.
            return None;
        }
        self.stop_seen(WaitIdOptions::empty())
    }

    fn stop_seen(&self, how: WaitIdOptions) -> Option<Signal> {
        let options = WaitIdOptions::STOPPED | WaitIdOptions::NOHANG | how;
        let status = waitid(WaitId::Pid(self.leader), options).ok()??;
        Signal::from_named_raw(status.stopping_signal()?)
    }

    /// Does what is to be done when the command stopped: lends it the terminal,
    /// or stops too, after `before`.
    pub fn follow(&mut self, signal: Signal, before: impl FnOnce()) {
        let (leader, kind) = (self.leader, self.kind);
        let is_to_stop = std::mem::take(&mut self.is_to_stop);
        if self.terminal.is_none() {
            self.terminal = Terminal::open();
        }
        // Without one, nobody would ever continue it.
        let Some(terminal) = &mut self.terminal else { return };
        let asks = asks(signal);
        if asks && kind == Kind::Group && terminal.is_own() {
            terminal.lend(leader);
            self.signal(Signal::CONT);
            if is_to_stop {
                self.signal(Signal::TSTP);
            }
            return;
        }
        let in_front = terminal.is_own() || terminal.is_lent_to(leader);
        if signal == Signal::STOP && !in_front {
            // Somebody means just this process.
            return;
        }
        // What the terminal sent to the command alone was meant for all.
        let whole_group = asks || signal == Signal::TSTP && terminal.is_lent_to(leader);
        terminal.take_back(leader);
        before();
        if kind == Kind::Session {
            signals::stop(Signal::TSTP, true);
        } else {
            signals::stop(signal, whole_group);
        }
    }

    /// Goes on after cachex was continued.
    pub fn go_on(&mut self) {
        if let Some(terminal) = &mut self.terminal
            && terminal.was_lent
            && terminal.is_own()
        {
            terminal.lend(self.leader);
        }
        self.signal(Signal::CONT);
        if self.kind == Kind::Session {
            // It could not tidy the screen up, but it can draw it anew.
            self.signal(Signal::WINCH);
        }
    }

    /// Whether the keys of the terminal send their signals to the command alone.
    pub fn has_the_terminal(&self) -> bool {
        self.terminal.as_ref().is_some_and(|terminal| terminal.lent.is_some())
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        if let Some(terminal) = &mut self.terminal {
            terminal.take_back(self.leader);
        }
    }
}

/// Whether who stops by this asks for the terminal.
fn asks(signal: Signal) -> bool {
    matches!(signal, Signal::TTIN | Signal::TTOU)
}

fn is_there(group: Pid) -> bool {
    // What may not be signalled is there.
    test_kill_process_group(group) != Err(Errno::SRCH)
}

/// The controlling terminal.
struct Terminal {
    tty: OwnedFd,
    /// While another group than cachex's is in the foreground by its doing:
    /// printing and taking the terminal back must not stop it.
    lent: Option<Altered>,
    /// Whether it is to be lent again.
    was_lent: bool,
}

impl Terminal {
    fn open() -> Option<Terminal> {
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let tty = rustix::fs::open("/dev/tty", flags, Mode::empty()).ok()?;
        Some(Terminal { tty, lent: None, was_lent: false })
    }

    fn is_own(&self) -> bool {
        tcgetpgrp(&self.tty) == Ok(getpgrp())
    }

    fn is_lent_to(&self, leader: Pid) -> bool {
        self.lent.is_some() && tcgetpgrp(&self.tty) == Ok(leader)
    }

    fn lend(&mut self, leader: Pid) {
        self.lent = Some(Altered::ignored(SIGTTOU));
        self.was_lent = tcsetpgrp(&self.tty, leader).is_ok();
    }

    /// Unless somebody else took it meanwhile.
    fn take_back(&mut self, leader: Pid) {
        if self.lent.is_some() {
            let front = tcgetpgrp(&self.tty);
            if !front.is_ok_and(|front| front != leader && is_there(front)) {
                let _ = tcsetpgrp(&self.tty, getpgrp());
            }
            self.lent = None;
        }
    }
}
