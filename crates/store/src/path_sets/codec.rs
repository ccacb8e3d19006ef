//! The stored form of path sets.

use super::{Ground, MOST, NO_FOLDER, PathSet, PathSets, Refused, Ties};
use cachex_base::record::entry::Key;
use cachex_base::system::clock::Timestamp;
use cachex_base::system::hashing;
use cachex_trace::{Class, Fact, Stamp, Value};
use std::rc::Rc;

const MAGIC: [u8; 8] = *b"cxauto\0\x05";
const HEADER: usize = MAGIC.len() + 32;
/// The maximum number of bytes that are read back.
pub const LONGEST: usize = 256 << 20;
/// The maximum length of a reason, in bytes. A longer one is cut.
const WHY: usize = 512;

/// The minimum size of a fact, in bytes.
const SHORTEST: usize = 2 + 2 + 1 + 32 + 1;

/// The ways to tell whether a fact still holds.
const BY_ITSELF: u8 = 0;
const BY_STAMP: u8 = 1;
const BY_FOLDER: u8 = 2;
/// The mark of a set that does not belong to a portable call.
const UNTIED: u8 = u8::MAX;

/// Encodes path sets.
pub fn encode(known: &PathSets) -> Vec<u8> {
    let mut bytes = vec![0; HEADER];
    let (at, why) = known.refused.as_ref().map_or((0, ""), |it| (it.at.0, it.why.as_str()));
    let mut end = why.len().min(WHY);
    while !why.is_char_boundary(end) {
        end -= 1;
    }
    bytes.extend(at.to_le_bytes());
    bytes.extend((end as u16).to_le_bytes());
    bytes.extend(&why.as_bytes()[..end]);
    bytes.push(known.sets.len() as u8);
    for set in &known.sets {
        bytes.extend(set.id.0);
        put_ties(&mut bytes, set.ties);
        bytes.extend((set.folders.len() as u32).to_le_bytes());
        for (path, stamp) in &set.folders {
            let path = set.stored(path);
            bytes.extend((path.len() as u16).to_le_bytes());
            bytes.extend(path);
            put_stamp(&mut bytes, stamp);
        }
        bytes.extend((set.facts.len() as u32).to_le_bytes());
        let mut before: &[u8] = &[];
        for (fact, folder) in set.facts.iter().zip(&set.told_by) {
            let path = set.stored(&fact.path);
            put_path(&mut bytes, before, path);
            put(&mut bytes, fact, *folder);
            before = path;
        }
    }
    let hash = hashing::of(&bytes[HEADER..]);
    bytes[..MAGIC.len()].copy_from_slice(&MAGIC);
    bytes[MAGIC.len()..HEADER].copy_from_slice(hash.as_bytes());
    bytes
}

/// Appends the ties of a set.
pub(super) fn put_ties(bytes: &mut Vec<u8>, ties: Option<Ties>) {
    bytes.push(ties.map_or(UNTIED, Ties::bits));
}

/// Reads the ties of a set, which is otherwise empty.
pub(super) fn tied_set(rest: &mut &[u8], ground: Option<&Rc<Ground>>) -> Option<PathSet> {
    let ties = match take(rest)? {
        [UNTIED] => None,
        [bits] => Some(Ties::of_bits(bits)?),
    };
    let ground = ground.filter(|_| ties.is_some()).cloned();
    Some(PathSet { ties, ground, ..PathSet::default() })
}

/// Appends a path without the prefix that it shares with the one before.
pub(super) fn put_path(bytes: &mut Vec<u8>, before: &[u8], path: &[u8]) {
    let shared = before.iter().zip(path).take_while(|(one, other)| one == other).count();
    let rest = &path[shared..];
    bytes.extend((shared as u16).to_le_bytes());
    bytes.extend((rest.len() as u16).to_le_bytes());
    bytes.extend(rest);
}

/// Reads a path; `before` is the preceding one.
pub(super) fn take_path(rest: &mut &[u8], before: &[u8]) -> Option<Vec<u8>> {
    let shared = usize::from(u16::from_le_bytes(take(rest)?));
    let len = usize::from(u16::from_le_bytes(take(rest)?));
    Some([before.get(..shared)?, take_bytes(rest, len)?].concat())
}

fn put(bytes: &mut Vec<u8>, fact: &Fact, folder: u32) {
    bytes.push(fact.class as u8);
    bytes.extend(fact.value.0);
    match fact.stamp {
        Some(stamp) => {
            bytes.push(BY_STAMP);
            put_stamp(bytes, &stamp);
        }
        None if folder != NO_FOLDER => {
            bytes.push(BY_FOLDER);
            bytes.extend(folder.to_le_bytes());
        }
        None => bytes.push(BY_ITSELF),
    }
}

fn put_stamp(bytes: &mut Vec<u8>, stamp: &Stamp) {
    let Stamp { dev, ino, size, mtime, ctime, btime, mount } = *stamp;
    for number in [dev, ino, size, mtime as u64, ctime as u64, btime as u64, mount] {
        bytes.extend(number.to_le_bytes());
    }
}

/// Decodes path sets for a call made on `ground`. Returns `None` if they are damaged.
pub fn decode(bytes: &[u8], ground: Option<&Rc<Ground>>) -> Option<PathSets> {
    let (header, rest) = bytes.split_at_checked(HEADER)?;
    let (magic, hash) = header.split_at(MAGIC.len());
    if *magic != MAGIC || hashing::of(rest).as_bytes() != hash {
        return None;
    }
    let mut rest = rest;
    let at = u64::from_le_bytes(take(&mut rest)?);
    let len = u16::from_le_bytes(take(&mut rest)?);
    let why = std::str::from_utf8(take_bytes(&mut rest, len.into())?).ok()?;
    let refused = (at > 0).then(|| Refused { at: Timestamp(at), why: why.to_owned() });
    let [count] = take(&mut rest)?;
    if usize::from(count) > MOST {
        return None;
    }
    let sets = (0..count).map(|_| set(&mut rest, ground)).collect::<Option<_>>()?;
    rest.is_empty().then_some(PathSets { sets, refused })
}

fn set(rest: &mut &[u8], ground: Option<&Rc<Ground>>) -> Option<PathSet> {
    let id = Key(take(rest)?);
    let mut set = PathSet { id, ..tied_set(rest, ground)? };
    let count = u32::from_le_bytes(take(rest)?);
    for _ in 0..count {
        let len = usize::from(u16::from_le_bytes(take(rest)?));
        let path = set.met(take_bytes(rest, len)?.to_vec());
        set.folders.push((path, stamp(rest)?));
    }
    let count = u32::from_le_bytes(take(rest)?);
    let room = (rest.len() / SHORTEST).min(count as usize);
    set.facts.reserve_exact(room);
    set.told_by.reserve_exact(room);
    for _ in 0..count {
        let path = take_path(rest, set.last_path())?;
        let [class] = take(rest)?;
        let class = *Class::ALL.get(usize::from(class))?;
        let value = Value(take(rest)?);
        let (stamp, folder) = match take(rest)? {
            [BY_ITSELF] => (None, NO_FOLDER),
            [BY_STAMP] => (Some(stamp(rest)?), NO_FOLDER),
            [BY_FOLDER] => (None, u32::from_le_bytes(take(rest)?)),
            _ => return None,
        };
        set.facts.push(Fact { path, class, value, stamp });
        set.told_by.push(folder);
    }
    Some(set.with_met_paths())
}

fn stamp(rest: &mut &[u8]) -> Option<Stamp> {
    let mut number = || Some(u64::from_le_bytes(take(rest)?));
    let [dev, ino, size] = [number()?, number()?, number()?];
    let [mtime, ctime, btime] = [number()? as i64, number()? as i64, number()? as i64];
    Some(Stamp { dev, ino, size, mtime, ctime, btime, mount: number()? })
}

pub(super) fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (first, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(*first)
}

fn take_bytes<'b>(rest: &mut &'b [u8], len: usize) -> Option<&'b [u8]> {
    let (first, after) = rest.split_at_checked(len)?;
    *rest = after;
    Some(first)
}
