//! The cache-aside loop: look up, else run, then record.
//!
//! Anything that keeps the cache from working ends in [`Runner::uncached`], which runs the command
//! and nothing else, with at most one warning.

mod automatic;
mod declared;
pub mod explain;
mod files;
pub mod follow;
pub mod home;
mod identify;
mod in_place;
mod keep;
mod look_up;
mod own_output;
mod programs;
mod project;
mod record;
mod refresh;
mod remote;
pub mod replay;
mod shim;
mod tags;
mod turn;
mod uncached;
mod unkeyed;
mod unwaited;
pub mod wait;
mod witness;

pub use cachex_store::open::{existing_store, open_store};
pub use explain::advice::{Advice, Effect};
pub use explain::automatic::{Automatic, DifferingFact};
pub use explain::nearest::{Incomparable, Nearest};
pub use explain::{Explanation, Refresh, Sources, State};
pub use home::AtHome;
pub use identify::key_of;
pub use refresh::{VERB as REFRESH, serve as serve_refresh};
pub use remote::{Answer, There, remote_beside, shows_nothing};
pub use shim::Shims;

use crate::config::{Config, Vars};
use crate::run::replay::{Replay, Unplayed};
use anyhow::Result;
use cachex_base::process::exit::{self, Exit};
use cachex_base::process::fallback;
use cachex_base::process::report::{self, Outcome, Report};
use cachex_base::record::entry::Key;
use cachex_base::streams::messages::{self, Messages};
use cachex_base::streams::output_prefix::OutputPrefix;
use cachex_base::system::clock::{Timestamp, nanos};
use cachex_base::system::signals::BrokenPipes;
use cachex_base::text::values::Mode;
use cachex_exec::invocation::Invocation;
use cachex_exec::stdin::Stdin;
use cachex_store::Root;
use cachex_store::db_client;
use cachex_store::events::{self, Event, Kind, Reason};
use cachex_store::lock::Lock;
use files::Hit;
use identify::{Call, Unidentified};
use rustix::io::Errno;
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStrExt;
use std::time::{Duration, Instant};

/// The standard descriptors that were closed when cachex started.
pub type Closed = [bool; 3];

/// One call of `cachex run`.
pub struct Runner<'a> {
    /// The command to run.
    pub invocation: &'a Invocation,
    /// The effective settings of the call.
    pub config: &'a Config,
    /// The environment.
    pub vars: &'a Vars,
    /// The closed descriptors.
    pub closed: Closed,
    /// The destination of a report of the call.
    pub report: Option<&'a report::Target>,
    /// The time at which the call began.
    pub began: Instant,
    /// State about scripts on PATH that call cachex under the command's own name.
    pub shims: Shims,
    /// The reason why the result stays on this machine, once it was asked for.
    pub at_home: AtHome,
    /// Shows progress on a terminal until the returned value is dropped, unless told to be quiet.
    pub shows_progress: fn(bool) -> Box<dyn std::any::Any>,
}

/// An entry that may be served once its files are restored, and its age.
struct Candidate {
    replay: Replay,
    age: Duration,
    /// True if the entry was just fetched from the remote store.
    is_remote: bool,
}

/// The reason why an entry was not shown to its end; a run can still take its place.
enum Unserved {
    /// A stream cannot be written, and nothing was written.
    Unwritable,
    /// The entry can no longer be read; holds the output already shown.
    Unreadable(OutputPrefix),
}

impl std::fmt::Display for Unserved {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Unserved::Unwritable => UNWRITABLE,
            Unserved::Unreadable(_) => "it cannot be read any more",
        })
    }
}

/// The reason given when a call goes on uncached because its streams cannot be written.
const UNWRITABLE: &str = "the output cannot be written";

/// The reason why there is nothing fresh to serve.
struct Missed {
    why: Reason,
    /// The entry that may be served should the command fail.
    stale: Option<Box<Candidate>>,
}

/// A call that is not answered from the store, with its turn to run the command.
struct Miss {
    call: Call,
    why: Reason,
    stale: Option<Box<Candidate>>,
    turn: Turn,
    /// The output of another process's run that the caller has been shown.
    printed: OutputPrefix,
    /// The turn of a background run that outlives its caller, if there is one.
    behind: Option<u64>,
}

/// The relation of a run to others of the same key.
enum Turn {
    /// Independent: no run waits for another.
    Free,
    /// This run holds the lock that keeps others from running the command.
    Held(Lock),
    /// Another run holds the lock; this one is shown and not recorded, for this reason.
    Apart(&'static str),
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
        let missed = match self.find(root, &call) {
            Ok(hit) => return self.serve_fresh(root, call, hit),
            Err(missed) => missed,
        };
        let (call, is_another) = match self.beyond_itself(root, call) {
            Ok(call) => call,
            Err(why) => return self.unidentified(why),
        };
        let Missed { why, stale } = match is_another.then(|| self.find(root, &call)) {
            Some(Ok(hit)) => return self.serve_fresh(root, call, hit),
            Some(Err(missed)) => missed,
            None => missed,
        };
        let (call, stale) = match self.without_a_run(root, call, why, stale) {
            ControlFlow::Break(exit) => return exit,
            ControlFlow::Continue(goes_on) => goes_on,
        };
        let is_forced = self.config.mode == Mode::WriteOnly;
        let pauses = |stale: &Candidate| {
            !is_forced && self.failed_since(root, &call.key, stale.replay.entry())
        };
        let stale = match stale {
            Some(stale) if pauses(&stale) => match self.standing_in(root, stale) {
                Some(stale) => {
                    self.messages()
                        .tell(format_args!("the command failed lately, it is not tried again yet"));
                    let printed = OutputPrefix::at_start();
                    return self.serve_or_run(root, call, stale, Outcome::Stale, &printed);
                }
                None => None,
            },
            stale => stale,
        };
        let printed = OutputPrefix::at_start();
        let miss = Miss { call, why, stale, turn: Turn::Free, printed, behind: None };
        self.take_turn(root, miss)
    }

    /// Serves a fresh entry, and has it replaced in the background if it is ageing.
    fn serve_fresh(&self, root: &Root, mut call: Call, hit: Hit) -> Exit {
        let ages = self.config.freshness.refresh_after.is_some_and(|after| hit.age >= after);
        let refreshed = ages && self.refresh(root, &mut call, hit.replay.entry());
        let outcome = if refreshed { Outcome::Refreshing } else { Outcome::Hit };
        self.serve_or_run(root, call, hit, outcome, &OutputPrefix::at_start())
    }

    /// Serves an entry to a caller who was already shown `printed`. If the entry cannot be shown to
    /// its end, that is treated as a miss, and the command runs for the rest.
    fn serve_or_run(
        &self,
        root: &Root,
        call: Call,
        hit: Hit,
        outcome: Outcome,
        printed: &OutputPrefix,
    ) -> Exit {
        match self.try_to_serve(root, &call.stdin, hit, outcome, printed) {
            Ok(exit) => exit,
            // The command will meet the same error itself.
            Err(Unserved::Unwritable) => self.uncached(call.stdin.source, UNWRITABLE),
            Err(Unserved::Unreadable(printed)) => {
                let miss = Miss {
                    call,
                    why: Reason::Unreadable,
                    stale: None,
                    turn: Turn::Free,
                    printed,
                    behind: None,
                };
                self.run_and_record(root, miss)
            }
        }
    }

    /// Serves an entry in place of a command that failed or must not run.
    fn serve(&self, root: &Root, stdin: &Stdin, hit: Hit, outcome: Outcome) -> Exit {
        let served = self.try_to_serve(root, stdin, hit, outcome, &OutputPrefix::default());
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
        printed: &OutputPrefix,
    ) -> Result<Exit, Unserved> {
        fallback::is_too_late();
        // Otherwise the entry is the record of this call's own run.
        let is_hit = outcome != Outcome::Followed;
        let consumed = hit.replay.entry().stdin_consumed;
        // A command reads its input before it prints. Whoever stops with the replay, or reads on as
        // soon as output comes, must find a file already read. A pipe's contents could not be put
        // back.
        let moved = consumed.filter(|_| stdin.is_file());
        if let Some(consumed) = moved {
            self.leave_input(stdin, consumed);
        }
        let pipes = BrokenPipes::hold();
        // Who could not write may have been a child, after which the command went on.
        if hit.replay.is_helped() && !pipes.are_survived() {
            hit.replay.bear_losses();
        }
        let played = match self.terminal() {
            _ if is_hit && !self.config.replay.prints(hit.replay.entry().status) => Ok(()),
            Some(_) => hit.replay.play_at_a_terminal(printed),
            None => hit.replay.play_after(printed),
        };
        // If SIGPIPE does not end this process, the command decides, and sets the status.
        let tells = !matches!(outcome, Outcome::Stale);
        let unserved = |unserved| {
            moved.inspect(|&consumed| stdin.unskip(consumed));
            Err(unserved)
        };
        let status = match played {
            Err(unplayed) if tells && unplayed.is_broken_pipe() && pipes.are_survived() => {
                let printed = hit.replay.printed().ok().filter(|_| !hit.replay.is_unshown());
                return unserved(printed.map_or(Unserved::Unwritable, Unserved::Unreadable));
            }
            // If the reader left, the command would not have noticed anything more.
            Ok(()) | Err(Unplayed::Unwritable(_, Errno::PIPE)) => Self::end(&hit.replay, &pipes),
            Err(Unplayed::Unwritable(..)) if hit.replay.is_unshown() => {
                return unserved(Unserved::Unwritable);
            }
            Err(Unplayed::Unreadable(error)) => match hit.replay.printed() {
                Ok(printed) => return unserved(Unserved::Unreadable(printed)),
                Err(_) => Self::unplayed(&Unplayed::Unreadable(error)),
            },
            Err(unplayed) => Self::unplayed(&unplayed),
        };
        let entry = hit.replay.entry();
        if let Some(consumed) = consumed.filter(|_| moved.is_none()) {
            self.leave_input(stdin, consumed);
        }
        drop(pipes);
        let run_time = Duration::from_nanos(entry.run_time);
        let cost = nanos(self.began.elapsed());
        let files = entry.outputs.map_or(0, |outputs| outputs.files);
        let (kind, what) = match outcome {
            Outcome::Stale => (Kind::Stale { cost }, "stale"),
            Outcome::Refreshing => (Kind::Hit { cost, files }, "hit (refreshing)"),
            Outcome::Followed => (Kind::Hit { cost, files }, "followed"),
            _ if hit.is_remote => (Kind::Hit { cost, files }, "hit (remote)"),
            _ => (Kind::Hit { cost, files }, "hit"),
        };
        if is_hit {
            self.note(root, &entry.key, kind, run_time);
            self.learn_there(root);
        }
        self.tag(root, entry);
        if is_hit && self.config.mark {
            messages::mark(hit.age);
        }
        if self.config.verbose {
            let matched = hit.matched.map_or_else(String::new, |it| {
                format!(", {} facts in {}", it.facts, cachex_base::text::quote::rounded(it.took))
            });
            let restored = match entry.outputs {
                Some(outputs) if self.config.identity.auto.is_some() && outputs.files > 0 => {
                    let files = if outputs.files == 1 { "file" } else { "files" };
                    format!(", {} {files} restored", outputs.files)
                }
                _ => String::new(),
            };
            self.messages().tell(format_args!(
                "{what} {} age {}, saved {}{matched}{restored}",
                messages::short(&entry.key),
                cachex_base::text::quote::rounded(hit.age),
                cachex_base::text::quote::rounded(run_time)
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
                facts: hit.matched.map(|it| it.facts as u64),
                stdout_bytes,
                stderr_bytes,
                ..Report::of(entry)
            }
            .ending(status)
        });
        Ok(status)
    }

    /// Returns how a replay ends that was shown as far as that was possible.
    fn end(replay: &Replay, pipes: &BrokenPipes) -> Exit {
        let status = Exit::Status(replay.entry().status);
        let failed = match replay.lost() {
            None => return status,
            Some((_, Errno::PIPE)) => status,
            Some((stream, errno)) => Self::unplayed(&Unplayed::Unwritable(stream, errno)),
        };
        if status == Exit::SUCCESS {
            return failed;
        }
        // The command ended as recorded, whatever it made of its child's end.
        pipes.forgive();
        status
    }

    /// Records an event, and starts tidying the store when that is due.
    fn note(&self, root: &Root, key: &Key, kind: Kind, run_time: Duration) {
        let event = Event { kind, time: Timestamp::now(), key: *key, run_time: nanos(run_time) };
        let label = match kind {
            Kind::Hit { .. } | Kind::Stale { .. } | Kind::Elsewhere => None,
            Kind::Recorded { .. } | Kind::Unrecorded { .. } | Kind::Remote { .. } => {
                Some(self.invocation.name().as_bytes())
            }
        };
        if events::append(root, &event, label, self.config.max_entries).unwrap_or(false) {
            let _ = db_client::start_fold(root.path(), &self.config.bounds());
        }
    }

    /// Writes a report if one was requested.
    fn report(&self, report: impl FnOnce() -> Report) {
        if let Some(target) = self.report {
            target.write(&report());
        }
    }

    /// Returns the settings for messages.
    pub fn messages(&self) -> Messages {
        Messages { quiet: self.config.quiet, verbose: self.config.verbose }
    }
}
