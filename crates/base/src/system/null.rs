//! Empty input and discarded output, even where there is no `/dev/null`.
//!
//! A chroot, a container or a bare `tmpfs` on `/dev` may lack the device, and a command that needs
//! no device must run there.

use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use std::io;

/// Opens a descriptor that is at its end at once.
pub fn input() -> io::Result<OwnedFd> {
    match device(OFlags::RDONLY) {
        Ok(device) => Ok(device),
        // A pipe without a writer is at its end as well.
        Err(_) => io::pipe().map(|(reader, _)| reader.into()),
    }
}

/// Opens a descriptor for output to discard. Without the device, a write to it is a harmless error.
pub fn output() -> io::Result<OwnedFd> {
    Ok(device(OFlags::RDWR).or_else(|_| folder())?)
}

/// Opens something harmless in place of each standard descriptor that is closed, so that no file of
/// the store takes its number. They are closed on exec, so that the command finds them closed.
/// Returns which ones were closed.
pub fn fill_closed_descriptors() -> [bool; 3] {
    let standard = [rustix::stdio::stdin(), rustix::stdio::stdout(), rustix::stdio::stderr()];
    // With any other result, it is open.
    let closed = standard.map(|fd| rustix::io::fcntl_getfd(fd) == Err(Errno::BADF));
    for _ in closed.iter().filter(|&&closed| closed) {
        // The lowest free number is the missing one.
        if let Ok(null) = output() {
            std::mem::forget(null);
        }
    }
    closed
}

/// Returns whether a device of this number is `/dev/null`.
#[cfg(target_os = "linux")]
pub fn is_device(device: u64) -> bool {
    (rustix::fs::major(device), rustix::fs::minor(device)) == (1, 3)
}

/// Returns whether a device of this number is `/dev/null`.
#[cfg(not(target_os = "linux"))]
pub fn is_device(device: rustix::fs::Dev) -> bool {
    rustix::fs::stat("/dev/null").is_ok_and(|null| null.st_rdev == device)
}

fn device(flags: OFlags) -> rustix::io::Result<OwnedFd> {
    rustix::fs::open("/dev/null", flags | OFlags::CLOEXEC, Mode::empty())
}

/// Opens a folder, which can be neither read from nor written to.
fn folder() -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::open("/", flags, Mode::empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_nothing_to_read() {
        assert_eq!(rustix::io::read(input().unwrap(), &mut [0; 8]), Ok(0));
    }

    #[test]
    fn a_folder_takes_and_gives_nothing() {
        let folder = folder().unwrap();
        assert_eq!(rustix::io::read(&folder, &mut [0; 8]), Err(Errno::ISDIR));
        assert_eq!(rustix::io::write(&folder, b"lost"), Err(Errno::BADF));
    }
}
