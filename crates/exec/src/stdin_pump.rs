//! Feeds the command the standard input that was read to compute its key.

use crate::stdin::Source;
use cachex_base::streams::spool::{Rest, Spool};
use cachex_base::system::fsutil;
use rustix::event::{PollFd, PollFlags};
use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use std::io;
use std::os::unix::net::UnixStream;

const CHUNK: usize = 64 * 1024;

/// The channel through which standard input is fed: a pipe for a pipe, a socket for a socket.
#[derive(Debug)]
pub struct Channel {
    ours: OwnedFd,
    theirs: OwnedFd,
}

impl Channel {
    /// Creates the channel that a source needs, if it needs one.
    pub fn of(source: &Source) -> io::Result<Option<Channel>> {
        let Source::Feed(spool) = source else { return Ok(None) };
        if spool.is_socket {
            let (ours, theirs) = UnixStream::pair()?;
            return Ok(Some(Channel { ours: ours.into(), theirs: theirs.into() }));
        }
        let (theirs, ours) = io::pipe()?;
        Ok(Some(Channel { ours: ours.into(), theirs: theirs.into() }))
    }

    /// Returns a duplicate of the command's end.
    pub fn theirs(&self) -> io::Result<OwnedFd> {
        self.theirs.try_clone()
    }
}

/// Writes the command's standard input as the command reads it.
pub struct StdinPump {
    ours: Option<OwnedFd>,
    /// The command's end. Kept only where all input was read in advance, and nobody has to learn
    /// that the command has stopped reading.
    theirs: Option<OwnedFd>,
    now: Vec<u8>,
    sent: usize,
    spool: Spool,
    /// The number of its bytes that were taken.
    taken: u64,
    /// The continuation after the spool.
    rest: Rest,
    /// Set when there is more to come, but none of it is available yet.
    is_dry: bool,
    /// True if writes never block.
    is_unblocked: bool,
    /// The number of bytes written to the channel.
    written: u64,
    /// The number of those bytes that the command did not read, once it has stopped reading.
    left: Option<u64>,
    /// The reason why the command got less than there was.
    failed: Option<Errno>,
}

impl StdinPump {
    /// Creates a pump from `source` to `channel`.
    pub fn new(channel: Option<Channel>, source: Source) -> StdinPump {
        let spool = match source {
            Source::Feed(spool) => spool,
            Source::Inherit | Source::Null | Source::Own(_) => Spool::default(),
        };
        let (ours, theirs) = channel.map(|it| (it.ours, it.theirs)).unzip();
        let is_unblocked = ours.as_ref().is_none_or(fsutil::unblock);
        StdinPump {
            ours,
            theirs: theirs.filter(|_| spool.rest == Rest::End),
            now: Vec::new(),
            sent: 0,
            rest: spool.rest,
            spool,
            taken: 0,
            is_dry: false,
            is_unblocked,
            written: 0,
            left: None,
            failed: None,
        }
    }

    /// Adds the descriptors to poll before [`StdinPump::feed`] can make progress.
    pub fn watch<'s>(&'s self, watched: &mut impl Extend<PollFd<'s>>) {
        let Some(ours) = &self.ours else { return };
        if self.is_dry {
            // The loss of the reader is reported without being requested.
            let more = PollFd::from_borrowed_fd(rustix::stdio::stdin(), PollFlags::IN);
            watched.extend([more, PollFd::new(ours, PollFlags::empty())]);
        } else {
            watched.extend([PollFd::new(ours, PollFlags::OUT)]);
        }
    }

    /// Notes that the command will not read any more.
    pub fn close(&mut self) {
        let ours = self.ours.take();
        // Either end of a pipe tells how much it holds; for a socket, only the reading end does.
        let ours = ours.as_ref().filter(|_| !self.spool.is_socket);
        if let Some(end) = self.theirs.as_ref().or(ours) {
            self.left = self.left.or(rustix::io::ioctl_fionread(end).ok());
        }
    }

    /// Writes as much as can be written now.
    pub fn feed(&mut self) {
        while let Some(ours) = &self.ours {
            if self.is_dry && fsutil::is_ready(ours, PollFlags::empty()) != Ok(false) {
                return self.leave();
            }
            if self.sent == self.now.len() && !self.refill() {
                if !self.is_dry {
                    self.ours = None;
                }
                return;
            }
            let Some(ours) = &self.ours else { return };
            let mut next = &self.now[self.sent..];
            if !self.is_unblocked {
                if fsutil::is_ready(ours, PollFlags::OUT) == Ok(false) {
                    return;
                }
                // The amount that a pipe accepts without blocking when it polls writable.
                next = &next[..next.len().min(rustix::pipe::PIPE_BUF)];
            }
            match fsutil::persistently(|| rustix::io::write(ours, next)) {
                Ok(n) => {
                    self.sent += n;
                    self.written += n as u64;
                }
                Err(Errno::AGAIN) => return,
                // A command need not read its standard input.
                Err(Errno::PIPE | Errno::CONNRESET) => return self.leave(),
                Err(errno) => {
                    self.fail(errno);
                    return self.leave();
                }
            }
        }
    }

    /// Stops because nobody reads any more, and lets the writer to cachex's own standard input find
    /// that out as well.
    fn leave(&mut self) {
        self.close();
        if self.rest == Rest::Live {
            let flags = OFlags::RDONLY | OFlags::CLOEXEC;
            if let Ok(null) = rustix::fs::open("/dev/null", flags, Mode::empty()) {
                let _ = rustix::stdio::dup2_stdin(null);
            }
        }
    }

    /// Fetches the next bytes. Returns whether any are available now.
    fn refill(&mut self) -> bool {
        self.sent = 0;
        self.now.clear();
        self.is_dry = false;
        if self.taken < self.spool.len() {
            self.now.resize(CHUNK, 0);
            let (spool, now, at) = (&self.spool, &mut self.now, self.taken);
            let errno = |error| Errno::from_io_error(&error).unwrap_or(Errno::IO);
            let read = fsutil::persistently(|| spool.read_at(at, now).map_err(errno));
            self.now.truncate(*read.as_ref().unwrap_or(&0));
            match read {
                Ok(n) => {
                    self.taken += n as u64;
                    return true;
                }
                Err(errno) => {
                    self.fail(errno);
                    return false;
                }
            }
        }
        match self.rest {
            Rest::End => {}
            Rest::Live => self.refill_live(),
            Rest::Failed(errno) => self.fail(errno),
        }
        !self.now.is_empty()
    }

    fn refill_live(&mut self) {
        let stdin = rustix::stdio::stdin();
        if fsutil::is_ready(stdin, PollFlags::IN) == Ok(false) {
            self.is_dry = true;
            return;
        }
        self.now.resize(CHUNK, 0);
        let now = &mut self.now;
        let read = fsutil::persistently(|| rustix::io::read(stdin, &mut now[..]));
        self.now.truncate(*read.as_ref().unwrap_or(&0));
        match read {
            Ok(0) => self.rest = Rest::End,
            Ok(_) => {}
            Err(Errno::AGAIN) => self.is_dry = true,
            Err(errno) => self.fail(errno),
        }
    }

    /// Ends the input with an error, although there is more.
    fn fail(&mut self, errno: Errno) {
        self.failed = Some(errno);
        self.rest = Rest::End;
        self.taken = self.spool.len();
        self.now.clear();
    }

    /// Returns the reason why the command got less than there was, if it did.
    pub fn failed(&self) -> Option<Errno> {
        self.failed
    }

    /// Returns how many of the bytes that were read the command did not read, if known.
    pub fn unread(&self) -> Option<u64> {
        let unsent = (self.now.len() - self.sent) as u64;
        Some(self.left? + (self.spool.len() - self.taken) + unsent)
    }

    /// Returns the input that was read before the command began.
    pub fn into_spool(self) -> Spool {
        self.spool
    }
}
