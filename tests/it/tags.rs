//! `--tag` on a call that is served.

use crate::harness::{Cachex, cachex};
use std::fs::File;

/// The results with this tag.
fn tagged(cachex: &Cachex, tag: &str) -> usize {
    cachex.cli(["list", "--json", "--tag", tag]).once().exits(0).stdout().matches("\"key\"").count()
}

#[test]
fn what_is_served_gets_the_tags_that_it_lacks() {
    let cachex = cachex();
    let call = cachex.run("echo hi").expires_in("10m");
    call.clone().with("--tag first").once().misses();
    call.clone().with("--tag second --tag third").after("1m").once().hits().prints("hi\n");
    for tag in ["first", "second", "third"] {
        assert_eq!(tagged(&cachex, tag), 1, "{tag}");
    }
    // It is as old as it was.
    call.clone().after("9m").once().hits().quietly();
    call.after("10m").once().misses();
}

#[test]
fn a_result_that_was_folded_away_is_tagged_too() {
    let cachex = cachex();
    let call = cachex.run("seq 1 2000");
    call.once().misses();
    cachex.folds_away();
    call.clone().with("--tag late").once().hits();
    cachex.awaits_quiet();
    assert_eq!(tagged(&cachex, "late"), 1);
    cachex.folds_away();
    assert_eq!(tagged(&cachex, "late"), 1);
    cachex.cli(["forget", "--tag", "late"]).once().exits(0);
    call.once().misses();
}

#[test]
fn where_somebody_works_on_the_store_it_is_tagged_afterwards() {
    let cachex = cachex();
    let call = cachex.run("echo hi");
    call.once().misses();
    cachex.folds();
    let fold = File::open(cachex.in_store("v2/locks/fold")).unwrap();
    fold.lock().unwrap();
    call.clone().with("--tag late").once().hits().quietly().promptly();
    cachex.awaits_a_waiter();
    fold.unlock().unwrap();
    cachex.awaits_quiet();
    assert_eq!(tagged(&cachex, "late"), 1);
}

#[test]
fn nothing_is_written_where_there_is_nothing_to_add() {
    let cachex = cachex();
    let call = cachex.run("echo hi").with("--tag one");
    call.once().misses();
    let young = |cachex: &Cachex| {
        let files = cachex.stored_in("v2/young");
        std::fs::metadata(cachex.in_store(&files[0])).unwrap().modified().unwrap()
    };
    let before = young(&cachex);
    call.once().hits();
    call.clone().with("--read-only --tag two").once().hits();
    assert_eq!(young(&cachex), before);
    assert_eq!((tagged(&cachex, "one"), tagged(&cachex, "two")), (1, 0));
}

#[test]
fn one_tag_too_many_is_told() {
    let cachex = cachex();
    let call = cachex.run("echo hi");
    let with = |range: std::ops::Range<u32>| {
        range.fold(call.clone(), |call, n| call.option("--tag", format!("t{n}")))
    };
    with(0..16).once().misses();
    with(16..17).once().hits().prints("hi\n").warns_once(&["16 tags"]).exits(0);
    assert_eq!((tagged(&cachex, "t0"), tagged(&cachex, "t16")), (1, 0));
}
