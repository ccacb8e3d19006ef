//! A process that keeps answering after this one has ended.
//!
//! When the last holder of a listener ends, every call that would be reported fails: the end of the
//! tracing process would harm the command's descendants. So a second process, the guardian, holds
//! the listener too. It does nothing until this process has ended, then continues every call, and
//! ends with the last traced process. It is nobody's child, in a session of its own, holds nothing
//! else, and takes no signals except those that nobody can refuse.

use crate::linux::listen::{Slot, answer, take_over};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;

/// Starts a guardian, and returns the socket for sending it the listener. The guardian lives as
/// long as that socket is open, or the listener has traced processes.
pub fn start(slot: &Slot) -> Result<OwnedFd, Errno> {
    let (ours, theirs) = rustix::net::socketpair(
        rustix::net::AddressFamily::UNIX,
        rustix::net::SocketType::SEQPACKET,
        rustix::net::SocketFlags::CLOEXEC,
        None,
    )?;
    let slot = slot.for_a_child();
    // SAFETY: the child makes only async-signal-safe calls: no allocation, no lock.
    match unsafe { libc::fork() } {
        0 => {
            // SAFETY: the same. The intermediate process ends at once, and its child is adopted by
            // init or a subreaper.
            unsafe {
                let guardian = libc::fork();
                if guardian != 0 {
                    libc::_exit(i32::from(guardian < 0));
                }
            }
            guard(&theirs, slot);
            // SAFETY: this ends the process at once, and nothing has to be cleaned up.
            unsafe { libc::_exit(0) }
        }
        child @ 1.. => {
            let child = rustix::process::Pid::from_raw(child);
            loop {
                return match rustix::process::waitpid(child, rustix::process::WaitOptions::empty())
                {
                    Err(Errno::INTR) => continue,
                    // Where SIGCHLD is ignored there is nothing to wait for.
                    Err(Errno::CHILD) => Ok(ours),
                    Ok(Some((_, status))) if status.exit_status() == Some(0) => Ok(ours),
                    _ => Err(Errno::AGAIN),
                };
            }
        }
        _ => Err(Errno::AGAIN),
    }
}

/// Runs the guardian.
fn guard(socket: &OwnedFd, mut slot: Slot) {
    let _ = rustix::process::setsid();
    let _ = rustix::process::chdir(c"/");
    block_signals();
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

fn block_signals() {
    // SAFETY: the set is filled before it is read, and lives as long as the calls.
    unsafe {
        let mut all = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
        libc::sigfillset(all.as_mut_ptr());
        libc::sigprocmask(libc::SIG_SETMASK, all.as_ptr(), std::ptr::null_mut());
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
