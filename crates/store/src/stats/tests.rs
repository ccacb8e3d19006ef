//! Tests of the statistics: the calls that are counted, and the days that are kept.

use super::*;
use crate::events::append;
use crate::fold::FoldOptions;
use crate::testing::{Scene, ago, entry, key, run_of, scene};
use cachex_base::record::entry::Entry;

const HOUR: u64 = 3600;

fn folded(scene: &Scene) {
    let options = FoldOptions { wait: true, ..FoldOptions::default() };
    fold::fold(&scene.root, &options).unwrap().unwrap();
}

fn counted(scene: &Scene, since: u32) -> Vec<(u32, String, Counts)> {
    let mut found = Vec::new();
    read(&scene.root, since, |day, name, counts| {
        found.push((day, name.to_owned(), counts));
        Ok(())
    })
    .unwrap();
    found
}

fn sum(scene: &Scene, name: &str) -> Counts {
    let mut sum = Counts::default();
    for (_, _, counts) in counted(scene, 0).iter().filter(|(_, found, _)| found == name) {
        sum.add(counts);
    }
    sum
}

fn note(scene: &Scene, n: u64, kind: Kind, seconds: u64, label: Option<&str>) {
    let event = Event { kind, time: ago(seconds), key: key(n), run_time: 100 };
    append(&scene.root, &event, label.map(str::as_bytes), None).unwrap();
}

#[test]
fn calls_are_counted_by_command_whether_they_were_recorded_or_not() {
    let scene = scene();
    let hit = Kind::Hit { cost: 3, files: 2 };
    scene.record(&run_of(1, &["/usr/bin/git", "log"]));
    note(&scene, 1, Kind::Recorded { why: Reason::NotRecorded, size: 50 }, 9, Some("git"));
    note(&scene, 1, hit, 8, None);
    note(&scene, 2, Kind::Unrecorded { why: Reason::Forced }, 7, Some("/bin/ls"));
    // Only the entry knows the name, be it young or old.
    scene.record(&run_of(3, &["kubectl"]));
    note(&scene, 3, hit, 6, None);
    folded(&scene);
    scene.drop_young(3);
    note(&scene, 3, Kind::Stale { cost: 4 }, 5, None);
    note(&scene, 9, hit, 4, None);
    folded(&scene);

    let git = sum(&scene, "git");
    assert_eq!((git.hits, git.saved_ns, git.hit_cost_ns), (1, 100, 3));
    assert_eq!((git.recorded, git.bytes, git.run_ns), (1, 50, 100));
    assert_eq!((git.missed(Reason::NotRecorded), git.missed(Reason::Forced)), (1, 0));
    let ls = sum(&scene, "ls");
    assert_eq!((ls.unrecorded, ls.missed(Reason::Forced), ls.run_ns), (1, 1, 100));
    let kubectl = sum(&scene, "kubectl");
    assert_eq!((kubectl.hits, kubectl.stale, kubectl.hit_cost_ns), (1, 1, 7));
    assert_eq!(sum(&scene, "").hits, 1);
    let totals = Old::with(&scene.root, |old| Ok(old.totals())).unwrap();
    assert_eq!((totals.hits, totals.stale, totals.recorded, totals.unrecorded), (3, 1, 1, 1));

    reset(&scene.root).unwrap();
    assert_eq!(counted(&scene, 0), []);
    let totals = Old::with(&scene.root, |old| Ok(old.totals())).unwrap();
    assert_eq!((totals.hits, totals.saved, totals.entries), (0, 0, 2));
}

#[test]
fn days_are_counted_apart_and_dropped_when_they_are_old() {
    let scene = scene();
    let kind = Kind::Unrecorded { why: Reason::Forced };
    for days in [0, 1, 2, 399, 400, 1000] {
        note(&scene, days, kind, days * 24 * HOUR, Some("date"));
    }
    // From the future, where nobody would ever drop it.
    let event = Event { kind, time: Timestamp(u64::MAX), key: key(7), run_time: 1 };
    append(&scene.root, &event, Some(b"date"), None).unwrap();
    folded(&scene);
    let today = day_of(Timestamp::now());
    let days: Vec<u32> = counted(&scene, 0).iter().map(|(day, ..)| today - day).collect();
    assert_eq!(days, [399, 2, 1, 0]);
    assert_eq!(counted(&scene, today - 1).len(), 2);
    assert_eq!(counted(&scene, today)[0].2.unrecorded, 2);
}

#[test]
fn so_many_names_are_counted_apart_and_the_others_together() {
    let scene = scene();
    let now = ago(0);
    let calls = |from: usize| {
        let names: BTreeMap<_, _> = (from..from + MAX_NAMES)
            .map(|n| (format!("command{n:05}"), Counts { hits: 1, ..Counts::default() }))
            .collect();
        Tally::from([(day_of(now), names)])
    };
    for from in [0, MAX_NAMES / 2, 5 * MAX_NAMES] {
        Old::with(&scene.root, |old| Ok(old.add_stats(&calls(from), now)?)).unwrap();
    }
    let counted = counted(&scene, 0);
    assert_eq!(counted.len(), MAX_NAMES + 1);
    assert_eq!(sum(&scene, "command00000").hits, 1);
    assert_eq!(sum(&scene, &format!("command{:05}", MAX_NAMES - 1)).hits, 2);
    assert_eq!(sum(&scene, "").hits as usize, MAX_NAMES / 2 + MAX_NAMES);
}

#[test]
fn a_fold_that_was_killed_before_it_discarded_counts_twice_and_nothing_else() {
    let scene = scene();
    scene.record(&Entry { ..entry(1, 10) });
    note(&scene, 1, Kind::Hit { cost: 1, files: 0 }, 5, None);
    let log = std::fs::read(scene.root.path().join("events")).unwrap();
    folded(&scene);
    std::fs::write(scene.root.path().join("events.draining-1"), log).unwrap();
    folded(&scene);
    assert_eq!(sum(&scene, "").hits, 2);
}

#[test]
fn what_was_counted_before_files_were_is_read() {
    let counts = Counts { hits: 3, saved_ns: 500, ..Counts::default() };
    let mut stored = encode(&counts);
    assert_eq!(stored.pop(), Some(0));
    assert_eq!(read_counts(&stored), Some(counts));
    let counts = Counts { files: 7, ..counts };
    assert_eq!(read_counts(&encode(&counts)), Some(counts));
}
