//! Keeps recordings in the store, if they may be kept.

use super::automatic::{Traced, ties};
use super::record::Recorded;
use super::witness::Unchanged;
use super::{Call, Runner, nanos};
use crate::files::outputs::collect::{Before, Collected, Kept, Refused};
use cachex_base::record::entry::{About, Bytes, Entry};
use cachex_base::system::clock::Timestamp;
use cachex_base::system::limits;
use cachex_exec::invocation::Executable;
use cachex_exec::{Ended, Spoiled};
use cachex_store::capture::{GaveUp, Recorder, Recording};
use cachex_store::components;
use cachex_store::lock::{HeldBy, Lock};
use cachex_store::room::{self, Room};
use cachex_store::young::{NewFile, Young};
use cachex_store::{Root, account, db_client, secret};
use rustix::io::Errno;
use serde_bytes::ByteBuf;
use std::os::unix::ffi::OsStrExt;

/// The reason for not recording a result that would make the store too large.
const NO_ROOM: &str = "not recorded: no room for it within --max-size";
/// The reason for not recording a result to which a user at a terminal contributed.
const TYPED_THERE: &str =
    "not recorded: it read or changed the terminal; if that was a pager, PAGER=cat avoids it";
/// The usual size of an entry's file.
const USUAL_ENTRY: u64 = 4096;

impl Runner<'_> {
    /// Returns why a run is not recorded.
    fn in_words(&self, spoiled: Spoiled) -> &'static str {
        match spoiled {
            Spoiled::Interrupted => "not recorded: it was interrupted",
            Spoiled::Signalled => "not recorded: a signal may have changed what it printed",
            Spoiled::Abandoned => "not recorded: its reader left",
            Spoiled::Lingering => "not recorded: something it started kept its output open",
            Spoiled::Typed if self.terminal().is_some() => TYPED_THERE,
            Spoiled::Typed => "not recorded: it read or changed the terminal",
            Spoiled::ReadBack => "not recorded: it read the file that its output goes to",
            Spoiled::TimedOut => "not recorded: it took longer than --timeout",
            Spoiled::WithoutTerminal => "not recorded: there was no pseudo-terminal for it",
            Spoiled::Unfed => "not recorded: its standard input could not be read to the end",
            Spoiled::Unreadable(_) => "not recorded: the system failed while it was passed on",
        }
    }

    /// Keeps the recording of a run, if it may be kept.
    #[expect(clippy::too_many_arguments, reason = "it is told all that there is of a run")]
    pub(super) fn keep(
        &self,
        root: &Root,
        call: &Call,
        before: &Before<'_>,
        ended: &Ended,
        recorder: Recorder<'_>,
        traced: Result<Option<Traced>, String>,
        parts: impl FnOnce() -> Vec<u8>,
    ) -> Recorded {
        let created = Timestamp::now();
        let freshness = &self.config.freshness;
        let status = match (ended.status.code().map(|code| code as u8), ended.spoiled) {
            (_, Some(spoiled)) => Err(self.in_words(spoiled)),
            (None, None) => Err("not recorded: a signal ended it"),
            (Some(status), None) if !freshness.exit_codes.contain(status) => {
                Err("not recorded: its exit status")
            }
            // cachex takes some of them itself.
            (Some(status), None) if status != 0 && limits::are_processes_short() => {
                Err("not recorded: it failed near the limit on processes (`ulimit -u`)")
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
        let traced = match traced {
            Ok(traced) => traced,
            // Some commands do that; the reason is shown on request only.
            Err(why) => return Recorded::Not(format!("not recorded: {why}").into()),
        };
        let written = traced.as_ref().map_or(&[][..], |traced| &traced.written);
        let made = match self.take_in(root, before, written, status != 0) {
            Ok(made) => made,
            Err(refused)
                if matches!(refused, Refused::Unfinished(_) | Refused::Unwritable(_))
                    || traced.is_some() && refused.is_the_commands() =>
            {
                return Recorded::Not(format!("not recorded: {refused}").into());
            }
            Err(refused) => return not(&refused),
        };
        // The outputs were made from the inputs, so the inputs are checked after them.
        if let Some(why) = Self::descriptor_moved(call) {
            return Recorded::Not(format!("not recorded: {why}").into());
        }
        let unchanged = match self.unchanged(root, call) {
            Ok(unchanged) => unchanged,
            Err(why) => return not(&why),
        };
        let Ok(stdin_consumed) = call.stdin.consumed() else {
            return Recorded::Not("not recorded: it moved standard input back".into());
        };
        let recording = match self.recording_of(root, recorder) {
            Ok(recording) => recording,
            Err(why) => return Recorded::Not(why.into()),
        };
        let traced = traced.map(|traced| {
            let ground = traced.ground();
            let wrote = ground.map(|ground| ties::of_output(ground, &recording, made.as_ref()));
            traced.findable(call, wrote.unwrap_or_default())
        });
        let key = traced.as_ref().map_or(&call.key, |traced| &traced.key);
        let parts = parts();
        let parts = match &traced {
            Some(traced) => components::with_facts(parts, &traced.part_name(call)),
            None => parts,
        };
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
            about: self.about(call),
            parts: components::within_limit(parts),
        };
        let entry = match self.record(root, recording, made, entry, unchanged) {
            Ok(entry) => Box::new(entry),
            Err(why) => return Recorded::Not(why.into()),
        };
        match traced.map(|traced| traced.remember(self, root, call)).transpose() {
            Ok(found) => Recorded::As(entry, found),
            Err(error) => not(&format_args!("{error:#}")),
        }
    }

    /// Returns the finished recording of the output, or why it is not kept.
    fn recording_of<'r>(
        &self,
        root: &Root,
        recorder: Recorder<'r>,
    ) -> Result<Recording<'r>, &'static str> {
        recorder.finish().map_err(|gave_up| match gave_up {
            GaveUp::TooLong => "not recorded: longer than --max-entry-size",
            GaveUp::NoRoom => NO_ROOM,
            GaveUp::Failed(errno) => self.failed_with(root, errno),
        })
    }

    fn failed_with(&self, root: &Root, errno: Errno) -> &'static str {
        match errno {
            // Only the account is not waited for.
            Errno::WOULDBLOCK => self.failed_to_record(&HeldBy::of(root, account::FILE)),
            errno => self.failed_to_record(&std::io::Error::from(errno)),
        }
    }

    fn failed_to_record(&self, error: &dyn std::fmt::Display) -> &'static str {
        self.messages().warn(format_args!("the result is not recorded: {error}"));
        "not recorded: the store failed"
    }

    /// Puts a recording in the store; returns the entry, or why it was not kept.
    fn record(
        &self,
        root: &Root,
        mut recording: Recording<'_>,
        made: Option<Collected<'_>>,
        mut entry: Entry,
        _: Unchanged,
    ) -> Result<Entry, &'static str> {
        let failed = |errno| self.failed_with(root, errno);
        // Claim the space before publishing, during which nobody makes room.
        if !recording.claim_file(USUAL_ENTRY).map_err(failed)? {
            return Err(NO_ROOM);
        }
        let publishing = match Lock::to_publish(root) {
            Err(Errno::WOULDBLOCK) => return Err("not recorded: another process holds the store"),
            taken => taken,
        };
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
        let sealed =
            entry.seal().map_err(|error| self.failed_to_record(&format_args!("{error:#}")))?;
        let written = NewFile::of(root, &entry.key, &sealed).and_then(NewFile::keep);
        written.map_err(failed)?;
        if let Some(earlier) = earlier {
            room::supersede(root, &earlier, &entry);
        } else {
            taken = taken.saturating_add(account::blocks(sealed.len() as u64));
        }
        drop(publishing);
        let is_due = [Some(room.settle(taken)), kept.map(Kept::settle)].contains(&Some(true));
        self.fold_if(root, Ok(is_due));
        Ok(entry)
    }

    /// Starts a fold if what was written makes it due.
    pub(super) fn fold_if(&self, root: &Root, is_due: anyhow::Result<bool>) {
        if is_due.unwrap_or(false) {
            let _ = db_client::start_fold(root.path(), &self.config.bounds());
        }
    }

    /// Returns the room in the store for a recording.
    pub(super) fn room<'r>(&self, root: &'r Root) -> Room<'r> {
        Room::within(root, self.config.max_size)
    }

    /// Returns the key components that `explain` compares. An entry without them is just as valid.
    pub(super) fn parts(&self, root: &Root, executable: &Executable, call: &Call) -> Vec<u8> {
        let terminal = self.terminal();
        let subject = self.subject_of(call, Some(executable), terminal.as_ref());
        let parts = secret::of(root).ok().and_then(|secret| subject.parts(secret).ok());
        parts.unwrap_or_default()
    }

    pub(super) fn about(&self, call: &Call) -> About {
        let mut left = About::LIMIT;
        let mut cut = |bytes: &[u8]| {
            let kept = &bytes[..bytes.len().min(left)];
            left -= kept.len();
            ByteBuf::from(kept)
        };
        let argv = &self.invocation.argv;
        let whole: usize = argv.iter().map(|arg| arg.len()).sum();
        // Even an empty argument takes a byte, so their number is limited too.
        let kept = argv.iter().take(About::LIMIT / 4).map(|arg| cut(arg.as_bytes())).collect();
        let identity = &self.config.identity;
        let cwd = identity.cwd.then(std::env::current_dir).and_then(Result::ok);
        let tags = self.tags_to_record(call.executable.as_ref(), cwd.as_deref());
        About {
            argv: kept,
            cut: whole > About::LIMIT || argv.len() > About::LIMIT / 4,
            cwd: cwd.map(|cwd| {
                let cwd = cwd.as_os_str().as_bytes();
                ByteBuf::from(&cwd[..cwd.len().min(About::LIMIT)])
            }),
            scope: identity.scope.as_ref().map(|scope| scope.chars().take(64).collect()),
            tags,
        }
    }
}
