//! A stream's way to cachex's own descriptor.

use cachex_base::streams::nonblocking_writer::NonblockingWriter;
use cachex_base::streams::output_prefix::{Diverged, PrefixCheck};
use rustix::fd::{AsFd, BorrowedFd};

/// Where a stream goes besides the recording.
pub enum Destination {
    /// To cachex's own, as it comes.
    Live(NonblockingWriter<'static>),
    /// The same, silently through what has been shown there before.
    After(NonblockingWriter<'static>, PrefixCheck),
    /// To nobody any more: it is something else than what has been shown.
    Differing,
    /// Nowhere yet, or nowhere at all.
    Nowhere,
}

impl Destination {
    /// Takes some of `bytes`; `AGAIN` if none can be taken now.
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

    /// What polls writable when it takes bytes again, if that is not at once.
    pub fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        match self {
            Destination::Live(sink) | Destination::After(sink, _) => Some(sink.as_fd()),
            Destination::Differing | Destination::Nowhere => None,
        }
    }

    /// Whether the stream may end here: it is past what has been shown.
    pub fn may_end(&self) -> bool {
        match self {
            Destination::Live(_) | Destination::Nowhere => true,
            Destination::After(_, again) => again.end().is_ok(),
            Destination::Differing => false,
        }
    }
}
