//! `--no-concurrent`: of those who want the same, one works.

use crate::harness::{PROMPTLY, Running, Signal, cachex, quoted};
use std::time::Instant;

#[test]
fn of_64_callers_one_runs_and_all_are_served() {
    let cachex = cachex();
    let script = format!("{}; echo out; echo err >&2; exit 5", cachex.gate("gate"));
    let call = cachex.run(&script).with("--no-concurrent");
    let callers: Vec<Running> = (0..64).map(|_| call.spawn()).collect();
    cachex.awaits_runs(1);
    cachex.opens("gate");
    for caller in callers {
        caller.ends().prints("out\n").says("err\n").exits(5);
    }
    assert_eq!(cachex.runs(), 1);
}

#[test]
fn other_keys_do_not_wait() {
    let cachex = cachex();
    let slow = cachex.run(&cachex.gate("gate")).with("--no-concurrent").spawn();
    cachex.awaits_runs(1);
    cachex.run("echo hi").with("--no-concurrent").once().misses().promptly();
    cachex.opens("gate");
    slow.ends().exits(0);
}

#[test]
fn those_who_did_not_ask_for_it_do_not_wait() {
    let cachex = cachex();
    let first = quoted(cachex.path("first"));
    let script = format!("[ -e {first} ] || {{ echo >{first}; {}; }}", cachex.gate("gate"));
    let holder = cachex.run(&script).with("--no-concurrent").spawn();
    cachex.line_of("first");
    cachex.run(&script).once().misses().promptly();
    cachex.opens("gate");
    holder.ends().exits(0);
}

#[test]
fn a_waiter_goes_on_when_the_holder_is_killed() {
    let cachex = cachex();
    let script = format!(
        "[ -e {0} ] && echo second && exit; echo > {0}; sleep 600",
        quoted(cachex.path("began"))
    );
    let call = cachex.run(&script).with("--no-concurrent");
    let holder = call.spawn();
    cachex.line_of("began");
    let waiter = call.spawn();
    holder.signal(Signal::KILL);
    let killed = Instant::now();
    // The command that was left behind is still alive, and holds no lock.
    waiter.ends().prints("second\n").exits(0);
    assert!(killed.elapsed() < PROMPTLY);
    holder.ends().dies_of(Signal::KILL);
}

#[test]
fn never_do_two_run_at_once_whatever_becomes_of_it() {
    let cachex = cachex();
    let room = quoted(cachex.path("room"));
    // Two in the room at once would be seen.
    let enter = format!("mkdir {room} || exit 99; sleep 0.02; rmdir {room}");
    for ending in ["exit 7", "kill -TERM $$"] {
        let call =
            cachex.run(&format!("{enter}; {ending}")).exit_codes("0").with("--no-concurrent");
        for call in [call.clone(), call.with("--force")] {
            let outcome = call.simultaneously(6).quietly();
            let _ = match ending {
                "exit 7" => outcome.exits(7),
                _ => outcome.dies_of(Signal::TERM),
            };
        }
    }
}

#[test]
fn a_waiter_whom_the_result_is_too_old_for_runs() {
    let cachex = cachex();
    let script = format!("{}; echo hi", cachex.gate("gate"));
    let call = cachex.run(&script).with("--no-concurrent");
    // It tells nobody where it can be followed: the store is there, so the first
    // writes are to sign the lock, and the third would be the names.
    cachex.exec(["true"]).once();
    let holder = call.clone().fault("write:3=28").spawn();
    cachex.awaits_runs(1);
    let picky = call.clone().expires_in("10m").after("1h").spawn();
    picky.waits_for_a_lock();
    cachex.opens("gate");
    holder.ends().prints("hi\n");
    picky.ends().prints("hi\n").exits(0);
    assert_eq!(cachex.runs(), 2);
}

#[test]
fn a_waiter_can_be_interrupted() {
    let cachex = cachex();
    let call = cachex.run(&cachex.gate("gate")).with("--no-concurrent");
    let holder = call.spawn();
    cachex.awaits_runs(1);
    for signal in [Signal::INT, Signal::TERM] {
        let waiter = call.spawn();
        waiter.waits_for_a_lock().signal(signal);
        waiter.ends().dies_of(signal).promptly();
    }
    cachex.opens("gate");
    holder.ends().exits(0);
    assert_eq!(cachex.runs(), 1);
}

/// The script of a command that calls itself through `cachex` the first time.
fn nesting(outer: &str) -> String {
    format!("if mkdir ../nested 2>/dev/null; then {outer}; else echo inner; fi")
}

#[test]
fn a_command_that_calls_itself_does_not_wait_for_itself() {
    let cachex = cachex();
    cachex.tool("self", &nesting("cachex run --no-concurrent -- self; echo outer"));
    let call = cachex.exec(["self"]).with("--no-concurrent");
    call.once().runs_twice().prints("inner\nouter\n").exits(0).quietly().promptly();
    call.once().hits().prints("inner\nouter\n");
}

#[test]
fn nor_does_one_that_is_called_through_others() {
    let cachex = cachex();
    let inner = "bash -c 'cachex run --no-concurrent -- self | cat; echo outer'";
    cachex.tool("self", &nesting(inner));
    let call = cachex.exec(["self"]).with("--no-concurrent");
    call.once().runs_twice().prints("inner\nouter\n").exits(0).quietly().promptly();
}

#[test]
fn a_pipeline_of_two_on_one_key_ends() {
    let cachex = cachex();
    cachex.tool("letters", "echo abc");
    let script = "cachex run --no-concurrent --stdin null -- letters | \
                  { cat; cachex run --no-concurrent --stdin null -- letters; }";
    cachex.shell(script).once().runs_once().prints("abc\nabc\n").quietly().promptly();
}
