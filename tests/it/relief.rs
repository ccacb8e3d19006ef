//! What a full file system is relieved of, and what still works on it.

use crate::bounded::random;
use crate::harness::{Cachex, Call, Mounted, cachex, where_mounts_are_ones_own};

/// Somebody else fills the file system of the store.
pub fn fills_the_rest(cachex: &Cachex) {
    let full = std::process::Command::new("sh")
        .args(["-c", "cat /dev/zero >\"$0\" 2>/dev/null"])
        .arg(cachex.in_store("filler"))
        .status();
    assert!(!full.unwrap().success());
}

/// Ten results on a file system of the store's own, which somebody else fills.
fn on_a_full_file_system(cachex: &Cachex) -> Mounted {
    let mounted = Mounted::small(&cachex.store(), 4096, 4096);
    for n in 0..10 {
        random(cachex, n, 1_000_000).before("1h").output_counted().once().exits(0);
    }
    fills_the_rest(cachex);
    assert_eq!(cachex.stored_in("v2/blobs").len(), 10);
    mounted
}

#[test]
fn a_full_file_system_is_relieved_by_what_manages_the_store() {
    where_mounts_are_ones_own(|| {
        for verb in ["prune --max-age 1m", "clear --yes", "forget --older-than 1m"] {
            let cachex = cachex();
            let _mounted = on_a_full_file_system(&cachex);
            cachex.cli(Vec::<String>::new()).with(verb).once().exits(0);
            assert_eq!(cachex.stored_in("v2/blobs").len(), 0, "{verb}");
            random(&cachex, 99, 1_000_000).output_counted().once().exits(0).quietly();
        }
    });
}

#[test]
fn what_only_counts_or_selects_evicts_nothing_from_a_full_file_system() {
    where_mounts_are_ones_own(|| {
        let cachex = cachex();
        let _mounted = on_a_full_file_system(&cachex);
        // Whether that works with what room there is or not.
        cachex.cli(["stats", "--reset", "--yes"]).once();
        assert_eq!(cachex.stored_in("v2/blobs").len(), 10);
        for n in 0..10 {
            let call = random(&cachex, n, 1_000_000).with("--cached-only").output_counted();
            call.once().exits(0);
        }
    });
}

/// A call whose output is short and differs each time.
fn short(cachex: &Cachex, n: usize) -> Call {
    cachex.run("date +%N").option("--key", n.to_string())
}

/// Records 60 of these, and moves them to the database.
fn folds_short_ones(cachex: &Cachex) {
    for n in 0..60 {
        short(cachex, n).before("1h").once().misses();
    }
    cachex.fold().before("1h").once().exits(0);
}

#[test]
fn a_file_system_that_is_full_of_other_things_is_relieved_of_short_results() {
    where_mounts_are_ones_own(|| {
        for verb in ["prune --max-age 1m", "clear --yes", "forget --older-than 1m", ""] {
            let cachex = cachex();
            let _mounted = Mounted::small(&cachex.store(), 4096, 4096);
            let echo = |n| short(&cachex, n);
            folds_short_ones(&cachex);
            for n in 60..120 {
                echo(n).before("1h").once().misses();
            }
            fills_the_rest(&cachex);
            // What runs now takes the place of what was used least.
            let last = echo(200);
            last.once().exits(0).quietly();
            last.once().hits();
            // Without a verb, one command is forgotten.
            let all = cachex.cli(Vec::<String>::new()).with(verb);
            let removal = if verb.is_empty() { echo(7).forget() } else { all };
            removal.once().exits(0);
            assert!(cachex.names_in_store("old.broken-").is_empty(), "{verb}");
            for n in if verb.is_empty() { 7..8 } else { 0..120 } {
                assert!(!echo(n).with("--cached-only").once().succeeded(), "{verb}: {n}");
            }
        }
    });
}

#[test]
fn what_a_full_file_system_is_relieved_of_is_no_damage() {
    where_mounts_are_ones_own(|| {
        let cachex = cachex();
        let _mounted = Mounted::small(&cachex.store(), 4096, 4096);
        folds_short_ones(&cachex);
        fills_the_rest(&cachex);
        for n in 60..90 {
            short(&cachex, n).once().exits(0).quietly();
        }
        let young = cachex.stored_in("v2/young");
        let is_empty =
            |path: &&std::path::PathBuf| cachex.in_store(path).metadata().unwrap().len() == 0;
        assert!(young.iter().filter(is_empty).count() > 0);
        let told = cachex.cli(["doctor"]).once().exits(0).stdout();
        assert!(told.contains(": no problems"), "{told}");
        let listed = cachex.cli(["list", "--json"]).once().exits(0).stdout();
        let there = |n: &usize| short(&cachex, *n).with("--cached-only").once().succeeded();
        assert_eq!(listed.matches("\"key\"").count(), (0..90).filter(there).count(), "{listed}");
    });
}

#[test]
fn a_full_file_system_lets_go_of_what_only_the_database_holds() {
    where_mounts_are_ones_own(|| {
        let verbs = ["prune --max-age 1m", "prune --max-entries 1", "forget --older-than 1m", ""];
        for (verb, has_reserve) in verbs.into_iter().flat_map(|it| [(it, true), (it, false)]) {
            let cachex = cachex();
            let _mounted = Mounted::small(&cachex.store(), 4096, 4096);
            let echo = |n| short(&cachex, n);
            folds_short_ones(&cachex);
            std::fs::remove_dir_all(cachex.in_store("v2/young")).unwrap();
            if !has_reserve {
                std::fs::remove_file(cachex.in_store("v2/reserve")).unwrap();
            }
            fills_the_rest(&cachex);
            let list = cachex.cli(["list", "--json"]);
            if verb.is_empty() {
                // What is not forgotten stays, and so does the way to forget it. Without a reserve, sled
                // may need more some time.
                let rounds = if has_reserve { 20 } else { 2 };
                for n in 0..rounds {
                    let forgot = echo(n).forget().once();
                    assert!(forgot.succeeded(), "{n} {has_reserve}: {}", forgot.stderr());
                    fills_the_rest(&cachex);
                    assert!(!echo(n).with("--cached-only").once().succeeded(), "{n}");
                }
                assert_eq!(list.once().exits(0).stdout().matches("\"key\"").count(), 60 - rounds);
                echo(59).with("--cached-only").once().hits();
            } else {
                cachex.cli(Vec::<String>::new()).with(verb).once().exits(0);
                let left = usize::from(verb.contains("--max-entries"));
                let listed = list.once().exits(0).stdout();
                assert_eq!(listed.matches("\"key\"").count(), left, "{verb}");
            }
            assert!(cachex.names_in_store("old.broken-").is_empty(), "{verb}");
        }
    });
}

#[test]
fn a_full_file_system_can_still_be_read() {
    where_mounts_are_ones_own(|| {
        for has_reserve in [true, false] {
            let cachex = cachex();
            let _mounted = Mounted::small(&cachex.store(), 4096, 4096);
            folds_short_ones(&cachex);
            std::fs::remove_dir_all(cachex.in_store("v2/young")).unwrap();
            let reserve = cachex.in_store("v2/reserve");
            if !has_reserve {
                std::fs::remove_file(&reserve).unwrap();
            }
            // sled writes one before it reads.
            for name in ["index", "entries-0-00"] {
                let is_snapshot =
                    |path: &std::path::PathBuf| path.to_string_lossy().contains("/snap.");
                let all = cachex.stored_in(&format!("v2/old/{name}"));
                for snapshot in all.into_iter().filter(is_snapshot) {
                    std::fs::remove_file(cachex.in_store(snapshot)).unwrap();
                }
            }
            fills_the_rest(&cachex);
            let list = cachex.cli(["list", "--json"]).once().exits(0);
            let listed = list.stdout().matches("\"key\"").count();
            if has_reserve {
                assert_eq!((listed, &*list.stderr()), (60, ""));
                short(&cachex, 7).with("--cached-only").once().hits();
                assert!(reserve.metadata().unwrap().len() > 900 * 1024);
            } else {
                assert_eq!(listed, 0);
                assert!(list.stderr().contains("may not be all there is"), "{}", list.stderr());
            }
            assert!(cachex.names_in_store("old.broken-").is_empty());
        }
    });
}

#[test]
fn a_removal_that_is_killed_on_a_full_disk_loses_nothing_else() {
    where_mounts_are_ones_own(|| {
        for fault in ["index=kill", "index=28"] {
            let cachex = cachex();
            let _mounted = Mounted::small(&cachex.store(), 4096, 4096);
            let echo = |n| short(&cachex, n);
            folds_short_ones(&cachex);
            std::fs::remove_dir_all(cachex.in_store("v2/young")).unwrap();
            fills_the_rest(&cachex);
            cachex.cli(["prune", "--max-entries", "20"]).fault(fault).once();
            std::fs::remove_file(cachex.in_store("filler")).unwrap();
            for n in 40..60 {
                echo(n).with("--cached-only").once().hits();
            }
            let listed = cachex.cli(["list", "--json"]).once().exits(0).stdout();
            assert_eq!(listed.matches("\"key\"").count(), 20, "{fault}");
            assert!(cachex.names_in_store("old.broken-").is_empty(), "{fault}");
        }
    });
}
