//! `cachex remote check|stats|flush|prune`, and what the other verbs say of a remote store: a
//! folder here, which is one like any other as far as they can tell.

mod others;
mod pushing;

use crate::harness::{Cachex, Call, cachex};
use crate::remote::files_below;
use serde_json::Value;
use std::fs;
use std::path::PathBuf;

/// A machine that shares a folder with others.
struct Shared(Cachex);

/// With a folder that is there.
fn shared() -> Shared {
    let shared = away();
    shared.appears();
    shared
}

/// With one that is not, or not yet.
fn away() -> Shared {
    Shared(cachex())
}

impl Shared {
    fn folder(&self) -> PathBuf {
        self.0.path("shared")
    }

    fn url(&self) -> String {
        format!("file://{}", self.folder().display())
    }

    fn appears(&self) {
        fs::create_dir(self.folder()).unwrap();
    }

    /// The same call with results that are shared.
    fn here(&self, call: Call) -> Call {
        call.env("CACHEX_REMOTE", self.url())
    }

    /// The same call on another machine.
    fn elsewhere(&self, call: &Call) -> Call {
        call.clone().env("CACHEX_DIR", self.0.path("elsewhere"))
    }

    fn run(&self, script: &str) -> Call {
        self.here(self.0.run(script))
    }

    fn cli(&self, words: &str) -> Call {
        self.here(self.0.cli(words.split_whitespace()))
    }

    fn json(&self, words: &str) -> Value {
        json(&self.cli(words))
    }

    /// Does it, and waits until the shared folder has it.
    #[track_caller]
    fn recorded(&self, script: &str) -> Call {
        let call = self.run(script);
        call.once().misses();
        self.cli("remote flush").once().exits(0).quietly();
        call
    }

    /// The files in the shared folder.
    fn objects(&self) -> Vec<PathBuf> {
        files_below(&self.folder())
    }
}

/// What a call with `--json` says, however it ends.
#[track_caller]
fn json(call: &Call) -> Value {
    let said = call.clone().with("--json").once().stdout();
    serde_json::from_str(&said).unwrap_or_else(|error| panic!("{call}: {error}: {said}"))
}

#[test]
fn a_check_tells_of_each_step_and_leaves_nothing_behind() {
    let shared = shared();
    let check = shared.cli("remote check");
    let said = check.once().exits(0).quietly().stdout();
    for line in ["connect  ok, ", "write    ok, ", "read     ok, ", "delete   ok, ", "it works"] {
        assert!(said.lines().any(|told| told.starts_with(line)), "no {line:?} in\n{said}");
    }
    assert!(said.contains("secret   not set: whoever"), "{said}");
    assert!(shared.objects().is_empty());
    let told = json(&check.clone().env("CACHEX_REMOTE_SECRET", "among us"));
    assert_eq!((&told["works"], &told["secret"]), (&true.into(), &true.into()));
    assert_eq!((&told["url"], &told["mode"]), (&shared.url().into(), &"read-write".into()));
    let steps = told["steps"].as_array().unwrap();
    let outcomes: Vec<_> = steps.iter().map(|step| step["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["ok", "unable", "ok", "ok", "ok"]);
    assert!(steps[0]["seconds"].as_f64().unwrap() > 0.0);
    check.with("--quiet").once().exits(0).prints("").quietly();
}

#[test]
fn a_check_says_what_is_wrong_and_what_to_do() {
    let shared = away();
    let said = shared.cli("remote check").once().exits(1).quietly().stdout();
    assert!(said.contains("connect  failed") && said.contains("make that folder"), "{said}");
    assert!(said.contains("write    not tried") && said.ends_with("it does not work\n"), "{said}");
    let refused = shared.0.cli(["remote", "check", "--remote", "redis://127.0.0.1:1"]);
    let told = json(&refused);
    assert_eq!(told["works"], false);
    assert!(told["steps"][0]["advice"].as_str().unwrap().contains("is the server running"));
    assert_eq!(told["steps"][4]["outcome"], "skipped");
    let nameless = shared.0.cli(["remote", "check", "--remote", "redis://nowhere.invalid"]);
    nameless.once().exits(1).shows(&["the name `nowhere.invalid` is not found", "spelt right"]);
    // No password is told.
    let secret = shared.0.cli(["remote", "check", "--remote", "redis://ada:pssst@127.0.0.1:1"]);
    let said = secret.once().exits(1).stdout();
    assert!(said.contains("redis://ada@127.0.0.1:1") && !said.contains("pssst"), "{said}");
}

#[test]
fn a_check_writes_nothing_where_nothing_is_to_be_written() {
    let shared = shared();
    for mode in ["read-only", "off"] {
        let check = shared.cli("remote check").env("CACHEX_REMOTE_MODE", mode);
        check
            .once()
            .exits(0)
            .shows(&["connect  ok", &format!("write    not tried: the mode is {mode}")]);
        assert!(shared.objects().is_empty());
    }
}

#[test]
fn a_check_that_finds_nothing_wrong_has_the_store_used_again_at_once() {
    let shared = away();
    let call = shared.run("echo hi");
    call.once().misses().warns_once(&["remote store", "left alone"]);
    shared.0.awaits_quiet();
    shared.appears();
    // It was mended, and nobody knows yet.
    assert!(shared.json("remote stats")["paused"]["reason"].is_string());
    shared.cli("remote check").once().exits(0);
    let stats = shared.json("remote stats");
    assert_eq!((&stats["paused"], &stats["unsent"]), (&Value::Null, &Value::Null));
    shared.cli("remote flush").once().exits(0);
    shared.elsewhere(&call).once().hits();
}

#[test]
fn without_a_remote_store_it_is_said_how_to_set_one() {
    let cachex = cachex();
    for verb in ["check", "stats", "flush"] {
        let words =
            ["--remote URL", "CACHEX_REMOTE", "config.toml", &format!("cachex remote {verb}")];
        cachex.cli(["remote", verb]).once().exits(2).prints("").mentions(&words);
    }
    cachex.cli(["remote"]).once().exits(2).mentions(&["check", "stats", "flush"]);
    cachex.cli(["remote", "check", "--remote", "nonsense"]).once().exits(2).mentions(&["redis://"]);
    assert!(!cachex.store().exists());
    // One in the file is as good.
    fs::create_dir(cachex.path("shared")).unwrap();
    cachex.config(format!("remote = \"file://{}\"\n", cachex.path("shared").display()));
    cachex.cli(["remote", "check"]).once().exits(0).quietly();
}

#[test]
fn a_flush_waits_until_all_is_sent() {
    let shared = shared();
    shared.cli("remote flush").once().exits(0).prints("nothing was waiting to be sent\n");
    let calls = [shared.run("echo hi"), shared.run("seq 1 100000")];
    for call in &calls {
        call.once().misses();
    }
    shared.cli("remote flush").once().exits(0).quietly();
    for call in &calls {
        shared.elsewhere(call).once().hits().quietly();
    }
    shared.cli("remote flush").once().exits(0).prints("nothing was waiting to be sent\n");
    shared.cli("remote flush --quiet").once().exits(0).prints("");
}

#[test]
fn a_flush_that_cannot_send_says_so_and_another_one_can() {
    let shared = away();
    let call = shared.run("echo hi");
    call.once().misses();
    shared.0.awaits_quiet();
    let flush = shared.cli("remote flush");
    flush.once().exits(1).says_one_line(&["cachex: 1 entry still waiting: there is no folder"]);
    let told = json(&flush);
    let fields = ["queued", "left", "sent", "given_up"].map(|name| told[name].as_u64().unwrap());
    assert_eq!(fields, [1, 1, 0, 0]);
    assert!(told["reason"].as_str().unwrap().contains("there is no folder"), "{told}");
    assert_eq!(shared.json("remote stats")["queued"], 1);
    shared.appears();
    let said = flush.once().exits(0).quietly().stdout();
    assert!(said.starts_with("1 entry sent, ") && said.ends_with(" B\n"), "{said}");
    shared.cli("remote check").once().exits(0);
    shared.elsewhere(&call).once().hits();
}

#[test]
fn a_flush_says_what_is_given_up_and_says_it_once() {
    let shared = away();
    let [long, other] = [shared.run("seq 1 100000"), shared.run("echo other")];
    long.once().misses();
    other.once().misses();
    shared.0.awaits_quiet();
    // Its own fault, since the other one can be sent.
    let [blob] = &shared.0.stored_in("v2/blobs")[..] else { panic!("one blob") };
    fs::remove_file(shared.0.store().join(blob)).unwrap();
    shared.appears();
    let told = shared.json("remote flush");
    let fields = ["queued", "left", "sent", "given_up"].map(|name| told[name].as_u64().unwrap());
    assert_eq!(fields, [2, 0, 1, 1], "{told}");
    assert!(told["reason"].as_str().unwrap().contains("gone or damaged"), "{told}");
    shared.cli("remote flush").once().exits(0).prints("nothing was waiting to be sent\n");
}

#[test]
fn what_was_given_up_behind_everybodys_back_fails_the_next_flush() {
    let shared = away();
    let long = shared.run("seq 1 100000");
    long.once().misses();
    shared.0.awaits_quiet();
    let [blob] = &shared.0.stored_in("v2/blobs")[..] else { panic!("one blob") };
    fs::remove_file(shared.0.store().join(blob)).unwrap();
    shared.appears();
    shared.cli("remote check").once().exits(0);
    // Sends both in the background.
    shared.run("echo other").once().misses();
    shared.0.awaits_quiet();
    let stats = shared.json("remote stats");
    assert_eq!((&stats["queued"], &stats["given_up"]), (&0.into(), &1.into()), "{stats}");
    shared
        .cli("remote flush")
        .once()
        .exits(1)
        .warns_once(&["1 entry given up: ", "gone or damaged"]);
    shared.cli("remote flush").once().exits(0);
}

#[test]
fn a_flush_waits_no_longer_than_it_is_told() {
    let shared = away();
    shared.run("echo hi").once().misses();
    shared.0.awaits_quiet();
    shared.appears();
    let is_lock = |path: &PathBuf| path.extension().is_some_and(|end| end == "lock");
    let locks = shared.0.stored_in("v2/remote").into_iter().find(is_lock).unwrap();
    let held = fs::File::open(shared.0.store().join(locks)).unwrap();
    rustix::fs::flock(&held, rustix::fs::FlockOperation::LockExclusive).unwrap();
    let flush = shared.cli("remote flush --timeout 100ms");
    flush.once().exits(1).promptly().says("cachex: 1 entry still waiting after 100ms\n");
    assert_eq!(json(&flush)["timed_out"], true);
    drop(held);
    shared.cli("remote flush --timeout 1m").once().exits(0);
}

#[test]
fn where_nothing_is_to_be_sent_a_flush_has_nothing_to_do() {
    let shared = shared();
    for (mode, means) in [("read-only", "nothing is sent"), ("off", "leaves it alone")] {
        let flush = shared.cli("remote flush").env("CACHEX_REMOTE_MODE", mode);
        flush.once().exits(0).shows(&["nothing to do", mode, means]);
    }
    assert!(!shared.0.store().exists());
}

#[test]
fn what_came_and_went_is_counted() {
    let shared = shared();
    let nothing = shared.json("remote stats");
    assert_eq!((&nothing["hits"], &nothing["holds"]), (&0.into(), &Value::Null));
    let call = shared.recorded("seq 1 100000");
    let theirs = shared.elsewhere(&call);
    theirs.once().hits();
    let stats = shared.json("remote stats --count");
    let names = ["hits", "misses", "failures", "refused", "sent", "not_sent", "queued"];
    assert_eq!(names.map(|name| stats[name].as_u64().unwrap()), [0, 1, 0, 0, 1, 0, 0], "{stats}");
    assert_eq!(stats["holds"], serde_json::json!({"entries": 1, "blobs": 1}));
    assert!(stats["bytes_sent"].as_u64().unwrap() > 1000, "{stats}");
    let stats = json(&shared.elsewhere(&shared.cli("remote stats")));
    assert_eq!(names.map(|name| stats[name].as_u64().unwrap()), [1, 0, 0, 0, 0, 0, 0], "{stats}");
    assert!(stats["bytes_received"].as_u64().unwrap() > 1000, "{stats}");
    let text = shared.cli("remote stats --count").once().exits(0).quietly().stdout();
    for line in
        ["mode      read-write", "queue     no entry", "look-ups  1: ", "holds     1 entry, 1 blob"]
    {
        assert!(text.lines().any(|told| told.starts_with(line)), "no {line:?} in\n{text}");
    }
    let web = shared.0.cli(["remote", "stats", "--count", "--remote", "http://127.0.0.1:1"]);
    web.once().exits(1).says_one_line(&["cannot tell what it holds"]);
}

#[test]
fn figures_can_be_scraped() {
    let shared = shared();
    shared.recorded("echo hi");
    let told = shared.cli("remote stats --metrics").once().exits(0).quietly().stdout();
    let url = shared.url();
    for line in [
        format!("cachex_remote_misses_total{{url=\"{url}\"}} 1"),
        format!("cachex_remote_sent_total{{url=\"{url}\"}} 1"),
        format!("cachex_remote_queued{{url=\"{url}\"}} 0"),
    ] {
        assert!(told.lines().any(|it| it == line), "no {line} in\n{told}");
    }
}

#[test]
fn a_shared_folder_is_pruned_by_age_and_by_size() {
    let shared = shared();
    let calls = ["seq 1 2000", "seq 1 3000", "seq 1 4000"].map(|script| shared.recorded(script));
    let of = |name: &str, call: &Call| call.clone().env("CACHEX_DIR", shared.0.path(name));
    let days_ago = std::time::SystemTime::now() - std::time::Duration::from_hours(48);
    let objects = shared.objects();
    let v1 = objects[0].ancestors().find(|folder| folder.ends_with("v1")).unwrap();
    let left_by_the_dead = v1.with_file_name("tmp").join("1-0-1");
    fs::create_dir_all(left_by_the_dead.parent().unwrap()).unwrap();
    fs::write(&left_by_the_dead, "half").unwrap();
    for object in shared.objects() {
        fs::File::options().write(true).open(object).unwrap().set_modified(days_ago).unwrap();
    }
    // To be got is to be used.
    of("second", &calls[0]).once().hits();
    let told = shared.json("remote prune --max-age 1d --dry-run");
    assert_eq!((&told["removed"], &told["left"]), (&4.into(), &2.into()), "{told}");
    assert_eq!(shared.objects().len(), 7);
    let said = shared.cli("remote prune --max-age 1d").once().exits(0).quietly().stdout();
    assert!(said.starts_with("4 objects pruned, ") && said.contains("; 2 left, "), "{said}");
    assert_eq!(shared.objects().len(), 2);
    of("third", &calls[0]).once().hits();
    of("third", &calls[1]).once().misses();
    shared.cli("remote flush").env("CACHEX_DIR", shared.0.path("third")).once().exits(0);

    let told = shared.json("remote prune --max-size 12kB");
    assert!(told["left_bytes"].as_u64().unwrap() <= 12_000, "{told}");
    assert!(told["removed"].as_u64().unwrap() > 0, "{told}");
    // What lost a part of it is a miss, and is sent anew.
    for call in &calls {
        of("fourth", call).once().exits(0).quietly();
    }
    shared.cli("remote flush").env("CACHEX_DIR", shared.0.path("fourth")).once().exits(0);
    for call in &calls {
        of("fifth", call).once().hits();
    }
}

#[test]
fn how_much_is_pruned_is_said_and_some_stores_cannot_be() {
    let shared = shared();
    shared.cli("remote prune").once().exits(2).mentions(&["--max-age"]);
    let server = shared.cli("remote prune --max-size 1GB --remote http://127.0.0.1:9");
    server.once().exits(1).mentions(&["cannot tell what it holds"]);
}
