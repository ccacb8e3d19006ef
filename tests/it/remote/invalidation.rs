//! `cachex remote invalidate`: what one machine invalidates, no machine serves any more.

use super::{Machines, files_below};
use crate::harness::{Call, Folder, Redis, Remote, S3, eventually};
use std::fs;

/// `cachex remote invalidate` on a machine.
fn invalidate(machines: &Machines<'_>, machine: &str, options: &str) -> Call {
    let words = ["remote", "invalidate"].into_iter().chain(options.split_whitespace());
    machines.on(machine, &machines.cachex.cli(words))
}

#[track_caller]
fn all_machines_drop_it(remote: &dyn Remote) {
    let machines = Machines::sharing(remote);
    let call = machines.cachex.run("echo old; seq 5000");
    machines.on("a", &call).once().misses();
    machines.shares("a");
    machines.on("b", &call).once().hits();
    invalidate(&machines, "c", "--all").once().exits(0).shows(&["no result removed here"]);
    // Neither from there, nor from here once that is known.
    machines.on("d", &call).env("CACHEX_REMOTE_MODE", "read-only").once().misses();
    let other = machines.cachex.run("echo other");
    machines.on("b", &other).once().misses();
    machines.shares("b");
    machines.on("b", &call).once().misses();
    // What is recorded from then on is as good as ever.
    machines.shares("b");
    machines.on("e", &call).once().hits();
    machines.on("b", &call).once().hits();
}

#[test]
fn all_machines_drop_what_is_in_a_folder() {
    all_machines_drop_it(&Folder::new());
}

#[test]
fn all_machines_drop_what_is_in_redis() {
    all_machines_drop_it(&Redis::start());
}

#[test]
fn all_machines_drop_what_is_in_s3() {
    all_machines_drop_it(&S3::start());
}

#[test]
fn only_what_is_meant_goes() {
    let folder = Folder::new();
    let machines = Machines::sharing(&folder);
    let tagged = machines.cachex.run("echo tagged").with("--tag release");
    let named = machines.cachex.exec(["printf", "named"]);
    let other = machines.cachex.run("echo other");
    for call in [&tagged, &named, &other] {
        machines.on("a", call).once();
    }
    machines.shares("a");
    let done = invalidate(&machines, "a", "--tag release --json").once().exits(0);
    let done: serde_json::Value = serde_json::from_str(&done.stdout()).unwrap();
    assert_eq!((done["removed"].as_u64(), done["tag"].as_str()), (Some(1), Some("release")));
    invalidate(&machines, "a", "--command printf*").once().exits(0).shows(&["1 result removed"]);
    invalidate(&machines, "a", "--older-than 1d").once().exits(0).shows(&["no result removed"]);
    let verbose = |call: &Call| machines.on("b", &call.clone().with("--verbose")).once();
    verbose(&tagged).says_one_line(&["cachex: miss"]);
    verbose(&named).says_one_line(&["cachex: miss"]);
    verbose(&other).says_one_line(&["cachex: hit (remote)"]);
    invalidate(&machines, "a", "").once().exits(2).mentions(&["--all"]);
    let read_only = invalidate(&machines, "a", "--all").env("CACHEX_REMOTE_MODE", "read-only");
    read_only.once().exits(1).mentions(&["read-only"]);
    verbose(&other).says_one_line(&["cachex: hit "]);
}

/// A call that machine `b` has had from `a`, which has invalidated everything since.
fn invalidated_after_a_hit(machines: &Machines<'_>) -> Call {
    let call = machines.cachex.run("echo hi");
    machines.on("a", &call).once().misses();
    machines.shares("a");
    machines.on("b", &call).once().hits();
    invalidate(machines, "a", "--all").once().exits(0);
    call
}

/// A machine that has nothing but hits hears of it, too, some time later.
#[test]
fn a_hit_has_it_learnt_when_that_is_due() {
    let folder = Folder::new();
    let machines = Machines::sharing(&folder);
    let call = invalidated_after_a_hit(&machines);
    machines.on("b", &call.clone().after("9m")).once().hits();
    // This one is still a hit; what it starts is over before long.
    machines.on("b", &call.clone().after("11m")).once().hits();
    let is_gone = || machines.on("b", &call).once().executions() == 1;
    eventually("the result to be dropped", || is_gone().then_some(()));
}

#[test]
fn verbs_that_ask_the_store_have_it_learnt_at_once() {
    for verb in ["check", "flush", "list", "stats --by host"] {
        let folder = Folder::new();
        let machines = Machines::sharing(&folder);
        let call = invalidated_after_a_hit(&machines);
        machines.on("b", &call).once().hits();
        let words = ["remote"].into_iter().chain(verb.split(' '));
        let asked = machines.on("b", &machines.cachex.cli(words));
        // A store that is turned off is believed in nothing.
        asked.clone().env("CACHEX_REMOTE_MODE", "off").once().exits(0);
        machines.on("b", &call).once().hits();
        asked.env("CACHEX_REMOTE_MODE", "read-only").once().exits(0);
        machines.on("b", &call).env("CACHEX_REMOTE_MODE", "off").once().misses();
    }
}

/// A server that brings back what was there before brings back no result.
#[test]
fn what_was_invalidated_is_not_brought_back_by_the_server() {
    let folder = Folder::new();
    let machines = Machines::sharing(&folder).with_secret("ours");
    let call = machines.cachex.run("echo hi");
    machines.on("a", &call).once().misses();
    machines.shares("a");
    let entries: Vec<_> = files_below(folder.objects())
        .into_iter()
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect();
    invalidate(&machines, "b", "--all").once().exits(0);
    for path in files_below(folder.objects()) {
        fs::remove_file(path).unwrap();
    }
    for (path, content) in &entries {
        fs::write(path, content).unwrap();
    }
    machines.on("b", &call).once().misses();
    // Who sends tells the others again.
    machines.shares("b");
    for (path, content) in &entries {
        fs::write(path, content).unwrap();
    }
    machines.on("c", &call).once().misses();
}

#[test]
fn what_an_archive_brings_back_is_invalid_all_the_same() {
    let folder = Folder::new();
    let machines = Machines::sharing(&folder);
    let call = machines.cachex.run("echo old");
    machines.on("a", &call).once().misses();
    machines.shares("a");
    let archive = machines.cachex.path("archive").into_os_string().into_string().unwrap();
    let on = |words: &[&str]| machines.on("a", &machines.cachex.cli(words.iter().copied()));
    on(&["export", "--to", &archive]).once().exits(0);
    invalidate(&machines, "a", "--all").once().exits(0).shows(&["1 result removed here"]);
    let imported = on(&["import", &archive]).once().exits(0);
    imported.shows(&["no entry imported", "1 invalidated by `cachex remote invalidate`"]);
    machines.on("a", &call).once().misses();
    // Who was told nothing takes it, until that is made up for.
    let elsewhere = machines.on("b", &machines.cachex.cli(["import", &archive]));
    elsewhere.once().exits(0).shows(&["1 entry imported"]);
    machines.on("b", &machines.cachex.run("echo other")).once().misses();
    machines.shares("b");
    machines.on("b", &call).env("CACHEX_REMOTE_MODE", "off").once().misses();
}

#[test]
fn a_run_that_was_under_way_is_invalid_where_it_is_recorded() {
    let folder = Folder::new();
    let machines = Machines::sharing(&folder);
    let script = format!("echo started >../started; {}; echo old", machines.cachex.gate("end"));
    let call = machines.on("a", &machines.cachex.run(&script));
    let running = call.spawn();
    let started = machines.cachex.path("started");
    eventually("the run to begin", || started.exists().then_some(()));
    invalidate(&machines, "b", "--all").once().exits(0);
    // It is swept here before the run ends.
    machines.on("a", &machines.cachex.run("echo other")).once().exits(0);
    machines.shares("a");
    machines.cachex.opens("end");
    running.ends().exits(0);
    machines.shares("a");
    call.without("CACHEX_REMOTE").once().misses();
}

#[test]
fn nobody_without_the_secret_invalidates_anything() {
    let folder = Folder::new();
    let machines = Machines::sharing(&folder);
    let (ours, theirs) = (machines.with_secret("ours"), machines.with_secret("theirs"));
    let call = machines.cachex.run("echo hi");
    ours.on("a", &call).once().misses();
    ours.shares("a");
    let before = files_below(folder.objects());
    invalidate(&theirs, "b", "--all").once().exits(0);
    let forged = files_below(folder.objects()).into_iter().find(|path| !before.contains(path));
    let forged = fs::read(forged.unwrap()).unwrap();
    ours.on("c", &call).once().hits();
    invalidate(&ours, "d", "--tag none").once().exits(0);
    let known: Vec<_> = files_below(folder.objects());
    for path in known.iter().filter(|path| path.to_str().unwrap().contains("/i/")) {
        fs::write(path, &forged).unwrap();
    }
    ours.on("e", &call).once().hits();
}
