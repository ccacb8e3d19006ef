//! How long a command may take, and what becomes of one that takes longer.

use rustix::process::Signal;
use std::time::{Duration, Instant};

/// How long a command and what it started have to end in after they were asked to.
const MERCY: Duration = Duration::from_secs(2);
/// How often it is looked whether what it started is gone.
const TICK: Duration = Duration::from_millis(10);

/// A limit on the time of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// It has until then. Time that it spends stopped counts.
    Until(Instant),
    /// It was asked to end, and has until then.
    Asked(Instant),
    /// It was killed, or is gone with all that it started, since then.
    Over(Instant),
}

impl Limit {
    /// The limit on what starts now; none if that is for ever.
    pub fn after(time: Duration) -> Option<Limit> {
        Instant::now().checked_add(time).map(Limit::Until)
    }

    /// Whether it was exceeded.
    pub fn is_exceeded(self) -> bool {
        !matches!(self, Limit::Until(_))
    }

    /// Sends what is to be sent now. A command that has `ended` in time is left
    /// alone with all that it started; after that, nothing is left to do once
    /// what it started is `gone` too.
    pub fn enforce(&mut self, ended: bool, gone: impl Fn() -> bool, send: impl Fn(Signal)) {
        let now = Instant::now();
        match *self {
            Limit::Until(at) if now >= at && !ended => {
                send(Signal::TERM);
                // One that is stopped has to go on to end.
                send(Signal::CONT);
                *self = Limit::Asked(now + MERCY);
            }
            Limit::Asked(_) if ended && gone() => *self = Limit::Over(now),
            Limit::Asked(at) if now >= at => {
                send(Signal::KILL);
                *self = Limit::Over(now);
            }
            _ => {}
        }
    }

    /// When there is something to do.
    pub fn due(self, ended: bool) -> Option<Instant> {
        match self {
            // Nobody says when the last of a group is gone.
            Limit::Asked(at) if ended => Some(at.min(Instant::now() + TICK)),
            Limit::Until(at) | Limit::Asked(at) => Some(at),
            Limit::Over(_) => None,
        }
    }

    /// Until when what was printed is still passed on to a reader who last took
    /// some of it at `moved`; none as long as there is more to come.
    pub fn patience(self, moved: Instant) -> Option<Instant> {
        match self {
            Limit::Over(at) => Some(at.max(moved) + MERCY),
            Limit::Until(_) | Limit::Asked(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    /// What is sent, and what becomes of the limit.
    fn enforced(mut limit: Limit, ended: bool, gone: bool) -> (Vec<Signal>, Limit) {
        let sent = RefCell::new(Vec::new());
        limit.enforce(ended, || gone, |signal| sent.borrow_mut().push(signal));
        (sent.into_inner(), limit)
    }

    #[test]
    fn one_asks_first_and_kills_later_and_neither_without_need() {
        let now = Instant::now();
        let later = now + Duration::from_mins(1);
        assert_eq!(enforced(Limit::Until(later), false, false), (vec![], Limit::Until(later)));
        let (sent, asked) = enforced(Limit::Until(now), false, false);
        assert_eq!(sent, [Signal::TERM, Signal::CONT]);
        assert!(matches!(asked, Limit::Asked(at) if at > now));
        // It ended in time, whatever goes on printing.
        assert_eq!(enforced(Limit::Until(now), true, false), (vec![], Limit::Until(now)));
        // It has time left.
        assert_eq!(enforced(Limit::Asked(later), false, false), (vec![], Limit::Asked(later)));
        assert_eq!(enforced(Limit::Asked(later), true, false), (vec![], Limit::Asked(later)));
        // It has none left, or something of it has not.
        for ended in [false, true] {
            let (sent, killed) = enforced(Limit::Asked(now), ended, false);
            assert_eq!(sent, [Signal::KILL]);
            assert!(matches!(killed, Limit::Over(_)));
            assert_eq!(enforced(killed, ended, false), (vec![], killed));
        }
        let (sent, done) = enforced(Limit::Asked(now), true, true);
        assert!(sent.is_empty() && matches!(done, Limit::Over(_)));
    }
}
