//! Receiving signals on Linux: all are blocked, and read from a descriptor.
//!
//! So no handler is ever installed, previously ignored or blocked signals make no difference, no
//! system call is interrupted, and the sender of each signal is known.

use super::mask::Mask;
use super::table::{Meaning, meaning};
use super::{Sender, Sent, late, send};
use rustix::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};
use rustix::process::{Pid, getpid};
use smallvec::SmallVec;
use std::io;

/// The size of the kernel's record of a signal.
const RECORD: usize = 128;
/// The number of records that are read at once.
const AT_ONCE: usize = 8;
/// `si_code` of a signal with a value (`sigqueue`).
const WITH_A_VALUE: i32 = -1;

/// Receives signals until it is dropped.
pub struct Receiver {
    signals: OwnedFd,
    /// The signals that were blocked before.
    before: Mask,
}

impl Receiver {
    /// Starts receiving all signals sent to this process, except these.
    pub fn begin(left_out: &[i32]) -> io::Result<Receiver> {
        let mask = Mask::all_but(left_out);
        let (none, flags) = (-1, libc::SFD_NONBLOCK | libc::SFD_CLOEXEC);
        let bits = mask.bits();
        // SAFETY: the kernel reads as many bytes as the size says, and returns a new descriptor
        // that nobody else owns.
        let signals = unsafe {
            let size = size_of::<u64>();
            match libc::syscall(libc::SYS_signalfd4, none, &raw const bits, size, flags) {
                fd @ 0.. => OwnedFd::from_raw_fd(fd as i32),
                _ => return Err(io::Error::last_os_error()),
            }
        };
        Ok(Receiver { signals, before: mask.set()? })
    }

    /// Returns the signals that were blocked before, as the command must find them.
    pub fn before(&self) -> Mask {
        self.before
    }

    /// Returns a descriptor that becomes readable when a signal has come.
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.signals.as_fd()
    }

    /// Returns the signals that have come since the last call.
    pub fn take(&mut self) -> SmallVec<[Sent; 2]> {
        let mut came = SmallVec::new();
        let mut buffer = [0; RECORD * AT_ONCE];
        while let Ok(read) = rustix::io::read(&self.signals, &mut buffer) {
            came.extend(buffer[..read].as_chunks().0.iter().map(decode));
            if read < buffer.len() {
                break;
            }
        }
        came
    }
}

/// Decodes a `signalfd_siginfo`.
fn decode(record: &[u8; RECORD]) -> Sent {
    let word = |at: usize| i32::from_ne_bytes([0, 1, 2, 3].map(|byte| record[at + byte]));
    let [signal, code, process] = [0, 8, 12].map(word);
    let value = u64::from_ne_bytes([0, 1, 2, 3, 4, 5, 6, 7].map(|byte| record[48 + byte]));
    let sender = match code {
        // A signal sent by a process has a code of 0 or less. So has one from a device or a timer
        // of the C library, but without a process.
        1.. => Sender::Kernel,
        _ if process == getpid().as_raw_nonzero().get() => Sender::Own,
        _ => Sender::Process {
            pid: Pid::from_raw(process),
            value: (code == WITH_A_VALUE).then_some(value as usize),
        },
    };
    Sent { signal, sender }
}

impl Drop for Receiver {
    /// Lets signals that came too late for the command have the effect on this process that they
    /// would have had without a command.
    fn drop(&mut self) {
        let came = self.take();
        let _ = self.before.set();
        for sent in came {
            let meaning = meaning(sent.signal);
            let has_an_effect =
                matches!(meaning, Some(Meaning::Ends | Meaning::Fault | Meaning::Stops));
            if has_an_effect && sent.sender != Sender::Own && !late::is_for_nobody(&sent) {
                let _ = send(getpid(), sent.signal);
            }
        }
    }
}
