//! Runs the command after a miss, and records the result.

use super::automatic::{Found, Tracing};
use super::identify::Unresolved;
use super::in_place::is_the_commands_own;
use super::refresh;
use super::{Call, Candidate, Miss, Runner, Turn};
use crate::files::outputs::collect::Before;
use cachex_base::process::exit::{self, Exit};
use cachex_base::process::fallback;
use cachex_base::process::report::{Outcome, Report};
use cachex_base::record::entry::{Entry, Key};
use cachex_base::streams::messages;
use cachex_base::text::values::Mode;
use cachex_exec::invocation::Executable;
use cachex_exec::screen::Screen;
use cachex_exec::stdin::Stdin;
use cachex_exec::{self as exec, Ended, Left, Output, Plan, Spoiled, Unstarted};
use cachex_store::Root;
use cachex_store::capture::{Ending, Prospect, Recorder};
use cachex_store::events::{Kind, Reason};
use cachex_store::lock::{End, EndedBy};
use std::borrow::Cow;
use std::os::unix::process::ExitStatusExt;

/// The result of recording a run.
pub(super) enum Recorded {
    /// The run was recorded as this entry; for an automatic call, with counts of its dependencies.
    As(Box<Entry>, Option<Found>),
    /// The run was not recorded, for this reason.
    Not(Cow<'static, str>),
}

impl Recorded {
    /// Returns the result for a run that was apart from others for this reason, or otherwise must
    /// not be recorded.
    fn by_no_one(apart: Option<&str>) -> Recorded {
        let why = apart.unwrap_or("--mode read-only");
        Recorded::Not(format!("not recorded: {why}").into())
    }

    /// Returns whether the run was recorded.
    pub(super) fn is_kept(&self) -> bool {
        matches!(self, Recorded::As(..))
    }
}

impl Runner<'_> {
    /// Runs the command, shows its output and records it. If it fails and an entry can stand in for
    /// it, shows that instead.
    pub(super) fn run_and_record(&self, root: &Root, miss: Miss) -> Exit {
        let Miss { mut call, why, stale, turn, printed, .. } = miss;
        let (lock, apart) = match turn {
            Turn::Free => (None, None),
            Turn::Held(lock) => (Some(lock), None),
            Turn::Apart(why) => (None, Some(why)),
        };
        self.watch(&mut call);
        let executable = match call.executable.clone().map_or_else(|| self.resolve(), Ok) {
            Ok(executable) => executable,
            Err(unresolved) => {
                // Output already shown cannot be taken back.
                return match unresolved {
                    Unresolved::Unknown(errno) if !printed.is_empty() => {
                        self.cannot_start(&errno.into())
                    }
                    unresolved => self.unresolved(&unresolved, call.stdin.source),
                };
            }
        };
        let (source, apart) = self.input_for(&mut call, apart);
        let may_record = self.config.mode != Mode::ReadOnly && apart.is_none();
        let tracing = may_record.then(|| self.begin_tracing(root, &call, &executable.path));
        let (tracing, untraced) = match tracing.transpose() {
            Ok(tracing) => (tracing.flatten(), None),
            Err(why) => (None, Some(why)),
        };
        let records = may_record && untraced.is_none();
        let limit = self.config.max_entry_size;
        let mut recorder =
            records.then(|| Recorder::new(root, limit, self.room(root)).shared_by(lock.as_ref()));
        let before = if records { self.before(root, &call.key) } else { Before::default() };
        let plan = Plan {
            invocation: self.invocation,
            program: &executable.path,
            trace: tracing.as_ref().map(Tracing::hook),
            source,
            // A run with a stand-in is shown, or not, only once it has ended.
            output: match stale {
                Some(_) => Output::Buffered,
                None if printed.is_empty() => Output::Live,
                None => Output::After(&printed),
            },
            timeout: self.config.timeout,
            tty: self.terminal().is_some(),
        };
        let mut ended = match exec::run(plan, recorder.as_mut()) {
            Ok(ended) => ended,
            Err(unstarted) => {
                let is_shown = !printed.is_empty();
                // The command in the place of this process must not have a child of it.
                drop(tracing);
                return self.not_started(root, &call, *unstarted, &executable, stale, is_shown);
            }
        };
        let ending =
            recorder.as_mut().map(|recorder| recorder.ending(self.prospect(&ended, false)));
        self.input_was_read(&mut call.stdin, std::mem::take(&mut ended.input));
        // They end while the result is recorded.
        let (_keepers, traced) = self.end_tracing(tracing, ended.status);
        if let Some(held) = ended.held.take() {
            let stale = stale.filter(|_| self.failed(&ended));
            if let Some(stale) = stale.and_then(|stale| self.standing_in(root, stale)) {
                self.tell(ending, &ended, &call.stdin, false, false);
                ended.left.take().into_iter().for_each(Left::carry_on);
                drop(recorder);
                refresh::mark_failed(root, &call.key);
                self.note(root, &call.key, Kind::Unrecorded { why }, ended.run_time);
                self.messages()
                    .tell(format_args!("the command failed ({})", in_words(Self::exit_of(&ended))));
                return self.serve(root, &call.stdin, stale, Outcome::Stale);
            }
            // The command no longer reads replies of the terminal.
            let screen = self.terminal().map(|_| Screen::new(rustix::stdio::stdout()));
            let shown = held.release(screen);
            ended.left.take().into_iter().for_each(Left::carry_on_shown);
            if let Err(lost) = shown {
                ended.lost.get_or_insert(lost);
            }
        }
        call.stdin.follow();
        let mut exit = Self::exit_of(&ended);
        fallback::has_ended(exit);
        let recorded = match (recorder, self.unmade(root, &ended)) {
            (_, Some(unmade)) => {
                messages::error(format_args!("{unmade}"));
                exit = Exit::Status(exit::CACHEX_FAILED);
                Recorded::Not("not recorded: an output was not made".into())
            }
            (None, None) => Recorded::by_no_one(apart.or(untraced.as_deref())),
            (Some(recorder), None) => {
                let parts = || self.parts(root, &executable, &call);
                if self.called_itself(root, &executable) {
                    Recorded::Not("not recorded: it calls itself by cachex".into())
                } else {
                    self.keep(root, &call, &before, &ended, recorder, traced, parts)
                }
            }
        };
        self.tell(ending, &ended, &call.stdin, recorded.is_kept(), false);
        self.note_refusal(root, &call, &recorded);
        drop(lock);
        self.share_recorded(root, &recorded);
        self.tell_of(root, &call, &executable, why, &ended, &recorded, exit);
        exit
    }

    /// Takes the way out when the command could not be started: serves an old result, or runs
    /// the command without the cache. Output that `is_shown` already cannot be taken back.
    fn not_started(
        &self,
        root: &Root,
        call: &Call,
        mut unstarted: Unstarted,
        executable: &Executable,
        stale: Option<Box<Candidate>>,
        is_shown: bool,
    ) -> Exit {
        call.stdin.put_back(&mut unstarted.source);
        // Resources too scarce for a cache may be enough for the command.
        if !is_the_commands_own(&unstarted.error) && !is_shown {
            return self.rather_in_place(unstarted, &executable.path);
        }
        let error = unstarted.error;
        if let Some(stale) = stale.and_then(|stale| self.standing_in(root, stale)) {
            self.messages().tell(format_args!("the command cannot be started: {error}"));
            return self.serve(root, &call.stdin, stale, Outcome::Stale);
        }
        self.cannot_start(&error)
    }

    /// Reports the result of a run in a message and in the report.
    #[expect(clippy::too_many_arguments, reason = "it is the last page of one story")]
    fn tell_of(
        &self,
        root: &Root,
        call: &Call,
        executable: &Executable,
        why: Reason,
        ended: &Ended,
        recorded: &Recorded,
        exit: Exit,
    ) {
        let what = self.note_run(root, &call.key, why, ended, recorded);
        // For automatic calls, `explain` compares the files instead.
        let nearest = (self.config.verbose && why == Reason::NotRecorded && !self.is_automatic())
            .then(|| self.nearest_in_words(root, executable, call))
            .flatten();
        let (colon, nearest) = nearest.map_or(("", String::new()), |nearest| (": ", nearest));
        self.messages().tell(format_args!(
            "miss {} {why}{colon}{nearest}; ran {}, {what}",
            messages::short(&call.key),
            cachex_base::text::quote::rounded(ended.run_time)
        ));
        self.report(|| {
            let report = match recorded {
                Recorded::As(entry, found) => Report {
                    recorded: true,
                    facts: found.as_ref().map(|found| found.facts as u64),
                    ..Report::of(entry)
                },
                Recorded::Not(_) => Report {
                    run_time: Some(cachex_base::process::report::seconds(ended.run_time)),
                    ..Report::about(&call.key)
                },
            };
            let reason = match recorded {
                Recorded::As(..) => why.to_string(),
                Recorded::Not(what) => format!("{why}; {what}"),
            };
            let [stdout_bytes, stderr_bytes] = ended.bytes.map(Some);
            let reason = Some(reason);
            Report { result: Outcome::Miss, reason, stdout_bytes, stderr_bytes, ..report }
                .ending(exit)
        });
    }

    /// Records the event of a run; returns the result in words.
    pub(super) fn note_run(
        &self,
        root: &Root,
        key: &Key,
        why: Reason,
        ended: &Ended,
        recorded: &Recorded,
    ) -> Cow<'static, str> {
        let (kind, what) = match recorded {
            Recorded::As(_, found) => {
                let what =
                    found.as_ref().map_or("recorded".into(), |it| format!("recorded: {it}").into());
                (Kind::Recorded { why, size: ended.bytes.iter().sum() }, what)
            }
            Recorded::Not(what) => (Kind::Unrecorded { why }, what.clone()),
        };
        let key = match recorded {
            Recorded::As(entry, _) => &entry.key,
            Recorded::Not(_) => key,
        };
        self.note(root, key, kind, ended.run_time);
        what
    }

    /// Shares a recorded entry with other machines.
    pub(super) fn share_recorded(&self, root: &Root, recorded: &Recorded) {
        if let Recorded::As(entry, _) = recorded {
            self.share(root, &entry.key, entry.longest());
        }
    }

    /// Returns what waiting processes can expect of a run that ended this way, perhaps behind the
    /// back of all of them.
    pub(super) fn prospect(&self, ended: &Ended, is_behind: bool) -> Prospect {
        match (ended.spoiled, ended.status.code()) {
            (None, Some(code)) if self.config.freshness.exit_codes.contain(code as u8) => {
                Prospect::Record
            }
            (None | Some(Spoiled::TimedOut), _) => Prospect::Following,
            (Some(why), _) if is_behind && is_complete(why) => Prospect::Following,
            _ => Prospect::Nothing,
        }
    }

    /// Tells waiting processes how a run ended, if it ended by itself, so that they need no run of
    /// their own. By then its entry is in the store.
    pub(super) fn tell(
        &self,
        ending: Option<Ending<'_>>,
        ended: &Ended,
        stdin: &Stdin,
        is_recorded: bool,
        is_behind: bool,
    ) {
        let spoiled = ended.spoiled.filter(|why| !(is_behind && is_complete(*why)));
        let how = match (spoiled, ended.status.code(), ended.status.signal()) {
            (None, Some(code), _) => EndedBy::Status(code as u8),
            (None, None, Some(signal)) => EndedBy::Signal(signal as u8),
            (Some(Spoiled::TimedOut), ..) => match self.config.timeout {
                Some(limit) => EndedBy::TimeLimit(limit),
                None => return,
            },
            _ => return,
        };
        let stdin_consumed = match how {
            EndedBy::Status(_) => stdin.consumed().ok().flatten(),
            EndedBy::Signal(_) | EndedBy::TimeLimit(_) => None,
        };
        if let Some(ending) = ending {
            ending.tell(End { how, stdin_consumed }, is_recorded);
        }
    }

    /// Returns whether a good result may stand in for a run. A run that the user interrupted did
    /// not fail.
    pub(super) fn failed(&self, ended: &Ended) -> bool {
        match ended.spoiled {
            Some(Spoiled::TimedOut) => true,
            Some(
                Spoiled::Interrupted
                | Spoiled::Abandoned
                | Spoiled::WithoutTerminal
                | Spoiled::Unfed
                | Spoiled::Unreadable(_),
            ) => false,
            None
            | Some(Spoiled::Signalled | Spoiled::Lingering | Spoiled::Typed | Spoiled::ReadBack) => {
                !ended
                    .status
                    .code()
                    .is_some_and(|status| self.config.freshness.is_good(status as u8))
            }
        }
    }
}

/// Returns whether a run that is not recorded for this reason came to its end all the same, so that
/// whoever had it run in the background needs no other.
fn is_complete(why: Spoiled) -> bool {
    matches!(why, Spoiled::Lingering | Spoiled::Signalled | Spoiled::Typed | Spoiled::ReadBack)
}

/// Describes how a command ended.
fn in_words(exit: Exit) -> String {
    match exit {
        Exit::Status(status) => format!("status {status}"),
        Exit::Signal(signal) => format!("signal {signal}"),
    }
}
