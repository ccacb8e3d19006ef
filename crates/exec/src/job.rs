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

mod watch;

use crate::Witness;
use cachex_base::system::procfs::Stat;
use cachex_base::system::signals::{self, Altered, Meaning, Sender, Sent};
use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, getpgid, getpgrp, getpid, getppid, getsid,
    test_kill_process_group, waitid,
};
use rustix::termios::{tcgetpgrp, tcsetpgrp};
use signal_hook::consts::{SIGTSTP, SIGTTOU};
use watch::Watch;

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

impl Kind {
    /// The signals that are to have their usual effect on cachex.
    pub fn left_out(self) -> &'static [i32] {
        match self {
            Kind::Process | Kind::Group => &[],
            // It reads the keys, and is to stop if it does so in the background.
            Kind::Session => &[libc::SIGTTIN],
        }
    }
}

/// What a process does about signals.
#[derive(Clone, Copy, Debug)]
pub struct Handling {
    ignored: u64,
    caught: u64,
    pending: u64,
}

impl Handling {
    /// That of a child of this process, where the system tells.
    pub fn of(process: Pid) -> Option<Handling> {
        let path = format!("/proc/{}/status", process.as_raw_nonzero());
        let status = std::fs::read_to_string(path).ok()?;
        let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name));
        // What is mounted there may tell of other processes than these.
        let parent = field("PPid:")?.trim().parse().ok().and_then(Pid::from_raw);
        if parent != Some(getpid()) {
            return None;
        }
        let set = |name: &str| u64::from_str_radix(field(name)?.trim(), 16).ok();
        let pending = set("SigPnd:")? | set("ShdPnd:")?;
        Some(Handling { ignored: set("SigIgn:")?, caught: set("SigCgt:")?, pending })
    }

    /// Whether the signal was sent to it and is held back.
    pub fn is_pending(self, signal: i32) -> bool {
        self.pending >> (signal - 1) & 1 == 1
    }

    /// Whether it ignores the signal.
    pub fn ignores(self, signal: i32) -> bool {
        self.ignored >> (signal - 1) & 1 == 1
    }

    /// Whether it has a handler for the signal.
    pub fn catches(self, signal: i32) -> bool {
        self.caught >> (signal - 1) & 1 == 1
    }
}

/// A command that is running.
pub struct Job {
    leader: Pid,
    kind: Kind,
    /// The terminal that cachex and the shell share, once it was needed.
    terminal: Option<Terminal>,
    /// Who sees what is sent to the group that the command shares with cachex.
    witness: Option<Witness>,
    /// It was told to stop when it had stopped for want of the terminal, and will
    /// not hear of it: what continues it takes that signal away.
    is_to_stop: bool,
    /// It was continued to have the terminal, and may have asked once more before it had it.
    may_ask_again: bool,
    /// A command in cachex's own group was told to stop,
    was_told_to_stop: bool,
    /// or has stopped, by this.
    stopped_by: Option<Signal>,
}

impl Job {
    /// The job that `leader` leads, or is.
    pub fn new(leader: Pid, kind: Kind) -> Job {
        Job {
            leader,
            kind,
            terminal: None,
            witness: (kind == Kind::Process).then(Witness::new),
            is_to_stop: false,
            may_ask_again: false,
            was_told_to_stop: false,
            stopped_by: None,
        }
    }

    /// The process that is the command, and leads the group if it is one.
    pub fn leader(&self) -> Pid {
        self.leader
    }

    /// Takes note that a process that is not the leader has ended and is forgotten.
    pub fn forget(&mut self, ended: Pid) {
        self.witness.iter_mut().for_each(|witness| witness.forget(ended));
    }

    /// Sends a signal to all of it.
    pub fn signal(&self, signal: Signal) {
        self.send(signal.as_raw());
    }

    fn send(&self, signal: i32) {
        let to_group =
            self.kind != Kind::Process && signals::send_to_group(self.leader, signal).is_ok();
        if !to_group {
            // It may not have come so far as to lead a group.
            let _ = signals::send(self.leader, signal);
        }
    }

    /// Passes on a signal that was sent to cachex, in whatever way it was.
    pub fn pass_on(&mut self, sent: &Sent) {
        if self.kind == Kind::Process {
            match sent.sender {
                _ if self.has_it(sent) => {}
                Sender::Process { value: Some(value), .. } => {
                    let _ = signals::queue(self.leader, sent.signal, value);
                }
                _ => self.send(sent.signal),
            }
        } else {
            self.send(sent.signal);
        }
    }

    /// Whether a command in cachex's group got a signal that cachex got.
    fn has_it(&mut self, sent: &Sent) -> bool {
        let seen = self.witness.as_mut().and_then(|witness| witness.saw(sent.signal));
        seen.unwrap_or_else(|| {
            // If nobody saw it: what the kernel sent to the whole group it sent to the
            // command, if that was there already. One that does not handle it is none the
            // worse for another.
            sent.reached_the_group()
                && self.handling().is_none_or(|handling| handling.catches(sent.signal))
        })
    }

    /// Whether the command has ended, and can still be asked.
    pub fn has_ended(&self) -> bool {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        matches!(waitid(WaitId::Pid(self.leader), options), Ok(Some(_)))
    }

    /// Whether the command had ended when a signal came that cachex got.
    pub fn missed(&mut self, sent: &Sent) -> bool {
        let has_ended = self.has_ended();
        // Nobody knows which came first, and one that it ignored would have changed nothing.
        if has_ended && self.handling().is_some_and(|handling| handling.ignores(sent.signal)) {
            return false;
        }
        // It may have ended by it.
        has_ended && (self.kind != Kind::Process || !self.has_it(sent))
    }

    /// What the command does about signals, where the system tells.
    pub fn handling(&self) -> Option<Handling> {
        Handling::of(self.leader)
    }

    /// Whether processes that the command started may have printed what it seems to have
    /// printed itself, as far as the system tells: it has some, or waited for one, or is gone.
    pub fn has_had_children(&self) -> bool {
        self.stat().is_some_and(|leader| leader.has_had_children())
    }

    /// Whether the command is about to end, as far as the system tells.
    pub fn is_ending(&self) -> bool {
        self.stat().is_some_and(|leader| leader.is_ending())
    }

    fn stat(&self) -> Option<Stat> {
        Stat::of(&self.leader.as_raw_nonzero().to_string())
    }

    /// Whether a signal that was passed on may have changed what the command does.
    pub fn may_heed(&self, signal: i32) -> bool {
        let handling = self.handling();
        match signals::meaning(signal) {
            Some(Meaning::Ends | Meaning::Fault) => {
                handling.is_none_or(|handling| !handling.ignores(signal))
            }
            Some(Meaning::Notifies | Meaning::Child) => {
                handling.is_none_or(|handling| handling.catches(signal))
            }
            // Whoever prints something is stopped and continued, and resized, by the way.
            _ => false,
        }
    }

    /// Passes on what Ctrl-Z sends. A session has no shell to look after its
    /// stopped jobs, so that the system would not stop it by anything less.
    pub fn stop(&mut self, sent: Option<&Sent>) {
        match (self.kind, sent) {
            (Kind::Process, Some(sent)) => {
                self.was_told_to_stop = true;
                self.pass_on(sent);
            }
            (Kind::Process, None) => {}
            (Kind::Group, _) => {
                self.send(sent.map_or(Signal::TSTP.as_raw(), |sent| sent.signal));
                self.is_to_stop = self.stop_seen(WaitIdOptions::NOWAIT).is_some_and(asks);
            }
            (Kind::Session, _) => self.signal(Signal::STOP),
        }
    }

    /// Whether anything of a group is left, the leader's remains included.
    pub fn is_there(&self) -> bool {
        is_there(self.leader)
    }

    /// The signal that the command was stopped by, if it was just now and cachex is to
    /// follow: where a shell waits for that, or cachex was told to stop, too. Elsewhere
    /// somebody means just the process in its group.
    pub fn stopped(&mut self) -> Option<Signal> {
        if self.kind != Kind::Process {
            return self.stop_seen(WaitIdOptions::empty());
        }
        if self.was_continued() {
            self.stopped_by = None;
        }
        // Either may be seen first, that it was told to or that it did.
        self.stopped_by = self.stop_seen(WaitIdOptions::empty()).or(self.stopped_by);
        let stopped_by = self.stopped_by?;
        if !self.was_told_to_stop && !is_job() {
            return None;
        }
        (self.stopped_by, self.was_told_to_stop) = (None, false);
        Some(stopped_by)
    }

    fn was_continued(&self) -> bool {
        let options = WaitIdOptions::CONTINUED | WaitIdOptions::NOHANG;
        matches!(waitid(WaitId::Pid(self.leader), options), Ok(Some(_)))
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
        if kind == Kind::Process {
            before();
            let _watch = Watch::begin(leader);
            return signals::stop(signal, false);
        }
        // What is sent to one that stands still, continuing takes away.
        let is_held = self.handling().is_some_and(|handling| handling.is_pending(SIGTSTP));
        let is_to_stop = std::mem::take(&mut self.is_to_stop) || is_held;
        let asks_again = std::mem::take(&mut self.may_ask_again);
        if self.terminal.is_none() {
            self.terminal = Terminal::open();
        }
        // Without one, nobody would ever continue it.
        let Some(terminal) = &mut self.terminal else { return };
        let asks = asks(signal);
        let is_own = terminal.is_own();
        let may_have_it = is_own || asks_again && terminal.is_lent_to(leader);
        if asks && kind == Kind::Group && may_have_it {
            self.continue_with_the_terminal(is_own);
            if is_to_stop {
                self.signal(Signal::TSTP);
            }
            return;
        }
        let in_front = terminal.is_own() || terminal.is_lent_to(leader);
        if signal == Signal::STOP && !in_front && !is_job() {
            // Somebody means just this process.
            return;
        }
        // What the terminal sent to the command alone was meant for all.
        let whole_group = asks || signal == Signal::TSTP && terminal.is_lent_to(leader);
        terminal.take_back(leader);
        before();
        let _watch = Watch::begin(leader);
        if kind == Kind::Session {
            signals::stop(Signal::TSTP, true);
        } else {
            signals::stop(signal, whole_group);
        }
    }

    /// Goes on after cachex was continued.
    pub fn go_on(&mut self, sent: &Sent) {
        if self.kind == Kind::Process {
            self.was_told_to_stop = false;
            return self.pass_on(sent);
        }
        let is_lent_again = |terminal: &Terminal| terminal.was_lent && terminal.is_own();
        self.continue_with_the_terminal(self.terminal.as_ref().is_some_and(is_lent_again));
        if self.kind == Kind::Session {
            // It could not tidy the screen up, but it can draw it anew.
            self.signal(Signal::WINCH);
        }
    }

    /// Continues it, and lends it the terminal then. The other way around, a key that is pressed
    /// in between would send a signal to what stands still, and be lost.
    fn continue_with_the_terminal(&mut self, is_to_have_it: bool) {
        self.signal(Signal::CONT);
        self.may_ask_again = is_to_have_it;
        if let Some(terminal) = self.terminal.as_mut().filter(|_| is_to_have_it) {
            terminal.lend(self.leader);
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

/// Whether whoever started this process does job control, as a shell at its prompt: it is told
/// of what stops, and continues it.
fn is_job() -> bool {
    let is_set_apart = getppid().is_some_and(|parent| {
        getpgid(Some(parent)) != Ok(getpgrp()) && getsid(Some(parent)) == getsid(None)
    });
    is_set_apart && Terminal::open().is_some()
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
