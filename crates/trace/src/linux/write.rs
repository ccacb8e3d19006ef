//! The changes that a call is about to make.
//!
//! The call may still fail. Its dependencies are noted all the same, and a path that it did not
//! change is found unchanged when it is examined again.

use crate::facts::{self, Class, Names, Status};
use crate::linux::recorder::{Recorder, Weight, display};
use crate::linux::tree::{Found, Id, Node, from_above, parent};
use crate::linux::walk::{Spot, changed_meanwhile, join};
use rustix::fs::FileType;
use std::ffi::CString;

/// A change to a path.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Write {
    /// Creates something, if there is nothing; if exclusive, the call fails if there is something.
    Create { is_exclusive: bool },
    /// Changes the content in a way that depends on the old one.
    Change,
    /// Changes the file like `Change`, but may keep its time.
    Keep,
    /// Changes extended attributes.
    Attributes,
    /// Truncates the file.
    Empty,
    /// Replaces the file.
    Replace,
    /// Removes the file or the folder.
    Remove { is_folder: bool },
}

impl Recorder {
    /// Notes what a change depends on, and that it may happen.
    pub fn write(&mut self, spot: Spot, write: Write) {
        let id = spot.id;
        if spot.is_own {
            let node = &mut self.tree[id];
            if !node.is_changed {
                // Nothing existed before below a folder that the run made.
                node.before = Some(Found::Nothing);
            }
            self.will_change(id);
            return;
        }
        let status = match spot.found {
            Found::Error(_) => return,
            Found::There(status) => Some(status),
            Found::Nothing => None,
        };
        let is_folder = status.as_ref().is_some_and(Status::is_folder);
        match (write, status) {
            (Write::Create { .. } | Write::Replace, None) => {
                self.note(id, Class::Kind);
                if write == (Write::Create { is_exclusive: true }) {
                    self.is_needed(id);
                }
                self.tree[id].began_as_new =
                    spot.is_new && write == Write::Create { is_exclusive: true };
            }
            (Write::Create { .. }, Some(_)) => {
                self.note(id, Class::Access);
                return;
            }
            (_, None) => {
                self.note(id, Class::Kind);
                return;
            }
            (Write::Change | Write::Keep | Write::Attributes, Some(status)) => {
                self.note(id, if status.is_link() { Class::Link } else { Class::Contents });
                if write != Write::Change {
                    self.note_bits(id, Class::Stat.bit() | Node::TIMES);
                }
                if write == Write::Attributes {
                    self.note(id, Class::Attributes);
                    self.tree[id].has_new_attributes = true;
                }
            }
            (Write::Replace | Write::Remove { is_folder: true }, Some(_)) if is_folder => {
                self.note_bits(id, Class::Access.bit() | Class::Listing.bit());
            }
            (Write::Empty | Write::Replace | Write::Remove { .. }, Some(_)) => {
                self.note(id, Class::Access);
            }
        }
        if matches!(write, Write::Create { .. } | Write::Replace | Write::Remove { .. }) {
            self.note_folder_of(&spot);
        }
        self.check_unchanged(id);
        self.will_change(id);
    }

    /// Notes the permissions of the folder in which something is created or removed.
    pub fn note_folder_of(&mut self, spot: &Spot) {
        let path = self.tree[spot.id].path.clone();
        self.note_rights(parent(path.to_bytes()));
    }

    /// Notes the permissions of a folder. Returns it.
    pub fn note_rights(&mut self, folder: &[u8]) -> Option<Id> {
        let folder = self.spot(folder)?;
        if !folder.is_own {
            self.note(folder.id, Class::Access);
        }
        Some(folder.id)
    }

    /// Refuses a run if somebody else has changed a path since the first look: the end of the run
    /// may not show that.
    pub fn check_unchanged(&mut self, id: Id) {
        let node = &self.tree[id];
        if !node.is_changed
            && !node.is_left_out
            && node.before.is_some_and(|before| !before.is_same(&Found::at(&node.path)))
        {
            let why = changed_meanwhile(node.path.to_bytes());
            self.refuse(Weight::Done, why);
        }
    }

    /// Refuses a run that finds, in a folder that it made, something that it did not put there: no
    /// fact can describe that.
    pub fn check_maker(&mut self, id: Id, found: &Found) {
        let node = &self.tree[id];
        if *found == Found::Nothing || node.is_changed || node.is_left_out {
            return;
        }
        let path = node.path.clone();
        if !self.lies_in_moved(path.to_bytes()) {
            let path = display(path.to_bytes());
            let why = format!("others put {path} into a folder that it made");
            self.refuse(Weight::Done, why);
        }
    }

    /// Checks everything in a folder, and below it if `is_deep`.
    pub fn check_makers(&mut self, folder: &[u8], is_deep: bool) {
        if self.lies_in_moved(folder) {
            return;
        }
        let Ok(path) = CString::new(folder) else { return };
        let Ok(names) = Names::of(&path) else { return };
        for (name, kind) in names.0 {
            let path = join(folder, &name);
            if self.is_left_out(&path) {
                continue;
            }
            let Some(id) = self.id(&path) else { return };
            let found = self.look_anew(id);
            self.check_maker(id, &found);
            if is_deep && kind == facts::kind_number(FileType::Directory) {
                self.check_makers(&path, true);
            }
        }
    }

    /// Returns whether a path lies below a folder that the run moved, whose contents are not known
    /// by name.
    fn lies_in_moved(&self, path: &[u8]) -> bool {
        from_above(path)
            .any(|above| self.tree.known(above).is_some_and(|id| self.tree[id].is_moved_folder))
    }
}
