//! `CACHEX_REMOTE_SECRET`: who does not have it finds nothing, reads no names, and
//! makes nobody believe anything.

use super::{Machines, files_below};
use crate::harness::{Folder, Redis, Remote, contains};
use std::fs;

#[test]
fn another_secret_or_none_finds_nothing() {
    let folder = Folder::new();
    let machines = Machines::sharing(&folder);
    let call = machines.cachex.run("echo hi");
    let ours = machines.with_secret("ours");
    ours.on("a", &call).once().misses();
    ours.shares("a");
    let theirs = machines.with_secret("theirs");
    theirs.on("b", &call).once().misses().prints("hi\n").quietly();
    machines.on("c", &call).once().misses().prints("hi\n").quietly();
    ours.on("d", &call).once().hits().prints("hi\n").quietly();
}

#[test]
fn a_secret_is_replaced_without_a_cold_start() {
    let folder = Folder::new();
    let machines = Machines::sharing(&folder);
    let call = machines.cachex.run("seq 1 10000");
    let (old, new) = (machines.with_secret("old"), machines.with_secret("new"));
    old.on("a", &call).once().misses();
    old.shares("a");
    let rotates = |call: crate::harness::Call| call.env("CACHEX_REMOTE_SECRET_OLD", "old");
    new.on("b", &call).once().misses();
    rotates(new.on("c", &call)).once().hits().quietly();
    // What is sent from now on is by the new one alone.
    let other = machines.cachex.run("echo other");
    rotates(new.on("c", &other)).once().misses();
    rotates(new.verb("c", "flush")).once().exits(0);
    old.on("d", &other).once().misses();
    new.on("e", &other).once().hits();
    // It is forgotten under both.
    rotates(new.on("f", &call.clone().forget())).once().exits(0);
    old.on("g", &call).once().misses();
    let alone = machines.on("h", &other).env("CACHEX_REMOTE_SECRET_OLD", "old");
    alone.once().exits(125).mentions(&["CACHEX_REMOTE_SECRET"]);
}

#[test]
fn without_a_secret_there_is_one_that_everybody_knows() {
    let folder = Folder::new();
    let machines = Machines::sharing(&folder);
    let call = machines.cachex.run("echo hi");
    machines.on("a", &call).once().misses();
    machines.shares("a");
    machines.with_secret("ours").on("b", &call).once().misses();
    machines.on("c", &call).once().hits();
}

/// What forgers who have another secret, or none, put in the place of an entry.
#[track_caller]
fn what_is_forged_is_not_served(secret: Option<&'static str>) {
    let (folder, workshop) = (Folder::new(), Folder::new());
    let machines = Machines::sharing(&folder);
    let (ours, forgers) = (machines.with_secret("ours"), machines.by(&workshop));
    let forgers = Machines { secret, ..forgers };
    let call = machines.cachex.run("cat ../answer");
    for (machines, answer) in [(&ours, "right\n"), (&forgers, "wrong\n")] {
        machines.cachex.write("answer", answer);
        machines.on(answer.trim_end(), &call).once().misses().prints(answer);
        machines.shares(answer.trim_end());
    }
    let entry = |folder: &Folder| {
        let files = files_below(folder.objects());
        files.into_iter().find(|path| path.to_str().unwrap().contains("/e/")).unwrap()
    };
    fs::copy(entry(&workshop), entry(&folder)).unwrap();
    machines.cachex.write("answer", "right\n");
    let outcome = ours.on("b", &call).once().misses().prints("right\n");
    outcome.warns_once(&["cachex: warning: the remote store", "not to be trusted"]);
}

#[test]
fn what_another_forged_is_not_served() {
    what_is_forged_is_not_served(Some("theirs"));
}

#[test]
fn what_somebody_without_a_secret_forged_is_not_served() {
    what_is_forged_is_not_served(None);
}

#[test]
fn an_entry_is_bound_to_its_name() {
    for secret in [None, Some("ours")] {
        let folder = Folder::new();
        let machines = Machines { secret, ..Machines::sharing(&folder) };
        let call = |text: &str| machines.cachex.run(&format!("echo {text}"));
        for text in ["one", "two"] {
            machines.on("a", &call(text)).once().misses();
        }
        machines.shares("a");
        let entries = files_below(folder.objects());
        let [one, two] = &entries[..] else { panic!("two entries and no blobs: {entries:?}") };
        let (first, second) = (fs::read(one).unwrap(), fs::read(two).unwrap());
        fs::write(one, second).unwrap();
        fs::write(two, first).unwrap();
        for text in ["one", "two"] {
            machines.on("b", &call(text)).once().misses().prints(format!("{text}\n"));
        }
    }
}

#[test]
fn nothing_secret_is_written_down() {
    const SECRET: &str = "of the walrus";
    let redis = Redis::with_password();
    let machines = Machines::sharing(&redis).with_secret(SECRET);
    let call = machines.cachex.run("seq 30000; echo carpenter");
    machines.on("a", &call).once().misses();
    machines.shares("a");
    let (_, report) = machines.reports("b", &call);
    let key = report["key"].as_str().unwrap();
    for name in redis.keys() {
        assert!(!name.contains(key), "{name} tells the key");
        assert!(!contains(&redis.get(&name), SECRET.as_bytes()), "{name} holds the secret");
    }
    let password = redis.variables().remove(0).1;
    for file in files_below(&machines.cachex.path("a")) {
        let content = fs::read(&file).unwrap();
        for secret in [SECRET, &password] {
            assert!(!contains(&content, secret.as_bytes()), "{} holds it", file.display());
        }
    }
}
