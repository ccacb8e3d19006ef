//! Each kind of damage: found, named and left alone; then repaired, with no harm
//! to what is whole.

use super::{LONG, Patient, aged, chmod, content, doctor, flip, json, kinds, problems};
use crate::harness::{PATIENCE, cachex};
use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt, symlink};
use std::path::Path;
use std::time::Instant;

#[track_caller]
fn is_found_and_repaired(damage: impl FnOnce(&Patient), expected: &[&str]) {
    let patient = Patient::new();
    let cachex = &patient.cachex;
    damage(&patient);
    let before = content(cachex);

    let examined = doctor(cachex, "--json").exits(1);
    let named: Vec<(String, bool)> = expected.iter().map(|k| ((*k).to_owned(), false)).collect();
    assert_eq!(problems(&examined), named);
    assert!(json(&examined)["healthy"] == false && json(&examined)["problems"] == named.len());
    let said = doctor(cachex, "").exits(1).stdout();
    assert_eq!(said.lines().filter(|line| line.starts_with("problem: ")).count(), named.len());
    assert!(content(cachex) == before, "looking changed the store");

    let repaired = doctor(cachex, "--repair --json").exits(0);
    for kind in expected {
        assert!(
            problems(&repaired).contains(&((*kind).to_owned(), true)),
            "{:?}",
            problems(&repaired)
        );
    }
    let after = doctor(cachex, "--json").exits(0);
    assert_eq!(kinds(&after), [""; 0]);

    let said = doctor(cachex, "").exits(0).stdout();
    assert!(said.contains(": no problems; intact: "), "{said}");
    cachex.run("echo good").once().hits().prints("good\n");
    for (script, first) in [("echo victim", "victim\n"), (LONG, "1\n2\n")] {
        cachex.run(script).once().exits(0).quietly();
        assert!(cachex.run(script).once().hits().quietly().stdout().starts_with(first));
    }
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/json.md")).unwrap();
    for kind in expected {
        assert!(page.contains(&format!("`{kind}`")), "docs/json.md does not tell of {kind}");
    }
}

fn pipe(path: &Path) {
    let _ = fs::remove_file(path);
    rustix::fs::mknodat(
        rustix::fs::CWD,
        path,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        0,
    )
    .unwrap();
    assert!(fs::symlink_metadata(path).unwrap().file_type().is_fifo());
}

#[test]
fn damaged_young_entries() {
    is_found_and_repaired(|patient| flip(&patient.young, 60), &["entry-damaged"]);
    is_found_and_repaired(|patient| fs::write(&patient.young, "?").unwrap(), &["entry-damaged"]);
}

#[test]
fn damaged_old_entries() {
    let damage = |patient: &Patient| {
        patient.forget_young();
        patient.edit_entries(|entries| {
            let mut keys = entries.iter().keys().map(Result::unwrap);
            // What is shorter than a key is the database's own.
            let key = keys.find(|key| key.len() == 32).unwrap();
            entries.insert(key, b"junk").unwrap();
        });
    };
    is_found_and_repaired(damage, &["entry-damaged"]);
}

#[test]
fn damaged_and_missing_blobs() {
    let both_floors = ["entry-without-output", "entry-without-output"];
    is_found_and_repaired(
        |patient| flip(&patient.blob, 100),
        &["blob-damaged", both_floors[0], both_floors[1]],
    );
    is_found_and_repaired(|patient| fs::remove_file(&patient.blob).unwrap(), &both_floors);
    let in_old_alone = |patient: &Patient| {
        patient.forget_young();
        fs::remove_file(&patient.blob).unwrap();
    };
    is_found_and_repaired(in_old_alone, &["entry-without-output"]);
}

#[test]
fn filters_that_are_missing_damaged_or_too_small() {
    let filter = |patient: &Patient| patient.at("old.keys");
    is_found_and_repaired(|p| fs::remove_file(filter(p)).unwrap(), &["filter-missing"]);
    is_found_and_repaired(|p| flip(&filter(p), 20), &["filter-damaged"]);
    let empty = |patient: &Patient| {
        let sum = blake3::hash(&[0; 8]);
        let parts = [&[0xce, b'k', b'f', 1], &sum.as_bytes()[..4], &[0; 8]];
        fs::write(filter(patient), parts.concat()).unwrap();
        fs::remove_file(&patient.blob).unwrap();
    };
    let found = ["filter-incomplete", "entry-without-output", "entry-without-output"];
    is_found_and_repaired(empty, &found);
}

#[test]
fn a_damaged_database_is_set_aside_and_young_entries_stay() {
    let damage = |patient: &Patient| {
        for name in ["db", "conf"] {
            fs::write(patient.at("old/index").join(name), [0x5a; 3000]).unwrap();
        }
    };
    let patient = Patient::new();
    damage(&patient);
    let cachex = &patient.cachex;
    assert_eq!(problems(&doctor(cachex, "--json").exits(1)), [("database-damaged".into(), false)]);
    assert!(patient.at("old").exists());
    let repaired = doctor(cachex, "--repair --json").exits(0);
    assert_eq!(problems(&repaired), [("database-damaged".into(), true)]);
    assert_eq!(kinds(&doctor(cachex, "--json").exits(0)), ["database-set-aside"]);
    for script in ["echo victim", "echo good", LONG] {
        cachex.run(script).once().hits();
    }
    assert_eq!(kinds(&doctor(cachex, "--repair --json").exits(0)), ["database-set-aside"]);
    assert_eq!(kinds(&doctor(cachex, "--json").exits(0)), [""; 0]);
}

#[test]
fn a_database_of_random_damage_is_examined_and_mended_in_time() {
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |below: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (random >> 33) as usize % below
    };
    for _ in 0..4 {
        let patient = Patient::new();
        let path = patient.at("old/index/db");
        let mut content = fs::read(&path).unwrap();
        for _ in 0..100 {
            let at = next(content.len() - 16);
            content[at..at + 16].fill_with(|| next(256) as u8);
        }
        fs::write(&path, content).unwrap();
        let started = Instant::now();
        doctor(&patient.cachex, "");
        doctor(&patient.cachex, "--repair").exits(0);
        doctor(&patient.cachex, "").exits(0);
        assert!(started.elapsed() < PATIENCE);
        for script in ["echo victim", "echo good", LONG] {
            patient.cachex.run(script).once().hits();
        }
    }
}

#[test]
fn a_database_that_hangs_or_kills_harms_nobody() {
    let patient = Patient::new();
    let ways = [
        ("panic", "database-damaged"),
        ("abort", "database-damaged"),
        ("hang", "database-damaged"),
        ("exit", "database-unexamined"),
        ("garbage", "database-unexamined"),
        ("kill", "database-unexamined"),
        // No space is left on the device.
        ("28", "database-unexamined"),
    ];
    for (way, kind) in ways {
        let call = patient.cachex.cli(["doctor", "--json"]).fault(format!("sled={way}"));
        let outcome = call.once().exits(1).quietly();
        assert_eq!(problems(&outcome), [(kind.to_owned(), false)], "{way}");
    }
    // It was only looked at.
    assert_eq!(kinds(&doctor(&patient.cachex, "--json").exits(0)), [""; 0]);
    let call = patient.cachex.cli(["doctor", "--repair", "--json"]).fault("sled:1=abort");
    assert_eq!(problems(&call.once().exits(1)).len(), 2);
    assert_eq!(problems(&doctor(&patient.cachex, "--json --repair").exits(0)), []);
    for script in ["echo victim", "echo good", LONG] {
        patient.cachex.run(script).once().hits();
    }
}

#[test]
fn modes_that_let_others_in() {
    is_found_and_repaired(|patient| chmod(&patient.young, 0o644), &["mode"]);
    is_found_and_repaired(|patient| chmod(&patient.at("blobs"), 0o777), &["mode"]);
    is_found_and_repaired(|patient| chmod(&patient.at("old/index/db"), 0o640), &["mode"]);
    is_found_and_repaired(|patient| chmod(&patient.at(""), 0o777), &["mode"]);
    let folder_and_file = |patient: &Patient| {
        chmod(&patient.at("young"), 0o770);
        flip(&patient.young, 60);
    };
    let patient = Patient::new();
    folder_and_file(&patient);
    let repaired = doctor(&patient.cachex, "--repair --json").exits(0);
    let expected = [("mode".to_owned(), true), ("entry-damaged".to_owned(), true)];
    assert_eq!(problems(&repaired), expected);
}

#[test]
fn a_store_that_is_refused_is_mended_if_it_is_one() {
    is_found_and_repaired(|patient| chmod(&patient.cachex.store(), 0o777), &["mode"]);
    // A folder that is none of cachex's stays as it is.
    let cachex = cachex();
    fs::create_dir(cachex.store()).unwrap();
    chmod(&cachex.store(), 0o777);
    let said = doctor(&cachex, "--repair").exits(1).stdout();
    assert!(said.contains("`chmod go-w`"), "{said}");
    assert_eq!(fs::metadata(cachex.store()).unwrap().mode() & 0o777, 0o777);
    let file = cachex.write("file", "");
    let other = cachex.cli(["doctor", "--repair", "--cache-dir"]).command([""; 0]);
    let other = other.with(file.to_str().unwrap()).once().exits(1).quietly();
    assert!(other.stdout().contains("the store is not used"), "{}", other.stdout());
}

#[test]
fn what_belongs_to_others_is_named_and_left() {
    let patient = Patient::new();
    if std::os::unix::fs::chown(&patient.young, Some(4711), None).is_err() {
        // Only root can give a file away.
        return;
    }
    for options in ["--json", "--json --repair"] {
        let outcome = doctor(&patient.cachex, options).exits(1);
        assert_eq!(problems(&outcome), [("owner".into(), false)]);
        assert!(patient.young.exists());
    }
    assert!(fs::metadata(&patient.young).is_ok_and(|file| file.uid() == 4711));
    std::os::unix::fs::chown(patient.cachex.store(), Some(4711), None).unwrap();
    let said = doctor(&patient.cachex, "--repair").exits(1).stdout();
    assert!(said.contains(".: it belongs to another user (4711)"), "{said}");
}

#[test]
fn folders_links_and_pipes_in_the_place_of_files() {
    is_found_and_repaired(|patient| pipe(&patient.young), &["type"]);
    is_found_and_repaired(|patient| pipe(&patient.at("events")), &["type"]);
    is_found_and_repaired(|patient| pipe(&patient.at("old.keys")), &["type"]);
    is_found_and_repaired(|patient| pipe(&patient.at("tmp/1-2-3")), &["type"]);
    let folder = |patient: &Patient| {
        fs::remove_file(&patient.young).unwrap();
        fs::create_dir_all(patient.young.join("full")).unwrap();
    };
    is_found_and_repaired(folder, &["type"]);
    let lock = |patient: &Patient| {
        let name = patient.young.file_name().unwrap();
        fs::create_dir(patient.at("locks").join(name)).unwrap();
    };
    is_found_and_repaired(lock, &["type"]);
    let link = |patient: &Patient| {
        let elsewhere = patient.cachex.write("elsewhere", "kept");
        fs::remove_file(patient.at("locks/fold")).unwrap();
        symlink(elsewhere, patient.at("locks/fold")).unwrap();
        fs::rename(patient.at("young"), patient.cachex.path("young")).unwrap();
        symlink(patient.cachex.path("young"), patient.at("young")).unwrap();
    };
    let patient = Patient::new();
    link(&patient);
    doctor(&patient.cachex, "").exits(1);
    doctor(&patient.cachex, "--repair").exits(0);
    assert_eq!(fs::read_to_string(patient.cachex.path("elsewhere")).unwrap(), "kept");
    assert!(fs::read_dir(patient.cachex.path("young")).unwrap().count() > 0);
    patient.cachex.run(LONG).once().hits();
}

#[test]
fn what_the_dead_left_behind() {
    for name in ["tmp/1-2-3", "trash-1/blob", "old.next/db", "old.building/db"] {
        let patient = Patient::new();
        let path = patient.at(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        aged(&path);
        // A fold will remove it.
        assert_eq!(kinds(&doctor(&patient.cachex, "--json").exits(0)), ["leftover"]);
        doctor(&patient.cachex, "--repair").exits(0);
        assert_eq!(kinds(&doctor(&patient.cachex, "--json").exits(0)), [""; 0]);
        assert!(!path.exists(), "{name}");
    }
}

#[test]
fn a_log_of_junk() {
    let junk = |patient: &Patient| {
        let log = patient.at("events");
        let events = fs::read(&log).unwrap();
        fs::write(&log, [&events[..], &[0xce; 200]].concat()).unwrap();
    };
    is_found_and_repaired(junk, &["events-damaged"]);
}
