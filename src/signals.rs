//! Signals: what cachex inherited, and passing on what it is sent.
//!
//! A signal whose default action would end cachex is caught while the command
//! runs and sent on to it. One that a terminal sends goes to the whole
//! foreground process group, and so has reached the command already. A signal
//! that cachex was started to ignore (`nohup`, a shell's background jobs) stays
//! ignored, in the command too.

use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::{
    SIGALRM, SIGCHLD, SIGHUP, SIGINT, SIGPIPE, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGXFSZ,
};
use signal_hook::iterator::backend::SignalDelivery;
use signal_hook::iterator::exfiltrator::origin::WithOrigin;
use signal_hook::low_level::siginfo::{Cause, Origin};
use std::io;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::Command;

const FORWARDED: [i32; 7] = [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM];
/// Those that the standard library or this module changes, which the command
/// is to find as cachex found them.
const RESTORED: [i32; 2] = [SIGPIPE, SIGCHLD];

/// Catches signals from now on.
pub struct Signals {
    delivery: SignalDelivery<UnixStream, WithOrigin>,
    ignored_pipe: bool,
}

impl Drop for Signals {
    fn drop(&mut self) {
        if !self.ignored_pipe {
            // SAFETY: SIG_DFL is a disposition, not a handler that could run.
            unsafe { libc::signal(SIGPIPE, libc::SIG_DFL) };
        }
    }
}

impl Signals {
    /// Starts to catch them, and makes a reader that left an error of the write
    /// instead of the end of this process.
    pub fn catch() -> io::Result<Signals> {
        let caught = FORWARDED.into_iter().filter(|&signal| !is_ignored(signal)).chain([SIGCHLD]);
        let (read, write) = UnixStream::pair()?;
        let delivery = SignalDelivery::with_pipe(read, write, WithOrigin::default(), caught)?;
        let ignored_pipe = is_ignored(SIGPIPE);
        // SAFETY: SIG_IGN is a disposition, not a handler that could run.
        unsafe { libc::signal(SIGPIPE, libc::SIG_IGN) };
        Ok(Signals { delivery, ignored_pipe })
    }

    /// What becomes readable when a signal has come.
    pub fn descriptor(&self) -> &UnixStream {
        self.delivery.get_read()
    }

    /// Passes on what has come; whether a signal was among it that meant to end the run.
    pub fn pass_on(&mut self, child: Option<Pid>) -> bool {
        let mut interrupted = false;
        for origin in self.delivery.pending() {
            if origin.signal == SIGCHLD {
                continue;
            }
            interrupted = true;
            let signal = Signal::from_named_raw(origin.signal);
            if let (Some(child), Some(signal), false) = (child, signal, reached_the_group(&origin))
            {
                let _ = kill_process(child, signal);
            }
        }
        interrupted
    }
}

/// Whether the kernel sent the signal to the command too. A hang-up goes to
/// the leader of a session alone.
fn reached_the_group(origin: &Origin) -> bool {
    let leads =
        || rustix::process::getsid(None).is_ok_and(|leader| leader == rustix::process::getpid());
    matches!(origin.cause, Cause::Kernel) && !(origin.signal == SIGHUP && leads())
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

fn is_ignored(signal: i32) -> bool {
    // SAFETY: with no new action this only writes the present one to `action`,
    // for which all zeroes is a valid value.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        libc::sigaction(signal, std::ptr::null(), &raw mut action) == 0
            && action.sa_sigaction == libc::SIG_IGN
    }
}
