//! What of an entry is told that is there.

use crate::harness::{Call, cachex, flip};
use std::fs;

/// The first line.
#[track_caller]
fn verdict(call: &Call, status: i32) -> String {
    let told = call.clone().explain().once().exits(status).runs(0).stdout();
    let line = told.lines().next().unwrap().to_owned();
    let (verdict, rest) = line.split_once(' ').unwrap();
    assert_eq!(verdict, if status == 0 { "hit" } else { "miss" }, "{told}");
    rest.split_once(' ').unwrap().1.to_owned()
}

#[test]
fn a_hit_is_told_with_its_age() {
    let cachex = cachex();
    let call = cachex.run("echo hi");
    call.once().misses();
    assert_eq!(verdict(&call.clone().after("10m"), 0), "fresh, 10m old, never expires");
    let limited = call.expires_in("1h").after("10m");
    let told = verdict(&limited, 0);
    assert!(told.starts_with("fresh, 10m old, expires in "), "{told}");
}

#[test]
fn one_that_will_be_refreshed_says_so() {
    let cachex = cachex();
    let mood = cachex.write("mood", "0");
    let call = cachex.run("exit $(cat ../mood)").expires_in("1h");
    let call = call.option("--refresh-after", "1m").failure_expires_in("5m");
    call.once().misses();
    assert!(!verdict(&call.clone().after("30s"), 0).contains("refresh"));
    let due = "will be refreshed in the background at the next call";
    assert!(verdict(&call.clone().after("2m"), 0).ends_with(due));
    fs::write(mood, "1").unwrap();
    call.clone().after("2m").once().exits(0);
    cachex.awaits_quiet();
    let told = verdict(&call.after("2m"), 0);
    assert!(told.ends_with("which failed recently and is not retried yet"), "{told}");
}

#[test]
fn an_expired_one_says_since_when_and_by_whose_limit() {
    let cachex = cachex();
    let call = cachex.run("echo hi");
    let limited = call.clone().expires_in("10m");
    limited.once().misses();
    let told = verdict(&limited.clone().after("13m"), 1);
    assert_eq!(told, "expired 3m ago: recorded with --expires-in 10m");
    assert_eq!(verdict(&call.clone().after("13m"), 1), told);
    let stricter = call.expires_in("1m").after("5m");
    assert_eq!(verdict(&stricter, 1), "expired 4m ago: this call's --expires-in is 1m");
    let told = stricter.clone().explain().once().stdout();
    assert!(told.ends_with("\nwould hit with `--expires-in 10m`\n"), "{told}");
    assert!(told.contains("standard input"), "{told}");
    let failing = cachex.run("exit 3").failure_expires_in("1m");
    failing.once().misses();
    let told = verdict(&failing.after("2m"), 1);
    assert_eq!(told, "expired 1m ago: recorded with --failure-expires-in 1m");
}

#[test]
fn one_that_stands_in_for_a_failure_says_so() {
    let cachex = cachex();
    let mood = cachex.write("mood", "0");
    let call = cachex.run("exit $(cat ../mood)").expires_in("1m").option("--stale-if-error", "1h");
    call.once().misses();
    let told = verdict(&call.clone().after("2m"), 1);
    assert!(told.ends_with("; served if the command fails"), "{told}");
    fs::write(mood, "1").unwrap();
    call.clone().after("2m").once().misses().exits(0);
    let told = verdict(&call.after("2m"), 0);
    assert_eq!(told, "stale, 2m old: the command failed recently and is not retried yet");
}

#[test]
fn one_from_the_future_is_told() {
    let call = cachex().run("echo hi");
    call.clone().after("1h").once().misses();
    assert_eq!(verdict(&call, 1), "recorded in the future: the clock went backwards since");
}

#[test]
fn one_that_is_not_asked_for_is_told() {
    let call = cachex().run("echo hi");
    let forced = call.clone().with("--force");
    assert_eq!(verdict(&forced, 1), "the command always runs: --force");
    call.once().misses();
    let told = forced.explain().once().exits(1).stdout();
    assert!(told.ends_with("\nwould hit without `--force`\n"), "{told}");
    let off = "cachex is switched off: CACHEX_DISABLE or --mode off";
    assert_eq!(verdict(&call.clone().with("--mode off"), 1), off);
    assert_eq!(verdict(&call.env("CACHEX_DISABLE", "1"), 1), off);
}

#[test]
fn what_is_damaged_or_gone_is_told() {
    let cachex = cachex();
    let call = cachex.run("seq 1 10000");
    call.once().misses();
    let blob = cachex.store().join(&cachex.stored_in("v2/blobs")[0]);
    let whole = fs::read(&blob).unwrap();
    flip(&blob, 100);
    assert_eq!(verdict(&call, 1), "some of the recorded output is damaged");
    fs::remove_file(&blob).unwrap();
    assert_eq!(verdict(&call, 1), "some of the recorded output is gone");
    fs::write(&blob, whole).unwrap();
    verdict(&call, 0);
    flip(&cachex.store().join(&cachex.stored_in("v2/young")[0]), 100);
    assert_eq!(verdict(&call, 1), "the record is damaged");
}

#[test]
fn what_lies_in_the_database_alone_is_found() {
    let cachex = cachex();
    let call = cachex.run("echo hi");
    call.once().misses();
    cachex.folds();
    fs::remove_dir_all(cachex.store().join("v2/young")).unwrap();
    assert_eq!(verdict(&call.after("2m"), 0), "fresh, 2m old, never expires");
    assert!(cachex.stored_in("v2/young").is_empty(), "it is not brought up");
}

#[test]
fn a_database_that_cannot_be_read_is_no_obstacle() {
    let cachex = cachex();
    let call = cachex.run("echo hi");
    call.once().misses();
    cachex.folds();
    for file in cachex.stored_in("v2/old") {
        fs::write(cachex.store().join(file), "rubbish").unwrap();
    }
    let told = call.env("A", "1").explain().once().exits(1).stdout();
    assert!(told.contains("\n  variable `A` is new\n"), "{told}");
}

#[test]
fn mistakes_have_a_status_of_their_own() {
    let cachex = cachex();
    cachex.cli(["explain"]).once().exits(2);
    cachex.run("true").with("--expires-in 0s").explain().once().exits(2);
    cachex.run("true").env("CACHEX_EXE", "x").explain().once().exits(2);
    cachex.run("true").with("--status-fd 99 --no-concurrent").explain().once().exits(1).quietly();
    cachex.exec(["no-such-command"]).explain().once().exits(1).mentions(&["command not found"]);
}

#[test]
fn the_variables_that_count_are_listed_by_name() {
    let call = cachex().run("true").env("TOKEN", "hunter2").env("SHLVL", "3");
    let call = call.with("--ignore-env L*").explain();
    let told = call.once().exits(1).stdout();
    assert!(told.contains("5 counted, 5 left out (3 session, 1 directory, 1 option)"), "{told}");
    assert!(!told.contains("TOKEN"), "{told}");
    for option in ["--all", "--verbose"] {
        let told = call.clone().with(option).once().exits(1).stdout();
        // Each name stands below the group that it is of.
        let mut group = "";
        let mut groups = Vec::new();
        for line in told.lines().skip_while(|line| !line.contains("  counted")) {
            let Some((title, name)) = line.split_at_checked(21) else { break };
            if line.starts_with("  standard input") {
                break;
            }
            group = if title.trim().is_empty() { group } else { title.trim() };
            groups.push((group, name));
        }
        for (group, name) in [
            ("counted", "TOKEN"),
            ("not: session", "SHLVL"),
            ("not: session", "CACHEX_DIR"),
            ("not: directory", "PWD"),
            ("not: option", "LANG"),
        ] {
            assert!(groups.contains(&(group, name)), "{name}: {told}");
        }
        assert!(!told.contains("hunter2"), "{told}");
    }
}
