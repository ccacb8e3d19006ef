//! Taking entries out of the store.

use crate::harness::{Cachex, Call, cachex};

#[test]
fn what_is_forgotten_runs_again() {
    let cachex = cachex();
    let (call, other) = (cachex.run("echo hi"), cachex.run("echo other"));
    call.once().misses();
    other.once().misses();
    call.clone().forget().once().runs(0).exits(0);
    other.once().hits();
    call.once().misses();
    call.once().hits();
}

#[test]
fn the_options_of_run_that_count_name_the_same_key() {
    let cachex = cachex();
    let call = cachex.run("cat").stdin("input").with("--no-cwd --env HOME --exe content --key k");
    call.once().misses();
    cachex.run("cat").stdin("input").forget().once();
    call.once().hits();
    call.clone().stdin("else").forget().once();
    call.once().hits();
    call.clone().inside(cachex.path("home")).forget().once().exits(0);
    call.once().misses();
}

#[test]
fn forgetting_reaches_what_was_folded() {
    let cachex = cachex();
    let call = cachex.run("seq 1 10000");
    call.once().misses();
    cachex.folds();
    call.clone().forget().once().exits(0);
    call.once().misses();
}

#[test]
fn forgetting_what_is_not_there_is_harmless() {
    let cachex = cachex();
    let outcome = cachex.run("echo hi").forget().once().runs(0);
    assert!(!outcome.stderr().contains("panic"));
    cachex.run("echo hi").twice().runs_once();
}

#[test]
fn clearing_takes_everything() {
    let cachex = cachex();
    let calls = [cachex.run("echo hi"), cachex.run("seq 1 100000"), cachex.run("exit 3")];
    for call in &calls {
        call.once().misses();
    }
    cachex.folds();
    let after = cachex.run("echo young");
    after.once().misses();
    cachex.cli(["clear", "--yes"]).once().exits(0);
    assert!(cachex.stored_in("v2/young").is_empty(), "{:?}", cachex.stored());
    assert!(cachex.stored_in("v2/blobs").is_empty(), "{:?}", cachex.stored());
    for call in calls.iter().chain([&after]) {
        call.twice().runs_once();
    }
}

#[test]
fn clearing_asks_first() {
    let cachex = cachex();
    let call = cachex.run("echo hi");
    call.once().misses();
    // With nobody there to answer.
    let outcome = cachex.cli(["clear"]).once().mentions(&["--yes"]);
    assert!(!outcome.succeeded());
    call.once().hits();
}

#[test]
fn clearing_takes_nothing_but_what_is_its_own() {
    let cachex = cachex();
    cachex.run("echo hi").once().misses();
    cachex.write("store/v99/young/aa", "of a newer format");
    cachex.write("store/notes", "of somebody else");
    cachex.cli(["clear", "--yes"]).once().exits(0);
    assert!(cachex.path("store/v99/young/aa").exists());
    assert!(cachex.path("store/notes").exists());
}

#[test]
fn clearing_where_nothing_is_is_harmless() {
    let cachex = cachex();
    cachex.cli(["clear", "--yes"]).once().exits(0);
    cachex.run("echo hi").twice().runs_once();
}

#[test]
fn what_is_forgotten_does_not_come_back_from_behind_a_damaged_filter() {
    let cachex = cachex();
    let call = cachex.run("echo hi");
    call.once().misses();
    cachex.folds();
    std::fs::remove_dir_all(cachex.store().join("v2/young")).unwrap();
    let filter = cachex.store().join("v2/old.keys");
    let mut bytes = std::fs::read(&filter).unwrap();
    // The last bit of every key's prefix.
    for at in (16..bytes.len()).step_by(8) {
        bytes[at + 7] ^= 1;
    }
    std::fs::write(&filter, bytes).unwrap();
    let said = call.clone().forget().once().exits(0).stdout();
    assert!(said.starts_with("1 entry forgotten, "), "{said}");
    cachex.folds();
    call.once().misses();
}

#[test]
fn variables_that_count_count_for_forget() {
    let cachex = cachex();
    let call = cachex.run("pwd -P").env("CACHEX_NO_CWD", "1").env("CACHEX_SCOPE", "work");
    call.once().misses();
    cachex.run("pwd -P").forget().once().prints("no entry forgotten\n");
    call.once().hits();
    let elsewhere = call.clone().inside(cachex.path("home"));
    assert!(elsewhere.forget().once().stdout().starts_with("1 entry forgotten, "));
    call.once().misses();
}

/// `echo 1` to `echo 4`: recorded one, two, three and four hours ago, the odd
/// ones with the tag `odd`, the first two in the scope `new`, the last with a
/// failure.
fn four() -> (Cachex, [Call; 4]) {
    let cachex = cachex();
    let calls = [1, 2, 3, 4].map(|n| {
        let script = if n == 4 { "exit 4".to_owned() } else { format!("echo {n}") };
        let call = cachex.run(&script).env("CACHEX_FAILURE_EXPIRES_IN", "10d");
        let call = call.with(if n % 2 == 1 { "--tag odd" } else { "--tag even" });
        let call = if n < 3 { call.option("--scope", "new") } else { call };
        call.clone().before(&format!("{n}h")).once().misses();
        call
    });
    (cachex, calls)
}

/// Which of the calls would be hits.
fn kept(calls: &[Call; 4]) -> [bool; 4] {
    let absent =
        |call: &Call| call.clone().with("--cached-only --miss-status 99").once().exited_with(99);
    calls.each_ref().map(|call| !absent(call))
}

#[test]
fn entries_are_forgotten_by_what_they_are_and_conditions_add_up() {
    for (options, left) in [
        ("--tag odd", [false, true, false, true]),
        ("--scope new", [false, false, true, true]),
        ("--older-than 150m", [true, true, false, false]),
        ("--failed", [true, true, true, false]),
        ("--command sh*echo?[23]", [true, false, false, true]),
        ("--command exit", [true, true, true, false]),
        ("--tag odd --scope new", [false, true, true, true]),
        ("--tag odd --failed", [true; 4]),
        ("--older-than 30m", [false; 4]),
    ] {
        let (cachex, calls) = four();
        let gone = left.iter().filter(|left| !**left).count();
        let forget = || cachex.cli(["forget"]).with(options);
        let rehearsed = forget().with("--dry-run").once().exits(0).quietly().stdout();
        assert_eq!(rehearsed.lines().count(), 1 + gone + usize::from(gone > 0), "{rehearsed}");
        assert_eq!(kept(&calls), [true; 4], "{options} --dry-run");
        let said = forget().once().exits(0).quietly().stdout();
        let expected = match gone {
            0 => "no entry forgotten\n".to_owned(),
            1 => "1 entry forgotten, ".to_owned(),
            _ => format!("{gone} entries forgotten, "),
        };
        assert!(said.starts_with(&expected), "{options}: {said}");
        assert_eq!(kept(&calls), left, "{options}");
    }
}

#[test]
fn a_condition_holds_for_a_command_and_for_keys_too() {
    let (cachex, calls) = four();
    calls[2].clone().forget().with("--failed").once().prints("no entry forgotten\n");
    assert_eq!(kept(&calls), [true; 4]);
    let keys = [calls[0].key(), calls[3].key()];
    let forget = cachex.cli(["forget"]).with(&keys.join(" "));
    assert!(forget.clone().with("--failed").once().stdout().starts_with("1 entry forgotten"));
    assert_eq!(kept(&calls), [true, true, true, false]);
    // One of them is not there: none goes.
    forget.once().exits(1).says_one_line(&["no entry has a key", &keys[1]]);
    assert_eq!(kept(&calls), [true, true, true, false]);
    assert!(cachex.cli(["forget", &keys[0]]).once().stdout().starts_with("1 entry forgotten"));
    assert_eq!(kept(&calls), [false, true, true, false]);
}

#[test]
fn forgetting_wants_to_be_told_what() {
    let cachex = cachex();
    cachex.cli(["forget"]).once().exits(2).mentions(&["KEY-PREFIX"]);
    cachex.cli(["forget", "--dry-run"]).once().exits(2);
    cachex.cli(["forget", "--no-cwd", "--failed"]).once().exits(2).mentions(&["without a command"]);
    cachex.cli(["forget", "0000", "--", "true"]).once().exits(2);
    cachex.cli(["forget", "echo", "hi"]).once().exits(2).mentions(&["after `--`"]);
    assert!(!cachex.store().exists());
}

#[test]
fn json_has_it_all_under_stable_names() {
    let (cachex, calls) = four();
    let json = |args: &[&str]| -> serde_json::Value {
        let text = cachex.cli(args.iter().copied()).with("--json").once().exits(0).quietly();
        serde_json::from_str(&text.stdout()).unwrap()
    };
    let forgotten = json(&["forget", "--tag", "odd"]);
    let names: Vec<&str> = forgotten.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["dry_run", "freed_bytes", "keys", "remote", "removed"]);
    assert_eq!((&forgotten["dry_run"], &forgotten["removed"]), (&false.into(), &2.into()));
    assert_eq!(forgotten["keys"].as_array().unwrap().len(), 2);
    assert!(forgotten["freed_bytes"].as_u64().unwrap() > 0);
    let rehearsed = json(&["clear", "--dry-run"]);
    assert_eq!((&rehearsed["dry_run"], &rehearsed["removed"]), (&true.into(), &2.into()));
    assert_eq!(kept(&calls), [false, true, false, true]);
    let cleared = json(&["clear", "--yes"]);
    assert_eq!((&cleared["dry_run"], &cleared["removed"]), (&false.into(), &2.into()));
    assert_eq!(kept(&calls), [false; 4]);
    cachex.cli(["clear", "--yes", "--quiet"]).once().exits(0).prints("").quietly();
}

#[test]
fn a_terminal_is_asked_before_everything_goes() {
    let (cachex, calls) = four();
    let mut terminal = cachex.terminal();
    terminal.types("cachex clear; echo status $?").shows("[y/N]").types("n").shows("status 1");
    assert_eq!(kept(&calls), [true; 4]);
    terminal.types("cachex clear; echo status $?").shows("[y/N]").types("y").shows("status 0");
    assert_eq!(kept(&calls), [false; 4]);
}

#[test]
fn what_is_forgotten_at_once_by_many_is_forgotten() {
    let cachex = cachex();
    cachex.shell("seq 1 300 | xargs -P 4 -I{} cachex run --tag t -- echo {}").once().exits(0);
    cachex.cli(["forget", "--tag", "t"]).simultaneously(4).exits(0);
    cachex.cli(["list"]).once().exits(0).prints("");
    assert!(cachex.stored_in("v2/young").is_empty());
}
