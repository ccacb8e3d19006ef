//! Processes that outlive the call that started them.

use crate::asked;
use rustix::fd::BorrowedFd;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::thread;

/// Enough for a thread that waits.
const STACK: usize = 64 * 1024;

/// Starts a process in a session of its own, from its first moment: whoever ends
/// the caller's group, a terminal or a CI runner, does not mean this one.
///
/// cachex leaves it to who inherits it: it ends soon itself. A program that uses the
/// library may live for long, so a thread of it waits for the process, of which nothing
/// would be left but an entry in the system's table.
pub fn start(command: &mut Command) -> io::Result<()> {
    // SAFETY: `setsid` is async-signal-safe, and the closure does nothing else.
    unsafe {
        command.pre_exec(|| {
            rustix::process::setsid()?;
            Ok(())
        });
    }
    let mut child = command.spawn()?;
    if !asked::is_cachex() {
        // Whoever has no room for a thread has other sorrows than that entry.
        let _ = thread::Builder::new()
            .name(asked::NAME.to_owned())
            .stack_size(STACK)
            .spawn(move || child.wait());
    }
    Ok(())
}

/// Leaves the priority and the open files of whoever started this process, which
/// has only begun: all but the standard ones and `keep`.
pub fn settle(nice: i32, keep: &[BorrowedFd<'_>]) {
    let _ = rustix::process::nice(nice);
    let Ok(open) = std::fs::read_dir("/dev/fd") else { return };
    let open: Vec<i32> =
        open.flatten().filter_map(|fd| fd.file_name().to_str()?.parse().ok()).collect();
    for fd in open {
        if fd > 2 && keep.iter().all(|keep| keep.as_raw_fd() != fd) {
            // SAFETY: this process has only begun, on one thread: besides what is
            // kept it owns no descriptor above the standard ones but that of the
            // listing, which is closed by now. What is open was inherited, a
            // jobserver's pipe say, and nothing here refers to it. A number that is
            // not open any more is an error that changes nothing.
            unsafe { libc::close(fd) };
        }
    }
}
