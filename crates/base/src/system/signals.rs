//! Signals: forwarding those that cachex receives, and preserving their dispositions for the
//! command.
//!
//! While the command runs, every signal that can be sent to cachex is received instead of having
//! its effect (`receive`), and forwarded to the command according to the one `table` of meanings. A
//! terminal sends a signal to the whole foreground process group, so it has reached the command
//! already, unless that is in a group of its own. The command starts with the mask and the
//! dispositions that cachex was started with: signals that were ignored (`nohup`, a shell's
//! background jobs) or blocked stay so.
//!
//! After the run, signals have their previous effects again.

pub mod background;
mod broken_pipes;
#[cfg_attr(not(target_os = "linux"), path = "signals/late_elsewhere.rs")]
pub mod late;
mod mask;
#[cfg_attr(not(target_os = "linux"), path = "signals/receive_elsewhere.rs")]
mod receive;
mod table;

pub use broken_pipes::BrokenPipes;
pub use mask::Mask;
use receive::Receiver;
pub use table::{Meaning, meaning};

use rustix::event::PollFlags;
use rustix::fd::BorrowedFd;
use rustix::process::{Pid, Signal, getpid, kill_current_process_group};
use signal_hook::consts::{
    SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGTTOU, SIGWINCH, SIGXFSZ,
};
use smallvec::SmallVec;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::system::fsutil;

/// True if cachex was started with SIGCHLD ignored, in which case the kernel would discard the
/// statuses of its children.
static CHILDREN_WERE_IGNORED: AtomicBool = AtomicBool::new(false);

/// A received signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The number of the signal.
    pub signal: i32,
    /// The sender of the signal.
    pub sender: Sender,
}

/// The sender of a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// The kernel, for a key at the terminal, a timer or a child.
    Kernel,
    /// This process, see [`stop`] and `share`, or the kernel because of its actions.
    Own,
    /// Another process, perhaps along with a value.
    Process {
        /// The process, if it is visible from here.
        pid: Option<Pid>,
        /// The value.
        value: Option<usize>,
    },
}

impl Sent {
    /// Returns whether the kernel sent it to all of this process's group. A timer belongs to one
    /// process, and a hang-up goes to the leader of a session alone.
    pub fn reached_the_group(&self) -> bool {
        let leads = || rustix::process::getsid(None).is_ok_and(|leader| leader == getpid());
        self.sender == Sender::Kernel
            && match self.signal {
                SIGINT | SIGQUIT | SIGTSTP | libc::SIGTTIN | SIGTTOU | libc::SIGCONT | SIGWINCH => {
                    true
                }
                SIGHUP => !leads(),
                _ => false,
            }
    }
}

/// Receives signals until it is dropped.
pub struct Signals {
    /// Set until this is dropped.
    receiver: Option<Receiver>,
    /// The signals that came but were not returned yet.
    came: SmallVec<[Sent; 2]>,
    /// The signals that were blocked and pending before, the first in the lowest bit.
    held: u64,
}

impl Signals {
    /// Receives all signals that can be received except `left_out`. A write to a pipe without a
    /// reader becomes an error instead of the end of this process.
    pub fn catch(left_out: &[i32]) -> io::Result<Signals> {
        notice_children();
        let mut receiver = Receiver::begin(left_out)?;
        // The sender does not matter: this process may have been another program then.
        let waiting = receiver.take().into_iter().filter(|sent| sent.signal != SIGCHLD);
        let held = waiting.fold(0, |held, sent| held | 1 << (sent.signal - 1));
        Ok(Signals { receiver: Some(receiver), came: SmallVec::new(), held })
    }

    /// Returns the mask that the command starts with, and the signals that stay pending for it
    /// until it unblocks them.
    pub fn before(&self) -> (Mask, u64) {
        (self.receiver().before(), self.held)
    }

    /// Returns a descriptor that becomes readable when a signal has come.
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.receiver().descriptor()
    }

    /// Returns the signals that have come since the last call, except those sent by this process.
    pub fn pending(&mut self) -> SmallVec<[Sent; 2]> {
        let mut came = std::mem::take(&mut self.came);
        came.extend(self.receiver.iter_mut().flat_map(Receiver::take));
        // A limit on this process's own CPU time does not concern the command, which has its own.
        let is_meant = |sent: &Sent| match sent.sender {
            Sender::Own => false,
            Sender::Kernel => sent.signal != libc::SIGXCPU,
            Sender::Process { .. } => true,
        };
        came.retain(|sent| is_meant(sent));
        came
    }

    fn receiver(&self) -> &Receiver {
        self.receiver.as_ref().expect("signals are received until this is dropped")
    }

    /// Sends a signal that ended the command to the rest of this process's group, as the terminal
    /// would have.
    pub fn share(&mut self, signal: Signal) {
        let _ = kill_current_process_group(signal);
        self.came = self.pending();
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        // The receiver handles what it has not read yet, and skips what this process sent itself.
        self.receiver = None;
        for sent in self.came.drain(..) {
            let _ = send(getpid(), sent.signal);
        }
        send_all(self.held);
    }
}

/// Sends any signal, including those without a name.
pub fn send(to: Pid, signal: i32) -> io::Result<()> {
    // SAFETY: the call takes two numbers and touches no memory of this process.
    match unsafe { libc::kill(to.as_raw_nonzero().get(), signal) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Sends this process the signals of a set, the first in the lowest bit.
pub fn send_all(set: u64) {
    for signal in (1..=table::LAST).filter(|signal| set >> (signal - 1) & 1 == 1) {
        let _ = send(getpid(), signal);
    }
}

/// Sends any signal to a whole process group.
pub fn send_to_group(group: Pid, signal: i32) -> io::Result<()> {
    // SAFETY: as in `send`.
    match unsafe { libc::kill(-group.as_raw_nonzero().get(), signal) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Sends a signal with a value.
#[cfg(target_os = "linux")]
pub fn queue(to: Pid, signal: i32, value: usize) -> io::Result<()> {
    let value = libc::sigval { sival_ptr: std::ptr::without_provenance_mut(value) };
    // SAFETY: as in `send`; the value is passed on and not dereferenced.
    match unsafe { libc::sigqueue(to.as_raw_nonzero().get(), signal, value) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Sends a signal without the value, which this system does not support.
#[cfg(not(target_os = "linux"))]
pub fn queue(to: Pid, signal: i32, _: usize) -> io::Result<()> {
    send(to, signal)
}

/// Reports pending signals that are held back during some work.
pub struct Interrupts(Mutex<Option<Signals>>);

impl Interrupts {
    /// Runs `work` without being ended by a signal halfway. Signals that come meanwhile take effect
    /// afterwards.
    pub fn hold<T>(work: impl FnOnce(&Interrupts) -> T) -> T {
        work(&Interrupts(Mutex::new(Signals::catch(&[]).ok())))
    }

    /// Returns whether a signal that ends a process has come.
    pub fn came(&self) -> bool {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(signals) = held.as_mut() else { return false };
        if fsutil::is_ready(signals.descriptor(), PollFlags::IN) == Ok(true) {
            signals.came = signals.pending();
        }
        let ends =
            |sent: &Sent| meaning(sent.signal) == Some(Meaning::Ends) && !is_ignored(sent.signal);
        signals.came.iter().any(ends)
    }
}

/// Makes the kernel keep the statuses of children from now on, so that they can be waited for.
pub fn notice_children() {
    if is_ignored(SIGCHLD) {
        CHILDREN_WERE_IGNORED.store(true, Ordering::Relaxed);
        Disposition::plain(SIGCHLD, libc::SIG_DFL).restore();
    }
}

/// Returns whether the command must be started with SIGCHLD ignored.
pub fn children_were_ignored() -> bool {
    CHILDREN_WERE_IGNORED.load(Ordering::Relaxed)
}

/// Stops this process, or all of its group, as `signal` does by default. Returns when it is
/// continued, or at once if nobody could do that. Call this while signals are received.
pub fn stop(signal: Signal, whole_group: bool) {
    let signal = signal.as_raw();
    if whole_group {
        let _ = send_to_group(rustix::process::getpgrp(), signal);
    } else {
        let _ = send(getpid(), signal);
    }
    take(signal);
}

/// Ends this process by a signal. Returns if it cannot end that way, such as the first process of a
/// container.
pub fn die_of(signal: i32) {
    let _by_default = Altered::by_default(signal);
    let _ = Mask::all_but(&[signal]).set();
    let _ = send(getpid(), signal);
}

/// Lets a blocked signal have its default effect.
fn take(signal: i32) {
    let _by_default = Altered::by_default(signal);
    if let Ok(before) = Mask::all_but(&[signal, SIGTTOU]).set() {
        let _ = before.set();
    }
}

/// Makes a write past the limit on the size of files (`ulimit -f`) fail instead of ending this
/// process. The command finds the signal as it was: `exec` resets handlers.
pub fn outlive_file_limit() {
    extern "C" fn pass(_: i32) {}
    let pass: extern "C" fn(i32) = pass;
    // SAFETY: the handler does nothing, which is async-signal-safe, and SIG_IGN is a disposition,
    // not a handler that could run.
    unsafe {
        if libc::signal(SIGXFSZ, pass as libc::sighandler_t) == libc::SIG_IGN {
            libc::signal(SIGXFSZ, libc::SIG_IGN);
        }
    }
}

/// The signals that are requests to end a process.
pub const REQUESTS_TO_END: [i32; 4] = [SIGHUP, SIGINT, SIGQUIT, SIGTERM];

/// Returns whether the signal is a request to end the process.
pub fn asks_to_end(signal: i32) -> bool {
    REQUESTS_TO_END.contains(&signal)
}

/// Returns whether this process currently ignores the signal.
pub fn is_ignored(signal: i32) -> bool {
    Disposition::of(signal).is_ignored()
}

/// A signal whose disposition is changed until this is dropped.
pub struct Altered(Disposition);

impl Altered {
    /// Ignores the signal.
    pub fn ignored(signal: i32) -> Altered {
        Altered(Disposition::plain(signal, libc::SIG_IGN).restore())
    }

    /// Restores the default effect of the signal.
    fn by_default(signal: i32) -> Altered {
        Altered(Disposition::plain(signal, libc::SIG_DFL).restore())
    }
}

impl Drop for Altered {
    fn drop(&mut self) {
        self.0.restore();
    }
}

/// A disposition of a signal: a previous one, or one without a handler.
#[derive(Clone, Copy)]
struct Disposition {
    signal: i32,
    action: Action,
}

impl Disposition {
    /// Returns the current disposition.
    fn of(signal: i32) -> Disposition {
        Disposition { signal, action: action(signal, None) }
    }

    /// Creates a disposition without a handler.
    fn plain(signal: i32, plain: libc::sighandler_t) -> Disposition {
        Disposition { signal, action: Action::plain(plain) }
    }

    fn is_ignored(&self) -> bool {
        self.action.handler() == libc::SIG_IGN
    }

    /// Sets this disposition. Returns the previous one.
    fn restore(self) -> Disposition {
        Disposition { action: action(self.signal, Some(self.action)), ..self }
    }
}

/// The action of a signal in the kernel's layout: the handler, and then fields that are not used
/// here. The C library reserves two signals, and neither reports nor changes their actions.
#[cfg(target_os = "linux")]
#[derive(Clone, Copy)]
struct Action([usize; 8]);

#[cfg(target_os = "linux")]
impl Action {
    fn plain(handler: libc::sighandler_t) -> Action {
        Action([handler, 0, 0, 0, 0, 0, 0, 0])
    }

    fn handler(self) -> libc::sighandler_t {
        self.0[0]
    }
}

/// Returns the action of a signal, and sets `new` if given.
#[cfg(target_os = "linux")]
fn action(signal: i32, new: Option<Action>) -> Action {
    let new = new.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    let mut before = Action::plain(libc::SIG_DFL);
    // SAFETY: `new` is null, or an action that the kernel reported for this signal, or one without
    // a handler and otherwise zero. Both buffers are longer than what the kernel reads and writes,
    // whose signal set has the size in the last argument.
    unsafe {
        let size = size_of::<u64>();
        libc::syscall(libc::SYS_rt_sigaction, signal, new, &raw mut before, size);
    }
    before
}

#[cfg(not(target_os = "linux"))]
#[derive(Clone, Copy)]
struct Action(libc::sigaction);

#[cfg(not(target_os = "linux"))]
impl Action {
    fn plain(handler: libc::sighandler_t) -> Action {
        // SAFETY: zeroes are a valid value.
        let nothing: libc::sigaction = unsafe { std::mem::zeroed() };
        Action(libc::sigaction { sa_sigaction: handler, ..nothing })
    }

    fn handler(self) -> libc::sighandler_t {
        self.0.sa_sigaction
    }
}

/// Returns the action of a signal, and sets `new` if given.
#[cfg(not(target_os = "linux"))]
fn action(signal: i32, new: Option<Action>) -> Action {
    let new = new.as_ref().map_or(std::ptr::null(), |new| std::ptr::from_ref(&new.0));
    let mut before = Action::plain(libc::SIG_DFL);
    // SAFETY: `new` is null or a valid action: one that this function returned, or one without a
    // handler.
    unsafe { libc::sigaction(signal, new, &raw mut before.0) };
    before
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::event::{PollFd, poll};

    #[test]
    fn what_is_received_has_no_effect_until_after_that() {
        for signal in [libc::SIGUSR1, SIGCHLD, LAST_REAL_TIME] {
            let mut signals = Signals::catch(&[]).unwrap();
            // Sent to this thread alone: other threads of this process do not block it.
            // SAFETY: it takes a number and touches no memory.
            unsafe { libc::raise(signal) };
            poll(&mut [PollFd::new(&signals.descriptor(), PollFlags::IN)], None).unwrap();
            let came = signals.receiver.as_mut().unwrap().take();
            assert_eq!(came.as_slice(), [Sent { signal, sender: Sender::Own }]);
            assert!(signals.pending().is_empty());
        }
    }

    #[cfg(target_os = "linux")]
    const LAST_REAL_TIME: i32 = 64;
    #[cfg(not(target_os = "linux"))]
    const LAST_REAL_TIME: i32 = libc::SIGUSR2;
}
