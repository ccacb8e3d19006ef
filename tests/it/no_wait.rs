//! `--no-wait` and `--stale-ok`: what a prompt shows is there at once, and a run in the
//! background makes it new.

use crate::harness::{cachex, eventually};

#[test]
fn where_nothing_is_recorded_nothing_is_printed_and_a_run_begins() {
    let cachex = cachex();
    let call = cachex.run(&format!("{}; echo out; echo err >&2", cachex.gate("gate")));
    let unwaited = call.clone().with("--no-wait");
    unwaited.spawn().ends().prints("").quietly().exits(0).promptly();
    cachex.awaits_runs(1);
    // One is enough.
    unwaited.spawn().ends().prints("").quietly().exits(0).promptly();
    cachex.opens("gate");
    cachex.awaits_quiet();
    unwaited.once().hits().prints("out\n").says("err\n");
    call.once().hits().prints("out\n");
    assert_eq!(cachex.runs(), 1);
}

#[test]
fn the_status_says_that_nothing_was_there_if_that_is_wanted() {
    let cachex = cachex();
    let call = cachex.run("echo out").with("--no-wait --miss-status 3");
    call.spawn().ends().prints("").exits(3);
    cachex.awaits_quiet();
    call.once().hits().prints("out\n").exits(0);
    let verbose = cachex.run("echo other").with("--no-wait --verbose");
    verbose.spawn().ends().warns_once(&["warming", "not recorded yet"]);
}

#[test]
fn what_failed_is_not_run_again_at_every_prompt() {
    let cachex = cachex();
    let call = cachex.run("echo bad; exit 1").with("--no-wait --no-fail");
    call.spawn().ends().prints("").exits(0);
    cachex.awaits_runs(1);
    cachex.awaits_quiet();
    call.times(3).hits().prints("").exits(0);
    call.clone().after("2m").spawn().ends().prints("");
    cachex.awaits_runs(2);
}

#[test]
fn an_expired_result_is_served_at_once_and_replaced() {
    let cachex = cachex();
    let script = format!("cat <{0}; wc -c <{0}", "../runs");
    for options in ["--stale-ok 1h", "--no-wait --stale-ok 1h", "--no-wait --stale-if-error 1h"] {
        let call = cachex
            .run(&script)
            .with("--expires-in 10m")
            .with(options)
            .option("--key", options.replace('-', ""));
        let before = cachex.runs();
        // Nothing stands in for what was never there.
        call.spawn().ends();
        cachex.awaits_runs(before + 1);
        cachex.awaits_quiet();
        let first = call.once().hits().stdout();
        let later = call.clone().after("20m");
        later.spawn().ends().prints(&first);
        cachex.awaits_runs(before + 2);
        cachex.awaits_quiet();
        assert_ne!(later.once().hits().stdout(), first, "{options}");
        // Too old even for that.
        let much_later = call.clone().after("20h");
        let served = much_later.spawn().ends().stdout();
        assert!(served.is_empty() || served != first, "{options}: {served}");
        cachex.awaits_quiet();
    }
}

#[test]
fn what_is_never_run_may_be_stale_too() {
    let cachex = cachex();
    let call = cachex.run("echo out").with("--expires-in 10m --stale-ok 1h");
    call.once().misses();
    let later = call.clone().with("--cached-only").after("30m");
    later.once().hits().prints("out\n").exits(0);
    later.clone().after("2h").once().hits().prints("").exits(125);
}

#[test]
fn by_force_it_is_run_all_the_same() {
    let cachex = cachex();
    let call = cachex.run("wc -c <../runs").with("--expires-in 10m --stale-ok 1h");
    call.once().prints("1\n");
    call.clone().with("--force").after("30m").once().misses().prints("2\n");
}

#[test]
fn contradictions_are_refused() {
    let cachex = cachex();
    for other in ["--warm", "--cached-only", "--force", "--read-only", "--tty"] {
        let call = cachex.run("true").with("--no-wait").with(other);
        call.once().hits().exits(125).mentions(&["cannot be used with"]);
    }
    let call = cachex.run("true").with("--stale-ok 1h --output made");
    call.once().hits().exits(125).mentions(&["--stale-ok", "--output"]);
    let by_variable = cachex.run("true").env("CACHEX_NO_WAIT", "1").env("CACHEX_WARM", "1");
    by_variable.once().exits(125).mentions(&["CACHEX_NO_WAIT", "CACHEX_WARM"]);
    // A flag replaces what a variable says.
    cachex.run("echo x").env("CACHEX_NO_WAIT", "1").with("--force").once().misses().prints("x\n");
}

#[test]
fn without_a_store_nothing_is_run() {
    let cachex = cachex();
    cachex.write("blocked", "");
    let nowhere = cachex.path("blocked/store");
    let call = cachex.run("echo hi").with("--no-wait --miss-status 4").env("CACHEX_DIR", nowhere);
    call.once().hits().prints("").exits(4).warns_once(&["not cached"]);
}

#[test]
fn never_is_a_limit_that_takes_the_place_of_another() {
    let cachex = cachex();
    cachex.config("expires-in = \"1s\"\nfailure-expires-in = \"1s\"\n");
    let call = cachex.run("exit 3").with("--expires-in never --failure-expires-in never");
    call.once().misses().exits(3);
    call.clone().after("1000h").once().hits().exits(3);
    cachex.run("exit 3").after("1000h").once().misses();
    cachex.config("expires-in = \"never\"\n");
    cachex.cli(["config"]).once().exits(0).shows(&["expires-in", "never", "config.toml:1"]);
    cachex.run("true").with("--expires-in nevr").once().exits(125).mentions(&["or `never`"]);
}

#[test]
fn no_fail_records_successes_alone() {
    let cachex = cachex();
    cachex.run("exit 3").with("--no-fail").twice().misses().exits(3);
    cachex.run("exit 4").env("CACHEX_NO_FAIL", "1").twice().misses().exits(4);
    cachex.run("exit 5").env("CACHEX_NO_FAIL", "1").with("--exit-codes all").twice().runs_once();
    cachex.run("true").with("--no-fail").twice().runs_once();
    let both = cachex.run("true").with("--no-fail --exit-codes 0,1");
    both.once().exits(125).mentions(&["cannot be used with"]);
    eventually("its line", || {
        cachex.config("no-fail = true\n");
        let said = cachex.run("true").once().stderr();
        said.contains("exit-codes = \"0\"").then_some(())
    });
}
