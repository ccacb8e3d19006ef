//! Stores of two formats side by side, and a store that travels.

use crate::harness::{Call, Outcome, Running, cachex, copy, quoted};
use std::fs;
use std::path::PathBuf;

/// As a `cachex` whose format is the next one.
fn newer(call: &Call) -> Call {
    call.clone().env("CACHEX_TEST_FORMAT", "2")
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
    assert!(!cachex.stored_in("v1/young").is_empty() && !cachex.stored_in("v2/young").is_empty());
    // Whatever one does to all of its own, the other keeps its own.
    cachex.fold().once().exits(0);
    assert!(cachex.stored_in("v2/old").is_empty());
    newer(&cachex.fold()).once().exits(0);
    let alone = |folder: &str| -> Vec<(PathBuf, Vec<u8>)> {
        let files = cachex.stored_in(folder).into_iter();
        files.map(|path| (path.clone(), fs::read(cachex.in_store(path)).unwrap())).collect()
    };
    let theirs = alone("v2");
    calls[0].clone().forget().once().exits(0);
    cachex.audit().once().exits(0);
    cachex.cli(["clear", "--yes"]).once().exits(0);
    assert_eq!(alone("v2"), theirs);
    for call in &calls {
        newer(call).once().hits();
        call.twice().runs_once();
    }
    let ours = alone("v1");
    newer(&cachex.cli(["clear", "--yes"])).once().exits(0);
    assert_eq!(alone("v1"), ours);
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
    let entry = cachex.in_store(&cachex.stored_in("v1/young")[0]);
    for format in [0, 2, 255] {
        let mut other = fs::read(&entry).unwrap();
        other[7] = format;
        fs::write(&entry, other).unwrap();
        call.once().misses().prints("hi\n").quietly();
        call.once().hits().prints("hi\n");
    }
}

#[test]
fn what_a_newer_format_keeps_is_left_alone() {
    let cachex = cachex();
    cachex.run("echo hi").once().misses();
    let names =
        ["v2/young/ab/abcd", "v2/old/db", "v2/old.broken-1", "v2/tmp/1-0-1", "v2/events", "v99"];
    let files = names.map(|name| cachex.write(format!("store/{name}"), name));
    cachex.fold().after("2h").once().exits(0);
    cachex.audit().after("2h").once().exits(0);
    cachex.run("echo hi").forget().once().exits(0);
    cachex.cli(["clear", "--yes"]).once().exits(0);
    cachex.run("echo hi").twice().runs_once().quietly();
    for (name, file) in names.iter().zip(files) {
        assert_eq!(fs::read_to_string(file).unwrap(), *name);
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
