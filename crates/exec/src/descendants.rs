//! Processes that a command started, including those that left its process group.
//!
//! A process that left the command's group and session, and whose parent ended, becomes this
//! process's child: this process is a subreaper (`PR_SET_CHILD_SUBREAPER`). So everything that the
//! command started is a descendant of this process, as far as `/proc` shows.

#[cfg(target_os = "linux")]
pub use linux::{are_inherited, await_events, call_of, gather, is_empty, send, with};

#[cfg(target_os = "linux")]
mod linux {
    use cachex_base::system::procfs::Stat;
    use cachex_trace::is_guardian;
    use rustix::process::{
        Pid, PidfdFlags, Signal, WaitOptions, getpid, pidfd_open, pidfd_send_signal,
        set_child_subreaper, wait,
    };
    use std::fs;

    /// The number of rounds in which to look for processes that were started in the meantime.
    const ROUNDS: usize = 8;

    /// Makes this process inherit whatever the command leaves behind.
    pub fn gather() {
        let _ = set_child_subreaper(Some(getpid()));
    }

    /// Returns whether this process inherits what the command leaves behind: it is a subreaper, or
    /// the init process of its namespace.
    pub fn are_inherited(is_gathering: bool) -> bool {
        is_gathering || getpid() == Pid::INIT
    }

    /// Returns whether the command or one of its descendants is waiting for events on a descriptor,
    /// as far as the system tells.
    pub fn await_events(leader: Pid) -> bool {
        const CALLS: &[libc::c_long] = &[
            libc::SYS_ppoll,
            libc::SYS_pselect6,
            libc::SYS_epoll_pwait,
            libc::SYS_epoll_pwait2,
            // How a wait goes on after the command was stopped.
            libc::SYS_restart_syscall,
            #[cfg(target_arch = "x86_64")]
            libc::SYS_epoll_wait,
            #[cfg(target_arch = "x86_64")]
            libc::SYS_poll,
            #[cfg(target_arch = "x86_64")]
            libc::SYS_select,
        ];
        let awaits = |process| call_of(process).is_some_and(|(call, _)| CALLS.contains(&call));
        with(leader).into_iter().any(awaits)
    }

    /// Returns the system call that a process waits in, and its first arguments.
    pub fn call_of(process: u32) -> Option<(libc::c_long, [u64; 4])> {
        let call = fs::read_to_string(format!("/proc/{process}/syscall")).ok()?;
        let mut words = call.split_ascii_whitespace();
        let number = words.next()?.parse().ok()?;
        let mut next = || u64::from_str_radix(words.next()?.strip_prefix("0x")?, 16).ok();
        Some((number, [next()?, next()?, next()?, next()?]))
    }

    /// Returns the command and its descendants.
    pub fn with(leader: Pid) -> Vec<u32> {
        let leader = leader.as_raw_nonzero().get().cast_unsigned();
        let mut found = vec![leader];
        if fs::exists(format!("/proc/{leader}/task/{leader}/children"))
            .is_ok_and(|is_there| !is_there)
        {
            // This kernel was built without it, or the command has ended.
            found.extend(living(leader).into_iter().map(|process| process.pid));
            return found;
        }
        let mut at = 0;
        while let Some(process) = found.get(at) {
            let threads = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten();
            for thread in threads.flatten() {
                let children =
                    fs::read_to_string(thread.path().join("children")).unwrap_or_default();
                found.extend(
                    children.split_ascii_whitespace().filter_map(|it| it.parse::<u32>().ok()),
                );
            }
            at += 1;
        }
        found
    }

    /// Returns whether nothing that the command started is still alive. Call this only after the
    /// command has ended: it reaps every other ended child.
    pub fn is_empty() -> bool {
        while let Ok(Some(_)) = wait(WaitOptions::NOHANG) {}
        living(std::process::id()).is_empty()
    }

    /// Sends a signal to every process that the command started and that left its group.
    pub fn send(signal: Signal, left: Pid) {
        let left = left.as_raw_nonzero().get();
        let mut told = Vec::new();
        for _ in 0..ROUNDS {
            let untold: Vec<_> = living(std::process::id())
                .into_iter()
                .filter(|it| it.group != left && !told.contains(&(it.pid, it.started)))
                .collect();
            if untold.is_empty() {
                break;
            }
            for process in untold {
                // The pid may have been reused; the descriptor keeps referring to one process.
                if let Some(pid) = Pid::from_raw(process.pid.cast_signed())
                    && let Ok(fd) = pidfd_open(pid, PidfdFlags::empty())
                    && stat(process.pid).is_some_and(|now| now.started == process.started)
                {
                    let _ = pidfd_send_signal(fd, signal);
                }
                told.push((process.pid, process.started));
            }
        }
    }

    /// Returns the living descendants of a process, nearest first. A guardian is none: this process
    /// has started it for itself, and if the command leaves something behind, it has to go on.
    fn living(ancestor: u32) -> Vec<Stat> {
        let all: Vec<_> = Stat::all().collect();
        let mut found = Vec::new();
        let mut parents = vec![ancestor];
        while let Some(parent) = parents.pop() {
            let children = all.iter().filter(|process| process.parent == parent);
            let is_of_the_command = |it: &&Stat| !it.is_dead() && !is_guardian(it.pid);
            for child in children.filter(is_of_the_command) {
                parents.push(child.pid);
                found.push(*child);
            }
        }
        found
    }

    fn stat(pid: u32) -> Option<Stat> {
        Stat::of(&pid.to_string())
    }
}

#[cfg(not(target_os = "linux"))]
mod elsewhere {
    use rustix::process::{Pid, Signal};

    /// Does nothing: the system cannot tell what left the command's group.
    pub fn gather() {}

    pub fn are_inherited(_: bool) -> bool {
        false
    }

    pub fn await_events(_: Pid) -> bool {
        false
    }

    pub fn is_empty() -> bool {
        true
    }

    pub fn with(_: Pid) -> Vec<u32> {
        Vec::new()
    }

    pub fn send(_: Signal, _: Pid) {}
}
#[cfg(not(target_os = "linux"))]
pub use elsewhere::{are_inherited, await_events, gather, is_empty, send, with};
