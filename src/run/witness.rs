//! Checks that a key still describes what was run.
//!
//! A key is computed before the command runs: it may wait for a pipe or for a lock in between, and
//! files may change. So everything that the key was computed from is checked again: before the run,
//! since another executable may be run than was found; and after it, since the command's inputs may
//! have changed after it began. A result with a change is shown and not recorded.

use super::identify::Watched;
use super::{Call, Runner};
use crate::config::List;
use crate::files::inputs::Ways;
use cachex_base::streams::spool::{Rest, Spool};
use cachex_base::system::stamp::Stamp;
use cachex_base::text::values::Mode;
use cachex_exec::invocation::{Resolved, Trail};
use cachex_exec::stdin::{Source, Stdin, caller_reads_on};
use cachex_store::Root;

/// Proof that what a key was computed from was checked after the run and is unchanged. Only that
/// check makes one, and nothing is recorded without it.
pub(super) struct Unchanged(());

impl Runner<'_> {
    /// Notes the state just before the run.
    pub(super) fn watch(&self, call: &mut Call) {
        // This comes first, so that the next comparison is of what this leads to.
        let trail = call.executable.as_ref().map(|executable| Trail::of(&executable.path));
        let changed = self.moved(call);
        let identity = &self.config.identity;
        let inputs = call.found.declared.inputs.as_ref();
        let ways = inputs.map(|inputs| Ways::of(inputs, &identity.inputs.patterns));
        let list = stamp_of_list(identity.inputs.list.as_ref());
        let cwd = identity.cwd.then(std::env::current_dir).and_then(Result::ok);
        call.watched = Some(Watched { trail, changed, ways: ways.unwrap_or_default(), list, cwd });
    }

    /// Checks that state, and what the key was computed from, after the run. An error says what has
    /// changed.
    pub(super) fn unchanged(&self, root: &Root, call: &Call) -> Result<Unchanged, String> {
        match self.changed(root, call) {
            None => Ok(Unchanged(())),
            Some(why) => Err(why),
        }
    }

    fn changed(&self, root: &Root, call: &Call) -> Option<String> {
        if let Some(Watched { trail, changed, .. }) = &call.watched {
            if changed.is_some() {
                return changed.clone();
            }
            let now = call.executable.as_ref().map(|executable| Trail::of(&executable.path));
            if *trail != now {
                return Some(self.executable_changed());
            }
        }
        // A path that was just followed need not be checked again; a name may be found elsewhere.
        let found = if self.invocation.is_path() && call.watched.is_some() {
            Self::given_moved(call)
        } else {
            self.moved(call)
        };
        let wrapped = || {
            let why = || "the command that it wraps changed while it ran".to_owned();
            self.wrapped_changed(call).then(why)
        };
        let found = found.or_else(|| self.inputs_changed(root, call)).or_else(wrapped);
        found.or_else(|| self.changed_meanwhile(call))
    }

    /// Returns a message about something that changed since the state was noted, even if the key is
    /// the same.
    fn changed_meanwhile(&self, call: &Call) -> Option<String> {
        let Watched { ways, list, cwd, .. } = call.watched.as_ref()?;
        let identity = &self.config.identity;
        if let Some(path) = ways.changed() {
            let path = path.display();
            return Some(format!("what leads to an input, {path}, changed while it ran"));
        }
        if *list != stamp_of_list(identity.inputs.list.as_ref()) {
            return Some("the list of inputs changed while it ran".to_owned());
        }
        // A removed folder may be replaced by another one.
        let now = cwd.is_some().then(std::env::current_dir).and_then(Result::ok);
        if *cwd != now {
            return Some("the working directory was moved while it ran".to_owned());
        }
        None
    }

    /// Returns a message about anything that has changed since the key was computed, except
    /// declared inputs, whose changes are all noticed after the run.
    pub(super) fn moved(&self, call: &Call) -> Option<String> {
        if let Some(then) = &call.executable {
            match self.find_command() {
                Resolved::Found(now) if now.is_same(then) => {}
                _ => return Some(self.executable_changed()),
            }
        }
        Self::given_moved(call)
    }

    /// Returns a message about changes to the command's inputs besides its arguments.
    fn given_moved(call: &Call) -> Option<String> {
        if call.stdin.changed() {
            return Some("the file on standard input changed meanwhile".to_owned());
        }
        Self::descriptor_moved(call)
    }

    /// Returns a message about changes to files that arguments name by descriptor. A command that
    /// reads on from one does as intended, and is nothing to warn of.
    pub(super) fn descriptor_moved(call: &Call) -> Option<String> {
        let descriptor = call.descriptors.iter().find(|file| file.changed())?;
        Some(format!("{} was changed or read from meanwhile", descriptor.name()))
    }

    fn executable_changed(&self) -> String {
        format!("what `{}` leads to changed meanwhile", self.invocation.name().display())
    }

    /// Returns the command's standard input, and the reason not to record its result: others might
    /// read from it, too.
    pub(super) fn input_for(
        &self,
        call: &mut Call,
        apart: Option<&'static str>,
    ) -> (Source, Option<&'static str>) {
        let records = self.config.mode != Mode::ReadOnly && apart.is_none();
        let descriptors = &call.descriptors;
        let is_shared = |stamp: &Stamp| descriptors.iter().any(|file| file.is_file(stamp));
        if records && let Some(own) = call.stdin.of_its_own(is_shared) {
            return (own, apart);
        }
        let why = records.then_some("standard input cannot be kept from others");
        (std::mem::replace(&mut call.stdin.source, Source::Inherit), apart.or(why))
    }

    /// Notes how much of its input the command left unread. Data that was read for that is lost.
    pub(super) fn input_was_read(&self, stdin: &mut Stdin, input: (Option<u64>, Spool)) {
        stdin.leaves_unread(input);
        if let Ok(Some(consumed)) = stdin.consumed().map(|it| it.filter(|_| stdin.was_taken())) {
            self.tell_of_loss(stdin.skip(consumed, caller_reads_on));
        }
    }

    /// Handles the rest of the input of a command that is not recorded.
    pub(super) fn rest_was_read(&self, (unread, spool): (Option<u64>, Spool)) {
        // The rest of a pipe that has not ended is lost, as with any reader that leaves.
        if spool.rest == Rest::End
            && let Some(unread) = unread.filter(|&unread| unread > 0 && caller_reads_on())
        {
            self.tell_of_loss(unread);
        }
    }

    /// Leaves standard input as a command that read `consumed` bytes would. A pipe cannot be left
    /// so: a message says how much is lost, if anybody would have read on.
    pub(super) fn leave_input(&self, stdin: &Stdin, consumed: u64) {
        if stdin.was_read() {
            // The command that this entry stands in for read it.
            return;
        }
        self.tell_of_loss(stdin.skip(consumed, caller_reads_on));
    }

    fn tell_of_loss(&self, lost: u64) {
        if lost > 0 {
            self.messages().wait(format_args!(
                "{lost} bytes of standard input are lost, which were read for the key and not by \
                 the command; `--stdin null` leaves them to who reads next"
            ));
        }
    }
}

/// Returns the stamp of the file with the list of inputs.
fn stamp_of_list(list: Option<&List>) -> Option<Stamp> {
    let Some(List::File(path)) = list else { return None };
    rustix::fs::stat(path).ok().map(|stat| Stamp::of(&stat))
}
