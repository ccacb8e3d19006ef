//! `cachex explain`: why a call missed, told from outside.

mod json;
mod states;
mod variables;

use crate::harness::{Cachex, Call, cachex, contains, copy};
use std::fs::{self, File};
use std::time::{Duration, UNIX_EPOCH};

/// What is said of a call that misses, below what counts.
#[track_caller]
fn told(call: &Call) -> String {
    let told = call.clone().explain().once().exits(1).runs(0).quietly().stdout();
    assert!(told.starts_with("miss "), "{told}");
    told.split_once("\n\n").map_or_else(String::new, |(_, told)| told.to_owned())
}

/// The call is told to miss, with these lines, and no other difference.
#[track_caller]
fn differs(call: &Call, differences: &[&str]) -> String {
    let told = told(call);
    let lines = told.lines().filter_map(|line| line.strip_prefix("  "));
    assert_eq!(lines.collect::<Vec<_>>(), differences, "{told}");
    told
}

/// This is what is told last. Where it leaves something out of the key, it is told when
/// that is right.
#[track_caller]
fn advised(told: &str, advice: &str) {
    let caution = "leave something out only if the output does not depend on it\n";
    let leaves_out = if advice.contains("without") {
        advice.contains("--key") || advice.contains("--scope")
    } else {
        ["env", "exe", "cwd", "stdin"].iter().any(|it| advice.contains(it))
    };
    let caution = if leaves_out { caution } else { "" };
    assert!(told.ends_with(&format!("{advice}{caution}")), "{told}");
}

/// What is told to make it hit does.
#[track_caller]
fn would_hit(call: &Call, told: &str, options: &str) {
    advised(told, &format!("would hit with `{options}`\n"));
    call.clone().with(options).explain().once().exits(0);
    call.clone().with(options).once().hits();
}

/// What is told to leave out the differences does: two calls are one with it.
#[track_caller]
fn would_share(one: &Call, other: &Call, told: &str, options: &str) {
    advised(
        told,
        &format!("`{options}` leaves out what differs: calls with it share one result\n"),
    );
    one.clone().with(options).once().misses();
    other.clone().with(options).once().hits();
}

#[test]
fn standard_input_that_differs_is_told_and_not_shown() {
    let call = cachex().run("cat");
    let then = call.clone().stdin("a secret");
    then.once().misses();
    let told = differs(&call.clone().stdin("another"), &["standard input differs"]);
    assert!(told.ends_with("  standard input differs\n"), "no advice: {told}");
    let told = differs(&call, &["standard input differs"]);
    assert!(!told.contains("secret"));
}

#[test]
fn a_kind_of_standard_input_is_told_with_what_makes_it_hit() {
    let call = cachex().run("cat");
    call.once().misses();
    let now = call.clone().stdin("x");
    let told = differs(&now, &["standard input differs: empty when it was recorded"]);
    assert!(told.ends_with("would hit with `</dev/null`\n"), "{told}");
    let cachex = cachex();
    let call = cachex.run("cat");
    call.clone().with("--stdin null").once().misses();
    let told = differs(&call, &["standard input differs: null when it was recorded"]);
    would_hit(&call, &told, "--stdin null");
    let closed = call.clone().with("--key x").stdin_closed();
    closed.once().misses();
    let now = call.with("--key x").stdin("x");
    differs(&now, &["standard input differs: closed when it was recorded"]);
}

#[test]
fn an_executable_that_changed_is_told_with_what_changed() {
    let cachex = cachex();
    let path = cachex.tool("tool", "echo hi");
    let at = |seconds| {
        let time = UNIX_EPOCH + Duration::from_secs(seconds);
        File::open(&path).unwrap().set_modified(time).unwrap();
    };
    at(1);
    let call = cachex.exec(["tool"]);
    call.once().misses();
    at(2);
    let tool = path.display();
    let by_name = differs(&call, &[&format!("`{tool}` changed: modification time")]);
    cachex.tool("tool", "echo more");
    differs(&call, &[&format!("`{tool}` changed: size, modification time")]);
    at(1);
    differs(&call, &[&format!("`{tool}` changed: size")]);
    would_share(&call, &call, &by_name, "--exe name");
}

#[test]
fn contents_that_changed_are_told() {
    let cachex = cachex();
    let path = cachex.tool("tool", "echo hi");
    let call = cachex.exec(["tool"]).with("--exe content");
    call.once().misses();
    cachex.tool("tool", "echo more");
    differs(&call, &[&format!("`{}` changed: its contents", path.display())]);
}

#[test]
fn an_executable_that_lies_elsewhere_is_told() {
    let cachex = cachex();
    let first = cachex.tool("tool", "echo hi");
    let call = cachex.exec(["tool"]);
    call.once().misses();
    let elsewhere = cachex.path("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    fs::rename(&first, elsewhere.join("tool")).unwrap();
    std::os::unix::fs::symlink(elsewhere.join("tool"), &first).unwrap();
    let now = elsewhere.join("tool");
    differs(&call, &[&format!("the executable is in another place: now `{}`", now.display())]);
}

#[test]
fn another_way_to_count_the_executable_is_told() {
    let call = cachex().run("echo hi");
    call.clone().with("--exe name").once().misses();
    let how = "the executable is compared in another way: recorded with `--exe name`";
    let told = differs(&call, &[how]);
    would_hit(&call, &told, "--exe name");
    let now = call.clone().with("--exe content");
    would_hit(&call, &differs(&now, &[how]), "--exe name");
}

#[test]
fn another_folder_is_told_with_the_one_it_was() {
    let cachex = cachex();
    let there = cachex.path("there");
    fs::create_dir(&there).unwrap();
    let call = cachex.run("echo hi");
    let then = call.clone().inside(there.clone());
    then.once().misses();
    let line = format!("working directory differs: recorded in {}", there.display());
    let told = differs(&call, &[&line]);
    would_share(&call, &then, &told, "--no-cwd");
}

#[test]
fn a_result_for_any_folder_is_told_with_the_option_that_hits() {
    let cachex = cachex();
    let call = cachex.run("echo hi");
    call.clone().with("--no-cwd").once().misses();
    let told = differs(&call, &["working directory is in the key now: recorded with `--no-cwd`"]);
    would_hit(&call, &told, "--no-cwd");
    let call = cachex.run("echo more");
    call.once().misses();
    let line =
        format!("working directory is not in the key now: recorded in {}", cachex.work().display());
    let told = differs(&call.with("--no-cwd"), &[&line]);
    assert!(told.ends_with("would hit without `--no-cwd`\n"), "{told}");
}

#[test]
fn a_scope_and_a_text_that_differ_are_told() {
    let call = cachex().run("echo hi");
    call.clone().with("--key one --scope a").once().misses();
    let with = |options: &str| call.clone().with(options);
    let told = differs(&with("--key one --scope b"), &["scope differs: recorded in a"]);
    assert!(told.ends_with("would hit with `--scope a`\n"), "{told}");
    let told = differs(&with("--key one"), &["scope is gone: recorded in a"]);
    would_hit(&with("--key one"), &told, "--scope a");
    let told = differs(&with("--key two --scope a"), &["key text differs"]);
    assert!(!told.contains("one") && !told.contains("two"), "{told}");
    differs(&with("--scope a"), &["key text is gone"]);
}

#[test]
fn a_scope_and_a_text_that_were_not_given_can_be_left_out() {
    let call = cachex().run("echo hi");
    call.once().misses();
    let now = call.with("--key x --scope y");
    let told = differs(&now, &["key text is new", "scope is new: recorded without one"]);
    advised(&told, "would hit without `--key --scope`\n");
}

#[test]
fn other_arguments_are_shown_word_by_word() {
    let cachex = cachex();
    cachex.tool("kubectl", "echo hi");
    cachex.exec(["kubectl", "get", "pods", "-o", "wide"]).once().misses();
    let of = |words: &[&str]| cachex.exec(["kubectl"].iter().chain(words).copied());
    differs(&of(&["get", "nodes", "-o", "wide"]), &["arguments differ: nodes in place of pods"]);
    differs(&of(&["get", "pods"]), &["arguments differ: -o wide is gone"]);
    let steering = of(&["get", "pods", "-o", "\x1b[2J\n"]);
    let told = differs(&steering, &["arguments differ: $'\\033[2J\\n' in place of wide"]);
    assert!(!contains(told.as_bytes(), b"\x1b"), "{told:?}");
}

#[test]
fn the_same_command_line_comes_first_and_then_what_differs_least_and_then_the_newest() {
    let cachex = cachex();
    cachex.tool("tool", "echo hi");
    let call = |words: &[&str]| cachex.exec(["tool"].iter().chain(words).copied());
    let far = call(&["a"]).env("V1", "1").env("V2", "1").env("V3", "1");
    far.clone().before("3h").once().misses();
    let other_line = call(&["b"]);
    other_line.clone().before("1h").once().misses();
    let three = ["variable `V1` is gone", "variable `V2` is gone", "variable `V3` is gone"];
    for folded in [false, true] {
        if folded {
            cachex.folds();
            fs::remove_dir_all(cachex.store().join("v2/young")).unwrap();
        }
        assert!(differs(&call(&["a"]), &three).contains("recorded 3h ago: the same command line"));
        let told = differs(&call(&["c"]), &["arguments differ: c in place of b"]);
        assert!(told.contains("recorded 1h ago: tool b"), "{told}");
    }
    call(&["a"]).env("V1", "1").before("2h").once().misses();
    assert!(differs(&call(&["a"]), &three[..1]).contains("recorded 2h ago"));
    call(&["a"]).env("W", "1").before("90m").once().misses();
    assert!(differs(&call(&["a"]), &["variable `W` is gone"]).contains("recorded 1h ago"));
}

#[test]
fn a_command_that_nothing_is_recorded_of_is_like_nothing() {
    let cachex = cachex();
    assert_eq!(told(&cachex.run("echo hi")), "nothing like it is recorded\n");
    assert!(cachex.stored().is_empty(), "no store is made: {:?}", cachex.stored());
    cachex.exec(["true"]).once().exits(0);
    assert_eq!(told(&cachex.run("echo hi")), "nothing like it is recorded\n");
}

#[test]
fn what_was_summed_with_another_secret_is_not_compared() {
    let cachex = cachex();
    let call = cachex.run("echo hi");
    call.once().misses();
    fs::remove_file(cachex.store().join("v2/secret")).unwrap();
    let line = "recorded with another secret, parts cannot be compared";
    differs(&call.clone().env("A", "1"), &[line]);
    cachex.exec(["true"]).once().exits(0);
    differs(&call.env("A", "1"), &[line]);
}

#[test]
fn a_thousand_variables_are_compared_as_far_as_they_were_kept() {
    let mut call = cachex().run("echo hi");
    for n in 0..1000 {
        call = call.env(format!("VARIABLE_{n}"), "x");
    }
    call.once().misses();
    call.once().hits();
    let told = told(&call.stdin("x").env("VARIABLE_7", "y"));
    assert!(told.contains("  standard input differs: empty when it was recorded\n"), "{told}");
    assert!(told.contains("variables cannot be compared: not all names were kept"), "{told}");
}

#[test]
fn verbose_says_in_one_line_what_differs() {
    let cachex = cachex();
    let call = cachex.run("echo hi");
    let verbose = |call: &Call| call.clone().with("--verbose").once().misses();
    let then = call.clone().env("AWS_PROFILE", "a");
    verbose(&then).says_one_line(&["not recorded yet; ran"]);
    let now = then.clone().env("AWS_PROFILE", "b").after("5m");
    let line = "not recorded yet: variable `AWS_PROFILE` differs from the one recorded 5m ago; ran";
    verbose(&now).says_one_line(&[line]);
    cachex.folds();
    let now = now.env("AWS_PROFILE", "c").env("B", "1").env("C", "1").env("D", "1");
    let line = "variable `AWS_PROFILE` differs, variable `B` is new, and 2 more differences, since";
    verbose(&now).says_one_line(&[line]);
    // Of another command nothing is said, and without `--verbose` nothing at all.
    verbose(&cachex.run("echo more")).says_one_line(&["not recorded yet; ran"]);
    now.env("E", "1").once().misses().quietly();
}

#[test]
fn nothing_of_the_store_is_changed() {
    let cachex = cachex();
    let call = cachex.run("echo hi; seq 1 2000").expires_in("10m");
    call.once().misses();
    let folded = cachex.run("echo more");
    folded.once().misses();
    cachex.folds();
    let young = cachex.store().join("v2/young");
    fs::remove_dir_all(&young).unwrap();
    call.clone().with("--force").once().misses();
    cachex.awaits_quiet();
    let before = snapshot(&cachex);
    call.clone().explain().once().exits(0).hits();
    folded.clone().explain().once().exits(0).hits();
    call.clone().after("10m").explain().once().exits(1).hits();
    folded.clone().env("A", "1").explain().once().exits(1).hits();
    cachex.awaits_quiet();
    assert_eq!(snapshot(&cachex), before);
}

/// Every file of the store but the database's own, with its content.
fn snapshot(cachex: &Cachex) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let files = cachex.stored_in("v2").into_iter();
    let own = files.filter(|path| !path.starts_with("v2/old"));
    own.map(|path| (path.clone(), fs::read(cachex.store().join(path)).unwrap())).collect()
}

#[test]
fn two_stores_have_different_sums_of_one_value() {
    let cachex = cachex();
    let other = cachex.path("other");
    let call = cachex.run("echo hi").env("TOKEN", "short");
    call.once().misses();
    call.clone().option("--cache-dir", &other).once().misses();
    let secret = |store: &std::path::Path| fs::read(store.join("v2/secret")).unwrap();
    assert_ne!(secret(&cachex.store()), secret(&other));
    // With the other's entries and not its secret, nothing compares.
    fs::remove_dir_all(cachex.store().join("v2/young")).unwrap();
    copy(&other.join("v2/young"), &cachex.store().join("v2/young"));
    differs(
        &call.env("TOKEN", "other"),
        &["recorded with another secret, parts cannot be compared"],
    );
}
