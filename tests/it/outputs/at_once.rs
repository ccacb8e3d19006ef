//! Calls that make the same files at the same time: none is recorded as the other's.

use super::{making, read};
use crate::harness::{Cachex, Call, Running, cachex};

const WHY: &str = "another call made some of the outputs meanwhile";

/// A call that makes the first half of `out`, and the rest when the gate is open.
fn slow(cachex: &Cachex, output: &str) -> (Call, Running) {
    let script = format!("echo half >out; {}; echo whole >>out", cachex.gate("gate"));
    let call = making(cachex, &script, &format!("--output {output}"));
    let running = call.spawn();
    cachex.awaits_runs(1);
    (call, running)
}

#[test]
fn of_two_that_make_one_file_neither_is_recorded() {
    for (output, other) in [("out", "out"), ("out", "o*")] {
        let cachex = cachex();
        let (call, running) = slow(&cachex, output);
        let quick = making(&cachex, "echo quick >>out", &format!("--output {other}"));
        quick.once().misses().exits(0).warns_once(&[WHY]);
        cachex.opens("gate");
        running.ends().exits(0).warns_once(&[WHY]);
        // Alone, each is.
        quick.twice().runs_once();
        call.twice().runs_once();
        assert_eq!(read(&cachex, "out"), "half\nwhole\n");
    }
}

#[test]
fn a_hit_that_puts_a_file_back_spoils_the_record_of_who_makes_it() {
    let cachex = cachex();
    let quick = making(&cachex, "echo quick >out", "--output out");
    quick.once().misses();
    std::fs::remove_file(cachex.path("runs")).unwrap();
    let (call, running) = slow(&cachex, "out");
    quick.once().hits();
    cachex.opens("gate");
    running.ends().exits(0).warns_once(&[WHY]);
    call.twice().runs_once();
    assert_eq!(read(&cachex, "out"), "half\nwhole\n");
}

#[test]
fn those_that_make_others_are_recorded_and_so_is_one_who_comes_after_a_killed_one() {
    let cachex = cachex();
    let (call, running) = slow(&cachex, "out");
    let quick = making(&cachex, "echo quick >other", "--output other");
    quick.twice().runs_once().quietly();
    running.signal(rustix::process::Signal::KILL);
    let _ = running.ends();
    cachex.opens("gate");
    call.twice().runs_once();
}
