//! Many at once, without locks.

use crate::harness::{Running, cachex, quoted};

#[test]
fn without_a_lock_all_of_them_run() {
    let cachex = cachex();
    // Nobody ends before everybody has begun.
    let script = format!("{}; echo hi", cachex.gate("gate"));
    let callers: Vec<_> = (0..16).map(|_| cachex.run(&script).spawn()).collect();
    cachex.awaits_runs(16);
    cachex.opens("gate");
    for caller in callers {
        caller.ends().prints("hi\n").exits(0).quietly();
    }
    cachex.run(&script).once().hits().prints("hi\n");
}

#[test]
fn everyone_sees_what_their_own_run_printed() {
    let cachex = cachex();
    let script = format!("{}; echo $$ >&2; echo $PPID", cachex.gate("gate"));
    let callers: Vec<Running> = (0..8).map(|_| cachex.run(&script).spawn()).collect();
    cachex.awaits_runs(8);
    cachex.opens("gate");
    for caller in callers {
        let own = format!("{}\n", caller.pid().as_raw_nonzero());
        caller.ends().prints(own);
    }
}

#[test]
fn a_hundred_different_keys_at_once_are_all_recorded() {
    let cachex = cachex();
    let calls: Vec<_> = (0..100).map(|n| cachex.run(&format!("echo {n}"))).collect();
    for ran in [100, 0] {
        let before = cachex.runs();
        let running: Vec<Running> = calls.iter().map(crate::harness::Call::spawn).collect();
        for (number, running) in running.into_iter().enumerate() {
            running.ends().prints(format!("{number}\n")).exits(0).quietly();
        }
        assert_eq!(cachex.runs() - before, ran);
    }
}

#[test]
fn one_key_recorded_and_read_at_once_is_never_torn() {
    let cachex = cachex();
    // Each run prints 200 KB of one letter of its own, so that a mixture shows.
    let letter = format!(
        "c=$(wc -c <{} | tr 0-9 a-j | tr -dc a-j | tail -c 1); yes $c | tr -d '\\n' | head -c 200000",
        quoted(cachex.path("runs"))
    );
    let fresh = cachex.run(&letter).with("--force");
    let read = cachex.run(&letter);
    fresh.once().exits(0);
    for _ in 0..5 {
        let running: Vec<Running> =
            (0..8).map(|n| if n % 2 == 0 { fresh.spawn() } else { read.spawn() }).collect();
        for running in running {
            let printed = running.ends().exits(0).quietly().stdout();
            let first = printed.chars().next().unwrap();
            assert!(printed.len() == 200_000 && printed.chars().all(|c| c == first));
        }
    }
}
