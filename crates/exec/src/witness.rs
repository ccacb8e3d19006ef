//! Whether a signal was sent to all of cachex's process group, or to cachex alone.
//!
//! A signal says who sent it and not to whom. One that was sent to the group has reached
//! the command, which is not to get it twice. So there is another process in the group
//! that does nothing: it holds back all signals, and those that were sent to the group are
//! pending there. The kernel sends to the members of a group that came last first, so a
//! signal that has reached cachex has reached the witness; and as the witness came after
//! the command, what reached the witness has reached the command.
//!
//! It shares this process's memory, so that starting it costs next to nothing, and dies
//! with it.

use super::spawn::{Memory, share_memory_with};
use crate::job::Handling;
use cachex_base::system::fsutil;
#[cfg(target_os = "linux")]
use cachex_base::system::limits;
use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process, waitpid};
use std::ffi::{c_int, c_void};
use std::time::Duration;

/// How often it looks whether its parent is still there.
const LOOK: Duration = Duration::from_secs(10);

/// Descriptors with greater numbers are not looked for.
#[cfg(target_os = "linux")]
const MOST: u64 = 1 << 16;

/// A process that signals to the group are pending in.
pub struct Witness {
    /// None where the system has no such process.
    process: Option<Pid>,
    memory: Option<Memory>,
}

impl Witness {
    /// Starts one, if it can be had. To be called when the command was started, and while
    /// all signals are held back.
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

    /// Whether a signal that came reached all of the group since the command was started;
    /// none if that is not known.
    pub fn saw(&mut self, signal: i32) -> Option<bool> {
        let saw = Handling::of(self.process?)?.is_pending(signal);
        if saw {
            // The next one is to be seen, too.
            self.end();
            self.start();
        }
        Some(saw)
    }

    /// Takes note that a process has ended and is forgotten: its number may be another's soon.
    pub fn forget(&mut self, ended: Pid) {
        self.process = self.process.filter(|&process| process != ended);
    }

    fn end(&mut self) {
        if let Some(process) = self.process.take()
            // One that may not be killed is not waited for: it ends with this process.
            && fsutil::persistently(|| kill_process(process, Signal::KILL)).is_ok()
        {
            let _ = waitpid(Some(process), WaitOptions::empty());
        }
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        self.end();
    }
}

/// What the witness does, while its parent lives.
extern "C" fn idle(parent: *mut c_void) -> c_int {
    #[cfg(target_os = "linux")]
    {
        let _ = rustix::process::set_parent_process_death_signal(Some(Signal::KILL));
        // SAFETY: this process has descriptors of its own, copies that it does not use, and
        // that would keep pipes open: a command that is fed would wait for the end of its
        // input. Where they cannot be closed at once they are one by one.
        unsafe {
            if libc::syscall(libc::SYS_close_range, 0, c_int::MAX, 0) != 0 {
                for number in 0..limits::descriptors(MOST) {
                    libc::syscall(libc::SYS_close, number as c_int);
                }
            }
        }
    }
    // The system may have refused to tell it of its parent's end.
    let parent = Pid::from_raw(parent.addr() as i32);
    while rustix::process::getppid() == parent {
        let _ = fsutil::poll(&mut [], Some(LOOK));
    }
    0
}
