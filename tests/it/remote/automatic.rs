//! Automatic results in a remote store: found by what the paths hold that matter.

use super::{Machines, files_below};
use crate::auto::portable::{checkout, within};
use crate::harness::{Call, Folder, Redis, Remote, flip, overwrite, places};
use std::fs;
use std::path::PathBuf;

const ARGV: [&str; 6] = ["gcc", "-Iinc", "-O1", "-o", "prog", "main.c"];

/// A build in a checkout, by a machine.
fn build(machines: &Machines<'_>, machine: &str, folder: &str) -> Call {
    machines.on(machine, &within(&machines.cachex, folder, &ARGV))
}

#[track_caller]
fn is_served(call: &Call) {
    call.once().exits(0).mentions(&["cachex: hit (remote)", "1 file restored"]);
}

#[track_caller]
fn is_run(call: &Call) {
    call.once().exits(0).mentions(&["cachex: miss", "recorded: "]);
}

fn fetches(remote: &dyn Remote) {
    let machines = Machines::sharing(remote);
    for folder in ["one", "deep/two"] {
        checkout(&machines.cachex, folder);
    }
    is_run(&build(&machines, "a", "one"));
    machines.shares("a");
    build(&machines, "b", "deep/two").explain().once().exits(0).shows(&["hit"]);
    is_served(&build(&machines, "b", "deep/two"));
    let prog = |folder: &str| fs::read(machines.cachex.path(folder).join("prog")).unwrap();
    assert_eq!(prog("one"), prog("deep/two"));
    // It is this machine's from then on.
    fs::remove_file(machines.cachex.path("deep/two/prog")).unwrap();
    let again = build(&machines, "b", "deep/two").once();
    again.mentions(&["cachex: hit ", "1 file restored"]);
    machines.cachex.write("deep/two/inc/h.h", "#define X 4\n");
    is_run(&build(&machines, "c", "deep/two"));
    machines.shares("c");
    machines.cachex.write("one/inc/h.h", "#define X 4\n");
    is_served(&build(&machines, "d", "one"));
}

#[test]
fn a_folder_gives_another_machine_what_was_found_out() {
    fetches(&Folder::new());
}

#[test]
fn redis_gives_another_machine_what_was_found_out() {
    fetches(&Redis::start());
}

#[test]
fn what_is_not_portable_stays() {
    let folder = Folder::new();
    let machines = Machines::sharing(&folder);
    machines.cachex.write("work/f", "hi\n");
    let call = machines.cachex.exec(["cat", "f"]).with("--auto --verbose");
    for call in [call.clone(), call.with("--portable --auto-outputs all")] {
        let told = machines.on("a", &call).once();
        told.mentions(&["not shared with other machines"]);
        machines.shares("a");
        machines.verb("a", "push").once().exits(0);
        assert!(files_below(folder.objects()).is_empty());
        let explained = machines.on("c", &call.explain()).once();
        explained.shows(&["nothing is sent"]);
    }
}

#[test]
fn path_sets_that_are_damaged_are_a_miss() {
    let folder = Folder::new();
    let machines = Machines::sharing(&folder);
    machines.cachex.write("work/f", "hi\n");
    let call = machines.cachex.exec(["cat", "f"]).with("--auto --portable --verbose");
    machines.on("a", &call).once().exits(0);
    machines.shares("a");
    machines.on("b", &call).once().mentions(&["hit (remote)"]);
    let reading = call.with("--remote-mode read-only");
    let is_path_sets = |path: &PathBuf| path.display().to_string().contains("/v1/p/");
    let objects: Vec<_> = files_below(folder.objects()).into_iter().filter(is_path_sets).collect();
    let [object] = &objects[..] else { panic!("{objects:?}") };
    let good = fs::read(object).unwrap();
    let is_a_miss = |what: &str| {
        let _ = fs::remove_dir_all(machines.cachex.path("c"));
        let outcome = machines.on("c", &reading).once().exits(0).prints("hi\n");
        assert!(outcome.stderr().contains("cachex: miss"), "{what}: {}", outcome.stderr());
    };
    for at in places(object, 8) {
        for damage in [flip, overwrite] {
            damage(object, at);
            if fs::read(object).unwrap() != good {
                is_a_miss(&format!("at {at}"));
            }
            fs::write(object, &good).unwrap();
        }
    }
    fs::write(object, &good[..good.len() / 2]).unwrap();
    is_a_miss("cut");
    fs::remove_file(object).unwrap();
    is_a_miss("gone");
}

#[test]
fn path_sets_are_those_of_all_who_send() {
    let folder = Folder::new();
    let machines = Machines::sharing(&folder);
    let script = "read -r name <which; cat \"$name\"";
    let call = machines.cachex.exec(["sh", "-c", script]).with("--auto --portable --verbose");
    let work = |name: &str| {
        machines.cachex.write("work/which", format!("{name}\n"));
        machines.cachex.write(format!("work/{name}"), format!("{name}!\n"));
    };
    for (machine, name) in [("a", "x"), ("b", "y")] {
        work(name);
        machines.on(machine, &call).once().mentions(&["cachex: miss", "recorded: "]);
        machines.shares(machine);
    }
    for name in ["x", "y"] {
        work(name);
        let outcome = machines.on("c", &call).once();
        outcome.prints(format!("{name}!\n")).mentions(&["hit (remote)"]);
    }
}

#[test]
fn what_others_did_well_stands_in_for_a_failure_here() {
    let folder = Folder::new();
    let machines = Machines::sharing(&folder);
    machines.cachex.write("work/f", "read\n");
    let mood = machines.cachex.write("mood", "good\n");
    let script = "read -r word <f; cat ../mood";
    let call = machines.cachex.exec(["sh", "-c", script]).with("--auto --portable --verbose");
    let call = call.option("--auto-ignore", &mood).option("--stale-if-error", "1h");
    let call = call.expires_in("10m");
    machines.on("a", &call).once().prints("good\n").mentions(&["recorded: "]);
    machines.shares("a");
    fs::remove_file(mood).unwrap();
    machines.on("b", &call.after("11m")).once().prints("good\n").exits(0);
}

#[test]
fn what_signs_and_who_has_the_secret_goes_for_path_sets_too() {
    let folder = Folder::new();
    let machines = Machines::sharing(&folder);
    machines.cachex.write("work/f", "hi\n");
    let call = machines.cachex.exec(["cat", "f"]).with("--auto --portable --verbose");
    let secret = machines.with_secret("a secret that is long enough");
    secret.on("a", &call).once().exits(0);
    secret.shares("a");
    secret.on("b", &call).once().mentions(&["hit (remote)"]);
    machines.on("c", &call).once().mentions(&["cachex: miss"]);
    let trusting = |key: &str| {
        let key = format!("ed25519:{}", key.repeat(64));
        secret.on("d", &call).env("CACHEX_REMOTE_TRUST", key).once()
    };
    trusting("0").mentions(&["cachex: miss"]);
}

#[test]
fn pushing_and_a_nearer_store_carry_path_sets() {
    let (near, far) = (Folder::new(), Folder::new());
    let machines = Machines::sharing(&far);
    machines.cachex.write("work/f", "hi\n");
    let call = machines.cachex.exec(["cat", "f"]).with("--auto --portable --verbose");
    // Recorded before there was a remote store.
    call.clone().env("CACHEX_DIR", machines.cachex.path("a")).once().exits(0);
    machines.verb("a", "push").once().exits(0);
    let both = format!("{} {}?mode=read-only", near.url(), far.url());
    let tiered = |call: &Call| machines.on("b", call).env("CACHEX_REMOTE", &both);
    tiered(&call).once().mentions(&["hit (remote)"]);
    tiered(&machines.cachex.cli(["remote", "flush"])).once().exits(0);
    machines.by(&near).on("c", &call).once().mentions(&["hit (remote)"]);
}
