//! One flipped bit, or a lost part, in any file of the store: the right bytes,
//! and a store that is whole again after.

use crate::harness::{Cachex, Call, Outcome, cachex, flip, places, quoted};
use std::fs;
use std::path::{Path, PathBuf};

/// A store with a file of every kind, kept under the name `kept`, and two calls
/// that are answered from it: of an entry alone, and of one with a blob.
struct Scene {
    cachex: Cachex,
    calls: Vec<(Call, Outcome)>,
}

fn scene() -> Scene {
    let cachex = cachex();
    let calls = ["echo hi", "seq 1 1000"];
    let calls = calls.map(|script| cachex.run(script).with("--no-concurrent"));
    let calls = calls.into_iter().map(|call| (call.clone(), call.once().misses())).collect();
    cachex.fold().once().exits(0);
    // Which leaves the lock file of its key.
    cachex.run("echo more").with("--no-concurrent").once().misses();
    let scene = Scene { cachex, calls };
    scene.is_whole();
    scene.cachex.keeps_store("kept");
    scene
}

impl Scene {
    /// Every file of this part of the store, which must be there.
    fn files(&self, part: &str) -> Vec<PathBuf> {
        self.cachex.restores_store("kept");
        let files = self.cachex.stored_in(part);
        assert!(!files.is_empty(), "{part}: {:?}", self.cachex.stored());
        files
    }

    /// The same bytes whatever the store is like.
    #[track_caller]
    fn is_right(&self) {
        for (call, good) in &self.calls {
            call.once().prints(good.stdout()).exits(0).warns_at_most_once();
        }
    }

    #[track_caller]
    fn is_whole(&self) {
        for (call, good) in &self.calls {
            call.once().hits().same_as(good);
        }
    }

    /// Does the damage to a fresh store, with or without young files.
    #[track_caller]
    fn survives(&self, young: bool, damage: impl FnOnce()) {
        self.cachex.restores_store("kept");
        if !young {
            fs::remove_dir_all(self.cachex.in_store("v2/young")).unwrap();
        }
        damage();
        self.is_right();
        self.is_whole();
    }

    /// Flips a bit at so many places of each file.
    fn survives_flips(&self, part: &str, most: usize, young: bool) {
        for file in self.files(part) {
            self.cachex.restores_store("kept");
            let path = self.cachex.in_store(&file);
            for at in places(&path, most) {
                self.survives(young, || flip(&path, at));
            }
        }
    }

    /// Cuts each file short, empties it, and appends to it.
    fn survives_cuts(&self, part: &str, young: bool) {
        for file in self.files(part) {
            self.cachex.restores_store("kept");
            let path = self.cachex.in_store(&file);
            let content = fs::read(&path).unwrap();
            let len = content.len();
            for kept in [0, 1, len / 2, len.saturating_sub(1)] {
                self.survives(young, || fs::write(&path, &content[..kept.min(len)]).unwrap());
            }
            self.survives(young, || fs::write(&path, [&content[..], b"more"].concat()).unwrap());
            self.survives(young, || drop(fs::remove_file(&path)));
        }
    }
}

#[test]
fn every_byte_of_an_entry_counts() {
    let scene = scene();
    scene.survives_flips("v2/young", 1000, true);
    scene.survives_cuts("v2/young", true);
}

#[test]
fn a_damaged_copy_hides_no_entry_that_is_intact() {
    let scene = scene();
    let more = scene.cachex.run("echo more").with("--no-concurrent");
    for file in scene.files("v2/young") {
        let path = scene.cachex.in_store(&file);
        for at in places(&path, 20) {
            for repaired in [false, true] {
                scene.cachex.restores_store("kept");
                // Of the one that is not folded there is no copy.
                let is_only =
                    |call: &Call| call.key() == path.file_name().unwrap().to_str().unwrap();
                if is_only(&more) {
                    continue;
                }
                flip(&path, at);
                if repaired {
                    scene.cachex.cli(["doctor", "--repair"]).once().exits(0);
                }
                scene.is_whole();
            }
        }
    }
}

#[test]
fn a_blob_is_read_before_it_is_served() {
    let scene = scene();
    for young in [true, false] {
        scene.survives_flips("v2/blobs", 60, young);
        scene.survives_cuts("v2/blobs", young);
    }
}

#[test]
fn a_filter_that_lies_costs_a_run() {
    let scene = scene();
    scene.survives_flips("v2/old.keys", 1000, false);
    scene.survives_cuts("v2/old.keys", false);
}

#[test]
fn a_fold_rebuilds_a_filter_that_lies() {
    let scene = scene();
    let filter = scene.cachex.in_store("v2/old.keys");
    for at in places(&filter, 1000) {
        scene.cachex.restores_store("kept");
        fs::remove_dir_all(scene.cachex.in_store("v2/young")).unwrap();
        flip(&filter, at);
        scene.cachex.fold().once().exits(0);
        scene.is_whole();
    }
}

#[test]
fn the_rest_decides_nothing() {
    let scene = scene();
    let locked = scene.files("v2/locks").iter().any(|lock| lock.as_os_str().len() > 64);
    assert!(locked, "no lock of a key in {:?}", scene.files("v2/locks"));
    for part in ["v2/locks", "v2/events", "CACHEDIR.TAG"] {
        for young in [true, false] {
            scene.survives_flips(part, 80, young);
            scene.survives_cuts(part, young);
        }
    }
}

#[test]
fn a_flipped_bit_in_the_database_is_a_hit_or_a_run() {
    let scene = scene();
    scene.survives_flips("v2/old", 60, false);
}

#[test]
fn a_database_that_is_cut_short_is_a_hit_or_a_run() {
    let scene = scene();
    scene.survives_cuts("v2/old", false);
    // What is recent does not even ask it.
    for file in scene.files("v2/old") {
        scene.cachex.restores_store("kept");
        fs::write(scene.cachex.in_store(file), "").unwrap();
        scene.is_whole();
    }
}

/// Folds what was damaged, and looks whether all is well then.
#[track_caller]
fn folds_to_something_whole(scene: &Scene, path: &Path) {
    let shown = path.display();
    let fold = scene.cachex.fold().once();
    assert!(fold.succeeded(), "after damage to {shown}: {:?}", fold.stderr());
    scene.is_right();
    scene.is_whole();
    scene.cachex.audit().once().exits(0);
    scene.is_whole();
    fs::remove_dir_all(scene.cachex.in_store("v2/young")).unwrap();
    scene.is_whole();
}

#[test]
fn a_fold_mends_whatever_was_damaged() {
    let scene = scene();
    for file in scene.files("") {
        let path = scene.cachex.in_store(&file);
        let all = places(&path, 8);
        for at in all.iter().step_by((all.len() / 8).max(1)) {
            scene.cachex.restores_store("kept");
            flip(&path, *at);
            folds_to_something_whole(&scene, &path);
        }
        scene.cachex.restores_store("kept");
        fs::write(&path, "").unwrap();
        folds_to_something_whole(&scene, &path);
        scene.cachex.restores_store("kept");
    }
}

#[test]
fn a_fold_into_a_database_whose_head_is_damaged_is_not_lost_in_silence() {
    let scene = scene();
    let database = scene.cachex.in_store("v2/old/index/db");
    // It is not folded yet.
    let more = scene.cachex.run("echo more").with("--no-concurrent");
    // sled passes over a segment with such a head, also over one it has just written.
    for at in 0..20 {
        scene.cachex.restores_store("kept");
        flip(&database, at);
        scene.cachex.fold().once().exits(0);
        fs::remove_dir_all(scene.cachex.in_store("v2/young")).unwrap();
        scene.is_whole();
        more.once().hits().prints("more\n");
    }
}

/// Prints how often it was run; recorded twice, the first of them folded.
fn superseded(cachex: &Cachex) -> Call {
    let call = cachex.run(&format!("wc -c <{}", quoted(cachex.path("runs"))));
    call.once().prints("1\n");
    cachex.fold().once().exits(0);
    call.clone().with("--force").once().prints("2\n");
    for file in cachex.stored_in("v2/young") {
        flip(&cachex.in_store(file), 50);
    }
    call
}

#[test]
fn a_damaged_entry_does_not_bring_its_predecessor_back() {
    let cachex = cachex();
    let call = superseded(&cachex);
    // It is run again, and this run is not recorded.
    call.clone().option("--max-entry-size", "1B").once().prints("3\n");
    call.once().misses().prints("4\n");
    call.once().hits().prints("4\n");
}

#[test]
fn nor_does_a_fold_that_finds_it() {
    for audit in [false, true] {
        let cachex = cachex();
        let call = superseded(&cachex);
        let fold = if audit { cachex.audit() } else { cachex.fold() };
        fold.once().exits(0);
        call.once().misses().prints("3\n");
        call.once().hits().prints("3\n");
    }
}
