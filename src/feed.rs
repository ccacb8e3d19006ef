//! Giving the command the standard input that was read to find its key.

use crate::fsutil;
use crate::spool::Spool;
use crate::stdin::Source;
use rustix::event::{PollFd, PollFlags};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use std::io::Read;
use std::time::Duration;

const CHUNK: usize = 64 * 1024;
/// How long one waits for more of it before the command is looked after again.
const BRIEFLY: Duration = Duration::from_millis(10);

/// Writes to the command's standard input as it is read.
pub struct Feeder {
    pipe: Option<OwnedFd>,
    now: Vec<u8>,
    sent: usize,
    spooled: Option<Box<dyn Read>>,
    /// More comes from cachex's own standard input.
    live: bool,
    /// That has nothing at the moment.
    dry: bool,
}

impl Feeder {
    /// Feeds `source` into `pipe`, the write end of a pipe of cachex's own.
    pub fn new(pipe: Option<OwnedFd>, source: Source) -> Feeder {
        let spool = match source {
            Source::Feed(spool) => spool,
            Source::Inherit | Source::Null => Spool::default(),
        };
        if let Some(pipe) = &pipe {
            let _ = rustix::io::ioctl_fionbio(pipe, true);
        }
        Feeder {
            pipe,
            now: Vec::new(),
            sent: 0,
            live: spool.unfinished,
            spooled: Some(Box::new(spool.into_reader())),
            dry: false,
        }
    }

    /// What must be writable for [`Feeder::feed`] to do anything.
    pub fn waits_for(&self) -> Option<BorrowedFd<'_>> {
        // A dry source is looked at again whenever anything else happens.
        self.pipe.as_ref().map(AsFd::as_fd)
    }

    /// The command will not read any more.
    pub fn close(&mut self) {
        self.pipe = None;
    }

    /// Writes what the pipe takes now.
    pub fn feed(&mut self) {
        while self.pipe.is_some() {
            if self.sent == self.now.len() && !self.refill() {
                if !self.dry {
                    self.pipe = None;
                }
                return;
            }
            let Some(pipe) = &self.pipe else { return };
            match rustix::io::write(pipe, &self.now[self.sent..]) {
                Ok(n) => self.sent += n,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return,
                // A command need not read its standard input.
                Err(_) => self.pipe = None,
            }
        }
    }

    /// Fetches the next bytes; whether there are any now.
    fn refill(&mut self) -> bool {
        self.sent = 0;
        self.now.clear();
        self.dry = false;
        if let Some(spooled) = &mut self.spooled {
            self.now.resize(CHUNK, 0);
            let n = spooled.read(&mut self.now).unwrap_or(0);
            self.now.truncate(n);
            if n > 0 {
                return true;
            }
            self.spooled = None;
        }
        if self.live {
            self.refill_live();
        }
        !self.now.is_empty()
    }

    fn refill_live(&mut self) {
        let stdin = rustix::stdio::stdin();
        match fsutil::poll(&mut [PollFd::new(&stdin, PollFlags::IN)], Some(BRIEFLY)) {
            Ok(0) | Err(Errno::INTR) => self.dry = true,
            _ => {
                self.now.resize(CHUNK, 0);
                let n = rustix::io::read(stdin, &mut self.now[..]).unwrap_or(0);
                self.now.truncate(n);
                self.live = n > 0;
            }
        }
    }
}
