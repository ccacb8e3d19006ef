//! `--refresh-after` and `--warm`: a run behind the caller's back.

use crate::harness::{Cachex, Call, Running, Signal, cachex, eventually, quoted};

/// Prints how often it has been executed, and is refreshed from ten minutes on.
fn ageing(cachex: &Cachex) -> Call {
    let script = format!("wc -c <{}", quoted(cachex.path("runs")));
    cachex.run(&script).expires_in("1h").option("--refresh-after", "10m")
}

#[test]
fn what_is_younger_is_not_refreshed() {
    let cachex = cachex();
    let call = ageing(&cachex);
    call.once().misses().prints("1\n");
    call.clone().after("9m 50s").twice().hits().prints("1\n");
    cachex.awaits_quiet();
    assert_eq!(cachex.runs(), 1);
}

#[test]
fn what_is_older_is_served_at_once_and_replaced() {
    let cachex = cachex();
    let call = ageing(&cachex);
    call.once().misses();
    let later = call.clone().after("10m");
    later.spawn().ends().prints("1\n").quietly();
    cachex.awaits_runs(2);
    cachex.awaits_quiet();
    later.clone().with("--verbose").once().hits().prints("2\n").mentions(&["cachex: hit ", "age "]);
    assert_eq!(cachex.runs(), 2);
}

#[test]
fn nothing_is_replaced_behind_the_back_of_a_caller_that_passes_on_more() {
    for (launcher, first) in [
        (r#"exec "$@" 3<{file}"#, "text\n"),
        // A script may use it, a lock for one, though nothing can be read from it.
        (r#"exec "$@" 3>>{file}"#, ""),
        (r#"exec "$@" <&-"#, ""),
    ] {
        let cachex = cachex();
        let file = quoted(cachex.write("text", "text\n"));
        cachex.tool("third", "cat <&3; cat; echo $?");
        let call = cachex.exec(["third"]).launched_by(&launcher.replace("{file}", &file));
        let told = call.clone().bare().once().stdout();
        assert!(told.starts_with(first), "{told}");
        let ageing = call.clone().expires_in("1h").option("--refresh-after", "10m");
        ageing.once().misses().prints(&told);
        ageing.clone().after("20m").twice().hits().prints(&told);
        let stale = call.clone().expires_in("1h").option("--stale-ok", "1d");
        stale.after("2h").once().misses().prints(&told);
        cachex.awaits_quiet();
        assert_eq!(cachex.runs(), 3);
    }
    // Whoever asks for the background has what a shell passes on to it.
    let cachex = cachex();
    let file = quoted(cachex.write("text", "text\n"));
    cachex.tool("third", "cat <&3");
    let call = cachex.exec(["third"]).launched_by(&format!(r#"exec "$@" 3<{file}"#));
    call.clone().with("--warm").once().exits(0);
    cachex.awaits_quiet();
    call.once().hits().prints("text\n");
}

#[test]
fn what_expired_is_run_in_the_foreground() {
    let cachex = cachex();
    let call = ageing(&cachex);
    call.once().misses();
    call.clone().after("1h").once().misses().prints("2\n");
}

#[test]
fn of_50_callers_one_has_it_refreshed() {
    let cachex = cachex();
    let gate = cachex.gate("gate");
    let script = format!("wc -c <{}; {gate}", quoted(cachex.path("runs")));
    let call = cachex.run(&script).expires_in("1h").option("--refresh-after", "10m");
    cachex.opens("gate");
    call.once().misses().prints("1\n");
    std::fs::remove_file(cachex.path("gate")).unwrap();

    let later = call.clone().after("10m");
    let callers: Vec<Running> = (0..50).map(|_| later.spawn()).collect();
    for caller in callers {
        caller.ends().prints("1\n").quietly();
    }
    cachex.awaits_runs(2);
    cachex.opens("gate");
    cachex.awaits_quiet();
    later.once().hits().prints("2\n");
    assert_eq!(cachex.runs(), 2);
}

#[test]
fn a_failed_refresh_keeps_the_good_result_and_is_not_repeated_at_once() {
    let cachex = cachex();
    let call = cachex
        .run("[ $(cat ../mood) = good ] && echo fine")
        .expires_in("1h")
        .option("--refresh-after", "10m");
    cachex.write("mood", "good");
    call.once().misses().prints("fine\n");
    cachex.write("mood", "bad");
    call.clone().after("10m").spawn().ends().prints("fine\n").exits(0);
    cachex.awaits_runs(2);
    cachex.awaits_quiet();
    // For as long as a failure would be replayed.
    call.clone().after("10m 50s").twice().hits().prints("fine\n");
    cachex.awaits_quiet();
    assert_eq!(cachex.runs(), 2);
    cachex.write("mood", "good");
    let third = call.clone().after("11m 10s");
    third.spawn().ends().prints("fine\n");
    cachex.awaits_runs(3);
    cachex.awaits_quiet();
    call.clone().after("21m").once().hits();
}

#[test]
fn a_refresher_that_is_killed_leaves_the_result_and_the_way_free() {
    let cachex = cachex();
    let first = quoted(cachex.path("first"));
    let script = format!(
        "echo fine; [ ! -e {first} ] || {{ echo $PPID >{}; {}; }}; : >{first}",
        quoted(cachex.path("refresher")),
        cachex.gate("gate"),
    );
    let call = cachex.run(&script).expires_in("1h").option("--refresh-after", "10m");
    call.once().misses().prints("fine\n");
    let later = call.clone().after("10m");
    later.spawn().ends().prints("fine\n");
    let refresher = cachex.line_of("refresher").parse().unwrap();
    let refresher = rustix::process::Pid::from_raw(refresher).unwrap();
    rustix::process::kill_process(refresher, Signal::KILL).unwrap();
    eventually("a second refresh", || {
        later.spawn().ends().prints("fine\n").exits(0);
        (cachex.runs() == 3).then_some(())
    });
    cachex.opens("gate");
    cachex.awaits_quiet();
    later.once().hits().prints("fine\n");
}

#[test]
#[cfg(target_os = "linux")]
fn a_refresher_is_detached() {
    let cachex = cachex();
    let script = "ps -o sid= -p $$; ps -o ni= -p $$; (ls /proc/$$/fd >../fds); \
                  tr '\\n' ' ' <../fds; echo; readlink /proc/$$/fd/0; true";
    let call = cachex.run(script).expires_in("1h").option("--refresh-after", "10m");
    call.once().misses();
    let later = call.clone().after("10m");
    let served = later.spawn().ends();
    let own = served.stdout();
    let own: Vec<&str> = own.lines().map(str::trim).collect();
    cachex.awaits_runs(2);
    cachex.awaits_quiet();
    let refreshed = later.once().hits().stdout();
    let lines: Vec<&str> = refreshed.lines().map(str::trim).collect();
    assert_ne!(lines[0], own[0], "the session");
    let lower = (own[1].parse::<i32>().unwrap() + 10).min(19);
    assert_eq!(lines[1], lower.to_string(), "the priority");
    assert_eq!(lines[2], "0 1 2", "open files");
    assert_eq!(lines[3], "/dev/null", "standard input");
}

#[test]
fn a_refresher_gets_the_standard_input_that_counted() {
    let cachex = cachex();
    let script = format!("cat; wc -c <{}", quoted(cachex.path("runs")));
    let call = cachex.run(&script).expires_in("1h").option("--refresh-after", "10m");
    let long = "x".repeat(3 << 20);
    for input in ["piped\n", &long] {
        let before = cachex.runs();
        let call = call.clone().stdin(input);
        call.once().misses().prints(format!("{input}{}\n", before + 1));
        let later = call.clone().after("10m");
        later.spawn().ends().prints(format!("{input}{}\n", before + 1));
        cachex.awaits_runs(before + 2);
        cachex.awaits_quiet();
        later.once().hits().prints(format!("{input}{}\n", before + 2));
    }
    let file = cachex.write("input", "skipped kept\n");
    let call = call.stdin_from(file, 8);
    let before = cachex.runs();
    call.once().misses().prints(format!("kept\n{}\n", before + 1));
    let later = call.clone().after("10m");
    later.spawn().ends().prints(format!("kept\n{}\n", before + 1));
    cachex.awaits_runs(before + 2);
    cachex.awaits_quiet();
    later.once().hits().prints(format!("kept\n{}\n", before + 2));
}

#[test]
fn a_refresher_dies_with_its_time() {
    let cachex = cachex();
    let first = quoted(cachex.path("first"));
    let script = format!("echo fine; [ ! -e {first} ] || sleep 600; : >{first}");
    let call = cachex.run(&script).expires_in("1h").with("--refresh-after 10m --timeout 200ms");
    call.once().misses();
    let later = call.clone().after("10m");
    later.spawn().ends().prints("fine\n");
    cachex.awaits_runs(2);
    cachex.awaits_quiet();
    later.once().hits().prints("fine\n").exits(0);
}

#[test]
fn a_caller_who_finds_it_expired_waits_for_the_refresh_that_is_under_way() {
    let cachex = cachex();
    let first = quoted(cachex.path("first"));
    let script = format!(
        "[ ! -e {first} ] || {{ {}; }}; : >{first}; wc -c <{}",
        cachex.gate("gate"),
        quoted(cachex.path("runs"))
    );
    let call = cachex.run(&script).expires_in("1h").with("--refresh-after 10m --no-concurrent");
    call.once().misses().prints("1\n");
    call.clone().after("10m").spawn().ends().prints("1\n");
    cachex.awaits_runs(2);
    let waiter = call.clone().after("1h 5m").spawn();
    waiter.waits_for_a_lock();
    cachex.opens("gate");
    // It ended at ten minutes by its clock: fresh for the waiter.
    waiter.ends().prints("2\n");
    cachex.awaits_quiet();
    assert_eq!(cachex.runs(), 2);
}

#[test]
fn warm_starts_a_run_and_says_nothing() {
    let cachex = cachex();
    let call = cachex.run(&format!("{}; echo out; echo err >&2", cachex.gate("gate")));
    call.clone().with("--warm").spawn().ends().prints("").quietly().exits(0).promptly();
    cachex.awaits_runs(1);
    // Somebody is at it already.
    call.clone().with("--warm").spawn().ends().prints("").quietly().exits(0);
    cachex.opens("gate");
    cachex.awaits_quiet();
    call.once().hits().prints("out\n").says("err\n");
    // Fresh or not.
    call.clone().env("CACHEX_WARM", "1").spawn().ends().prints("").exits(0);
    cachex.awaits_runs(2);
    cachex.awaits_quiet();
}

#[test]
fn warm_counts_standard_input_too() {
    let cachex = cachex();
    let call = cachex.run("cat").stdin("abc\n");
    call.clone().with("--warm").spawn().ends().prints("").quietly();
    cachex.awaits_runs(1);
    cachex.awaits_quiet();
    call.once().hits().prints("abc\n");
}

#[test]
fn warm_without_a_store_runs_nothing() {
    let cachex = cachex();
    cachex.write("blocked", "");
    let nowhere = cachex.path("blocked/store");
    let call = cachex.run("echo hi").with("--warm").env("CACHEX_DIR", nowhere);
    call.once().hits().prints("").exits(0).warns_once(&["not cached"]);
}
