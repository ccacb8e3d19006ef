//! Resumes cachex with a command that somebody else continues.
//!
//! cachex stops with its command, so that a shell sees a stopped job. Whoever stopped only the
//! command, by pid or to limit its CPU use, also continues only the command. A copy of cachex stays
//! awake to notice that while cachex is stopped.

use crate::spawn::has_lost;
use cachex_base::process::{detached, lineage};
use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process, waitpid};
use std::time::Duration;

/// The interval between looks.
const LOOK: Duration = Duration::from_millis(100);

/// Continues cachex when the command is continued, until this is dropped.
pub struct Watch(Option<Pid>);

impl Watch {
    /// Watches a command that has stopped, on behalf of this process, which is about to stop.
    pub fn begin(command: Pid) -> Watch {
        if !cfg!(target_os = "linux") {
            return Watch(None);
        }
        let cachex = getpid();
        Watch(detached::branch_off(Vec::new(), || watch(command, cachex)))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(process) = self.0
            && kill_process(process, Signal::KILL).is_ok()
        {
            let _ = waitpid(Some(process), WaitOptions::empty());
        }
    }
}

fn watch(command: Pid, cachex: Pid) {
    let is_stopped = |pid: Pid| lineage::is_stopped(pid.as_raw_nonzero().get().cast_unsigned());
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_parent_process_death_signal(Some(Signal::KILL));
    while !has_lost(cachex) {
        // A command that has ended is not stopped either.
        if !is_stopped(command) && is_stopped(cachex) {
            let _ = kill_process(cachex, Signal::CONT);
        }
        std::thread::sleep(LOOK);
    }
}
