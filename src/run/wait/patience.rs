//! Limits of the wait for a holder that makes no progress, and messages about it.
//!
//! With `--lock-timeout` the user decides. By default the limit depends on the obstacle. A holder
//! that is stopped, or whose own reader takes nothing, goes on when somebody intervenes, which may
//! be never. One that just prints nothing is most likely at work, and running the same command
//! beside it is what the user wanted to avoid.

use cachex_base::system::fsutil;
use cachex_base::text::quote::rounded;
use cachex_store::lock::Signature;
use std::fmt;
use std::time::{Duration, Instant};

/// The limit for a holder that was stopped, by Ctrl-Z or SIGSTOP.
const STOPPED: Duration = Duration::from_secs(2);
/// The limit for one that waits for its own reader, a pager or a terminal after Ctrl-S.
const PAUSED: Duration = Duration::from_secs(5);
/// The limit for one that prints nothing.
const SILENT: Duration = Duration::from_mins(10);
/// The limit for one that prints nothing, and may be waiting for this very process.
const UNRELATED_PERHAPS: Duration = Duration::from_mins(1);
/// The interval of checks whether a holder is stopped.
const GLANCE: Duration = Duration::from_millis(250);

/// The delay before a message at a terminal,
const SAID_AT_A_TERMINAL: Duration = Duration::from_secs(1);
/// and if standard error is not a terminal.
const SAID_ELSEWHERE: Duration = Duration::from_secs(10);

/// The reason why a holder makes no progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// The holder is stopped.
    Stopped,
    /// The holder's reader takes nothing.
    Reader,
    /// No visible reason.
    Unseen,
}

/// A holder that is waited for, and since when it has made no progress.
pub struct Standstill {
    /// The holder's signature.
    signature: Option<Signature>,
    /// The time of its last visible progress.
    since: Instant,
    stopped: Option<Instant>,
    looked: Instant,
    /// The amount of output seen so far.
    printed: u64,
}

impl Standstill {
    /// Begins with a holder that has just started.
    pub fn new(signature: Option<Signature>) -> Standstill {
        let now = Instant::now();
        Standstill { signature, since: now, stopped: None, looked: now, printed: 0 }
    }

    /// Notes progress.
    pub fn ends(&mut self) {
        self.since = Instant::now();
    }

    /// Returns whether it is time for a check.
    pub fn is_due(&self) -> bool {
        self.looked.elapsed() >= GLANCE
    }

    /// Checks the holder, which has printed this much.
    pub fn look(&mut self, printed: u64) {
        self.looked = Instant::now();
        if printed > self.printed {
            (self.since, self.printed) = (self.looked, printed);
        }
        let is_stopped = self.signature.as_ref().is_some_and(|it| it.holder.process.is_stopped());
        self.stopped = is_stopped.then(|| self.stopped.unwrap_or(self.looked));
    }

    /// Returns the obstacle; `is_paused` says that the holder's reader takes nothing.
    pub fn obstacle(&self, is_paused: bool) -> Obstacle {
        match (self.stopped, is_paused) {
            (Some(_), _) => Obstacle::Stopped,
            (None, true) => Obstacle::Reader,
            (None, false) => Obstacle::Unseen,
        }
    }

    /// Returns whether the wait was long enough. `is_unrelated` says that the holder is known not
    /// to wait for this process.
    pub fn is_over(&self, obstacle: Obstacle, is_unrelated: bool) -> bool {
        let limit = match obstacle {
            Obstacle::Stopped => STOPPED,
            Obstacle::Reader => PAUSED,
            Obstacle::Unseen if is_unrelated => silent(),
            Obstacle::Unseen => silent().min(UNRELATED_PERHAPS),
        };
        let since = self.stopped.filter(|_| obstacle == Obstacle::Stopped).unwrap_or(self.since);
        since.elapsed() >= limit
    }

    /// Returns a description of the holder.
    pub fn whom(&self) -> Whom<'_> {
        Whom(self.signature.as_ref())
    }

    /// Returns a description of the obstacle.
    pub fn what(&self, obstacle: Obstacle) -> What {
        What(obstacle, self.since.elapsed())
    }
}

/// Returns [`SILENT`], or in debug builds, which the tests use, the milliseconds in
/// `CACHEX_TEST_SILENT`.
fn silent() -> Duration {
    #[cfg(debug_assertions)]
    if let Some(limit) = std::env::var_os("CACHEX_TEST_SILENT")
        && let Some(limit) = limit.to_str().and_then(|limit| limit.parse().ok())
    {
        return Duration::from_millis(limit);
    }
    SILENT
}

/// Returns the delay until the holder is announced on standard error. Returns none if that is the
/// same file as standard output, where only the command's output belongs.
pub fn of_the_reader() -> Option<Duration> {
    let (stdout, stderr) = (rustix::stdio::stdout(), rustix::stdio::stderr());
    if rustix::termios::isatty(stderr) {
        return Some(SAID_AT_A_TERMINAL);
    }
    let stats = [stdout, stderr].map(rustix::fs::fstat);
    let [Ok(stdout), Ok(stderr)] = stats else { return None };
    (!fsutil::same_file(&stdout, &stderr)).then_some(SAID_ELSEWHERE)
}

/// Displays a holder.
pub struct Whom<'a>(Option<&'a Signature>);

impl fmt::Display for Whom<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(holder) = self.0.map(|signature| &signature.holder) else {
            return f.write_str("another process");
        };
        write!(f, "process {}", holder.process.pid)?;
        match (holder.process.is_here(), holder.host.as_str()) {
            (true, _) | (false, "") => Ok(()),
            (false, host) => write!(f, " on {host}"),
        }
    }
}

/// Displays why a holder makes no progress.
pub struct What(Obstacle, Duration);

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Obstacle::Stopped => f.write_str("is stopped"),
            Obstacle::Reader => f.write_str("waits for whoever reads its output"),
            Obstacle::Unseen => write!(f, "has printed nothing for {}", rounded(self.1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_cannot_get_on_is_waited_for_less_than_who_may_be_at_work() {
        let mut standstill = Standstill::new(None);
        let all =
            [(Obstacle::Stopped, STOPPED), (Obstacle::Reader, PAUSED), (Obstacle::Unseen, SILENT)];
        for (obstacle, limit) in all {
            let Some(long_ago) = Instant::now().checked_sub(limit) else { continue };
            standstill.since = long_ago;
            assert!(standstill.is_over(obstacle, true));
            standstill.ends();
            assert!(!standstill.is_over(obstacle, true));
        }
    }

    #[test]
    fn what_is_printed_is_getting_on() {
        let mut standstill = Standstill::new(None);
        let Some(long_ago) = Instant::now().checked_sub(SILENT) else { return };
        standstill.since = long_ago;
        standstill.look(0);
        assert!(standstill.is_over(Obstacle::Unseen, true));
        standstill.look(1);
        assert!(!standstill.is_over(Obstacle::Unseen, true));
    }
}
