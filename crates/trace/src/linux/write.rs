//! What a call is about to change.
//!
//! Nothing is known of whether it will succeed. What it depends on is noted all the same; and
//! what it did not change is seen to be as it was when it is looked at again.

use crate::facts::{self, Class, Names, Status};
use crate::linux::recorder::{Recorder, Weight, display};
use crate::linux::tree::{Found, Id, Node, from_above};
use crate::linux::walk::{Spot, changed_meanwhile, join};
use rustix::fs::FileType;
use std::ffi::CString;

/// What is about to be done to what lies at a path.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Write {
    /// It is made, if there is nothing yet; exclusively: the call fails if there is something.
    Create { is_exclusive: bool },
    /// It becomes something that depends on what it was,
    Change,
    /// and may keep its time.
    Keep,
    /// Its extended attributes are changed.
    Attributes,
    /// It is emptied.
    Empty,
    /// Something else takes its place.
    Replace,
    /// It is removed.
    Remove { is_folder: bool },
}

impl Recorder {
    /// Notes what a change depends on, and that it may happen.
    pub fn write(&mut self, spot: Spot, write: Write) {
        let id = spot.id;
        if spot.is_own {
            let node = &mut self.tree[id];
            if !node.is_changed {
                // Below what the run made there was nothing before.
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

    /// Refuses a run that is about to change what somebody else has changed since it was looked
    /// at: what it was in between cannot be told in the end.
    fn check_unchanged(&mut self, id: Id) {
        let node = &self.tree[id];
        if !node.is_changed
            && !node.is_left_out
            && node.before.is_some_and(|before| !before.is_same(&Found::at(&node.path)))
        {
            let why = changed_meanwhile(node.path.to_bytes());
            self.refuse(Weight::Done, why);
        }
    }

    /// Refuses a run that meets, in a folder that it made, what it did not put there: others did,
    /// and no fact can say so.
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

    /// The same for all that is in a folder, and in those below it.
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

    /// Whether a path lies below a folder that the run moved there: what came with that is not
    /// known by name.
    fn lies_in_moved(&self, path: &[u8]) -> bool {
        from_above(path)
            .any(|above| self.tree.known(above).is_some_and(|id| self.tree[id].is_moved_folder))
    }
}
