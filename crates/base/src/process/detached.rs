//! Processes that outlive the call that started them.

use crate::process::ipc;
use crate::system::failpoint;
use crate::system::limits;
use crate::system::signals::Mask;
use rustix::fd::BorrowedFd;
use rustix::process::Pid;
use std::io;
use std::ops::RangeInclusive;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::thread;

/// Enough for a thread that waits.
const STACK: usize = 64 * 1024;
/// How many numbers of descriptors are tried one by one.
const MOST_NUMBERS: u64 = 1 << 20;

/// Starts a process in a session of its own, from its first moment: whoever ends
/// the caller's group, a terminal or a CI runner, does not mean this one.
///
/// cachex leaves it to who inherits it: it ends soon itself. A program that uses the
/// library may live for long, so a thread of it waits for the process, of which nothing
/// would be left but an entry in the system's table.
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
        // Whoever has no room for a thread has other sorrows than that entry.
        let _ = thread::Builder::new()
            .name(ipc::NAME.to_owned())
            .stack_size(STACK)
            .spawn(move || child.wait());
    }
    Ok(())
}

/// Has a copy of this process do something, apart from whatever its caller might end, and
/// with no more open than this; none if there can be none. It takes no signal but those that
/// nobody can refuse.
pub fn branch_off(keep: Vec<RawFd>, work: impl FnOnce()) -> Option<Pid> {
    // SAFETY: the child goes on with one thread, and needs nothing that another could
    // have locked at this moment but the allocator, which the C library sees to. What it
    // drops it drops without an effect on this process.
    match unsafe { libc::fork() } {
        0 => {
            let _ = Mask::all_but(&[]).set();
            let _ = rustix::process::setsid();
            let _ = rustix::process::chdir("/");
            close_all_but(keep);
            work();
            // SAFETY: it ends the process at once, and nothing of it needs to be tidied.
            unsafe { libc::_exit(0) }
        }
        pid => Some(pid).filter(|&pid| pid > 0).and_then(Pid::from_raw),
    }
}

/// Leaves the priority and the open files of whoever started this process, which
/// has only begun: all but the standard ones and `keep`.
pub fn settle(nice: i32, keep: &[BorrowedFd<'_>]) {
    let _ = rustix::process::nice(nice);
    let standard = [rustix::stdio::stdin(), rustix::stdio::stdout(), rustix::stdio::stderr()];
    close_all_but(standard.iter().chain(keep).map(AsRawFd::as_raw_fd).collect());
}

/// Closes all descriptors but these, in a process that goes on with nothing else.
pub fn close_all_but(mut keep: Vec<RawFd>) {
    keep.sort_unstable();
    let mut from = 0;
    for kept in keep {
        close(from..=kept - 1);
        from = from.max(kept + 1);
    }
    close(from..=i32::MAX);
}

/// Closes what is open of these numbers.
fn close(numbers: RangeInclusive<i32>) {
    if numbers.is_empty() {
        return;
    }
    #[cfg(target_os = "linux")]
    {
        let (first, last) = (*numbers.start(), *numbers.end());
        // SAFETY: this process goes on with what is kept: it owns no other descriptor that
        // it still uses, and nothing refers to one. What is open was inherited, a
        // jobserver's pipe say.
        if unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) } == 0 {
            return;
        }
    }
    let last = i32::try_from(limits::descriptors(MOST_NUMBERS)).unwrap_or(i32::MAX);
    for fd in *numbers.start()..=last.min(*numbers.end()) {
        // SAFETY: as above. A number that is not open is an error that changes nothing.
        unsafe { libc::close(fd) };
    }
}
