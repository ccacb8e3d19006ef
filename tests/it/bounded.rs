//! The limit on the store's size holds whatever comes and goes, and whoever is there to
//! see to it.

use crate::harness::{Cachex, Call, cachex, eventually, unshares};
use std::ffi::OsStr;
use std::path::Path;

const MB: u64 = 1 << 20;
/// What a store takes beyond its limit at the most, in the middle of it all.
const BESIDES: u64 = 4 * MB;

/// Prints so many bytes that no other prints.
pub fn random(cachex: &Cachex, n: usize, len: u64) -> Call {
    cachex.exec(["head", "-c", &len.to_string(), "/dev/urandom"]).option("--key", n.to_string())
}

/// Records so many results, and looks after each.
#[track_caller]
fn stays_within(cachex: &Cachex, limit: u64, calls: impl Iterator<Item = Call>) {
    for call in calls {
        call.option("--max-size", limit.to_string()).output_counted().once().exits(0).quietly();
        let taken = cachex.disk_use();
        assert!(taken <= limit + limit / 4 + BESIDES, "{taken} of {limit}");
    }
    eventually("a store within its limit", || {
        (cachex.processes().is_empty() && cachex.disk_use() <= limit + limit / 20 + BESIDES)
            .then_some(())
    });
}

#[test]
fn many_results_stay_within_the_limit() {
    let cachex = cachex();
    stays_within(&cachex, 4 * MB, (0..60).map(|n| random(&cachex, n, 1_000_000)));
    // What was recorded last is there.
    random(&cachex, 59, 1_000_000).output_counted().once().exits(0);
}

#[test]
fn one_result_that_changes_each_time_stays_within_the_limit() {
    let cachex = cachex();
    let poll = |_| random(&cachex, 0, 1_000_000).with("--force");
    stays_within(&cachex, 4 * MB, (0..40).map(poll));
}

#[test]
fn large_results_stay_within_the_limit() {
    let cachex = cachex();
    stays_within(&cachex, 10 * MB, (0..12).map(|n| random(&cachex, n, 6_000_000)));
}

#[test]
fn a_result_that_is_too_large_for_the_store_is_shown_and_not_recorded() {
    let cachex = cachex();
    let call = cachex.run("yes | head -c 3000000").option("--max-size", "2MiB");
    call.twice().runs_twice().quietly();
    let told = call.with("--verbose").once().exits(0).stderr();
    assert!(told.contains("no room for it within --max-size"), "{told}");
    assert!(cachex.disk_use() < MB);
}

#[test]
fn the_limit_holds_where_every_fold_is_killed() {
    let cachex = cachex();
    let killed = |n| random(&cachex, n, 1_000_000).fault("sled=kill");
    stays_within(&cachex, 4 * MB, (0..40).map(killed));
}

#[test]
fn the_limit_holds_where_no_process_can_be_started_in_the_background() {
    let cachex = cachex();
    let alone = |n| random(&cachex, n, 1_000_000).fault("start=11");
    stays_within(&cachex, 4 * MB, (0..40).map(alone));
    // Nobody folded, and what was recorded last is there.
    assert!(!cachex.in_store("v2/old").exists());
    random(&cachex, 39, 1_000_000).with("--cached-only").output_counted().once().exits(0);
}

#[cfg(target_os = "linux")]
#[test]
fn the_limit_holds_without_proc() {
    let cachex = cachex();
    if !unshares("--mount") {
        return;
    }
    let without = r#"exec unshare --mount sh -c 'umount -l /proc && exec "$@"' sh "$@""#;
    let call = |n| random(&cachex, n, 1_000_000).launched_by(without);
    stays_within(&cachex, 4 * MB, (0..40).map(call));
    random(&cachex, 39, 1_000_000).with("--cached-only").output_counted().once().exits(0);
}

#[test]
fn what_was_hit_stays_when_room_is_made() {
    let cachex = cachex();
    let kept = cachex.run("yes kept | head -c 300000").option("--max-size", "4MiB");
    let good = kept.once().misses();
    for n in 0..20 {
        random(&cachex, n, 1_000_000)
            .option("--max-size", "4MiB")
            .fault("sled=kill")
            .output_counted()
            .once()
            .exits(0);
        kept.once().hits().same_as(&good);
    }
}

/// Asserts that nothing is damaged, and that all of these results, and no others, which are listed
/// are there.
#[track_caller]
fn has_what_it_lists(cachex: &Cachex, numbers: impl Iterator<Item = usize>) {
    let told = cachex.cli(["doctor"]).once().exits(0).stdout();
    assert!(told.contains(": no problems"), "{told}");
    let listed = cachex.cli(["list", "--json"]).once().exits(0).stdout();
    let cached = |n: &usize| {
        random(cachex, *n, 300_000).with("--cached-only").output_counted().once().succeeded()
    };
    let there = numbers.filter(cached).count();
    assert_eq!(listed.matches("\"key\"").count(), there, "{listed}");
    assert!(there > 0);
}

#[test]
fn what_was_evicted_is_listed_no_more_and_is_no_damage() {
    for is_young in [true, false] {
        let cachex = cachex();
        for n in 0..10 {
            random(&cachex, n, 300_000).before("1h").output_counted().once().exits(0);
        }
        cachex.fold().before("1h").once().exits(0);
        if !is_young {
            std::fs::remove_dir_all(cachex.in_store("v2/young")).unwrap();
        }
        // Whoever records makes room, and no fold drops what the database holds.
        for n in 10..20 {
            let call = random(&cachex, n, 300_000).option("--max-size", "4MiB");
            call.fault("sled=kill").output_counted().once().exits(0);
        }
        assert!(cachex.stored_in("v2/blobs").len() < 20);
        has_what_it_lists(&cachex, 0..20);
        assert!(cachex.names_in_store("evicted-").is_empty());
    }
}

#[test]
fn many_writers_leave_nothing_that_is_listed_and_not_there() {
    let cachex = cachex();
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let cachex = &cachex;
            scope.spawn(move || {
                for n in 0..15 {
                    let call = random(cachex, writer * 15 + n, 300_000);
                    call.option("--max-size", "4MiB").output_counted().once().exits(0).quietly();
                }
            });
        }
    });
    cachex.awaits_quiet();
    has_what_it_lists(&cachex, 0..60);
}

#[test]
fn an_account_that_is_gone_or_damaged_is_made_anew() {
    let cachex = cachex();
    for content in
        ["", "what is this", "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"]
    {
        cachex.write("store/v2/account", content);
        stays_within(
            &cachex,
            4 * MB,
            (0..8).map(|n| random(&cachex, n, 1_000_000).with("--force")),
        );
    }
}

#[test]
fn what_comes_from_a_remote_store_has_room_made_for_it() {
    let cachex = cachex();
    let shared = cachex.path("shared");
    std::fs::create_dir(&shared).unwrap();
    let url = format!("file://{}", shared.display());
    // A busy machine may take longer than the run did.
    let call = |n| {
        let call = random(&cachex, n, 1_000_000).env("CACHEX_REMOTE", &url).output_counted();
        call.with("--remote-budget 1m")
    };
    let there = |call: Call| call.env("CACHEX_DIR", cachex.path("there"));
    for n in 0..12 {
        there(call(n)).once().exits(0).quietly();
    }
    there(cachex.cli(["remote", "flush"]).env("CACHEX_REMOTE", &url)).once().exits(0);
    stays_within(&cachex, 4 * MB, (0..12).map(call));
    let stats = cachex.cli(["stats", "--json"]).once().exits(0).stdout();
    let stats: serde_json::Value = serde_json::from_str(&stats).unwrap();
    assert_eq!(stats["total"]["remote"]["hits"], 12, "{stats}");
    // What was got last is there.
    call(11).env("CACHEX_REMOTE_MODE", "off").with("--cached-only").once().exits(0);
}

#[test]
fn an_import_makes_room_first_and_takes_in_nothing_if_there_is_none() {
    let (there, here) = (cachex(), cachex());
    let export = |count: usize, len: u64, name: &str| {
        let there = &there;
        there.cli(["clear", "--yes"]).once().exits(0);
        (0..count).for_each(|n| drop(random(there, n, len).output_counted().once().exits(0)));
        let archive = here.path(name);
        there.cli(["export"]).option("--to", &archive).once().exits(0);
        archive
    };
    let large = export(3, 900_000, "large");
    stays_within(&here, 4 * MB, (100..106).map(|n| random(&here, n, 1_000_000)));
    let import = |archive: &Path, limit: u64| {
        let import = here.cli([OsStr::new("import"), archive.as_os_str()]);
        import.option("--max-size", limit.to_string())
    };
    assert!(import(&large, 4 * MB).once().exits(0).stdout().starts_with("3 entries imported"));
    assert!(here.disk_use() <= 5 * MB + BESIDES, "{}", here.disk_use());
    let taken_in = here.stored_in("v2/blobs").len();
    assert!(taken_in >= 3, "{taken_in}");
    eventually("a store within its limit", || {
        (here.processes().is_empty() && here.disk_use() <= 4 * MB + BESIDES).then_some(())
    });
    // The store has its own limit, whatever the archive may hold.
    let larger = export(8, 900_000, "larger");
    import(&larger, 100 * MB)
        .env("CACHEX_MAX_SIZE", (4 * MB).to_string())
        .once()
        .exits(1)
        .says_one_line(&["has no room for it", "nothing was imported"]);
    // So many small ones take more of the disk than they hold.
    let small = export(300, 10, "small");
    import(&small, MB)
        .once()
        .exits(1)
        .says_one_line(&["has no room for it", "nothing was imported"]);
}

#[test]
fn few_entries_may_be_all_that_is_kept() {
    let cachex = cachex();
    for n in 0..100 {
        let call = cachex.exec(["true"]).option("--key", n.to_string());
        call.option("--max-entries", "10").once().exits(0);
    }
    eventually("few entries", || {
        let listed = cachex.cli(["list", "--json"]).once().exits(0).stdout();
        (listed.matches("\"key\"").count() <= 60).then_some(())
    });
    cachex.cli(["prune", "--max-entries", "10"]).once().exits(0);
    let listed = cachex.cli(["list", "--json"]).once().exits(0).stdout();
    assert_eq!(listed.matches("\"key\"").count(), 10);
}

#[test]
fn what_ran_in_a_folder_is_forgotten_or_pruned() {
    for verb in ["forget", "prune --max-age 1m"] {
        let cachex = cachex();
        let elsewhere = cachex.path("elsewhere");
        std::fs::create_dir(&elsewhere).unwrap();
        let here = cachex.run("echo here").before("1h");
        here.once().misses();
        let there = cachex.run("echo there").launched_by("cd ../elsewhere; exec \"$@\"");
        there.before("1h").once().misses();
        let removed = cachex.cli(Vec::<String>::new()).with(verb).option("--cwd", &elsewhere);
        assert!(removed.once().exits(0).stdout().starts_with("1 entry "), "{verb}");
        cachex.run("echo here").once().hits();
    }
}
