//! Tests of packing: the choice of blobs, the way back, and the treatment of damage.

use super::*;
use crate::fold::{FoldOptions, FoldReport, fold};
use crate::testing::{Scene, entry, scene};
use cachex_base::record::entry::{Bytes, Entry};
use rustix::fs::OFlags;
use std::time::Duration;

fn folded(scene: &Scene, compress: Option<u8>) -> FoldReport {
    let grace = Duration::MAX;
    let options = FoldOptions { wait: true, grace, compress, ..FoldOptions::default() };
    fold(&scene.root, &options).unwrap().unwrap()
}

fn text(len: usize) -> Vec<u8> {
    (0_u32..).flat_map(|n| format!("line {n}\n").into_bytes()).take(len).collect()
}

fn noise(len: usize) -> Vec<u8> {
    let mut noise = vec![0; len];
    Hasher::new().finalize_xof().fill(&mut noise);
    noise
}

/// Records an entry with this content; its blob, and the bytes of the entry itself.
fn record(scene: &Scene, n: u64, content: &[u8]) -> (BlobRef, u64) {
    let blob = scene.blob(content);
    let entry = Entry { data: Bytes::Blob(blob), ..entry(n, 100) };
    scene.record(&entry);
    (blob, entry.seal().unwrap().len() as u64)
}

fn forms(scene: &Scene, blob: &BlobRef) -> [bool; 2] {
    Form::ALL.map(|form| scene.has(form.path(&blob.hash).to_str().unwrap()))
}

const PLAIN: [bool; 2] = [true, false];
const PACKED: [bool; 2] = [false, true];

fn content(scene: &Scene, blob: &BlobRef) -> Option<Vec<u8>> {
    let opened = blobs::open(&scene.root, blob).unwrap()?;
    let mut content = Vec::new();
    opened.reader().read_to_end(&mut content).unwrap();
    Some(content)
}

#[test]
fn what_pays_is_packed_and_comes_out_as_it_was() {
    let scene = scene();
    for len in [4097, 10_000, 128 * 1024, 128 * 1024 + 1, 600_000, (1 << 20) + 1, 3_000_000] {
        let whole = text(len);
        let blob = scene.blob(&whole);
        let stored = pack(&scene.root, &blob, 2, u64::MAX).unwrap();
        assert_eq!(
            (forms(&scene, &blob), stored),
            (PACKED, blobs::stored(&scene.root, &blob.hash))
        );
        assert!(stored.unwrap() < len as u64 / 2 && content(&scene, &blob) == Some(whole), "{len}");
    }
}

#[test]
fn what_does_not_pay_stays_as_it_is() {
    let scene = scene();
    for whole in [noise(10_000), noise(1_000_000), [noise(4000), text(200)].concat()] {
        let blob = scene.blob(&whole);
        assert_eq!(pack(&scene.root, &blob, 19, u64::MAX).unwrap(), None);
        assert_eq!((forms(&scene, &blob), content(&scene, &blob)), (PLAIN, Some(whole)));
    }
}

#[test]
fn the_first_level_leaves_alone_what_takes_long_to_unpack() {
    let scene = scene();
    for (len, is_packed) in [(1 << 20, true), ((1 << 20) + 1, false)] {
        let blob = scene.blob(&text(len));
        assert_eq!(pack(&scene.root, &blob, 1, u64::MAX).unwrap().is_some(), is_packed);
        assert!(pack(&scene.root, &blob, 2, u64::MAX).unwrap().is_some());
    }
}

#[test]
fn a_fold_that_is_to_packs_what_came_since_the_last_one() {
    let scene = scene();
    let (first, sealed) = record(&scene, 1, &text(100_000));
    let (short, other) = record(&scene, 2, &text(3000));
    assert_eq!(folded(&scene, None).totals.bytes, sealed + other + 103_000);
    assert_eq!(forms(&scene, &first), PLAIN);
    let (second, third) = record(&scene, 3, &text(200_000));
    let bytes = folded(&scene, Some(1)).totals.bytes;
    assert_eq!([first, second, short].map(|blob| forms(&scene, &blob)), [PACKED, PACKED, PLAIN]);
    let stored = |blob: &BlobRef| blobs::stored(&scene.root, &blob.hash).unwrap();
    let packed = stored(&first);
    assert_eq!(bytes, sealed + other + third + 3000 + packed + stored(&second));
    // The audit counts the same, and so does whoever lets go of it.
    let grace = Duration::MAX;
    let full = FoldOptions { full: true, wait: true, grace, ..FoldOptions::default() };
    assert_eq!(fold(&scene.root, &full).unwrap().unwrap().totals.bytes, bytes);
    let now = entry(1, 10);
    scene.record(&now);
    let less = folded(&scene, None).totals.bytes;
    assert_eq!(less, bytes - sealed - packed + now.seal().unwrap().len() as u64);
    assert_eq!(forms(&scene, &first), [false; 2]);
}

#[test]
fn nothing_is_packed_that_is_not_to_be() {
    let scene = scene();
    let (blob, _) = record(&scene, 1, &text(100_000));
    folded(&scene, Some(0));
    folded(&scene, Some(1));
    assert_eq!(forms(&scene, &blob), PLAIN);
}

#[test]
fn what_is_recorded_again_is_stored_once_after_the_next_fold() {
    let scene = scene();
    let (blob, _) = record(&scene, 1, &text(100_000));
    let bytes = folded(&scene, Some(1)).totals.bytes;
    record(&scene, 1, &text(100_000));
    assert_eq!(forms(&scene, &blob), [true; 2]);
    assert_eq!(folded(&scene, Some(1)).totals.bytes, bytes);
    assert_eq!(forms(&scene, &blob), PACKED);
    // Also where no entry says so.
    scene.blob(&text(100_000));
    (0..9).for_each(|n| {
        scene.record(&entry(10 + n, 5));
        folded(&scene, Some(1));
    });
    assert_eq!(forms(&scene, &blob), PACKED);
}

fn damage(scene: &Scene, blob: &BlobRef, form: Form, at: u64) {
    let file = fsutil::create_file(&scene.root, form.path(&blob.hash), OFlags::RDWR).unwrap();
    let mut byte = [0];
    rustix::io::pread(&file, &mut byte, at).unwrap();
    rustix::io::pwrite(&file, &[byte[0] ^ 0x10], at).unwrap();
}

#[test]
fn every_byte_of_a_packed_blob_counts_and_another_record_repairs_it() {
    let scene = scene();
    let whole = text(9000);
    let blob = scene.blob(&whole);
    let stored = pack(&scene.root, &blob, 3, u64::MAX).unwrap().unwrap();
    for at in 0..stored {
        damage(&scene, &blob, Form::Packed, at);
        assert_eq!(content(&scene, &blob), None, "{at}");
        damage(&scene, &blob, Form::Packed, at);
    }
    for len in [0, 47, 80, stored - 1] {
        let place = Form::Packed.path(&blob.hash);
        let kept = std::fs::read(scene.root.path().join(&place)).unwrap();
        let file = fsutil::create_file(&scene.root, &place, OFlags::RDWR).unwrap();
        rustix::fs::ftruncate(&file, len).unwrap();
        assert_eq!(content(&scene, &blob), None, "{len}");
        rustix::io::pwrite(&file, &kept, 0).unwrap();
    }
    assert_eq!(content(&scene, &blob).as_ref(), Some(&whole));
    damage(&scene, &blob, Form::Packed, 60);
    scene.blob(&whole);
    assert_eq!(content(&scene, &blob).as_ref(), Some(&whole));
    assert_eq!(pack(&scene.root, &blob, 3, u64::MAX).unwrap(), Some(stored));
    assert_eq!((forms(&scene, &blob), content(&scene, &blob)), (PACKED, Some(whole)));
}

#[test]
fn a_damaged_plain_blob_is_served_from_the_packed_one() {
    let scene = scene();
    let whole = text(9000);
    let blob = scene.blob(&whole);
    pack(&scene.root, &blob, 3, u64::MAX).unwrap();
    scene.blob(&whole);
    damage(&scene, &blob, Form::Plain, 7);
    assert_eq!(content(&scene, &blob), Some(whole));
}

#[test]
fn a_packed_blob_under_anothers_name_is_not_that_other() {
    let scene = scene();
    let (one, other) = (scene.blob(&text(9000)), scene.blob(&text(9001)[1..]));
    for blob in [&one, &other] {
        pack(&scene.root, blob, 3, u64::MAX).unwrap();
    }
    let [from, to] = [&one, &other].map(|blob| Form::Packed.path(&blob.hash));
    fsutil::rename(&scene.root, from, to).unwrap();
    assert_eq!([content(&scene, &one), content(&scene, &other)], [None, None]);
}

/// A packed blob that says so much of itself, and whose sum is right.
fn forged(scene: &Scene, blob: &BlobRef, frame: &[u8]) {
    let mut file = [&packed::header(blob), frame].concat();
    file.extend(blake3::hash(&file).as_bytes());
    let place = Form::Packed.path(&blob.hash);
    let forged = fsutil::create_file(&scene.root, place, OFlags::WRONLY).unwrap();
    fsutil::write_all(forged, &file).unwrap();
}

#[test]
fn a_frame_that_is_not_as_long_as_it_should_be_is_no_success() {
    for len in [5000, 300_000, 3_000_000] {
        let frame = zstd::bulk::compress(&text(len), 1).unwrap();
        let cut = &frame[..frame.len() - 1];
        for (said, frame) in [(len + 1, &frame[..]), (len - 1, &frame), (len, cut), (len, b"junk")]
        {
            let scene = scene();
            let blob = BlobRef { hash: [7; 32], len: said as u64 };
            forged(&scene, &blob, frame);
            let opened = blobs::open(&scene.root, &blob).unwrap().unwrap();
            let read = io::copy(&mut opened.reader(), &mut io::sink());
            assert!(read.is_err(), "{len} as {said}: {read:?}");
        }
    }
}

#[test]
fn a_frame_that_asks_for_much_memory_is_refused() {
    let scene = scene();
    let whole = text(20_000_000);
    let mut encoder = Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(24).unwrap();
    encoder.write_all(&whole).unwrap();
    let blob = BlobRef { hash: [7; 32], len: whole.len() as u64 };
    forged(&scene, &blob, &encoder.finish().unwrap());
    let opened = blobs::open(&scene.root, &blob).unwrap().unwrap();
    assert!(io::copy(&mut opened.reader(), &mut io::sink()).is_err());
}
