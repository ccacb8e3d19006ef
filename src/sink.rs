//! Writing to a descriptor that others share, without being held up by it.
//!
//! While one stream's reader is slow, the other stream and signals must go on.
//! Making a shared descriptor non-blocking would change it for everyone who
//! holds it. A pipe or a terminal can be opened a second time instead; where
//! that is refused, so much is written as a reader that is ready must take.

use crate::fsutil;
use rustix::event::PollFlags;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;
use rustix::net::SendFlags;
use std::os::fd::AsRawFd;

/// POSIX has a pipe that polls writable take this many bytes without blocking.
const CAREFUL: usize = rustix::pipe::PIPE_BUF;

/// One of cachex's own output streams.
pub struct Sink<'a> {
    shared: BorrowedFd<'a>,
    way: Way,
}

enum Way {
    /// A file, or a device that never blocks.
    Direct,
    /// A second, non-blocking opening of it.
    Private(OwnedFd),
    /// Only as much as cannot block, and only when it is ready.
    Careful,
    /// A socket, which can be asked not to block each time.
    Socket,
}

impl<'a> Sink<'a> {
    /// The best way to write to `shared`.
    pub fn new(shared: BorrowedFd<'a>) -> Sink<'a> {
        let kind = rustix::fs::fstat(shared).map(|stat| FileType::from_raw_mode(stat.st_mode));
        let way = match kind {
            Ok(FileType::Fifo) => reopen(shared).map_or(Way::Careful, Way::Private),
            Ok(FileType::CharacterDevice) if rustix::termios::isatty(shared) => {
                reopen(shared).map_or(Way::Careful, Way::Private)
            }
            Ok(FileType::Socket) => Way::Socket,
            _ => Way::Direct,
        };
        Sink { shared, way }
    }

    /// Writes some of `bytes`; `AGAIN` if none can be taken now.
    pub fn write(&self, bytes: &[u8]) -> rustix::io::Result<usize> {
        fsutil::retry(|| match &self.way {
            Way::Direct => rustix::io::write(self.shared, bytes),
            Way::Private(own) => rustix::io::write(own, bytes),
            Way::Careful if fsutil::is_ready(self.shared, PollFlags::OUT)? => {
                rustix::io::write(self.shared, &bytes[..bytes.len().min(CAREFUL)])
            }
            Way::Careful => Err(Errno::AGAIN),
            Way::Socket => rustix::net::send(self.shared, bytes, SendFlags::DONTWAIT),
        })
    }
}

impl AsFd for Sink<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.way {
            Way::Private(own) => own.as_fd(),
            _ => self.shared,
        }
    }
}

/// Linux opens the file behind a descriptor anew; elsewhere this name is a
/// duplicate, which would share the flag that must not be shared.
fn reopen(shared: BorrowedFd<'_>) -> Option<OwnedFd> {
    if !cfg!(target_os = "linux") {
        return None;
    }
    let path = format!("/proc/self/fd/{}", shared.as_raw_fd());
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty()).ok()
}
