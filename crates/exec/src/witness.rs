//! Tells whether a signal was sent to all of cachex's process group, or to cachex alone.
//!
//! A signal carries its sender, but not its target. One that was sent to the group has already
//! reached the command, and must not be passed on to it again. So the group has another process
//! that does nothing: it blocks all signals, and those that were sent to the group are pending
//! there. The kernel signals the newest members of a group first. So a signal that has reached
//! cachex has reached the witness; and because the witness is newer than the command, a signal that
//! has reached the witness was sent to the command too.
//!
//! The witness shares this process's memory, which makes it cheap to start, and dies with this
//! process.

use super::spawn::{Memory, has_lost, share_memory_with};
use crate::job::Handling;
use cachex_base::process::exit;
use cachex_base::system::fsutil;
#[cfg(target_os = "linux")]
use cachex_base::system::limits;
use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process, waitpid};
use std::ffi::{c_int, c_void};
use std::time::Duration;

/// The interval at which it checks whether its parent is still alive.
const LOOK: Duration = Duration::from_secs(10);

/// The highest descriptor that is closed where they are closed one by one.
#[cfg(target_os = "linux")]
const MOST: u64 = 1 << 16;

/// A process in which signals to the group stay pending.
pub struct Witness {
    /// The process; none where the system cannot create it.
    process: Option<Pid>,
    memory: Option<Memory>,
}

impl Witness {
    /// Starts a witness, if possible. Call this after the command was started, while all signals
    /// are blocked.
    pub fn new() -> Witness {
        let mut witness = Witness { process: None, memory: Memory::new().ok() };
        witness.start();
        witness
    }

    fn start(&mut self) {
        if let Some(memory) = &self.memory {
            let parent = getpid().as_raw_nonzero().get();
            let told = std::ptr::without_provenance_mut(parent as usize);
            self.process = share_memory_with(idle, memory, told).ok();
        }
    }

    /// Returns whether a signal was sent to the whole group since the command was started; none if
    /// that is not known.
    pub fn saw(&mut self, signal: i32) -> Option<bool> {
        let saw = Handling::of(self.process?)?.is_pending(signal);
        if saw {
            // A fresh witness notices the next signal, too.
            if let Some(killed) = self.kill() {
                let _ = waitpid(Some(killed), WaitOptions::empty());
            }
            self.start();
        }
        Some(saw)
    }

    /// Notes that a process has been reaped: its pid may be reused soon.
    pub fn forget(&mut self, ended: Pid) {
        self.process = self.process.filter(|&process| process != ended);
    }

    /// Reaps the witness if somebody killed it. The kernel does, where the command is PID 1 of a
    /// namespace that cachex is not in (`unshare --pid`), and has it end only once that was done.
    pub fn bury(&mut self) {
        let is_dead = |&it: &Pid| matches!(waitpid(Some(it), WaitOptions::NOHANG), Ok(Some(_)));
        if self.process.as_ref().is_some_and(is_dead) {
            self.process = None;
        }
    }

    /// Kills the witness and returns it, unless it may not be killed: then it is not waited for, and
    /// ends with this process.
    fn kill(&mut self) -> Option<Pid> {
        let is_killed = |&it: &Pid| fsutil::persistently(|| kill_process(it, Signal::KILL)).is_ok();
        self.process.take().filter(is_killed)
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        // Its memory is never unmapped, so it may die in its own time.
        if let Some(killed) = self.kill() {
            exit::reap_at_end(killed);
        }
    }
}

/// Runs in the witness, while its parent lives.
extern "C" fn idle(parent: *mut c_void) -> c_int {
    #[cfg(target_os = "linux")]
    {
        let _ = rustix::process::set_parent_process_death_signal(Some(Signal::KILL));
        // SAFETY: this process has its own copies of the descriptors and does not use them. They
        // would keep pipes open: a command that is fed would wait for the end of its input.
        // Where they cannot be closed at once, they are closed one by one.
        unsafe {
            if libc::syscall(libc::SYS_close_range, 0, c_int::MAX, 0) != 0 {
                for number in 0..limits::descriptors(MOST) {
                    libc::syscall(libc::SYS_close, number as c_int);
                }
            }
        }
    }
    // The system may have refused to signal the parent's death.
    let parent = Pid::from_raw(parent.addr() as i32);
    while parent.is_some_and(|parent| !has_lost(parent)) {
        let _ = fsutil::poll(&mut [], Some(LOOK));
    }
    0
}
