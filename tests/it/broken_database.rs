//! The database of old entries broken in every way: one line at the most, an
//! end that comes, and a store that goes on.

use crate::harness::{Cachex, Call, Outcome, PROMPTLY, Signal, cachex, copy, overwrite, places};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// What is said when a database is set aside.
const SET_ASIDE: &str = "set aside as old.broken-";
/// A management command gives a database up that makes no progress for 20 s, as a machine that
/// is not busy counts them.
const BOUND: Duration = Duration::from_secs(90);

/// An entry that only the database has, and a younger one with a blob.
struct Scene {
    cachex: Cachex,
    old: Call,
    young: (Call, Outcome),
}

fn scene() -> Scene {
    let cachex = cachex();
    let old = cachex.run("echo old");
    old.once().misses();
    for n in 0..50 {
        cachex.exec(["true"]).option("--key", n.to_string()).once().exits(0);
    }
    cachex.folds_away();
    let young = cachex.run("seq 1 10000");
    let good = young.once().misses();
    cachex.keeps_store("kept");
    Scene { cachex, old, young: (young, good) }
}

impl Scene {
    fn database(&self) -> PathBuf {
        self.cachex.in_store("v2/old")
    }

    /// The database of all but the entries, which no look-up opens.
    fn index(&self) -> PathBuf {
        self.database().join("index")
    }

    /// The database of the entries.
    fn entries(&self) -> PathBuf {
        self.database().join("entries-0-00")
    }

    /// Restores the store, breaks the database, and looks how that is borne;
    /// whether the database was set aside.
    #[track_caller]
    fn survives(&self, damage: impl FnOnce()) -> bool {
        self.cachex.restores_store("kept");
        damage();
        let (young, good) = &self.young;
        young.once().hits().same_as(good);
        let asked = self.old.once().prints("old\n").exits(0).warns_at_most_once().promptly();
        let said = asked.stderr();
        let aside = self.cachex.names_in_store("old.broken-");
        assert_eq!(aside.len(), usize::from(!said.is_empty()), "{aside:?} and {said}");
        assert!(said.is_empty() || said.contains(&aside[0]), "{aside:?} and {said}");
        self.old.twice().hits().prints("old\n").quietly();
        young.once().hits().same_as(good);
        !aside.is_empty()
    }

    /// A management command ends, and says what is the matter if it fails.
    #[track_caller]
    fn can_be_managed(&self, damage: impl FnOnce()) {
        self.cachex.restores_store("kept");
        damage();
        let started = Instant::now();
        let forgot = self.old.clone().forget().once();
        let forgotten = forgot.succeeded();
        let told = (forgot.stdout(), forgot.stderr(), self.cachex.stored());
        if !forgotten {
            forgot.exits(1).says_one_line(&["cachex: ", "store"]);
        }
        assert!(started.elapsed() < BOUND, "it took {:?}", started.elapsed());
        let (young, good) = &self.young;
        young.once().hits().same_as(good);
        let before = self.cachex.runs();
        self.old.twice().prints("old\n").quietly();
        assert!(self.cachex.runs() > before || !forgotten, "it was not forgotten: {told:?}");
        self.cachex.fold().once().exits(0);
        self.old.once().hits().prints("old\n");
    }
}

#[test]
fn a_database_of_junk_is_set_aside_with_one_warning() {
    let scene = scene();
    let junk = vec![0x5a; 3000];
    let files = |folder: &PathBuf, beginning: &str| {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let named =
            |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().starts_with(beginning);
        entries.filter(|path| path.is_file() && named(path)).collect::<Vec<_>>()
    };
    for folder in [scene.index(), scene.entries()] {
        for beginning in ["db", "conf", "snap", ""] {
            let damage = || {
                let files = files(&folder, beginning);
                for file in &files {
                    fs::write(file, &junk).unwrap();
                }
            };
            let aside = scene.survives(damage);
            let is_noticed = folder == scene.entries() && ["conf", ""].contains(&beginning);
            assert!(aside || !is_noticed, "junk in {beginning} was not noticed");
            scene.can_be_managed(damage);
        }
    }
    let one_more = || fs::write(scene.entries().join("snap.7FFFFFFFFFFFFFFF"), &junk).unwrap();
    assert!(scene.survives(one_more));
    scene.can_be_managed(one_more);
}

#[test]
fn a_database_that_is_gone_or_no_folder_is_begun_anew() {
    let scene = scene();
    let gone = || fs::remove_dir_all(scene.database()).unwrap();
    let empty = || {
        gone();
        fs::create_dir(scene.database()).unwrap();
    };
    let file = || {
        gone();
        fs::write(scene.database(), "what is this").unwrap();
    };
    for damage in [&gone as &dyn Fn(), &empty, &file] {
        scene.survives(damage);
        scene.can_be_managed(damage);
    }
}

#[test]
fn something_else_in_the_place_of_a_file_is_named_or_goes() {
    let scene = scene();
    for place in ["old", "events", "account", "old.keys"] {
        scene.cachex.restores_store("kept");
        let path = scene.cachex.in_store(Path::new("v2").join(place));
        if place == "old" {
            fs::remove_dir_all(&path).unwrap();
            fs::write(&path, "what is this").unwrap();
        } else {
            let _ = fs::remove_file(&path);
            fs::create_dir(&path).unwrap();
            fs::write(path.join("file"), "what is this").unwrap();
        }
        for verb in ["prune", "forget"] {
            let args: &[_] = if verb == "prune" { &[verb] } else { &[verb, "--tag", "none"] };
            let done = scene.cachex.cli(args).once();
            if !done.succeeded() {
                done.exits(1).says_one_line(&["`cachex doctor --repair` puts that right"]);
            }
        }
        scene.cachex.cli(["doctor", "--repair"]).once().exits(0);
        scene.cachex.cli(["prune"]).once().exits(0).quietly();
        scene.young.0.once().prints(scene.young.1.stdout()).quietly();
        scene.young.0.once().hits();
    }
}

#[test]
fn what_would_be_waited_for_among_the_files_of_a_database_holds_nothing_up() {
    use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};
    let scene = scene();
    let (index, entries) = (scene.index(), scene.entries());
    let snapshot = |folder: &Path| {
        let mut names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        names.find(|path| path.file_name().unwrap().to_str().unwrap().starts_with("snap.")).unwrap()
    };
    let places = [&index, &entries].map(|folder| {
        [folder.join("conf"), snapshot(folder), folder.join("db"), folder.join("blobs/7")]
    });
    // A pipe, and `/dev/full`, which only root can make.
    let kinds = [(FileType::Fifo, 0), (FileType::CharacterDevice, makedev(1, 7))];
    for (kind, device) in kinds {
        for place in places.as_flattened() {
            let plant = || {
                scene.cachex.restores_store("kept");
                let _ = fs::remove_file(place);
                mknodat(CWD, place, kind, Mode::RUSR | Mode::WUSR, device)
            };
            if plant().is_err() {
                assert!(kind != FileType::Fifo);
                continue;
            }
            scene.cachex.cli(["list"]).once().promptly();
            scene.old.once().prints("old\n").exits(0).warns_at_most_once().promptly();
            plant().unwrap();
            scene.cachex.cli(["doctor"]).once().exits(1).promptly();
            scene.cachex.cli(["doctor", "--repair"]).once().exits(0).promptly();
            scene.cachex.cli(["doctor"]).once().exits(0);
            scene.young.0.once().hits();
        }
    }
}

#[test]
fn sixteen_bytes_anywhere_in_a_database_hang_no_look_up() {
    let scene = scene();
    for database in [scene.index().join("db"), scene.entries().join("db")] {
        for at in places(&database, 30) {
            scene.survives(|| overwrite(&database, at));
        }
    }
}

#[test]
fn sixteen_bytes_anywhere_in_a_database_hang_no_management() {
    let scene = scene();
    for database in [scene.index().join("db"), scene.entries().join("db")] {
        for at in places(&database, 10) {
            scene.can_be_managed(|| overwrite(&database, at));
        }
    }
}

#[test]
fn a_database_that_was_set_aside_is_kept_for_a_look_and_the_next_takes_its_place() {
    let scene = scene();
    let damage = || fs::write(scene.entries().join("conf"), [0x5a; 3000]).unwrap();
    assert!(scene.survives(damage));
    let [first] = &scene.cachex.names_in_store("old.broken-")[..] else { panic!() };
    for _ in 0..3 {
        scene.cachex.fold().once().exits(0);
        assert_eq!(&scene.cachex.names_in_store("old.broken-"), std::slice::from_ref(first));
    }
    damage();
    scene.cachex.fold().once().exits(0);
    let aside = scene.cachex.names_in_store("old.broken-");
    assert!(aside.len() == 1 && aside[0] != *first, "{aside:?}");
    scene.old.once().hits();
}

#[test]
fn a_helper_that_goes_wrong_is_a_miss() {
    let scene = scene();
    for (what, aside) in [
        ("kill", false),
        ("exit", false),
        ("garbage", false),
        ("28", false), // ENOSPC
        ("24", false), // EMFILE
        ("5", false),  // EIO: what fails is the disk
        ("1", false),  // EPERM, as a sandbox has it
        ("38", false), // ENOSYS
        ("22", true),  // EINVAL: it leads nowhere
        ("panic", true),
        ("abort", true),
        ("hang", true),
    ] {
        scene.cachex.restores_store("kept");
        let call = scene.old.clone().fault(format!("sled={what}"));
        let outcome = call.once().misses().prints("old\n").exits(0).promptly();
        let _ =
            if aside { outcome.warns_once(&["warning: ", SET_ASIDE]) } else { outcome.quietly() };
        let broken = scene.cachex.names_in_store("old.broken-").len();
        assert_eq!(broken, usize::from(aside), "after {what}");
        scene.old.once().hits().prints("old\n").quietly();
        if !aside {
            // What the others in it have to say is not lost.
            fs::remove_dir_all(scene.cachex.in_store("v2/young")).unwrap();
            scene.old.once().hits().prints("old\n").quietly();
        }
    }
}

#[test]
fn quiet_is_quiet() {
    let scene = scene();
    let call = scene.old.clone().with("--quiet");
    call.fault("sled=panic").once().misses().prints("old\n").quietly();
    assert_eq!(scene.cachex.names_in_store("old.broken-").len(), 1);
}

#[test]
fn many_who_meet_a_hanging_database_all_go_on() {
    let scene = scene();
    let call = scene.old.clone().fault("sled=hang");
    let started = Instant::now();
    call.simultaneously(8).prints("old\n").exits(0).warns_at_most_once();
    assert!(started.elapsed() < PROMPTLY, "it took {:?}", started.elapsed());
    scene.old.once().hits().prints("old\n").quietly();
    scene.cachex.fold().once().exits(0);
    scene.old.once().hits().prints("old\n").quietly();
}

#[test]
fn many_who_meet_a_crashing_database_all_go_on() {
    let scene = scene();
    let call = scene.old.clone().fault("sled=abort");
    let outcome = call.simultaneously(8).prints("old\n").exits(0).warns_at_most_once().promptly();
    // One database was broken, and whoever says so names one that is there.
    let aside = scene.cachex.names_in_store("old.broken-");
    for said in outcome.stderrs().iter().filter(|said| !said.is_empty()) {
        assert!(aside.iter().any(|name| said.contains(name)), "{aside:?} and {said}");
    }
    scene.old.once().hits().prints("old\n").quietly();
    scene.cachex.fold().once().exits(0);
    scene.old.once().hits().prints("old\n").quietly();
}

#[cfg(target_os = "linux")]
#[test]
fn a_database_that_somebody_else_began_meanwhile_is_left_alone() {
    let scene = scene();
    copy(&scene.database(), &scene.cachex.path("new"));
    let lock = fs::File::open(scene.cachex.in_store("v2/locks/old")).unwrap();
    lock.lock().unwrap();
    let asking = scene.old.spawn();
    let helper = scene.cachex.awaits_helper();
    fs::rename(scene.database(), scene.cachex.path("broken")).unwrap();
    fs::rename(scene.cachex.path("new"), scene.database()).unwrap();
    rustix::process::kill_process(helper, Signal::SEGV).unwrap();
    lock.unlock().unwrap();
    asking.ends().prints("old\n").exits(0).quietly();
    assert!(scene.cachex.names_in_store("old.broken-").is_empty());
    scene.old.once().hits().prints("old\n").quietly();
}

#[test]
fn management_gives_a_hanging_database_up() {
    // Each waits for 20 s: they wait together.
    let (forgets, folds, background) = (scene(), scene(), scene());
    let started = Instant::now();
    let hang = "sled=hang";
    let (forgetting, folding) =
        (forgets.old.clone().forget().fault(hang).spawn(), folds.cachex.fold().fault(hang).spawn());
    let args = ["-", "-", "0", "0", "0"];
    let behind = args.iter().fold(background.cachex.helper("fold"), |call, arg| call.with(arg));
    let behind = behind.fault(hang).spawn();
    // Who only wants to know does not wait for those.
    folds.young.0.once().hits().promptly();
    forgetting.ends().exits(1).says_one_line(&["cachex: ", SET_ASIDE]);
    folding.ends();
    behind.ends();
    assert!(started.elapsed() < BOUND, "it took {:?}", started.elapsed());
    for scene in [forgets, folds, background] {
        assert_eq!(scene.cachex.names_in_store("old.broken-").len(), 1);
        let (young, good) = &scene.young;
        young.once().hits().same_as(good).quietly();
        scene.old.twice().runs_once().prints("old\n").quietly();
        scene.cachex.fold().once().exits(0);
        fs::remove_dir_all(scene.cachex.in_store("v2/young")).unwrap();
        scene.old.once().hits().prints("old\n").quietly();
        young.once().hits().same_as(good).quietly();
    }
}

#[test]
fn a_fold_in_the_foreground_tells_of_a_database_that_it_set_aside() {
    let scene = scene();
    fs::write(scene.index().join("conf"), [0x5a; 3000]).unwrap();
    // The database has nothing of what is forgotten, and is not asked for it.
    let forgot = scene.young.0.clone().forget().once().exits(0);
    assert!(forgot.stdout().starts_with("1 entry forgotten, "));
    forgot.warns_once(&["warning: ", SET_ASIDE]);
    scene.young.0.clone().forget().once().exits(0).quietly();
}

#[test]
fn management_bears_a_helper_that_goes_wrong() {
    let scene = scene();
    for what in ["kill", "exit", "garbage", "28", "5", "panic", "abort"] {
        scene.cachex.restores_store("kept");
        let forget = scene.old.clone().forget();
        let failed = forget.clone().fault(format!("sled={what}")).once();
        failed.exits(1).says_one_line(&["cachex: ", "store"]).promptly();
        scene.old.once().prints("old\n").exits(0);
        forget.once().exits(0).quietly();
        scene.old.once().misses().prints("old\n");
    }
}
