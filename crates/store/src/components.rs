//! The components of a key, as `explain` compares them: never a value, only a short MAC of each.
//!
//! A MAC is the first six bytes of BLAKE3, keyed with the store's secret, over the component's
//! kind, name and value. It is too short to confirm a guess at a value, and long enough to show
//! that one changed. The stored form is
//!
//! ```text
//! MAC of nothing (6) | whether some were left out (1) | components, the variables last
//! component: kind (1) | length of the name (1) | name | MAC (6)
//! ```
//!
//! The MAC of nothing tells one secret from another. Every miss writes the components, so they
//! are collected as they come, in two buffers and nothing else.

use crate::secret::Secret;
use cachex_base::record::entry::{Key, PARTS_LIMIT};
use cachex_base::system::hashing;
use std::cmp::Reverse;

/// The kind of a component. The numbers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Kind {
    /// All arguments.
    Arguments = 0,
    /// The path of the executable.
    ExePath = 1,
    /// The size of the executable.
    ExeSize = 2,
    /// The modification time of the executable.
    ExeModified = 3,
    /// The content of the executable.
    ExeContent = 4,
    /// The working directory.
    Directory = 5,
    /// An environment variable.
    Variable = 6,
    /// Standard input.
    Stdin = 7,
    /// `--key`.
    Text = 8,
    /// `--scope`.
    Scope = 9,
    /// The terminal's kind and width.
    Terminal = 10,
    /// The number of files in the key.
    Inputs = 11,
    /// A file in the key, or all files in a folder, whose name ends with a slash.
    Input = 12,
    /// The output of a command.
    InputCommand = 13,
    /// The machine or the project.
    Platform = 14,
    /// The method of finding out what the command reads.
    Auto = 15,
    /// The files that the entry depends on. The name is the key of the automatic call, followed
    /// by the id of the path set.
    PathSet = 16,
    /// The sender of a fetched entry, which has no other components. Each name is one detail.
    Origin = 17,
    /// The selection of variables, unless it is the default. The name is the option that makes it.
    Selection = 18,
}

impl Kind {
    const ALL: [Kind; 19] = [
        Kind::Arguments,
        Kind::ExePath,
        Kind::ExeSize,
        Kind::ExeModified,
        Kind::ExeContent,
        Kind::Directory,
        Kind::Variable,
        Kind::Stdin,
        Kind::Text,
        Kind::Scope,
        Kind::Terminal,
        Kind::Inputs,
        Kind::Input,
        Kind::InputCommand,
        Kind::Platform,
        Kind::Auto,
        Kind::PathSet,
        Kind::Origin,
        Kind::Selection,
    ];
}

/// A short MAC.
pub type Sum = [u8; 6];

/// A component of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The kind of component.
    pub kind: Kind,
    /// The name of a variable, a file or a command; empty if there was no room for it.
    pub name: Vec<u8>,
    /// The MAC of kind, name and value.
    pub sum: Sum,
}

/// All components of one key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// The MAC of nothing, which tells one secret from another.
    pub secret: Sum,
    /// The components in the order they were collected, except variables, which come last.
    pub list: Vec<Part>,
    /// True if components were left out for lack of room.
    pub cut: bool,
}

/// Collects the components of a key.
pub struct Collector {
    secret: Secret,
    /// The stored form without the variables.
    stored: Vec<u8>,
    /// The variables. They come last, so that they are the first to be left out for lack of room.
    variables: Vec<u8>,
    summed: Vec<u8>,
}

/// The offset of the first component, in bytes.
const HEADER: usize = 7;

impl Collector {
    /// Creates a collector that computes MACs with `secret`.
    pub fn new(secret: Secret) -> Collector {
        let mut stored = Vec::with_capacity(PARTS_LIMIT);
        let mut summed = Vec::with_capacity(1024);
        stored.extend(sum(&secret, &mut summed, u8::MAX, b"", b""));
        stored.push(0);
        Collector { secret, stored, variables: Vec::with_capacity(PARTS_LIMIT), summed }
    }

    /// Adds a component.
    pub fn add(&mut self, kind: Kind, name: &[u8], value: &[u8]) {
        let sum = sum(&self.secret, &mut self.summed, kind as u8, name, value);
        let to = if kind == Kind::Variable { &mut self.variables } else { &mut self.stored };
        put(to, kind, name, sum);
    }

    /// Returns the stored form of the components, however long it is.
    pub fn finish(mut self) -> Vec<u8> {
        self.stored.append(&mut self.variables);
        self.stored
    }
}

/// Appends a component. A name that is too long is left out.
fn put(to: &mut Vec<u8>, kind: Kind, name: &[u8], sum: Sum) {
    let len = u8::try_from(name.len()).unwrap_or(0);
    to.reserve(2 + usize::from(len) + sum.len());
    to.extend_from_slice(&[kind as u8, len]);
    to.extend_from_slice(&name[..usize::from(len)]);
    to.extend_from_slice(&sum);
}

/// Returns the MAC of a component without a name.
pub fn sum_of(secret: &Secret, kind: Kind, value: &[u8]) -> Sum {
    sum(secret, &mut Vec::new(), kind as u8, b"", value)
}

fn sum(secret: &Secret, buffer: &mut Vec<u8>, kind: u8, name: &[u8], value: &[u8]) -> Sum {
    buffer.clear();
    buffer.reserve(5 + name.len() + value.len());
    buffer.push(kind);
    buffer.extend_from_slice(&(name.len() as u32).to_le_bytes());
    buffer.extend_from_slice(name);
    buffer.extend_from_slice(value);
    let mut sum = Sum::default();
    sum.copy_from_slice(&hashing::keyed(secret, buffer).as_bytes()[..6]);
    sum
}

/// Adds the component that names the files an entry depends on.
pub fn with_facts(mut stored: Vec<u8>, name: &[u8]) -> Vec<u8> {
    if stored.len() >= HEADER {
        let mut part = Vec::with_capacity(2 + name.len() + Sum::default().len());
        put(&mut part, Kind::PathSet, name, Sum::default());
        stored.splice(HEADER..HEADER, part);
    }
    stored
}

/// Returns the key of the call and the id of the path set, for an entry that depends on files.
pub fn facts_of(stored: &[u8]) -> Option<(Key, Key)> {
    // It is the first component.
    let (&[kind, len], rest) = stored.get(HEADER..)?.split_first_chunk()?;
    let name: &[u8; 64] =
        rest.first_chunk().filter(|_| (kind, len) == (Kind::PathSet as u8, 64))?;
    let [mut key, mut set] = [[0; 32]; 2];
    key.copy_from_slice(&name[..32]);
    set.copy_from_slice(&name[32..]);
    Some((Key(key), Key(set)))
}

/// Returns the components of a fetched entry: what is known of its sender.
pub fn of_origin(said: impl Iterator<Item = String>) -> Vec<u8> {
    let mut stored = vec![0; HEADER];
    for name in said {
        put(&mut stored, Kind::Origin, name.as_bytes(), Sum::default());
    }
    stored
}

/// Returns what is known of the sender of an entry, or `None` if it was not fetched.
pub fn origin_of(stored: &[u8]) -> Option<Vec<String>> {
    let parts = Parts::decode(stored)?;
    let said = |part: Part| String::from_utf8_lossy(&part.name).into_owned();
    let is_fetched = parts.is_of_a_fetched_entry();
    let list = parts.list.into_iter().filter(|part| part.kind == Kind::Origin);
    is_fetched.then(|| list.map(said).collect())
}

/// Returns as much of a stored form as an entry has room for. The longest names are dropped
/// first, then the last components.
pub fn within_limit(stored: Vec<u8>) -> Vec<u8> {
    if stored.len() <= PARTS_LIMIT {
        return stored;
    }
    let mut parts = Parts::decode(&stored).unwrap_or_default();
    let mut excess = stored.len() - PARTS_LIMIT;
    let mut longest: Vec<usize> = (0..parts.list.len()).collect();
    // Files are found by the name of this component; other names are for people.
    let is_read = |at: usize| parts.list[at].kind == Kind::PathSet;
    longest.sort_by_key(|&at| (is_read(at), Reverse(parts.list[at].name.len())));
    for at in longest {
        let name = std::mem::take(&mut parts.list[at].name);
        excess = excess.saturating_sub(name.len());
        if excess == 0 {
            return parts.encode();
        }
    }
    let bare = 2 + Sum::default().len();
    parts.list.truncate(parts.list.len() - excess.div_ceil(bare));
    parts.cut = true;
    parts.encode()
}

impl Parts {
    fn encode(&self) -> Vec<u8> {
        let mut stored = Vec::with_capacity(PARTS_LIMIT);
        stored.extend(self.secret);
        stored.push(u8::from(self.cut));
        for part in &self.list {
            put(&mut stored, part.kind, &part.name, part.sum);
        }
        stored
    }

    /// Returns whether the components state only the sender of the entry and what it is found by.
    pub fn is_of_a_fetched_entry(&self) -> bool {
        let is_said = |part: &Part| matches!(part.kind, Kind::Origin | Kind::PathSet);
        self.secret == Sum::default() && self.list.iter().all(is_said)
    }

    /// Decodes the stored form. Returns `None` if it cannot be read.
    pub fn decode(stored: &[u8]) -> Option<Parts> {
        let (header, mut rest) = stored.split_first_chunk::<HEADER>()?;
        let [secret @ .., cut] = header;
        let mut list = Vec::new();
        while let Some((&[kind, len], tail)) = rest.split_first_chunk() {
            let (name, tail) = tail.split_at_checked(usize::from(len))?;
            let (sum, tail) = tail.split_first_chunk()?;
            let kind = *Kind::ALL.get(usize::from(kind))?;
            list.push(Part { kind, name: name.to_vec(), sum: *sum });
            rest = tail;
        }
        rest.is_empty().then_some(Parts { secret: *secret, list, cut: *cut != 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn collected(variables: &[(String, String)]) -> Vec<u8> {
        let mut collector = Collector::new([7; 32]);
        for (name, value) in variables {
            collector.add(Kind::Variable, name.as_bytes(), value.as_bytes());
        }
        collector.add(Kind::Arguments, b"", b"value");
        collector.finish()
    }

    proptest! {
        #[test]
        fn what_fits_survives_and_what_does_not_is_cut(
            variables in proptest::collection::vec(("[A-Z]{1,40}", ".{0,30}"), 0..600)
        ) {
            let whole = collected(&variables);
            let parts = Parts::decode(&whole).unwrap();
            prop_assert_eq!(parts.list.len(), 1 + variables.len());
            prop_assert_eq!(parts.list[0].kind, Kind::Arguments);
            prop_assert_eq!(parts.encode(), whole.clone());
            let kept = within_limit(whole);
            prop_assert!(kept.len() <= PARTS_LIMIT);
            let back = Parts::decode(&kept).unwrap();
            for (a, b) in back.list.iter().zip(&parts.list) {
                prop_assert!(a.sum == b.sum && (a.name == b.name || a.name.is_empty()));
            }
            prop_assert_eq!(back.cut, back.list.len() < parts.list.len());
            if variables.len() < 50 {
                prop_assert_eq!(back, parts);
            }
        }

        #[test]
        fn any_bytes_decode_or_fail(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Parts::decode(&bytes);
        }
    }

    #[test]
    fn numbers_are_places() {
        for (at, kind) in Kind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, at);
        }
    }

    #[test]
    fn a_name_and_a_value_share_no_sum_with_another_pair() {
        let sum = |name: &str, value: &str| {
            let mut collector = Collector::new([7; 32]);
            collector.add(Kind::Variable, name.as_bytes(), value.as_bytes());
            Parts::decode(&collector.finish()).unwrap().list[0].sum
        };
        assert_ne!(sum("A", "BC"), sum("AB", "C"));
        assert_ne!(sum("A", ""), sum("", "A"));
    }

    #[test]
    fn another_secret_makes_other_sums_and_says_so() {
        let of = |secret| {
            let mut collector = Collector::new(secret);
            collector.add(Kind::Stdin, b"", b"same");
            Parts::decode(&collector.finish()).unwrap()
        };
        let (one, other) = (of([1; 32]), of([2; 32]));
        assert_ne!(one.secret, other.secret);
        assert_ne!(one.list[0].sum, other.list[0].sum);
        assert_eq!(one, of([1; 32]));
        assert_eq!(one.list[0].sum, sum_of(&[1; 32], Kind::Stdin, b"same"));
    }
}
