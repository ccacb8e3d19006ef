//! The border of the base folder. If no path crosses it, the result of a run is valid for other
//! base folders too.
//!
//! A path relative to the working directory also works in another base folder. An absolute path
//! that enters the base folder may have been derived from the working directory, or from anything
//! else that names this folder in particular: that cannot be known.

use super::{Made, Named};
use crate::facts::Status;
use crate::linux::makers::Maker;
use crate::linux::recorder::Recorder;
use crate::linux::tracee::{Target, Tracee};
use crate::linux::tree::is_within;
use crate::linux::walk::{End, Spot, Walk};

impl Recorder {
    /// Notes that a path goes up from a canonical folder.
    pub fn goes_up_from(&mut self, folder: &[u8]) {
        let is_above = |base: &Vec<u8>| folder != b"/" && is_within(base, folder);
        self.crossed |= self.settings.base.as_ref().is_some_and(is_above);
    }

    /// Notes that a path enters the base folder from outside.
    pub(super) fn enters(&mut self, made: &Made, named: &Named, walk: &Walk) {
        // An open file was named when it was opened.
        let is_open = named.from == b"/" && named.path.starts_with(b"/");
        if is_open || self.learns_nothing(made, walk) {
            return;
        }
        if made.name == "chdir" && self.is_there(made, walk) {
            // Make does so at its end. Whatever follows would run in another place.
            self.returned.insert(made.tracee.process());
        } else {
            self.crossed = true;
        }
    }

    /// Notes that a process goes on, perhaps with its first call.
    pub(super) fn goes_on(&mut self, tracee: Tracee, is_new: bool) {
        if self.returned.is_empty() || self.crossed {
            return;
        }
        let has_returned = |process: i32| self.returned.contains(&process);
        let is_child = || {
            let parent = tracee.parent();
            parent.is_none_or(|it| has_returned(it) || !self.processes.contains(&it))
        };
        self.crossed = has_returned(tracee.process()) || is_new && is_child();
    }

    /// Returns whether a program learns nothing new: shells check whether they are where they
    /// believe to be, and compilers whether a file that they were given is a link.
    fn learns_nothing(&self, made: &Made, walk: &Walk) -> bool {
        match made.name {
            "readlink" | "readlinkat" if self.by != Maker::Not => {
                let End::At(Spot { found, .. }) = walk.end else { return true };
                !found.status().is_some_and(Status::is_link)
            }
            "stat" | "newfstatat" | "statx" => self.is_there(made, walk),
            _ => false,
        }
    }

    /// Returns whether a path leads to the working directory.
    fn is_there(&self, made: &Made, walk: &Walk) -> bool {
        let End::At(Spot { id, .. }) = walk.end else { return false };
        let cwd = made.tracee.working_directory();
        matches!(cwd, Ok(Target::Path(cwd)) if cwd == self.tree[id].path.to_bytes())
    }
}
