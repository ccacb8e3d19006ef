//! Taking turns: one run at a time waits for its turn, or follows another process's run.

use super::{Call, Miss, Runner, Turn};
use crate::run::wait::{Apart, Wait, WaitPolicy, Waited};
use cachex_base::process::exit::{self, Exit};
use cachex_base::process::report::{Outcome, Report};
use cachex_base::record::frames::Stream;
use cachex_base::streams::messages;
use cachex_base::streams::nonblocking_writer;
use cachex_base::system::clock::Timestamp;
use cachex_base::text::values::Mode;
use cachex_store::Root;
use cachex_store::events::Kind;
use cachex_store::lock::{self, End, EndedBy};
use cachex_store::remote::Claimed;
use cachex_store::young::Young;
use std::time::Duration;

impl Runner<'_> {
    /// Returns why the command is to run without the cache, if its outputs or its arguments tell.
    fn why_uncached(&self) -> Option<&'static str> {
        match Stream::BOTH.into_iter().find(|it| nonblocking_writer::may_refuse(*it)) {
            Some(Stream::Stdout) => Some("standard output may take nothing"),
            Some(Stream::Stderr) => Some("standard error may take nothing"),
            None if self.names_its_output() => {
                Some("an argument names the file that its output is added to")
            }
            None => self.names_a_pipe().then_some("an argument names a pipe"),
        }
    }

    /// Runs the command when it is this call's turn.
    pub(super) fn take_turn(&self, root: &Root, mut miss: Miss) -> Exit {
        if miss.stale.is_none()
            && let Some(why) = self.why_uncached()
        {
            self.messages().tell(format_args!("not cached: {why}"));
            return self.uncached(miss.call.stdin.source, why);
        }
        let is_behind = self.run_behind(root, &mut miss);
        let takes_turns = self.config.no_concurrent && self.config.mode != Mode::ReadOnly;
        if !takes_turns && !is_behind {
            return self.run_and_record(root, miss);
        }
        // A forced run cannot use an earlier one. Records leave out what a terminal was asked.
        // Inputs of another's automatic run may have changed since it began; only a record tells.
        let is_forced = self.config.mode == Mode::WriteOnly && miss.behind.is_none();
        let shares = !is_forced && self.terminal().is_none() && !self.is_automatic();
        let terms = WaitPolicy {
            lock_timeout: self.config.lock_timeout,
            timeout: self.config.timeout,
            first_turn: miss.behind,
            shares,
            // A successful run that is not recorded left its files where it ran.
            shares_success: self.config.outputs.is_empty(),
            // A run that a good result may replace is not shown before its end. Files are restored
            // from a record.
            shows: shares && miss.stale.is_none() && self.config.outputs.is_empty(),
        };
        let began = Timestamp::now();
        let mut wait = Wait::new(root, self.messages(), terms);
        let mut given_up = 0;
        loop {
            match wait.for_turn(&lock::beside(&miss.call.key, given_up)) {
                Ok(Waited::LeftAlone) => given_up += 1,
                Ok(Waited::Turn { lock, waited }) => {
                    let miss =
                        Miss { turn: Turn::Held(lock), printed: wait.into_printed(), ..miss };
                    return self.run_in_turn(root, miss, waited || given_up > 0, began);
                }
                Ok(Waited::Apart(why)) => {
                    let miss = Miss { printed: wait.into_printed(), ..miss };
                    return self.run_apart(root, miss, why);
                }
                Ok(Waited::Ended(end)) if terms.shows => {
                    return self.followed(root, &miss, &wait, end);
                }
                Ok(Waited::Ended(end)) => return self.held_back(root, miss, wait, end),
                Ok(Waited::TimedOut) => return self.followed_for_too_long(root, miss, &wait),
                Ok(Waited::Failed) => return self.not_completed(&miss.call),
                Err(error) => {
                    self.messages().warn(format_args!("running without a lock: {error}"));
                    let miss = Miss { printed: wait.into_printed(), ..miss };
                    return self.run_and_record(root, miss);
                }
            }
        }
    }

    /// Holds the lock: serves what earlier runs left, or runs the command.
    fn run_in_turn(&self, root: &Root, mut miss: Miss, waited: bool, began: Timestamp) -> Exit {
        // A query of a remote store takes long enough for another process to finish a whole turn,
        // and that run's result is in this store.
        if waited || !self.config.remotes.is_empty() {
            // The key may have become outdated during the wait.
            if self.moved(&miss.call).is_none()
                && let Ok(hit) = self.find_here(root, &miss.call)
            {
                miss.turn = Turn::Free;
                let outcome = if miss.behind.is_some() { Outcome::Followed } else { Outcome::Hit };
                return self.serve_or_run(root, miss.call, hit, outcome, &miss.printed);
            }
            // If runs are not recorded, waiting for one after another helps nobody.
            if self.was_refused_since(root, &miss.call, began) {
                miss.turn = Turn::Free;
            }
        }
        // The local lock does not bind other machines.
        let _claim = match self.claims(&miss).then(|| self.claim_there(root, &miss.call.key)) {
            Some(Some(Claimed::Ours(claim))) => Some(claim),
            Some(Some(Claimed::Found)) => {
                if let Ok(hit) = self.find(root, &miss.call) {
                    miss.turn = Turn::Free;
                    return self.serve_or_run(root, miss.call, hit, Outcome::Hit, &miss.printed);
                }
                None
            }
            Some(Some(Claimed::TooLate)) => {
                self.messages().tell(format_args!("another machine runs it: --lock-timeout"));
                None
            }
            _ => None,
        };
        self.run_and_record(root, miss)
    }

    /// Returns whether processes on other machines are to wait for this run.
    fn claims(&self, miss: &Miss) -> bool {
        self.config.no_concurrent && matches!(miss.turn, Turn::Held(_)) && miss.behind.is_none()
    }

    /// Runs the command although another process holds the lock.
    fn run_apart(&self, root: &Root, mut miss: Miss, why: Apart) -> Exit {
        let why = match why {
            Apart::Within => "within its own run",
            Apart::Circle => "within a run that waits for it",
            Apart::Dropped => "the run of another process cannot be shared",
            Apart::Impatient => "--lock-timeout",
        };
        if miss.printed.is_empty() && miss.stale.is_none() {
            return self.uncached(miss.call.stdin.source, why);
        }
        miss.turn = Turn::Apart(why);
        self.run_and_record(root, miss)
    }

    /// Ends a call that waited for another process's run without showing it. A stale entry may
    /// stand in for a failed run. A record restores its files. Without a record, the output that
    /// was followed is shown.
    fn held_back(&self, root: &Root, mut miss: Miss, mut wait: Wait<'_>, end: End) -> Exit {
        let is_good = matches!(end.how, EndedBy::Status(it) if self.config.freshness.is_good(it));
        let stale = miss.stale.take().filter(|_| !is_good);
        if let Some(stale) = stale.and_then(|stale| self.standing_in(root, stale)) {
            self.messages().tell(format_args!("the command failed in another process"));
            return self.serve(root, &miss.call.stdin, stale, Outcome::Stale);
        }
        if let Ok(hit) = self.find_here(root, &miss.call) {
            let outcome = if miss.behind.is_some() { Outcome::Followed } else { Outcome::Hit };
            return self.serve(root, &miss.call.stdin, hit, outcome);
        }
        match wait.show(end) {
            Waited::Ended(end) => self.followed(root, &miss, &wait, end),
            _ => self.not_completed(&miss.call),
        }
    }

    /// Ends a call that was shown another process's run from beginning to end.
    fn followed(&self, root: &Root, miss: &Miss, wait: &Wait<'_>, end: End) -> Exit {
        let call = &miss.call;
        if let Some(consumed) = end.stdin_consumed {
            self.leave_input(&call.stdin, consumed);
        }
        if let Ok(Some(entry)) = Young::new(root).get(&call.key) {
            self.tag(root, &entry);
        }
        if miss.behind.is_none() {
            // This call took as long as the run, and saved a second one.
            self.note(root, &call.key, Kind::Hit { cost: 0, files: 0 }, Duration::ZERO);
        }
        self.messages().tell(format_args!("followed {} to its end", messages::short(&call.key)));
        let exit = match end.how {
            EndedBy::Status(status) => Exit::Status(status),
            EndedBy::Signal(signal) => Exit::Signal(signal.into()),
            EndedBy::TimeLimit(_) => Exit::Status(exit::TIMED_OUT),
        };
        self.report_following(call, wait, None, exit);
        exit
    }

    /// Ends a call that timed out before the run it follows ended, in the way a run of its own
    /// would have ended.
    fn followed_for_too_long(&self, root: &Root, mut miss: Miss, wait: &Wait<'_>) -> Exit {
        let stale = miss.stale.take().and_then(|stale| self.standing_in(root, stale));
        if let Some(stale) = stale {
            self.messages().tell(format_args!("the run of another process takes too long"));
            return self.serve(root, &miss.call.stdin, stale, Outcome::Stale);
        }
        let key = messages::short(&miss.call.key);
        self.messages().tell(format_args!("followed {key} for as long as --timeout lets it"));
        let exit = Exit::Status(exit::TIMED_OUT);
        self.report_following(&miss.call, wait, Some("it took longer than --timeout"), exit);
        exit
    }

    fn report_following(&self, call: &Call, wait: &Wait<'_>, reason: Option<&str>, exit: Exit) {
        self.report(|| {
            let [stdout_bytes, stderr_bytes] = wait.shown().map(Some);
            let (result, reason) = (Outcome::Followed, reason.map(str::to_owned));
            let report = Report::about(&call.key);
            Report { result, reason, stdout_bytes, stderr_bytes, ..report }.ending(exit)
        });
    }

    /// Ends a call that was shown a part of an output that cannot be completed.
    fn not_completed(&self, call: &Call) -> Exit {
        let exit = Exit::Status(exit::CACHEX_FAILED);
        self.report(|| {
            let reason = Some("the output cannot be completed".to_owned());
            Report { result: Outcome::Followed, reason, ..Report::about(&call.key) }.ending(exit)
        });
        exit
    }
}
