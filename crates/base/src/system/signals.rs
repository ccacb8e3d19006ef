//! Signals: passing on what cachex is sent, and leaving to the command what it would
//! have found without cachex.
//!
//! While the command runs every signal that can be sent to cachex is received instead of
//! having its effect (`receive`), and sent on to the command according to the one
//! `table` of what they mean. One that a terminal sends goes to the whole foreground
//! process group, and so has reached the command already, unless that is in a group of
//! its own. The command starts with the mask and the dispositions that cachex was started
//! with: what was ignored (`nohup`, a shell's background jobs) or blocked stays so.
//!
//! After the run signals do again what they did before.

mod broken_pipes;
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

/// Whether cachex was started to ignore the ends of its children, which the kernel would
/// then keep to itself.
static CHILDREN_WERE_IGNORED: AtomicBool = AtomicBool::new(false);

/// A signal that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Its number.
    pub signal: i32,
    /// Who sent it.
    pub sender: Sender,
}

/// Who sent a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// The kernel: for a key at the terminal, a timer, a child.
    Kernel,
    /// This process, see [`stop`] and `share`, or the kernel for something that it did.
    Own,
    /// Another one, if it can be seen from here, perhaps along with a value.
    Process {
        /// Which.
        pid: Option<Pid>,
        /// The value.
        value: Option<usize>,
    },
}

impl Sent {
    /// Whether the kernel sent it to all of this process's group. A timer is one
    /// process's own, and a hang-up goes to the leader of a session alone.
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

/// Receives signals from now on.
pub struct Signals {
    /// There until this is dropped.
    receiver: Option<Receiver>,
    /// What came and has not been asked for.
    came: SmallVec<[Sent; 2]>,
    /// What had come before and was held back, the first signal in the lowest bit.
    held: u64,
}

impl Signals {
    /// Receives all that can be received but for these, and makes a reader that left an
    /// error of the write instead of the end of this process.
    pub fn catch(left_out: &[i32]) -> io::Result<Signals> {
        notice_children();
        let mut all = SmallVec::<[i32; 4]>::from_slice(left_out);
        if [rustix::stdio::stdout(), rustix::stdio::stderr()].iter().any(rustix::termios::isatty) {
            // Whoever holds it back may write to a terminal in the background. It stops the
            // command too, which is in the same group.
            all.push(SIGTTOU);
        }
        let mut receiver = Receiver::begin(&all)?;
        // Whoever sent it: this process may have been another program then.
        let waiting = receiver.take().into_iter().filter(|sent| sent.signal != SIGCHLD);
        let held = waiting.fold(0, |held, sent| held | 1 << (sent.signal - 1));
        Ok(Signals { receiver: Some(receiver), came: SmallVec::new(), held })
    }

    /// The mask that the command is to start with, and the signals that are to wait for it
    /// to let them in.
    pub fn before(&self) -> (Mask, u64) {
        (self.receiver().before(), self.held)
    }

    /// What becomes readable when a signal has come.
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.receiver().descriptor()
    }

    /// What has come since this was last asked, but for what this process sent itself.
    pub fn pending(&mut self) -> SmallVec<[Sent; 2]> {
        let mut came = std::mem::take(&mut self.came);
        came.extend(self.receiver.iter_mut().flat_map(Receiver::take));
        // A limit on this process's own time is not about the command, which has its own.
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

    /// Sends a signal that ended the command to the rest of this process's group, as the
    /// terminal would have.
    pub fn share(&mut self, signal: Signal) {
        let _ = kill_current_process_group(signal);
        self.came = self.pending();
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        // It sees to what it has not read yet, and passes over what this process sends itself.
        self.receiver = None;
        for sent in self.came.drain(..) {
            let _ = send(getpid(), sent.signal);
        }
        send_all(self.held);
    }
}

/// Sends any signal, those that only have a number too.
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
    // SAFETY: as in `send`; the value is passed on and not looked into.
    match unsafe { libc::sigqueue(to.as_raw_nonzero().get(), signal, value) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Sends a signal; the system has no values.
#[cfg(not(target_os = "linux"))]
pub fn queue(to: Pid, signal: i32, _: usize) -> io::Result<()> {
    send(to, signal)
}

/// Tells whether a signal has come that waits.
pub struct Interrupts(Mutex<Option<Signals>>);

impl Interrupts {
    /// Does something that no signal is to end halfway; what came meanwhile has its
    /// effect afterwards.
    pub fn hold<T>(work: impl FnOnce(&Interrupts) -> T) -> T {
        work(&Interrupts(Mutex::new(Signals::catch(&[]).ok())))
    }

    /// Whether one has come that ends a process.
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

/// Has the kernel keep the statuses of children from now on, for whoever waits for them.
pub fn notice_children() {
    if is_ignored(SIGCHLD) {
        CHILDREN_WERE_IGNORED.store(true, Ordering::Relaxed);
        Disposition::plain(SIGCHLD, libc::SIG_DFL).restore();
    }
}

/// Whether the command is to be started to ignore the ends of its children.
pub fn children_were_ignored() -> bool {
    CHILDREN_WERE_IGNORED.load(Ordering::Relaxed)
}

/// Stops this process, or all of its group, as `signal` does by default; returns
/// when it was continued, or at once if nobody is there who could do that. To be called
/// while signals are received.
pub fn stop(signal: Signal, whole_group: bool) {
    let signal = signal.as_raw();
    if whole_group {
        let _ = send_to_group(rustix::process::getpgrp(), signal);
    } else {
        let _ = send(getpid(), signal);
    }
    take(signal);
}

/// Ends this process by a signal, if a process can end by it: the first of a container
/// cannot.
pub fn die_of(signal: i32) {
    let _by_default = Altered::by_default(signal);
    let _ = Mask::all_but(&[signal]).set();
    let _ = send(getpid(), signal);
}

/// Lets a signal that was held back have its default effect.
fn take(signal: i32) {
    let _by_default = Altered::by_default(signal);
    if let Ok(before) = Mask::all_but(&[signal, SIGTTOU]).set() {
        let _ = before.set();
    }
}

/// Makes a file of the store that would grow past the limit on the size of files
/// (`ulimit -f`) an error of the write instead of the end of this process. The
/// command finds the signal as it was: execution resets what is caught.
pub fn outlive_file_limit() {
    extern "C" fn pass(_: i32) {}
    let pass: extern "C" fn(i32) = pass;
    // SAFETY: the handler does nothing, which is async-signal-safe, and SIG_IGN
    // is a disposition, not a handler that could run.
    unsafe {
        if libc::signal(SIGXFSZ, pass as libc::sighandler_t) == libc::SIG_IGN {
            libc::signal(SIGXFSZ, libc::SIG_IGN);
        }
    }
}

/// Whether who sends it wants a process to end, and not just to do something.
pub fn asks_to_end(signal: i32) -> bool {
    [SIGHUP, SIGINT, SIGQUIT, SIGTERM].contains(&signal)
}

/// Whether this process was started to ignore it, or does by now.
pub fn is_ignored(signal: i32) -> bool {
    Disposition::of(signal).is_ignored()
}

/// A signal that for a while does something else.
pub struct Altered(Disposition);

impl Altered {
    /// Nothing, from now on.
    pub fn ignored(signal: i32) -> Altered {
        Altered(Disposition::plain(signal, libc::SIG_IGN).restore())
    }

    /// What it does where nobody has a say, from now on.
    fn by_default(signal: i32) -> Altered {
        Altered(Disposition::plain(signal, libc::SIG_DFL).restore())
    }
}

impl Drop for Altered {
    fn drop(&mut self) {
        self.0.restore();
    }
}

/// What a signal does at some time: one that it was found with, or a plain one.
#[derive(Clone, Copy)]
struct Disposition {
    signal: i32,
    action: Action,
}

impl Disposition {
    /// The present one.
    fn of(signal: i32) -> Disposition {
        Disposition { signal, action: action(signal, None) }
    }

    /// One without a handler.
    fn plain(signal: i32, plain: libc::sighandler_t) -> Disposition {
        Disposition { signal, action: Action::plain(plain) }
    }

    fn is_ignored(&self) -> bool {
        self.action.handler() == libc::SIG_IGN
    }

    /// Makes it so again; how it was meanwhile.
    fn restore(self) -> Disposition {
        Disposition { action: action(self.signal, Some(self.action)), ..self }
    }
}

/// What a signal does, as the kernel has it: the handler first, and then what nobody here
/// looks into. The C library keeps two signals to itself, and neither tells nor changes what
/// they do.
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

/// What a signal does; from now on `new`, if given.
#[cfg(target_os = "linux")]
fn action(signal: i32, new: Option<Action>) -> Action {
    let new = new.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    let mut before = Action::plain(libc::SIG_DFL);
    // SAFETY: `new` is null or what the kernel told of this very signal before, or a plain
    // disposition, and zeroes. Both are longer than what the kernel reads and writes, whose
    // set of signals has the size that the last argument says.
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

/// What a signal does; from now on `new`, if given.
#[cfg(not(target_os = "linux"))]
fn action(signal: i32, new: Option<Action>) -> Action {
    let new = new.as_ref().map_or(std::ptr::null(), |new| std::ptr::from_ref(&new.0));
    let mut before = Action::plain(libc::SIG_DFL);
    // SAFETY: `new` is null or a valid action: one that this function gave, or a plain
    // disposition.
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
            // To this thread alone: others of this process do not hold it back.
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
