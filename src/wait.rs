//! Waiting for one's turn to run a command under `--no-concurrent`.
//!
//! Who waits follows meanwhile what the holder of the lock prints, and has no
//! need of a turn if its run comes to an end by itself. If it does not, or cannot
//! be followed any more (it was killed, or interrupted, or the store is full),
//! one who has shown nothing takes the turn as if nothing had been there. One who
//! has shown something carries it along as [`Printed`]: whatever comes next, be
//! it another holder's run, a record, or a run of one's own, is passed in silence
//! as far as it is what has been shown. If it is not, there is nothing right to be
//! shown any more, and that is said.
//!
//! A run that prints nothing is followed by nobody: its waiters look for its
//! record when it is over, and run in turn if there is none.

use crate::follow::{Audience, Following, Step};
use crate::frames::Stream;
use crate::fsutil;
use crate::lock::{self, Lock, Mode, Signature};
use crate::messages::{self, Messages};
use crate::printed::{Differs, Printed};
use crate::store::Root;
use crate::store::live::End;
use rustix::event::{PollFd, PollFlags};
use rustix::fd::AsFd;
use rustix::io::Errno;
use std::fmt::Arguments;
use std::io::{self, PipeReader};
use std::path::Path;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long one waits before saying so.
const PATIENCE: Duration = Duration::from_secs(1);
/// How soon it is looked again whether there is more output, at first,
const SHORTEST: Duration = Duration::from_millis(1);
/// and after some silence.
const LONGEST: Duration = Duration::from_millis(25);
/// How often one looks around whose reader takes nothing.
const BLOCKED: Duration = Duration::from_secs(1);

/// How waiting ended.
pub enum Waited {
    /// It is one's turn.
    Turn {
        /// What makes it so.
        lock: Lock,
        /// Whether somebody else had theirs first, and may have left a result.
        waited: bool,
        /// What has been shown, and must not be shown again.
        printed: Printed,
    },
    /// This process runs on behalf of the one that holds the lock, which waits
    /// for it: waiting too would be for ever.
    Within,
    /// Another's run was shown, and there is nothing left to do.
    Followed(Followed),
    /// The time was over before there was anything to show.
    TimedOut,
    /// Something has been shown and cannot be completed; everything has been said.
    Failed,
}

/// Another's run that was shown from beginning to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Followed {
    /// The command's exit status.
    pub status: u8,
    /// How far the command read its standard input, where that can be told.
    pub stdin_consumed: Option<u64>,
    /// How much was shown of each stream.
    pub bytes: [u64; 2],
}

/// What one puts up with.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// How long one waits for the first byte; none: without end.
    pub limit: Option<Duration>,
    /// Whether another's run that began earlier is as good as one's own.
    pub follows: bool,
}

/// Waits for the lock of this name, and follows its holder. Signals end the wait
/// as they end a process. An error: nothing has been shown.
pub fn for_turn(root: &Root, name: &Path, messages: Messages, terms: Terms) -> io::Result<Waited> {
    if let Some(lock) = Lock::take(root, name, Mode::TryExclusive)? {
        lock.sign();
        return Ok(Waited::Turn { lock, waited: false, printed: Printed::default() });
    }
    let began = Instant::now();
    let mut wait = Wait {
        root,
        name,
        messages,
        terms,
        began,
        deadline: terms.limit.and_then(|limit| began.checked_add(limit)),
        place: Some(Place::take(root, name)?),
        signature: None,
        following: None,
        audience: Audience::new(),
        is_announced: !rustix::termios::isatty(rustix::stdio::stderr()),
    };
    wait.run()
}

struct Wait<'a> {
    root: &'a Root,
    name: &'a Path,
    messages: Messages,
    terms: Terms,
    began: Instant,
    deadline: Option<Instant>,
    /// One's place in the row; none once it has been given up.
    place: Option<Place>,
    /// What the holder wrote, when it was looked at.
    signature: Option<Signature>,
    following: Option<Following>,
    audience: Audience,
    is_announced: bool,
}

impl Wait<'_> {
    fn run(&mut self) -> io::Result<Waited> {
        let mut pause = Duration::ZERO;
        loop {
            let step = match &mut self.following {
                Some(following) => following.advance(&mut self.audience),
                None => Step::Idle,
            };
            let mut blocked = None;
            match step {
                Step::Moved => pause = Duration::ZERO,
                // All of it was there before the place was given up.
                Step::Idle | Step::Nonsense if self.place.is_none() => {
                    return Ok(failed(format_args!("the rest of the output is gone")));
                }
                Step::Nonsense => self.following = None,
                Step::Idle => {
                    pause = (pause * 2).clamp(SHORTEST, LONGEST);
                    if self.is_within() {
                        return Ok(Waited::Within);
                    }
                }
                Step::Blocked(stream) => {
                    blocked = Some(stream);
                    pause = BLOCKED;
                }
                // It printed nothing: of what use it was its record tells.
                Step::Ended(_) if self.audience.printed.is_empty() => self.following = None,
                Step::Ended(End { status, stdin_consumed }) => {
                    let bytes = self.audience.printed.bytes();
                    return Ok(Waited::Followed(Followed { status, stdin_consumed, bytes }));
                }
                Step::Differs => return Ok(failed(format_args!("{Differs}"))),
                Step::Unwritable(stream, errno) => {
                    let error = io::Error::from(errno);
                    return Ok(failed(format_args!("writing {}: {error}", stream.name())));
                }
            }
            if self.audience.printed.is_empty() {
                if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                    return Ok(Waited::TimedOut);
                }
                self.announce();
            }
            if self.is_granted(pause, blocked) {
                if self.following.as_ref().is_some_and(Following::is_whole) {
                    // Others shall not wait until a slow reader has read.
                    self.place = None;
                } else if let Some(place) = self.place.take() {
                    return self.turn(place);
                }
            }
        }
    }

    /// Looks who holds the lock, and follows it; whether one runs on its behalf.
    fn is_within(&mut self) -> bool {
        let signature = lock::signature(self.root.as_fd(), self.name);
        if self.place.is_none() || signature == self.signature {
            return false;
        }
        // The run of an earlier holder is worth following if it is all there.
        if self.following.as_ref().is_some_and(Following::is_whole) {
            return false;
        }
        self.following = None;
        self.signature = signature;
        let Some(Signature { pid, live }) = &self.signature else { return false };
        if self.audience.printed.is_empty() && is_ancestor(*pid) {
            return true;
        }
        if let Some(live) = live.as_ref().filter(|_| self.terms.follows) {
            self.following = Following::begin(self.root, live, &self.audience.printed);
        }
        false
    }

    /// Waits for the turn, or for a stream to take more, but not for long;
    /// whether it is one's turn.
    fn is_granted(&self, pause: Duration, blocked: Option<Stream>) -> bool {
        let mut until = Instant::now() + pause;
        if let Some(deadline) = self.deadline.filter(|_| self.audience.printed.is_empty()) {
            until = until.min(deadline);
        }
        let left = until.saturating_duration_since(Instant::now());
        let mut watched = Vec::with_capacity(2);
        watched.extend(self.place.as_ref().map(|place| PollFd::new(&place.granted, PollFlags::IN)));
        let sink = blocked.map(|stream| self.audience.awaited(stream));
        watched.extend(sink.map(|sink| PollFd::from_borrowed_fd(sink, PollFlags::OUT)));
        // Interrupted or not, everything is looked at again.
        let _ = fsutil::poll(&mut watched, Some(left));
        self.place.is_some() && !watched[0].revents().is_empty()
    }

    fn turn(&mut self, place: Place) -> io::Result<Waited> {
        let printed = std::mem::take(&mut self.audience.printed);
        match place.lock() {
            Ok(lock) => {
                lock.sign();
                Ok(Waited::Turn { lock, waited: true, printed })
            }
            Err(error) if printed.is_empty() => Err(error),
            Err(error) => Ok(failed(format_args!("waiting for the rest of the output: {error}"))),
        }
    }

    /// Says whom one waits for, on a terminal, after a while.
    fn announce(&mut self) {
        if !self.is_announced && self.began.elapsed() >= PATIENCE {
            self.is_announced = true;
            let whom = match &self.signature {
                Some(Signature { pid, .. }) => format!("process {pid}"),
                None => "another process".to_owned(),
            };
            self.messages
                .wait(format_args!("waiting for {whom}, which is running the same command"));
        }
    }
}

fn failed(why: Arguments<'_>) -> Waited {
    messages::error(why);
    Waited::Failed
}

/// One's place among those who wait for a lock. The kernel's waiting list is fair
/// and costs nothing; a thread waits in it so that this one can do other things.
struct Place {
    thread: JoinHandle<rustix::io::Result<Lock>>,
    /// Comes to its end when the thread has come to its own.
    granted: PipeReader,
}

impl Place {
    fn take(root: &Root, name: &Path) -> io::Result<Place> {
        let (granted, waiting) = io::pipe()?;
        let (dir, name) = (root.as_fd().try_clone_to_owned()?, name.to_owned());
        let wait = move || {
            let lock = Lock::wait(dir, name, Mode::Exclusive);
            drop(waiting);
            lock
        };
        Ok(Place { thread: std::thread::Builder::new().spawn(wait)?, granted })
    }

    /// What it has come to.
    fn lock(self) -> io::Result<Lock> {
        let lock = self.thread.join().unwrap_or(Err(Errno::IO));
        Ok(lock?)
    }
}

/// Whether a process is this one, or one of those that started it.
pub fn is_ancestor(pid: u32) -> bool {
    let mut at = std::process::id();
    while at > 1 {
        if at == pid {
            return true;
        }
        let Some(parent) = parent(at) else { return false };
        at = parent;
    }
    false
}

/// The process that started another.
#[cfg(target_os = "linux")]
fn parent(pid: u32) -> Option<u32> {
    let stat = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the name, which may hold anything, in parentheses.
    let after_name = stat.rsplit(|&byte| byte == b')').next()?;
    std::str::from_utf8(after_name).ok()?.split_whitespace().nth(1)?.parse().ok()
}

/// The process that started another.
#[cfg(not(target_os = "linux"))]
fn parent(pid: u32) -> Option<u32> {
    let output = std::process::Command::new("ps")
        .args(["-o", "ppid=", "-p", &pid.to_string()])
        .output()
        .ok()?;
    std::str::from_utf8(&output.stdout).ok()?.trim().parse().ok()
}
