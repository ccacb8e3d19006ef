//! A stream's way to cachex's own descriptor.

use cachex_base::streams::printed::{Again, Differs};
use cachex_base::streams::sink::Sink;
use rustix::fd::{AsFd, BorrowedFd};

/// Where a stream goes besides the recording.
pub enum Outlet {
    /// To cachex's own, as it comes.
    Live(Sink<'static>),
    /// The same, silently through what has been shown there before.
    After(Sink<'static>, Again),
    /// To nobody any more: it is something else than what has been shown.
    Differing,
    /// Nowhere yet, or nowhere at all.
    Nowhere,
}

impl Outlet {
    /// Takes some of `bytes`; `AGAIN` if none can be taken now.
    pub fn write(&mut self, bytes: &[u8]) -> rustix::io::Result<usize> {
        match self {
            Outlet::Live(sink) => sink.write(bytes),
            Outlet::After(sink, again) => match again.pass(bytes) {
                Ok(0) => sink.write(bytes),
                Ok(passed) => Ok(passed),
                Err(Differs) => {
                    *self = Outlet::Differing;
                    Ok(bytes.len())
                }
            },
            Outlet::Differing | Outlet::Nowhere => Ok(bytes.len()),
        }
    }

    /// What polls writable when it takes bytes again, if that is not at once.
    pub fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        match self {
            Outlet::Live(sink) | Outlet::After(sink, _) => Some(sink.as_fd()),
            Outlet::Differing | Outlet::Nowhere => None,
        }
    }

    /// Whether the stream may end here: it is past what has been shown.
    pub fn may_end(&self) -> bool {
        match self {
            Outlet::Live(_) | Outlet::Nowhere => true,
            Outlet::After(_, again) => again.end().is_ok(),
            Outlet::Differing => false,
        }
    }
}
