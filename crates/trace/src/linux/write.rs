//! What a call is about to change.
//!
//! Nothing is known of whether it will succeed. What it depends on is noted all the same; and
//! what it did not change is seen to be as it was when it is looked at again.

use crate::facts::{Class, Status};
use crate::linux::recorder::Recorder;
use crate::linux::tree::{Found, Node};
use crate::linux::walk::Spot;

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
        self.will_change(id);
    }
}
