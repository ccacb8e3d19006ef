//! Writing to a descriptor that others share, without blocking on it.
//!
//! While one stream's reader is slow, the other stream and signals must go on. Making a shared
//! descriptor non-blocking would change it for everyone who holds it. A pipe or a terminal can be
//! opened a second time instead. Where that is refused, each write is limited to the amount that a
//! ready reader must take.

use crate::record::frames::Stream;
use crate::streams::plain::{self, Plain};
use crate::system::fsutil;
use crate::system::null;
use crate::system::signals::background;
use rustix::event::PollFlags;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;
use rustix::net::SendFlags;
use std::os::fd::AsRawFd;

/// POSIX guarantees that a pipe which polls writable takes this many bytes without blocking.
const CAREFUL: usize = rustix::pipe::PIPE_BUF;

/// A file system with fewer free bytes than this is considered full.
const LITTLE: u64 = 1 << 20;

/// The relation of cachex's two outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outputs {
    /// They are independent.
    Apart,
    /// They are the same pipe, socket or file (`2>&1`), where the order of everything written is
    /// visible. The command gets one pipe for both.
    One,
    /// They are the same terminal or other device. The command gets two pipes, so that a run
    /// recorded at a terminal also serves scripts.
    OneDevice,
}

/// Returns whether a stream of this process was opened for writing.
pub fn may_be_written(stream: Stream) -> bool {
    let flags = rustix::fs::fcntl_getfl(own(stream));
    flags.is_ok_and(|flags| flags & OFlags::RWMODE != OFlags::RDONLY)
}

impl Outputs {
    /// Returns the relation of this process's outputs.
    pub fn of_this_process() -> Outputs {
        let (stdout, stderr) = (rustix::stdio::stdout(), rustix::stdio::stderr());
        let (Ok(out), Ok(err)) = (rustix::fs::fstat(stdout), rustix::fs::fstat(stderr)) else {
            return Outputs::Apart;
        };
        if (out.st_dev, out.st_ino) != (err.st_dev, err.st_ino) {
            return Outputs::Apart;
        }
        match FileType::from_raw_mode(out.st_mode) {
            // Opened twice, they overwrite each other unless both append.
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

/// Returns whether one of this process's outputs is likely to refuse writes: it is a device, or its
/// file system is full. The command itself must then get the error.
pub fn may_refuse(stream: Stream) -> bool {
    let output = own(stream);
    // Who closed it is answered elsewhere.
    let Ok(stat) = rustix::fs::fstat(output) else { return stream == Stream::Stdout };
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::CharacterDevice => {
            !null::is_device(stat.st_rdev) && !rustix::termios::isatty(output)
        }
        FileType::BlockDevice => true,
        FileType::RegularFile => rustix::fs::fstatvfs(output).is_ok_and(|room| {
            // Some file systems do not count blocks.
            room.f_blocks > 0 && room.f_bavail.saturating_mul(room.f_frsize) < LITTLE
        }),
        _ => false,
    }
}

/// Returns whether writes to either go to the end of its file.
fn append(one: BorrowedFd<'_>, other: BorrowedFd<'_>) -> bool {
    let appends =
        |fd| rustix::fs::fcntl_getfl(fd).is_ok_and(|flags| flags.contains(OFlags::APPEND));
    appends(one) && appends(other)
}

/// Returns whether two descriptors of one file share their offset.
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
            // The call may be missing from the kernel, or forbidden.
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
    /// Removes escape sequences, if set.
    plain: Option<Plain>,
}

enum Way {
    /// A file, or a device that never blocks.
    Direct,
    /// A second, non-blocking descriptor of the same pipe or terminal.
    Private(OwnedFd),
    /// Only as much as cannot block, and only when it is ready.
    Careful,
    /// A socket, where each call can request not to block.
    Socket,
}

impl<'a> NonblockingWriter<'a> {
    /// Chooses the best way to write to `shared`.
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

    /// Returns a writer to this process's own stream for output of a command.
    pub fn of(stream: Stream) -> NonblockingWriter<'static> {
        NonblockingWriter { plain: Plain::of(stream), ..NonblockingWriter::new(own(stream)) }
    }

    /// Writes some of `bytes`, or fails with `AGAIN` if the stream would block.
    pub fn write(&mut self, bytes: &[u8]) -> rustix::io::Result<usize> {
        let mut plain = self.plain.take();
        let written = plain::write(&mut plain, bytes, |bytes| self.write_as_it_is(bytes));
        self.plain = plain;
        written
    }

    fn write_as_it_is(&mut self, bytes: &[u8]) -> rustix::io::Result<usize> {
        let written = fsutil::retry(|| match &self.way {
            Way::Direct => rustix::io::write(self.shared, bytes),
            Way::Private(own) => background::attempt(|| rustix::io::write(own, bytes)),
            // If readiness is unknown, write and perhaps block, as without cachex.
            Way::Careful if fsutil::is_ready(self.shared, PollFlags::OUT).unwrap_or(true) => {
                let bytes = &bytes[..bytes.len().min(CAREFUL)];
                background::attempt(|| rustix::io::write(self.shared, bytes))
            }
            Way::Careful => Err(Errno::AGAIN),
            Way::Socket => rustix::net::send(self.shared, bytes, SendFlags::DONTWAIT),
        });
        match written {
            Ok(_) | Err(Errno::AGAIN | Errno::PIPE) => written,
            // This way may be forbidden while the other is not.
            Err(_) if !matches!(self.way, Way::Careful) => {
                self.way = Way::Careful;
                self.write_as_it_is(bytes)
            }
            Err(errno) => Err(errno),
        }
    }
}

/// Returns whether this is a terminal that is gone: it answers nothing any more.
pub fn has_hung_up(terminal: impl AsFd) -> bool {
    rustix::termios::tcgetattr(terminal).err() == Some(Errno::IO)
}

/// Returns this process's standard stream that corresponds to a command's.
pub fn own(stream: Stream) -> BorrowedFd<'static> {
    match stream {
        Stream::Stdout => rustix::stdio::stdout(),
        Stream::Stderr => rustix::stdio::stderr(),
    }
}

/// Closes a standard stream of this process whose reader may wait for its end. The descriptor
/// number stays taken, so that no other file gets it.
pub fn end(stream: Stream) {
    let (own, replace): (_, fn(&OwnedFd) -> rustix::io::Result<()>) = match stream {
        Stream::Stdout => (rustix::stdio::stdout(), |null| rustix::stdio::dup2_stdout(null)),
        Stream::Stderr => (rustix::stdio::stderr(), |null| rustix::stdio::dup2_stderr(null)),
    };
    let kind = rustix::fs::fstat(own).map(|stat| FileType::from_raw_mode(stat.st_mode));
    if let Ok(FileType::Fifo | FileType::Socket) = kind
        && let Ok(null) = null::output()
    {
        // If closing it fails now, it ends with the process.
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

/// Opens the file behind a descriptor anew. Only Linux does that: elsewhere this name is a
/// duplicate, which shares the flag that must not be shared.
fn reopen(shared: BorrowedFd<'_>) -> Option<OwnedFd> {
    if !cfg!(target_os = "linux") {
        return None;
    }
    let path = format!("/proc/self/fd/{}", shared.as_raw_fd());
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty()).ok()
}
