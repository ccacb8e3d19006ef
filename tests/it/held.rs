//! Output that is held back until it is known whether it is to be shown: that
//! of a run for which an old result could stand in.

use crate::harness::{Cachex, Call, Signal, cachex, quoted};
use std::io::Read;

const MIB: u64 = 1 << 20;

/// Has expired, and now does what this script says; a good result is there still.
fn with_an_old_result(cachex: &Cachex, script: &str) -> Call {
    let mood = cachex.write("mood", "echo old");
    let call = cachex.run(&format!(". {}", quoted(mood))).with("--stale-if-error 1h");
    let call = call.expires_in("10m");
    call.once().misses().prints("old\n");
    cachex.write("mood", script);
    call.after("11m")
}

/// Two streams, more than is kept in memory, in an order.
const LONG: &str = "n=0; while [ $n -lt 8 ]; do n=$((n+1)); seq 1 40000; seq 1 20000 >&2; done";

#[test]
fn a_long_one_is_shown_as_it_was_printed() {
    let cachex = cachex();
    let call = with_an_old_result(&cachex, LONG);
    let bare = call.clone().bare().once();
    let shown = call.once().misses().same_as(&bare);
    call.once().hits().same_as(&shown);
}

#[test]
fn a_long_failure_is_not_shown_at_all() {
    let cachex = cachex();
    let call = with_an_old_result(&cachex, &format!("{LONG}; exit 1"));
    call.once().misses().prints("old\n").exits(0).quietly();
}

#[test]
fn it_takes_no_memory_to_speak_of() {
    let cachex = cachex();
    let call = with_an_old_result(&cachex, "head -c 300M /dev/zero").output_counted();
    call.measured().once().misses().prints_bytes(300 * MIB).in_less_memory_than(64 * MIB);
}

#[test]
fn what_there_is_no_room_for_is_shown_at_once() {
    let cachex = cachex();
    for (ending, status) in [("true", 0), ("exit 7", 7)] {
        let script = format!("{LONG}; {}; {LONG}; {ending}", cachex.gate("gate"));
        let call = with_an_old_result(&cachex, &script);
        std::fs::remove_dir(cachex.path("tmp")).unwrap();
        let running = call.spawn();
        running.shows("\n40000\n").warns("\n20000\n");
        cachex.opens("gate");
        let shown = running.ends().exits(status);
        let bare = call.clone().bare().once();
        assert!(shown.stdout() == bare.stdout() && shown.stderr() == bare.stderr(), "{ending}");
        std::fs::create_dir(cachex.path("tmp")).unwrap();
        std::fs::remove_file(cachex.path("gate")).unwrap();
        cachex.cli(["clear", "--yes"]).once().exits(0);
    }
}

#[test]
fn a_reader_may_take_what_there_is_no_room_for_at_any_moment() {
    let cachex = cachex();
    let script = format!("{LONG}; {}", cachex.gate("gate"));
    // Slow after each part that did not go out at once: the reader is faster.
    let call = with_an_old_result(&cachex, &script).fault("backlog=slow");
    std::fs::remove_dir(cachex.path("tmp")).unwrap();
    let running = call.spawn();
    running.shows("\n40000\n").warns("\n20000\n");
    cachex.opens("gate");
    running.ends().exits(0);
}

#[test]
fn what_there_is_no_room_for_can_be_interrupted() {
    let cachex = cachex();
    let call = with_an_old_result(&cachex, "exec seq 1 1000000");
    std::fs::remove_dir(cachex.path("tmp")).unwrap();
    let (running, _unread) = call.spawn_unread();
    running.signal(Signal::INT);
    running.ends().dies_of(Signal::INT).promptly();
}

#[test]
fn a_reader_that_left_spoils_nothing() {
    let cachex = cachex();
    let call = with_an_old_result(&cachex, LONG);
    let bare = call.clone().bare().once();
    let (mut reader, writer) = std::io::pipe().unwrap();
    let running = call.spawn_into(writer);
    reader.read_exact(&mut [0; 4]).unwrap();
    drop(reader);
    let said = running.ends().exits(0).stderr();
    assert_eq!(said, bare.stderr());
    call.once().hits().same_as(&bare);
}

#[test]
fn it_can_be_interrupted_while_it_is_shown() {
    let cachex = cachex();
    let call = with_an_old_result(&cachex, LONG);
    let (running, _unread) = call.spawn_unread();
    running.signal(Signal::INT);
    running.ends().dies_of(Signal::INT).promptly();
}
