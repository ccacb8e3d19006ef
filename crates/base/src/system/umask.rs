//! The permissions that new files of this process are not given.

use rustix::fs::Mode;

/// Asks for them.
pub fn umask() -> u32 {
    // It can only be had by setting it. What others make meanwhile is private.
    let umask = rustix::process::umask(Mode::RWXG | Mode::RWXO);
    rustix::process::umask(umask);
    umask.bits() & 0o777
}
