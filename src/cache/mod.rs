//! The cache-aside loop: look up, else run, then record.
//!
//! Whatever keeps the cache from doing its part ends in [`Runner::uncached`],
//! which is the command and nothing else, and at the most one warning.

mod advice;
mod declared;
mod explain;
mod files;
mod identify;
mod in_place;
mod nearest;
mod open;
mod project;
mod record;
mod refresh;
mod shared;
mod shim;
mod tags;
mod turn;
mod uncached;
mod witness;

pub use advice::{Advice, Effect};
pub use explain::{Explanation, Refresh, Sources, State};
pub use identify::key_of;
pub use nearest::{Incomparable, Nearest};
pub use open::{existing_store, open_store};
pub use refresh::{VERB as REFRESH, serve as serve_refresh};
pub use shared::{Answer, There, remote_beside, shows_nothing};
pub use shim::Shims;

use crate::clock::{Timestamp, nanos};
use crate::config::{Config, Vars};
use crate::entry::{Entry, Key};
use crate::exit::{self, Exit};
use crate::fallback;
use crate::invocation::Invocation;
use crate::lock::Lock;
use crate::messages::{self, Messages};
use crate::printed::Printed;
use crate::replay::{Replay, Unplayed};
use crate::report::{self, Outcome, Report};
use crate::sink::Outputs;
use crate::stdin::Stdin;
use crate::store::events::{self, Event, Kind, Reason};
use crate::store::fence::{self, Fenced};
use crate::store::guard::SetAside;
use crate::store::young::Young;
use crate::store::{Root, Stack, Store};
use crate::values::Mode;
use anyhow::Result;
use identify::{Call, Unidentified};
use rustix::io::Errno;
use std::os::unix::ffi::OsStrExt;
use std::time::{Duration, Instant};

/// Which of the standard descriptors were closed when cachex started.
pub type Closed = [bool; 3];

/// One call of `cachex run`.
pub struct Runner<'a> {
    /// What is to be run.
    pub invocation: &'a Invocation,
    /// How.
    pub config: &'a Config,
    /// The environment.
    pub vars: &'a Vars,
    /// Which descriptors are closed.
    pub closed: Closed,
    /// Where a report of the call goes.
    pub report: Option<&'a report::Target>,
    /// When the call began.
    pub began: Instant,
    /// What stands in the way of what is meant.
    pub shims: Shims,
    /// Shows on a terminal how far this process is, until what it returns is dropped,
    /// unless it is to be quiet.
    pub shows_progress: fn(bool) -> Box<dyn std::any::Any>,
}

/// An entry that may be served, and its age.
struct Hit {
    replay: Replay,
    age: Duration,
    /// Whether it came from the remote store just now.
    is_remote: bool,
}

/// Why an entry was not shown to its end, where a run can still take its place.
enum Unserved {
    /// A stream cannot be written, and nothing was.
    Unwritable,
    /// It cannot be read any more; what has been shown.
    Unreadable(Printed),
}

impl std::fmt::Display for Unserved {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Unserved::Unwritable => UNWRITABLE,
            Unserved::Unreadable(_) => "it cannot be read any more",
        })
    }
}

/// Why a call goes on uncached whose streams take nothing.
const UNWRITABLE: &str = "the output cannot be written";

/// Why there is nothing fresh to serve.
struct Missed {
    why: Reason,
    /// What may be served should the command fail.
    stale: Option<Box<Hit>>,
}

/// A call that is not answered from the store. It holds the lock that keeps
/// others from running it too.
struct Miss {
    call: Call,
    why: Reason,
    stale: Option<Box<Hit>>,
    lock: Option<Lock>,
    /// What the caller has been shown of another's run.
    printed: Printed,
    /// Why the run is not to be recorded, if it is not.
    apart: Option<&'static str>,
}

impl Runner<'_> {
    /// Serves the result from `root`, or runs the command and records it there.
    pub fn run(&self, root: &Root) -> Exit {
        let call = match self.identify(root) {
            Ok(call) => call,
            Err(exit) => return exit,
        };
        if self.config.warm {
            return self.warm(root, call);
        }
        let missed = match self.find(root, &call.key) {
            Ok(hit) => return self.serve_fresh(root, call, hit),
            Err(missed) => missed,
        };
        let (call, is_another) = match self.beyond_itself(root, call) {
            Ok(call) => call,
            Err(why) => return self.unidentified(why),
        };
        let Missed { why, stale } = match is_another.then(|| self.find(root, &call.key)) {
            Some(Ok(hit)) => return self.serve_fresh(root, call, hit),
            Some(Err(missed)) => missed,
            None => missed,
        };
        if let Some(status) = self.config.cached_only {
            return self.absent(&call.key, why, status);
        }
        let is_forced = self.config.mode == Mode::WriteOnly;
        let pauses = |hit: &Hit| !is_forced && self.failed_since(root, hit.replay.entry());
        let stale = match stale {
            Some(stale) if pauses(&stale) => match self.standing_in(root, stale) {
                Some(stale) => {
                    self.messages()
                        .tell(format_args!("the command failed lately, it is not tried again yet"));
                    let printed = Printed::default();
                    return self.serve_or_run(root, call, *stale, Outcome::Stale, &printed);
                }
                None => None,
            },
            stale => stale,
        };
        let printed = Printed::default();
        self.take_turn(root, Miss { call, why, stale, lock: None, printed, apart: None })
    }

    /// The entry that is served now, the files that go with it brought back; or why
    /// there is none. Where nothing fresh is at hand, the remote store is asked for it.
    fn find(&self, root: &Root, key: &Key) -> Result<Hit, Missed> {
        match self.look_up(root, key) {
            Ok(hit) => self.completed(root, hit),
            Err(missed) => {
                let hit = self.find_there(root, key, missed)?;
                self.completed(root, hit)
            }
        }
    }

    /// The same of what is in this store alone.
    fn find_here(&self, root: &Root, key: &Key) -> Result<Hit, Missed> {
        let hit = self.look_up(root, key)?;
        self.completed(root, hit)
    }

    /// The entry of the remote store that may be served now, in the place of what was
    /// missed here.
    fn find_there(&self, root: &Root, key: &Key, missed: Missed) -> Result<Hit, Missed> {
        if self.config.mode == Mode::WriteOnly {
            return Err(missed);
        }
        let Some(entry) = self.fetch(root, key) else { return Err(missed) };
        match self.judge(root, key, Ok(Some(entry))) {
            Ok(hit) => Ok(Hit { is_remote: true, ..hit }),
            // It is later than what there is, if that is anything.
            Err(judged) if judged.stale.is_some() => Err(judged),
            Err(_) => Err(missed),
        }
    }

    /// Brings back the files that go with a hit, without which it is none.
    #[inline]
    fn completed(&self, root: &Root, hit: Hit) -> Result<Hit, Missed> {
        match self.bring_back(root, hit.replay.entry()) {
            Ok(()) => Ok(hit),
            Err(why) => Err(Missed { why, stale: None }),
        }
    }

    /// The entry of this store that may be served now, or why there is none.
    fn look_up(&self, root: &Root, key: &Key) -> Result<Hit, Missed> {
        let forced = self.config.mode == Mode::WriteOnly;
        if forced && self.config.freshness.stale_if_error.is_none() {
            return Err(Missed { why: Reason::Forced, stale: None });
        }
        let (young, old) = (Young::new(root), Fenced::new(root));
        let floors: [&dyn Store; 2] = [&young, &old];
        self.judge(root, key, Stack::new(&floors).get(key))
    }

    /// Whether what a look-up found may be served now.
    #[inline]
    fn judge(&self, root: &Root, key: &Key, found: Result<Option<Entry>>) -> Result<Hit, Missed> {
        let without = |why| Missed { why, stale: None };
        let freshness = &self.config.freshness;
        let forced = self.config.mode == Mode::WriteOnly;
        let entry = match found {
            Ok(Some(entry)) => entry,
            Ok(None) if forced => return Err(without(Reason::Forced)),
            Ok(None) => return Err(without(Reason::NotRecorded)),
            Err(error) => {
                if error.is::<SetAside>() {
                    self.messages().warn(format_args!("{error}"));
                }
                return Err(without(Reason::Unreadable));
            }
        };
        if !freshness.exit_codes.contain(entry.status) {
            return Err(without(if forced { Reason::Forced } else { Reason::OtherStatus }));
        }
        let now = Timestamp::now();
        let limit = freshness.limit(entry.status, key);
        let fresh = entry.fresh(now, limit);
        let (age, why) = match fresh {
            Some(age) if !forced => (age, None),
            _ => {
                let why = if forced { Reason::Forced } else { Reason::Expired };
                let good = freshness.is_good(entry.status);
                let stands_in = || self.stands_in(&entry, now, limit);
                match fresh.or_else(stands_in).filter(|_| good) {
                    Some(age) => (age, Some(why)),
                    None => return Err(without(why)),
                }
            }
        };
        match (Replay::prepare(root, entry), why) {
            (Ok(Some(replay)), _) if !replay.suits(Outputs::of_this_process) => {
                Err(without(Reason::OtherOutputs))
            }
            (Ok(Some(replay)), None) => Ok(Hit { replay, age, is_remote: false }),
            (Ok(Some(replay)), Some(why)) => {
                Err(Missed { why, stale: Some(Box::new(Hit { replay, age, is_remote: false })) })
            }
            (Ok(None), _) => Err(without(Reason::Damaged)),
            (Err(_), _) => Err(without(Reason::Unreadable)),
        }
    }

    /// The age of an expired entry that may be served should the command fail.
    fn stands_in(
        &self,
        entry: &Entry,
        now: Timestamp,
        limit: Option<Duration>,
    ) -> Option<Duration> {
        let freshness = &self.config.freshness;
        let beyond = freshness.stale_if_error?;
        let age = now.since(entry.created)?;
        let recorded = entry.expires_in.map(Duration::from_nanos);
        let limit = recorded.into_iter().chain(limit).min()?;
        (age < limit.saturating_add(beyond)).then_some(age)
    }

    /// Serves what is fresh, and has it replaced behind the caller's back if it ages.
    fn serve_fresh(&self, root: &Root, mut call: Call, hit: Hit) -> Exit {
        let ages = self.config.freshness.refresh_after.is_some_and(|after| hit.age >= after);
        let refreshed = ages && self.refresh(root, &mut call, hit.replay.entry());
        let outcome = if refreshed { Outcome::Refreshing } else { Outcome::Hit };
        self.serve_or_run(root, call, hit, outcome, &Printed::default())
    }

    /// Serves an entry to a caller who has been shown so much of it. If it cannot be
    /// shown to its end, that is as good as a miss, and the command runs for the rest.
    fn serve_or_run(
        &self,
        root: &Root,
        call: Call,
        hit: Hit,
        outcome: Outcome,
        printed: &Printed,
    ) -> Exit {
        match self.try_to_serve(root, &call.stdin, hit, outcome, printed) {
            Ok(exit) => exit,
            // The command meets that itself.
            Err(Unserved::Unwritable) => self.uncached(call.stdin.source, UNWRITABLE),
            Err(Unserved::Unreadable(printed)) => {
                let miss = Miss {
                    call,
                    why: Reason::Unreadable,
                    stale: None,
                    lock: None,
                    printed,
                    apart: None,
                };
                self.run_and_record(root, miss)
            }
        }
    }

    /// Serves an entry in the place of a command that ran, or is not to run.
    fn serve(&self, root: &Root, stdin: &Stdin, hit: Hit, outcome: Outcome) -> Exit {
        let served = self.try_to_serve(root, stdin, hit, outcome, &Printed::default());
        served.unwrap_or_else(|unserved| {
            messages::error(format_args!("replaying the result: {unserved}"));
            Exit::Status(exit::CACHEX_FAILED)
        })
    }

    fn try_to_serve(
        &self,
        root: &Root,
        stdin: &Stdin,
        mut hit: Hit,
        outcome: Outcome,
        printed: &Printed,
    ) -> Result<Exit, Unserved> {
        fallback::is_too_late();
        let played = match self.terminal() {
            Some(_) => hit.replay.play_at_a_terminal(printed),
            None => hit.replay.play_after(printed),
        };
        // Where SIGPIPE is ignored the command has a say, and a status of its own.
        let tells = matches!(outcome, Outcome::Hit | Outcome::Refreshing);
        let status = match played {
            Err(unplayed) if tells && unplayed.is_told_by_an_error() => {
                let printed = hit.replay.printed().ok().filter(|_| !hit.replay.is_unshown());
                return Err(printed.map_or(Unserved::Unwritable, Unserved::Unreadable));
            }
            // Where the reader left, the command would have been told no more.
            Ok(()) | Err(Unplayed::Unwritable(_, Errno::PIPE)) => {
                Exit::Status(hit.replay.entry().status)
            }
            Err(Unplayed::Unwritable(..)) if hit.replay.is_unshown() => {
                return Err(Unserved::Unwritable);
            }
            Err(Unplayed::Unreadable(error)) => match hit.replay.printed() {
                Ok(printed) => return Err(Unserved::Unreadable(printed)),
                Err(_) => Self::unplayed(&Unplayed::Unreadable(error)),
            },
            Err(unplayed) => Self::unplayed(&unplayed),
        };
        let entry = hit.replay.entry();
        if let Some(consumed) = entry.stdin_consumed {
            self.leave_input(stdin, consumed);
        }
        let run_time = Duration::from_nanos(entry.run_time);
        let cost = nanos(self.began.elapsed());
        let (kind, what) = match outcome {
            Outcome::Stale => (Kind::Stale { cost }, "stale"),
            Outcome::Refreshing => (Kind::Hit { cost }, "hit (refreshing)"),
            _ if hit.is_remote => (Kind::Hit { cost }, "hit (remote)"),
            _ => (Kind::Hit { cost }, "hit"),
        };
        self.note(root, &entry.key, kind, run_time);
        self.tag(root, entry);
        if self.config.verbose {
            self.messages().tell(format_args!(
                "{what} {} age {}, saved {}",
                messages::short(&entry.key),
                messages::rounded(hit.age),
                messages::rounded(run_time)
            ));
        }
        self.report(|| {
            let [stdout_bytes, stderr_bytes] = hit.replay.sizes().map(Some);
            Report {
                result: outcome,
                recorded: true,
                remote: hit.is_remote,
                age: Some(report::seconds(hit.age)),
                saved: report::seconds(run_time),
                stdout_bytes,
                stderr_bytes,
                ..Report::of(entry)
            }
            .ending(status)
        });
        Ok(status)
    }

    /// Says why a caller was shown a part only.
    fn unplayed(why: &Unplayed) -> Exit {
        messages::error(format_args!("replaying the result: {why}"));
        Exit::Status(exit::CACHEX_FAILED)
    }

    /// Ends a call that may only be answered from the store, and is not.
    fn absent(&self, key: &Key, why: Reason, status: u8) -> Exit {
        let exit = Exit::Status(status);
        self.messages().tell(format_args!("absent {} {why}", messages::short(key)));
        self.report(|| {
            let reason = Some(why.to_string());
            Report { result: Outcome::Absent, reason, ..Report::about(key) }.ending(exit)
        });
        exit
    }

    /// Writes down what happened, and has the store tidied when that is due.
    fn note(&self, root: &Root, key: &Key, kind: Kind, run_time: Duration) {
        let event = Event { kind, time: Timestamp::now(), key: *key, run_time: nanos(run_time) };
        let label = match kind {
            Kind::Hit { .. } | Kind::Stale { .. } | Kind::Elsewhere => None,
            Kind::Recorded { .. } | Kind::Unrecorded { .. } | Kind::Remote { .. } => {
                Some(self.invocation.name().as_bytes())
            }
        };
        if events::append(root, &event, label, self.config.max_entries).unwrap_or(false) {
            let _ = fence::start_fold(root.path(), &self.config.bounds());
        }
    }

    /// Writes a report, if one is wanted.
    fn report(&self, report: impl FnOnce() -> Report) {
        if let Some(target) = self.report {
            target.write(&report());
        }
    }

    /// What is wanted of messages.
    pub fn messages(&self) -> Messages {
        Messages { quiet: self.config.quiet, verbose: self.config.verbose }
    }
}
