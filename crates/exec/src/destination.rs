//! The destination of an output stream: one of cachex's own descriptors.

use cachex_base::streams::nonblocking_writer::{self, NonblockingWriter};
use cachex_base::streams::output_prefix::{Diverged, PrefixCheck};
use rustix::fd::{AsFd, BorrowedFd};
use rustix::termios::{LocalModes, tcgetattr, tcgetpgrp};

/// The destination of a stream, in addition to the recording.
pub enum Destination {
    /// cachex's own stream, as the output arrives.
    Live(NonblockingWriter<'static>),
    /// cachex's own stream, skipping the output that was shown there before.
    After(NonblockingWriter<'static>, PrefixCheck),
    /// Discarded: the output differs from what was shown before.
    Differing,
    /// Not shown, at least not yet.
    Nowhere,
}

impl Destination {
    /// Accepts some of `bytes`. Returns `AGAIN` if none can be accepted now.
    pub fn write(&mut self, bytes: &[u8]) -> rustix::io::Result<usize> {
        match self {
            Destination::Live(sink) => sink.write(bytes),
            Destination::After(sink, again) => match again.pass(bytes) {
                Ok(0) => sink.write(bytes),
                Ok(passed) => Ok(passed),
                Err(Diverged) => {
                    *self = Destination::Differing;
                    Ok(bytes.len())
                }
            },
            Destination::Differing | Destination::Nowhere => Ok(bytes.len()),
        }
    }

    /// Returns the descriptor to poll for writability when writes may block.
    pub fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        match self {
            Destination::Live(sink) | Destination::After(sink, _) => Some(sink.as_fd()),
            Destination::Differing | Destination::Nowhere => None,
        }
    }

    /// Returns whether it is a terminal whose keys discard what it has not shown yet.
    pub fn is_flushed(&self) -> bool {
        self.descriptor().is_some_and(|outlet| {
            let modes = tcgetattr(outlet);
            // No other terminal than the controlling one tells this.
            tcgetpgrp(outlet).is_ok()
                && modes.is_ok_and(|modes| !modes.local_modes.contains(LocalModes::NOFLSH))
        })
    }

    /// Returns whether it is a terminal that is gone.
    pub fn has_hung_up(&self) -> bool {
        self.descriptor().is_some_and(nonblocking_writer::has_hung_up)
    }

    /// Returns whether the stream may end here: it has produced everything that was shown before.
    pub fn may_end(&self) -> bool {
        match self {
            Destination::Live(_) | Destination::Nowhere => true,
            Destination::After(_, again) => again.end().is_ok(),
            Destination::Differing => false,
        }
    }
}
