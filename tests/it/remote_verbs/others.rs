//! What the verbs that are not about remote stores alone say and do where there is one.

use super::{Shared, away, json, shared};
use crate::harness::{Call, Proxy, Redis, cachex, eventually};
use serde_json::Value;
use std::fs;
use std::time::Duration;

/// What a call of `run` reports.
fn reported(shared: &Shared, call: &Call) -> Value {
    let path = shared.0.path("status");
    call.clone().option("--status-file", &path).once();
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn a_hit_that_came_from_afar_is_told_apart() {
    let shared = shared();
    let call = shared.recorded("echo hi");
    let theirs = shared.elsewhere(&call);
    theirs.clone().with("--verbose").once().hits().warns_once(&["hit (remote) ", "saved"]);
    let again = theirs.clone().with("--verbose").once().hits().stderr();
    assert!(again.starts_with("cachex: hit ") && !again.contains("remote"), "{again}");
    fs::remove_dir_all(shared.0.path("elsewhere")).unwrap();
    let told = reported(&shared, &theirs);
    assert_eq!((&told["result"], &told["remote"]), (&"hit".into(), &true.into()));
    assert_eq!(reported(&shared, &theirs)["remote"], false);
    assert_eq!(reported(&shared, &shared.run("echo else"))["remote"], false);
}

#[test]
fn what_is_forgotten_is_forgotten_everywhere() {
    let shared = shared();
    let call = shared.recorded("echo hi");
    call.clone().forget().with("--dry-run").once().exits(0);
    assert_eq!(shared.objects().len(), 1);
    let said = call.clone().forget().once().exits(0).quietly().stdout();
    let ends = format!("; 1 result taken out of {}\n", shared.url());
    assert!(said.starts_with("1 entry forgotten, ") && said.ends_with(&ends), "{said}");
    assert!(shared.objects().is_empty());
    shared.elsewhere(&call).once().misses();
}

#[test]
fn what_others_recorded_can_be_forgotten_from_here() {
    let shared = shared();
    let call = shared.recorded("echo hi");
    let theirs = shared.elsewhere(&call).forget();
    let told = json(&theirs);
    assert_eq!((&told["removed"], &told["remote"]["asked"]), (&0.into(), &1.into()));
    assert_eq!(
        (&told["remote"]["url"], &told["remote"]["error"]),
        (&shared.url().into(), &Value::Null)
    );
    assert!(shared.objects().is_empty());
    // By what is only known here, nothing is taken out there.
    let call = shared.recorded("echo else");
    let told = json(&shared.elsewhere(&call).forget().with("--failed"));
    assert_eq!((&told["remote"], shared.objects().len()), (&Value::Null, 1));
}

#[test]
fn a_whole_key_is_forgotten_there_be_it_known_here_or_not() {
    let shared = shared();
    let (one, _) = (shared.recorded("echo 1"), shared.recorded("echo 2"));
    let others = shared.elsewhere(&shared.run("echo 3"));
    others.once().misses();
    shared.elsewhere(&shared.cli("remote flush")).once().exits(0);
    assert_eq!(shared.objects().len(), 3);
    let forget = |words: &str| shared.elsewhere(&shared.cli(&format!("forget {words}")));
    let key = json(&one.explain())["key"].as_str().unwrap().to_owned();
    // The beginning of a key says too little to who does not know it.
    forget(&key[..12]).once().exits(1);
    let told = json(&forget(&key));
    assert_eq!((&told["removed"], &told["remote"]["asked"]), (&0.into(), &1.into()), "{told}");
    assert_eq!(shared.objects().len(), 2);
    // It takes nothing else out here.
    others.once().hits();
    forget(&key).env("CACHEX_REMOTE_MODE", "read-only").once().exits(1);
}

#[test]
fn keys_and_conditions_reach_the_remote_store_too() {
    let shared = shared();
    let [one, other] = ["echo 1", "echo 2"].map(|script| shared.run(script).with("--tag t"));
    one.once().misses();
    other.once().misses();
    shared.cli("remote flush").once().exits(0);
    assert_eq!(shared.objects().len(), 2);
    shared.cli(&format!("forget {}", one.key())).once().exits(0);
    assert_eq!(shared.objects().len(), 1);
    shared.cli("forget --tag t").once().exits(0);
    assert!(shared.objects().is_empty());
    shared.elsewhere(&other).once().misses();
}

#[test]
fn what_was_about_to_be_sent_is_forgotten_too() {
    let shared = shared();
    for n in 0..5 {
        let call = shared.run(&format!("echo {n}"));
        call.once().misses();
        call.clone().forget().once().exits(0);
        shared.0.awaits_quiet();
        assert!(shared.objects().is_empty(), "{n}");
    }
    assert_eq!(shared.json("remote stats")["queued"], 0);
}

#[test]
fn what_is_under_way_is_forgotten_too() {
    let redis = Redis::start();
    let proxy = Proxy::before(&redis);
    let cachex = cachex();
    let call = cachex.run("head -c 20000000 /dev/urandom").output_counted().remote(&proxy);
    let call = call.env("CACHEX_REMOTE_TIMEOUT", "30s");
    proxy.delays_requests(Duration::from_millis(5));
    call.once().misses();
    eventually("some of it to go", || (proxy.requested() > 100_000).then_some(()));
    call.forget().once().exits(0).quietly();
    cachex.awaits_quiet();
    let mut entries = redis.keys();
    entries.retain(|key| key.contains("/e/"));
    assert!(entries.is_empty(), "{entries:?}");
}

#[test]
fn a_remote_store_that_cannot_be_told_is_a_warning_and_the_rest_is_done() {
    let shared = shared();
    let call = shared.recorded("echo hi");
    fs::rename(shared.folder(), shared.0.path("unplugged")).unwrap();
    let said = call.clone().forget().once().exits(0).warns_once(&["remote store", "come back"]);
    assert!(said.stdout().starts_with("1 entry forgotten, "));
    call.once().misses();
    let told = json(&call.clone().forget());
    assert!(told["remote"]["error"].as_str().unwrap().contains("no folder"), "{told}");
    call.once().misses();
    call.clone().forget().with("--quiet").once().exits(0).prints("").quietly();
    shared.0.awaits_quiet();
}

#[test]
fn a_result_that_is_only_where_nobody_can_be_told_is_not_forgotten() {
    let shared = away();
    let call = shared.run("echo hi");
    let key = json(&call.clone().explain())["key"].as_str().unwrap().to_owned();
    let by_key = shared.cli(&format!("forget {key}"));
    for forget in [by_key.clone(), by_key.with("--quiet"), call.clone().forget()] {
        let said = forget.once().exits(1).warns_once(&["could not be told: there is no folder"]);
        assert!(said.stderr().contains("make that folder"), "{}", said.stderr());
        let told = json(&forget);
        assert_eq!(told["removed"], 0);
    }
    call.forget().with("--dry-run").once().exits(0).quietly();
}

#[test]
fn where_it_is_only_read_from_what_is_forgotten_may_come_back() {
    let shared = shared();
    let call = shared.recorded("echo hi");
    let forget = call.clone().forget().option("--remote-mode", "read-only");
    forget.once().exits(0).warns_once(&["is read-only", "come back"]);
    assert_eq!(shared.objects().len(), 1);
    call.clone().forget().option("--remote-mode", "off").once().exits(0).quietly();
    assert_eq!(shared.objects().len(), 1);
    call.once().hits();
}

#[test]
fn an_option_names_the_store_for_every_verb() {
    let shared = shared();
    let call = shared.0.run("echo hi").option("--remote", shared.url());
    call.once().misses();
    let flush = shared.0.cli(["remote", "flush"]).option("--remote", shared.url());
    flush.once().exits(0).quietly();
    call.clone().explain().once().exits(0);
    let show = shared.0.cli(["show", "--stdout"]).option("--remote", shared.url());
    let argv = ["sh".to_owned(), "-c".to_owned(), shared.0.counting("echo hi")];
    show.command(argv).once().exits(0).prints("hi\n");
    call.clone().forget().once().exits(0).shows(&["1 entry forgotten", "1 result taken out"]);
    call.once().misses();
}

#[test]
fn clearing_and_pruning_leave_the_remote_store_alone() {
    let shared = away();
    let call = shared.run("echo hi");
    call.once().misses();
    shared.0.awaits_quiet();
    assert_eq!(shared.json("remote stats")["queued"], 1);
    shared.cli("clear --yes").once().exits(0);
    let stats = shared.json("remote stats");
    assert_eq!(
        (&stats["queued"], &stats["paused"], &stats["unsent"]),
        (&0.into(), &Value::Null, &Value::Null)
    );
    shared.appears();
    let call = shared.recorded("echo hi");
    shared.cli("prune --max-age 1ns").once().exits(0);
    shared.cli("clear --yes").once().exits(0);
    assert_eq!(shared.objects().len(), 1);
    call.once().hits();
}

#[test]
fn a_doctor_knows_what_is_noted_of_a_remote_store() {
    let shared = away();
    shared.run("echo hi").once().misses();
    shared.0.awaits_quiet();
    shared.0.owned("store/v2/remote/notes", "of somebody else");
    let kinds = |told: &Value| {
        let findings = told["findings"].as_array().unwrap().iter();
        let mut kinds: Vec<_> =
            findings.map(|found| found["kind"].as_str().unwrap().to_owned()).collect();
        kinds.sort();
        kinds
    };
    let told = shared.json("doctor");
    assert_eq!(kinds(&told), ["remote-paused", "remote-unsent", "unknown"], "{told}");
    assert_eq!(told["healthy"], true);
    shared.cli("doctor").once().exits(0).shows(&["left alone for a minute: there is no folder"]);
    shared.cli("doctor --repair").once().exits(0);
    assert_eq!(shared.json("remote stats")["queued"], 1);
    shared.appears();
    shared.cli("remote check").once().exits(0);
    shared.cli("remote flush").once().exits(0);
    assert_eq!(kinds(&shared.json("doctor")), ["unknown"]);
}

#[test]
fn an_explanation_tells_what_the_remote_store_would_answer() {
    let shared = shared();
    let call = shared.recorded("echo hi");
    let answer = |call: &Call| {
        let told = json(&call.clone().explain());
        (told["remote"]["answer"].clone(), told["state"].clone(), told["result"].clone())
    };
    let theirs = shared.elsewhere(&call);
    let of = |words: [&str; 3]| words.map(Value::from).into();
    assert_eq!(answer(&call), of(["not-asked", "fresh", "hit"]));
    // There is nothing of this machine's yet, and nothing will be of that.
    assert_eq!(answer(&theirs), of(["hit", "remote", "hit"]));
    assert!(!shared.0.path("elsewhere").exists());
    shared.elsewhere(&shared.run("echo else")).once().misses();
    assert_eq!(answer(&theirs), of(["hit", "remote", "hit"]));
    let late = theirs.clone().expires_in("1m").after("1h");
    assert_eq!(answer(&late), of(["miss", "not-recorded", "miss"]));
    assert_eq!(answer(&theirs.clone().with("--force")), of(["not-asked", "forced", "miss"]));
    let off = theirs.clone().option("--remote-mode", "off");
    assert_eq!(answer(&off), of(["not-asked", "not-recorded", "miss"]));
    let words = [
        "fresh in the remote store",
        "remote store       file://",
        "(read-write): it has the result",
    ];
    theirs.clone().explain().once().exits(0).quietly().shows(&words);
    // It was asked, and nothing was fetched.
    theirs.with("--verbose").once().hits().warns_once(&["hit (remote)"]);
}

#[test]
fn a_remote_store_makes_no_call_portable() {
    let shared = shared();
    let told = |call: Call| json(&call.explain());
    let (with, without) = (told(shared.run("echo hi")), told(shared.0.run("echo hi")));
    assert_eq!(with["key"], without["key"]);
    assert_eq!(with["parts"]["platform"], serde_json::json!({}));
    assert_eq!(without["remote"], Value::Null);
}

#[test]
fn an_explanation_asks_nobody_who_is_left_alone() {
    let shared = away();
    let call = shared.run("echo hi");
    call.once().misses();
    shared.0.awaits_quiet();
    let other = shared.run("echo else").explain();
    let told = json(&other);
    assert_eq!(told["remote"]["answer"], "paused");
    assert!(told["remote"]["reason"].as_str().unwrap().contains("no folder"), "{told}");
    other.once().exits(1).shows(&["left alone until "]);
    let elsewhere = shared.elsewhere(&call);
    elsewhere.clone().env("CACHEX_REMOTE_MODE", "off").once().misses();
    let other = shared.elsewhere(&other);
    assert_eq!(json(&other)["remote"]["answer"], "failed");
    // To look is not to call: nobody is kept from asking.
    assert_eq!(json(&other)["remote"]["answer"], "failed");
}

#[test]
fn the_figures_tell_of_the_remote_store_if_there_ever_was_one() {
    let shared = shared();
    let plain = shared.0.run("echo plain");
    plain.once().misses();
    let stats =
        |options: &str| shared.0.cli(["stats"]).with(options).once().exits(0).quietly().stdout();
    for format in ["", "--format markdown", "--html -"] {
        assert!(!stats(format).to_lowercase().contains("remote"), "{format}");
    }
    let total =
        |text: String| serde_json::from_str::<Value>(&text).unwrap()["total"]["remote"].clone();
    assert_eq!(total(stats("--json"))["misses"], 0);
    shared.recorded("seq 1 100000");
    let told = total(stats("--json"));
    let names = ["hits", "misses", "failures", "refused", "sent", "not_sent", "bytes_received"];
    assert_eq!(names.map(|name| told[name].as_u64().unwrap()), [0, 1, 0, 0, 1, 0, 0], "{told}");
    assert!(told["bytes_sent"].as_u64().unwrap() > 1000, "{told}");
    let text = stats("");
    assert!(text.contains("hits of 1 look-up, ") && text.contains("0 could not be sent"), "{text}");
    assert!(stats("--format markdown").contains("| Entries sent to the remote store | 1 |"));
    assert!(stats("--html -").contains("<h2>Remote hits</h2>"));
}
