//! Out of one store and into another; and what becomes of archives that are not
//! what they were, or never were any.

use super::contents::Contents;
use super::export::{Export, Tally};
use super::intake::{self, Choice, Recorded, Staged};
use super::{Kind, Reader, Refused, Writer};
use crate::blobs::{self, Form};
use crate::remote::rules::Rules;
use crate::room::Room;
use crate::testing::{Scene, ago, entry, key, scene};
use crate::{Root, account, temporary};
use anyhow::Result;
use cachex_base::record::entry::{BlobRef, Bytes, Entry, FORMAT};
use cachex_base::system::clock::Timestamp;
use cachex_base::system::fsutil;
use proptest::prelude::*;
use std::io::Read;

const PLENTY: u64 = 1 << 30;

/// An entry that left files of these contents behind.
fn with_files(scene: &Scene, n: u64, contents: &[&[u8]]) -> Entry {
    let names: Vec<String> = (0..contents.len()).map(|at| format!("file-{at}")).collect();
    let files: Vec<(&str, &[u8])> =
        names.iter().map(String::as_str).zip(contents.iter().copied()).collect();
    Entry { outputs: Some(scene.outputs(&files)), ..entry(n, 100) }
}

/// An entry whose output is a blob.
fn with_output(scene: &Scene, n: u64, output: &[u8]) -> Entry {
    Entry { data: Bytes::Blob(scene.blob(output)), ..entry(n, 100) }
}

fn packed(scene: &Scene, entries: &[Entry]) -> (Vec<u8>, Tally) {
    let mut export = Export::new(Vec::new()).unwrap();
    for entry in entries {
        export.add(&scene.root, entry, entry.created.0 + 5).unwrap();
    }
    export.finish().unwrap()
}

fn contents(archive: &[u8]) -> Result<Contents> {
    Contents::read(Reader::new(archive, PLENTY)?, &Rules::default())
}

fn refused(archive: &[u8]) -> Refused {
    *contents(archive).unwrap_err().downcast_ref().unwrap()
}

/// Imports an archive that is whole.
fn import(root: &Root, archive: &[u8]) -> intake::Tally {
    let now = Timestamp::now();
    let contents = contents(archive).unwrap();
    let recorded = intake::recorded(root, &contents, now).unwrap();
    let choice = Choice::of(&contents, &recorded, u64::MAX, now);
    let reader = Reader::new(archive, PLENTY).unwrap();
    let mut room = Room::within(root, u64::MAX);
    Staged::of(root, reader, &contents, &choice, &mut room).unwrap().publish(now).unwrap();
    choice.tally
}

fn unpacked(archive: &[u8]) -> Vec<u8> {
    zstd::decode_all(archive).unwrap()
}

fn repacked(plain: &[u8]) -> Vec<u8> {
    zstd::encode_all(plain, 0).unwrap()
}

fn temporaries(root: &Root) -> usize {
    fsutil::names(root, "tmp").unwrap().len()
}

#[test]
fn what_is_exported_is_imported_with_all_it_needs() {
    let (here, there) = (scene(), scene());
    let long = vec![7; 300_000];
    let entries = [
        entry(1, 100),
        with_output(&here, 2, &long),
        with_files(&here, 3, &[b"one", b"two", &long]),
    ];
    let (archive, tally) = packed(&here, &entries);
    // `long` is the output of one entry, and a file of another.
    assert_eq!((tally.entries, tally.blobs, tally.lacking.len()), (3, 4, 0));
    let imported = import(&there.root, &archive);
    assert_eq!((imported.imported, imported.blobs, imported.bytes), (3, 4, tally.bytes));
    for (n, entry) in (1..).zip(&entries) {
        assert_eq!(there.young(n).as_ref(), Some(entry));
        assert!(entry.blobs().all(|blob| there.has_blob(&blob)));
    }
    let outputs = entries[2].outputs.unwrap();
    let manifest = blobs::manifest(&there.root, &outputs.manifest).unwrap().unwrap();
    for blob in manifest.blobs() {
        let mut content = Vec::new();
        let stored = blobs::open(&there.root, &blob).unwrap().unwrap();
        stored.reader().read_to_end(&mut content).unwrap();
        assert_eq!(blake3::hash(&content).as_bytes(), &blob.hash);
    }
    assert_eq!(temporaries(&there.root), 0);
    // What comes from there is what went there.
    assert_eq!(packed(&there, &entries).0, archive);
}

#[test]
fn a_blob_that_is_both_output_and_manifest_comes_as_both() {
    let (here, there) = (scene(), scene());
    let listing = with_files(&here, 1, &[b"one"]);
    let manifest = listing.outputs.unwrap().manifest;
    let printing = Entry { data: Bytes::Blob(manifest), ..entry(2, 100) };
    for entries in [[printing.clone(), listing.clone()], [listing, printing]] {
        let (archive, _) = packed(&here, &entries);
        assert_eq!(
            import(&there.root, &archive).imported,
            if there.young(1).is_some() { 2 } else { 0 }
        );
        assert!(there.has_blob(&manifest));
        there.drop_young(1);
        there.drop_young(2);
    }
}

#[test]
fn an_entry_without_its_output_or_its_files_is_left_out() {
    let here = scene();
    let whole = entry(1, 100);
    let gone = Entry { data: Bytes::Blob(BlobRef { hash: [1; 32], len: 9 }), ..entry(2, 100) };
    let listing = with_files(&here, 3, &[b"one", b"two"]);
    let file = BlobRef { hash: *blake3::hash(b"two").as_bytes(), len: 3 };
    let damaged =
        fsutil::create_file(&here.root, Form::Plain.path(&file.hash), rustix::fs::OFlags::WRONLY);
    fsutil::write_all(damaged.unwrap(), b"tWo").unwrap();
    let mut lying = with_files(&here, 4, &[b"one"]);
    lying.outputs.as_mut().unwrap().files = 7;
    let (archive, tally) = packed(&here, &[whole, gone, listing, lying]);
    assert_eq!((tally.entries, tally.lacking.len()), (1, 3));
    let there = scene();
    // What came of the others before that was known is not kept.
    assert_eq!(
        (import(&there.root, &archive).imported, import(&there.root, &archive).blobs),
        (1, 0)
    );
    assert!(!there.has("blobs"));
}

#[test]
fn what_was_recorded_later_wins() {
    let (here, there) = (scene(), scene());
    let at = |n, seconds| Entry { status: 7, ..entry(n, seconds) };
    for (n, seconds) in [(1, 50), (2, 100), (3, 150)] {
        there.record(&at(n, seconds));
    }
    let base = ago(100);
    let entries: Vec<Entry> = (1..=3).map(|n| Entry { created: base, ..entry(n, 100) }).collect();
    there.record(&Entry { created: base, ..at(2, 100) });
    let tally = import(&there.root, &packed(&here, &entries).0);
    assert_eq!((tally.imported, tally.replaced, tally.present), (1, 1, 2));
    let statuses = [1, 2, 3].map(|n| there.young(n).unwrap().status);
    assert_eq!(statuses, [7, 7, 0]);
}

#[test]
fn what_is_of_no_use_stays_away_and_what_is_from_the_future_gives_way() {
    let (here, there) = (scene(), scene());
    let hour = Some(3_600_000_000_000);
    let later = Timestamp(Timestamp::now().0 + 3_600_000_000_000);
    let expired = Entry { expires_in: Some(1), ..entry(1, 100) };
    let stale = Entry { expires_in: Some(1), stale_for: hour, ..entry(2, 100) };
    let future = Entry { created: later, ..entry(3, 0) };
    let usual = entry(4, 100);
    there.record(&Entry { created: later, ..entry(4, 0) });
    let tally = import(&there.root, &packed(&here, &[expired, stale, future, usual.clone()]).0);
    assert_eq!((tally.imported, tally.expired, tally.future), (2, 1, 1));
    assert!(there.young(1).is_none() && there.young(2).is_some() && there.young(3).is_none());
    assert_eq!(there.young(4), Some(usual));
}

#[test]
fn a_run_that_is_recorded_meanwhile_stays() {
    let (here, there) = (scene(), scene());
    let now = Timestamp::now();
    let archive = packed(&here, &[entry(1, 100), entry(2, 100)]).0;
    let contents = contents(&archive).unwrap();
    let choice = Choice::of(&contents, &Recorded::new(), u64::MAX, now);
    let reader = Reader::new(&archive[..], PLENTY).unwrap();
    let mut room = Room::within(&there.root, u64::MAX);
    let staged = Staged::of(&there.root, reader, &contents, &choice, &mut room).unwrap();
    // Two entries, and the file whose lock stands for them. Nobody takes them for left.
    temporary::sweep(&there.root).unwrap();
    assert_eq!((temporaries(&there.root), there.young(1)), (3, None));
    let newer = entry(1, 50);
    there.record(&newer);
    assert_eq!(staged.publish(now).unwrap(), 1);
    assert_eq!(there.young(1), Some(newer));
    assert!(there.young(2).is_some());
    assert_eq!(temporaries(&there.root), 0);
}

#[test]
fn an_archive_that_changes_between_the_two_readings_leaves_nothing() {
    let (here, there) = (scene(), scene());
    let now = Timestamp::now();
    let one = packed(&here, &[with_output(&here, 1, &[1; 9000])]).0;
    let contents = contents(&one).unwrap();
    let choice = Choice::of(&contents, &Recorded::new(), u64::MAX, now);
    let others = [
        packed(&here, &[with_output(&here, 1, &[2; 9000])]).0,
        packed(&here, &[with_output(&here, 2, &[1; 9000])]).0,
        packed(&here, &[with_output(&here, 1, &[1; 9000]), with_output(&here, 2, &[3; 9000])]).0,
        one[..one.len() - 1].to_vec(),
    ];
    for other in others {
        let mut room = Room::within(&there.root, u64::MAX);
        let staged = Reader::new(&other[..], PLENTY)
            .and_then(|reader| Staged::of(&there.root, reader, &contents, &choice, &mut room));
        assert!(staged.is_err());
        assert_eq!(temporaries(&there.root), 0);
        assert!(!there.has("blobs") && there.young(1).is_none());
    }
}

/// Calls something once, when so many bytes are left.
struct Meanwhile<'a, F: FnMut()>(&'a [u8], usize, F);

impl<F: FnMut()> Read for Meanwhile<'_, F> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let before = self.0.len();
        let read = self.0.read(buffer)?;
        if before > self.1 && self.0.len() <= self.1 {
            (self.2)();
        }
        Ok(read)
    }
}

#[test]
fn the_limit_holds_if_there_is_a_survey_during_an_import() {
    const LIMIT: u64 = 1 << 22;
    let (here, there) = (scene(), scene());
    let mut random = blake3::Hasher::new().finalize_xof();
    let mut random = |len: usize| {
        let mut bytes = vec![0; len];
        random.fill(&mut bytes);
        bytes
    };
    let outputs: Vec<_> = (1..=3).map(|n| with_output(&here, n, &random(1 << 20))).collect();
    let archive = packed(&here, &outputs).0;
    let contents = contents(&archive).unwrap();
    let now = Timestamp::now();
    let choice = Choice::of(&contents, &Recorded::new(), u64::MAX, now);
    // Others take all the room that there seems to be.
    let others = || {
        account::surveyed(&there.root).unwrap();
        let (mut room, mut taken) = (Room::within(&there.root, LIMIT), 0);
        while room.claim_what_is_free(1 << 16).unwrap() {
            there.blob(&random(1 << 16));
            taken += 1 << 16;
        }
        room.settle(taken);
    };
    let archive = Meanwhile(&archive, archive.len() / 2, others);
    let mut room = Room::within(&there.root, LIMIT);
    let reader = Reader::new(archive, PLENTY).unwrap();
    let staged = Staged::of(&there.root, reader, &contents, &choice, &mut room);
    let taken = account::Survey::of(&there.root, &mut |_| {}).unwrap().total;
    assert!(taken <= LIMIT, "{taken} bytes, {:?}", staged.err());
}

#[test]
fn what_is_cut_anywhere_or_longer_or_flipped_is_refused() {
    let here = scene();
    let entries = [entry(1, 9), with_output(&here, 2, b"output"), with_files(&here, 3, &[b"one"])];
    let (archive, _) = packed(&here, &entries);
    let plain = unpacked(&archive);
    assert!(contents(&repacked(&plain)).is_ok());
    for cut in 0..plain.len() {
        let archive = repacked(&plain[..cut]);
        assert_eq!(refused(&archive), Refused::Damaged, "cut to {cut}");
    }
    for at in 0..plain.len() {
        let mut flipped = plain.clone();
        flipped[at] ^= 1 << (at % 8);
        assert!(contents(&repacked(&flipped)).is_err(), "flipped at {at}");
    }
    for cut in 0..archive.len() {
        let expected = if cut < 4 { Refused::Foreign } else { Refused::Damaged };
        assert_eq!(refused(&archive[..cut]), expected, "cut to {cut}");
    }
    for at in 0..archive.len() {
        let mut flipped = archive.clone();
        flipped[at] ^= 1 << (at % 8);
        // Of a frame's head, a bit says nothing; what comes out is the same.
        let is_same = zstd::decode_all(&flipped[..]).is_ok_and(|other| other == plain);
        assert!(is_same || contents(&flipped).is_err(), "flipped at {at}");
    }
    assert_eq!(refused(&[&archive[..], b"x"].concat()), Refused::Damaged);
    assert_eq!(refused(&[&archive[..], &archive].concat()), Refused::Damaged);
    assert_eq!(refused(&repacked(&[&plain[..], b"x"].concat())), Refused::Damaged);
}

#[test]
fn what_is_something_else_is_told_apart() {
    let here = scene();
    let mut plain = unpacked(&packed(&here, &[]).0);
    assert_eq!(refused(b""), Refused::Foreign);
    assert_eq!(refused(b"#!/bin/sh"), Refused::Foreign);
    assert_eq!(refused(&repacked(b"something else")), Refused::Foreign);
    plain[7] = FORMAT + 1;
    assert_eq!(refused(&repacked(&plain)), Refused::OtherVersion);
}

/// An archive with these records, which ends as it should.
fn archive_of(fill: impl FnOnce(&mut Writer<Vec<u8>>)) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new()).unwrap();
    fill(&mut writer);
    writer.finish().unwrap()
}

fn blob_of(content: &[u8]) -> BlobRef {
    BlobRef { hash: *blake3::hash(content).as_bytes(), len: content.len() as u64 }
}

#[test]
fn what_is_whole_and_makes_no_sense_is_refused() {
    let here = scene();
    let whole = entry(1, 9).seal().unwrap();
    let twice = archive_of(|writer| {
        writer.entry(0, &whole).unwrap();
        writer.entry(0, &whole).unwrap();
    });
    let damaged = archive_of(|writer| writer.entry(0, &whole[..whole.len() - 1]).unwrap());
    let output = with_output(&here, 2, b"output");
    let sealed = output.seal().unwrap();
    let missing = archive_of(|writer| writer.entry(0, &sealed).unwrap());
    let late = archive_of(|writer| {
        writer.entry(0, &sealed).unwrap();
        writer.blob(Kind::Blob, &blob_of(b"output"), &b"output"[..]).unwrap();
    });
    let listing = with_files(&here, 3, &[b"one"]);
    let manifest = listing.outputs.unwrap().manifest;
    let open = || blobs::open(&here.root, &manifest).unwrap().unwrap();
    let one = blob_of(b"one");
    // A list that does not come as one, and one whose file does not come.
    let plain = archive_of(|writer| {
        writer.blob(Kind::Blob, &one, &b"one"[..]).unwrap();
        writer.blob(Kind::Blob, &manifest, open().reader()).unwrap();
        writer.entry(0, &listing.seal().unwrap()).unwrap();
    });
    let lacking = archive_of(|writer| {
        writer.blob(Kind::Manifest, &manifest, open().reader()).unwrap();
        writer.entry(0, &listing.seal().unwrap()).unwrap();
    });
    let junk = archive_of(|writer| {
        writer.blob(Kind::Manifest, &blob_of(b"junk"), &b"junk"[..]).unwrap();
    });
    for (n, archive) in [twice, damaged, missing, late, plain, lacking, junk].iter().enumerate() {
        assert_eq!(refused(archive), Refused::Damaged, "{n}");
    }
}

#[test]
fn no_claim_costs_memory_or_time() {
    for (kind, len) in [
        (b'B', u64::MAX),
        (b'B', PLENTY + 1),
        (b'M', u64::MAX),
        (b'M', PLENTY),
        (b'E', 1 << 20),
        (b'.', 33),
        (b'?', 0),
    ] {
        let head = [&super::MAGIC[..], &[kind], &len.to_le_bytes()].concat();
        let expected = if kind == b'B' { Refused::TooLarge(PLENTY) } else { Refused::Damaged };
        assert_eq!(refused(&repacked(&head)), expected, "{} {len}", char::from(kind));
    }
    // A gigabyte of zeros in 100 KB.
    let bomb = archive_of(|writer| {
        let blob = BlobRef { hash: [0; 32], len: PLENTY };
        writer.blob(Kind::Blob, &blob, std::io::repeat(0)).unwrap();
    });
    assert!(bomb.len() < 200_000);
    let reader = Reader::new(&bomb[..], PLENTY - 1).unwrap();
    let refused = Contents::read(reader, &Rules::default()).unwrap_err();
    assert_eq!(refused.downcast_ref(), Some(&Refused::TooLarge(PLENTY - 1)));
    // A window that only somebody with bad intentions asks for.
    let mut wide = zstd::Encoder::new(Vec::new(), 1).unwrap();
    wide.window_log(27).unwrap();
    std::io::copy(&mut &super::MAGIC[..], &mut wide).unwrap();
    std::io::copy(&mut std::io::repeat(0).take(1 << 20), &mut wide).unwrap();
    assert_eq!(self::refused(&wide.finish().unwrap()), Refused::Damaged);
}

#[test]
fn uses_elsewhere_count_for_eviction_and_for_nothing_else() {
    use crate::fold::{FoldOptions, fold};
    use crate::old::Old;
    let (here, there) = (scene(), scene());
    let entry = entry(1, 100);
    import(&there.root, &packed(&here, std::slice::from_ref(&entry)).0);
    fold(&there.root, &FoldOptions { wait: true, ..FoldOptions::default() }).unwrap();
    let (facts, totals) =
        Old::with(&there.root, |old| Ok((old.facts(&key(1))?.unwrap(), old.totals()))).unwrap();
    assert_eq!((facts.last_use, facts.hits), (entry.created.0 + 5, 0));
    assert_eq!((totals.entries, totals.hits, totals.recorded), (1, 0, 0));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn any_entries_survive_the_way(
        outputs in proptest::collection::vec((0..4_usize, 0..4000_usize, any::<bool>()), 0..12)
    ) {
        let (here, there) = (scene(), scene());
        let made = |(n, (kind, len, is_file)): (usize, &(usize, usize, bool))| {
            let content = vec![*kind as u8; *len];
            if *is_file { with_files(&here, n as u64, &[&content, b"other"]) } else {
                with_output(&here, n as u64, &content)
            }
        };
        let entries: Vec<Entry> = outputs.iter().enumerate().map(made).collect();
        let archive = packed(&here, &entries).0;
        prop_assert_eq!(import(&there.root, &archive).imported, entries.len() as u64);
        for (n, entry) in entries.iter().enumerate() {
            let kept = there.young(n as u64);
            prop_assert_eq!(kept.as_ref(), Some(entry));
        }
        prop_assert_eq!(packed(&there, &entries).0, archive);
    }
}
