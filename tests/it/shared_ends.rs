//! `--no-concurrent`: what is not recorded is shared all the same by those who waited.

use crate::harness::{Cachex, Call, Running, Signal, cachex, quoted};

/// A command that prints so much, then waits at the gate, and then does the rest.
fn command(cachex: &Cachex, first: &str, rest: &str) -> Call {
    let script = format!("{first} {}; {rest}", cachex.gate("gate"));
    cachex.run(&script).with("--no-concurrent")
}

/// The first runs it, and so many others wait for that.
#[track_caller]
fn waiting(cachex: &Cachex, call: &Call, count: usize) -> Vec<Running> {
    let holder = call.spawn();
    cachex.awaits_runs(1);
    let mut all = vec![holder];
    for _ in 0..count {
        let waiter = call.spawn();
        waiter.waits_for_a_lock();
        all.push(waiter);
    }
    all
}

/// A command that was good once, and that waits at the gate now and fails by this. The first
/// who calls it has shown the beginning; the second waits, and has a good result to fall
/// back on.
pub fn failure_after_a_good_result(cachex: &Cachex, failure: &str) -> (Call, [Running; 2]) {
    let good = quoted(cachex.path("good"));
    let gate = cachex.gate("gate");
    let script = format!("mkdir {good} && echo good && exit; echo bad; {gate}; {failure}");
    let call = cachex.run(&script).with("--no-concurrent").expires_in("1m");
    call.once().prints("good\n").exits(0);
    let call = call.after("2m");
    let holder = call.spawn();
    holder.shows("bad\n");
    let careful = call.clone().option("--stale-if-error", "1h").spawn();
    careful.waits_for_a_lock();
    (call, [holder, careful])
}

#[test]
fn the_end_of_a_silent_run_is_that_of_all_who_waited() {
    for (rest, signal) in [
        ("exit 7", None),
        ("kill -TERM $$", Some(Signal::TERM)),
        ("kill -9 $$", Some(Signal::KILL)),
    ] {
        let cachex = cachex();
        let call = command(&cachex, "", rest).exit_codes("0");
        let all = waiting(&cachex, &call, 5);
        cachex.opens("gate");
        for caller in all {
            let outcome = caller.ends().prints("").quietly();
            let _ = match signal {
                Some(signal) => outcome.dies_of(signal),
                None => outcome.exits(7),
            };
        }
        assert_eq!(cachex.runs(), 1, "{rest}");
        // Who comes later did not wait for it.
        let _ = call.once().misses();
    }
}

#[test]
fn so_is_the_end_of_one_that_printed_and_died_of_a_signal() {
    let cachex = cachex();
    let call = command(&cachex, "echo one;", "echo two; kill -TERM $$");
    let all = waiting(&cachex, &call, 3);
    for caller in &all {
        caller.shows("one\n");
    }
    cachex.opens("gate");
    for caller in all {
        caller.ends().prints("one\ntwo\n").quietly().dies_of(Signal::TERM);
    }
    assert_eq!(cachex.runs(), 1);
}

#[test]
fn who_allows_no_more_time_shares_a_timeout() {
    for first in ["", "echo one;"] {
        let cachex = cachex();
        let call = command(&cachex, first, "exit").option("--timeout", "4s");
        let all = waiting(&cachex, &call, 3);
        for caller in all {
            let _ = caller.ends().exits(124);
        }
        assert_eq!(cachex.runs(), 1, "{first:?}");
    }
}

#[test]
fn who_allows_more_time_runs_it_again() {
    for first in ["", "echo one;"] {
        let cachex = cachex();
        let call = command(&cachex, first, "echo done");
        let holder = call.clone().option("--timeout", "3s").spawn();
        cachex.awaits_runs(1);
        let patient = [call.clone().option("--timeout", "1h"), call.clone()].map(|it| it.spawn());
        for waiter in &patient {
            waiter.waits_for_a_lock();
        }
        let _ = holder.ends().exits(124);
        cachex.awaits_runs(2);
        cachex.opens("gate");
        let expected = if first.is_empty() { "done\n" } else { "one\ndone\n" };
        for waiter in patient {
            waiter.ends().prints(expected).quietly().exits(0);
        }
        assert_eq!(cachex.runs(), 2, "{first:?}");
    }
}

#[test]
fn who_was_interrupted_or_killed_leaves_it_to_the_next() {
    for signal in [Signal::INT, Signal::TERM, Signal::KILL] {
        let cachex = cachex();
        let call = command(&cachex, "", "exit 7").exit_codes("0");
        let mut all = waiting(&cachex, &call, 3);
        let holder = all.remove(0);
        holder.signal(signal);
        cachex.awaits_runs(2);
        let _ = holder.ends().dies_of(signal);
        cachex.opens("gate");
        for caller in all {
            caller.ends().quietly().exits(7);
        }
        assert_eq!(cachex.runs(), 2, "{signal:?}");
    }
}

#[test]
fn who_makes_files_waits_for_a_record_and_shares_a_failure_without_one() {
    let cachex = cachex();
    let call = command(&cachex, "echo one; echo two >&2; echo made >out;", "exit 3");
    let call = call.exit_codes("0").option("--output", "out");
    let all = waiting(&cachex, &call, 2);
    all[0].shows("one\n");
    assert!(all[1..].iter().all(|waiter| waiter.printed().is_empty()));
    cachex.opens("gate");
    for caller in all {
        caller.ends().prints("one\n").says("two\n").exits(3);
    }
    assert_eq!(cachex.runs(), 1);
}

#[test]
fn for_who_waited_a_good_result_stands_in_for_a_failure_that_is_not_recorded() {
    let cachex = cachex();
    let (_, [holder, careful]) = failure_after_a_good_result(&cachex, "kill -TERM $$");
    cachex.opens("gate");
    holder.ends().prints("bad\n").dies_of(Signal::TERM);
    careful.ends().prints("good\n").exits(0);
    assert_eq!(cachex.runs(), 2);
}

#[test]
fn a_run_by_force_shares_nothing() {
    let cachex = cachex();
    let call = command(&cachex, "", "exit 7").exit_codes("0");
    let holder = call.spawn();
    cachex.awaits_runs(1);
    let forced = call.clone().with("--force").spawn();
    forced.waits_for_a_lock();
    cachex.opens("gate");
    holder.ends().exits(7);
    forced.ends().exits(7);
    assert_eq!(cachex.runs(), 2);
}
