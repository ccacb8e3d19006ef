//! Reads a pipe or a socket, within bounds.

use super::{Digest, Source, Stdin, Unknown, Why};
use cachex_base::process::fallback;
use cachex_base::streams::spool::{Rest, Spool};
use cachex_base::system::fsutil;
use cachex_base::system::hashing;
use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;
use std::time::{Duration, Instant};

/// The maximum input that is read without reaching its end, in bytes.
pub const LIMIT: u64 = 64 << 20;
/// The maximum wait for the first byte. A call whose caller leaves a pipe open must take at most a
/// second longer than the command alone.
pub const SILENT: Duration = Duration::from_millis(900);
/// The maximum wait for the end.
pub const OPEN: Duration = Duration::from_secs(3);

const CHUNK: usize = 64 * 1024;

/// Stretches a time by a test's factor, because writers may be delayed on a loaded machine. Debug
/// builds only, which the tests use.
pub fn stretched(time: Duration) -> Duration {
    #[cfg(debug_assertions)]
    if let Some(times) = std::env::var_os("CACHEX_TEST_PATIENCE") {
        return time * times.to_str().and_then(|times| times.parse().ok()).unwrap_or(1);
    }
    time
}

/// Reads to the end. Where `others_read` it, they are not deprived of anything.
pub fn take(kind: &'static str, others_read: impl Fn() -> bool) -> Result<Stdin, Unknown> {
    let stdin = rustix::stdio::stdin();
    let began = Instant::now();
    let is_shared = others_read();
    #[cfg(target_os = "linux")]
    {
        let looked = match kind {
            super::PIPE => super::peek::into_pipe(began, is_shared),
            _ if is_shared => super::peek::into_socket(began, &others_read),
            _ => None,
        };
        if let Some(taken) = looked {
            return taken;
        }
        // Its writers may live longer than this waits, or write more than this keeps, and then
        // nothing can be put back. A parent that feeds it has its other end while it starts this
        // process, but no more when so much has come.
        if is_shared && others_read() {
            return Err(Unknown::untouched(Why::Shared));
        }
    }
    // Input that stays in memory is hashed at once.
    let mut hasher: Option<blake3::Hasher> = None;
    let mut spool = Spool::default();
    spool.is_socket = kind == super::SOCKET;
    let mut chunk = vec![0; CHUNK];
    fallback::is_too_late();
    loop {
        let (limit, why) = if spool.is_empty() { (SILENT, Why::Silent) } else { (OPEN, Why::Open) };
        let left = stretched(limit).saturating_sub(began.elapsed());
        let mut polled = [PollFd::new(&stdin, PollFlags::IN)];
        match fsutil::poll(&mut polled, Some(left)) {
            Ok(0) => return Err(partly(spool, why)),
            // Whoever reads an error of a socket takes it away.
            Ok(_) if spool.is_empty() && polled[0].revents().contains(PollFlags::ERR) => {
                return Err(Unknown::untouched(Why::Unreadable));
            }
            Ok(_) => {}
            Err(Errno::INTR) => continue,
            Err(_) => return Err(partly(spool, Why::Unreadable)),
        }
        match fsutil::persistently(|| rustix::io::read(stdin, &mut chunk[..])) {
            Ok(0) => break,
            Ok(n) => {
                if let Some(hasher) = &mut hasher {
                    hasher.update(&chunk[..n]);
                }
                if spool.append(&chunk[..n]).is_err() {
                    return Err(partly(spool, Why::NoRoom));
                }
                if spool.len() > LIMIT {
                    return Err(partly(spool, Why::Long));
                }
                if why == Why::Open && left.is_zero() {
                    return Err(partly(spool, why));
                }
                if spool.file.is_some() && hasher.is_none() {
                    let mut begun = blake3::Hasher::new();
                    begun.update(&spool.memory).update(&chunk[..n]);
                    hasher = Some(begun);
                }
            }
            Err(Errno::AGAIN) => {}
            Err(errno) => {
                if !spool.is_empty() {
                    // The error may be reported only once.
                    spool.rest = Rest::Failed(errno);
                    return Err(Unknown { why: Why::Unreadable, source: Source::Feed(spool) });
                }
                return Err(Unknown::untouched(Why::Unreadable));
            }
        }
    }
    let hash = hasher.map_or_else(|| hashing::of(&spool.memory), |hasher| hasher.finalize());
    let digest = Digest::Contents { kind, hash, offset: 0 };
    let (waited, taken) = (began.elapsed(), Some(spool.len()));
    Ok(Stdin { waited, taken, ..Stdin::new(digest, Source::Feed(spool)) })
}

/// Returns the input that was read, followed by the rest as it comes.
fn partly(mut spool: Spool, why: Why) -> Unknown {
    if spool.is_empty() {
        return Unknown::untouched(why);
    }
    spool.rest = Rest::Live;
    Unknown { why, source: Source::Feed(spool) }
}
