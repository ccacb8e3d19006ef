//! The command's processes, handled as a shell handles a job: signalled, stopped and
//! continued together, and lent the terminal.
//!
//! A command that may have to be ended with everything that it started (`--timeout`, a
//! background refresh) leads its own process group, and one at a pseudo-terminal its own
//! session. cachex then stands between it and the shell:
//!
//! - Signals that the terminal sends to cachex's group (Ctrl-C, Ctrl-\, Ctrl-Z) are
//!   passed on to the command's.
//! - The command gets the terminal when it asks for it, that is, when it stops to wait
//!   for it (SIGTTIN, SIGTTOU), and not before: the other processes of the shell's job,
//!   `less` at the end of a pipeline say, may need it too.
//! - When the command stops, cachex takes the terminal back and stops in the same way,
//!   so that the shell sees a stopped job. When cachex is continued, it continues the
//!   command.

mod handling;
mod watch;

use crate::Witness;
use crate::descendants;
use cachex_base::system::procfs::Stat;
use cachex_base::system::signals::{self, Altered, Meaning, Sender, Sent};
use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, getpgid, getpgrp, getppid, getsid, test_kill_process_group,
    waitid,
};
use rustix::termios::{tcgetpgrp, tcsetpgrp};
use signal_hook::consts::{SIGTSTP, SIGTTOU};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use watch::Watch;

pub use handling::Handling;

/// The degree to which a command is separated from cachex.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The command is an ordinary child in cachex's process group.
    Process,
    /// The command leads a process group.
    Group,
    /// The command leads a session, with a pseudo-terminal of its own.
    Session,
}

impl Kind {
    /// The signals that keep their default effect on cachex.
    pub fn left_out(self) -> &'static [i32] {
        match self {
            Kind::Process | Kind::Group => &[],
            // cachex reads the keyboard, and has to stop if it does so in the background.
            Kind::Session => &[libc::SIGTTIN],
        }
    }
}

/// A command that is running.
pub struct Job {
    leader: Pid,
    /// The degree to which it is separated from cachex.
    pub kind: Kind,
    /// The terminal that cachex and the shell share, once it was needed.
    terminal: Option<Terminal>,
    /// Observes which signals are sent to the group that the command shares with cachex.
    witness: Option<Witness>,
    /// Set when the command was told to stop after it had already stopped to wait for the terminal.
    /// SIGCONT will discard that stop signal.
    is_to_stop: bool,
    /// Set when the command was continued with the terminal, and may have asked for it once more.
    may_ask_again: bool,
    /// Set when a command in cachex's own group was told to stop.
    was_told_to_stop: bool,
    /// The signal that stopped a command in cachex's own group.
    stopped_by: Option<Signal>,
    /// The signals to stop that arrived, the first one in the lowest bit.
    stops: u64,
}

impl Job {
    /// Creates a job of the process `leader`, or of the group or session that it leads.
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
            stops: 0,
        }
    }

    /// The command's process, which leads the group if there is one.
    pub fn leader(&self) -> Pid {
        self.leader
    }

    /// Notes that another process than the leader has ended and been reaped.
    pub fn forget(&mut self, ended: Pid) {
        self.witness.iter_mut().for_each(|witness| witness.forget(ended));
    }

    /// Reaps the witness if it was killed, as it is where the command ends as PID 1.
    pub fn bury(&mut self) {
        self.witness.iter_mut().for_each(Witness::bury);
    }

    /// Sends a signal to every process of the job.
    pub fn signal(&self, signal: Signal) {
        self.send(signal.as_raw());
    }

    fn send(&self, signal: i32) {
        let to_group =
            self.kind != Kind::Process && signals::send_to_group(self.leader, signal).is_ok();
        if !to_group {
            // The command may not have created its group yet.
            let _ = signals::send(self.leader, signal);
        }
    }

    /// Passes on a signal that was sent to cachex, the way it was sent. Returns whether the whole
    /// group has it then, not just the leader.
    pub fn pass_on(&mut self, sent: &Sent) -> bool {
        if self.kind != Kind::Process {
            self.send(sent.signal);
            return true;
        }
        match sent.sender {
            _ if self.has_it(sent) => return true,
            Sender::Process { value: Some(value), .. } => {
                let _ = signals::queue(self.leader, sent.signal, value);
            }
            _ => self.send(sent.signal),
        }
        false
    }

    /// Returns whether a command in cachex's group also received a signal that cachex received.
    fn has_it(&mut self, sent: &Sent) -> bool {
        let seen = self.witness.as_mut().and_then(|witness| witness.saw(sent.signal));
        seen.unwrap_or_else(|| {
            // Without a witness: a signal that the kernel sent to the whole group also went to the
            // command, if it existed by then. A command that does not handle the signal is not
            // harmed by a second one.
            sent.reached_the_group()
                && self.handling().is_none_or(|handling| handling.catches(sent.signal))
        })
    }

    /// Returns whether the command has ended and was not reaped yet, where the system tells.
    pub fn has_ended(&self) -> Option<bool> {
        self.end().ok().map(|ended| ended.is_some())
    }

    /// Returns how the command ended, if it has, and leaves it to be reaped.
    pub fn end(&self) -> rustix::io::Result<Option<ExitStatus>> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        let ended = waitid(WaitId::Pid(self.leader), options)?;
        Ok(ended.map(|ended| {
            let signal = ended.terminating_signal().unwrap_or(0);
            let dumped = if ended.dumped() { 0x80 } else { 0 };
            ExitStatus::from_raw(ended.exit_status().unwrap_or(0) << 8 | signal | dumped)
        }))
    }

    /// Does the same where system calls that wait are refused.
    pub fn end_by_proc(&self) -> Option<ExitStatus> {
        self.stat()?.end()
    }

    /// Returns whether the command has waited for a child, as far as the system tells. One that has
    /// ended may still be asked until it is reaped.
    pub fn has_waited(&self) -> bool {
        self.stat().is_some_and(|leader| leader.has_waited())
    }

    /// Returns whether the command had already ended when cachex received a signal.
    pub fn missed(&mut self, sent: &Sent) -> bool {
        let has_ended = self.has_ended() == Some(true);
        // The order is unknown, but a signal that the command ignored changed nothing.
        if has_ended && self.handling().is_some_and(|handling| handling.ignores(sent.signal)) {
            return false;
        }
        // The signal itself may have ended the command.
        has_ended && (self.kind != Kind::Process || !self.has_it(sent))
    }

    /// Returns the command's signal dispositions, where the system tells.
    pub fn handling(&self) -> Option<Handling> {
        Handling::of(self.leader)
    }

    /// Returns whether the command's children may have produced some of its output, as far as the
    /// system tells: it has children, has waited for one, or is gone.
    pub fn has_had_children(&self) -> bool {
        self.stat().is_some_and(|leader| leader.has_had_children())
    }

    /// Returns whether the command is about to end, as far as the system tells.
    pub fn is_ending(&self) -> bool {
        self.stat().is_some_and(|leader| leader.is_ending())
    }

    fn stat(&self) -> Option<Stat> {
        Stat::of(&self.leader.as_raw_nonzero().to_string())
    }

    /// Returns whether a signal that arrived may change what the command does.
    pub fn may_heed(&self, signal: i32) -> bool {
        let handling = self.handling();
        if is_felt_by_default(signal) {
            handling.is_none_or(|handling| !handling.ignores(signal))
        } else {
            handling.is_none_or(|handling| handling.catches(signal))
        }
    }

    /// Returns whether a signal that the whole group has may change what the leader's descendants
    /// do, whatever the leader does.
    pub fn may_be_heeded_below(&self, signal: i32) -> bool {
        if is_felt_by_default(signal) {
            // A child that handled it may have ended since, so it is not asked.
            return self.has_had_children();
        }
        self.any_handling(|handling| handling.catches(signal))
    }

    /// Returns whether this is true of the dispositions of the command or a descendant.
    fn any_handling(&self, is_it: impl Fn(Handling) -> bool) -> bool {
        descendants::with(self.leader).into_iter().filter_map(Handling::of_any).any(is_it)
    }

    /// Returns whether the command or a descendant has a handler for a signal to stop that arrived.
    /// To stop, such a handler restores the default first, so it may not have been there when the
    /// signal came.
    pub fn heeds_a_stop(&self) -> bool {
        self.stops != 0 && self.any_handling(|handling| handling.catches_any(self.stops))
    }

    /// Passes on the signal of Ctrl-Z. A session gets SIGSTOP: no shell looks after its stopped
    /// jobs, so the system would discard any weaker stop signal. Returns whether the whole group has
    /// it then.
    pub fn stop(&mut self, sent: Option<&Sent>) -> bool {
        self.stops |= sent.map_or(0, |sent| 1 << (sent.signal - 1));
        match (self.kind, sent) {
            (Kind::Process, Some(sent)) => {
                self.was_told_to_stop = true;
                return self.pass_on(sent);
            }
            (Kind::Process, None) => return false,
            (Kind::Group, _) => {
                self.send(sent.map_or(Signal::TSTP.as_raw(), |sent| sent.signal));
                self.is_to_stop = self.stop_seen(WaitIdOptions::NOWAIT).is_some_and(asks);
            }
            (Kind::Session, _) => self.signal(Signal::STOP),
        }
        true
    }

    /// Returns whether any process of the group is left, including the leader's zombie.
    pub fn is_there(&self) -> bool {
        is_there(self.leader)
    }

    /// Returns the signal that just stopped the command, if cachex is to stop too: a shell waits
    /// for that, or cachex was told to stop as well. Otherwise somebody stopped just that one
    /// process of the group.
    pub fn stopped(&mut self) -> Option<Signal> {
        if self.kind != Kind::Process {
            return self.stop_seen(WaitIdOptions::empty());
        }
        if self.was_continued() {
            self.stopped_by = None;
        }
        // The request to stop and the stop itself may be observed in either order.
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

    /// Reacts to a stopped command: lends it the terminal, or runs `before` and stops cachex too.
    pub fn follow(&mut self, signal: Signal, before: impl FnOnce()) {
        let (leader, kind) = (self.leader, self.kind);
        if kind == Kind::Process {
            before();
            let _watch = Watch::begin(leader);
            return signals::stop(signal, false);
        }
        // SIGCONT discards a stop signal that was sent to a stopped process.
        let is_held = self.handling().is_some_and(|handling| handling.is_pending(SIGTSTP));
        let is_to_stop = std::mem::take(&mut self.is_to_stop) || is_held;
        let asks_again = std::mem::take(&mut self.may_ask_again);
        if self.terminal.is_none() {
            self.terminal = Terminal::open();
        }
        // Without a terminal, nobody would ever continue it.
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
            // Somebody stopped just this process.
            return;
        }
        // A signal that the terminal sent to the command alone was meant for the whole job.
        let whole_group = asks || signal == Signal::TSTP && terminal.is_lent_to(leader);
        terminal.take_back(leader);
        before();
        let _watch = Watch::begin(leader);
        match kind {
            Kind::Session => signals::stop(Signal::TSTP, true),
            _ => signals::stop(signal, whole_group),
        }
    }

    /// Resumes the command after cachex was continued. Returns whether the whole group is.
    pub fn go_on(&mut self, sent: &Sent) -> bool {
        if self.kind == Kind::Process {
            self.was_told_to_stop = false;
            return self.pass_on(sent);
        }
        let is_lent_again = |terminal: &Terminal| terminal.was_lent && terminal.is_own();
        self.continue_with_the_terminal(self.terminal.as_ref().is_some_and(is_lent_again));
        if self.kind == Kind::Session {
            // The command could not restore the screen when it stopped, but it can redraw it.
            self.signal(Signal::WINCH);
        }
        true
    }

    /// Continues the command, then lends it the terminal. In the opposite order, a key pressed in
    /// between would send a signal to a stopped process, and be lost.
    fn continue_with_the_terminal(&mut self, is_to_have_it: bool) {
        self.signal(Signal::CONT);
        self.may_ask_again = is_to_have_it;
        if let Some(terminal) = self.terminal.as_mut().filter(|_| is_to_have_it) {
            terminal.lend(self.leader);
        }
    }

    /// Returns whether the terminal sends the signals of its keys to the command alone.
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

/// Returns whether the parent process does job control, like a shell at its prompt: it notices
/// stopped jobs, and continues them.
fn is_job() -> bool {
    let is_set_apart = getppid().is_some_and(|parent| {
        getpgid(Some(parent)) != Ok(getpgrp()) && getsid(Some(parent)) == getsid(None)
    });
    is_set_apart && Terminal::open().is_some()
}

/// Returns whether a signal changes what a process does that has no handler for it. One that stops
/// it does not: it goes on where it was.
fn is_felt_by_default(signal: i32) -> bool {
    matches!(signals::meaning(signal), Some(Meaning::Ends | Meaning::Fault))
}

/// Returns whether a process stopped by this signal wants the terminal.
fn asks(signal: Signal) -> bool {
    matches!(signal, Signal::TTIN | Signal::TTOU)
}

fn is_there(group: Pid) -> bool {
    // A group that this process may not signal exists.
    test_kill_process_group(group) != Err(Errno::SRCH)
}

/// The controlling terminal.
struct Terminal {
    tty: OwnedFd,
    /// Ignores SIGTTOU while cachex has put another group in the foreground, so that printing and
    /// taking the terminal back do not stop cachex.
    lent: Option<Altered>,
    /// True if lending the terminal succeeded the last time, so that it can be lent again.
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

    /// Takes the terminal back, unless somebody else took it in the meantime.
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
