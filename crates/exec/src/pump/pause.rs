//! Determines what a run waits for, and for how long.

use super::Pump;
use crate::Spoiled;
use crate::limit::Limit;
use crate::output_stream::OutputStream;
use crate::pty::Console;
use crate::read_back::ReadBack;
use crate::readers::Readers;
use cachex_base::system::fsutil;
use cachex_base::system::signals::{self, Signals};
use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;
use smallvec::SmallVec;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

/// The time that a process left behind by the command gets to end, if its output is to be part of
/// the result: a filter of the command's output, say.
const GRACE: Duration = Duration::from_millis(100);
/// The interval between checks whether cachex came to the foreground, or whether the command waits
/// for a reader that left.
pub(super) const GLANCE: Duration = Duration::from_millis(250);

/// The length of a turn where the system does not tell when something is ready.
pub(super) const TURN: Duration = Duration::from_millis(5);

impl Pump<'_, '_> {
    /// Returns the command's status and end, if there is nothing left to wait for.
    pub(super) fn over(&mut self) -> Option<(ExitStatus, Instant)> {
        let (status, at) = self.ended?;
        let now = Instant::now();
        if matches!(self.limit, Some(Limit::Asked(_))) {
            return None;
        }
        if self.backlog.is_none() && self.legs.iter().all(OutputStream::is_done) {
            return Some((status, at));
        }
        if self.is_idle() {
            // Nobody will read the rest, and whoever interrupted the command waits.
            let interrupted = self.spoiled == Some(Spoiled::Interrupted) && status.code().is_none();
            let is_stalled = self.stalls().is_some_and(|until| now >= until);
            if interrupted || is_stalled || self.patience().is_some_and(|until| now >= until) {
                return Some((status, at));
            }
        }
        if self.grace().is_some_and(|until| now >= until) {
            self.spoil(Spoiled::Lingering);
            return Some((status, at));
        }
        None
    }

    /// Returns whether all of the command's output has been passed on, or waits for a reader among
    /// other output, while a process that the command left behind holds the streams open.
    fn lingers(&self) -> bool {
        let lingers = |leg: &OutputStream| leg.is_done() || leg.is_left_behind() || leg.is_stuck();
        self.backlog.is_none() && self.legs.iter().all(lingers)
    }

    /// Returns whether nothing moves until a reader takes some of the output.
    fn is_idle(&self) -> bool {
        let is_full = self.backlog.is_some() || self.late.is_full();
        is_full || self.legs.iter().all(OutputStream::is_idle)
    }

    /// Returns until when a process left behind by the command may end for its output to be part of
    /// the result.
    fn grace(&self) -> Option<Instant> {
        let (_, at) = self.ended?;
        let moved = |leg: &OutputStream| leg.moved;
        let stuck = self.legs.iter().filter(|leg| leg.is_pending()).map(moved).max();
        self.lingers().then(|| stuck.map_or(at, |moved| at.max(moved)) + GRACE)
    }

    /// Returns until when a reader may take nothing after the command was asked to end and did. The
    /// command would not have waited for that reader; the rest is relayed in the background.
    fn stalls(&self) -> Option<Instant> {
        let (_, at) = self.ended.filter(|_| self.told_to_end.is_some_and(signals::asks_to_end))?;
        let [a, b] = &self.legs;
        Some(at.max(a.moved).max(b.moved) + GRACE)
    }

    /// Returns until when a reader may take nothing after the command ran out of time.
    fn patience(&self) -> Option<Instant> {
        let [a, b] = &self.legs;
        self.limit?.patience(a.moved.max(b.moved))
    }

    /// Returns when to wake up even if nothing happens.
    fn deadline(&self) -> Option<Instant> {
        let has_ended = self.ended.is_some();
        let in_background = |console: &Console| !has_ended && console.is_in_the_background();
        [
            self.grace(),
            self.patience().filter(|_| has_ended && self.is_idle()),
            self.stalls().filter(|_| self.is_idle()),
            self.limit.and_then(|limit| limit.due(has_ended)),
            self.console.as_ref().filter(|c| in_background(c)).map(|_| Instant::now() + GLANCE),
            self.typed_elsewhere().map(|_| Instant::now() + GLANCE),
            self.readers.as_ref().and_then(Readers::due).filter(|_| !has_ended),
            self.read_back.as_ref().and_then(ReadBack::due).filter(|_| !has_ended),
            (!has_ended && self.is_unread()).then(|| Instant::now() + GLANCE),
            self.is_unsure.then(|| Instant::now() + TURN),
            self.output_ends(0),
            self.output_ends(1),
            self.legs[0].deadline(),
            self.legs[1].deadline(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Waits until something is ready. Returns whether a reader may have left.
    pub(super) fn wait(&self, signals: &Signals) -> bool {
        let mut watched = SmallVec::<[PollFd<'_>; 8]>::new();
        watched.push(PollFd::from_borrowed_fd(signals.descriptor(), PollFlags::IN));
        self.feeder.watch(&mut watched);
        if let Some((terminal, flags)) = self.console.as_ref().and_then(Console::waits_for) {
            watched.push(PollFd::from_borrowed_fd(terminal, flags));
        }
        let has_backlog = self.backlog.is_some();
        if has_backlog {
            let pending = self.legs.iter().filter(|leg| leg.is_pending());
            watched.extend(pending.filter_map(OutputStream::waits_for));
        } else {
            self.late.watch(&self.legs, &mut watched);
        }
        let readers = watched.len();
        watched.extend(self.legs.iter().filter_map(OutputStream::watches));
        let now = Instant::now();
        let left = self.deadline().map(|deadline| deadline.saturating_duration_since(now));
        if fsutil::poll(&mut watched, left).is_err_and(|errno| errno != Errno::INTR) {
            // Nothing else blocks here: without this pause, a failing `poll` would be a busy loop.
            std::thread::sleep(TURN.min(left.unwrap_or(TURN)));
        }
        watched[readers..].iter().any(|reader| !reader.revents().is_empty()) || self.is_unread()
    }
}
