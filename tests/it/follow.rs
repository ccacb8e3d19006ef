//! `--no-concurrent`: those who wait see what is printed when it is printed.

use crate::harness::{Cachex, Call, Running, Signal, cachex, eventually, quoted};
use crate::shared_ends::failure_after_a_good_result;
use std::io::{PipeReader, Read};
use std::time::{Duration, Instant};

/// More than fits into a pipe.
const LONG: &str = "seq 1 50000";

/// Callers who have shown this of another's run.
#[track_caller]
fn followers(call: &Call, count: usize, first: &str) -> Vec<Running> {
    let running: Vec<Running> = (0..count).map(|_| call.spawn()).collect();
    for follower in &running {
        follower.shows(first);
    }
    running
}

/// Nothing is left in the store of what was followed.
#[track_caller]
fn leaves_nothing(cachex: &Cachex) {
    let left = cachex.stored_in("v2/tmp");
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn ten_of_them_show_each_line_while_the_command_goes_on() {
    for status in [0, 7] {
        let cachex = cachex();
        let gates = ["first", "second"].map(|gate| cachex.gate(gate));
        let script = format!(
            "echo one; {}; echo two >&2; {}; echo three; exit {status}",
            gates[0], gates[1]
        );
        let call = cachex.run(&script).with("--no-concurrent").merged();
        let holder = call.spawn();
        holder.shows("one\n");
        let all = followers(&call, 10, "one\n");
        cachex.opens("first");
        for follower in &all {
            follower.shows("one\ntwo\n");
        }
        cachex.opens("second");
        for caller in all.into_iter().chain([holder]) {
            caller.ends().prints("one\ntwo\nthree\n").exits(status);
        }
        assert_eq!(cachex.runs(), 1);
        leaves_nothing(&cachex);
        call.once().hits().prints("one\ntwo\nthree\n").exits(status);
    }
}

#[test]
fn each_stream_goes_where_it_belongs() {
    let cachex = cachex();
    let script = format!("echo out; echo err >&2; {}; {LONG}; {LONG} >&2", cachex.gate("gate"));
    let call = cachex.run(&script).with("--no-concurrent");
    let holder = call.spawn();
    holder.shows("out\n").warns("err\n");
    let all = followers(&call, 3, "out\n");
    for follower in &all {
        follower.warns("err\n");
    }
    cachex.opens("gate");
    let held = holder.ends();
    for follower in all {
        follower.ends().same_as(&held);
    }
    assert_eq!(cachex.runs(), 1);
    leaves_nothing(&cachex);
}

#[test]
fn a_status_that_is_not_recorded_is_theirs_all_the_same() {
    let cachex = cachex();
    let script = format!("echo hi; {}; exit 3", cachex.gate("gate"));
    let call = cachex.run(&script).with("--no-concurrent").exit_codes("0");
    let holder = call.spawn();
    holder.shows("hi\n");
    let all = followers(&call, 10, "hi\n");
    cachex.opens("gate");
    for caller in all.into_iter().chain([holder]) {
        caller.ends().prints("hi\n").quietly().exits(3);
    }
    assert_eq!(cachex.runs(), 1);
    leaves_nothing(&cachex);
}

#[test]
fn an_output_that_is_too_long_to_be_recorded_is_followed_to_its_end() {
    let cachex = cachex();
    let script = format!("echo one; {}; {LONG}", cachex.gate("gate"));
    let call = cachex.run(&script).with("--no-concurrent --max-entry-size 10KiB");
    let holder = call.spawn();
    holder.shows("one\n");
    let all = followers(&call, 3, "one\n");
    cachex.opens("gate");
    let held = holder.ends().quietly();
    for follower in all {
        follower.ends().same_as(&held);
    }
    assert_eq!(cachex.runs(), 1);
    leaves_nothing(&cachex);
}

#[test]
fn what_is_printed_at_the_last_moment_and_not_recorded_is_shared_all_the_same() {
    for (script, options) in [
        ("echo failed; exit 1", "--exit-codes 0"),
        ("echo killed; kill -9 $$", ""),
        ("seq 1 10000", "--max-entry-size 10KiB"),
    ] {
        let cachex = cachex();
        let script = format!("{}; {script}", cachex.gate("gate"));
        let call = cachex.run(&script).with("--no-concurrent").with(options);
        let holder = call.spawn();
        cachex.awaits_runs(1);
        let waiting: Vec<Running> = (0..4).map(|_| call.spawn()).collect();
        for waiter in &waiting {
            waiter.waits_for_a_lock();
        }
        cachex.opens("gate");
        let held = holder.ends();
        for waiter in waiting {
            waiter.ends().same_as(&held);
        }
        assert_eq!(cachex.runs(), 1, "{options}");
        leaves_nothing(&cachex);
    }
}

#[test]
fn who_comes_too_late_to_share_such_an_output_runs_the_command_at_once() {
    let cachex = cachex();
    let script = format!("{LONG}; {}", cachex.gate("gate"));
    let call = cachex.run(&script).with("--no-concurrent --max-entry-size 10KiB");
    let holder = call.spawn();
    holder.shows("\n50000\n");
    eventually("what is too long to be gone", || {
        cachex.stored_in("v2/tmp").is_empty().then_some(())
    });
    let late: Vec<Running> = (0..2).map(|_| call.spawn()).collect();
    cachex.awaits_runs(3);
    cachex.opens("gate");
    let held = holder.ends().quietly();
    for late in late {
        late.ends().same_as(&held);
    }
}

#[test]
fn without_followers_such_an_output_is_not_kept() {
    let cachex = cachex();
    let script = format!("{LONG}; {}; {LONG}", cachex.gate("gate"));
    let call = cachex.run(&script).with("--no-concurrent --max-entry-size 10KiB");
    let holder = call.spawn();
    holder.shows("\n50000\n");
    eventually("what is too long to be gone", || {
        cachex.stored_in("v2/tmp").is_empty().then_some(())
    });
    cachex.opens("gate");
    holder.ends().exits(0).quietly();
}

#[test]
fn a_long_output_takes_little_memory() {
    const BYTES: u64 = 400 << 20;
    let cachex = cachex();
    let script = format!("{}; head -c {BYTES} /dev/zero", cachex.gate("gate"));
    let call = cachex.run(&script).with("--no-concurrent").output_counted().measured();
    let holder = call.spawn();
    cachex.awaits_runs(1);
    let waiter = call.spawn();
    waiter.waits_for_a_lock();
    cachex.opens("gate");
    for caller in [holder, waiter] {
        caller.ends().prints_bytes(BYTES).exits(0).quietly().in_less_memory_than(64 << 20);
    }
    assert_eq!(cachex.runs(), 1);
}

#[test]
fn who_is_interrupted_is_interrupted_alone() {
    let cachex = cachex();
    let script = format!("echo one; {}; echo two", cachex.gate("gate"));
    let call = cachex.run(&script).with("--no-concurrent");
    let holder = call.spawn();
    holder.shows("one\n");
    for signal in [Signal::INT, Signal::TERM, Signal::KILL] {
        for follower in followers(&call, 2, "one\n") {
            follower.signal(signal);
            follower.ends().prints("one\n").quietly().dies_of(signal);
        }
    }
    let last = followers(&call, 1, "one\n");
    cachex.opens("gate");
    for caller in last.into_iter().chain([holder]) {
        caller.ends().prints("one\ntwo\n").quietly().exits(0);
    }
    assert_eq!(cachex.runs(), 1);
}

/// Reads so many bytes.
fn reads(reader: &mut PipeReader, count: usize) -> String {
    let mut head = vec![0; count];
    reader.read_exact(&mut head).unwrap();
    String::from_utf8(head).unwrap()
}

#[test]
fn one_whose_reader_leaves_ends_quietly() {
    let cachex = cachex();
    let script = format!("echo one; {}; {LONG}", cachex.gate("gate"));
    let call = cachex.run(&script).with("--no-concurrent");
    let holder = call.spawn();
    holder.shows("one\n");
    let (mut reader, writer) = std::io::pipe().unwrap();
    let follower = call.spawn_into(writer);
    assert_eq!(reads(&mut reader, 4), "one\n");
    drop(reader);
    cachex.opens("gate");
    follower.ends().quietly().dies_of(Signal::PIPE);
    holder.ends().exits(0);
    call.once().hits();
}

/// How many ends of pipes a process has open.
#[cfg(target_os = "linux")]
fn pipes(process: &Running) -> usize {
    let Ok(open) = std::fs::read_dir(format!("/proc/{}/fd", process.pid())) else { return 0 };
    let is_pipe =
        |name: &std::path::Path| name.as_os_str().as_encoded_bytes().starts_with(b"pipe:");
    open.flatten().filter(|it| std::fs::read_link(it.path()).is_ok_and(|to| is_pipe(&to))).count()
}

#[cfg(target_os = "linux")]
#[test]
fn what_a_command_does_for_want_of_the_holders_reader_is_not_shared() {
    let cachex = cachex();
    let script = format!(
        "trap '' PIPE; echo one; {}; echo two || {{ echo failed >&2; exit 9; }}; exit 6",
        cachex.gate("gate")
    );
    let call = cachex.run(&script).with("--no-concurrent");
    let (mut reader, writer) = std::io::pipe().unwrap();
    let holder = call.spawn_into(writer);
    reads(&mut reader, 4);
    let all = followers(&call, 2, "one\n");
    let before = pipes(&holder);
    drop(reader);
    // cachex passes it on to the command, which finds no reader either.
    eventually("a closed pipe", || (pipes(&holder) < before).then_some(()));
    cachex.opens("gate");
    holder.ends().exits(9);
    for follower in all {
        follower.ends().prints("one\ntwo\n").exits(6).quietly();
    }
}

#[test]
fn one_who_ignores_that_ends_as_the_command_does() {
    let cachex = cachex();
    let script = format!("echo one; {}; {LONG}; echo err >&2; exit 3", cachex.gate("gate"));
    let call = cachex.run(&script).with("--no-concurrent");
    let holder = call.spawn();
    holder.shows("one\n");
    let (mut reader, writer) = std::io::pipe().unwrap();
    let follower = call.launched_by(r#"trap "" PIPE; exec "$@""#).spawn_into(writer);
    assert_eq!(reads(&mut reader, 4), "one\n");
    drop(reader);
    cachex.opens("gate");
    follower.ends().says("err\n").exits(3);
    holder.ends().exits(3);
}

#[test]
fn a_slow_reader_of_one_holds_up_nobody_else() {
    let cachex = cachex();
    let script = format!("echo one; {}; {LONG}", cachex.gate("gate"));
    let call = cachex.run(&script).with("--no-concurrent");
    let holder = call.spawn();
    holder.shows("one\n");
    let (mut reader, writer) = std::io::pipe().unwrap();
    let slow = call.spawn_into(writer);
    assert_eq!(reads(&mut reader, 4), "one\n");
    cachex.opens("gate");
    let good = holder.ends().exits(0).stdout();
    // It needs the lock no more, and leaves it to those who do.
    call.clone().with("--force").once().misses().prints(&good).promptly();
    call.once().hits().prints(&good).promptly();
    let mut rest = String::new();
    reader.read_to_string(&mut rest).unwrap();
    assert_eq!(format!("one\n{rest}"), good);
    slow.ends().quietly().exits(0);
}

#[test]
fn who_wants_a_run_that_begins_now_does_not_follow() {
    let cachex = cachex();
    let script = format!("wc -c <{}; {}", quoted(cachex.path("runs")), cachex.gate("gate"));
    let call = cachex.run(&script).with("--no-concurrent");
    let holder = call.spawn();
    holder.shows("1\n");
    let forced = call.clone().with("--force").spawn();
    forced.waits_for_a_lock();
    followers(&call, 1, "1\n");
    assert_eq!(forced.printed(), "");
    cachex.opens("gate");
    holder.ends().prints("1\n");
    forced.ends().prints("2\n").quietly();
}

#[test]
fn who_may_have_to_show_something_else_does_not_follow() {
    let cachex = cachex();
    // Of a run that fails, only one of them is to see anything.
    let (call, [holder, careful]) = failure_after_a_good_result(&cachex, "exit 3");
    followers(&call, 1, "bad\n");
    assert_eq!(careful.printed(), "");
    cachex.opens("gate");
    holder.ends().prints("bad\n").exits(3);
    careful.ends();
}

#[test]
fn a_run_in_the_background_is_followed_too() {
    let cachex = cachex();
    let first = quoted(cachex.path("first"));
    let gate = cachex.gate("gate");
    let script = format!("echo one; mkdir {first} 2>/dev/null || {{ {gate}; }}; echo two");
    let call = cachex.run(&script).with("--no-concurrent --refresh-after 1m").expires_in("1h");
    call.once().misses().prints("one\ntwo\n");
    call.clone().after("2m").once().prints("one\ntwo\n");
    cachex.awaits_runs(2);
    let all = followers(&call.clone().after("2h"), 3, "one\n");
    cachex.opens("gate");
    for follower in all {
        follower.ends().prints("one\ntwo\n").quietly().exits(0);
    }
    assert_eq!(cachex.runs(), 2);
}

#[test]
fn it_can_be_told_that_one_followed() {
    let cachex = cachex();
    let script = format!("echo one; {}; exit 3", cachex.gate("gate"));
    let call = cachex.run(&script).with("--no-concurrent");
    let holder = call.spawn();
    holder.shows("one\n");
    let status = cachex.path("status");
    let told = call.clone().with("--verbose").option("--status-file", &status);
    let all = followers(&told, 1, "one\n");
    cachex.opens("gate");
    for follower in all {
        follower
            .ends()
            .prints("one\n")
            .says_one_line(&["cachex: followed ", " to its end"])
            .exits(3);
    }
    let status = std::fs::read_to_string(status).unwrap();
    for field in [r#""result":"followed""#, r#""status":3"#, r#""stdout_bytes":4"#] {
        assert!(status.contains(field), "{status}");
    }
    holder.ends();
}

#[test]
fn standard_input_is_read_as_far_as_the_command_read_it() {
    let cachex = cachex();
    cachex.tool("first", &format!("read line; echo \"$line\"; {}", cachex.gate("gate")));
    let input = quoted(cachex.write("input", "one\ntwo\nthree\n"));
    let script = format!("{{ cachex run --no-concurrent -- first; cat; }} <{input}");
    let call = cachex.shell(&script);
    let holder = call.spawn();
    holder.shows("one\n");
    let all = followers(&call, 3, "one\n");
    cachex.opens("gate");
    for caller in all.into_iter().chain([holder]) {
        caller.ends().prints("one\ntwo\nthree\n").quietly();
    }
    assert_eq!(cachex.runs(), 1);
}

#[test]
fn those_who_lose_patience_with_silence_run_it_themselves() {
    let cachex = cachex();
    let first = quoted(cachex.path("first"));
    let script = format!("mkdir {first} 2>/dev/null && {{ {}; }}; echo hi", cachex.gate("gate"));
    let call = cachex.run(&script).with("--no-concurrent");
    let holder = call.spawn();
    cachex.awaits_runs(1);
    let impatient = call.option("--lock-timeout", "50ms");
    impatient.once().misses().prints("hi\n").warns_once(&["50ms"]).exits(0).promptly();
    impatient.clone().with("--quiet").once().misses().prints("hi\n").quietly();
    cachex.opens("gate");
    holder.ends().prints("hi\n").quietly();
    // With nobody before them there is nothing to wait for.
    impatient.once().hits().prints("hi\n").quietly();
}

#[test]
fn as_long_as_they_are_served_they_are_patient() {
    let cachex = cachex();
    let go_on = cachex.gate("gate");
    let script = format!("for n in 1 2 3 4 5 6 7 8; do echo $n; sleep 0.5; done; {go_on}");
    let call = cachex.run(&script).with("--no-concurrent");
    let holder = call.spawn();
    holder.shows("1\n");
    // In all it takes more than that.
    let impatient = call.option("--lock-timeout", "3s").spawn();
    impatient.shows("8\n");
    cachex.opens("gate");
    for caller in [holder, impatient] {
        caller.ends().prints("1\n2\n3\n4\n5\n6\n7\n8\n").quietly().exits(0);
    }
    assert_eq!(cachex.runs(), 1);
}

#[test]
fn a_follower_who_waits_takes_no_processor_time() {
    let cachex = cachex();
    let script = format!("echo one; {}", cachex.gate("gate"));
    let call = cachex.run(&script).with("--no-concurrent");
    let holder = call.spawn();
    holder.shows("one\n");
    let follower = &followers(&call, 1, "one\n")[0];
    let (began, used) = (Instant::now(), follower.processor_time());
    eventually("a second", || (began.elapsed() > Duration::from_secs(1)).then_some(()));
    assert!(follower.processor_time() < used + Duration::from_millis(100));
    cachex.opens("gate");
    holder.ends();
}
