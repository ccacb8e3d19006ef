//! Writing to a descriptor that others share, without being held up by it.
//!
//! While one stream's reader is slow, the other stream and signals must go on.
//! Making a shared descriptor non-blocking would change it for everyone who
//! holds it. A pipe or a terminal can be opened a second time instead; where
//! that is refused, so much is written as a reader that is ready must take.

use crate::record::frames::Stream;
use crate::streams::plain::{self, Plain};
use crate::system::fsutil;
use crate::system::null;
use rustix::event::PollFlags;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;
use rustix::net::SendFlags;
use std::os::fd::AsRawFd;

/// POSIX has a pipe that polls writable take this many bytes without blocking.
const CAREFUL: usize = rustix::pipe::PIPE_BUF;

/// A file system with less room than this is full.
const LITTLE: u64 = 1 << 20;

/// How cachex's two outputs lie to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outputs {
    /// They are two.
    Apart,
    /// They are one pipe, socket or file (`2>&1`), in which the order of everything that
    /// is written can be seen. The command gets one pipe for both.
    One,
    /// They are one terminal or other device. The command gets two pipes: what it prints
    /// at a terminal is to serve a script, too.
    OneDevice,
}

impl Outputs {
    /// Those of this process.
    pub fn of_this_process() -> Outputs {
        let (stdout, stderr) = (rustix::stdio::stdout(), rustix::stdio::stderr());
        let (Ok(out), Ok(err)) = (rustix::fs::fstat(stdout), rustix::fs::fstat(stderr)) else {
            return Outputs::Apart;
        };
        if (out.st_dev, out.st_ino) != (err.st_dev, err.st_ino) {
            return Outputs::Apart;
        }
        match FileType::from_raw_mode(out.st_mode) {
            // Opened twice, they write over each other unless each appends.
            FileType::RegularFile
                if !(append(stdout, stderr) || are_one_opening(stdout, stderr)) =>
            {
                Outputs::Apart
            }
            FileType::RegularFile | FileType::Fifo | FileType::Socket => Outputs::One,
            _ => Outputs::OneDevice,
        }
    }
}

/// Whether standard output may well refuse what is written there: it is a device, or its file
/// system has no room. The command itself is to meet that.
pub fn may_refuse() -> bool {
    let stdout = rustix::stdio::stdout();
    let Ok(stat) = rustix::fs::fstat(stdout) else { return true };
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::CharacterDevice => {
            !null::is_device(stat.st_rdev) && !rustix::termios::isatty(stdout)
        }
        FileType::BlockDevice => true,
        FileType::RegularFile => rustix::fs::fstatvfs(stdout).is_ok_and(|room| {
            // Some file systems have no blocks to count.
            room.f_blocks > 0 && room.f_bavail.saturating_mul(room.f_frsize) < LITTLE
        }),
        _ => false,
    }
}

/// Whether what is written to either goes to the end of its file.
fn append(one: BorrowedFd<'_>, other: BorrowedFd<'_>) -> bool {
    let appends =
        |fd| rustix::fs::fcntl_getfl(fd).is_ok_and(|flags| flags.contains(OFlags::APPEND));
    appends(one) && appends(other)
}

/// Whether two descriptors of one file share their offset.
fn are_one_opening(one: BorrowedFd<'_>, other: BorrowedFd<'_>) -> bool {
    #[cfg(target_os = "linux")]
    {
        const KCMP_FILE: i32 = 0;
        let this = rustix::process::getpid().as_raw_nonzero().get();
        let (one, other) = (one.as_raw_fd(), other.as_raw_fd());
        // SAFETY: the call takes numbers and touches no memory.
        match unsafe { libc::syscall(libc::SYS_kcmp, this, this, KCMP_FILE, one, other) } {
            0 => return true,
            1.. => return false,
            // It may be left out of a kernel, or refused.
            _ => {}
        }
    }
    let place = |fd| Some((rustix::fs::tell(fd).ok()?, rustix::fs::fcntl_getfl(fd).ok()?));
    place(one).is_some() && place(one) == place(other)
}

/// One of cachex's own output streams.
pub struct NonblockingWriter<'a> {
    shared: BorrowedFd<'a>,
    way: Way,
    /// Leaves escape sequences out.
    plain: Option<Plain>,
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

impl<'a> NonblockingWriter<'a> {
    /// The best way to write to `shared`.
    pub fn new(shared: BorrowedFd<'a>) -> NonblockingWriter<'a> {
        let kind = rustix::fs::fstat(shared).map(|stat| FileType::from_raw_mode(stat.st_mode));
        let way = match kind {
            Ok(FileType::Fifo) => reopen(shared).map_or(Way::Careful, Way::Private),
            Ok(FileType::CharacterDevice) if rustix::termios::isatty(shared) => {
                reopen(shared).map_or(Way::Careful, Way::Private)
            }
            Ok(FileType::Socket) => Way::Socket,
            _ => Way::Direct,
        };
        NonblockingWriter { shared, way, plain: None }
    }

    /// The way to this process's own stream for what a command prints.
    pub fn of(stream: Stream) -> NonblockingWriter<'static> {
        NonblockingWriter { plain: Plain::of(stream), ..NonblockingWriter::new(own(stream)) }
    }

    /// Writes some of `bytes`; `AGAIN` if none can be taken now.
    pub fn write(&mut self, bytes: &[u8]) -> rustix::io::Result<usize> {
        let mut plain = self.plain.take();
        let written = plain::write(&mut plain, bytes, |bytes| self.write_as_it_is(bytes));
        self.plain = plain;
        written
    }

    fn write_as_it_is(&mut self, bytes: &[u8]) -> rustix::io::Result<usize> {
        let written = fsutil::retry(|| match &self.way {
            Way::Direct => rustix::io::write(self.shared, bytes),
            Way::Private(own) => rustix::io::write(own, bytes),
            // Where it cannot be told, it is as it would be without cachex.
            Way::Careful if fsutil::is_ready(self.shared, PollFlags::OUT).unwrap_or(true) => {
                rustix::io::write(self.shared, &bytes[..bytes.len().min(CAREFUL)])
            }
            Way::Careful => Err(Errno::AGAIN),
            Way::Socket => rustix::net::send(self.shared, bytes, SendFlags::DONTWAIT),
        });
        match written {
            Ok(_) | Err(Errno::AGAIN | Errno::PIPE) => written,
            // One way may be forbidden that the other is not.
            Err(_) if !matches!(self.way, Way::Careful) => {
                self.way = Way::Careful;
                self.write_as_it_is(bytes)
            }
            Err(errno) => Err(errno),
        }
    }
}

/// The standard stream of this process that is the same as a command's.
pub fn own(stream: Stream) -> BorrowedFd<'static> {
    match stream {
        Stream::Stdout => rustix::stdio::stdout(),
        Stream::Stderr => rustix::stdio::stderr(),
    }
}

/// Ends a standard stream of this process whose reader may wait for that. Its number stays
/// taken, so that no other file gets it.
pub fn end(stream: Stream) {
    let (own, replace): (_, fn(&OwnedFd) -> rustix::io::Result<()>) = match stream {
        Stream::Stdout => (rustix::stdio::stdout(), |null| rustix::stdio::dup2_stdout(null)),
        Stream::Stderr => (rustix::stdio::stderr(), |null| rustix::stdio::dup2_stderr(null)),
    };
    let kind = rustix::fs::fstat(own).map(|stat| FileType::from_raw_mode(stat.st_mode));
    if let Ok(FileType::Fifo | FileType::Socket) = kind
        && let Ok(null) = null::output()
    {
        // If it cannot be ended now it will be with the process.
        let _ = replace(&null);
    }
}

impl AsFd for NonblockingWriter<'_> {
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
