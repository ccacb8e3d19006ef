//! Results that a fold has compressed are the same results.

use crate::harness::{Cachex, Call, Outcome, cachex, eventually, flip, places};
use std::fs;
use std::path::PathBuf;

/// Both streams in turns.
const MIXED: &str =
    "i=0; while [ $i -lt 2000 ]; do i=$((i+1)); echo out $i; echo err $i >&2; done; exit 3";
const LONG: &str = "seq 1 100000";
/// Those that print the same in every run.
const ALIKE: [&str; 2] = ["seq 1 3000", LONG];

/// A fold that packs.
fn pack(cachex: &Cachex) -> Call {
    cachex.fold().with("1")
}

/// A store in which everything is packed that can be, and what it is asked for.
fn packed(scripts: [&str; 2]) -> (Cachex, Vec<(Call, Outcome)>) {
    let cachex = cachex();
    let calls = scripts.map(|script| cachex.run(script).failure_expires_in("1d").merged());
    let calls = calls.map(|call| (call.clone(), call.once().misses()));
    pack(&cachex).once().exits(0);
    // How often the streams change is short enough to stay plain.
    assert_eq!(packed_files(&cachex).len(), 2);
    (cachex, calls.into())
}

fn packed_files(cachex: &Cachex) -> Vec<PathBuf> {
    let mut files = cachex.stored_in("v2/blobs");
    files.retain(|file| file.extension().is_some_and(|ending| ending == "zst"));
    files
}

#[track_caller]
fn all_there(calls: &[(Call, Outcome)]) {
    for (call, good) in calls {
        call.once().hits().same_as(good);
    }
}

#[test]
fn both_streams_come_back_in_their_order() {
    let (cachex, calls) = packed([MIXED, LONG]);
    all_there(&calls);
    let report = cachex.cli(["doctor"]).once().exits(0).stdout();
    assert!(report.contains("no problems"), "{report}");
    let separate = cachex.run(MIXED).failure_expires_in("1d");
    // What went to one pipe is not served where there are two.
    separate.once().misses();
    separate.once().hits().same_as(&separate.clone().bare().once());
    let keys = cachex.cli(["list", "--json"]).once().stdout();
    let keys: Vec<serde_json::Value> = serde_json::from_str(&keys).unwrap();
    for entry in &keys {
        let key = entry["key"].as_str().unwrap();
        let shown = cachex.cli(["show", "--json", key]).once().stdout();
        assert!(shown.contains(r#""whole":true"#), "{shown}");
    }
}

#[test]
fn a_bit_or_an_end_that_is_lost_costs_a_run_and_the_record_repairs_it() {
    let (cachex, calls) = packed(ALIKE);
    let files = packed_files(&cachex);
    cachex.keeps_store("kept");
    for file in files {
        let path = cachex.in_store(&file);
        let whole = fs::read(&path).unwrap();
        let survives = |damage: &dyn Fn()| {
            cachex.restores_store("kept");
            damage();
            let runs = cachex.runs();
            for (call, good) in &calls {
                call.once().same_as(good);
            }
            assert_eq!(cachex.runs(), runs + 1, "{}", file.display());
            all_there(&calls);
            pack(&cachex).once().exits(0);
            all_there(&calls);
        };
        for at in places(&path, 20) {
            survives(&|| flip(&path, at));
        }
        for len in [0, 40, whole.len() / 2, whole.len() - 1] {
            survives(&|| fs::write(&path, &whole[..len]).unwrap());
        }
        survives(&|| fs::remove_file(&path).unwrap());
    }
}

#[test]
fn packing_may_be_killed_anywhere() {
    let cachex = cachex();
    let calls = [MIXED, LONG].map(|script| cachex.run(script).failure_expires_in("1d").merged());
    let calls = calls.map(|call| (call.clone(), call.once().misses()));
    cachex.keeps_store("kept");
    let changes = pack(&cachex).killed_everywhere(
        || cachex.restores_store("kept"),
        |_| {
            all_there(&calls);
            pack(&cachex).after("2h").once().exits(0);
            all_there(&calls);
            // What it left is swept, and nothing is there twice.
            cachex.is_swept();
            assert_eq!(packed_files(&cachex).len(), 2);
            assert!(cachex.stored_in("v2/blobs").len() <= 3);
            let said = cachex.cli(["doctor"]).once().exits(0).stdout();
            assert!(said.contains("no problems"), "{said}");
        },
    );
    assert!(changes > 20, "{changes}");
}

#[test]
fn doctor_tells_a_damaged_form_from_a_useless_entry() {
    let (cachex, calls) = packed(ALIKE);
    for (call, _) in &calls {
        call.clone().with("--force").once();
    }
    for file in packed_files(&cachex) {
        flip(&cachex.in_store(&file), 60);
    }
    let said = cachex.cli(["doctor"]).once().exits(1).stdout();
    assert_eq!(said.matches(".zst: ").count(), 2, "{said}");
    assert!(!said.contains("young/") && !said.contains("v2/old "), "{said}");
    cachex.cli(["doctor", "--repair"]).once().exits(0);
    assert_eq!(packed_files(&cachex), [""; 0].map(PathBuf::from));
    all_there(&calls);
    cachex.cli(["doctor"]).once().exits(0);
}

#[test]
fn what_is_forgotten_frees_what_it_took_packed() {
    let (cachex, _) = packed(ALIKE);
    let sizes = cachex.stored_in("v2/blobs").into_iter();
    let taken: u64 = sizes.map(|file| fs::metadata(cachex.in_store(file)).unwrap().len()).sum();
    let args = ["forget", "--command", "*", "--json"];
    let freed = |args: &[&str]| {
        let said = cachex.cli(args.iter().copied()).once().exits(0).stdout();
        serde_json::from_str::<serde_json::Value>(&said).unwrap()["freed_bytes"].as_u64().unwrap()
    };
    let told = freed(&[&args[..], &["--dry-run"]].concat());
    assert!((taken..taken + 2000).contains(&told), "{told} of {taken}");
    assert_eq!(freed(&args), told);
    assert!(cachex.stored_in("v2/blobs").is_empty());
}

#[test]
fn a_long_output_is_unpacked_in_little_memory() {
    let cachex = cachex();
    let call = cachex.run("seq 1 30000000").output_counted().option("--compress", "2");
    let good = call.once().misses();
    cachex.awaits_quiet();
    cachex.fold().with("2").once().exits(0);
    assert_eq!(packed_files(&cachex).len(), 1);
    call.measured().once().hits().same_as(&good).in_less_memory_than(32 << 20);
}

#[test]
fn the_background_fold_packs_unless_told_not_to() {
    for (level, packs) in [("2", true), ("1", false), ("0", false)] {
        let cachex = cachex();
        // So much that a fold is due.
        let call = cachex.run("seq 1 9000000").output_counted().option("--compress", level);
        let good = call.once().misses();
        if packs {
            eventually("it is packed", || (!packed_files(&cachex).is_empty()).then_some(()));
        }
        cachex.awaits_quiet();
        assert_eq!(!packed_files(&cachex).is_empty(), packs);
        call.once().hits().same_as(&good);
    }
}

#[test]
fn a_level_is_a_small_number() {
    for bad in ["20", "256", "fast", ""] {
        cachex().run("true").option("--compress", bad).once().exits(125).mentions(&["0", "19"]);
    }
    cachex().run("echo hi").env("CACHEX_COMPRESS", "19").twice().runs_once();
}

#[test]
fn files_that_were_left_behind_come_back() {
    let cachex = cachex();
    let call = cachex.run("seq 1 30000 >out").option("--output", "out");
    call.once().misses();
    pack(&cachex).once().exits(0);
    assert_eq!(packed_files(&cachex).len(), 1);
    let out = cachex.work().join("out");
    let whole = fs::read(&out).unwrap();
    fs::remove_file(&out).unwrap();
    call.once().hits();
    assert!(fs::read(&out).unwrap() == whole);
    fs::remove_file(&out).unwrap();
    flip(&cachex.in_store(&packed_files(&cachex)[0]), 100);
    call.once().misses();
    assert!(fs::read(&out).unwrap() == whole);
}

#[test]
fn it_makes_no_difference_to_an_archive() {
    let cachex = cachex();
    let script = "yes here | head -c 90000 >made; seq 1 30000";
    let call = cachex.run(script).with("--output made");
    let good = call.once().misses();
    let export = |name: &str| {
        cachex.cli(["export", "--to"]).with(cachex.path(name).to_str().unwrap()).once().exits(0);
        fs::read(cachex.path(name)).unwrap()
    };
    let plain = export("plain");
    pack(&cachex).once().exits(0);
    assert!(packed_files(&cachex).len() >= 2);
    assert_eq!(export("packed"), plain);
    fs::remove_dir_all(cachex.store()).unwrap();
    cachex.cli(["import", "../packed"]).once().exits(0);
    cachex.awaits_quiet();
    pack(&cachex).once().exits(0);
    // Plain beside packed, and nothing is served twice or lost.
    cachex.cli(["forget", "--command", "yes"]).once().exits(0).shows(&["1 entry forgotten"]);
    cachex.cli(["import", "../packed"]).once().exits(0).shows(&["1 entry imported"]);
    fs::remove_file(cachex.work().join("made")).unwrap();
    call.once().hits().same_as(&good);
    assert_eq!(fs::read(cachex.work().join("made")).unwrap().len(), 90_000);
    cachex.cli(["doctor"]).once().exits(0).shows(&["no problems"]);
}
