//! Examines the locks: which are held, and by which process.

use super::{What, is_folder};
use crate::Root;
use crate::lock::{self, Lock, Mode};
use cachex_base::system::fsutil;
use rustix::fd::AsFd;
use rustix::fs::FlockOperation;
use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

/// The number of attempts to take the fold lock from a running fold, and the pause between them.
const PATIENCE: (u32, Duration) = (150, Duration::from_millis(20));

/// Takes the fold lock, unless it stays held. Returns an error if it is free and still cannot be
/// taken.
pub fn take_fold(root: &Root) -> rustix::io::Result<Option<Lock>> {
    // Something else may be in the place of the folder of locks.
    if !fsutil::stat(root, "locks")?.is_none_or(|stat| is_folder(&stat)) {
        return Err(Errno::NOTDIR);
    }
    for _ in 0..PATIENCE.0 {
        if let Some(lock) = Lock::take(root, lock::FOLD, Mode::TryExclusive)? {
            return Ok(Some(lock));
        }
        std::thread::sleep(PATIENCE.1);
    }
    Ok(None)
}

/// Examines a lock. A free one is reported only if it is a kind that the fold sweeps.
pub fn examine(root: &Root, path: &Path) -> Option<What> {
    let file = match fsutil::open_file(root, path) {
        Ok(file) => file,
        Err(Errno::NOENT) => return None,
        Err(errno) => return Some(super::unreadable(errno)),
    };
    match fsutil::retry(|| rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive)) {
        Err(Errno::WOULDBLOCK) => {
            let stat = rustix::fs::fstat(&file).ok()?;
            // A PID of another host or container would name a different process here.
            let signed = || {
                let signature = lock::signature(root.as_fd(), path)?;
                let process = signature.holder.process;
                process.is_here().then_some(process.pid)
            };
            let pid = lock::holders_of(&stat).first().copied().or_else(signed);
            Some(What::HeldLock(pid.map(|pid| (pid, is_alive(pid)))))
        }
        // Without locks there are no holders.
        Err(_) => None,
        Ok(()) => {
            let name = path.file_name()?.as_bytes();
            lock::is_of_a_key(name).then_some(What::IdleLock)
        }
    }
}

fn is_alive(pid: u32) -> bool {
    let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return false };
    // A process of another user is alive, too.
    matches!(test_kill_process(pid), Ok(()) | Err(Errno::PERM))
}
