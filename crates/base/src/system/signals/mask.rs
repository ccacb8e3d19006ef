//! The signals that a thread blocks.
//!
//! The C library leaves out the signals that it uses itself (32 and 33), although others can send
//! them. On Linux the kernel is therefore called directly.

use std::io;

/// A set of signals.
#[derive(Clone, Copy)]
pub struct Mask(Set);

#[cfg(target_os = "linux")]
type Set = u64;
#[cfg(not(target_os = "linux"))]
type Set = libc::sigset_t;

impl Mask {
    /// Returns all signals but these. Signals that cannot be blocked never are.
    pub fn all_but(left_out: &[i32]) -> Mask {
        let mut mask = Mask::full();
        for &signal in left_out {
            mask.remove(signal);
        }
        mask
    }

    #[cfg(target_os = "linux")]
    fn full() -> Mask {
        Mask(u64::MAX)
    }

    #[cfg(target_os = "linux")]
    fn remove(&mut self, signal: i32) {
        self.0 &= !(1 << (signal - 1));
    }

    /// Returns the signals as a bit set of the kernel, the first in the lowest bit.
    #[cfg(target_os = "linux")]
    pub fn bits(self) -> u64 {
        self.0
    }

    #[cfg(target_os = "linux")]
    fn one(signal: i32) -> Mask {
        Mask(1 << (signal - 1))
    }

    /// Returns whether this signal is in the set.
    #[cfg(target_os = "linux")]
    pub fn holds(self, signal: i32) -> bool {
        self.0 >> (signal - 1) & 1 == 1
    }

    /// Blocks these signals and no others. Returns those that were blocked before. This is safe
    /// between fork and exec and in a process that shares its memory with another.
    pub fn set(self) -> io::Result<Mask> {
        self.change(libc::SIG_SETMASK)
    }

    /// Blocks this signal in addition. Returns those that were blocked before.
    pub fn add(signal: i32) -> io::Result<Mask> {
        Mask::one(signal).change(libc::SIG_BLOCK)
    }

    #[cfg(target_os = "linux")]
    fn change(self, how: i32) -> io::Result<Mask> {
        let mut before = 0_u64;
        let (new, old) = (&raw const self.0, &raw mut before);
        // SAFETY: both point to as many bytes as the last argument says, and the call
        // changes nothing but this thread's mask and `before`.
        let done =
            unsafe { libc::syscall(libc::SYS_rt_sigprocmask, how, new, old, size_of::<u64>()) };
        if done == 0 { Ok(Mask(before)) } else { Err(io::Error::last_os_error()) }
    }

    #[cfg(not(target_os = "linux"))]
    fn full() -> Mask {
        // SAFETY: zeroes are a valid value of the set, which is then filled.
        unsafe {
            let mut set: Set = std::mem::zeroed();
            libc::sigfillset(&raw mut set);
            Mask(set)
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn remove(&mut self, signal: i32) {
        // SAFETY: it changes the given set and nothing else.
        unsafe { libc::sigdelset(&raw mut self.0, signal) };
    }

    #[cfg(not(target_os = "linux"))]
    fn one(signal: i32) -> Mask {
        // SAFETY: zeroes are a valid value of the set, which is then emptied and added to.
        unsafe {
            let mut set: Set = std::mem::zeroed();
            libc::sigemptyset(&raw mut set);
            libc::sigaddset(&raw mut set, signal);
            Mask(set)
        }
    }

    /// Returns whether this signal is in the set.
    #[cfg(not(target_os = "linux"))]
    pub fn holds(self, signal: i32) -> bool {
        // SAFETY: it only reads the given set.
        unsafe { libc::sigismember(&raw const self.0, signal) == 1 }
    }

    #[cfg(not(target_os = "linux"))]
    fn change(self, how: i32) -> io::Result<Mask> {
        // SAFETY: zeroes are a valid value of the set that is written to, and the call changes
        // nothing but this thread's mask.
        unsafe {
            let mut before: Set = std::mem::zeroed();
            match libc::pthread_sigmask(how, &raw const self.0, &raw mut before) {
                0 => Ok(Mask(before)),
                errno => Err(io::Error::from_raw_os_error(errno)),
            }
        }
    }
}
