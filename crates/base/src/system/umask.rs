//! The permissions that new files of this process do not get.

use rustix::fs::Mode;

/// Returns the umask.
pub fn umask() -> u32 {
    // It can only be read by setting it. Files that other threads create meanwhile are private.
    let umask = rustix::process::umask(Mode::RWXG | Mode::RWXO);
    rustix::process::umask(umask);
    umask.bits() & 0o777
}
