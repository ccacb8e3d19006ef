//! A process that keeps answering after this one has ended.
//!
//! When the last holder of a listener ends, every call that would be reported fails: the end of the
//! tracing process would harm the command's descendants. So a second process, the guardian, holds
//! the listener too. It does nothing until this process has ended, then continues every call, and
//! ends with the last traced process. It is in a session of its own, holds nothing else, and takes
//! no signals except those that nobody can refuse.
//!
//! The guardian is a child of this process, which thus can reap it: an orphan would stay a zombie
//! where the first process of a container reaps nobody, and a subreaper would be told of a process
//! that it never started. But it is a child without a signal for its end, so that nobody here meets
//! it who waits for any child: only a wait with `__WCLONE` or `__WALL` finds it. The kernel gives it
//! the usual signal when this process ends first, and somebody else adopts it.

use crate::linux::listen::{self, Slot, answer, take_over};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The first pause of whoever waits for an end that is near. Each is twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_micros(20);
/// The last pause. Only debuggers and frozen control groups let a process take as long to end.
const LAST_PAUSE: Duration = Duration::from_millis(50);

/// The guardians that were not reaped.
static ALL: Mutex<Vec<Pid>> = Mutex::new(Vec::new());

/// A guardian. It lives as long as this, or as the listener has traced processes if this process
/// ends before it drops this.
pub struct Guardian {
    process: Pid,
    /// The socket for sending it the listener. Its end tells that nobody else answers any more.
    socket: OwnedFd,
}

impl Guardian {
    /// Starts a guardian.
    pub fn start(slot: &Slot) -> Result<Guardian, Errno> {
        let (socket, theirs) = listen::sockets()?;
        let slot = slot.for_a_child();
        // It takes no signal from its first moment: the handlers are those of this process.
        let process = listen::without_signals(|| {
            // Processors differ in the order of the arguments. Without any, the child has copies of
            // all memory, this stack included, and no signal for its end.
            const NONE: libc::c_long = 0;
            // SAFETY: the child makes only async-signal-safe calls: no allocation, no lock.
            match unsafe { libc::syscall(libc::SYS_clone, NONE, NONE, NONE, NONE, NONE) } {
                0 => {
                    guard(&theirs, slot);
                    // SAFETY: this ends the process at once, and nothing has to be cleaned up.
                    unsafe { libc::_exit(0) }
                }
                child @ 1.. => Pid::from_raw(child as i32),
                _ => None,
            }
        });
        let process = process.ok_or(Errno::AGAIN)?;
        all().push(process);
        Ok(Guardian { process, socket })
    }

    /// Gives it the listener.
    pub fn holds(&self, listener: &OwnedFd) {
        listen::hand_on(&self.socket, listener);
    }
}

impl Drop for Guardian {
    fn drop(&mut self) {
        // A thread that failed has left its work to the guardian.
        if std::thread::panicking() {
            return;
        }
        // It may have been stopped, so it is not left to end by itself.
        if is_alive(self.process) && kill_process(self.process, Signal::KILL).is_err() {
            return;
        }
        if !lasts(|| is_alive(self.process)) {
            all().retain(|&it| it != self.process);
        }
    }
}

/// Returns whether a process is a guardian of this one.
pub fn is_guardian(process: u32) -> bool {
    all().iter().any(|it| it.as_raw_nonzero().get().cast_unsigned() == process)
}

fn all() -> MutexGuard<'static, Vec<Pid>> {
    ALL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns whether a guardian of this process is alive, and reaps it if it is not. Returns false in
/// a copy of this process, whose child it is not.
fn is_alive(process: Pid) -> bool {
    let of_this_kind = WaitOptions::from_bits_retain(libc::__WCLONE as u32);
    matches!(waitpid(Some(process), WaitOptions::NOHANG | of_this_kind), Ok(None))
}

/// Waits for the end of something for a tenth of a second. Returns whether it still lasts.
pub fn lasts(is_so: impl Fn() -> bool) -> bool {
    let mut pause = FIRST_PAUSE;
    while is_so() {
        if pause > LAST_PAUSE {
            return true;
        }
        std::thread::sleep(pause);
        pause *= 2;
    }
    false
}

/// Runs the guardian.
fn guard(socket: &OwnedFd, mut slot: Slot) {
    let _ = rustix::process::setsid();
    let _ = rustix::process::chdir(c"/");
    close_all_but(socket.as_raw_fd());
    let Some(Ok(listener)) = take_over(socket) else { return };
    let listener = listener.as_fd();
    loop {
        let mut both =
            [PollFd::new(socket, PollFlags::empty()), PollFd::new(&listener, PollFlags::empty())];
        match poll(&mut both, None) {
            Err(Errno::INTR) => {}
            Ok(_) if is_over(&both[1]) => return,
            Ok(_) if !is_over(&both[0]) => {}
            // The other process has ended.
            Err(_) | Ok(_) => break,
        }
    }
    // The other process may not have answered its last notification.
    if let Some(event) = slot.last() {
        answer(listener, &event);
    }
    answer_all(listener, &mut slot);
}

fn is_over(fd: &PollFd<'_>) -> bool {
    fd.revents().intersects(PollFlags::HUP | PollFlags::ERR)
}

/// Answers every call, until no traced process is left.
fn answer_all(listener: BorrowedFd<'_>, slot: &mut Slot) {
    while wait(listener) {
        if let Ok(event) = slot.receive(listener) {
            answer(listener, &event);
        }
    }
}

/// Waits for a notification. Returns false if no traced process is left.
pub fn wait(listener: BorrowedFd<'_>) -> bool {
    loop {
        let mut told = [PollFd::new(&listener, PollFlags::IN)];
        match poll(&mut told, None) {
            Err(Errno::INTR) => {}
            Err(_) => return false,
            Ok(_) => return !is_over(&told[0]),
        }
    }
}

fn close_all_but(kept: i32) {
    let close = |from: i32, to: i32| {
        if from > to {
            return;
        }
        // SAFETY: this process has its own copies of the descriptors and does not use them. They
        // would keep pipes open.
        unsafe {
            if libc::syscall(libc::SYS_close_range, from, to, 0) != 0 {
                (from..=to.min(1 << 16)).for_each(|number| {
                    libc::close(number);
                });
            }
        }
    };
    close(0, kept - 1);
    close(kept + 1, i32::MAX);
}
