//! Tests of removals where there is no room: nothing differs from those where there is, and an
//! index that was lost comes back.

use super::*;
use crate::fold::{FoldOptions, FoldReport, fold};
use crate::old::Old;
use crate::testing::{Scene, ago, entry, key, scene};
use crate::walk::Span;
use crate::{filter, removal, tidy};
use cachex_base::record::entry::{About, BlobRef, Bytes, Entry, Key};
use cachex_base::system::clock::Timestamp;
use serde_bytes::ByteBuf;
use std::sync::LazyLock;
use std::time::Duration;

fn content(n: u8) -> Vec<u8> {
    vec![n; 5000]
}

/// Entries with all that an index tells of: tags, times, shared blobs and files.
fn entries(scene: &Scene) -> Vec<Entry> {
    // Two stores hold the same.
    static CREATED: LazyLock<Timestamp> = LazyLock::new(|| ago(100));
    let about = |n: u64| About {
        argv: [&b"cmd"[..], &[b'a' + n as u8]].map(ByteBuf::from).into(),
        tags: (0..n % 3).map(|tag| format!("tag{tag}")).collect(),
        ..entry(n, 100).about
    };
    let files = |names: &[(&str, u8)]| {
        let contents: Vec<_> = names.iter().map(|(name, n)| (*name, content(*n))).collect();
        let files: Vec<_> = contents.iter().map(|(name, bytes)| (*name, &bytes[..])).collect();
        scene.outputs(&files)
    };
    let entry = |n: u64| {
        let plain = Entry { created: *CREATED, about: about(n), ..entry(n, 100) };
        match n {
            0..4 => Entry { expires_in: Some(1 << 50), ..plain },
            4..8 => Entry { data: Bytes::Blob(scene.blob(&content(n as u8 / 2))), ..plain },
            8 | 9 => Entry { outputs: Some(files(&[("a", 2), ("b", 20)])), ..plain },
            10 => Entry { outputs: Some(files(&[("a", 20), ("c", 21)])), ..plain },
            _ => plain,
        }
    };
    (0..14).map(entry).collect()
}

fn folded(scene: &Scene, full: bool) -> FoldReport {
    let options = FoldOptions { grace: Duration::MAX, full, wait: true, ..FoldOptions::default() };
    fold(&scene.root, &options).unwrap().unwrap()
}

fn filled() -> Scene {
    let scene = scene();
    for entry in entries(&scene) {
        scene.record(&entry);
    }
    folded(&scene, false);
    std::fs::remove_dir_all(scene.root.path().join("young")).unwrap();
    scene
}

type Row = (Vec<u8>, Vec<u8>);

/// The totals, and the rows without what is told of the database itself.
fn told(scene: &Scene) -> ((u64, u64), Vec<Row>) {
    let (totals, rows) = Old::with(&scene.root, |old| {
        Ok((old.totals(), old.raw_page(&mut Span::all(), usize::MAX)?))
    })
    .unwrap();
    let rows = rows.into_iter().filter(|(place, _)| place[0] != b'm');
    let rows = rows.map(|(place, value)| (place.to_vec(), value.to_vec())).collect();
    ((totals.entries, totals.bytes), rows)
}

fn in_place(scene: &Scene, keys: &[Key]) -> TakenOut {
    let keys: Vec<[u8; 32]> = keys.iter().map(|key| key.0).collect();
    take_out(&scene.root, &keys, &mut || {}).unwrap()
}

#[test]
fn a_removal_without_room_leaves_what_one_with_room_leaves() {
    for gone in [&[4][..], &[8], &[8, 9], &[4, 5, 8, 9, 10], &[0, 1, 13], &[99], &[]] {
        let keys: Vec<Key> = gone.iter().map(|n| key(*n)).collect();
        let (one, other) = (filled(), filled());
        let (mut count, mut orphans) = (0, Vec::new());
        Old::with(&one.root, |old| {
            for removed in keys.iter().filter_map(|key| old.take_out(key).unwrap()) {
                count += 1;
                orphans.extend(removed.orphans);
            }
            Ok(())
        })
        .unwrap();
        let mut done = in_place(&other, &keys);
        orphans.sort_unstable();
        done.orphans.sort_unstable();
        assert_eq!((done.count, done.orphans), (count, orphans), "{gone:?}");
        assert_eq!(told(&other), told(&one), "{gone:?}");
        for n in 0..14 {
            assert_eq!(other.old(n).is_some(), !gone.contains(&n), "{gone:?}: {n}");
        }
        assert!(!is_partial(&other.root));
        // Nothing is left for an audit.
        let before = told(&other);
        folded(&other, true);
        assert_eq!(told(&other), before, "{gone:?}");
    }
}

/// Loses the index, as a process that is killed does, or one for which there is no room.
fn loses_the_index(scene: &Scene) {
    let path = scene.root.path();
    std::fs::write(path.join(PARTIAL), "").unwrap();
    std::fs::remove_dir_all(path.join("old/index")).unwrap();
}

fn has_all(scene: &Scene) {
    for n in 0..14 {
        let entry = scene.old(n).unwrap();
        assert!(entry.blobs().all(|blob| scene.has_blob(&blob)), "{n}");
        assert!(filter::may_hold(&scene.root, &key(n)), "{n}");
    }
    let file = content(21);
    let file = BlobRef { hash: *blake3::hash(&file).as_bytes(), len: file.len() as u64 };
    assert!(scene.has_blob(&file));
}

#[test]
fn an_index_that_was_lost_is_made_anew_from_the_entries() {
    let scene = filled();
    let before = told(&scene);
    loses_the_index(&scene);
    folded(&scene, false);
    assert!(!is_partial(&scene.root));
    let without_queue = |(totals, rows): ((u64, u64), Vec<Row>)| {
        (totals, rows.into_iter().filter(|(place, _)| place[0] != b'p').collect::<Vec<_>>())
    };
    assert_eq!(without_queue(told(&scene)), without_queue(before));
    has_all(&scene);
}

#[test]
fn nothing_is_concluded_from_an_index_that_was_lost() {
    let scene = filled();
    loses_the_index(&scene);
    std::fs::remove_file(scene.root.path().join(filter::FILE)).unwrap();
    // A call that finds no filter has one made.
    crate::fold::publish_with(&scene.root, [key(99)].iter()).unwrap();
    assert_eq!(crate::sweep::blobs(&scene.root, Vec::new(), None).unwrap(), 0);
    has_all(&scene);
    let left = tidy::tidy(&scene.root, Vec::new(), 1).unwrap();
    assert_eq!(left.entries, 14);
    assert!(!is_partial(&scene.root));
    has_all(&scene);
}

#[test]
fn a_few_entries_are_removed_at_once_where_there_is_room() {
    let scene = filled();
    assert!(removal::at_once(&scene.root, 3) > 3);
}
