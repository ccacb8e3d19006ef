//! How long one waits for a holder that does not get on, and what is said of it.
//!
//! With `--lock-timeout` that is up to the user. By default it depends on what keeps the
//! holder: one that is stopped, or whose own reader takes nothing, goes on when somebody
//! does something about it, which may be never. One that just prints nothing is most
//! likely at work, and running the same command beside it would be what was not wanted.

use cachex_base::system::fsutil;
use cachex_base::text::quote::rounded;
use cachex_store::lock::Signature;
use std::fmt;
use std::time::{Duration, Instant};

/// A holder that was stopped, by Ctrl-Z or SIGSTOP, is waited for so long.
const STOPPED: Duration = Duration::from_secs(2);
/// One that waits for its own reader, a pager or a terminal after Ctrl-S.
const PAUSED: Duration = Duration::from_secs(5);
/// One that prints nothing.
const SILENT: Duration = Duration::from_mins(10);
/// One that prints nothing, and may wait for this very process for all one can tell.
const UNRELATED_PERHAPS: Duration = Duration::from_mins(1);
/// How often one looks whether a holder is stopped.
const GLANCE: Duration = Duration::from_millis(250);

/// How long one waits before saying so at a terminal,
const SAID_AT_A_TERMINAL: Duration = Duration::from_secs(1);
/// and where standard error is something else.
const SAID_ELSEWHERE: Duration = Duration::from_secs(10);

/// What keeps a holder from getting on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// It is stopped.
    Stopped,
    /// Its own reader takes nothing.
    Reader,
    /// Nothing that could be seen.
    Unseen,
}

/// Who is waited for, and since when it has not got on.
pub struct Standstill {
    /// What the holder wrote.
    signature: Option<Signature>,
    /// When it last got on, as far as could be seen.
    since: Instant,
    stopped: Option<Instant>,
    looked: Instant,
    /// How much it has printed.
    printed: u64,
}

impl Standstill {
    /// Whoever holds the lock now has only begun.
    pub fn new(signature: Option<Signature>) -> Standstill {
        let now = Instant::now();
        Standstill { signature, since: now, stopped: None, looked: now, printed: 0 }
    }

    /// It got on.
    pub fn ends(&mut self) {
        self.since = Instant::now();
    }

    /// Whether it is time to look at it.
    pub fn is_due(&self) -> bool {
        self.looked.elapsed() >= GLANCE
    }

    /// Looks at it: it has printed so much.
    pub fn look(&mut self, printed: u64) {
        self.looked = Instant::now();
        if printed > self.printed {
            (self.since, self.printed) = (self.looked, printed);
        }
        let is_stopped = self.signature.as_ref().is_some_and(|it| it.holder.process.is_stopped());
        self.stopped = is_stopped.then(|| self.stopped.unwrap_or(self.looked));
    }

    /// What keeps it; `is_paused`: its own reader.
    pub fn obstacle(&self, is_paused: bool) -> Obstacle {
        match (self.stopped, is_paused) {
            (Some(_), _) => Obstacle::Stopped,
            (None, true) => Obstacle::Reader,
            (None, false) => Obstacle::Unseen,
        }
    }

    /// Whether one has waited long enough; `is_unrelated`: it is known not to wait for
    /// this process.
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

    /// Who is waited for.
    pub fn whom(&self) -> Whom<'_> {
        Whom(self.signature.as_ref())
    }

    /// What is wrong with it.
    pub fn what(&self, obstacle: Obstacle) -> What {
        What(obstacle, self.since.elapsed())
    }
}

/// In debug builds, which the tests are, `CACHEX_TEST_SILENT` is in its place, in
/// milliseconds.
fn silent() -> Duration {
    #[cfg(debug_assertions)]
    if let Some(limit) = std::env::var_os("CACHEX_TEST_SILENT")
        && let Some(limit) = limit.to_str().and_then(|limit| limit.parse().ok())
    {
        return Duration::from_millis(limit);
    }
    SILENT
}

/// When whoever reads standard error is told who is waited for. Where that goes the way
/// of standard output it is what the command prints, and nothing is said.
pub fn of_the_reader() -> Option<Duration> {
    let (stdout, stderr) = (rustix::stdio::stdout(), rustix::stdio::stderr());
    if rustix::termios::isatty(stderr) {
        return Some(SAID_AT_A_TERMINAL);
    }
    let stats = [stdout, stderr].map(rustix::fs::fstat);
    let [Ok(stdout), Ok(stderr)] = stats else { return None };
    (!fsutil::same_file(&stdout, &stderr)).then_some(SAID_ELSEWHERE)
}

/// A holder, for people.
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

/// Why a holder does not get on, for people.
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
