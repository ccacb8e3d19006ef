//! Processes that outlive the call that started them.

use crate::process::ipc;
use crate::system::failpoint;
use crate::system::limits;
use crate::system::signals::{self, Mask};
use rustix::process::Pid;
use std::io;
use std::ops::RangeInclusive;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::thread;

/// The stack size of a thread that only waits.
const STACK: usize = 64 * 1024;
/// The number of descriptors that are tried one by one.
const MOST_NUMBERS: u64 = 1 << 20;

/// Starts a process in a session of its own from its first moment, so that a signal to the caller's
/// group, from a terminal or a CI runner, does not reach it.
///
/// cachex does not wait for the process: it exits soon, and init inherits the child. A program that
/// uses the library may live for long, so one of its threads waits for the process and prevents a
/// zombie.
pub fn start(command: &mut Command) -> io::Result<()> {
    failpoint::at("start")?;
    // SAFETY: `setsid` is async-signal-safe, and the closure does nothing else.
    unsafe {
        command.pre_exec(|| {
            rustix::process::setsid()?;
            Ok(())
        });
    }
    let mut child = command.spawn()?;
    if !ipc::is_cachex() {
        // Without room for a thread, a zombie is the lesser problem.
        let _ = thread::Builder::new()
            .name(ipc::NAME.to_owned())
            .stack_size(STACK)
            .spawn(move || child.wait());
    }
    Ok(())
}

/// Runs `work` in a forked copy of this process, in a session of its own and with only the
/// descriptors in `keep` open. Returns `None` if the fork fails. The child blocks every signal that
/// can be blocked.
pub fn branch_off(keep: Vec<RawFd>, work: impl FnOnce()) -> Option<Pid> {
    // SAFETY: the child continues with one thread and needs nothing that another thread could have
    // locked at this moment, except the allocator, which the C library takes care of. Values that
    // it drops have no effect on this process.
    match unsafe { libc::fork() } {
        0 => {
            let _ = Mask::all_but(&[]).set();
            let _ = rustix::process::setsid();
            let _ = rustix::process::chdir("/");
            close_all_but(keep);
            work();
            // SAFETY: it ends the process at once, and nothing needs cleaning up.
            unsafe { libc::_exit(0) }
        }
        pid => Some(pid).filter(|&pid| pid > 0).and_then(Pid::from_raw),
    }
}

/// Lowers the priority of a process that has just started by `nice`, and closes its inherited
/// files except the standard streams.
pub fn settle(nice: i32) {
    let _ = rustix::process::nice(nice);
    let standard = [rustix::stdio::stdin(), rustix::stdio::stdout(), rustix::stdio::stderr()];
    close_all_but(standard.iter().map(AsRawFd::as_raw_fd).collect());
}

/// Has a process that is about to be started ignore SIGPIPE if this one does, and whatever it starts
/// with it. The standard library would have it die of a reader that leaves.
pub fn with_own_broken_pipes(command: &mut Command) {
    if signals::is_ignored(libc::SIGPIPE) {
        // SAFETY: `signal` is async-signal-safe, and the closure does nothing else.
        unsafe {
            command.pre_exec(|| {
                libc::signal(libc::SIGPIPE, libc::SIG_IGN);
                Ok(())
            });
        }
    }
}

/// Closes all descriptors but these. For a process that uses no others from now on.
pub fn close_all_but(mut keep: Vec<RawFd>) {
    keep.sort_unstable();
    let mut from = 0;
    for kept in keep {
        close(from..=kept - 1);
        from = from.max(kept + 1);
    }
    close(from..=i32::MAX);
}

/// Closes the open descriptors in this range.
fn close(numbers: RangeInclusive<i32>) {
    if numbers.is_empty() {
        return;
    }
    #[cfg(target_os = "linux")]
    {
        let (first, last) = (*numbers.start(), *numbers.end());
        // SAFETY: this process continues with `keep` alone: it owns no other descriptor that it
        // still uses, and nothing refers to one. The open ones were inherited, such as a
        // jobserver's pipe.
        if unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) } == 0 {
            return;
        }
    }
    let last = i32::try_from(limits::descriptors(MOST_NUMBERS)).unwrap_or(i32::MAX);
    for fd in *numbers.start()..=last.min(*numbers.end()) {
        // SAFETY: as above. Closing a number that is not open is an error that changes nothing.
        unsafe { libc::close(fd) };
    }
}
