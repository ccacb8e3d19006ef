//! Going on with a command that somebody continues while cachex is stopped.
//!
//! Cachex stops with its command, so that a shell sees a stopped job. Who stopped the command
//! alone, by its name or to limit its share of the processor, continues it alone as well. A
//! copy of cachex stays awake to see that, as long as cachex is stopped.

use cachex_base::process::detached;
use cachex_base::system::procfs::Stat;
use rustix::process::{Pid, Signal, WaitOptions, getpid, getppid, kill_process, waitpid};
use std::time::Duration;

/// How often it looks.
const LOOK: Duration = Duration::from_millis(100);

/// Continues cachex with the command, until it is dropped.
pub struct Watch(Option<Pid>);

impl Watch {
    /// Looks after a command that has stopped, on behalf of this process, which is about to.
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
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_parent_process_death_signal(Some(Signal::KILL));
    while getppid() == Some(cachex) {
        // One that has ended does not stand still either.
        if !is_stopped(command) && is_stopped(cachex) {
            let _ = kill_process(cachex, Signal::CONT);
        }
        std::thread::sleep(LOOK);
    }
}

/// Whether a process stands still, where the system tells.
fn is_stopped(process: Pid) -> bool {
    Stat::of(&process.as_raw_nonzero().to_string()).is_some_and(|stat| stat.is_stopped())
}
