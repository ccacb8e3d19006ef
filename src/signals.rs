//! Signals: what cachex inherited, and passing on what it is sent.
//!
//! A signal whose default action would end cachex is caught while the command
//! runs and sent on to it. One that a terminal sends goes to the whole
//! foreground process group, and so has reached the command already, unless
//! that is in a group of its own. A signal that cachex was started to ignore
//! (`nohup`, a shell's background jobs) stays ignored, in the command too.
//!
//! After the run signals do again what they did before.

use crate::fsutil;
use rustix::event::PollFlags;
use rustix::process::{Pid, Signal, kill_current_process_group};
use signal_hook::consts::{
    SIGALRM, SIGCHLD, SIGCONT, SIGHUP, SIGINT, SIGPIPE, SIGQUIT, SIGTERM, SIGTSTP, SIGUSR1,
    SIGUSR2, SIGWINCH, SIGXFSZ,
};
use signal_hook::iterator::backend::SignalDelivery;
use signal_hook::iterator::exfiltrator::origin::WithOrigin;
use signal_hook::low_level::siginfo::{Cause, Origin};
use std::io;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

const FORWARDED: [i32; 7] = [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM];
/// Those that stop and continue a job, which a command in a group of its own
/// only hears of from cachex.
pub const JOB_CONTROL: &[i32] = &[SIGTSTP, SIGCONT];
/// The same for a command at a pseudo-terminal, which has a size too.
pub const TERMINAL: &[i32] = &[SIGTSTP, SIGCONT, SIGWINCH];
/// Those that the standard library or this module changes, which the command
/// is to find as cachex found them.
const RESTORED: [i32; 2] = [SIGPIPE, SIGCHLD];

/// The handlers of signals that were caught before and are not any more: for the
/// crate that installed them they are there to stay, so that it would not do it
/// again.
static HANDLERS: Mutex<Vec<Disposition>> = Mutex::new(Vec::new());

/// Catches signals from now on.
pub struct Signals {
    delivery: SignalDelivery<UnixStream, WithOrigin>,
    /// How those were that are caught.
    before: Vec<Disposition>,
    _ignored_pipe: Altered,
}

/// What came.
pub enum Came {
    /// A signal that is meant for the command, and whether it was sent to all
    /// of cachex's process group.
    Meant(Signal, bool),
    /// The terminal's "stop".
    Stop,
    /// cachex was continued.
    Continue,
    /// The terminal's size has changed.
    Resize,
}

impl Drop for Signals {
    fn drop(&mut self) {
        let handlers = self.before.drain(..).map(Disposition::restore).collect();
        *HANDLERS.lock().unwrap_or_else(PoisonError::into_inner) = handlers;
    }
}

impl Signals {
    /// Starts to catch them, and `also` these, and makes a reader that left an
    /// error of the write instead of the end of this process.
    pub fn catch(also: &[i32]) -> io::Result<Signals> {
        let wanted = FORWARDED.iter().chain(also).copied();
        let mut before: Vec<_> =
            wanted.map(Disposition::of).filter(|present| !present.is_ignored()).collect();
        before.push(Disposition::of(SIGCHLD));
        let caught = before.iter().map(|present| present.signal);
        let (read, write) = UnixStream::pair()?;
        let delivery = SignalDelivery::with_pipe(read, write, WithOrigin::default(), caught)?;
        for handler in HANDLERS.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            handler.restore();
        }
        Ok(Signals { delivery, before, _ignored_pipe: Altered::ignored(SIGPIPE) })
    }

    /// What becomes readable when a signal has come.
    pub fn descriptor(&self) -> &UnixStream {
        self.delivery.get_read()
    }

    /// What has come since this was last asked.
    pub fn pending(&mut self) -> impl Iterator<Item = Came> {
        self.delivery.pending().filter_map(|origin| match origin.signal {
            SIGCHLD => None,
            SIGTSTP => (!is_own(&origin)).then_some(Came::Stop),
            SIGCONT => Some(Came::Continue),
            SIGWINCH => Some(Came::Resize),
            _ if is_own(&origin) => None,
            signal => {
                let signal = Signal::from_named_raw(signal)?;
                Some(Came::Meant(signal, reached_the_group(&origin)))
            }
        })
    }
}

/// Tells whether a signal has come that waits.
pub struct Interrupts(Option<Signals>);

impl Interrupts {
    /// Does something that no signal is to end halfway; what came meanwhile has its
    /// effect afterwards.
    pub fn hold<T>(work: impl FnOnce(&Interrupts) -> T) -> T {
        let mut held = Interrupts(Signals::catch(&[]).ok());
        let done = work(&held);
        let came: Vec<Signal> = held
            .0
            .iter_mut()
            .flat_map(|caught| {
                let meant =
                    |came| if let Came::Meant(signal, _) = came { Some(signal) } else { None };
                caught.pending().filter_map(meant).collect::<Vec<_>>()
            })
            .collect();
        drop(held);
        for signal in came {
            let _ = signal_hook::low_level::raise(signal.as_raw());
        }
        done
    }

    /// Whether one has come.
    pub fn came(&self) -> bool {
        let caught = self.0.as_ref();
        caught.is_some_and(|it| fsutil::is_ready(it.descriptor(), PollFlags::IN) == Ok(true))
    }
}

/// Whether the kernel sent the signal to the command too. A hang-up goes to
/// the leader of a session alone.
fn reached_the_group(origin: &Origin) -> bool {
    let leads =
        || rustix::process::getsid(None).is_ok_and(|leader| leader == rustix::process::getpid());
    matches!(origin.cause, Cause::Kernel) && !(origin.signal == SIGHUP && leads())
}

/// Whether cachex sent it, see [`stop`] and [`share`].
fn is_own(origin: &Origin) -> bool {
    let sender = origin.process.as_ref().and_then(|process| Pid::from_raw(process.pid));
    matches!(origin.cause, Cause::Sent(_)) && sender == Some(rustix::process::getpid())
}

/// Stops this process, or all of its group, as `signal` does by default; returns
/// when it was continued, or at once if nobody is there who could do that.
pub fn stop(signal: Signal, whole_group: bool) {
    if whole_group {
        // This process is to stop once, and after the others.
        let _ignored = Altered::ignored(signal.as_raw());
        let _ = kill_current_process_group(signal);
    }
    let _by_default = Altered::by_default(signal.as_raw());
    let _ = signal_hook::low_level::raise(signal.as_raw());
}

/// Sends a signal that ended the command to the rest of cachex's group, as the
/// terminal would have. To be called while signals are caught.
pub fn share(signal: Signal) {
    let _ = kill_current_process_group(signal);
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

/// How signals were when cachex started, as far as starting a process changes it.
#[derive(Debug)]
pub struct Inherited {
    ignored: Vec<i32>,
}

impl Inherited {
    /// To be read before [`Signals::catch`].
    pub fn read() -> Inherited {
        Inherited { ignored: RESTORED.into_iter().filter(|&signal| is_ignored(signal)).collect() }
    }

    /// Has `command` start with them so. The standard library resets SIGPIPE,
    /// and execution resets what is caught.
    pub fn restore_in(self, command: &mut Command) {
        if self.ignored.is_empty() {
            return;
        }
        // SAFETY: `signal` is async-signal-safe, and the closure does nothing
        // else; its list was allocated before the fork.
        unsafe {
            command.pre_exec(move || {
                for &signal in &self.ignored {
                    libc::signal(signal, libc::SIG_IGN);
                }
                Ok(())
            });
        }
    }
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
        Altered::to(signal, libc::SIG_IGN)
    }

    /// What it does where nobody has a say, from now on.
    fn by_default(signal: i32) -> Altered {
        Altered::to(signal, libc::SIG_DFL)
    }

    fn to(signal: i32, plain: libc::sighandler_t) -> Altered {
        let before = Disposition::of(signal);
        let action = libc::sigaction { sa_sigaction: plain, ..before.action };
        Altered(Disposition { action, ..before }.restore())
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
    action: libc::sigaction,
}

impl Disposition {
    /// The present one.
    fn of(signal: i32) -> Disposition {
        Disposition { signal, action: action(signal, None) }
    }

    fn is_ignored(&self) -> bool {
        self.action.sa_sigaction == libc::SIG_IGN
    }

    /// Makes it so again; how it was meanwhile.
    fn restore(self) -> Disposition {
        Disposition { action: action(self.signal, Some(self.action)), ..self }
    }
}

/// What a signal does; from now on `new`, if given.
fn action(signal: i32, new: Option<libc::sigaction>) -> libc::sigaction {
    let new = new.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    // SAFETY: `new` is null or a valid action: one that this function gave, with
    // no other handler in it than the one it had or a plain disposition. Zeroes
    // are a valid value of what is written to.
    unsafe {
        let mut before: libc::sigaction = std::mem::zeroed();
        libc::sigaction(signal, new, &raw mut before);
        before
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::event::{PollFd, poll};
    use rustix::process::{getpid, kill_process};

    /// Whether a signal that is sent now is caught by these.
    fn catches(signals: &mut Signals) -> bool {
        kill_process(getpid(), Signal::CONT).unwrap();
        // Another thread may be the one that it interrupts.
        poll(&mut [PollFd::new(signals.descriptor(), PollFlags::IN)], None).unwrap();
        signals.pending().any(|came| matches!(came, Came::Continue))
    }

    #[test]
    fn what_is_caught_is_as_before_after_that_and_can_be_caught_again() {
        let before = Disposition::of(SIGCONT).action.sa_sigaction;
        for _ in 0..2 {
            let mut signals = Signals::catch(JOB_CONTROL).unwrap();
            assert!(Disposition::of(SIGCONT).action.sa_sigaction != before);
            assert!(catches(&mut signals));
            drop(signals);
            assert_eq!(Disposition::of(SIGCONT).action.sa_sigaction, before);
        }
    }
}
