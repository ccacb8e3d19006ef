//! The changes that a run made, determined at its end.
//!
//! A path that the run wrote to is an outcome, unless its state is the same as before and the run
//! depends on that: then whoever finds all facts unchanged finds that state, too.

use crate::facts::{self, Class, Names, Status, Value};
use crate::linux::recorder::{MOST, Recorder, SETTLED, Weight, display, now};
use crate::linux::tree::{Found, Id, Node};
use crate::linux::walk::join;
use crate::report::{Change, Written};
use rustix::fs::FileType;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// The outcomes, by path.
pub type Outcomes = BTreeMap<Vec<u8>, Written>;

/// The change of something that existed before and exists now.
#[derive(Debug, PartialEq, Eq)]
enum Fate {
    Unchanged,
    Changed(Change),
    /// The times are too recent to tell.
    Unknown,
}

impl Recorder {
    /// Records how a path that the run may have changed differs now.
    pub fn outcome(&mut self, id: Id, before: Found, now: Found, outcomes: &mut Outcomes) {
        let node = &self.tree[id];
        let path = node.path.to_bytes().to_vec();
        let change = match (before, now) {
            (Found::Nothing, Found::There(_)) => Change::Created,
            (Found::There(_), Found::Nothing) => Change::Removed,
            (Found::There(was), Found::There(is)) => match fate(node, &was, &is) {
                Fate::Changed(change) => change,
                Fate::Unchanged => return self.attributes_outcome(id, &is),
                Fate::Unknown => {
                    let why = format!("it cannot be told whether it changed {}", display(&path));
                    return self.refuse(Weight::Done, why);
                }
            },
            (_, Found::Error(errno)) => {
                let why = format!("{} cannot be looked at: {errno}", display(&path));
                return self.refuse(Weight::Done, why);
            }
            (_, Found::Nothing) | (Found::Error(_), _) => return,
        };
        if let (Some(was), Some(is)) = (before.status(), now.status()) {
            let is_in_place = was.stamp.ino == is.stamp.ino && was.stamp.dev == is.stamp.dev;
            if is_in_place && was.links > 1 && was.kind() == FileType::RegularFile {
                let why = format!("it changed {}, which has other names", display(&path));
                self.refuse(Weight::Done, why);
            }
            if is_in_place {
                self.attributes_outcome(id, is);
            }
        }
        if now.status().is_some_and(Status::is_folder) {
            self.moved_below(id, outcomes);
        }
        let keeps_time = self.tree[id].keeps_time && is_chosen(now, self.began)
            || self.is_time_as_before(id, before, now);
        let written = written(path.clone(), change, before, now);
        outcomes.insert(path, Written { keeps_time, ..written });
    }

    /// Returns whether a file that the run changed still has its time, as after `chmod`, and the
    /// run depends on that.
    fn is_time_as_before(&self, id: Id, before: Found, now: Found) -> bool {
        let identity = |found: Found| {
            let status = found.status().filter(|it| it.kind() == FileType::RegularFile)?;
            Some((status.stamp.dev, status.stamp.ino, status.stamp.mtime))
        };
        self.tree[id].has(Class::Stat)
            && identity(now).is_some_and(|now| identity(before) == Some(now))
    }

    /// Refuses a run that changed extended attributes: that cannot be recorded.
    fn attributes_outcome(&mut self, id: Id, is: &Status) {
        let node = &self.tree[id];
        if node.has_new_attributes
            && facts::value(&node.path, is, Class::Attributes).ok() != node.attributes
        {
            let path = display(node.path.to_bytes());
            self.refuse(Weight::Done, format!("it changed the extended attributes of {path}"));
        }
    }

    /// Records everything in a folder that the run moved to this place as its outcome.
    ///
    /// In a folder that it created, only the changes that were seen are outcomes: others may have
    /// put something there as well.
    fn moved_below(&self, id: Id, outcomes: &mut Outcomes) {
        let node = &self.tree[id];
        if node.is_moved_folder {
            self.all_below(node.path.to_bytes(), outcomes);
        }
    }

    fn all_below(&self, folder: &[u8], outcomes: &mut Outcomes) {
        let Ok(path) = std::ffi::CString::new(folder) else { return };
        let Ok(names) = Names::of(&path) else { return };
        for (name, kind) in names.0 {
            let path = join(folder, &name);
            if outcomes.len() >= MOST || self.is_left_out(&path) {
                continue;
            }
            if let Entry::Vacant(vacant) = outcomes.entry(path.clone()) {
                let Ok(at) = std::ffi::CString::new(&path[..]) else { continue };
                let now = Found::at(&at);
                let written = written(path.clone(), Change::Created, Found::Nothing, now);
                // Its former name is unknown, and so is whether its time was set then.
                let keeps_time = is_chosen(now, self.began.saturating_sub(SETTLED));
                vacant.insert(Written { keeps_time, ..written });
                if kind == facts::kind_number(FileType::Directory) {
                    self.all_below(&path, outcomes);
                }
            }
        }
    }
}

fn written(path: Vec<u8>, change: Change, before: Found, now: Found) -> Written {
    let before = before.status().map(|status| status.mode);
    let stamp = now.status().map(|status| status.stamp);
    Written { path, change, before, stamp, keeps_time: false }
}

/// Returns whether a file has a time that writing it during a run that began at that time cannot
/// explain.
fn is_chosen(found: Found, began: i64) -> bool {
    found.status().is_some_and(|it| it.stamp.mtime < began || it.stamp.mtime > now())
}

/// Determines the change of a path. An equal state is unchanged only if a fact covers the old one:
/// a run may have produced the same state by chance.
fn fate(node: &Node, was: &Status, is: &Status) -> Fate {
    let has_same_rights = Value::access(was) == Value::access(is);
    if was.kind() != is.kind() || !has_same_rights {
        return Fate::Changed(Change::Modified);
    }
    let is_same = Found::There(*was).is_same(&Found::There(*is));
    if was.is_folder() {
        // Its time changes with the names in it, and does so again when a hit restores them.
        let is_touched = node.is_dated || !is_same;
        return if is_touched { Fate::Changed(Change::Touched) } else { Fate::Unchanged };
    }
    let (class, known) = if was.is_link() {
        (Class::Link, node.target.as_ref().map(|target| Value::link(target)))
    } else {
        (Class::Contents, node.contents)
    };
    let known = known.filter(|_| node.has(class));
    match (known, is_same) {
        (None, true) if node.is_racy => Fate::Unknown,
        (_, true) if !node.is_racy => Fate::Unchanged,
        (Some(known), _) if facts::value(&node.path, is, class) == Ok(known) => {
            let is_touched = node.is_dated || was.stamp.mtime != is.stamp.mtime;
            if is_touched { Fate::Changed(Change::Touched) } else { Fate::Unchanged }
        }
        _ => Fate::Changed(Change::Modified),
    }
}
