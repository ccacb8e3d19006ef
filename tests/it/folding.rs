//! Entries move to the old store, and readers do not notice.

use crate::harness::{Running, cachex, eventually, quoted};
use std::fs;

/// 300 KB of text that goes to a blob.
const LONG: &str = "seq 1 50000";

#[test]
fn what_was_folded_is_still_a_hit() {
    let cachex = cachex();
    let calls = [cachex.run("echo hi; echo err >&2; exit 3"), cachex.run(LONG)];
    let before: Vec<_> = calls.iter().map(|call| call.once().misses()).collect();
    cachex.folds();
    for (call, before) in calls.iter().zip(&before) {
        call.once().hits().same_as(before);
    }
    fs::remove_dir_all(cachex.store().join("v2/young")).unwrap();
    for (call, before) in calls.iter().zip(&before) {
        call.twice().hits().same_as(before);
    }
}

#[test]
fn many_misses_fold_by_themselves_and_lose_nothing() {
    let cachex = cachex();
    cachex.tool("number", "echo $1");
    let all = "seq 1 1200 | xargs -P 4 -I{} cachex run -- number {} | sort -n";
    let numbers: String = (1..=1200).flat_map(|n| [n.to_string(), "\n".to_owned()]).collect();
    cachex.shell(all).once().runs(1200).prints(&numbers).quietly();
    eventually("a fold", || cachex.store().join("v2/old").is_dir().then_some(()));
    cachex.shell(all).once().hits().prints(&numbers).quietly();
}

#[test]
fn readers_meet_folds_without_harm() {
    let cachex = cachex();
    let calls = [cachex.run("echo small"), cachex.run(LONG)];
    let first: Vec<_> = calls.iter().map(|call| call.once().misses()).collect();
    for round in 0..10 {
        // A fold needs something to fold.
        let passing = cachex.run(&format!("echo {round}"));
        passing.once().misses();
        let folds = passing.forget().spawn();
        for (call, first) in calls.iter().zip(&first) {
            call.simultaneously(3).hits().same_as(first);
        }
        folds.ends();
    }
}

#[test]
fn readers_meet_forget_and_clear_with_the_full_bytes_or_a_clean_miss() {
    let cachex = cachex();
    let calls = [cachex.run("echo small"), cachex.run(LONG)];
    let first: Vec<_> = calls.iter().map(|call| call.once().misses()).collect();
    for round in 0..10 {
        let removes = match round % 2 {
            0 => cachex.cli(["clear", "--yes"]).spawn(),
            _ => calls[round % 4 / 2].clone().forget().spawn(),
        };
        for (call, first) in calls.iter().zip(&first) {
            call.simultaneously(3).same_as(first);
        }
        removes.ends();
    }
    for (call, first) in calls.iter().zip(&first) {
        call.once().same_as(first);
        call.once().hits().same_as(first);
    }
}

#[test]
fn what_is_forgotten_while_it_is_promoted_stays_forgotten() {
    let cachex = cachex();
    let call = cachex.run(&format!("wc -c <{}", quoted(cachex.path("runs"))));
    for _ in 0..10 {
        let recorded = call.once().stdout();
        cachex.folds();
        let _ = fs::remove_dir_all(cachex.store().join("v2/young"));
        let readers: Vec<Running> = (0..3).map(|_| call.spawn()).collect();
        call.clone().forget().once().exits(0);
        for reader in readers {
            reader.ends().exits(0).quietly();
        }
        // Only what ran after it was forgotten may be served now.
        assert_ne!(call.once().stdout(), recorded);
    }
}

#[test]
fn a_hit_reads_what_is_old_without_the_filter_too() {
    let cachex = cachex();
    let call = cachex.run("echo hi");
    call.once().misses();
    cachex.folds();
    fs::remove_dir_all(cachex.store().join("v2/young")).unwrap();
    fs::remove_file(cachex.store().join("v2/old.keys")).unwrap();
    call.twice().hits().prints("hi\n");
}

#[test]
fn a_newer_run_is_not_undone_by_a_fold() {
    let cachex = cachex();
    let call = cachex.run(&format!("wc -c <{}", quoted(cachex.path("runs"))));
    call.once().prints("1\n");
    cachex.folds();
    call.clone().with("--force").once().prints("2\n");
    call.once().hits().prints("2\n");
    cachex.folds();
    call.once().hits().prints("2\n");
    fs::remove_dir_all(cachex.store().join("v2/young")).unwrap();
    call.once().hits().prints("2\n");
}

#[test]
fn a_store_that_is_deleted_underneath_harms_nobody() {
    let cachex = cachex();
    for round in 0..5 {
        let running: Vec<Running> =
            (0..10).map(|n| cachex.run(&format!("echo {round} {n}")).spawn()).collect();
        let _ = fs::remove_dir_all(cachex.store());
        for (n, running) in running.into_iter().enumerate() {
            running.ends().prints(format!("{round} {n}\n")).exits(0);
        }
    }
    cachex.run("echo hi").twice().runs_once().quietly();
}
