//! Tests of the log of events: the records that it keeps, and those that it may lose.

use super::*;

pub fn event(n: u64) -> Event {
    let why = Reason::ALL[n as usize / 4 % Reason::ALL.len()];
    let kind = match n % 5 {
        0 => Kind::Hit { cost: n * 5, files: n },
        1 => Kind::Recorded { why, size: n * 5 },
        2 => Kind::Unrecorded { why },
        3 => Kind::Stale { cost: n * 7 },
        _ => Kind::Elsewhere,
    };
    Event { kind, time: Timestamp(n), key: Key([n as u8; 32]), run_time: n * 3 }
}

fn label(n: u64, name: &str) -> Label {
    Label { key: Key([n as u8; 32]), name: name.to_owned() }
}

pub fn store() -> (tempfile::TempDir, Root) {
    let dir = tempfile::tempdir().unwrap();
    let root = Root::create(&dir.path().join("store")).unwrap();
    (dir, root)
}

#[test]
fn what_was_appended_is_drained_until_it_is_discarded() {
    let (_dir, root) = store();
    for n in 0..50 {
        let label = (n % 2 == 1).then(|| format!("/usr/bin/command{n}"));
        assert!(!append(&root, &event(n), label.as_ref().map(String::as_bytes), None).unwrap());
    }
    let drained = drain(&root).unwrap();
    assert_eq!(drained.events, (0..50).map(event).collect::<Vec<_>>());
    assert_eq!(drained.names.len(), 25);
    assert_eq!(drained.names[&Key([7; 32])], "command7");
    // Not discarded, as after a crash: the next one reads it again.
    append(&root, &event(50), None, None).unwrap();
    let again = drain(&root).unwrap();
    assert_eq!((again.events.len(), again.names.len()), (51, 25));
    again.discard(&root).unwrap();
    assert!(drain(&root).unwrap().events.is_empty());
}

#[test]
fn torn_and_flipped_records_are_passed_over() {
    let mut bytes = Vec::new();
    for n in 0..4 {
        bytes.extend(event(n).encode());
        bytes.extend(label(n, "command").encode());
    }
    // The second event, the third label.
    bytes[2 * LEN + 40] ^= 1;
    bytes[5 * LEN + 8] ^= 1;
    bytes.extend(&event(4).encode()[..20]);
    bytes.extend(event(5).encode());
    bytes.extend(&label(5, "command").encode()[..63]);
    let label = |n| Record::Label(label(n, "command"));
    let event = |n| Record::Event(event(n));
    let left = [event(0), label(0), label(1), event(2), event(3), label(3), event(5)];
    assert_eq!(parse(&bytes), left);
}

#[test]
fn a_bit_that_flips_anywhere_takes_its_record_away() {
    for record in [event(1).encode(), event(3).encode(), label(1, "command").encode()] {
        for bit in 0..LEN * 8 {
            let mut flipped = record;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(parse(&flipped), [], "{bit}");
        }
    }
}

#[test]
fn names_are_readable_and_cut_between_characters() {
    assert_eq!(name_of(b"/usr/bin/git"), "git");
    assert_eq!(name_of(b"git"), "git");
    assert_eq!(name_of(b""), "");
    assert_eq!(name_of(b"a\xffb"), "a\u{fffd}b");
    assert_eq!(name_of(&[b'x'; 100]), "x".repeat(24));
    for cut in 22..27 {
        let name = name_of(format!("{}\u{20ac}", "x".repeat(cut)).as_bytes());
        let label = label(1, &name);
        assert!(name.len() <= MAX_NAME);
        assert_eq!(parse(&label.encode()), [Record::Label(label)]);
    }
}

#[test]
fn one_run_in_a_thousand_makes_a_fold_due() {
    let (_dir, root) = store();
    let append = |n, label| append(&root, &event(n), label, None).unwrap();
    assert_eq!((0..3072).filter(|&n| append(n, Some(b"command"))).count(), 3);
    assert_eq!((0..4096).filter(|&n| append(n, None)).count(), 2);
}

#[test]
fn of_few_entries_some_runs_make_a_fold_due() {
    let (_dir, root) = store();
    let run = |n| append(&root, &event(n), Some(b"command"), Some(10)).unwrap();
    assert_eq!((0..128).filter(|&n| run(n)).count(), 4);
}

#[test]
fn a_log_that_nobody_folds_starts_anew() {
    let (_dir, root) = store();
    let log = fsutil::create_file(&root, LOG, OFlags::WRONLY).unwrap();
    rustix::fs::ftruncate(&log, CAP).unwrap();
    assert!(append(&root, &event(1), None, None).unwrap());
    assert!(fsutil::stat(&root, LOG).unwrap().is_none());
}

#[test]
fn a_hit_that_took_long_or_brought_much_back_counts_as_much_as_can_be_counted() {
    let hit = |cost, files| Event {
        kind: Kind::Hit { cost, files },
        time: Timestamp(1),
        key: Key([1; 32]),
        run_time: 2,
    };
    let read = |event: Event| parse(&event.encode());
    assert_eq!(read(hit(3, 4)), [Record::Event(hit(3, 4))]);
    assert_eq!(read(hit(u64::MAX, u64::MAX)), [Record::Event(hit(MOST_COST, MOST_FILES))]);
}
