//! Records whose checksums hold and that claim what is not so: a miss, and no
//! memory for what they claim.

use crate::harness::{Cachex, Call, cachex};
use cachex::Key;
use cachex::internals::{BlobRef, Bytes, Entry};
use std::fs;
use std::path::{Path, PathBuf};

const HUGE: u64 = 1 << 60;
const LITTLE_MEMORY: u64 = 64 << 20;

/// The file of the only young entry.
fn young(cachex: &Cachex) -> PathBuf {
    let [file] = &cachex.stored_in("v2/young")[..] else { panic!("{:?}", cachex.stored()) };
    cachex.in_store(file)
}

/// The bytes of an entry with a checksum that holds.
fn sealed(mut sealed: Vec<u8>) -> Vec<u8> {
    let sum = blake3::hash(&sealed[40..]);
    sealed[8..40].copy_from_slice(sum.as_bytes());
    sealed
}

/// An entry changed by `change`, sealed anew.
fn changed(path: &Path, change: impl FnOnce(&mut Entry)) -> Vec<u8> {
    let mut entry = Entry::open_any(&fs::read(path).unwrap()).unwrap();
    change(&mut entry);
    entry.seal().unwrap()
}

/// Encodes one frame of stdout, see `crates/base/src/record/frames.rs`.
fn frame(len: u64) -> Vec<u8> {
    let mut rest = len << 1;
    let mut bytes = Vec::new();
    while rest >= 0x80 {
        bytes.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    bytes.push(rest as u8);
    bytes
}

#[track_caller]
fn is_a_miss(call: &Call, path: &Path, forged: &[u8], what: &str) {
    fs::write(path, forged).unwrap();
    let outcome = call.once().prints("hello world\n").exits(0).quietly();
    let outcome = outcome.in_less_memory_than(LITTLE_MEMORY);
    assert_eq!(outcome.executions(), 1, "{what} was believed");
    call.once().hits().prints("hello world\n").exits(0);
}

#[test]
fn absurd_lengths_inside_an_entry() {
    let cachex = cachex();
    let call = cachex.run("echo hello world").measured();
    call.once().misses();
    let path = young(&cachex);
    let good = fs::read(&path).unwrap();
    // Every length in an entry is a single byte here; 253 announces eight more.
    let absurd = [&[253][..], &HUGE.to_le_bytes()].concat();
    for at in 40..good.len() {
        let forged = sealed([&good[..at], &absurd, &good[at + 1..]].concat());
        fs::write(&path, forged).unwrap();
        let outcome = call.once().exits(0).quietly().in_less_memory_than(LITTLE_MEMORY);
        let (ran, printed) = (outcome.executions(), outcome.stdout());
        // Where it is the text of the output, the output is what was sealed.
        assert!(ran == 0 || printed == "hello world\n", "at {at}: {printed:?}");
        call.clone().with("--force").once().prints("hello world\n");
    }
    let output = good.windows(5).position(|bytes| bytes == b"hello").unwrap();
    assert_eq!(good[output - 1], 12, "not the length of the output");
    let forged = sealed([&good[..output - 1], &absurd, &good[output..]].concat());
    is_a_miss(&call, &path, &forged, "an output of 2^60 bytes");
}

#[test]
fn blobs_of_absurd_lengths() {
    let cachex = cachex();
    let call = cachex.run("echo hello world").measured();
    call.once().misses();
    let path = young(&cachex);
    let hash = *blake3::hash(b"hello world\n").as_bytes();
    let hex = blake3::Hash::from_bytes(hash).to_hex();
    cachex.write(format!("store/v2/blobs/{}/{hex}", &hex[..2]), "hello world\n");
    for len in [0, 11, 13, HUGE, u64::MAX] {
        let forged = changed(&path, |entry| entry.data = Bytes::Blob(BlobRef { hash, len }));
        is_a_miss(&call, &path, &forged, "the length of a blob");
        let forged = changed(&path, |entry| entry.frames = Bytes::Blob(BlobRef { hash, len }));
        is_a_miss(&call, &path, &forged, "the length of a blob of frames");
    }
}

#[test]
fn frames_that_do_not_fit_the_bytes() {
    let cachex = cachex();
    let call = cachex.run("echo hello world").measured();
    call.once().misses();
    let path = young(&cachex);
    for (frames, what) in [
        (vec![], "no frames"),
        (frame(11), "too short a frame"),
        (frame(13), "too long a frame"),
        (frame(HUGE), "a frame of 2^60 bytes"),
        ([frame(12), frame(1)].concat(), "a frame too many"),
        ([frame(HUGE), frame(HUGE), frame(u64::MAX >> 1)].concat(), "frames past all counting"),
        (vec![0xff; 3], "half a frame"),
        (vec![0xff; 12], "a frame without end"),
        ([&frame(12)[..], &[0x80; 9], &[2]].concat(), "a frame of more than 64 bits"),
    ] {
        let forged = changed(&path, |entry| entry.frames = Bytes::Inline(frames));
        is_a_miss(&call, &path, &forged, what);
    }
}

#[test]
fn frames_in_a_blob_that_do_not_fit_the_bytes() {
    let cachex = cachex();
    let call = cachex.run("echo hello world").measured();
    call.once().misses();
    let path = young(&cachex);
    for frames in [frame(11), frame(HUGE), [frame(12), frame(1)].concat(), vec![0xff; 12]] {
        let hash = *blake3::hash(&frames).as_bytes();
        let hex = blake3::Hash::from_bytes(hash).to_hex();
        cachex.write(format!("store/v2/blobs/{}/{hex}", &hex[..2]), &frames);
        let blob = BlobRef { hash, len: frames.len() as u64 };
        let forged = changed(&path, |entry| entry.frames = Bytes::Blob(blob));
        is_a_miss(&call, &path, &forged, "a blob of frames");
    }
}

#[test]
fn an_entry_of_another_key_or_with_more_behind_it() {
    let cachex = cachex();
    let call = cachex.run("echo hello world").measured();
    call.once().misses();
    let path = young(&cachex);
    let forged = changed(&path, |entry| entry.key = Key([7; 32]));
    is_a_miss(&call, &path, &forged, "another key");
    let longer = sealed([&fs::read(&path).unwrap()[..], b"more"].concat());
    is_a_miss(&call, &path, &longer, "bytes behind an entry");
    fs::File::options().write(true).open(&path).unwrap().set_len(HUGE >> 20).unwrap();
    call.once().misses().prints("hello world\n").quietly().in_less_memory_than(LITTLE_MEMORY);
    call.once().hits().prints("hello world\n");
}

/// Puts a value into one of the databases of older entries.
fn put_in_database(cachex: &Cachex, database: &str, key: &[u8], value: &[u8]) {
    let path = cachex.in_store("v2/old").join(database);
    let config = sled::Config::new().path(path).segment_size(64 << 10).flush_every_ms(None);
    let database = config.open().unwrap();
    database.insert(key, value).unwrap();
    database.flush().unwrap();
}

#[test]
fn what_the_database_holds_is_not_believed_either() {
    let cachex = cachex();
    let call = cachex.run("echo hello world").measured();
    call.once().misses();
    let path = young(&cachex);
    let name = path.file_name().unwrap().to_str().unwrap().to_owned();
    let key = *blake3::Hash::from_hex(name).unwrap().as_bytes();
    let forged = [
        changed(&path, |entry| entry.data = Bytes::Blob(BlobRef { hash: [7; 32], len: HUGE })),
        changed(&path, |entry| entry.frames = Bytes::Inline(frame(HUGE))),
        changed(&path, |entry| entry.key = Key([7; 32])),
        sealed(vec![0xff; 10_000]),
        vec![0x89; 30],
        vec![],
        vec![0xff; 3 << 20],
    ];
    cachex.folds_away();
    cachex.keeps_store("kept");
    for forged in forged {
        cachex.restores_store("kept");
        put_in_database(&cachex, "entries-0-00", &key, &forged);
        let outcome = call.once().misses().prints("hello world\n").exits(0).quietly();
        outcome.in_less_memory_than(LITTLE_MEMORY);
        call.once().hits().prints("hello world\n");
        cachex.restores_store("kept");
        put_in_database(&cachex, "entries-0-00", &key, &forged);
        cachex.audit().measured().once().exits(0).in_less_memory_than(LITTLE_MEMORY * 2);
        call.twice().runs_once().prints("hello world\n").quietly();
        call.clone().forget().once().exits(0);
    }
    // The facts, the indexes by use and by expiry, the blobs and what is noted of them all.
    for table in *b"fuxbm" {
        for (name, value) in
            [(&b"totals"[..], [0xff; 100]), (&key[..], [0xff; 100]), (b"", [0; 100])]
        {
            cachex.restores_store("kept");
            put_in_database(&cachex, "index", &[&[table], name].concat(), &value);
            for fold in [cachex.fold(), cachex.audit()] {
                fold.once().exits(0);
                call.once().prints("hello world\n").exits(0).quietly();
            }
            call.once().hits();
        }
    }
}

#[test]
fn a_filter_that_claims_2_to_the_60_keys() {
    let cachex = cachex();
    let call = cachex.run("echo hello world").measured();
    call.once().misses();
    cachex.folds_away();
    let filter = cachex.in_store("v2/old.keys");
    let mut header = fs::read(&filter).unwrap();
    header[8..16].copy_from_slice(&HUGE.to_be_bytes());
    fs::write(&filter, &header).unwrap();
    let outcome = call.once().hits().prints("hello world\n").quietly();
    outcome.in_less_memory_than(LITTLE_MEMORY);
    // The length agrees with the claim as far as a file system allows it.
    fs::write(&filter, &header).unwrap();
    let claimed = 1_u64 << 38;
    header[8..16].copy_from_slice(&(claimed / 8).to_be_bytes());
    fs::write(&filter, &header).unwrap();
    fs::File::options().write(true).open(&filter).unwrap().set_len(16 + claimed).unwrap();
    call.once().prints("hello world\n").quietly().promptly();
    cachex.fold().measured().once().exits(0).in_less_memory_than(LITTLE_MEMORY * 2).promptly();
    fs::remove_dir_all(cachex.in_store("v2/young")).unwrap();
    call.once().hits().prints("hello world\n").quietly();
}
