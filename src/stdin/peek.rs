//! Looking into a pipe without taking anything out of it.
//!
//! Where everybody who wrote to a pipe is gone, and what is left fits into it, `tee` makes
//! a copy of that. So nothing is taken out before it is known what the command reads, and who
//! reads on after it finds what the command left, as in `list | while read -r host; do cachex run -- probe; done`.
//!
//! Whoever writes more than a pipe holds waits for a reader: then it has to be read.

use super::{Digest, PIPE, Source, Stdin, Unknown, Why};
use crate::fsutil;
use crate::hashing;
use crate::stdin::pipe::{OPEN, SILENT, stretched};
use rustix::event::{PollFd, PollFlags};
use rustix::fd::{AsFd, BorrowedFd};
use rustix::io::Errno;
use rustix::pipe::SpliceFlags;
use std::io::Read;
use std::time::{Duration, Instant};

/// A pipe that holds so much may be full.
const FULL: u64 = 32 * 1024;
/// What a pipe holds that nobody changed.
const HELD: u64 = 64 * 1024;
/// How often it is looked whether a pipe is filling: at first, and at the most seldom.
const OFTEN: Duration = Duration::from_millis(1);
const SELDOM: Duration = Duration::from_millis(20);

/// Waits for the end of what is written; none if it has to be read.
pub fn take(began: Instant) -> Option<Result<Stdin, Unknown>> {
    let stdin = rustix::stdio::stdin();
    let (copied, copy) = std::io::pipe().ok()?;
    // A named pipe may be opened for writing again.
    let device = |fd: BorrowedFd<'_>| rustix::fs::fstat(fd).map(|stat| stat.st_dev);
    if device(copy.as_fd()).ok()? != device(stdin).ok()? {
        return None;
    }
    let mut pause = OFTEN;
    let len = loop {
        let mut pipe = [PollFd::new(&stdin, PollFlags::empty())];
        let passed = began.elapsed();
        let waiting = rustix::io::ioctl_fionread(stdin).ok()?;
        let (limit, why) = if waiting == 0 { (SILENT, Why::Silent) } else { (OPEN, Why::Open) };
        let left = stretched(limit).saturating_sub(passed);
        match fsutil::poll(&mut pipe, Some(pause.min(left))) {
            Ok(0) if left.is_zero() => return Some(Err(Unknown::untouched(why))),
            Ok(0) | Err(Errno::INTR) if waiting >= FULL => return None,
            Ok(0) | Err(Errno::INTR) => pause = (pause * 2).min(SELDOM),
            Ok(_) if pipe[0].revents().contains(PollFlags::HUP) => {
                break rustix::io::ioctl_fionread(stdin).ok()?;
            }
            Ok(_) | Err(_) => return None,
        }
    };
    if len > HELD {
        return None;
    }
    let mut bytes = vec![0; len as usize];
    if len > 0 {
        let made = rustix::pipe::tee(stdin, &copy, bytes.len(), SpliceFlags::NONBLOCK).ok()?;
        if made < bytes.len() {
            return None;
        }
        (&copied).read_exact(&mut bytes).ok()?;
    }
    let digest = Digest::Contents { kind: PIPE, hash: hashing::of(&bytes), offset: 0 };
    let waited = began.elapsed();
    Some(Ok(Stdin { waited, peeked: Some(bytes), ..Stdin::new(digest, Source::Inherit) }))
}
