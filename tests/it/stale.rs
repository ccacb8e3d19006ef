//! `--stale-if-error`: the last good result, when there is no new one.

use crate::harness::{Cachex, Call, cachex, quoted};

/// Does what the file `mood` says, and expires after ten minutes.
fn moody(cachex: &Cachex) -> Call {
    cachex.write("mood", "echo fine");
    let script = format!(". {}", quoted(cachex.path("mood")));
    cachex.run(&script).expires_in("10m").option("--stale-if-error", "1h")
}

#[test]
fn a_failing_run_is_answered_with_the_last_good_result() {
    let cachex = cachex();
    let call = moody(&cachex);
    call.once().misses().prints("fine\n");
    for failing in ["echo broken; echo broken >&2; exit 1", "kill -KILL $$", "kill -TERM $$"] {
        cachex.write("mood", failing);
        let later = call.clone().after("10m");
        later.once().prints("fine\n").exits(0).quietly();
        // Forget that it failed lately.
        cachex.folds();
    }
    assert_eq!(cachex.runs(), 4);
}

#[test]
fn a_run_that_takes_too_long_is_answered_so_too() {
    let cachex = cachex();
    let call = moody(&cachex).option("--timeout", "200ms");
    call.once().misses().prints("fine\n");
    cachex.write("mood", "echo partly; sleep 600");
    call.clone().after("10m").once().misses().prints("fine\n").exits(0).promptly();
}

#[test]
fn a_run_that_works_is_shown_in_the_order_it_printed() {
    let cachex = cachex();
    let call = moody(&cachex).merged();
    call.once().misses();
    cachex.write("mood", "echo 1; sleep 0.05; echo 2 >&2; sleep 0.05; echo 3; seq 100000");
    let expected: String = ["1\n2\n3\n".to_owned()]
        .into_iter()
        .chain((1..=100_000).map(|n| format!("{n}\n")))
        .collect();
    let later = call.clone().after("10m");
    later.once().misses().prints(&expected).exits(0);
    later.once().hits().prints(&expected).exits(0);
}

#[test]
fn verbose_tells_of_it() {
    let cachex = cachex();
    let call = moody(&cachex).with("--verbose");
    call.once().misses();
    cachex.write("mood", "exit 3");
    call.clone().after("11m").once().misses().mentions(&["failed (status 3)", "stale ", "age 11m"]);
}

#[test]
fn what_failed_is_not_tried_again_at_once() {
    let cachex = cachex();
    let call = moody(&cachex);
    call.once().misses();
    cachex.write("mood", "exit 1");
    call.clone().after("10m").once().misses().prints("fine\n");
    call.clone().after("10m 50s").times(3).hits().prints("fine\n").exits(0);
    call.clone().after("11m 10s").once().misses().prints("fine\n");
    cachex.write("mood", "echo new");
    call.clone().after("13m").once().misses().prints("new\n");
    call.clone().after("14m").once().hits().prints("new\n");
}

#[test]
fn a_failure_from_before_the_last_good_result_keeps_nothing_from_being_tried() {
    let cachex = cachex();
    let call = moody(&cachex).failure_expires_in("1h");
    call.once().misses();
    cachex.write("mood", "exit 1");
    call.clone().after("10m").once().misses().prints("fine\n");
    cachex.write("mood", "echo better");
    call.clone().after("15m").with("--force").once().misses().prints("better\n");
    cachex.write("mood", "echo best");
    call.clone().after("26m").once().misses().prints("best\n");
}

#[test]
fn past_its_time_the_failure_is_shown() {
    let cachex = cachex();
    let call = moody(&cachex);
    call.once().misses();
    cachex.write("mood", "echo broken; exit 3");
    call.clone().after("1h 9m").once().misses().prints("fine\n").exits(0);
    call.clone().after("1h 10m").once().misses().prints("broken\n").exits(3);
}

#[test]
fn a_failure_is_no_good_result() {
    let cachex = cachex();
    let call = moody(&cachex);
    cachex.write("mood", "echo first; exit 1");
    call.once().misses().exits(1);
    cachex.write("mood", "echo second; exit 1");
    call.clone().after("10m").once().misses().prints("second\n").exits(1);
}

#[test]
fn a_status_that_was_listed_is_good() {
    let cachex = cachex();
    let call = moody(&cachex).exit_codes("0,1");
    cachex.write("mood", "echo none; exit 1");
    call.once().misses().exits(1);
    cachex.write("mood", "exit 2");
    call.clone().after("10m").once().misses().prints("none\n").exits(1);
    cachex.folds();
    cachex.write("mood", "echo still none; exit 1");
    call.clone().after("10m").once().misses().prints("still none\n").exits(1);
}

#[test]
fn forced_or_not_the_last_good_result_stands_in() {
    let cachex = cachex();
    let call = moody(&cachex);
    call.once().misses();
    cachex.write("mood", "exit 1");
    call.clone().with("--force").twice().misses().prints("fine\n").exits(0);
    call.once().hits().prints("fine\n");
}

#[test]
fn forced_it_serves_no_failure_that_is_recorded() {
    let cachex = cachex();
    let call = moody(&cachex).failure_expires_in("1h");
    cachex.write("mood", "echo first; exit 1");
    call.once().misses().exits(1);
    cachex.write("mood", "echo second");
    call.clone().with("--force").once().misses().prints("second\n").exits(0);
}

#[test]
fn a_fold_keeps_it_for_as_long() {
    let cachex = cachex();
    let call = moody(&cachex);
    call.once().misses();
    cachex.write("mood", "exit 1");
    let folds_after = |time: &str| cachex.fold().after(time).once().exits(0);
    folds_after("1h 9m");
    call.clone().after("1h 9m").once().misses().prints("fine\n").exits(0);
    folds_after("1h 10m");
    assert!(cachex.stored_in("v2/young").is_empty());
    call.clone().before("1s").once().misses().exits(1);
}

#[test]
fn without_it_an_expired_result_is_gone() {
    let cachex = cachex();
    let call = moody(&cachex);
    call.once().misses();
    cachex.write("mood", "exit 1");
    let plain = cachex.run(&format!(". {}", quoted(cachex.path("mood")))).expires_in("10m");
    plain.clone().after("10m").once().misses().prints("").exits(1);
}
