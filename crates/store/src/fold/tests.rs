//! Tests of folds, step by step and with others at work.

use super::*;
use crate::blobs;
use crate::clear::clear;
use crate::events::{Event, append};
use crate::rebuild;
use crate::testing::{Scene, ago, entry, key, scene};
use crate::walk::Span;
use cachex_base::record::entry::{Bytes, Entry};
use rustix::fs::OFlags;
use std::path::Path;

fn now() -> FoldOptions {
    FoldOptions { wait: true, ..FoldOptions::default() }
}

fn folded(scene: &Scene, options: &FoldOptions) -> FoldReport {
    let report = fold(&scene.root, options).unwrap().unwrap();
    scene.assert_filter_is_superset();
    report
}

fn hit(scene: &Scene, n: u64, seconds: u64) {
    let kind = Kind::Hit { cost: 2, files: 0 };
    let event = Event { kind, time: ago(seconds), key: key(n), run_time: 5 };
    append(&scene.root, &event, None, None).unwrap();
}

fn put(old: &Old, entry: &Entry) -> Result<()> {
    old.fold_in(entry, &entry.seal()?, Usage::default())?;
    Ok(())
}

#[test]
fn what_is_young_is_old_after_a_fold_and_young_still() {
    let scene = scene();
    (0..10).for_each(|n| scene.record(&entry(n, 100)));
    hit(&scene, 3, 50);
    let report = folded(&scene, &now());
    assert_eq!((report.folded, report.totals.entries, report.totals.hits), (10, 10, 1));
    for n in 0..10 {
        assert_eq!(scene.young(n), scene.old(n));
        assert!(filter::may_hold(&scene.root, &key(n)));
    }
    let facts = Old::with(&scene.root, |old| Ok(old.facts(&key(3))?)).unwrap().unwrap();
    assert!(facts.hits == 1 && facts.last_use > entry(3, 60).created.0);
    let again = folded(&scene, &now());
    assert_eq!((again.folded, again.totals.hits), (0, 1));
    assert_eq!(again.totals.bytes, report.totals.bytes);
}

#[test]
fn a_new_version_takes_the_place_of_the_old_one() {
    let scene = scene();
    let blob = scene.blob(b"first");
    scene.record(&Entry { data: Bytes::Blob(blob), ..entry(1, 100) });
    folded(&scene, &now());
    let second = entry(1, 50);
    scene.record(&second);
    let report = folded(&scene, &now());
    assert_eq!((report.folded, report.swept, report.totals.entries), (1, 1, 1));
    assert_eq!(report.totals.bytes, second.seal().unwrap().len() as u64);
    assert_eq!(scene.old(1), Some(second));
}

#[test]
fn the_least_recently_used_young_files_go_first() {
    let scene = scene();
    (0..6).for_each(|n| scene.record(&entry(n, 100 - n)));
    hit(&scene, 0, 1);
    let mut fold = Fold::new(&scene.root, now());
    fold.read_in().unwrap();
    fold.trim((2, u64::MAX)).unwrap();
    let left: Vec<u64> = (0..6).filter(|&n| scene.young(n).is_some()).collect();
    assert_eq!(left, [0, 5]);
    assert!((0..6).all(|n| scene.old(n).is_some()));
}

#[test]
fn a_version_recorded_between_the_reading_and_the_trimming_is_kept() {
    let scene = scene();
    scene.record(&entry(1, 100));
    let mut fold = Fold::new(&scene.root, now());
    fold.read_in().unwrap();
    let newer = entry(1, 10);
    scene.record(&newer);
    fold.trim((0, 0)).unwrap();
    assert_eq!(scene.young(1), Some(newer.clone()));
    folded(&scene, &now());
    assert_eq!(scene.old(1), Some(newer));
}

#[test]
fn the_least_recently_used_entries_are_evicted_and_never_the_last_recorded() {
    let scene = scene();
    for n in 0..5 {
        let data = Bytes::Blob(scene.blob(&vec![n as u8; 1_000_000]));
        scene.record(&Entry { data, ..entry(n, 100 - n) });
    }
    hit(&scene, 0, 1);
    let report = folded(&scene, &FoldOptions { max_size: Some(3_000_000), ..now() });
    assert_eq!((report.evicted, report.totals.entries), (3, 2));
    assert!([0, 4].iter().all(|&n| scene.young(n).is_some() && scene.old(n).is_some()));
    assert!([1, 2, 3].iter().all(|&n| scene.young(n).is_none() && scene.old(n).is_none()));
    assert!(!filter::may_hold(&scene.root, &key(2)));

    (0..5).for_each(|n| hit(&scene, n, 0));
    folded(&scene, &FoldOptions { max_size: Some(0), ..now() });
    assert!(scene.old(4).is_some() && scene.old(0).is_none());
}

#[test]
fn of_too_many_the_least_recently_used_go() {
    let scene = scene();
    (0..20).for_each(|n| scene.record(&entry(n, 100 - n)));
    hit(&scene, 0, 1);
    let report = folded(&scene, &FoldOptions { max_entries: Some(5), ..now() });
    assert_eq!((report.evicted, report.totals.entries), (15, 5));
    assert!(scene.old(0).is_some() && scene.old(19).is_some() && scene.old(15).is_none());
}

#[test]
fn what_the_database_took_comes_back() {
    let scene = scene();
    (0..3000)
        .for_each(|n| scene.record(&Entry { expires_in: Some(150_000_000_000), ..entry(n, 100) }));
    scene.record(&entry(5000, 10));
    folded(&scene, &now());
    let full = account::database(&scene.root).unwrap();
    let later = FoldOptions { grace: Duration::ZERO, ..now() };
    // All but one have expired.
    (0..3000).for_each(|n| scene.record(&Entry { expires_in: Some(1), ..entry(n, 50) }));
    let report = folded(&scene, &later);
    assert_eq!((report.expired, report.totals.entries), (3000, 1));
    let left = account::database(&scene.root).unwrap();
    assert!(left < 1 << 20 && left < full / 2, "{left} of {full}");
    assert!(scene.old(5000).is_some() && scene.old(0).is_none());
}

#[test]
fn many_entries_are_spread_and_stay_in_order() {
    let scene = scene();
    (0..1000).for_each(|n| scene.record(&entry(n, 100)));
    let before = folded(&scene, &now()).totals;
    let keys = || {
        Old::with(&scene.root, |old| {
            let page = old.page(&mut Span::all(), usize::MAX)?;
            Ok(page.into_iter().map(|(key, _)| key).collect::<Vec<Key>>())
        })
        .unwrap()
    };
    let in_one = keys();
    for bits in [3, 8, 0] {
        rebuild::rebuild(&scene.root, bits).unwrap();
        assert_eq!(keys(), in_one);
        assert_eq!(Old::entry(&scene.root, &key(7)).unwrap(), scene.old(7));
        assert!(scene.old(7).is_some());
        assert_eq!(folded(&scene, &FoldOptions { full: true, ..now() }).totals.bytes, before.bytes);
    }
}

#[test]
fn what_expired_is_dropped_unless_there_is_grace() {
    let scene = scene();
    let expired = Entry { expires_in: Some(1_000_000_000), ..entry(1, 100) };
    let lasting = Entry { expires_in: Some(200_000_000_000), ..entry(2, 100) };
    scene.record(&expired);
    scene.record(&lasting);
    let grace = Duration::from_mins(5);
    assert_eq!(folded(&scene, &FoldOptions { grace, ..now() }).expired, 0);
    assert_eq!(folded(&scene, &now()).expired, 1);
    assert!(scene.young(1).is_none() && scene.old(1).is_none());
    assert!(scene.young(2).is_some() && scene.old(2).is_some());
}

#[test]
fn a_blob_stays_until_the_last_entry_that_needs_it_goes() {
    let scene = scene();
    let blob = scene.blob(&[7; 5000]);
    for n in 0..2 {
        let expires_in = Some((50 + n * 100) * 1_000_000_000);
        scene.record(&Entry { data: Bytes::Blob(blob), expires_in, ..entry(n, 100) });
    }
    // What nothing ever needed, and what a record that is not folded yet needs.
    let orphan = scene.blob(b"orphan");
    let grace = Duration::from_hours(1);
    let first = folded(&scene, &FoldOptions { grace, ..now() });
    let sealed: u64 = (0..2).map(|n| scene.old(n).unwrap().seal().unwrap().len() as u64).sum();
    assert_eq!(first.totals.bytes, sealed + 5000);
    assert_eq!(
        folded(&scene, &FoldOptions { full: true, grace, ..now() }).totals.bytes,
        sealed + 5000
    );
    assert!(!scene.has_blob(&orphan) && scene.has_blob(&blob));

    let report = folded(&scene, &now());
    assert_eq!((report.expired, report.swept), (1, 0));
    assert!(scene.has_blob(&blob));

    let later = Entry { expires_in: Some(1), data: Bytes::Blob(blob), ..entry(1, 99) };
    scene.record(&later);
    let report = folded(&scene, &now());
    assert_eq!((report.expired, report.swept, report.totals.bytes), (1, 1, 0));
    assert!(!scene.has_blob(&blob));
}

#[test]
fn a_blob_recorded_while_a_fold_sweeps_is_kept() {
    let scene = scene();
    let mut fold = Fold::new(&scene.root, FoldOptions { full: true, ..now() });
    fold.read_in().unwrap();
    let blob = scene.blob(b"new");
    scene.record(&Entry { data: Bytes::Blob(blob), ..entry(1, 1) });
    fold.check_and_sweep().unwrap();
    assert!(scene.has_blob(&blob));
}

#[test]
fn damaged_young_files_are_removed() {
    let scene = scene();
    scene.record(&entry(1, 10));
    let file = fsutil::create_file(&scene.root, young::path(&key(1)), OFlags::RDWR).unwrap();
    rustix::io::pwrite(&file, b"?", 60).unwrap();
    assert_eq!(folded(&scene, &now()).damaged, 1);
    assert!(scene.young(1).is_none() && scene.old(1).is_none());
}

#[test]
fn damaged_values_are_removed_and_indexes_are_mended() {
    let scene = scene();
    (0..4).for_each(|n| scene.record(&entry(n, 10)));
    let sums = folded(&scene, &now()).totals;
    (0..4).for_each(|n| scene.drop_young(n));
    Old::with(&scene.root, |old| {
        old.entries.insert(key(0).0, b"junk")?;
        old.entries.insert(key(1).0, b"junk")?;
        old.facts.remove(key(2).0)?;
        old.indexes.uses.insert([b"whither", &key(9).0[..], b"x"].concat(), b"")?;
        old.count(|totals| totals.bytes = 7);
        Ok(())
    })
    .unwrap();
    assert!(Old::with(&scene.root, |old| old.get(&key(0))).is_err());
    assert_eq!(scene.old(0), None);
    let report = folded(&scene, &FoldOptions { full: true, ..now() });
    assert_eq!((report.damaged, report.totals.entries), (1, 2));
    assert_eq!(report.totals.bytes, sums.bytes / 2);
    Old::with(&scene.root, |old| {
        assert_eq!((old.facts.len(), old.indexes.uses.len()), (2, 2));
        Ok(())
    })
    .unwrap();
}

#[test]
fn a_broken_database_is_set_aside_and_the_cache_goes_on() {
    let scene = scene();
    for round in 0..3 {
        (0..3).for_each(|n| scene.record(&entry(n, 10)));
        folded(&scene, &now());
        for name in ["old/index/db", "old/index/conf"] {
            let file = fsutil::create_file(&scene.root, name, OFlags::WRONLY).unwrap();
            fsutil::write_all(file, &[round ^ 0x5a; 3000]).unwrap();
        }
        let report = folded(&scene, &now());
        assert!(report.set_aside.is_some_and(|name| scene.has(&name)));
        assert_eq!((report.folded, report.totals.entries), (3, 3));
        assert_eq!(guard::broken(&scene.root).unwrap().len(), 1);
    }
}

#[test]
fn a_panic_sets_the_database_aside_and_a_full_disk_does_not() {
    let scene = scene();
    let panicked =
        Old::with(&scene.root, |_| -> Result<()> { std::panic::resume_unwind(Box::new(1)) });
    assert!(panicked.unwrap_err().is::<SetAside>());
    let full = Old::with(&scene.root, |_| -> Result<()> {
        let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
        Err(sled::Error::Io(full).into())
    });
    assert!(!full.unwrap_err().is::<SetAside>());
    assert!(scene.has("old"));
}

#[test]
fn a_store_that_was_removed_stays_away() {
    let scene = scene();
    scene.record(&entry(1, 10));
    folded(&scene, &now());
    let mut fold_under_way = Fold::new(&scene.root, FoldOptions { full: true, ..now() });
    fold_under_way.read_in().unwrap();
    let path = scene.dir.path().join("store");
    std::fs::remove_dir_all(&path).unwrap();
    assert!(fold_under_way.expire().is_err());
    assert!(fold_under_way.check_and_sweep().is_err());
    assert!(fold(&scene.root, &now()).unwrap().is_none());
    assert!(!path.exists());
}

#[test]
fn a_second_fold_leaves_it_to_the_first() {
    let scene = scene();
    let _first = Lock::wait(&scene.root, lock::FOLD, Mode::Exclusive).unwrap();
    assert_eq!(fold(&scene.root, &FoldOptions::default()).unwrap(), None);
}

#[test]
fn clearing_removes_everything_but_the_locks() {
    let scene = scene();
    (0..3).for_each(|n| scene.record(&entry(n, 10)));
    let blob = scene.blob(&vec![1; 100_000]);
    folded(&scene, &now());
    scene.drop_young(0);
    hit(&scene, 1, 0);
    let cleared = clear(&scene.root).unwrap();
    assert_eq!(cleared.entries, 3);
    assert!(cleared.bytes >= 100_000, "{cleared:?}");
    assert!(!scene.has_blob(&blob));
    let left = fsutil::names(&scene.root, ".").unwrap();
    assert!(left.iter().all(|name| name == "locks" || name == "tmp" || name == "account"));
    assert_eq!(folded(&scene, &now()).totals.entries, 0);
}

#[test]
fn leftovers_go_and_what_is_in_use_stays() {
    let scene = scene();
    let root = &scene.root;
    let make = |name: &str| fsutil::create_file(root, name, OFlags::RDWR).unwrap();
    let age = |file: &rustix::fd::OwnedFd| {
        let hours_ago = std::time::SystemTime::now() - Duration::from_hours(2);
        std::fs::File::from(file.try_clone().unwrap()).set_modified(hours_ago).unwrap();
    };
    age(&make("tmp/dead"));
    make("tmp/recent");
    let busy = make("tmp/busy");
    age(&busy);
    rustix::fs::flock(&busy, rustix::fs::FlockOperation::LockExclusive).unwrap();
    make("trash-1/blob");
    let (free, held) = (lock::of_key(&key(1)), lock::of_key(&key(2)));
    drop(Lock::wait(root, &free, Mode::Exclusive).unwrap());
    let _held = Lock::wait(root, &held, Mode::Exclusive).unwrap();
    folded(&scene, &now());
    let has = |path: &Path| fsutil::stat(root, path).unwrap().is_some();
    assert!(!scene.has("tmp/dead") && scene.has("tmp/recent") && scene.has("tmp/busy"));
    assert!(!has(&free) && has(&held) && scene.has("locks/fold") && !scene.has("trash-1"));
}

#[test]
fn a_folder_in_a_files_place_does_not_keep_a_fold_from_its_work() {
    let scene = scene();
    for name in [std::path::PathBuf::from("tmp/folder"), lock::of_key(&key(1))] {
        let path = scene.root.path().join(&name);
        std::fs::create_dir_all(&path).unwrap();
        let folder = std::fs::File::open(&path).unwrap();
        folder.set_modified(std::time::SystemTime::now() - Duration::from_hours(2)).unwrap();
    }
    scene.record(&entry(1, 10));
    assert_eq!(folded(&scene, &now()).folded, 1);
}

#[test]
fn the_filter_is_rebuilt_when_it_is_damaged_or_missing() {
    let scene = scene();
    (0..3).for_each(|n| scene.record(&entry(n, 10)));
    folded(&scene, &now());
    (0..3).for_each(|n| scene.drop_young(n));
    fsutil::remove_file(&scene.root, filter::FILE).unwrap();
    scene.record(&entry(7, 10));
    folded(&scene, &now());
    assert_eq!(filter::contents(&scene.root).map(|keys| keys.len()), Some(4));
    assert!(!filter::may_hold(&scene.root, &key(8)));
}

#[test]
fn sizes_that_add_up_to_more_than_there_is_are_no_panic() {
    let scene = scene();
    for n in 0..3 {
        let blob = |of: u8| {
            let place = blobs::Form::Plain.path(&[of; 32]);
            fsutil::create_file(&scene.root, place, OFlags::WRONLY).unwrap();
            Bytes::Blob(BlobRef { hash: [of; 32], len: u64::MAX })
        };
        let (frames, data) = (blob(n as u8 + 100), blob(n as u8));
        scene.record(&Entry { frames, data, ..entry(n, 100) });
    }
    let report = folded(&scene, &now());
    assert_eq!((report.set_aside, report.folded), (None, 3));
    assert_eq!(report.totals.bytes, u64::MAX);
    assert_eq!(folded(&scene, &FoldOptions { full: true, ..now() }).set_aside, None);
}

#[test]
fn a_fold_that_leaves_has_the_other_do_another_round() {
    let scene = scene();
    let root = &scene.root;
    let held = Lock::take(root, lock::FOLD, Mode::TryExclusive).unwrap();
    let background = FoldOptions::default();
    assert_eq!(fold(root, &background).unwrap(), None);
    // What came too late for whoever holds the lock:
    scene.record(&entry(1, 100));
    drop(held);
    assert!(fsutil::stat(root, WANTED).unwrap().is_some());
    let report = fold(root, &FoldOptions { wait: true, ..background }).unwrap().unwrap();
    assert_eq!(report.folded, 1);
    assert!(fsutil::stat(root, WANTED).unwrap().is_none());
}

#[test]
fn a_fold_with_nothing_to_do_leaves_the_database_as_it_is() {
    let scene = scene();
    scene.record(&Entry { expires_in: Some(3_600_000_000_000), ..entry(1, 100) });
    folded(&scene, &now());
    scene.drop_young(1);
    let first = folded(&scene, &now()).totals;
    assert_eq!(folded(&scene, &now()).totals, first);
    // What there is to drop is dropped all the same.
    let entry = Entry { expires_in: Some(1), ..entry(2, 100) };
    Old::with(&scene.root, |old| put(old, &entry)).unwrap();
    assert_eq!(folded(&scene, &now()).expired, 1);
    scene.record(&crate::testing::entry(3, 10));
    folded(&scene, &now());
    scene.drop_young(3);
    assert_eq!(folded(&scene, &FoldOptions { max_size: Some(1), ..now() }).evicted, 1);
}

#[test]
fn what_one_batch_flushed_and_the_next_does_not_find_sets_the_database_aside() {
    let scene = scene();
    let mut flushed = Flushed::default();
    Old::with_next(&scene.root, &mut flushed, |old| put(old, &entry(1, 10))).unwrap();
    flushed.confirm(&scene.root).unwrap();
    // A database that is as it was before.
    std::fs::remove_dir_all(scene.root.path().join("old")).unwrap();
    let next = Old::with_next(&scene.root, &mut flushed, |old| put(old, &entry(2, 10)));
    assert!(next.unwrap_err().is::<SetAside>());
    let last = flushed.confirm(&scene.root);
    assert!(last.unwrap_err().is::<SetAside>());
}
