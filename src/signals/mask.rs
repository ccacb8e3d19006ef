//! Which signals a thread holds back.
//!
//! The C library leaves the signals out that it uses itself (32 and 33), although
//! others can send them. On Linux the kernel is therefore asked directly.

use std::io;

/// A set of signals.
#[derive(Clone, Copy)]
pub struct Mask(Set);

#[cfg(target_os = "linux")]
type Set = u64;
#[cfg(not(target_os = "linux"))]
type Set = libc::sigset_t;

impl Mask {
    /// All signals but these. Those that cannot be held back never are.
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

    /// The signals as the kernel has them, the first in the lowest bit.
    #[cfg(target_os = "linux")]
    pub fn bits(self) -> u64 {
        self.0
    }

    /// Holds back these and no others; what was held back before. It is safe between
    /// fork and exec and in a process that shares its memory with another.
    #[cfg(target_os = "linux")]
    pub fn set(self) -> io::Result<Mask> {
        let mut before = 0_u64;
        let (new, old) = (&raw const self.0, &raw mut before);
        // SAFETY: both point to as many bytes as the last argument says, and the call
        // changes nothing but this thread's mask and `before`.
        let done = unsafe {
            libc::syscall(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK, new, old, size_of::<u64>())
        };
        if done == 0 { Ok(Mask(before)) } else { Err(io::Error::last_os_error()) }
    }

    #[cfg(not(target_os = "linux"))]
    fn full() -> Mask {
        // SAFETY: zeroes are a valid value of what is then filled in.
        unsafe {
            let mut set: Set = std::mem::zeroed();
            libc::sigfillset(&raw mut set);
            Mask(set)
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn remove(&mut self, signal: i32) {
        // SAFETY: it changes the set that it is given and nothing else.
        unsafe { libc::sigdelset(&raw mut self.0, signal) };
    }

    /// Holds back these and no others; what was held back before. It is safe between
    /// fork and exec.
    #[cfg(not(target_os = "linux"))]
    pub fn set(self) -> io::Result<Mask> {
        // SAFETY: zeroes are a valid value of what is written to, and the call changes
        // nothing but this thread's mask.
        unsafe {
            let mut before: Set = std::mem::zeroed();
            match libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.0, &raw mut before) {
                0 => Ok(Mask(before)),
                errno => Err(io::Error::from_raw_os_error(errno)),
            }
        }
    }
}
