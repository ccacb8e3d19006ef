//! Calls that are answered without waiting for a run: by an expired result, by nothing, or by the
//! output of a background run, which goes on if its caller is ended.

use super::{Call, Candidate, Hit, Miss, Runner};
use crate::config::Freshness;
use cachex_base::process::exit::Exit;
use cachex_base::process::report::{Outcome, Report};
use cachex_base::record::entry::{Entry, Key};
use cachex_base::streams::messages;
use cachex_base::system::clock::Timestamp;
use cachex_base::text::values::Mode;
use cachex_store::Root;
use cachex_store::events::Reason;
use cachex_store::lock::{self, Lock, Mode as LockMode};
use cachex_store::young::Young;
use std::ops::ControlFlow;
use std::time::Duration;

impl Runner<'_> {
    /// Returns the age of an expired entry, if it may still be served `beyond` its expiry.
    pub(super) fn stands_in(
        entry: &Entry,
        now: Timestamp,
        limit: Option<Duration>,
        beyond: Option<Duration>,
    ) -> Option<Duration> {
        let beyond = beyond?;
        let age = now.since(entry.created)?;
        let recorded = entry.expires_in.map(Duration::from_nanos);
        let limit = recorded.into_iter().chain(limit).min()?;
        (age < limit.saturating_add(beyond)).then_some(age)
    }

    /// Ends a call without a fresh entry, if it does not wait for a run; otherwise returns the
    /// entry that may stand in for a failing run.
    pub(super) fn without_a_run(
        &self,
        root: &Root,
        mut call: Call,
        why: Reason,
        stale: Option<Box<Candidate>>,
    ) -> ControlFlow<Exit, (Call, Option<Box<Candidate>>)> {
        let Freshness { stale_ok, stale_if_error, .. } = self.config.freshness;
        let waits = self.config.may_run();
        let is_within = |stale: &Candidate, beyond| {
            let entry = stale.replay.entry();
            let limit = self.config.freshness.limit(entry.status, &entry.key);
            Self::stands_in(entry, Timestamp::now(), limit, beyond).is_some()
        };
        let is_forced = self.config.mode == Mode::WriteOnly;
        let is_ok = |stale: &Candidate| match self.config.no_wait {
            Some(_) => is_within(stale, stale_ok.max(stale_if_error)),
            // If nothing may run in the background, nobody would replace the entry.
            None => is_within(stale, stale_ok) && (self.may_refresh() || !waits),
        };
        let stale = match stale {
            Some(stale) if !is_forced && is_ok(&stale) => match self.standing_in(root, stale) {
                Some(hit) => return ControlFlow::Break(self.serve_expired(root, &mut call, hit)),
                None => None,
            },
            // The entry was to be served at once, and cannot be.
            stale => stale.filter(|it| is_forced || is_within(it, stale_if_error)),
        };
        if let Some(status) = self.config.cached_only {
            return ControlFlow::Break(self.absent(&call.key, why, status));
        }
        match self.config.no_wait {
            Some(status) => {
                ControlFlow::Break(self.leave_to_the_background(root, call, why, status))
            }
            None => ControlFlow::Continue((call, stale)),
        }
    }

    /// Serves an expired entry, and has it replaced.
    fn serve_expired(&self, root: &Root, call: &mut Call, hit: Hit) -> Exit {
        let is_replaced = self.refresh(root, call, hit.replay.entry());
        let outcome = if is_replaced { Outcome::Refreshing } else { Outcome::Stale };
        self.serve(root, &call.stdin, hit, outcome)
    }

    /// Ends a call that may only be answered from the store, and cannot be.
    fn absent(&self, key: &Key, why: Reason, status: u8) -> Exit {
        let exit = Exit::Status(status);
        self.messages().tell(format_args!("absent {} {why}", messages::short(key)));
        self.report(|| {
            let reason = Some(why.to_string());
            Report { result: Outcome::Absent, reason, ..Report::about(key) }.ending(exit)
        });
        exit
    }

    /// Starts the run whose result the next call will find, unless it failed recently.
    fn leave_to_the_background(
        &self,
        root: &Root,
        mut call: Call,
        why: Reason,
        status: u8,
    ) -> Exit {
        let key = call.key;
        let recorded = Young::new(root).get(&key).ok().flatten();
        let since = recorded.map_or(Timestamp(0), |entry| entry.created);
        if self.failed_after(root, &key, since) {
            return self.absent(&key, why, status);
        }
        if let Err(error) = self.run_in_the_background(root, &mut call) {
            self.messages().warn(format_args!("nothing was started in the background: {error:#}"));
            return self.absent(&key, why, status);
        }
        let exit = Exit::Status(status);
        self.messages().tell(format_args!("warming {} {why}", messages::short(&key)));
        self.report(|| {
            let reason = Some(why.to_string());
            Report { result: Outcome::Warming, reason, ..Report::about(&key) }.ending(exit)
        });
        exit
    }

    /// Starts a background run that outlives its caller, if that is requested and possible. Returns
    /// whether it is possible: then its output is followed like that of any other run, no matter
    /// which caller started it.
    pub(super) fn run_behind(&self, root: &Root, miss: &mut Miss) -> bool {
        let records = matches!(self.config.mode, Mode::ReadWrite | Mode::WriteOnly);
        let is_possible = self.config.finish
            && records
            && self.terminal().is_none()
            && self.config.outputs.is_empty()
            // Inputs of another's automatic run may have changed since it began.
            && !self.is_automatic()
            && miss.call.descriptors.is_empty()
            // The command would find an empty one there.
            && !self.closed[0]
            // Data taken from a pipe could not be given to a second run.
            && miss.call.stdin.is_untaken();
        if !is_possible {
            return false;
        }
        let key = &miss.call.key;
        let take = |name| Lock::take(root, name, LockMode::TryExclusive).ok().flatten();
        // The locks are taken in this order, without waiting.
        if let Some(refreshing) = take(lock::of_refresh(key))
            && let Some(turn) = take(lock::of_key(key))
        {
            let next = turn.left_behind().map_or(0, |before| before.turn).wrapping_add(1);
            let started = self.hand_over(&refreshing, &turn, &mut miss.call);
            miss.behind = started.is_ok().then_some(next);
        }
        true
    }
}
