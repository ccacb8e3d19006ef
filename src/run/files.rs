//! The declared output files of a call: restored by a hit, recorded by a miss.

use super::automatic::Matched;
use super::replay::Replay;
use super::{Candidate, Runner};
use crate::files::outputs::collect::{self, Before, Collected, Made};
use crate::files::outputs::restore::{self, Refused, Restore};
use crate::files::outputs::traced::Written;
use crate::files::outputs::{Declared, claims};
use cachex_base::record::entry::{Entry, Key};
use cachex_base::record::manifest::Manifest;
use cachex_base::system::signals::Interrupts;
use cachex_exec::Ended;
use cachex_store::events::Reason;
use cachex_store::{Root, blobs};
use std::path::PathBuf;
use std::time::Duration;

/// An entry that is served: its output is at hand and verified, and its files are restored. Only
/// [`Runner::brought_back`] makes one.
pub(super) struct Hit {
    pub replay: Replay,
    pub age: Duration,
    /// True if the entry was just fetched from the remote store.
    pub is_remote: bool,
    /// Describes how the entry was found, if the call is automatic.
    pub matched: Option<Matched>,
    _restored: Restored,
}

/// Proof that files were restored. Only this module makes one.
struct Restored;

impl Runner<'_> {
    /// Restores the files of a candidate, which makes it a hit.
    #[inline]
    pub(super) fn brought_back(&self, root: &Root, candidate: Candidate) -> Result<Hit, Reason> {
        let restored = self.bring_back(root, candidate.replay.entry())?;
        let Candidate { replay, age, is_remote } = candidate;
        Ok(Hit { replay, age, is_remote, matched: None, _restored: restored })
    }

    /// Restores the files of a hit, if this call asks for that. An error says why it is no hit.
    fn bring_back(&self, root: &Root, entry: &Entry) -> Result<Restored, Reason> {
        let area = self.area();
        let is_traced = area.is_some();
        if self.config.outputs.is_empty() && (!is_traced || entry.outputs.is_none()) {
            return Ok(Restored);
        }
        let manifest = self.made(root, entry)?;
        claims::mark(root, &entry.key, &self.config.outputs);
        // The restore must not be interrupted halfway.
        let restored = Interrupts::hold(|interrupts| {
            let declared = Declared::new(root, &self.config.outputs).map_err(Refused::InStore)?;
            let declared = declared.with_area(area);
            Restore::prepare(root, &declared, &manifest, interrupts)?.commit()
        });
        restored.map(|()| Restored).map_err(|refused| match refused {
            Refused::Gone => Reason::Damaged,
            // Users edit their files: nothing to warn of.
            Refused::Edited(_) => {
                self.messages().tell(format_args!("{refused}"));
                Reason::Edited
            }
            // The user did not declare these files.
            Refused::InTheWay(_) | Refused::Spared(..) if is_traced => {
                self.messages()
                    .tell(format_args!("the recorded files are not put back: {refused}"));
                Reason::NotRestored
            }
            refused => {
                self.messages()
                    .warn(format_args!("the recorded files are not put back: {refused}"));
                match refused {
                    Refused::Undeclared(_) => Reason::Damaged,
                    _ => Reason::NotRestored,
                }
            }
        })
    }

    /// Returns whether an entry is of a call with the same declared outputs.
    pub(super) fn makes_the_same(&self, root: &Root, entry: &Entry) -> bool {
        self.config.outputs.is_empty()
            || !matches!(self.made(root, entry), Err(Reason::OtherOutputs))
    }

    /// Returns a file that the run of an entry left alone and that has changed since.
    pub(super) fn edited(&self, root: &Root, entry: &Entry) -> Option<PathBuf> {
        if self.config.outputs.is_empty() {
            return None;
        }
        let declared = Declared::new(root, &self.config.outputs).ok()?;
        restore::edited(&declared, &self.made(root, entry).ok()?)
    }

    /// Returns the manifest of the files that an entry's call made.
    fn made(&self, root: &Root, entry: &Entry) -> Result<Manifest, Reason> {
        let Some(outputs) = entry.outputs else { return Err(Reason::OtherOutputs) };
        let manifest = match blobs::manifest(root, &outputs.manifest) {
            Ok(Some(manifest)) => manifest,
            Ok(None) => return Err(Reason::Damaged),
            Err(_) => return Err(Reason::Unreadable),
        };
        let declared = self.config.outputs.iter().map(ToString::to_string);
        if declared.eq(manifest.declared.iter().cloned()) {
            Ok(manifest)
        } else {
            Err(Reason::OtherOutputs)
        }
    }

    /// Restores the files of a stale entry that is to stand in for a run.
    pub(super) fn standing_in(&self, root: &Root, stale: Box<Candidate>) -> Option<Hit> {
        self.brought_back(root, *stale).ok()
    }

    /// Returns a message about a declared output that a run did not make, if that is a failure.
    pub(super) fn unmade(&self, root: &Root, ended: &Ended) -> Option<String> {
        let counts =
            self.config.require_outputs && ended.status.success() && ended.spoiled.is_none();
        let made = counts.then(|| collect::missing(root, &self.config.outputs))?;
        made.err().map(|refused| refused.to_string())
    }

    /// Records the state of the declared paths before a run, and claims them.
    pub(super) fn before<'r>(&self, root: &'r Root, key: &Key) -> Before<'r> {
        Before::look(root, key, &self.config.outputs, self.area().is_some())
    }

    /// Collects the files that a run made. `before` is the earlier state of the declared paths, and
    /// `traced` what else the run wrote, which may have `has_failed`. Returns none if there is nothing to collect.
    pub(super) fn take_in<'r>(
        &self,
        root: &'r Root,
        before: &Before<'_>,
        traced: &[Written],
        has_failed: bool,
    ) -> Result<Option<Collected<'r>>, collect::Refused> {
        let (outputs, limit) = (&self.config.outputs, self.config.max_entry_size);
        if outputs.is_empty() && traced.is_empty() {
            return Ok(None);
        }
        let traced = self.area().map(|area| (area, traced));
        let made = Made { outputs, traced, before, has_failed };
        collect::collect(root, made, limit, self.room(root)).map(Some)
    }
}
