//! `--no-concurrent`: a holder that does not get on holds up nobody for ever.

use crate::harness::{Cachex, Call, Running, Signal, cachex, quoted};
use std::time::{Duration, Instant};

/// More than fits into a pipe.
const LONG: &str = "seq 1 50000";

/// Prints something, does this the first time, and prints something more.
fn at_first(cachex: &Cachex, this: &str) -> Call {
    let first = quoted(cachex.path("first"));
    let script = format!("echo begun; mkdir {first} 2>/dev/null && {{ {this}; }}; echo done");
    cachex.run(&script).with("--no-concurrent")
}

/// A holder that has printed something and is stopped.
#[track_caller]
fn stopped(cachex: &Cachex, call: &Call) -> Running {
    let holder = call.spawn();
    holder.shows("begun\n");
    cachex.awaits_runs(1);
    #[cfg(target_os = "linux")]
    holder.rests();
    holder.signal(Signal::STOP);
    holder
}

#[test]
fn one_that_is_stopped_is_left_alone() {
    let cachex = cachex();
    let call = at_first(&cachex, &cachex.gate("gate"));
    let holder = stopped(&cachex, &call);
    let pid = format!("process {} ", holder.pid().as_raw_nonzero());
    let words = [&*pid, "is stopped"];
    call.once().runs_once().prints("begun\ndone\n").warns_once(&words).exits(0).promptly();
    // What that recorded serves the next.
    call.once().hits().prints("begun\ndone\n").quietly();
    holder.signal(Signal::CONT);
    cachex.opens("gate");
    holder.ends().prints("begun\ndone\n").exits(0);
}

#[test]
fn of_many_who_leave_it_alone_one_runs() {
    let cachex = cachex();
    let script = format!("echo begun; {}; echo done", cachex.gate("gate"));
    let call = cachex.run(&script).with("--no-concurrent --quiet");
    let holder = stopped(&cachex, &call);
    let others: Vec<Running> = (0..5).map(|_| call.spawn()).collect();
    cachex.awaits_runs(2);
    cachex.opens("gate");
    for other in others {
        other.ends().prints("begun\ndone\n").quietly().exits(0);
    }
    assert_eq!(cachex.runs(), 2);
    holder.signal(Signal::CONT);
    holder.ends().prints("begun\ndone\n");
}

#[test]
fn a_limit_on_waiting_holds_wherever_one_is() {
    let cachex = cachex();
    let call = at_first(&cachex, &cachex.gate("gate"));
    let holder = stopped(&cachex, &call);
    let impatient = call.clone().option("--lock-timeout", "50ms");
    let outcome = impatient.once().runs_once().prints("begun\ndone\n").exits(0).promptly();
    let _ = outcome.warns_once(&["is stopped", "50ms"]);
    // The same of one that goes on in silence.
    holder.signal(Signal::CONT);
    let outcome = impatient.once().runs_once().prints("begun\ndone\n").exits(0).promptly();
    let _ = outcome.warns_once(&["has printed nothing", "50ms"]);
    cachex.opens("gate");
    holder.ends().prints("begun\ndone\n").quietly();
}

#[test]
fn one_whose_reader_takes_nothing_is_left_alone() {
    let cachex = cachex();
    let call = cachex.run(&format!("{LONG}; {LONG} >&2")).with("--no-concurrent");
    let good = call.clone().bare().once();
    let (holder, unread) = call.spawn_unread();
    let impatient = call.clone().option("--lock-timeout", "50ms").with("--quiet");
    impatient.once().same_as(&good).promptly();
    let waiter = call.clone().with("--quiet").spawn();
    waiter.ends().same_as(&good);
    drop(unread);
    holder.ends();
}

#[test]
fn one_that_prints_nothing_for_long_is_left_alone() {
    let cachex = cachex();
    let call = at_first(&cachex, &cachex.gate("gate")).env("CACHEX_TEST_SILENT", "200");
    let holder = call.spawn();
    holder.shows("begun\n");
    let outcome = call.once().runs_once().prints("begun\ndone\n").exits(0).promptly();
    let _ = outcome.warns_once(&["has printed nothing for "]);
    cachex.opens("gate");
    holder.ends().prints("begun\ndone\n").quietly();
}

#[test]
fn one_that_prints_now_and_then_is_waited_for() {
    let cachex = cachex();
    let dots = "for n in 1 2 3 4 5 6 7 8 9 10; do echo $n; sleep 0.1; done";
    let call = cachex.run(dots).with("--no-concurrent").env("CACHEX_TEST_SILENT", "3000");
    let holder = call.spawn();
    holder.shows("1\n");
    let follower = call.once().hits().quietly();
    let _ = holder.ends().same_as(&follower);
}

#[test]
fn a_follower_is_out_of_time_when_its_own_run_would_be() {
    for first in ["echo begun;", ""] {
        let cachex = cachex();
        let script = format!("{first} {}; echo done", cachex.gate("gate"));
        let call = cachex.run(&script).with("--no-concurrent");
        let holder = call.spawn();
        cachex.awaits_runs(1);
        let began = Instant::now();
        let hasty = call.clone().option("--timeout", "300ms");
        let printed = if first.is_empty() { "" } else { "begun\n" };
        hasty.once().hits().prints(printed).quietly().exits(124).promptly();
        assert!(began.elapsed() >= Duration::from_millis(300));
        cachex.opens("gate");
        holder.ends().exits(0).quietly();
        // With the result at hand there is nothing to wait for.
        hasty.once().hits().exits(0).quietly();
    }
}

#[test]
fn one_who_has_a_good_result_shows_that_when_its_time_is_over() {
    let cachex = cachex();
    let good = quoted(cachex.path("good"));
    let script = format!("mkdir {good} && echo good && exit; {}; exit 3", cachex.gate("gate"));
    let call = cachex.run(&script).with("--no-concurrent").expires_in("1m");
    call.once().prints("good\n");
    let late = call.after("2m");
    let holder = late.spawn();
    cachex.awaits_runs(2);
    let careful = late.clone().option("--stale-if-error", "1h").option("--timeout", "200ms");
    careful.once().hits().prints("good\n").exits(0);
    cachex.opens("gate");
    holder.ends().exits(3);
}
