//! Puts input back into a pipe that was taken out for the key and that the command left unread.
//!
//! On Linux, a reader of a pipe may open it for writing as well. Once all writers are gone and it
//! is empty, whatever is written comes out next for the next reader: a shell that reads its script
//! from it, say. Input that does not fit is written by a background process, until nobody reads any
//! more.

use cachex_base::process::detached;
use cachex_base::streams::spool::Spool;
use cachex_base::system::fsutil;
use rustix::event::{PollFd, PollFlags};
use rustix::fd::{AsRawFd, OwnedFd};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

const CHUNK: usize = 64 * 1024;

/// Writes the spool back into standard input, from this byte on. Returns how many bytes are lost.
pub fn put_back(spool: &Spool, from: u64) -> u64 {
    let Some(pipe) = emptied() else { return spool.len() - from };
    let mut rest = Rest { spool, at: from };
    if rest.write(&pipe) == Err(Errno::AGAIN) {
        let file = spool.file.as_ref().map(AsRawFd::as_raw_fd);
        let keep = [Some(pipe.as_raw_fd()), file].into_iter().flatten().collect();
        if detached::branch_off(keep, || rest.carry(&pipe)).is_some() {
            return 0;
        }
    }
    spool.len() - rest.at
}

/// Opens standard input for writing, if it is an empty pipe without other writers.
fn emptied() -> Option<OwnedFd> {
    let stdin = rustix::stdio::stdin();
    let mut pipe = [PollFd::new(&stdin, PollFlags::IN)];
    fsutil::poll(&mut pipe, Some(std::time::Duration::ZERO)).ok()?;
    let is_over = pipe[0].revents() & (PollFlags::IN | PollFlags::HUP) == PollFlags::HUP;
    is_over.then(opened).flatten()
}

/// Returns whether anything can be put back into standard input once it has ended.
#[cfg(target_os = "linux")]
pub fn is_possible() -> bool {
    opened().is_some()
}

/// Opens standard input for writing, if it is a pipe and permissions allow that.
fn opened() -> Option<OwnedFd> {
    if !cfg!(target_os = "linux") {
        return None;
    }
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    rustix::fs::open("/proc/self/fd/0", flags, Mode::empty()).ok()
}

/// The input that remains to be put back.
struct Rest<'s> {
    spool: &'s Spool,
    at: u64,
}

impl Rest<'_> {
    /// Writes as much as there is room for.
    fn write(&mut self, pipe: &OwnedFd) -> rustix::io::Result<()> {
        let mut chunk = vec![0; CHUNK];
        while self.at < self.spool.len() {
            let errno = |error| Errno::from_io_error(&error).unwrap_or(Errno::IO);
            let read = || self.spool.read_at(self.at, &mut chunk).map_err(errno);
            let read = fsutil::persistently(read)?;
            self.at += fsutil::retry(|| rustix::io::write(pipe, &chunk[..read]))? as u64;
        }
        Ok(())
    }

    /// Writes everything, waiting for room.
    fn carry(&mut self, pipe: &OwnedFd) {
        while self.write(pipe) == Err(Errno::AGAIN) {
            let _ = fsutil::poll(&mut [PollFd::new(pipe, PollFlags::OUT)], None);
        }
    }
}
