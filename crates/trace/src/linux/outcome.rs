//! What a run changed, seen from its end.
//!
//! A path that the run wrote to is an outcome unless the same is there as before, and the run
//! is known to depend on that: then whoever finds every fact as it was finds that, too.

use crate::facts::{self, Class, Names, Status, Value};
use crate::linux::recorder::{MOST, Recorder, SETTLED, Weight, display, now};
use crate::linux::tree::{Found, Id, Node};
use crate::linux::walk::join;
use crate::report::{Change, Written};
use rustix::fs::FileType;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// The outcomes, by their paths.
pub type Outcomes = BTreeMap<Vec<u8>, Written>;

/// What became of something that was there and is.
#[derive(Debug, PartialEq, Eq)]
enum Fate {
    Unchanged,
    Changed(Change),
    /// It is a folder of the same rights in the place of another.
    Replaced,
    /// Its times do not tell.
    Unknown,
}

impl Recorder {
    /// How something that the run may have changed is different now.
    pub fn outcome(&mut self, id: Id, before: Found, now: Found, outcomes: &mut Outcomes) {
        let node = &self.tree[id];
        let path = node.path.to_bytes().to_vec();
        let change = match (before, now) {
            (Found::Nothing, Found::There(_)) => Change::Created,
            (Found::There(_), Found::Nothing) => Change::Removed,
            (Found::There(was), Found::There(is)) => match fate(node, &was, &is) {
                Fate::Changed(change) => change,
                Fate::Replaced => return self.moved_below(id, outcomes),
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
        let keeps_time = self.tree[id].keeps_time && is_chosen(now, self.began);
        let written = written(path.clone(), change, before, now);
        outcomes.insert(path, Written { keeps_time, ..written });
    }

    /// What was done to extended attributes is nothing that can be recorded.
    fn attributes_outcome(&mut self, id: Id, is: &Status) {
        let node = &self.tree[id];
        if node.has_new_attributes
            && facts::value(&node.path, is, Class::Attributes).ok() != node.attributes
        {
            let path = display(node.path.to_bytes());
            self.refuse(Weight::Done, format!("it changed the extended attributes of {path}"));
        }
    }

    /// All that lies in a folder which the run moved there is its doing, too.
    ///
    /// Of one that it made there, its doing is what it was seen to do: others may have put
    /// something there as well.
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
                // What it was called before is not known, nor whether it was dated then.
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

/// Whether what is there has a time that it cannot have got by being written during a run that
/// began then.
fn is_chosen(found: Found, began: i64) -> bool {
    found.status().is_some_and(|it| it.stamp.mtime < began || it.stamp.mtime > now())
}

/// What became of something. That it is the same as before counts only if a fact says what it
/// was: a run may have put the same there by chance.
fn fate(node: &Node, was: &Status, is: &Status) -> Fate {
    let has_same_rights = Value::access(was) == Value::access(is);
    if was.kind() != is.kind() || !has_same_rights {
        return Fate::Changed(Change::Modified);
    }
    let is_same = Found::There(*was).is_same(&Found::There(*is));
    if was.is_folder() {
        return if is_same { Fate::Unchanged } else { Fate::Replaced };
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
            let is_touched = !was.is_link() && was.stamp.mtime != is.stamp.mtime;
            if is_touched { Fate::Changed(Change::Touched) } else { Fate::Unchanged }
        }
        _ => Fate::Changed(Change::Modified),
    }
}
