//! The parts of a key, as `explain` compares them: never a value, only a short
//! keyed sum of each.
//!
//! A sum is the first six bytes of BLAKE3, keyed with the store's secret, over
//! the part's kind and name, and its value. That is too short to be sure of a
//! value by it, and long enough to tell that one changed. What is stored is
//!
//! ```text
//! sum of nothing (6) | whether some were left out (1) | parts, the variables last
//! part: kind (1) | length of the name (1) | name | sum (6)
//! ```
//!
//! The sum of nothing tells one secret from another. Every miss writes this
//! down, so it is put together as it comes, in two buffers and nothing else.

use crate::secret::Secret;
use cachex_base::record::entry::{Key, PARTS_LIMIT};
use cachex_base::system::hashing;
use std::cmp::Reverse;

/// What a part is. The numbers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Kind {
    /// All arguments.
    Arguments = 0,
    /// Where the executable lies.
    ExePath = 1,
    /// How large it is.
    ExeSize = 2,
    /// When it was modified.
    ExeModified = 3,
    /// What is in it.
    ExeContent = 4,
    /// The working directory.
    Directory = 5,
    /// A variable.
    Variable = 6,
    /// Standard input.
    Stdin = 7,
    /// `--key`.
    Text = 8,
    /// `--scope`.
    Scope = 9,
    /// The terminal's kind and width.
    Terminal = 10,
    /// How many files count.
    Inputs = 11,
    /// A file that counts, or all in a folder, whose name ends with a slash.
    Input = 12,
    /// What a command printed.
    InputCommand = 13,
    /// What this machine is, or which project it is.
    Platform = 14,
    /// How it is found out what the command reads.
    Auto = 15,
    /// Which files the entry depends on: of the call that is automatic the key, and of the
    /// files the path set, as its name.
    EntryMetadata = 16,
    /// Who sent an entry that was fetched, which has no other parts. Each name says one thing.
    Origin = 17,
}

impl Kind {
    const ALL: [Kind; 18] = [
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
        Kind::EntryMetadata,
        Kind::Origin,
    ];
}

/// A sum.
pub type Sum = [u8; 6];

/// One part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// What it is.
    pub kind: Kind,
    /// The name of a variable, of a file, of a command; empty if there was no room.
    pub name: Vec<u8>,
    /// The keyed sum of kind, name and value.
    pub sum: Sum,
}

/// All parts of one key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// Tells one secret from another.
    pub secret: Sum,
    /// In the order they were collected, but for the variables, which are last.
    pub list: Vec<Part>,
    /// Whether some were left out for want of room.
    pub cut: bool,
}

/// Collects parts.
pub struct Collector {
    secret: Secret,
    /// What is stored, but for the variables,
    stored: Vec<u8>,
    /// which go last, so that they are what is left out for want of room.
    variables: Vec<u8>,
    summed: Vec<u8>,
}

/// Where the parts begin.
const HEADER: usize = 7;

impl Collector {
    /// Sums are made with this secret.
    pub fn new(secret: Secret) -> Collector {
        let mut stored = Vec::with_capacity(PARTS_LIMIT);
        let mut summed = Vec::with_capacity(1024);
        stored.extend(sum(&secret, &mut summed, u8::MAX, b"", b""));
        stored.push(0);
        Collector { secret, stored, variables: Vec::with_capacity(PARTS_LIMIT), summed }
    }

    /// Takes a part.
    pub fn add(&mut self, kind: Kind, name: &[u8], value: &[u8]) {
        let sum = sum(&self.secret, &mut self.summed, kind as u8, name, value);
        let to = if kind == Kind::Variable { &mut self.variables } else { &mut self.stored };
        put(to, kind, name, sum);
    }

    /// What was taken, in its stored form, however long that is.
    pub fn finish(mut self) -> Vec<u8> {
        self.stored.append(&mut self.variables);
        self.stored
    }
}

/// A name that is too long to be kept is none.
fn put(to: &mut Vec<u8>, kind: Kind, name: &[u8], sum: Sum) {
    let len = u8::try_from(name.len()).unwrap_or(0);
    to.extend([kind as u8, len]);
    to.extend(&name[..usize::from(len)]);
    to.extend(sum);
}

/// The sum of a part that has no name.
pub fn sum_of(secret: &Secret, kind: Kind, value: &[u8]) -> Sum {
    sum(secret, &mut Vec::new(), kind as u8, b"", value)
}

fn sum(secret: &Secret, buffer: &mut Vec<u8>, kind: u8, name: &[u8], value: &[u8]) -> Sum {
    buffer.clear();
    buffer.push(kind);
    buffer.extend((name.len() as u32).to_le_bytes());
    buffer.extend(name);
    buffer.extend(value);
    let mut sum = Sum::default();
    sum.copy_from_slice(&hashing::keyed(secret, buffer).as_bytes()[..6]);
    sum
}

/// The same parts of an entry that depends on files, which this names.
pub fn with_facts(mut stored: Vec<u8>, name: &[u8]) -> Vec<u8> {
    if stored.len() >= HEADER {
        let mut part = Vec::with_capacity(2 + name.len() + Sum::default().len());
        put(&mut part, Kind::EntryMetadata, name, Sum::default());
        stored.splice(HEADER..HEADER, part);
    }
    stored
}

/// What it names, of an entry that depends on files: the key of the call, and the path set.
pub fn facts_of(stored: &[u8]) -> Option<(Key, Key)> {
    // It is the first.
    let (&[kind, len], rest) = stored.get(HEADER..)?.split_first_chunk()?;
    let name: &[u8; 64] =
        rest.first_chunk().filter(|_| (kind, len) == (Kind::EntryMetadata as u8, 64))?;
    let [mut key, mut set] = [[0; 32]; 2];
    key.copy_from_slice(&name[..32]);
    set.copy_from_slice(&name[32..]);
    Some((Key(key), Key(set)))
}

/// The parts of an entry that was fetched: what is known of who sent it.
pub fn of_origin(said: impl Iterator<Item = String>) -> Vec<u8> {
    let mut stored = vec![0; HEADER];
    for name in said {
        put(&mut stored, Kind::Origin, name.as_bytes(), Sum::default());
    }
    stored
}

/// What is known of who sent an entry; none if it was not fetched.
pub fn origin_of(stored: &[u8]) -> Option<Vec<String>> {
    let parts = Parts::decode(stored)?;
    let said = |part: Part| String::from_utf8_lossy(&part.name).into_owned();
    let is_fetched = parts.is_of_a_fetched_entry();
    let list = parts.list.into_iter().filter(|part| part.kind == Kind::Origin);
    is_fetched.then(|| list.map(said).collect())
}

/// As much of a stored form as an entry has room for: where that is not all, the
/// longest names go first, then the last parts.
pub fn within_limit(stored: Vec<u8>) -> Vec<u8> {
    if stored.len() <= PARTS_LIMIT {
        return stored;
    }
    let mut parts = Parts::decode(&stored).unwrap_or_default();
    let mut excess = stored.len() - PARTS_LIMIT;
    let mut longest: Vec<usize> = (0..parts.list.len()).collect();
    // By its name files are found, those of others are for people.
    let is_read = |at: usize| parts.list[at].kind == Kind::EntryMetadata;
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

    /// Whether they say who sent the entry, and nothing of its key but by what it is found.
    pub fn is_of_a_fetched_entry(&self) -> bool {
        let is_said = |part: &Part| matches!(part.kind, Kind::Origin | Kind::EntryMetadata);
        self.secret == Sum::default() && self.list.iter().all(is_said)
    }

    /// Reads what was stored; none if there is nothing that can be read.
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
