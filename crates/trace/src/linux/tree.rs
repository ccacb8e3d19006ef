//! The canonical paths involved in a run.

use crate::facts::{self, Class, Names, Status, Value};
use rustix::io::Errno;
use std::borrow::Borrow;
use std::collections::HashMap;
use std::ffi::{CStr, CString};
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::sync::Arc;

/// The id of a path.
pub type Id = u32;

/// A canonical path, and its recorded state.
pub struct Node {
    /// The path.
    pub path: Arc<CStr>,
    /// The state when it was first examined, before the run could change it.
    pub before: Option<Found>,
    /// The target, if it was a link.
    pub target: Option<Box<[u8]>>,
    /// The classes of facts about the path, as bits, and [`Node::TIMES`].
    pub facts: u16,
    /// The bits that programs other than makers requested, which may learn more from them.
    pub facts_of_others: u16,
    /// The bits for which the old content may matter.
    pub facts_of_updaters: u16,
    /// The value of the content, where it had to be read at once.
    pub contents: Option<Value>,
    /// The value of the extended attributes.
    pub attributes: Option<Value>,
    /// The names in the folder, without the run's own changes.
    pub names: Option<Box<Names>>,
    /// Set if the path is not traced.
    pub is_left_out: bool,
    /// Set if the run may have changed the path.
    pub is_changed: bool,
    /// Set if the run's first use of the path was to create it, by a call that fails if anything
    /// exists.
    pub began_as_new: bool,
    /// Set if the file was read, whatever facts that left.
    pub is_read: bool,
    /// Set if the content was written shortly before the first look, so that times do not tell
    /// whether it is still the same.
    pub is_racy: bool,
    /// Set if the run may have changed the extended attributes.
    pub has_new_attributes: bool,
    /// Set if the run may have moved a folder to this path, with its contents.
    pub is_moved_folder: bool,
    /// Set if the run chose the time, or may have moved a dated file to this path.
    pub keeps_time: bool,
    /// Set if the run set the time, to whatever it was.
    pub is_dated: bool,
}

impl Node {
    /// The bit for a file whose size and time matter although it is read: a program compares times.
    pub const TIMES: u16 = 1 << 15;

    /// Returns whether there is a fact of this class.
    pub fn has(&self, class: Class) -> bool {
        self.facts & class.bit() != 0
    }

    /// Returns whether this was a folder when first examined.
    pub fn was_folder(&self) -> bool {
        self.before.is_some_and(|found| found.status().is_some_and(Status::is_folder))
    }
}

/// The state of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// Nothing.
    Nothing,
    /// Something.
    There(Status),
    /// The path could not be examined.
    Error(Errno),
}

impl Found {
    /// Returns the present state of a path.
    pub fn at(path: &CStr) -> Found {
        match Status::at(path) {
            Ok(status) => Found::There(status),
            Err(Errno::NOENT | Errno::NOTDIR) => Found::Nothing,
            Err(errno) => Found::Error(errno),
        }
    }

    /// Returns the status, if something exists.
    pub fn status(&self) -> Option<&Status> {
        match self {
            Found::There(status) => Some(status),
            Found::Nothing | Found::Error(_) => None,
        }
    }

    /// Returns whether this is the same file, unchanged. For folders, only their identity is
    /// compared.
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

    /// Returns the value of a fact about this state.
    pub fn value(&self, path: &CStr, class: Class) -> Result<Value, Errno> {
        match self {
            Found::Nothing => Ok(Value::ABSENT),
            Found::Error(errno) => Ok(Value::error(*errno)),
            Found::There(status) => facts::value(path, status, class),
        }
    }
}

/// All paths of a run.
#[derive(Default)]
pub struct Tree {
    nodes: Vec<Node>,
    ids: HashMap<Name, Id, BuildHasherDefault<Fast>>,
}

impl Tree {
    /// Returns the id of a path, adding it if it is new; `is_left_out` tells whether it is not
    /// traced. None if the path is invalid.
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
            is_dated: false,
        });
        Some(id)
    }

    /// Returns the id of a path that was added before.
    pub fn known(&self, path: &[u8]) -> Option<Id> {
        self.ids.get(path).copied()
    }

    /// Returns the number of paths.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Returns all paths, in the order of their ids.
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

/// A path as a table key that shares its memory.
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

/// A fast hash of short strings, for tables that only their own user could attack.
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
        // The table uses both the upper and the lower bits.
        self.0 ^ self.0 >> 32
    }
}

/// Returns the parent folder of a canonical path.
pub fn parent(path: &[u8]) -> &[u8] {
    match path.iter().rposition(|&byte| byte == b'/') {
        Some(0) | None => b"/",
        Some(at) => &path[..at],
    }
}

/// Returns a canonical path and its ancestors except `/`, shortest first.
pub fn from_above(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    let ends = path.iter().enumerate().skip(1).filter(|&(_, &byte)| byte == b'/');
    ends.map(|(at, _)| at).chain([path.len()]).map(|end| &path[..end])
}

/// Returns the last component of a canonical path.
pub fn name(path: &[u8]) -> &[u8] {
    path.rsplit(|&byte| byte == b'/').next().unwrap_or_default()
}

/// Returns whether a canonical path is the folder itself, or lies below it.
pub fn is_within(path: &[u8], folder: &[u8]) -> bool {
    path.strip_prefix(folder)
        .is_some_and(|rest| rest.is_empty() || rest[0] == b'/' || folder == b"/")
}
