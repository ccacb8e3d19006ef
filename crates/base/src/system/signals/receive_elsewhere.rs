//! Receiving signals by handlers, where the system has no descriptor for them.

use super::mask::Mask;
use super::table::{LAST, Meaning, meaning};
use super::{Altered, Disposition, Sender, Sent};
use rustix::fd::{AsFd, BorrowedFd};
use rustix::process::{Pid, getpid};
use signal_hook::consts::SIGPIPE;
use signal_hook::iterator::backend::SignalDelivery;
use signal_hook::iterator::exfiltrator::origin::WithOrigin;
use signal_hook::low_level::siginfo::{Cause, Origin};
use smallvec::SmallVec;
use std::io;
use std::os::unix::net::UnixStream;
use std::sync::{Mutex, PoisonError};

/// The handlers of signals that are no longer caught. The crate that installed them assumes that
/// they stay, and would not install them again.
static HANDLERS: Mutex<Vec<Disposition>> = Mutex::new(Vec::new());

/// Receives signals until it is dropped.
pub struct Receiver {
    delivery: SignalDelivery<UnixStream, WithOrigin>,
    /// The previous dispositions of the signals that are caught.
    before: Vec<Disposition>,
    held_back: Mask,
    _ignored_pipe: Altered,
}

impl Receiver {
    /// Starts receiving all signals sent to this process, except these and those that it was
    /// started to ignore.
    pub fn begin(left_out: &[i32]) -> io::Result<Receiver> {
        let is_wanted = |signal: i32| {
            let meaning = meaning(signal);
            !left_out.contains(&signal)
                && signal != SIGPIPE
                && !matches!(meaning, None | Some(Meaning::Default | Meaning::Fault))
        };
        let before: Vec<_> = (1..=LAST)
            .filter(|&signal| is_wanted(signal))
            .map(Disposition::of)
            .filter(|present| present.signal == libc::SIGCHLD || !present.is_ignored())
            .collect();
        let caught = before.iter().map(|present| present.signal);
        let (read, write) = UnixStream::pair()?;
        let delivery = SignalDelivery::with_pipe(read, write, WithOrigin::default(), caught)?;
        for handler in HANDLERS.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            handler.restore();
        }
        let held_back = Mask::all_but(&(1..=LAST).collect::<Vec<_>>()).set()?;
        Ok(Receiver { delivery, before, held_back, _ignored_pipe: Altered::ignored(SIGPIPE) })
    }

    /// Returns the signals that were blocked before, as the command must find them.
    pub fn before(&self) -> Mask {
        self.held_back
    }

    /// Returns a descriptor that becomes readable when a signal has come.
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.delivery.get_read().as_fd()
    }

    /// Returns the signals that have come since the last call.
    pub fn take(&mut self) -> SmallVec<[Sent; 2]> {
        self.delivery.pending().map(|origin| sent(&origin)).collect()
    }
}

fn sent(origin: &Origin) -> Sent {
    let pid = origin.process.as_ref().and_then(|process| Pid::from_raw(process.pid));
    let sender = match origin.cause {
        Cause::Sent(_) if pid == Some(getpid()) => Sender::Own,
        Cause::Sent(_) => Sender::Process { pid, value: None },
        _ => Sender::Kernel,
    };
    Sent { signal: origin.signal, sender }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let handlers = self.before.drain(..).map(Disposition::restore).collect();
        *HANDLERS.lock().unwrap_or_else(PoisonError::into_inner) = handlers;
        let _ = self.held_back.set();
    }
}
