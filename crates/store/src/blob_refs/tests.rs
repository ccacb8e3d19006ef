//! Tests of reference counts: files stay for as long as an entry needs them.

use super::*;
use crate::clear::clear;
use crate::fold::{FoldOptions, FoldReport, fold};
use crate::lock::{self, Lock, Mode};
use crate::old::Old;
use crate::testing::{Scene, entry, key, scene};
use crate::{sweep, tidy};
use cachex_base::record::entry::{Bytes, Outputs};
use cachex_base::system::fsutil;
use rustix::fs::OFlags;
use std::time::Duration;

const SHARED: &[u8] = &[1; 5000];
const FIRST: &[u8] = &[2; 3000];
const SECOND: &[u8] = &[3; 2000];

fn folded(scene: &Scene, options: FoldOptions) -> FoldReport {
    fold(&scene.root, &FoldOptions { wait: true, ..options }).unwrap().unwrap()
}

fn keeping() -> FoldOptions {
    FoldOptions { grace: Duration::MAX, ..FoldOptions::default() }
}

fn auditing() -> FoldOptions {
    FoldOptions { full: true, ..keeping() }
}

fn hash_of(content: &[u8]) -> BlobRef {
    BlobRef { hash: *blake3::hash(content).as_bytes(), len: content.len() as u64 }
}

fn has(scene: &Scene, content: &[u8]) -> bool {
    scene.has_blob(&hash_of(content))
}

/// Records an entry with these outputs, which expires after `seconds`; its
/// sealed length.
fn record(scene: &Scene, n: u64, outputs: Outputs, seconds: u64) -> u64 {
    let expires_in = Some(seconds * 1_000_000_000);
    let entry = Entry { outputs: Some(outputs), expires_in, ..entry(n, 100) };
    scene.record(&entry);
    entry.seal().unwrap().len() as u64
}

/// Two entries that have a file in common; one has expired. What both take.
fn two(scene: &Scene) -> u64 {
    let one = scene.outputs(&[("a", SHARED), ("b", FIRST), ("c", FIRST)]);
    let two = scene.outputs(&[("a", SHARED), ("d", SECOND)]);
    let sealed = record(scene, 1, one, 50) + record(scene, 2, two, 1000);
    sealed + one.manifest.len + two.manifest.len + 5000 + 3000 + 2000
}

fn rows(scene: &Scene) -> Vec<Vec<u8>> {
    let rows = Old::with(&scene.root, |old| {
        Ok(old.needs.table.iter().map(|row| row.map(|row| row.0.to_vec())).collect())
    });
    rows.and_then(|rows: sled::Result<Vec<_>>| Ok(rows?)).unwrap()
}

fn damage(scene: &Scene, blob: &BlobRef) {
    let place = blobs::Form::Plain.path(&blob.hash);
    let file = fsutil::create_file(&scene.root, place, OFlags::RDWR).unwrap();
    rustix::io::pwrite(&file, b"?", 0).unwrap();
}

#[test]
fn a_file_stays_until_the_last_entry_that_left_it_goes() {
    let scene = scene();
    let all = two(&scene);
    assert_eq!(folded(&scene, keeping()).totals.bytes, all);
    assert_eq!(folded(&scene, auditing()).totals.bytes, all);
    let report = folded(&scene, FoldOptions::default());
    // The one file that only the first had, and its manifest.
    assert_eq!((report.expired, report.swept), (1, 2));
    assert!(has(&scene, SHARED) && has(&scene, SECOND) && !has(&scene, FIRST));
    let left = scene.old(2).unwrap();
    let size = left.seal().unwrap().len() as u64 + left.blob_bytes();
    assert_eq!(report.totals.bytes, size);
    assert_eq!(folded(&scene, auditing()).totals.bytes, size);

    let outputs = left.outputs.unwrap();
    record(&scene, 2, outputs, 1);
    let report = folded(&scene, FoldOptions::default());
    assert_eq!((report.expired, report.swept, report.totals.bytes), (1, 3, 0));
    assert!(!has(&scene, SHARED) && !has(&scene, SECOND) && rows(&scene).is_empty());
}

#[test]
fn entries_with_one_manifest_keep_its_files_together() {
    let scene = scene();
    let outputs = scene.outputs(&[("a", SHARED)]);
    let sealed = record(&scene, 1, outputs, 50) + record(&scene, 2, outputs, 1000);
    let report = folded(&scene, keeping());
    assert_eq!(report.totals.bytes, sealed + outputs.manifest.len + 5000);
    assert_eq!(folded(&scene, FoldOptions::default()).swept, 0);
    assert!(has(&scene, SHARED) && scene.has_blob(&outputs.manifest));
}

#[test]
fn a_new_version_lets_go_of_what_only_the_earlier_one_left() {
    let scene = scene();
    record(&scene, 1, scene.outputs(&[("a", SHARED), ("b", FIRST)]), 1000);
    folded(&scene, keeping());
    let sealed = record(&scene, 1, scene.outputs(&[("a", SHARED), ("d", SECOND)]), 2000);
    let report = folded(&scene, keeping());
    assert!(has(&scene, SHARED) && has(&scene, SECOND) && !has(&scene, FIRST));
    let manifest = scene.old(1).unwrap().manifest().unwrap();
    assert_eq!(report.totals.bytes, sealed + manifest.len + 7000);

    // The same files again, and then none.
    record(&scene, 1, scene.outputs(&[("a", SHARED), ("d", SECOND)]), 3000);
    assert_eq!(folded(&scene, keeping()).swept, 0);
    scene.record(&entry(1, 10));
    assert_eq!(folded(&scene, keeping()).swept, 3);
    assert!(rows(&scene).is_empty());
}

fn megabyte(byte: u8) -> Vec<u8> {
    vec![byte; 1_000_000]
}

#[test]
fn eviction_sees_the_files_bytes_as_freed_at_once() {
    let scene = scene();
    for n in 0..4 {
        let outputs = scene.outputs(&[("a", &megabyte(n as u8))]);
        let entry = Entry { outputs: Some(outputs), ..entry(n, 100 - n) };
        scene.record(&entry);
    }
    let report = folded(&scene, FoldOptions { max_size: Some(3_000_000), ..keeping() });
    assert_eq!((report.evicted, report.totals.entries, report.swept), (2, 2, 4));
    assert!(report.totals.bytes < 3_000_000, "{report:?}");
    assert!(has(&scene, &megabyte(3)) && !has(&scene, &megabyte(0)));
}

#[test]
fn what_is_taken_out_by_hand_frees_its_files() {
    let scene = scene();
    two(&scene);
    folded(&scene, keeping());
    let _fold = Lock::wait(&scene.root, lock::FOLD, Mode::Exclusive).unwrap();
    let gone = Old::with(&scene.root, |old| Ok(old.take_out(&key(1))?)).unwrap().unwrap();
    scene.drop_young(1);
    assert_eq!(gone.orphans.len(), 2);
    tidy::tidy(&scene.root, gone.orphans, 1).unwrap();
    assert!(has(&scene, SHARED) && has(&scene, SECOND) && !has(&scene, FIRST));
}

#[test]
fn clearing_takes_the_files_along() {
    let scene = scene();
    two(&scene);
    folded(&scene, keeping());
    assert!(clear(&scene.root).unwrap().bytes >= 10_000);
    assert!(!has(&scene, SHARED) && !has(&scene, SECOND));
}

#[test]
fn what_is_not_folded_yet_keeps_its_files() {
    let scene = scene();
    record(&scene, 1, scene.outputs(&[("a", SHARED)]), 1000);
    folded(&scene, keeping());
    // One whose manifest is known, and one whose manifest nobody knows.
    record(&scene, 2, scene.outputs(&[("a", SHARED)]), 1000);
    record(&scene, 3, scene.outputs(&[("a", FIRST)]), 1000);
    let orphan = scene.blob(SECOND);
    let _fold = Lock::wait(&scene.root, lock::FOLD, Mode::Exclusive).unwrap();
    assert_eq!(sweep::blobs(&scene.root, Vec::new(), None).unwrap(), 1);
    assert!(has(&scene, SHARED) && has(&scene, FIRST) && !scene.has_blob(&orphan));
}

#[test]
fn a_manifest_that_cannot_be_read_ends_no_fold() {
    let scene = scene();
    let [damaged, gone] = [("a", FIRST), ("b", SECOND)].map(|file| scene.outputs(&[file]));
    damage(&scene, &damaged.manifest);
    fsutil::remove_file(&scene.root, blobs::Form::Plain.path(&gone.manifest.hash)).unwrap();
    record(&scene, 1, damaged, 1000);
    record(&scene, 2, gone, 1000);
    let report = folded(&scene, auditing());
    // One that is gone may have been evicted, with its entry.
    assert_eq!((report.set_aside, report.folded, report.damaged), (None, 1, 1));
    assert!(!has(&scene, FIRST) && !has(&scene, SECOND) && rows(&scene).is_empty());

    // The next run of the command leaves the same behind.
    record(&scene, 1, scene.outputs(&[("a", FIRST)]), 2000);
    folded(&scene, keeping());
    scene.drop_young(1);
    folded(&scene, auditing());
    assert!(has(&scene, FIRST) && scene.has_blob(&damaged.manifest));
}

#[test]
fn a_manifest_that_cannot_be_read_when_its_entry_goes_leaves_its_files_to_the_audit() {
    let scene = scene();
    let outputs = scene.outputs(&[("a", FIRST)]);
    record(&scene, 1, outputs, 50);
    folded(&scene, keeping());
    damage(&scene, &outputs.manifest);
    assert_eq!(folded(&scene, FoldOptions::default()).totals.bytes, 3000);
    assert!(has(&scene, FIRST));
    assert_eq!(folded(&scene, auditing()).totals.bytes, 0);
    assert!(!has(&scene, FIRST) && rows(&scene).is_empty());
}

#[test]
fn an_audit_puts_back_what_is_lost_and_drops_what_nobody_needs() {
    let scene = scene();
    let bytes = two(&scene);
    folded(&scene, keeping());
    let all = rows(&scene);
    // The two manifests, four files of theirs of which one is there twice.
    assert_eq!(all.len(), 6);
    for lost in &all {
        Old::with(&scene.root, |old| Ok(old.needs.table.remove(lost)?)).unwrap();
        assert_eq!(folded(&scene, auditing()).totals.bytes, bytes);
        assert_eq!(rows(&scene), all);
    }
    let stray = hash_of(b"nobody's");
    let left = scene.outputs(&[("x", &[9; 700])]);
    Old::with(&scene.root, |old| {
        // As a process leaves it that is killed before the entry is written, or
        // after the need of the manifest was removed.
        old.needs.need(&hash_of(&[9; 700]), &left.manifest.hash, &[])?;
        // As one leaves it that is killed when the entry is removed.
        old.needs.need(&stray, &key(1).0, &[])?;
        old.needs.need(&left.manifest, &key(7).0, AS_MANIFEST)?;
        Ok(())
    })
    .unwrap();
    assert_eq!(folded(&scene, auditing()).totals.bytes, bytes);
    assert_eq!(rows(&scene), all);
    assert!(!has(&scene, &[9; 700]) && !scene.has_blob(&left.manifest));
}

#[test]
fn files_that_a_killed_fold_wrote_down_are_found_by_the_next_one() {
    let scene = scene();
    let outputs = scene.outputs(&[("a", FIRST)]);
    let sealed = record(&scene, 1, outputs, 1000);
    // The files are there before the entry and its manifest are.
    Old::with(&scene.root, |old| {
        Ok(old.needs.need(&hash_of(FIRST), &outputs.manifest.hash, &[])?)
    })
    .unwrap();
    folded(&scene, keeping());
    let report = folded(&scene, auditing());
    assert_eq!(report.totals.bytes, sealed + outputs.manifest.len + 3000);
    assert_eq!(rows(&scene).len(), 2);
}

#[test]
fn what_was_printed_may_be_a_manifest_by_chance() {
    let scene = scene();
    let outputs = scene.outputs(&[("a", FIRST)]);
    let printed = Bytes::Blob(outputs.manifest);
    scene.record(&Entry { data: printed.clone(), ..entry(1, 100) });
    folded(&scene, auditing());
    assert!(!has(&scene, FIRST));
    let outputs = scene.outputs(&[("a", FIRST)]);
    // One has it in both ways.
    let expires_in = Some(50_000_000_000);
    scene.record(&Entry { outputs: Some(outputs), data: printed, expires_in, ..entry(2, 100) });
    folded(&scene, keeping());
    scene.drop_young(2);
    folded(&scene, auditing());
    assert!(has(&scene, FIRST));
    let report = folded(&scene, FoldOptions::default());
    assert_eq!((report.expired, report.swept), (1, 1));
    assert!(!has(&scene, FIRST) && scene.has_blob(&outputs.manifest));
}
