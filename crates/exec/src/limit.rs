//! The time limit of a command, and how it is enforced.

use rustix::process::Signal;
use std::time::{Duration, Instant};

/// The time that a command and its descendants get to end after SIGTERM.
const MERCY: Duration = Duration::from_secs(2);
/// The interval between checks whether its descendants are gone.
const TICK: Duration = Duration::from_millis(10);

/// The state of a command's time limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// The command may run until then. Time that it spends stopped is included.
    Until(Instant),
    /// The command was sent SIGTERM, and has until then to end.
    Asked(Instant),
    /// The command was killed, or it and its descendants have ended, at that time.
    Over(Instant),
}

impl Limit {
    /// Starts a limit now. Returns none if the time is too long to represent.
    pub fn after(time: Duration) -> Option<Limit> {
        Instant::now().checked_add(time).map(Limit::Until)
    }

    /// Returns whether the limit was exceeded.
    pub fn is_exceeded(self) -> bool {
        !matches!(self, Limit::Until(_))
    }

    /// Sends the signal that is due. A command that `ended` in time is left alone, with everything
    /// it started. After a timeout, nothing remains to be done once its descendants are `gone` too.
    pub fn enforce(&mut self, ended: bool, gone: impl Fn() -> bool, send: impl Fn(Signal)) {
        let now = Instant::now();
        match *self {
            Limit::Until(at) if now >= at && !ended => {
                send(Signal::TERM);
                // A stopped command must be continued in order to end.
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

    /// Returns when `enforce` has to be called next.
    pub fn due(self, ended: bool) -> Option<Instant> {
        match self {
            // The system does not report when the last process of a group is gone.
            Limit::Asked(at) if ended => Some(at.min(Instant::now() + TICK)),
            Limit::Until(_) if ended => None,
            Limit::Until(at) | Limit::Asked(at) => Some(at),
            Limit::Over(_) => None,
        }
    }

    /// Returns until when output is still passed on to a reader that last took some at `moved`;
    /// none while the command may still run.
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

    /// Returns the signals that are sent, and the limit afterwards.
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
        // The command ended in time, whatever its descendants go on printing.
        assert_eq!(enforced(Limit::Until(now), true, false), (vec![], Limit::Until(now)));
        // It has time left.
        assert_eq!(enforced(Limit::Asked(later), false, false), (vec![], Limit::Asked(later)));
        assert_eq!(enforced(Limit::Asked(later), true, false), (vec![], Limit::Asked(later)));
        // It or one of its descendants has run out of time.
        for ended in [false, true] {
            let (sent, killed) = enforced(Limit::Asked(now), ended, false);
            assert_eq!(sent, [Signal::KILL]);
            assert!(matches!(killed, Limit::Over(_)));
            assert_eq!(enforced(killed, ended, false), (vec![], killed));
        }
        let (sent, done) = enforced(Limit::Asked(now), true, true);
        assert!(sent.is_empty() && matches!(done, Limit::Over(_)));
    }

    #[test]
    fn nothing_is_due_of_a_command_that_ended_in_time() {
        let now = Instant::now();
        assert_eq!(Limit::Until(now).due(true), None);
        assert_eq!(Limit::Until(now).due(false), Some(now));
    }
}
