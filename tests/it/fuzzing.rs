//! What reads stored bytes and what reads arguments, on the seeds of the
//! fuzzers and on mutations of them: the short run, on every machine. The long
//! one, guided by coverage, is `fuzz/run`.

use cachex::fuzzing::{TARGETS, Target};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, TestRunner};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// So many mutations of each target's seeds.
const CASES: u32 = 2000;
/// Numbers that decoders get wrong.
const EDGES: [u64; 12] = [
    0,
    1,
    0x7f,
    0x80,
    0xfb,
    0xff,
    u16::MAX as u64,
    u32::MAX as u64,
    1 << 60,
    (1 << 63) - 1,
    1 << 63,
    u64::MAX,
];

fn folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target)
}

/// The checked-in inputs of a target, each with its name.
fn seeds(target: &str) -> Vec<(PathBuf, Arc<[u8]>)> {
    let folder = folder(target);
    let files = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut seeds: Vec<_> = files
        .map(|file| file.unwrap().path())
        .map(|path| (path.clone(), fs::read(path).unwrap().into()))
        .collect();
    seeds.sort();
    assert!(!seeds.is_empty(), "{} is empty", folder.display());
    seeds
}

#[test]
fn every_target_has_seeds_and_every_seed_a_target() {
    let mut folders: Vec<_> = fs::read_dir(folder(""))
        .unwrap()
        .map(|folder| folder.unwrap().file_name().into_string().unwrap())
        .collect();
    folders.sort();
    assert_eq!(folders, TARGETS.iter().map(|(name, _)| *name).collect::<Vec<_>>());
}

#[test]
fn seeds_and_mutations_of_them_are_read_or_refused() {
    std::thread::scope(|scope| {
        for target in TARGETS {
            scope.spawn(move || attack(*target));
        }
    });
}

fn attack((name, run): Target) {
    let seeds = seeds(name);
    for (path, bytes) in &seeds {
        // A panic shows its own message; this says which input it was.
        let outcome = std::panic::catch_unwind(|| run(bytes));
        assert!(outcome.is_ok(), "{}", path.display());
    }
    let contents: Vec<_> = seeds.into_iter().map(|(_, bytes)| bytes).collect();
    let inputs = (select(contents.clone()), proptest::collection::vec(edit(contents), 1..6));
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&inputs, |(seed, edits)| {
        let mut bytes = seed.to_vec();
        for edit in edits {
            edit.apply(&mut bytes);
        }
        run(&bytes);
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{name}: {error}");
    }
}

/// One of the things that fuzzers do to bytes.
#[derive(Clone, Debug)]
enum Edit {
    FlipBit(Index, u8),
    Overwrite(Index, Vec<u8>),
    Insert(Index, Vec<u8>),
    Remove(Index, u8),
    Repeat(Index, u8),
    Cut(Index),
    /// The rest is that of another seed.
    Splice(Index, Arc<[u8]>),
}

fn edit(seeds: Vec<Arc<[u8]>>) -> impl Strategy<Value = Edit> {
    let at = any::<Index>;
    let edge = (select(EDGES.to_vec()), any::<bool>(), 1..=8_usize).prop_map(|(n, big, len)| {
        let bytes = if big { n.to_be_bytes() } else { n.to_le_bytes() };
        if big { bytes[8 - len..].to_vec() } else { bytes[..len].to_vec() }
    });
    // A number as bincode writes what is longer than a byte.
    let number = select(EDGES.to_vec()).prop_map(|n| [&[0xfd][..], &n.to_le_bytes()].concat());
    let bytes = prop_oneof![edge, number, proptest::collection::vec(any::<u8>(), 1..9)].boxed();
    prop_oneof![
        3 => (at(), 0..8_u8).prop_map(|(at, bit)| Edit::FlipBit(at, bit)),
        3 => (at(), bytes.clone()).prop_map(|(at, bytes)| Edit::Overwrite(at, bytes)),
        2 => (at(), bytes).prop_map(|(at, bytes)| Edit::Insert(at, bytes)),
        2 => (at(), any::<u8>()).prop_map(|(at, len)| Edit::Remove(at, len)),
        1 => (at(), any::<u8>()).prop_map(|(at, len)| Edit::Repeat(at, len)),
        1 => at().prop_map(Edit::Cut),
        1 => (at(), select(seeds)).prop_map(|(at, other)| Edit::Splice(at, other)),
    ]
}

impl Edit {
    fn apply(self, bytes: &mut Vec<u8>) {
        let place = |at: Index| at.index(bytes.len() + 1);
        match self {
            Edit::FlipBit(at, bit) => {
                let at = place(at);
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << bit;
                }
            }
            Edit::Overwrite(at, with) => {
                let at = place(at);
                let end = bytes.len().min(at + with.len());
                bytes.splice(at..end, with);
            }
            Edit::Insert(at, what) => {
                let at = place(at);
                bytes.splice(at..at, what);
            }
            Edit::Remove(at, len) => {
                let at = place(at);
                bytes.drain(at..bytes.len().min(at + usize::from(len)));
            }
            Edit::Repeat(at, len) => {
                let at = place(at);
                let part = bytes[at..bytes.len().min(at + usize::from(len))].to_vec();
                bytes.splice(at..at, part);
            }
            Edit::Cut(at) => bytes.truncate(place(at)),
            Edit::Splice(at, other) => {
                let at = place(at);
                bytes.truncate(at);
                bytes.extend(other.get(at..).unwrap_or_default());
            }
        }
    }
}
