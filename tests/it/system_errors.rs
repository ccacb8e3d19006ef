//! Errors of the system wherever the store is touched: the command runs, with
//! its own bytes and status and one warning at the most.

use crate::harness::{Cachex, Call, Mounted, Outcome, cachex, where_mounts_are_ones_own};
use rustix::io::Errno;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

const POINTS: [&str; 9] =
    ["open", "read", "create", "mkdir", "write", "rename", "remove", "flock", "tee"];
const ERRORS: [Errno; 7] =
    [Errno::IO, Errno::ACCESS, Errno::PERM, Errno::MFILE, Errno::NOLCK, Errno::DQUOT, Errno::ROFS];

/// An entry of each place where one may be, and one that is nowhere.
struct Scene {
    cachex: Cachex,
    old: (Call, Outcome),
    young: (Call, Outcome),
    missing: (Call, Outcome),
}

fn scene() -> Scene {
    let cachex = cachex();
    let calls = ["seq 1 2000", "seq 1 1000; exit 3", "seq 1 3000; exit 4"];
    let [old, young, missing] =
        calls.map(|script| cachex.run(script)).map(|call| (call.clone(), call.bare().once()));
    old.0.once().misses();
    cachex.folds_away();
    young.0.once().misses();
    cachex.keeps_store("kept");
    Scene { cachex, old, young, missing }
}

impl Scene {
    fn calls(&self) -> [&(Call, Outcome); 3] {
        [&self.old, &self.young, &self.missing]
    }

    /// Everything runs or is replayed, whatever `change` makes of the calls.
    #[track_caller]
    fn runs_regardless(&self, change: impl Fn(Call) -> Call) {
        for (call, good) in self.calls() {
            for options in ["", "--no-concurrent", "--no-concurrent --force"] {
                let outcome = change(call.clone().with(options)).once();
                outcome.prints(good.stdout()).ends_as(good).warns_at_most_once().promptly();
            }
            let quiet = change(call.clone().with("--quiet")).once();
            quiet.prints(good.stdout()).ends_as(good).quietly();
        }
    }

    /// Without errors all is as it should be again.
    #[track_caller]
    fn is_well(&self) {
        for (call, good) in self.calls() {
            call.once().same_as(good);
            call.once().hits().same_as(good);
        }
    }
}

#[test]
fn any_error_at_any_point() {
    let scene = scene();
    for errno in ERRORS {
        for point in POINTS {
            scene.cachex.restores_store("kept");
            scene.runs_regardless(|call| call.fails_at(point, errno));
            scene.is_well();
        }
    }
}

#[test]
fn any_error_at_any_point_of_a_new_store() {
    let cachex = cachex();
    let call = cachex.run("seq 1 1000; exit 3");
    let good = call.clone().bare().once();
    for errno in ERRORS {
        for point in POINTS {
            let _ = fs::remove_dir_all(cachex.store());
            let explicit = call.clone().option("--cache-dir", cachex.store());
            for call in [&call, &explicit] {
                let outcome = call.clone().fails_at(point, errno).once();
                outcome.prints(good.stdout()).ends_as(&good).warns_at_most_once();
            }
            call.once().same_as(&good);
            call.once().hits().same_as(&good);
        }
    }
}

#[test]
fn management_says_what_the_matter_is() {
    let scene = scene();
    for (point, errno) in [
        ("flock", Errno::NOLCK),
        ("create", Errno::ACCESS),
        ("rename", Errno::IO),
        ("write", Errno::NOSPC),
    ] {
        let commands = [scene.cachex.cli(["clear", "--yes"]), scene.old.0.clone().forget()];
        for command in commands {
            scene.cachex.restores_store("kept");
            let outcome = command.fails_at(point, errno).once().promptly();
            if !outcome.succeeded() {
                outcome.exits(1).says_one_line(&["cachex: "]);
            }
            scene.is_well();
        }
    }
}

#[test]
fn a_database_that_cannot_be_read_now_is_served_from_later() {
    let scene = scene();
    let (old, good) = &scene.old;
    for errno in ERRORS {
        let read_only = old.clone().with("--read-only");
        read_only.fails_at("recover", errno).once().misses().same_as(good);
        let _ = fs::remove_dir_all(scene.cachex.in_store("v2/young"));
        assert!(scene.cachex.names_in_store("old.broken-").is_empty(), "{errno}");
        old.once().hits().same_as(good);
        let _ = fs::remove_dir_all(scene.cachex.in_store("v2/young"));
    }
}

/// As over NFS without a lock daemon.
#[test]
fn without_locks_it_runs_and_replays_nothing_wrong() {
    let scene = scene();
    let lockless = |call: &Call| call.clone().fails_at("flock", Errno::NOLCK);
    // What is recent is served, and what is not is run.
    let (young, good) = &scene.young;
    lockless(young).twice().hits().same_as(good);
    let (missing, good) = &scene.missing;
    lockless(missing).once().misses().same_as(good).quietly();
    lockless(missing).once().hits().same_as(good).quietly();
    let (old, good) = &scene.old;
    lockless(old).once().misses().same_as(good).quietly();
    // Who asks for a lock is told that there is none.
    let locked = lockless(missing).with("--no-concurrent --force");
    let outcome = locked.once().misses().prints(scene.missing.1.stdout()).exits(4);
    outcome.warns_once(&["warning: ", "without a lock"]);
    // Those who record at once do not mix.
    let letters = scene.cachex.run("yes $$ | head -c 100000").with("--force");
    for outcome in [lockless(&letters).simultaneously(8), lockless(&letters).simultaneously(8)] {
        for printed in outcome.stdouts() {
            let mut lines = printed.lines();
            let first = lines.next().unwrap();
            assert!(lines.all(|line| first.starts_with(line)));
        }
    }
    let served = lockless(&scene.cachex.run("yes $$ | head -c 100000")).once().hits().stdout();
    let first = served.lines().next().unwrap().to_owned();
    assert!(served.len() == 100_000 && served.lines().all(|line| first.starts_with(line)));
    // A fold does not work without its lock, and nothing is lost.
    let fold = lockless(&scene.cachex.fold()).once();
    assert!(!fold.succeeded());
    scene.is_well();
    scene.cachex.fold().once().exits(0);
    scene.is_well();
}

#[test]
fn few_descriptors_are_no_reason_not_to_run() {
    let scene = scene();
    for limit in 3..24 {
        scene.cachex.restores_store("kept");
        for (call, good) in scene.calls() {
            let few = call.clone().launched_by(&format!(r#"ulimit -n {limit}; exec "$@""#));
            if few.clone().bare().once().stderr().is_empty() {
                let outcome = few.once();
                outcome.prints(good.stdout()).ends_as(good).warns_at_most_once();
            }
        }
        scene.is_well();
    }
}

/// A real one where one may mount, and the error that it gives elsewhere.
#[test]
fn a_read_only_file_system() {
    let scene = scene();
    let mounted = where_mounts_are_ones_own(|| {
        let read_only = Mounted::read_only(&scene.cachex.store());
        read_only_serves_what_it_has(&scene, &Call::clone);
        drop(read_only);
        scene.is_well();
        // One that has no store yet.
        fs::remove_dir_all(scene.cachex.store()).unwrap();
        fs::create_dir(scene.cachex.store()).unwrap();
        fs::set_permissions(scene.cachex.store(), Permissions::from_mode(0o700)).unwrap();
        let read_only = Mounted::read_only(&scene.cachex.store());
        scene.runs_regardless(|call| call);
        scene.runs_regardless(|call| call.option("--cache-dir", scene.cachex.store()));
        drop(read_only);
        scene.is_well();
    });
    if mounted.is_none() {
        let everything = format!("change={}", Errno::ROFS.raw_os_error());
        read_only_serves_what_it_has(&scene, &|call| call.clone().fault(&everything));
        scene.is_well();
    }
}

fn read_only_serves_what_it_has(scene: &Scene, there: &dyn Fn(&Call) -> Call) {
    let (young, good) = &scene.young;
    there(young).twice().hits().same_as(good);
    let (missing, good) = &scene.missing;
    let outcome = there(missing).twice().runs_twice().prints(good.stdout()).ends_as(good);
    outcome.warns_once(&["warning: ", "not recorded"]);
    // Opening the database writes to it, so what only it has is run.
    let (old, good) = &scene.old;
    there(old).once().prints(good.stdout()).ends_as(good).warns_at_most_once();
    scene.runs_regardless(|call| there(&call));
    assert!(scene.cachex.names_in_store("old.broken-").is_empty());
    for command in [scene.cachex.cli(["clear", "--yes"]), old.clone().forget()] {
        there(&command).once().exits(1).says_one_line(&["cachex: "]).promptly();
    }
}

#[test]
fn neither_a_home_nor_a_cache_folder() {
    let cachex = cachex();
    let call = cachex.run("echo hi; exit 3").without("CACHEX_DIR").without("HOME");
    for call in [call.clone(), call.clone().env("XDG_CACHE_HOME", "relative"), call.env("HOME", "")]
    {
        call.twice().runs_twice().prints("hi\n").exits(3).warns_once(&["HOME", "XDG_CACHE_HOME"]);
        call.clone().forget().once().exits(1).says_one_line(&["HOME"]);
    }
    cachex.cli(["clear", "--yes"]).without("CACHEX_DIR").without("HOME").once().exits(1);
    assert!(!cachex.path("work/relative").exists());
}

#[test]
fn an_entry_that_cannot_be_read_now_keeps_its_output_until_it_can() {
    let cachex = cachex();
    let call = cachex.run("seq 1 50000").without_privileges();
    let good = call.once().misses();
    let entry = cachex.in_store(&cachex.stored_in("v2/young")[0]);
    let mode = |mode| fs::set_permissions(&entry, Permissions::from_mode(mode)).unwrap();
    // Nothing needs this one, and it goes when that is certain.
    cachex.write("store/v2/blobs/00/".to_owned() + &"0".repeat(64), "nobody's");
    mode(0o000);
    for fold in [cachex.fold(), cachex.audit()] {
        fold.without_privileges().once().exits(0);
        assert_eq!(cachex.stored_in("v2/blobs").len(), 2);
    }
    mode(0o600);
    cachex.audit().without_privileges().once().exits(0);
    assert_eq!(cachex.stored_in("v2/blobs").len(), 1);
    call.once().hits().same_as(&good);
}

#[test]
fn what_can_never_be_read_keeps_nothing() {
    let cachex = cachex();
    cachex.run("seq 1 50000").once().misses();
    let entry = cachex.in_store(&cachex.stored_in("v2/young")[0]);
    let folder = |path: &Path| fs::create_dir(path);
    let link = |path: &Path| symlink("/dev/null", path);
    for plant in [&folder as &dyn Fn(&Path) -> std::io::Result<()>, &link] {
        let blob = cachex.write("store/v2/blobs/00/".to_owned() + &"0".repeat(64), "nobody's");
        fs::remove_file(&entry).unwrap();
        plant(&entry).unwrap();
        cachex.audit().once().exits(0);
        assert!(!blob.exists());
        fs::remove_dir(&entry).or_else(|_| fs::remove_file(&entry)).unwrap();
        fs::write(&entry, "").unwrap();
    }
}

#[test]
fn a_folder_of_blobs_that_cannot_be_read_does_not_keep_a_fold_from_its_work() {
    let cachex = cachex();
    let call = cachex.run("seq 1 50000").without_privileges();
    let good = call.once().misses();
    let folder = cachex.write("store/v2/blobs/00/any", "");
    let folder = folder.parent().unwrap();
    fs::set_permissions(folder, Permissions::from_mode(0o000)).unwrap();
    let left = cachex.write("store/v2/trash-1/blob", "left by the dead");
    cachex.audit().without_privileges().once().exits(0);
    assert!(!left.exists());
    call.once().hits().same_as(&good);
}
