//! `--finish`: a run goes on, and is recorded, though its caller is ended.

use crate::harness::{Signal, cachex, eventually, quoted};

#[test]
fn it_looks_like_any_run() {
    let cachex = cachex();
    let call = cachex.run("echo out; echo err >&2; exit 3").with("--finish");
    call.behaves_as_bare().exits(3);
    // Of streams that are one, the order.
    let call = cachex.run("echo 1; echo 2 >&2; echo 3").with("--finish").merged();
    call.twice().runs_once().prints("1\n2\n3\n");
    cachex.awaits_quiet();
}

#[test]
fn output_is_live() {
    let cachex = cachex();
    let call = cachex.run(&format!("echo first; {}; echo last", cachex.gate("gate")));
    let running = call.with("--finish").spawn();
    running.shows("first\n");
    cachex.opens("gate");
    running.ends().prints("first\nlast\n").quietly().exits(0);
}

#[test]
fn a_killed_caller_leaves_a_result_behind() {
    for signal in [Signal::KILL, Signal::TERM, Signal::INT] {
        let cachex = cachex();
        let call = cachex.run(&format!("echo begun; {}; echo done", cachex.gate("gate")));
        let call = call.with("--finish");
        let running = call.spawn();
        running.shows("begun\n").signal(signal);
        running.ends().dies_of(signal);
        // Who comes meanwhile follows it.
        let second = call.spawn();
        second.shows("begun\n");
        cachex.opens("gate");
        second.ends().prints("begun\ndone\n").exits(0);
        cachex.awaits_quiet();
        call.once().hits().prints("begun\ndone\n");
        assert_eq!(cachex.runs(), 1, "{signal:?}");
    }
}

#[test]
fn a_silent_command_ends_as_it_ends() {
    let cachex = cachex();
    cachex.run("exit 7").with("--finish").twice().runs_once().exits(7);
    cachex.run("kill -SEGV $$").with("--finish").once().misses().dies_of(Signal::SEGV);
}

#[test]
fn it_is_a_miss_in_the_figures_and_no_hit() {
    let cachex = cachex();
    let call = cachex.run("echo out").with("--finish");
    call.twice().runs_once();
    cachex.awaits_quiet();
    let told = cachex.cli(["stats", "--format", "json"]).once().exits(0).stdout();
    assert!(told.contains("\"hits\": 1") && told.contains("\"misses\": 1"), "{told}");
}

#[test]
fn what_comes_through_a_pipe_is_left_to_the_caller() {
    let cachex = cachex();
    let call = cachex.run("cat").with("--finish").stdin("piped\n");
    call.twice().runs_once().prints("piped\n");
    let file = cachex.write("input", "skipped kept\n");
    let call = cachex.run("cat").with("--finish").stdin_from(file, 8);
    call.twice().runs_once().prints("kept\n");
}

#[test]
fn a_run_that_has_to_end_ends() {
    let cachex = cachex();
    let call = cachex.run("echo begun; sleep 600").with("--finish --timeout 200ms");
    call.once().misses().prints("begun\n").exits(124);
    eventually("the end of it", || cachex.processes().is_empty().then_some(()));
}

#[test]
fn the_command_inherits_what_it_would_from_its_caller() {
    let cachex = cachex();
    let file = quoted(cachex.write("text", "text\n"));
    // The arguments do not show that it is read.
    cachex.tool("third", "cat <&3");
    let from_three = format!(r#"exec "$@" 3<{file}"#);
    let call = cachex.exec(["third"]).with("--finish").launched_by(&from_three);
    call.behaves_as_bare().prints("text\n").exits(0);
    call.once().hits().prints("text\n");
    cachex.tool("broken-pipes", "bash -c 'trap -p PIPE'");
    let call = cachex.exec(["broken-pipes"]).with("--finish");
    call.clone()
        .launched_by(r#"trap "" PIPE; exec "$@""#)
        .behaves_as_bare()
        .prints("trap -- '' SIGPIPE\n");
    let call = cachex.run("cat; echo $?").with("--finish").stdin_closed();
    assert!(call.behaves_as_bare().prints("1\n").stderr().contains("Bad file descriptor"));
    cachex.awaits_quiet();
}

#[test]
fn one_that_is_not_recorded_is_not_run_twice() {
    let cachex = cachex();
    // What it leaves behind holds its output, and it prints something else each time.
    let call = cachex.run(&format!("wc -c <../runs; ({}) & exit 3", cachex.gate("gate")));
    let finishing = call.clone().with("--finish");
    finishing.once().runs(1).prints("1\n").exits(3).quietly();
    call.with("--finish --no-concurrent").once().runs(1).prints("2\n").exits(3).quietly();
    cachex.opens("gate");
    cachex.awaits_quiet();
}

#[test]
fn what_nobody_reads_and_is_too_long_to_be_recorded_ends_as_without_a_reader() {
    let cachex = cachex();
    let call = cachex.run("echo begun; yes; echo $? >../ended").with("--finish");
    let running = call.option("--max-entry-size", "1MB").spawn();
    running.shows("begun\n").signal(Signal::KILL);
    running.ends();
    let status: u8 = cachex.line_of("ended").parse().unwrap();
    assert!(status > 0, "{status}");
    cachex.awaits_quiet();
}
