//! Running what was missed, and recording it.

use super::identify::Unresolved;
use super::in_place::is_the_commands_own;
use super::refresh;
use super::{Call, Miss, Runner, nanos};
use crate::capture::{Ending, GaveUp, Prospect, Recorder};
use crate::clock::Timestamp;
use crate::entry::{About, Bytes, Entry, Key};
use crate::exec::{self, Ended, Left, Output, Plan, Spoiled};
use crate::exit::{self, Exit};
use crate::fallback;
use crate::invocation::Executable;
use crate::lock::{self, End, EndedBy, Lock, Mode as LockMode};
use crate::messages;
use crate::outputs::collect::{Before, Collected, Kept};
use crate::parts;
use crate::report::{Outcome, Report};
use crate::screen::Screen;
use crate::stdin::Stdin;
use crate::store::events::{Kind, Reason};
use crate::store::room::{self, Room};
use crate::store::young::{NewFile, Young};
use crate::store::{Root, Store, account, fence, secret};
use crate::values::Mode;
use serde_bytes::ByteBuf;
use std::borrow::Cow;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::ExitStatusExt;

/// Why a result is not recorded that would make the store too large.
const NO_ROOM: &str = "not recorded: no room for it within --max-size";
/// What the file of an entry takes as a rule.
const USUAL_ENTRY: u64 = 4096;

/// What became of a run's recording.
pub(super) enum Recorded {
    /// It is this entry.
    As(Box<Entry>),
    /// It is not kept, for this reason.
    Not(Cow<'static, str>),
}

impl Recorded {
    /// What there is of a run that was apart from others for this reason, or else was not
    /// to be recorded at all.
    fn by_no_one(apart: Option<&str>) -> Recorded {
        let why = apart.unwrap_or("--mode read-only");
        Recorded::Not(format!("not recorded: {why}").into())
    }

    /// Whether it is kept.
    pub(super) fn is_kept(&self) -> bool {
        matches!(self, Recorded::As(_))
    }
}

impl Runner<'_> {
    /// Runs the command and shows its output, then records that. If it fails
    /// and there is something to stand in for it, that is shown instead.
    pub(super) fn run_and_record(&self, root: &Root, miss: Miss) -> Exit {
        let Miss { mut call, why, stale, lock, printed, apart, .. } = miss;
        self.watch(&mut call);
        let executable = match call.executable.clone().map_or_else(|| self.resolve(), Ok) {
            Ok(executable) => executable,
            Err(unresolved) => {
                // What has been shown cannot be taken back.
                return match unresolved {
                    Unresolved::Unknown(errno) if !printed.is_empty() => {
                        self.cannot_start(&errno.into())
                    }
                    unresolved => self.unresolved(&unresolved, call.stdin.source),
                };
            }
        };
        let (source, apart) = self.input_for(&mut call, apart);
        let records = self.config.mode != Mode::ReadOnly && apart.is_none();
        let limit = self.config.max_entry_size;
        let mut recorder =
            records.then(|| Recorder::new(root, limit, self.room(root)).shared_by(lock.as_ref()));
        let before = if records { self.before(root) } else { Before::default() };
        let plan = Plan {
            invocation: self.invocation,
            program: &executable.path,
            source,
            // Whether it is to be shown is known when the command has ended.
            output: match stale {
                Some(_) => Output::Held,
                None if printed.is_empty() => Output::Live,
                None => Output::After(&printed),
            },
            timeout: self.config.timeout,
            tty: self.terminal().is_some(),
            trace: None,
        };
        let mut ended = match exec::run(plan, recorder.as_mut()) {
            Ok(ended) => ended,
            Err(mut unstarted) => {
                call.stdin.put_back(&mut unstarted.source);
                // What is short for a cache may be enough for the command.
                if !is_the_commands_own(&unstarted.error) && printed.is_empty() {
                    return self.rather_in_place(*unstarted, &executable.path);
                }
                let error = unstarted.error;
                if let Some(stale) = stale.and_then(|stale| self.standing_in(root, stale)) {
                    self.messages().tell(format_args!("the command cannot be started: {error}"));
                    return self.serve(root, &call.stdin, *stale, Outcome::Stale);
                }
                return self.cannot_start(&error);
            }
        };
        let ending = recorder.as_mut().map(|recorder| recorder.ending(self.prospect(&ended)));
        self.input_was_read(&mut call.stdin, std::mem::take(&mut ended.input));
        if let Some(held) = ended.held.take() {
            let stale = stale.filter(|_| self.failed(&ended));
            if let Some(stale) = stale.and_then(|stale| self.standing_in(root, stale)) {
                self.tell(ending, &ended, &call.stdin, false);
                ended.left.take().into_iter().for_each(Left::carry_on);
                drop(recorder);
                refresh::mark_failed(root, &call.key);
                self.note(root, &call.key, Kind::Unrecorded { why }, ended.run_time);
                self.messages()
                    .tell(format_args!("the command failed ({})", in_words(Self::exit_of(&ended))));
                return self.serve(root, &call.stdin, *stale, Outcome::Stale);
            }
            // The command reads no answer any more.
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
            (None, None) => Recorded::by_no_one(apart),
            (Some(recorder), None) => {
                let parts = || self.parts(root, &executable, &call);
                if self.called_itself(root, &executable) {
                    Recorded::Not("not recorded: it calls itself by cachex".into())
                } else {
                    self.keep(root, &call, &before, &ended, recorder, parts)
                }
            }
        };
        self.tell(ending, &ended, &call.stdin, recorded.is_kept());
        drop(lock);
        if let Recorded::As(entry) = &recorded {
            self.share(root, &call.key, entry.longest());
        }
        self.tell_of(root, &call, &executable, why, &ended, &recorded, exit);
        exit
    }

    /// Says what came of a run to everybody who is to know: in a line, and in a report.
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
        let nearest = (self.config.verbose && why == Reason::NotRecorded)
            .then(|| self.nearest_in_words(root, executable, call))
            .flatten();
        let (colon, nearest) = nearest.map_or(("", String::new()), |nearest| (": ", nearest));
        self.messages().tell(format_args!(
            "miss {} {why}{colon}{nearest}; ran {}, {what}",
            messages::short(&call.key),
            messages::rounded(ended.run_time)
        ));
        self.report(|| {
            let report = match recorded {
                Recorded::As(entry) => Report { recorded: true, ..Report::of(entry) },
                Recorded::Not(_) => Report {
                    run_time: Some(crate::report::seconds(ended.run_time)),
                    ..Report::about(&call.key)
                },
            };
            let reason = match recorded {
                Recorded::As(_) => why.to_string(),
                Recorded::Not(what) => format!("{why}; {what}"),
            };
            let [stdout_bytes, stderr_bytes] = ended.bytes.map(Some);
            let reason = Some(reason);
            Report { result: Outcome::Miss, reason, stdout_bytes, stderr_bytes, ..report }
                .ending(exit)
        });
    }

    /// Notes what came of a run; that in words.
    pub(super) fn note_run(
        &self,
        root: &Root,
        key: &Key,
        why: Reason,
        ended: &Ended,
        recorded: &Recorded,
    ) -> Cow<'static, str> {
        let (kind, what) = match recorded {
            Recorded::As(_) => {
                (Kind::Recorded { why, size: ended.bytes.iter().sum() }, "recorded".into())
            }
            Recorded::Not(what) => (Kind::Unrecorded { why }, what.clone()),
        };
        self.note(root, key, kind, ended.run_time);
        what
    }

    /// What those who wait can expect of a run that ended so.
    pub(super) fn prospect(&self, ended: &Ended) -> Prospect {
        match (ended.spoiled, ended.status.code()) {
            (None, Some(code)) if self.config.freshness.exit_codes.contain(code as u8) => {
                Prospect::Record
            }
            (None | Some(Spoiled::TimedOut), _) => Prospect::Following,
            _ => Prospect::Nothing,
        }
    }

    /// Tells those who wait for a run how it ended, if it came to its own end: they
    /// have no need of another. When they know, what is recorded of it is in its place.
    pub(super) fn tell(
        &self,
        ending: Option<Ending<'_>>,
        ended: &Ended,
        stdin: &Stdin,
        is_recorded: bool,
    ) {
        let how = match (ended.spoiled, ended.status.code(), ended.status.signal()) {
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

    /// Whether a run is one that a good result may stand in for. What the user
    /// interrupted did not fail.
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
            None | Some(Spoiled::Lingering) => !ended
                .status
                .code()
                .is_some_and(|status| self.config.freshness.is_good(status as u8)),
        }
    }

    /// Keeps what was recorded of a run, if it may be.
    pub(super) fn keep(
        &self,
        root: &Root,
        call: &Call,
        before: &Before,
        ended: &Ended,
        recorder: Recorder<'_>,
        parts: impl FnOnce() -> Vec<u8>,
    ) -> Recorded {
        let created = Timestamp::now();
        let freshness = &self.config.freshness;
        let status = match (ended.status.code().map(|code| code as u8), ended.spoiled) {
            (_, Some(Spoiled::Interrupted)) => Err("not recorded: it was interrupted"),
            (_, Some(Spoiled::Abandoned)) => Err("not recorded: its reader left"),
            (_, Some(Spoiled::Lingering)) => {
                Err("not recorded: something it started kept its output open")
            }
            (_, Some(Spoiled::TimedOut)) => Err("not recorded: it took longer than --timeout"),
            (_, Some(Spoiled::WithoutTerminal)) => {
                Err("not recorded: there was no pseudo-terminal for it")
            }
            (_, Some(Spoiled::Unfed)) => {
                Err("not recorded: its standard input could not be read to the end")
            }
            (_, Some(Spoiled::Unreadable(..))) => {
                Err("not recorded: the system failed while it was passed on")
            }
            (None, None) => Err("not recorded: a signal ended it"),
            (Some(status), None) if !freshness.exit_codes.contain(status) => {
                Err("not recorded: its exit status")
            }
            (Some(status), None) => Ok(status),
        };
        let status = match status {
            Ok(status) => status,
            Err(why) => return Recorded::Not(why.into()),
        };
        let not = |why: &dyn std::fmt::Display| {
            self.messages().warn(format_args!("not recorded: {why}"));
            Recorded::Not(format!("not recorded: {why}").into())
        };
        let made = match self.take_in(root, before) {
            Ok(made) => made,
            Err(refused) => return not(&refused),
        };
        // What was read last was made of what was read first.
        if let Some(why) = Self::descriptor_moved(call) {
            return Recorded::Not(format!("not recorded: {why}").into());
        }
        if let Some(why) = self.changed(root, call) {
            return not(&why);
        }
        let Ok(stdin_consumed) = call.stdin.consumed() else {
            return Recorded::Not("not recorded: it moved standard input back".into());
        };
        let key = &call.key;
        let entry = Entry {
            key: *key,
            created,
            expires_in: freshness.limit(status, key).map(nanos),
            stale_for: freshness.stale_for().filter(|_| freshness.is_good(status)).map(nanos),
            run_time: nanos(ended.run_time),
            status,
            stdin_consumed,
            frames: Bytes::Inline(Vec::new()),
            data: Bytes::Inline(Vec::new()),
            outputs: None,
            about: self.about(),
            parts: parts(),
        };
        match self.record(root, recorder, made, entry) {
            Ok(entry) => Recorded::As(Box::new(entry)),
            Err(why) => Recorded::Not(why.into()),
        }
    }

    /// Gives a recording its place in the store; the entry, or why it was not kept.
    fn record(
        &self,
        root: &Root,
        recorder: Recorder<'_>,
        made: Option<Collected<'_>>,
        mut entry: Entry,
    ) -> Result<Entry, &'static str> {
        let warn = |error: &dyn std::fmt::Display| {
            self.messages().warn(format_args!("the result is not recorded: {error}"));
            "not recorded: the store failed"
        };
        let mut recording = recorder.finish().map_err(|gave_up| match gave_up {
            GaveUp::TooLong => "not recorded: longer than --max-entry-size",
            GaveUp::NoRoom => NO_ROOM,
            GaveUp::Failed(errno) => warn(&std::io::Error::from(errno)),
        })?;
        let failed = |errno| warn(&std::io::Error::from(errno));
        // Claimed before anything is published: nobody makes room while that is done.
        if !recording.claim_file(USUAL_ENTRY).map_err(failed)? {
            return Err(NO_ROOM);
        }
        let publishing = Lock::wait(root, lock::PUBLISH, LockMode::Shared);
        let room;
        (entry.data, entry.frames, room) = recording.keep().map_err(failed)?;
        let mut taken: u64 = entry.streams().map(|blob| account::blocks(blob.len)).sum();
        let mut kept = None;
        if let Some(made) = made {
            let made = made.keep().map_err(failed)?;
            let (outputs, files) = made.ok_or("not recorded: the store was swept meanwhile")?;
            (entry.outputs, kept) = (Some(outputs), Some(files));
        }
        let earlier = Young::new(root).get(&entry.key).ok().flatten();
        let sealed = entry.seal().map_err(|error| warn(&format_args!("{error:#}")))?;
        let written = NewFile::of(root, &entry.key, &sealed).and_then(NewFile::keep);
        written.map_err(failed)?;
        if let Some(earlier) = earlier {
            room::supersede(root, &earlier, &entry);
        } else {
            taken = taken.saturating_add(account::blocks(sealed.len() as u64));
        }
        drop(publishing);
        let is_due = [Some(room.settle(taken)), kept.map(Kept::settle)].contains(&Some(true));
        if is_due {
            let _ = fence::start_fold(root.path(), &self.config.bounds());
        }
        Ok(entry)
    }

    /// Room in the store for what is recorded.
    pub(super) fn room<'r>(&self, root: &'r Root) -> Room<'r> {
        Room::within(root, self.config.max_size)
    }

    /// What `explain` compares. Without it an entry is as good.
    pub(super) fn parts(&self, root: &Root, executable: &Executable, call: &Call) -> Vec<u8> {
        let terminal = self.terminal();
        let subject = self.subject_of(call, Some(executable), terminal.as_ref());
        let parts = secret::of(root).ok().and_then(|secret| subject.parts(secret).ok());
        parts.map(parts::within_limit).unwrap_or_default()
    }

    pub(super) fn about(&self) -> About {
        let mut left = About::LIMIT;
        let mut cut = |bytes: &[u8]| {
            let kept = &bytes[..bytes.len().min(left)];
            left -= kept.len();
            ByteBuf::from(kept)
        };
        let argv = &self.invocation.argv;
        let whole: usize = argv.iter().map(|arg| arg.len()).sum();
        // An argument takes a byte even if it is empty: their number is bounded too.
        let kept = argv.iter().take(About::LIMIT / 4).map(|arg| cut(arg.as_bytes())).collect();
        let identity = &self.config.identity;
        let cwd = identity.cwd.then(std::env::current_dir).and_then(Result::ok);
        About {
            argv: kept,
            cut: whole > About::LIMIT || argv.len() > About::LIMIT / 4,
            cwd: cwd.map(|cwd| {
                let cwd = cwd.as_os_str().as_bytes();
                ByteBuf::from(&cwd[..cwd.len().min(About::LIMIT)])
            }),
            scope: identity.scope.as_ref().map(|scope| scope.chars().take(64).collect()),
            tags: self.tags_to_record(),
        }
    }
}

/// How a command ended, for people.
fn in_words(exit: Exit) -> String {
    match exit {
        Exit::Status(status) => format!("status {status}"),
        Exit::Signal(signal) => format!("signal {signal}"),
    }
}
