//! Every exit status of cachex, and how cachex ends the way a command ended.
//!
//! `run` and `sh` exit with the command's own status. Failures and findings of cachex itself use
//! the same range as `env`, `nohup` and `timeout`. The other verbs follow the usual pair: 1 for a
//! failure, 2 for a usage error.

use crate::system::{fsutil, signals};
use rustix::io::Errno;
use rustix::process::{Pid, WaitOptions, waitpid};
use signal_hook::consts::SIGXFSZ;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::sync::atomic::{AtomicI32, Ordering::Relaxed};

/// The command exceeded its time limit.
pub const TIMED_OUT: u8 = 124;
/// cachex itself failed, or was misused, where it stands in for a command.
pub const CACHEX_FAILED: u8 = 125;
/// The command was found but cannot be executed.
pub const NOT_EXECUTABLE: u8 = 126;
/// The command was not found.
pub const NOT_FOUND: u8 = 127;
/// A verb other than `run` failed.
pub const FAILURE: u8 = 1;
/// A verb other than `run` was misused.
pub const USAGE: u8 = 2;

/// The way in which this process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// With this status.
    Status(u8),
    /// By this signal, as the command did.
    Signal(i32),
}

impl Exit {
    /// Everything went as it should.
    pub const SUCCESS: Exit = Exit::Status(0);

    /// Returns how a command usually ends when a write of its output fails.
    pub fn of_a_failed_write(errno: Errno) -> Exit {
        if errno == Errno::FBIG && !signals::is_ignored(SIGXFSZ) {
            Exit::Signal(SIGXFSZ)
        } else {
            Exit::Status(FAILURE)
        }
    }

    /// Ends the process. A death by signal is repeated on this process, so that the parent sees a
    /// real one: a shell stops its script on Ctrl-C only if the command died of SIGINT, not if it
    /// exited with 130.
    pub fn end(self) -> ! {
        reap();
        let status = match self {
            Exit::Status(status) => i32::from(status),
            Exit::Signal(signal) => {
                // The command has already written its core file, if any.
                let none = rustix::process::Rlimit { current: Some(0), maximum: Some(0) };
                let _ = rustix::process::setrlimit(rustix::process::Resource::Core, none);
                signals::die_of(signal);
                // Still here: this is the first process of a container, which its own signals do
                // not end, or the signal is one that this system does not kill by.
                128 + signal
            }
        };
        std::process::exit(status)
    }
}

/// The process to reap at the end of this one; 0 if there is none.
static KILLED: AtomicI32 = AtomicI32::new(0);

/// Has a killed child reaped at the end of this process, so that nobody waits for its death
/// meanwhile.
pub fn reap_at_end(killed: Pid) {
    reap();
    KILLED.store(killed.as_raw_nonzero().get(), Relaxed);
}

fn reap() {
    if let Some(killed) = Pid::from_raw(KILLED.swap(0, Relaxed)) {
        let _ = fsutil::persistently(|| waitpid(Some(killed), WaitOptions::empty()));
    }
}

impl From<ExitStatus> for Exit {
    fn from(status: ExitStatus) -> Exit {
        match (status.code(), status.signal()) {
            (Some(code), _) => Exit::Status(code as u8),
            (None, Some(signal)) => Exit::Signal(signal),
            (None, None) => Exit::Status(CACHEX_FAILED),
        }
    }
}
