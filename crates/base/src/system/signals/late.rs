//! Requests to end that come after the command has ended.
//!
//! Without cachex there would be nobody left to receive them: `timeout` sends SIGTERM twice, and so
//! does whoever loses patience. So while cachex records the result, it ends with the command's
//! status instead of by the signal. A key at the terminal still ends it by the signal, since the
//! script that runs it is to end, too.

use super::{REQUESTS_TO_END, Sender, Sent, asks_to_end, is_ignored};
use std::sync::atomic::{AtomicI32, Ordering};

/// The status of the command, once it has ended with one.
static STATUS: AtomicI32 = AtomicI32::new(NONE);
const NONE: i32 = -1;

/// Has a request to end from another process end this one with a status from now on.
pub fn end_with(status: i32) {
    STATUS.store(status, Ordering::Relaxed);
    let handler: extern "C" fn(i32, *const libc::siginfo_t, *const libc::c_void) = end;
    for signal in REQUESTS_TO_END {
        if is_ignored(signal) {
            continue;
        }
        // SAFETY: zeroes are a valid value. The handler makes async-signal-safe calls alone.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = handler as libc::sighandler_t;
            action.sa_flags =
                libc::SA_SIGINFO | libc::SA_RESTART | libc::SA_NODEFER | libc::SA_RESETHAND;
            libc::sigaction(signal, &raw const action, std::ptr::null_mut());
        }
    }
}

extern "C" fn end(signal: i32, about: *const libc::siginfo_t, _: *const libc::c_void) {
    // SAFETY: the kernel passes a valid record. The default effect was restored before, so the
    // signal has it when it is sent once more.
    unsafe {
        // One that a process sent has a code of 0 or less.
        if (*about).si_code <= 0 && (*about).si_pid() != libc::getpid() {
            libc::_exit(STATUS.load(Ordering::Relaxed));
        }
        libc::raise(signal);
    }
}

/// Returns whether the signal came too late for the command, and is to have no effect any more.
pub(super) fn is_for_nobody(sent: &Sent) -> bool {
    STATUS.load(Ordering::Relaxed) != NONE
        && matches!(sent.sender, Sender::Process { .. })
        && asks_to_end(sent.signal)
}
