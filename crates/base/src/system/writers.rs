//! Detection of processes that are still writing a file.

use rustix::fd::AsFd;
use std::time::{Duration, Instant};

/// The time for which an ending process may still have the file open.
const GRACE: Duration = Duration::from_millis(100);
/// The interval between two checks.
const LOOK: Duration = Duration::from_millis(5);

/// Returns whether somebody has a file open for writing, and does not close it in a moment.
pub fn stay(file: impl AsFd) -> bool {
    let started = Instant::now();
    while has_some(&file) {
        if started.elapsed() >= GRACE {
            return true;
        }
        std::thread::sleep(LOOK);
    }
    false
}

/// Returns whether anyone, including this process, has the file behind a read-only descriptor open
/// for writing or mapped, as far as the system reports that.
///
/// A read lease is granted only for a file that nobody can write. It is given back at once, since
/// opening the file for writing waits for that.
#[cfg(target_os = "linux")]
fn has_some(file: impl AsFd) -> bool {
    use rustix::fd::AsRawFd;
    use rustix::io::Errno;

    /// Some versions of the C library's bindings lack it.
    const F_SETSIG: libc::c_int = 10;
    let file = file.as_fd();
    let set = |command, value: libc::c_int| {
        // SAFETY: these commands take a number, and touch no memory of this process.
        match unsafe { libc::fcntl(file.as_raw_fd(), command, value) } {
            0 => Ok(()),
            _ => Err(Errno::from_io_error(&std::io::Error::last_os_error())),
        }
    };
    // If somebody opens the file in between, this process gets a signal that would end it, unless
    // it is one that does nothing by default.
    if set(F_SETSIG, libc::SIGURG).is_err() {
        return false;
    }
    match set(libc::F_SETLEASE, libc::F_RDLCK) {
        Ok(()) => {
            let _ = set(libc::F_SETLEASE, libc::F_UNLCK);
            false
        }
        // Some file systems have no leases, and other users' files cannot get one.
        Err(errno) => errno == Some(Errno::AGAIN) && knows_its_writers(file),
    }
}

/// Returns whether a file system refuses a lease only because of a writer. On a network the server
/// has to agree, and may not.
#[cfg(target_os = "linux")]
fn knows_its_writers(file: rustix::fd::BorrowedFd<'_>) -> bool {
    const NETWORKS: [u32; 4] = [0x6969, 0x517b, 0xff53_4d42, 0xfe53_4d42];
    rustix::fs::fstatfs(file).is_ok_and(|of| !NETWORKS.contains(&(of.f_type as u32)))
}

/// Returns whether somebody has a file open for writing. This system does not report that.
#[cfg(not(target_os = "linux"))]
fn has_some(_: impl AsFd) -> bool {
    false
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::has_some;
    use std::fs::File;

    #[test]
    fn who_has_it_open_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let writer = File::create(&path).unwrap();
        let reader = File::open(&path).unwrap();
        assert!(has_some(&reader));
        drop(writer);
        // A process that another test has just started has copies of all descriptors for a moment.
        let gone = (0..1000).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(10));
            !has_some(&reader)
        });
        assert!(gone);
        let writer = File::options().append(true).open(&path).unwrap();
        assert!(has_some(&reader));
        drop(writer);
    }
}
