//! One stream, chunk by chunk.

use super::outlet::Outlet;
use crate::frames::Stream;
use rustix::buffer::spare_capacity;
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use std::time::{Duration, Instant};

/// How long a command may go on after its reader went away,
const ABANDONED_TIME: Duration = Duration::from_secs(10);
/// and how many bytes more it may print.
const ABANDONED_BYTES: u64 = 64 << 20;

/// How much is read at once.
pub const CHUNK: usize = 64 * 1024;
/// What a stream's pipe is widened to once the command has filled it: fewer,
/// larger chunks for those who print a lot. The most Linux allows to everyone.
#[cfg(target_os = "linux")]
const WIDE: usize = 1 << 20;

/// One stream on its way from the command to cachex's own.
pub struct Leg {
    /// Which.
    pub stream: Stream,
    /// The read end of the command's pipe, or its terminal; none after its end.
    pub source: Option<OwnedFd>,
    /// Where it goes.
    pub outlet: Outlet,
    /// Why the outlet takes no more, unless its reader just left.
    pub lost: Option<Errno>,
    /// When it last moved on.
    pub moved: Instant,
    /// What was read last.
    buffer: Vec<u8>,
    /// How much of it has been passed on.
    sent: usize,
    /// Whether the pipe is as wide as it gets.
    is_wide: bool,
    /// Since when there is no reader, and what was read since then.
    abandoned: Option<(Instant, u64)>,
}

impl Leg {
    /// A leg that starts at `source`, which is cachex's alone.
    pub fn new(stream: Stream, source: Option<OwnedFd>, outlet: Outlet) -> Leg {
        if let Some(source) = &source {
            let _ = rustix::io::ioctl_fionbio(source, true);
        }
        Leg {
            stream,
            source,
            outlet,
            lost: None,
            moved: Instant::now(),
            buffer: Vec::with_capacity(CHUNK),
            sent: 0,
            is_wide: false,
            abandoned: None,
        }
    }

    /// Whether something was read that could not be passed on yet.
    pub fn is_pending(&self) -> bool {
        self.sent < self.buffer.len()
    }

    /// Whether the stream has ended and has been passed on.
    pub fn is_done(&self) -> bool {
        self.source.is_none() && !self.is_pending()
    }

    /// Whether nothing moves: it is done, or its reader takes nothing.
    pub fn is_idle(&self) -> bool {
        self.source.is_none() || self.is_pending()
    }

    /// Passes on what can be passed on now; whether anything came from the command.
    pub fn advance(&mut self, mut record: impl FnMut(Stream, &[u8])) -> bool {
        self.send();
        let mut any = false;
        // A few chunks at a time, so that the other stream has its turn.
        for _ in 0..4 {
            let pending = self.is_pending();
            let Some(source) = self.source.as_ref().filter(|_| !pending) else { break };
            self.buffer.clear();
            self.sent = 0;
            match rustix::io::read(source, spare_capacity(&mut self.buffer)) {
                Ok(0) => self.source = None,
                Ok(n) => {
                    any = true;
                    self.send();
                    record(self.stream, &self.buffer);
                    if n >= CHUNK && !self.is_wide {
                        self.widen();
                    }
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => break,
                // A terminal that nobody has open any more gives an error.
                Err(_) => self.source = None,
            }
        }
        any
    }

    /// Passes on what was not read from the command now: [`CHUNK`] bytes at the most.
    pub fn insert(&mut self, bytes: &[u8]) {
        self.buffer.clear();
        self.sent = 0;
        self.buffer.extend_from_slice(bytes);
        self.send();
    }

    /// Passes on what is pending.
    pub fn send(&mut self) {
        while self.is_pending() {
            let unsent = &self.buffer[self.sent..];
            if let Some((_, bytes)) = &mut self.abandoned {
                *bytes += unsent.len() as u64;
                self.sent = self.buffer.len();
                return;
            }
            match self.outlet.write(unsent) {
                Ok(n) => {
                    self.sent += n;
                    self.moved = Instant::now();
                }
                Err(Errno::AGAIN) => return,
                Err(errno) => {
                    if errno != Errno::PIPE {
                        self.lost = Some(errno);
                    }
                    self.abandoned = Some((Instant::now(), 0));
                }
            }
        }
    }

    /// When it is let go of because there is no reader.
    pub fn deadline(&self) -> Option<Instant> {
        self.source.as_ref()?;
        self.abandoned.map(|(since, _)| since + ABANDONED_TIME)
    }

    /// Lets go of a stream whose reader left long enough ago, so that the
    /// command finds out as it would have; whether it did.
    pub fn let_go(&mut self) -> bool {
        let over = |(since, bytes): (Instant, u64)| {
            since.elapsed() >= ABANDONED_TIME || bytes >= ABANDONED_BYTES
        };
        let over = self.source.is_some() && self.abandoned.is_some_and(over);
        if over {
            self.source = None;
        }
        over
    }

    /// Has the pipe and the buffer hold more; the latter keeps what is in it.
    fn widen(&mut self) {
        // Not to be tried twice.
        self.is_wide = true;
        #[cfg(target_os = "linux")]
        if let Some(source) = &self.source
            && rustix::pipe::fcntl_setpipe_size(source, WIDE).is_ok()
        {
            self.buffer.reserve_exact(4 * CHUNK - self.buffer.len());
        }
    }
}
