//! Tests of the answers of a helper, which runs within this process.

use super::*;
use crate::events::{self, Event, Kind};
use crate::fold::FoldOptions;
use crate::metadata::Totals;
use crate::query::{Order, Query};
use crate::stats::Counts;
use crate::testing::{Scene, ago, entry, key, scene};
use cachex_base::process::ipc::{self, decode};
use std::sync::mpsc;

fn asked(scene: &Scene, op: &str, args: &[OsString], input: &[u8]) -> Result<Vec<u8>> {
    answer(&scene.root, OsStr::new(op), args, &mut &input[..], &mut Vec::new())
}

fn looked_up(scene: &Scene, n: u64) -> Option<Entry> {
    let sealed = asked(scene, GET, &[key(n).to_string().into()], b"").unwrap();
    (!sealed.is_empty()).then(|| Entry::open(&key(n), &sealed).unwrap())
}

fn folded(scene: &Scene) {
    let options = FoldOptions { wait: true, ..FoldOptions::default() };
    asked(scene, FOLD_NOW, &fold_args(&options), b"").unwrap();
}

#[test]
fn what_is_found_is_brought_up_unless_somebody_folds_or_forgets() {
    let scene = scene();
    let stored = entry(1, 10);
    scene.record(&stored);
    folded(&scene);
    scene.drop_young(1);

    let forgetting = Lock::wait(&scene.root, lock::FOLD, Mode::Exclusive).unwrap();
    assert_eq!(looked_up(&scene, 1), Some(stored.clone()));
    assert_eq!(scene.young(1), None);
    drop(forgetting);
    assert_eq!(looked_up(&scene, 1), Some(stored.clone()));
    assert_eq!(scene.young(1), Some(stored));

    scene.drop_young(1);
    let removed = asked(&scene, REMOVE, &[], &[key(1).0, key(2).0].concat()).unwrap();
    assert_eq!(decode::<u64>(&removed).unwrap(), 1);
    assert_eq!(looked_up(&scene, 1), None);
    assert_eq!(scene.young(1), None);
}

#[test]
fn what_is_brought_up_never_replaces_a_newer_record() {
    let scene = scene();
    scene.record(&entry(1, 10));
    folded(&scene);
    let newer = entry(1, 5);
    scene.record(&newer);
    looked_up(&scene, 1);
    assert_eq!(scene.young(1), Some(newer));
}

#[test]
fn a_look_up_in_no_store_creates_none() {
    let scene = scene();
    assert_eq!(looked_up(&scene, 1), None);
    assert!(!scene.has("old"));
}

#[test]
fn a_check_shows_what_is_damaged_too_and_mends_nothing() {
    let scene = scene();
    (0..3).for_each(|n| scene.record(&entry(n, 10)));
    folded(&scene);
    let junk = vec![7; 100_000];
    Old::with(&scene.root, |old| {
        old.entries.insert(key(1).0, &junk[..])?;
        Ok(())
    })
    .unwrap();
    for _ in 0..2 {
        let mut frames = Vec::new();
        answer(&scene.root, OsStr::new(CHECK), &[], &mut &b""[..], &mut frames).unwrap();
        let mut damaged = Vec::new();
        let mut count = 0;
        while let Some((ITEM, body)) = ipc::take_frame(&mut frames).unwrap() {
            let (key, sealed) = body.split_first_chunk().unwrap();
            damaged.extend(Entry::open(&Key(*key), sealed).is_err().then_some(Key(*key)));
            count += 1;
        }
        assert_eq!((count, damaged), (3, vec![key(1)]));
    }
    std::fs::write(scene.root.path().join("old/index/db"), [0x5a; 3000]).unwrap();
    std::fs::write(scene.root.path().join("old/index/conf"), [0x5a; 3000]).unwrap();
    let broken = asked(&scene, CHECK, &[], b"").unwrap_err();
    assert!(broken.is::<Broken>() && scene.has("old"));
}

#[test]
fn options_survive_the_command_line() {
    for (max_size, compress) in [(None, None), (Some(0), Some(0)), (Some(u64::MAX), Some(19))] {
        for (full, wait) in [(true, false), (false, true)] {
            let (max_entries, grace) = (max_size, Duration::from_nanos(7));
            let options = FoldOptions { max_size, max_entries, grace, full, wait, compress };
            assert_eq!(fold_options(&fold_args(&options)), Some(options));
        }
    }
}

#[test]
fn a_process_that_makes_no_progress_is_given_up() {
    let pulse: &'static guard::Pulse = Box::leak(Box::default());
    let patience = Duration::from_millis(200);
    let (tell, told) = mpsc::channel();
    // Other tests compute beside this one: nothing is concluded from that.
    watch::watch(Duration::MAX, patience, pulse, move |verdict| tell.send(verdict).unwrap())
        .unwrap();
    // Outside of sled nothing is expected of it.
    assert!(told.recv_timeout(2 * patience).is_err());
    pulse.enter(true);
    assert_eq!(told.recv().unwrap(), Verdict::Slow);
}

#[test]
fn questions_are_answered_in_frames() {
    let scene = scene();
    (0..3).for_each(|n| scene.record(&Entry { status: n as u8, ..entry(n, 10) }));
    let event =
        Event { kind: Kind::Hit { cost: 1, files: 0 }, time: ago(5), key: key(1), run_time: 7 };
    events::append(&scene.root, &event, None, None).unwrap();
    folded(&scene);
    let asked = |op: &str, args: &[OsString], input: &[u8]| {
        let mut frames = Vec::new();
        let result = answer(&scene.root, OsStr::new(op), args, &mut &input[..], &mut frames);
        let mut items = Vec::new();
        while let Some((tag, body)) = ipc::take_frame(&mut frames).unwrap() {
            assert!([ITEM, ipc::ALIVE].contains(&tag));
            items.extend((tag == ITEM).then_some(body));
        }
        (result.unwrap(), items)
    };
    let question =
        Query { order: Order::Status, reverse: true, limit: Some(2), ..Query::default() };
    let (matched, items) = asked(QUERY, &[], &encode(&question).unwrap());
    assert_eq!(decode::<Option<u64>>(&matched).unwrap(), Some(3));
    let found = items.iter().map(|item| decode::<Item>(item).unwrap().sealed);
    let keys: Vec<_> = found.map(|sealed| Entry::open_any(&sealed).unwrap().key).collect();
    assert_eq!(keys, [key(2), key(1)]);

    let (_, items) = asked(STATS, &["0".into()], b"");
    let (_, name, counts) = decode::<(u32, String, Counts)>(&items[0]).unwrap();
    assert_eq!((items.len(), &name[..], counts.hits, counts.saved_ns), (1, "", 1, 7));
    asked(RESET_STATS, &[], b"");
    assert!(asked(STATS, &["0".into()], b"").1.is_empty());
    let totals = decode::<Totals>(&asked(TOTALS, &[], b"").0).unwrap();
    assert_eq!((totals.entries, totals.hits), (3, 0));
}
