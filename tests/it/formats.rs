//! Stores of two formats side by side, and a store that travels.

use crate::harness::{Call, Outcome, Running, cachex, copy, quoted};
use std::fs;
use std::path::PathBuf;

/// As a `cachex` whose format is the next one.
fn newer(call: &Call) -> Call {
    call.clone().env("CACHEX_TEST_FORMAT", "3")
}

#[test]
fn two_formats_live_side_by_side() {
    let cachex = cachex();
    let calls = ["echo hi", "seq 1 1000"].map(|script| cachex.run(script));
    for call in &calls {
        call.twice().runs_once().quietly();
        newer(call).twice().runs_once().quietly();
        call.once().hits();
    }
    assert!(!cachex.stored_in("v2/young").is_empty() && !cachex.stored_in("v3/young").is_empty());
    // Whatever one does to all of its own, the other keeps its own.
    cachex.fold().once().exits(0);
    assert!(cachex.stored_in("v3/old").is_empty());
    newer(&cachex.fold()).once().exits(0);
    let alone = |folder: &str| -> Vec<(PathBuf, Vec<u8>)> {
        let files = cachex.stored_in(folder).into_iter();
        files.map(|path| (path.clone(), fs::read(cachex.in_store(path)).unwrap())).collect()
    };
    let theirs = alone("v3");
    calls[0].clone().forget().once().exits(0);
    cachex.audit().once().exits(0);
    cachex.cli(["clear", "--yes"]).once().exits(0);
    assert_eq!(alone("v3"), theirs);
    for call in &calls {
        newer(call).once().hits();
        call.twice().runs_once();
    }
    let ours = alone("v2");
    newer(&cachex.cli(["clear", "--yes"])).once().exits(0);
    assert_eq!(alone("v2"), ours);
}

#[test]
fn two_formats_at_once_break_neither() {
    let cachex = cachex();
    let calls = ["echo hi; exit 3", "seq 1 20000"].map(|script| cachex.run(script));
    let good = calls.each_ref().map(|call| call.clone().bare().once());
    for round in 0..6 {
        let mut running: Vec<(Running, &Outcome)> = Vec::new();
        for (call, good) in calls.iter().zip(&good) {
            for _ in 0..3 {
                running.push((call.spawn(), good));
                running.push((newer(call).spawn(), good));
            }
        }
        let folds = if round % 2 == 0 { cachex.fold() } else { newer(&cachex.fold()) };
        let folds = folds.spawn();
        let clears = cachex.cli(["clear", "--yes"]);
        let clears = if round % 2 == 0 { newer(&clears) } else { clears }.spawn();
        for (running, good) in running {
            running.ends().same_as(good);
        }
        folds.ends().exits(0);
        clears.ends().exits(0);
    }
    for (call, good) in calls.iter().zip(&good) {
        for call in [call.clone(), newer(call)] {
            call.once().same_as(good);
            call.once().hits().same_as(good);
        }
    }
}

#[test]
fn an_entry_of_another_format_in_the_place_of_ours_is_a_miss() {
    let cachex = cachex();
    let call = cachex.run("echo hi");
    call.once().misses();
    let entry = cachex.in_store(&cachex.stored_in("v2/young")[0]);
    for format in [0, 2, 255] {
        let mut other = fs::read(&entry).unwrap();
        other[7] = format;
        fs::write(&entry, other).unwrap();
        call.once().misses().prints("hi\n").quietly();
        call.once().hits().prints("hi\n");
    }
}

#[test]
fn what_other_formats_keep_is_left_alone() {
    let cachex = cachex();
    cachex.run("echo hi").once().misses();
    let names = ["young/ab/abcd", "old/db", "old.broken-1", "tmp/1-0-1", "events", "account"];
    let files: Vec<PathBuf> = ["v1", "v3", "v99"]
        .iter()
        .flat_map(|version| names.map(|name| format!("store/{version}/{name}")))
        .map(|name| cachex.write(&name, &name))
        .collect();
    cachex.fold().after("2h").once().exits(0);
    cachex.audit().after("2h").once().exits(0);
    cachex.cli(["prune", "--max-size", "1MiB"]).once().exits(0);
    cachex.cli(["doctor", "--repair"]).once().exits(0);
    cachex.run("echo hi").forget().once().exits(0);
    cachex.cli(["clear", "--yes"]).once().exits(0);
    cachex.run("echo hi").twice().runs_once().quietly();
    for file in files {
        let content = fs::read_to_string(&file).unwrap();
        assert!(file.ends_with(&content), "{content} in {}", file.display());
    }
}

#[test]
fn doctor_tells_of_an_older_store_and_what_it_takes() {
    let cachex = cachex();
    let told = "note: v1: the store of another version (1.0 MiB), left alone; \
                remove it if no such version is used any more\n";
    cachex.write("store/v1/blobs/ab/abcd", vec![0; 1 << 20]);
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    fs::set_permissions(cachex.store(), permissions).unwrap();
    for used in [false, true] {
        if used {
            cachex.run("echo hi").twice().runs_once().quietly();
        }
        let said = cachex.cli(["doctor"]).once().exits(0).stdout();
        assert!(said.contains(told), "{said}");
    }
}

#[test]
fn a_store_that_was_moved_or_copied_still_serves() {
    let cachex = cachex();
    let calls = ["echo hi", "seq 1 50000; exit 3"].map(|script| cachex.run(script));
    let good = calls.each_ref().map(|call| call.once().misses());
    let (store, away) = (cachex.store(), cachex.path("elsewhere/store"));
    fs::create_dir(cachex.path("elsewhere")).unwrap();
    let all_hit = |change: &dyn Fn(&Call) -> Call| {
        for (call, good) in calls.iter().zip(&good) {
            change(call).once().hits().same_as(good);
        }
    };
    let elsewhere = |call: &Call| call.clone().env("CACHEX_DIR", &away);
    for young in [true, false] {
        if !young {
            cachex.folds_away();
        }
        copy(&store, &away);
        all_hit(&elsewhere);
        // And back, without its times, as an archive or a plain copy brings it.
        let copies = format!("rm -rf {0}; cp -r {1} {0}", quoted(&store), quoted(&away));
        cachex.shell(&format!("umask 077; {copies}")).once().exits(0).quietly();
        all_hit(&Call::clone);
        let archives = format!(
            "rm -rf {0}; mkdir {0}; cd {1}; tar c . | tar xm -C {0}",
            quoted(&store),
            quoted(&away)
        );
        cachex.shell(&format!("umask 077; {archives}")).once().exits(0).quietly();
        all_hit(&Call::clone);
        cachex.fold().once().exits(0);
        cachex.is_swept();
        all_hit(&Call::clone);
    }
    // Where it goes on being used in both places.
    copy(&store, &away);
    let (here, there) = (cachex.run("echo here"), elsewhere(&cachex.run("echo there")));
    here.once().misses();
    there.once().misses();
    cachex.fold().once().exits(0);
    copy(&away, &store);
    cachex.run("echo there").once().hits().prints("there\n");
    all_hit(&Call::clone);
}

#[test]
fn a_store_that_is_copied_while_it_is_used_is_no_danger() {
    let cachex = cachex();
    let calls = ["echo hi", "seq 1 50000; exit 3"].map(|script| cachex.run(script));
    let good = calls.each_ref().map(|call| call.once().misses());
    let away = cachex.path("away");
    for _ in 0..8 {
        cachex.run("date +%N").with("--force").once();
        let folds = cachex.fold().spawn();
        let records = calls[1].clone().with("--force").spawn();
        let script = format!(
            "rm -rf {0}; cp -a {1} {0} 2>/dev/null; true",
            quoted(&away),
            quoted(cachex.store())
        );
        cachex.shell(&script).once().exits(0);
        folds.ends().exits(0);
        records.ends();
        let there = |call: &Call| call.clone().env("CACHEX_DIR", &away);
        for (call, good) in calls.iter().zip(&good) {
            there(call).once().prints(good.stdout()).ends_as(good).warns_at_most_once();
            there(call).once().hits().same_as(good);
        }
        there(&cachex.fold()).once();
        for (call, good) in calls.iter().zip(&good) {
            there(call).once().hits().same_as(good);
        }
    }
}
