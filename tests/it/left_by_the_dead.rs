//! What a recording that was killed was writing is nobody's: whoever wants room takes it, and at
//! once. What somebody still writes is left alone.

use crate::harness::{Cachex, Call, Running, cachex, eventually, unshares};
use rustix::process::Signal;
use std::fs;
use std::path::PathBuf;

/// Prints so many random bytes, as one key, and then waits at a gate.
fn random(cachex: &Cachex, n: usize, len: u64) -> Call {
    let script = format!("head -c {len} /dev/urandom; {}", cachex.gate(&format!("gate{n}")));
    // No fold in the background takes part.
    cachex.run(&script).option("--max-size", "10MB").fault("start=11").output_counted()
}

/// How long the file is that is written and was not there before.
fn written(cachex: &Cachex, before: &[PathBuf]) -> u64 {
    let files = cachex.stored_in("v2/tmp").into_iter().filter(|path| !before.contains(path));
    files.filter_map(|path| fs::metadata(cachex.in_store(path)).ok()).map(|it| it.len()).sum()
}

/// Starts a recording, and waits until all of its output is in the store, without a name.
fn begins(cachex: &Cachex, call: &Call, len: u64) -> Running {
    let before = cachex.stored_in("v2/tmp");
    let running = call.spawn();
    eventually("all of its output in the store", || {
        (written(cachex, &before) == len).then_some(())
    });
    running
}

/// A recording that is killed once so many bytes of it are in the store.
fn is_killed(cachex: &Cachex, n: usize, len: u64) {
    let running = begins(cachex, &random(cachex, n, len), len);
    running.signal(Signal::KILL);
    running.ends_first().dies_of(Signal::KILL);
    cachex.opens(&format!("gate{n}"));
}

fn is_recorded(cachex: &Cachex, n: usize, len: u64) -> Call {
    cachex.opens(&format!("gate{n}"));
    let call = random(cachex, n, len);
    call.once().exits(0).quietly();
    call.once().hits().quietly();
    call
}

#[test]
fn what_killed_recordings_leave_takes_no_result_away_and_no_room() {
    let cachex = cachex();
    let kept: Vec<Call> = (0..2).map(|n| is_recorded(&cachex, n, 2_500_000)).collect();
    for n in 0..4 {
        is_killed(&cachex, 10 + n, 3_000_000);
    }
    is_recorded(&cachex, 20, 3_000_000);
    for call in &kept {
        call.once().hits();
    }
    assert!(cachex.stored_in("v2/tmp").is_empty());
}

#[test]
fn whoever_tidies_up_takes_what_killed_recordings_leave_at_once() {
    for args in [
        &["clear", "--yes"][..],
        &["prune"],
        &["prune", "--max-size", "50MB"],
        &["forget", "--tag", "none"],
        &["doctor", "--repair"],
    ] {
        let cachex = cachex();
        is_killed(&cachex, 0, 5_000_000);
        let told = cachex.cli(["doctor"]).once().exits(0).stdout();
        assert!(told.contains("a process that died left it behind"), "{told}");
        cachex.cli(args).once().exits(0);
        assert!(cachex.stored_in("v2/tmp").is_empty(), "after {args:?}: {:?}", cachex.stored());
        assert!(cachex.disk_use() < 4_000_000, "after {args:?}");
    }
}

/// Nobody takes what a recording has written so far, which is started by this.
fn goes_on(launcher: &str) {
    let cachex = cachex();
    is_recorded(&cachex, 0, 2_500_000);
    is_killed(&cachex, 1, 1_000_000);
    let call = random(&cachex, 2, 3_000_000);
    let running = begins(&cachex, &call.clone().launched_by(launcher), 3_000_000);
    // Too much for what is there already: the first one goes, and the dead one before.
    is_recorded(&cachex, 3, 5_000_000);
    cachex.fold().after("2h").once().exits(0);
    for args in [
        &["prune", "--max-size", "1MB"][..],
        &["forget", "--tag", "none"],
        &["doctor", "--repair"],
        &["clear", "--yes"],
    ] {
        cachex.cli(args).once().exits(0);
        assert_eq!(written(&cachex, &[]), 3_000_000, "after {args:?}");
    }
    let told = cachex.cli(["doctor"]).once().exits(0).stdout();
    assert!(told.contains("it is being written"), "{told}");
    cachex.opens("gate2");
    running.ends().exits(0).quietly();
    call.once().hits();
}

#[test]
fn what_is_still_being_recorded_is_nobody_elses() {
    goes_on(r#"exec "$@""#);
}

#[test]
fn what_is_being_recorded_in_another_process_namespace_is_nobody_elses() {
    if unshares("--fork --pid --mount-proc") {
        goes_on(r#"exec unshare --fork --pid --mount-proc --kill-child "$@""#);
    }
}

#[test]
fn more_output_files_than_may_be_open_are_recorded_and_leave_nothing() {
    let cachex = cachex();
    let script = "for n in $(seq 300); do echo $n >out/$n; done";
    let call = cachex.run(&format!("mkdir -p out; {script}")).option("--output", "out/");
    let call = call.launched_by(r#"ulimit -n 64; exec "$@""#);
    call.once().exits(0).quietly();
    fs::remove_dir_all(cachex.work().join("out")).unwrap();
    call.once().hits();
    assert_eq!(fs::read_to_string(cachex.work().join("out/137")).unwrap(), "137\n");
    assert!(cachex.stored_in("v2/tmp").is_empty());
}
