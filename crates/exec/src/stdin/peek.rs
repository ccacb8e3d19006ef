//! Looks into a pipe or a socket without taking anything out of it.
//!
//! Once every writer of a pipe is gone and the rest fits into it, `tee` copies that. So nothing is
//! taken out before it is known what the command reads, and the next reader finds what the command
//! left, as in
//! `list | while read -r host; do cachex run -- probe; done`.
//!
//! A writer of more than a pipe holds waits for a reader. If others read on, the pipe is enlarged.
//! Beyond that it would have to be read, so it is left to the command, as is a named pipe, for which
//! there may be another writer at any time. A shared socket is peeked at (`MSG_PEEK`) or left to the
//! command.

use super::{Digest, PIPE, SOCKET, Source, Stdin, Unknown, Why};
use crate::stdin::pipe::{OPEN, SILENT, stretched};
use cachex_base::system::fsutil;
use cachex_base::system::hashing;
use rustix::event::{PollFd, PollFlags};
use rustix::fd::{AsFd, BorrowedFd};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SocketType, sockopt};
use rustix::pipe::{SpliceFlags, fcntl_getpipe_size, fcntl_setpipe_size};
use std::io::{PipeReader, PipeWriter, Read};
use std::time::{Duration, Instant};

/// The default capacity of a pipe, and the maximum for unprivileged users. A pipe may be full when
/// half of that is in it: each write begins a new page.
const HELD: usize = 64 * 1024;
const MOST: usize = 1 << 20;
/// The shortest and the longest interval between checks whether a pipe is filling.
const OFTEN: Duration = Duration::from_millis(1);
const SELDOM: Duration = Duration::from_millis(20);

/// Waits until all writers of a pipe are gone; none if it has to be read.
pub fn into_pipe(began: Instant, is_shared: bool) -> Option<Result<Stdin, Unknown>> {
    let stdin = rustix::stdio::stdin();
    let (copied, copy) = std::io::pipe().ok()?;
    // A named pipe may be opened for writing again.
    let device = |fd: BorrowedFd<'_>| rustix::fs::fstat(fd).map(|stat| stat.st_dev);
    if device(copy.as_fd()).ok()? != device(stdin).ok()? {
        return None;
    }
    let mut size = HELD;
    let len = match wait(began, PollFlags::empty(), OPEN, |waiting| {
        if is_shared && waiting >= size / 2 && size < MOST {
            size = fcntl_setpipe_size(stdin, MOST).ok()?;
        }
        (waiting < size / 2).then_some(())
    })? {
        Ok(len) => len,
        Err(why) => return Some(Err(Unknown::untouched(why))),
    };
    if len > HELD {
        // An earlier cachex may have enlarged it.
        fcntl_setpipe_size(&copy, fcntl_getpipe_size(stdin).ok()?).ok()?;
    }
    let mut bytes = copied_by_tee(len, &copied, &copy)?;
    if bytes.len() < len {
        // Somebody reads on, or there was no room for that many pieces. A pipe of the same size has
        // room for the rest.
        fcntl_setpipe_size(&copy, fcntl_getpipe_size(stdin).ok()?).ok()?;
        bytes = copied_by_tee(MOST.max(len), &copied, &copy)?;
    }
    Some(Ok(looked_at(PIPE, bytes, began)))
}

/// Copies up to `len` bytes of standard input through this empty pipe.
fn copied_by_tee(len: usize, copied: &PipeReader, copy: &PipeWriter) -> Option<Vec<u8>> {
    if len == 0 {
        return Some(Vec::new());
    }
    let stdin = rustix::stdio::stdin();
    let made = rustix::pipe::tee(stdin, copy, len, SpliceFlags::NONBLOCK).ok()?;
    let mut bytes = vec![0; made];
    let mut copied = copied;
    copied.read_exact(&mut bytes).ok()?;
    Some(bytes)
}

/// Waits until the writer of a socket has ended; none if that cannot be detected, or no others read
/// it any more. A writer of more than a socket takes waits for a reader, which looks like one that
/// writes no more.
pub fn into_socket(
    began: Instant,
    others_read: impl Fn() -> bool,
) -> Option<Result<Stdin, Unknown>> {
    let stdin = rustix::stdio::stdin();
    if sockopt::socket_type(stdin) != Ok(SocketType::STREAM) {
        return None;
    }
    let len = match wait(began, PollFlags::RDHUP, SILENT, |_| others_read().then_some(()))? {
        Ok(len) => len,
        Err(Why::Open) => return Some(Err(Unknown::untouched(Why::Shared))),
        Err(why) => return Some(Err(Unknown::untouched(why))),
    };
    // What has an error in place of an end gives it once.
    let mut bytes = vec![0; len.max(1)];
    let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
    match rustix::net::recv(stdin, &mut bytes[..], flags) {
        Ok((seen, _)) if seen == len => {}
        Ok(_) | Err(Errno::AGAIN) => return None,
        Err(_) => return Some(Err(Unknown::untouched(Why::Unreadable))),
    }
    bytes.truncate(len);
    Some(Ok(looked_at(SOCKET, bytes, began)))
}

/// Waits for `HUP` or one of `ends`. Returns the number of bytes that are there, or why the wait
/// was given up: nothing more came for `still`, say. None if the end cannot be detected or
/// `goes_on` returns none, which gets the number of bytes while nothing happens.
fn wait(
    began: Instant,
    ends: PollFlags,
    still: Duration,
    mut goes_on: impl FnMut(usize) -> Option<()>,
) -> Option<Result<usize, Why>> {
    let stdin = rustix::stdio::stdin();
    let mut pause = OFTEN;
    let (mut before, mut moved) = (0, began);
    loop {
        let waiting = rustix::io::ioctl_fionread(stdin).ok()? as usize;
        if waiting != before {
            (before, moved) = (waiting, Instant::now());
        }
        let (limit, why) = if waiting == 0 { (SILENT, Why::Silent) } else { (OPEN, Why::Open) };
        let left = stretched(limit).saturating_sub(began.elapsed());
        let left = left.min(stretched(still).saturating_sub(moved.elapsed()));
        let mut polled = [PollFd::new(&stdin, ends)];
        match fsutil::poll(&mut polled, Some(pause.min(left))) {
            Ok(0) if left.is_zero() => return Some(Err(why)),
            Ok(0) | Err(Errno::INTR) => {
                goes_on(waiting)?;
                pause = (pause * 2).min(SELDOM);
            }
            Ok(_) if polled[0].revents().contains(PollFlags::ERR) => {
                return Some(Err(Why::Unreadable));
            }
            Ok(_) if polled[0].revents().intersects(ends | PollFlags::HUP) => {
                return Some(Ok(rustix::io::ioctl_fionread(stdin).ok()? as usize));
            }
            Ok(_) | Err(_) => return None,
        }
    }
}

fn looked_at(kind: &'static str, bytes: Vec<u8>, began: Instant) -> Stdin {
    let digest = Digest::Contents { kind, hash: hashing::of(&bytes), offset: 0 };
    let waited = began.elapsed();
    Stdin { waited, peeked: Some(bytes), ..Stdin::new(digest, Source::Inherit) }
}
