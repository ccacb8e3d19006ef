//! The stored form of path sets.

use super::{MOST, NO_FOLDER, PathSet, PathSets, Refused};
use cachex_base::record::entry::Key;
use cachex_base::system::clock::Timestamp;
use cachex_base::system::hashing;
use cachex_trace::{Class, Fact, Stamp, Value};

const MAGIC: [u8; 8] = *b"cxauto\0\x03";
const HEADER: usize = MAGIC.len() + 32;
/// No more is read back.
pub const LONGEST: usize = 256 << 20;
/// No reason is kept that is longer.
const WHY: usize = 512;

/// No fact takes fewer bytes.
const SHORTEST: usize = 2 + 2 + 1 + 32 + 1;

/// How it is known whether a fact still holds.
const BY_ITSELF: u8 = 0;
const BY_STAMP: u8 = 1;
const BY_FOLDER: u8 = 2;

/// Encodes them.
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
        bytes.extend((set.folders.len() as u32).to_le_bytes());
        for (path, stamp) in &set.folders {
            bytes.extend((path.len() as u16).to_le_bytes());
            bytes.extend(path);
            put_stamp(&mut bytes, stamp);
        }
        bytes.extend((set.facts.len() as u32).to_le_bytes());
        let mut before: &[u8] = &[];
        for (fact, folder) in set.facts.iter().zip(&set.told_by) {
            put(&mut bytes, before, fact, *folder);
            before = &fact.path;
        }
    }
    let hash = hashing::of(&bytes[HEADER..]);
    bytes[..MAGIC.len()].copy_from_slice(&MAGIC);
    bytes[MAGIC.len()..HEADER].copy_from_slice(hash.as_bytes());
    bytes
}

fn put(bytes: &mut Vec<u8>, before: &[u8], fact: &Fact, folder: u32) {
    let shared = before.iter().zip(&fact.path).take_while(|(one, other)| one == other).count();
    let rest = &fact.path[shared..];
    bytes.extend((shared as u16).to_le_bytes());
    bytes.extend((rest.len() as u16).to_le_bytes());
    bytes.extend(rest);
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
    let Stamp { dev, ino, size, mtime, ctime, btime } = *stamp;
    for number in [dev, ino, size, mtime as u64, ctime as u64, btime as u64] {
        bytes.extend(number.to_le_bytes());
    }
}

/// Decodes them; none if they are damaged.
pub fn decode(bytes: &[u8]) -> Option<PathSets> {
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
    let sets = (0..count).map(|_| set(&mut rest)).collect::<Option<_>>()?;
    rest.is_empty().then_some(PathSets { sets, refused })
}

fn set(rest: &mut &[u8]) -> Option<PathSet> {
    let id = Key(take(rest)?);
    let mut set = PathSet { id, ..PathSet::default() };
    let count = u32::from_le_bytes(take(rest)?);
    for _ in 0..count {
        let len = usize::from(u16::from_le_bytes(take(rest)?));
        let path = take_bytes(rest, len)?.to_vec();
        set.folders.push((path, stamp(rest)?));
    }
    let count = u32::from_le_bytes(take(rest)?);
    let room = (rest.len() / SHORTEST).min(count as usize);
    set.facts.reserve_exact(room);
    set.told_by.reserve_exact(room);
    for _ in 0..count {
        let shared = usize::from(u16::from_le_bytes(take(rest)?));
        let len = usize::from(u16::from_le_bytes(take(rest)?));
        let before = set.facts.last().map_or(&[][..], |fact| &fact.path);
        let path = [before.get(..shared)?, take_bytes(rest, len)?].concat();
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
    Some(set)
}

fn stamp(rest: &mut &[u8]) -> Option<Stamp> {
    let mut number = || Some(u64::from_le_bytes(take(rest)?));
    let [dev, ino, size] = [number()?, number()?, number()?];
    let [mtime, ctime, btime] = [number()? as i64, number()? as i64, number()? as i64];
    Some(Stamp { dev, ino, size, mtime, ctime, btime })
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (first, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(*first)
}

fn take_bytes<'b>(rest: &mut &'b [u8], len: usize) -> Option<&'b [u8]> {
    let (first, after) = rest.split_at_checked(len)?;
    *rest = after;
    Some(first)
}
