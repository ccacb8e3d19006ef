//! Receiving signals on Linux: all are held back, and read from a descriptor.
//!
//! So no handler is ever installed, whatever was ignored or blocked before changes
//! nothing, no system call is interrupted, and of each signal it is known who sent it.

use super::mask::Mask;
use super::table::{Meaning, meaning};
use super::{Sender, Sent, send};
use rustix::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};
use rustix::process::{Pid, getpid};
use smallvec::SmallVec;
use std::io;

/// The size of what the kernel tells of one signal.
const RECORD: usize = 128;
/// How many are read at once.
const AT_ONCE: usize = 8;
/// `si_code` of a signal with a value (`sigqueue`).
const WITH_A_VALUE: i32 = -1;

/// Receives signals until it is dropped.
pub struct Receiver {
    signals: OwnedFd,
    /// What was held back before.
    before: Mask,
}

impl Receiver {
    /// Receives from now on whatever is sent to this process, but for these.
    pub fn begin(left_out: &[i32]) -> io::Result<Receiver> {
        let mask = Mask::all_but(left_out);
        let (none, flags) = (-1, libc::SFD_NONBLOCK | libc::SFD_CLOEXEC);
        let bits = mask.bits();
        // SAFETY: the kernel reads as many bytes as it is told, and what it returns is a
        // new descriptor that nobody else knows of.
        let signals = unsafe {
            let size = size_of::<u64>();
            match libc::syscall(libc::SYS_signalfd4, none, &raw const bits, size, flags) {
                fd @ 0.. => OwnedFd::from_raw_fd(fd as i32),
                _ => return Err(io::Error::last_os_error()),
            }
        };
        Ok(Receiver { signals, before: mask.set()? })
    }

    /// What was held back before, as it is to be in the command.
    pub fn before(&self) -> Mask {
        self.before
    }

    /// What becomes readable when a signal has come.
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.signals.as_fd()
    }

    /// What has come since this was last asked.
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

/// Reads a `signalfd_siginfo`.
fn decode(record: &[u8; RECORD]) -> Sent {
    let word = |at: usize| i32::from_ne_bytes([0, 1, 2, 3].map(|byte| record[at + byte]));
    let [signal, code, process] = [0, 8, 12].map(word);
    let value = u64::from_ne_bytes([0, 1, 2, 3, 4, 5, 6, 7].map(|byte| record[48 + byte]));
    let sender = match code {
        // What a process sends has a code of 0 or less, what a device or a timer of
        // the C library does has one, too, and no process.
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
    /// What came too late for the command has the effect on this process that it would
    /// have had without a command.
    fn drop(&mut self) {
        let came = self.take();
        let _ = self.before.set();
        for Sent { signal, sender } in came {
            let has_an_effect =
                matches!(meaning(signal), Some(Meaning::Ends | Meaning::Fault | Meaning::Stops));
            if has_an_effect && sender != Sender::Own {
                let _ = send(getpid(), signal);
            }
        }
    }
}
