//! Waiting for locks of the store: briefly, or as long as their holders work, and saying for whom.
//!
//! A holder that was stopped goes on only when somebody has it go on, and nobody waits for it for
//! good.

use super::{Lock, Mode, PUBLISH, holders};
use cachex_base::process::lineage;
use cachex_base::system::fsutil;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::OFlags;
use rustix::io::Errno;
use std::fmt;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// The first and the longest pause between two attempts to take a lock that is held only briefly,
const PAUSES: (Duration, Duration) = (Duration::from_micros(100), Duration::from_millis(5));
/// and the time after which its holder must have been stopped. Whoever waits on says for whom.
const PATIENCE: Duration = Duration::from_secs(2);
/// The time after which a holder that is stopped is given up,
const LONGEST: Duration = Duration::from_secs(10);
/// and the interval of looks at it.
const GLANCE: Duration = Duration::from_millis(500);

static LISTENER: OnceLock<fn(&str)> = OnceLock::new();

/// Has waits of more than two seconds reported: for whom, in words.
pub fn listen(listener: fn(&str)) {
    let _ = LISTENER.set(listener);
}

/// Reports a wait.
pub fn tell(whom: &str) {
    if let Some(listener) = LISTENER.get() {
        listener(whom);
    }
}

/// The holder of a lock, as far as it can be told. It is also the error of a lock that a stopped
/// process holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldBy {
    pid: Option<u32>,
    is_stopped: bool,
}

impl HeldBy {
    /// Returns whether it is stopped.
    pub fn is_stopped(&self) -> bool {
        self.is_stopped
    }

    /// Returns the holder of the lock of this name. Of several, one that is stopped.
    pub fn of(at: impl AsFd, name: impl AsRef<Path>) -> HeldBy {
        let stat = fsutil::stat(at, name).ok().flatten();
        let pids = stat.map(|stat| holders::of(&stat)).unwrap_or_default();
        let stopped = pids.iter().copied().find(|pid| lineage::is_stopped(*pid));
        HeldBy { pid: stopped.or(pids.first().copied()), is_stopped: stopped.is_some() }
    }
}

impl fmt::Display for HeldBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pid {
            Some(pid) if self.is_stopped => write!(
                f,
                "process {pid} holds the store and is stopped; \
                 `kill -CONT {pid}` has it go on, `kill -KILL {pid}` ends it"
            ),
            Some(pid) => write!(f, "process {pid} holds the store"),
            None => f.write_str("another process holds the store"),
        }
    }
}

impl std::error::Error for HeldBy {}

impl Lock {
    /// Takes the lock of this name, waiting for it unless its holder is stopped: then the error is the
    /// [`HeldBy`]. `mode` waits.
    pub fn wait(at: impl AsFd, name: impl AsRef<Path>, mode: Mode) -> anyhow::Result<Lock> {
        let mut wait = Wait { began: Instant::now(), is_told: false };
        loop {
            if let Some(lock) = Lock::take(&at, &name, mode.at_once())? {
                return Ok(lock);
            }
            // In a thread, since the kernel hands a lock on only to who waits in its list.
            let file = fsutil::create_file(&at, &name, OFlags::RDWR)?;
            let (send, granted) = mpsc::channel();
            let waits = move || {
                // One that nobody waits for any more is released at once.
                let _ = send.send(locked(file, mode));
            };
            if thread::Builder::new().spawn(waits).is_err() {
                return Ok(Lock::take(&at, &name, mode)?.ok_or(Errno::WOULDBLOCK)?);
            }
            let file = loop {
                match granted.recv_timeout(GLANCE) {
                    Ok(file) => break file?,
                    Err(RecvTimeoutError::Disconnected) => return Err(Errno::WOULDBLOCK.into()),
                    Err(RecvTimeoutError::Timeout) => wait.goes_on(&at, name.as_ref())?,
                }
            };
            if let Some(lock) = Lock::named(&at, name.as_ref(), file)? {
                return Ok(lock);
            }
        }
    }

    /// Takes a lock that is held only briefly; `None` if it stays held. `mode` does not wait.
    pub fn patiently(
        at: impl AsFd,
        name: impl AsRef<Path>,
        mode: Mode,
    ) -> rustix::io::Result<Option<Lock>> {
        let (began, mut pause) = (Instant::now(), PAUSES.0);
        loop {
            let taken = Lock::take(&at, &name, mode)?;
            if taken.is_some() || began.elapsed() > PATIENCE {
                return Ok(taken);
            }
            thread::sleep(pause);
            pause = (pause * 2).min(PAUSES.1);
        }
    }

    /// Takes the lock under which something is put in the store. A holder that was stopped is not
    /// waited for; that is an error.
    pub fn to_publish(at: impl AsFd) -> rustix::io::Result<Lock> {
        Lock::patiently(at, PUBLISH, Mode::TryShared)?.ok_or(Errno::WOULDBLOCK)
    }
}

/// A wait for a lock.
struct Wait {
    began: Instant,
    is_told: bool,
}

impl Wait {
    /// Says for whom, once, or gives up.
    fn goes_on(&mut self, at: impl AsFd, name: &Path) -> Result<(), HeldBy> {
        let waited = self.began.elapsed();
        if waited < PATIENCE || self.is_told && waited < LONGEST {
            return Ok(());
        }
        let holder = HeldBy::of(at, name);
        if !self.is_told {
            self.is_told = true;
            tell(&holder.to_string());
        }
        if waited >= LONGEST && holder.is_stopped { Err(holder) } else { Ok(()) }
    }
}

fn locked(file: OwnedFd, mode: Mode) -> rustix::io::Result<OwnedFd> {
    fsutil::persistently(|| rustix::fs::flock(&file, mode.operation()))?;
    Ok(file)
}
