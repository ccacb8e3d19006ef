//! Ctrl-C, or the death of whoever waits for it, in the midst of what manages
//! the store: nothing that is good is lost, and nobody goes on or holds a lock.

use crate::harness::{Cachex, Call, Outcome, PROMPTLY, Signal, cachex, flip};
#[cfg(target_os = "linux")]
use crate::harness::{Running, eventually};
use std::fs;
use std::time::Instant;

/// 300 KB that go to a blob.
const LONG: &str = "seq 1 50000";
/// So many places at which they are interrupted lie between two that are tried;
/// SIGKILL is tried at each, see `killed.rs`.
const STEP: usize = 3;

/// Results that nothing may take away, and some that are old.
fn stored(cachex: &Cachex) -> Vec<(Call, Outcome)> {
    let calls = ["echo hi", LONG, "echo bad >&2; exit 3"];
    let calls = calls.map(|script| cachex.run(script).failure_expires_in("1d"));
    let calls = calls.map(|call| (call.clone(), call.once().misses()));
    for n in 0..4 {
        cachex.run(&format!("echo {n}; seq 1 2000")).before("2h").once().misses();
    }
    cachex.fold().once().exits(0);
    for n in 4..8 {
        cachex.run(&format!("echo {n}; seq 1 2000")).before("2h").once().misses();
    }
    calls.into_iter().collect()
}

#[track_caller]
fn all_there(calls: &[(Call, Outcome)]) {
    for (call, good) in calls {
        call.once().hits().same_as(good);
    }
}

/// Has `victim` interrupted at one change after the other, by `fault`, until it
/// survives; how often that was.
#[track_caller]
fn interrupted(
    cachex: &Cachex,
    victim: &Call,
    (fault, signal): (&str, Signal),
    check: impl Fn(),
) -> usize {
    cachex.keeps_store("kept");
    for n in (1..).step_by(STEP) {
        cachex.restores_store("kept");
        let running = victim.clone().fault(format!("change:{n}={fault}")).spawn();
        // Those that work for it end with it, and before the test would end them.
        cachex.awaits_quiet();
        let outcome = running.ends();
        if outcome.exited_with(0) {
            return n / STEP;
        }
        outcome.dies_of(signal);
        check();
        cachex.cli(["doctor", "--repair"]).once().exits(0).promptly();
        cachex.cli(["doctor"]).once().exits(0).shows(&["no problems"]);
        check();
    }
    unreachable!()
}

const CTRL_C: (&str, Signal) = ("interrupt", Signal::INT);
const ORPHANED: (&str, Signal) = ("orphan", Signal::TERM);

#[test]
fn a_prune_that_is_interrupted_loses_nothing_that_is_to_stay() {
    for how in [CTRL_C, ORPHANED] {
        let cachex = cachex();
        let calls = stored(&cachex);
        let prune = cachex.cli(["prune", "--max-age", "1h"]);
        assert!(interrupted(&cachex, &prune, how, || all_there(&calls)) > 5);
        prune.once().exits(0);
        all_there(&calls);
        assert_eq!(cachex.cli(["list"]).once().stdout().lines().count(), 4);
    }
}

#[test]
fn a_fold_that_is_interrupted_loses_nothing() {
    for how in [CTRL_C, ORPHANED] {
        let cachex = cachex();
        let calls = stored(&cachex);
        let list = cachex.cli(["list"]);
        assert!(interrupted(&cachex, &list, how, || all_there(&calls)) > 5);
        assert_eq!(list.once().exits(0).stdout().lines().count(), 12);
        all_there(&calls);
    }
}

#[test]
fn a_repair_that_is_interrupted_loses_nothing() {
    for how in [CTRL_C, ORPHANED] {
        let cachex = cachex();
        let calls = stored(&cachex);
        // What there is to mend.
        let damaged = cachex.run("echo damaged");
        let known = cachex.stored_in("v2/young");
        damaged.once().misses();
        let file = cachex.stored_in("v2/young").into_iter().find(|file| !known.contains(file));
        flip(&cachex.in_store(file.unwrap()), 60);
        fs::remove_file(cachex.in_store("v2/old.keys")).unwrap();
        cachex.write("store/v2/trash-1/blob", "left by the dead");
        let repair = cachex.cli(["doctor", "--repair"]);
        assert!(interrupted(&cachex, &repair, how, || all_there(&calls)) > 5);
        all_there(&calls);
        damaged.once().misses();
    }
}

#[test]
fn a_clear_that_is_interrupted_leaves_a_store_that_works() {
    let cachex = cachex();
    let calls = stored(&cachex);
    let clear = cachex.cli(["clear", "--yes"]);
    let check = || {
        for (call, good) in &calls {
            call.once().same_as(good);
            call.once().hits().same_as(good);
        }
    };
    assert!(interrupted(&cachex, &clear, CTRL_C, check) > 1);
    clear.once().exits(0);
    assert_eq!(cachex.stored_in("v2/young").len() + cachex.stored_in("v2/blobs").len(), 0);
}

#[test]
fn a_helper_ends_with_whoever_started_it() {
    let cachex = cachex();
    let calls = stored(&cachex);
    for signal in [Signal::TERM, Signal::INT, Signal::KILL] {
        for verb in [&["list"][..], &["prune"], &["doctor", "--repair"], &["forget", "--failed"]] {
            // In there it writes nothing that nobody reads: it would hang until its
            // watchdog gives the database up.
            let running = cachex.cli(verb.iter().copied()).fault("sled:1=hang").spawn();
            cachex.awaits_holder("old");
            running.signal(signal);
            let orphaned = Instant::now();
            cachex.awaits_quiet();
            assert!(orphaned.elapsed() < PROMPTLY);
            running.ends().dies_of(signal);
            assert_eq!(cachex.names_in_store("old.broken-"), [""; 0]);
        }
    }
    cachex.cli(["list"]).once().exits(0).promptly().quietly();
    all_there(&calls);
}

/// Sends a signal until it has ended.
#[cfg(target_os = "linux")]
fn ends_by(running: &Running, signal: Signal) {
    let stat = format!("/proc/{}/stat", running.pid().as_raw_nonzero());
    eventually("the end of cachex", || {
        running.signal(signal);
        fs::read_to_string(&stat).unwrap().contains(") Z ").then_some(())
    });
}

#[cfg(target_os = "linux")]
#[test]
fn a_request_that_comes_while_the_result_is_recorded_is_for_nobody() {
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        let cachex = cachex();
        let call = cachex.run("echo done; echo $$ >../ended; exit 7").failure_expires_in("1d");
        let running = call.clone().fault("rename=hang").spawn();
        let command = std::path::Path::new("/proc").join(cachex.line_of("ended"));
        eventually("the end of the command", || (!command.exists()).then_some(()));
        // One that comes before the recording begins is dropped.
        ends_by(&running, signal);
        running.ends().exits(7);
        call.once().exits(7).prints("done\n");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_second_request_changes_nothing_about_how_the_first_was_met() {
    for options in ["", "--timeout 1h", "--no-concurrent", "--auto"] {
        let cachex = cachex();
        let left = format!("({}) & echo ready; wait", cachex.gate("gate"));
        let script = format!("trap 'trap \"\" TERM; echo bye; exit 7' TERM; {left}");
        let running = cachex.run(&script).with(options).spawn();
        running.shows("ready\n").signal(Signal::TERM);
        running.shows("bye\n");
        // What is left behind holds the output for a while.
        ends_by(&running, Signal::TERM);
        cachex.opens("gate");
        running.ends().exits(7);
    }
}
