//! `cachex remote push`, and stores that rules name.

use super::{Shared, files_below, json, shared};
use crate::harness::Call;
use serde_json::Value;
use std::fs;

fn fields(told: &Value) -> [u64; 4] {
    ["chosen", "kept_here", "sent", "left"].map(|name| told[name].as_u64().unwrap())
}

/// Something that was recorded while no store was shared.
fn recorded_alone(shared: &Shared, script: &str, options: &str) -> Call {
    let call = shared.0.run(script).with(options);
    call.once().misses();
    call
}

#[test]
fn what_was_recorded_before_is_sent() {
    let shared = shared();
    let calls = ["echo 1", "seq 1 100000"].map(|script| recorded_alone(&shared, script, ""));
    let told = shared.json("remote push --dry-run");
    assert_eq!((fields(&told), &told["dry_run"]), ([2, 0, 0, 0], &true.into()));
    assert!(shared.objects().is_empty());
    let said = shared.cli("remote push").once().exits(0).quietly().stdout();
    assert!(said.starts_with("2 entries sent, "), "{said}");
    for call in calls {
        shared.elsewhere(&shared.here(call)).once().hits().quietly();
    }
}

#[test]
fn what_stays_here_and_what_is_of_no_use_is_passed_over() {
    let shared = shared();
    recorded_alone(&shared, "echo 1", "--local");
    recorded_alone(&shared, "echo 2", "--portable");
    recorded_alone(&shared, "echo 3", "--expires-in 1m");
    shared.0.tool("vault", "echo secret");
    shared.0.exec(["vault", "read", "a"]).once().exits(0);
    recorded_alone(&shared, "echo 4; : ruled", "");
    shared.0.config("[[command]]\nmatch = \"sh -c *ruled\"\nlocal = true\n");
    let push = shared.cli("remote push").after("1h");
    let told = json(&push);
    assert_eq!(fields(&told), [0, 4, 0, 0], "{told}");
    assert!(shared.objects().is_empty());
}

#[test]
fn only_what_meets_every_condition_is_sent() {
    let shared = shared();
    recorded_alone(&shared, "echo 1", "--tag t --scope s");
    recorded_alone(&shared, "echo 2", "--tag t");
    recorded_alone(&shared, "echo 3", "");
    for (conditions, chosen) in [
        ("", 3),
        ("--tag t", 2),
        ("--tag t --scope s", 1),
        ("--command *echo?3*", 1),
        ("--newer-than 1h", 3),
        ("--cwd /", 0),
    ] {
        let told = shared.json(&format!("remote push --dry-run {conditions}"));
        assert_eq!(told["chosen"], chosen, "{conditions}");
    }
    let old = shared.cli("remote push --dry-run --newer-than 1h").after("2h");
    assert_eq!(json(&old)["chosen"], 0);
}

#[test]
fn after_another_secret_or_an_import_all_of_it_is_sent_again() {
    let shared = shared();
    let call = shared.recorded("echo hi");
    let with = |call: Call| call.env("CACHEX_REMOTE_SECRET", "new");
    let theirs = with(shared.elsewhere(&call));
    assert_eq!(theirs.once().executions(), 1);
    shared.0.awaits_quiet();
    fs::remove_dir_all(shared.0.path("elsewhere")).unwrap();
    with(shared.cli("remote push")).once().exits(0);
    theirs.once().hits();
    shared.cli("export --to archive").inside(shared.0.work()).once().exits(0);
    let third = |call: Call| call.env("CACHEX_DIR", shared.0.path("third"));
    third(shared.cli("import archive")).inside(shared.0.work()).once().exits(0);
    fs::remove_dir_all(shared.folder()).unwrap();
    shared.appears();
    third(shared.cli("remote push")).once().exits(0);
    shared.elsewhere(&call).env("CACHEX_DIR", shared.0.path("fourth")).once().hits();
}

#[test]
fn where_it_cannot_be_sent_it_waits_and_the_status_is_1() {
    let shared = super::away();
    recorded_alone(&shared, "echo 1", "");
    shared
        .cli("remote push")
        .once()
        .exits(1)
        .says_one_line(&["1 entry still waiting", "no folder"]);
    shared.appears();
    shared.cli("remote flush").once().exits(0).shows(&["1 entry sent"]);
    let read_only = shared.cli("remote push").env("CACHEX_REMOTE_MODE", "read-only");
    read_only.once().exits(0).shows(&["nothing to do"]);
}

#[test]
fn a_store_that_a_rule_names_is_checked_flushed_and_pushed_to() {
    let shared = shared();
    let other = shared.0.path("other");
    fs::create_dir(&other).unwrap();
    let rule =
        format!("[[command]]\nmatch = \"sh -c *ruled\"\nremote = \"file://{}\"\n", other.display());
    shared.0.config(&rule);
    let ruled = shared.0.run("echo hi; : ruled");
    ruled.once().misses();
    recorded_alone(&shared, "echo not shared", "");
    let cli = |words: &str| shared.0.cli(words.split(' '));
    cli("remote flush").once().exits(0).quietly();
    assert_eq!(files_below(&other).len(), 1);
    cli("remote check").once().exits(0).shows(&["/other"]);
    fs::remove_dir_all(&other).unwrap();
    cli("remote check").once().exits(1).shows(&["make that folder"]);
    fs::create_dir(&other).unwrap();
    cli("remote push").once().exits(0).shows(&["1 entry sent"]);
    assert_eq!(files_below(&other).len(), 1);
    // Beside one for all other commands, each result goes where its command's do.
    shared.0.config(format!("remote = \"{}\"\n{rule}", shared.url()));
    let both = cli("remote push").once().exits(0).stdout();
    assert_eq!((both.lines().count(), shared.objects().len()), (2, 1), "{both}");
    assert_eq!(files_below(&other).len(), 1);
    let to_one = cli("remote push --dry-run --json").option("--remote", shared.url());
    let told: Value = serde_json::from_str(&to_one.once().stdout()).unwrap();
    assert_eq!(told["chosen"], 2);
}
