//! Writing to a terminal in the background, where that stops a process (`stty tostop`).
//!
//! The kernel sends SIGTTOU to the group of whoever writes, or lets the write pass if that process
//! blocks the signal, as cachex does while it receives signals. So it is let through for the write
//! alone. A handler interrupts the write, which would otherwise begin anew, and stop this process
//! once more, before anything else that was sent is looked at, such as the SIGTERM of `kill %1`.

use super::{Mask, is_ignored};
use rustix::io::Errno;
use rustix::termios::{LocalModes, tcgetattr};
use signal_hook::consts::SIGTTOU;
use std::sync::atomic::{AtomicBool, Ordering};

/// True while such a write is to stop this process.
static ARE_STOPPED: AtomicBool = AtomicBool::new(false);
/// True if one was to stop this process since the last look.
static WAS_STOPPED: AtomicBool = AtomicBool::new(false);

/// Lets writes in the background be stopped until this is dropped.
pub struct BackgroundWrites {
    before: libc::sigaction,
}

impl BackgroundWrites {
    /// Begins, unless no output is such a terminal, or this process ignores or blocked the signal:
    /// `mask` is what it blocked.
    pub fn begin(mask: Mask) -> Option<BackgroundWrites> {
        let stops_writers =
            |output| tcgetattr(output).is_ok_and(|it| it.local_modes.contains(LocalModes::TOSTOP));
        if ![rustix::stdio::stdout(), rustix::stdio::stderr()].into_iter().any(stops_writers)
            || mask.holds(SIGTTOU)
            || is_ignored(SIGTTOU)
        {
            return None;
        }
        // SAFETY: zeroes are valid values of both. The handler sets a static atomic and nothing
        // else, which is async-signal-safe. Without `SA_RESTART` it interrupts.
        let before = unsafe {
            let mut before: libc::sigaction = std::mem::zeroed();
            let mut noting: libc::sigaction = std::mem::zeroed();
            let note: extern "C" fn(i32) = note;
            noting.sa_sigaction = note as libc::sighandler_t;
            match libc::sigaction(SIGTTOU, &raw const noting, &raw mut before) {
                0 => before,
                _ => return None,
            }
        };
        WAS_STOPPED.store(false, Ordering::Relaxed);
        ARE_STOPPED.store(true, Ordering::Relaxed);
        Some(BackgroundWrites { before })
    }
}

impl Drop for BackgroundWrites {
    fn drop(&mut self) {
        ARE_STOPPED.store(false, Ordering::Relaxed);
        // SAFETY: it is what this call returned before.
        unsafe { libc::sigaction(SIGTTOU, &raw const self.before, std::ptr::null_mut()) };
    }
}

extern "C" fn note(_: i32) {
    WAS_STOPPED.store(true, Ordering::Relaxed);
}

/// Writes to what may be a terminal. Fails with `AGAIN` if that was to stop this process, see
/// [`were_stopped`].
pub fn attempt(write: impl FnOnce() -> rustix::io::Result<usize>) -> rustix::io::Result<usize> {
    if !ARE_STOPPED.load(Ordering::Relaxed) {
        return write();
    }
    let Ok(before) = Mask::all_but(&[SIGTTOU]).set() else { return write() };
    let written = write();
    let _ = before.set();
    match written {
        Err(Errno::INTR) if WAS_STOPPED.load(Ordering::Relaxed) => Err(Errno::AGAIN),
        written => written,
    }
}

/// Returns whether a write was to stop this process since the last call.
pub fn were_stopped() -> bool {
    WAS_STOPPED.swap(false, Ordering::Relaxed)
}

/// Lets all writes pass from now on.
pub fn allow() {
    ARE_STOPPED.store(false, Ordering::Relaxed);
}
