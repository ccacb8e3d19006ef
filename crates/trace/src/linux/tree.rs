//! The canonical paths that had a part in a run.

use crate::facts::{self, Class, Names, Status, Value};
use rustix::io::Errno;
use std::borrow::Borrow;
use std::collections::HashMap;
use std::ffi::{CStr, CString};
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::sync::Arc;

/// The number of a path.
pub type Id = u32;

/// A canonical path, and what is known of it.
pub struct Node {
    /// The path.
    pub path: Arc<CStr>,
    /// What was there when it was first looked at, before the run could change it.
    pub before: Option<Found>,
    /// Where that leads, if it is a link.
    pub target: Option<Box<[u8]>>,
    /// The bits of the classes of facts about it, and [`Node::TIMES`].
    pub facts: u16,
    /// Those bits that other programs than makers asked for, which may tell more by them.
    pub facts_of_others: u16,
    /// Those for which it may matter what the old content was.
    pub facts_of_updaters: u16,
    /// What is known of its content, where that had to be asked for at once,
    pub contents: Option<Value>,
    /// of its extended attributes,
    pub attributes: Option<Value>,
    /// and of its names, less what the run did to them.
    pub names: Option<Box<Names>>,
    /// Nothing is said about it.
    pub is_left_out: bool,
    /// The run may have changed it.
    pub is_changed: bool,
    /// It was changed when it was first heard of, by something that would have failed if
    /// there had been anything.
    pub began_as_new: bool,
    /// It was read, whatever is known of that.
    pub is_read: bool,
    /// Its content was put there shortly before it was looked at: its times do not tell whether
    /// it is still the same.
    pub is_racy: bool,
    /// The run may have changed its extended attributes.
    pub has_new_attributes: bool,
    /// The run may have moved a folder there, with all in it.
    pub is_moved_folder: bool,
    /// The run gave it a time, or may have moved something there that had one.
    pub keeps_time: bool,
}

impl Node {
    /// Its size and time matter although it is read, too: for a program that compares times.
    pub const TIMES: u16 = 1 << 15;

    /// Whether there is a fact of this class.
    pub fn has(&self, class: Class) -> bool {
        self.facts & class.bit() != 0
    }
}

/// What lies at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// Nothing.
    Nothing,
    /// Something.
    There(Status),
    /// It cannot be told.
    Error(Errno),
}

impl Found {
    /// What lies there now.
    pub fn at(path: &CStr) -> Found {
        match Status::at(path) {
            Ok(status) => Found::There(status),
            Err(Errno::NOENT | Errno::NOTDIR) => Found::Nothing,
            Err(errno) => Found::Error(errno),
        }
    }

    /// The status of something.
    pub fn status(&self) -> Option<&Status> {
        match self {
            Found::There(status) => Some(status),
            Found::Nothing | Found::Error(_) => None,
        }
    }

    /// Whether it is the same thing, unchanged. A folder is while it is the same folder.
    pub fn is_same(&self, other: &Found) -> bool {
        match (self, other) {
            (Found::There(a), Found::There(b)) if a.is_folder() && b.is_folder() => {
                let number = |status: &Status| (status.stamp.dev, status.stamp.ino);
                (number(a), a.stamp.btime) == (number(b), b.stamp.btime)
            }
            (Found::There(a), Found::There(b)) => a.mode == b.mode && a.stamp == b.stamp,
            (a, b) => a == b,
        }
    }

    /// The value of a fact that the status alone tells.
    pub fn value(&self, path: &CStr, class: Class) -> Result<Value, Errno> {
        match self {
            Found::Nothing => Ok(Value::ABSENT),
            Found::Error(errno) => Ok(Value::error(*errno)),
            Found::There(status) => facts::value(path, status, class),
        }
    }
}

/// All of the paths.
#[derive(Default)]
pub struct Tree {
    nodes: Vec<Node>,
    ids: HashMap<Name, Id, BuildHasherDefault<Fast>>,
}

impl Tree {
    /// The number of a path, which it has now if it had none; `is_left_out` says whether
    /// nothing is said about it. None if it cannot be one.
    pub fn id(&mut self, path: &[u8], is_left_out: impl FnOnce() -> bool) -> Option<Id> {
        if let Some(&id) = self.ids.get(path) {
            return Some(id);
        }
        let path: Arc<CStr> = CString::new(path).ok()?.into();
        let id = self.nodes.len() as Id;
        self.ids.insert(Name(path.clone()), id);
        self.nodes.push(Node {
            path,
            before: None,
            target: None,
            facts: 0,
            facts_of_others: 0,
            facts_of_updaters: 0,
            contents: None,
            attributes: None,
            names: None,
            is_left_out: is_left_out(),
            is_changed: false,
            began_as_new: false,
            is_read: false,
            is_racy: false,
            has_new_attributes: false,
            is_moved_folder: false,
            keeps_time: false,
        });
        Some(id)
    }

    /// The number that a path has already.
    pub fn known(&self, path: &[u8]) -> Option<Id> {
        self.ids.get(path).copied()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// All of them.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }
}

impl std::ops::Index<Id> for Tree {
    type Output = Node;
    fn index(&self, id: Id) -> &Node {
        &self.nodes[id as usize]
    }
}

impl std::ops::IndexMut<Id> for Tree {
    fn index_mut(&mut self, id: Id) -> &mut Node {
        &mut self.nodes[id as usize]
    }
}

/// A path as the key of a table that shares it.
struct Name(Arc<CStr>);

impl PartialEq for Name {
    fn eq(&self, other: &Name) -> bool {
        self.0 == other.0
    }
}

impl Eq for Name {}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.to_bytes().hash(state);
    }
}

impl Borrow<[u8]> for Name {
    fn borrow(&self) -> &[u8] {
        self.0.to_bytes()
    }
}

/// A hash of short strings, for tables that nobody attacks but whoever is served by them.
#[derive(Clone, Copy, Default)]
pub struct Fast(u64);

impl Fast {
    fn add(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
}

impl Hasher for Fast {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.add(u64::from_le_bytes(*word));
        }
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        self.add(u64::from_le_bytes(last) ^ (rest.len() as u64) << 56);
    }

    fn write_u32(&mut self, number: u32) {
        self.add(number.into());
    }

    fn write_i32(&mut self, number: i32) {
        self.add(number as u64);
    }

    fn write_usize(&mut self, number: usize) {
        self.add(number as u64);
    }

    fn finish(&self) -> u64 {
        // The table looks at the upper bits, and at the lower ones.
        self.0 ^ self.0 >> 32
    }
}

/// The folder that a canonical path lies in.
pub fn parent(path: &[u8]) -> &[u8] {
    match path.iter().rposition(|&byte| byte == b'/') {
        Some(0) | None => b"/",
        Some(at) => &path[..at],
    }
}

/// A canonical path and those above it, the shortest first, but for `/`.
pub fn from_above(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    let ends = path.iter().enumerate().skip(1).filter(|&(_, &byte)| byte == b'/');
    ends.map(|(at, _)| at).chain([path.len()]).map(|end| &path[..end])
}

/// The last part of a canonical path.
pub fn name(path: &[u8]) -> &[u8] {
    path.rsplit(|&byte| byte == b'/').next().unwrap_or_default()
}

/// Whether a canonical path is that of the folder, or of something below it.
pub fn is_within(path: &[u8], folder: &[u8]) -> bool {
    path.strip_prefix(folder)
        .is_some_and(|rest| rest.is_empty() || rest[0] == b'/' || folder == b"/")
}
