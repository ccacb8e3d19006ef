//! The fold lock, and which others are held, and by whom.

use super::{What, is_folder};
use crate::Root;
use crate::lock::{self, Lock, Mode};
use cachex_base::system::fsutil;
use rustix::fd::AsFd;
use rustix::fs::{FlockOperation, Stat};
use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

/// How long a fold may go on until it is examined what it changes.
const PATIENCE: (u32, Duration) = (150, Duration::from_millis(20));

/// Takes the fold lock, if that is to be had. An error: nobody holds it, and
/// it cannot be had all the same.
pub fn take_fold(root: &Root) -> rustix::io::Result<Option<Lock>> {
    // Where the locks should lie there may be something else.
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

/// What there is to say of a lock. One that nobody holds is worth a word only if
/// it is one of those that the fold sweeps.
pub fn examine(root: &Root, path: &Path) -> Option<What> {
    let file = match fsutil::open_file(root, path) {
        Ok(file) => file,
        Err(Errno::NOENT) => return None,
        Err(errno) => return Some(super::unreadable(errno)),
    };
    match fsutil::retry(|| rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive)) {
        Err(Errno::WOULDBLOCK) => {
            let stat = rustix::fs::fstat(&file).ok()?;
            // A number of another host, or of another container, names somebody else here.
            let signed = || {
                let signature = lock::signature(root.as_fd(), path)?;
                let process = signature.holder.process;
                process.is_here().then_some(process.pid)
            };
            let pid = holder(&stat).or_else(signed);
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
    // Another user's process is one too.
    matches!(test_kill_process(pid), Ok(()) | Err(Errno::PERM))
}

/// The process that the kernel says holds a lock on this file: a line is
/// `1: FLOCK ADVISORY WRITE 1234 08:01:5678 0 EOF`, device numbers in hexadecimal.
#[cfg(target_os = "linux")]
fn holder(stat: &Stat) -> Option<u32> {
    let (major, minor) = (rustix::fs::major(stat.st_dev), rustix::fs::minor(stat.st_dev));
    let file = format!("{major:02x}:{minor:02x}:{}", stat.st_ino);
    let locks = std::fs::read_to_string("/proc/locks").ok()?;
    locks.lines().find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            // Those who wait for it are marked by an arrow.
            [_, "FLOCK", _, _, pid, at, ..] if at == file => {
                // A process of another namespace has no number here.
                pid.parse().ok().filter(|pid| *pid > 0)
            }
            _ => None,
        }
    })
}

/// No other system tells.
#[cfg(not(target_os = "linux"))]
fn holder(_: &Stat) -> Option<u32> {
    None
}
