//! Figures of a store that cannot be written to, or is damaged.

use super::all;
use crate::harness::{Mounted, cachex, overwrite, places, where_mounts_are_ones_own};
use std::fs;

#[test]
fn a_store_that_cannot_be_changed_shows_what_can_be_read() {
    where_mounts_are_ones_own(|| {
        let cachex = cachex();
        cachex.run("echo hi").times(3).runs_once();
        let mounted = Mounted::read_only(&cachex.store());
        let outcome = cachex
            .cli(["stats", "--json"])
            .once()
            .exits(0)
            .warns_once(&["warning", "may not be all"]);
        let shown: serde_json::Value = serde_json::from_str(&outcome.stdout()).unwrap();
        assert_eq!((&shown["total"]["hits"], &shown["total"]["misses"]), (&2.into(), &1.into()));
        assert_eq!(
            (&shown["commands"][0]["command"], &shown["entries"]),
            (&"sh".into(), &1.into())
        );
        cachex.cli(["stats", "--quiet"]).once().exits(0).quietly();
        cachex.cli(["stats", "--reset", "--yes"]).once().exits(1);
        drop(mounted);
        assert_eq!(all(&cachex)["total"]["calls"], 3);
        // What was counted lies in the database, which cannot be read then.
        let _mounted = Mounted::read_only(&cachex.store());
        cachex.cli(["stats"]).once().exits(0).warns_once(&["warning", "may not be all"]);
    });
}

#[test]
fn a_damaged_store_ends_in_time_with_a_warning_at_the_most() {
    let cachex = cachex();
    cachex.run("echo hi").times(3).runs_once();
    assert_eq!(all(&cachex)["total"]["calls"], 3);
    cachex.keeps_store("good");
    let database: Vec<_> = cachex.stored_in("v2/old");
    assert!(!database.is_empty());
    for file in database {
        cachex.restores_store("good");
        let path = cachex.in_store(&file);
        if fs::metadata(&path).unwrap().len() == 0 {
            continue;
        }
        for at in places(&path, 3) {
            cachex.restores_store("good");
            overwrite(&path, at);
            let outcome = cachex.cli(["stats", "--json"]).once().exits(0).warns_at_most_once();
            let shown: serde_json::Value = serde_json::from_str(&outcome.stdout()).unwrap();
            let calls = shown["total"]["calls"].as_u64().unwrap();
            assert!(calls == 3 || calls == 0, "{file:?} at {at}: {calls} calls");
            // And it goes on counting, be it that a fold first meets the damage.
            cachex.run("echo more").once().exits(0);
            let outcome = cachex.cli(["stats", "--json"]).once().exits(0).warns_at_most_once();
            let shown: serde_json::Value = serde_json::from_str(&outcome.stdout()).unwrap();
            let calls = shown["total"]["calls"].as_u64().unwrap();
            assert!(calls == 4 || calls == 1, "{file:?} at {at}: {calls} calls");
            assert_eq!(all(&cachex)["total"]["calls"], calls);
        }
    }
}

#[test]
fn a_log_of_junk_counts_for_nothing() {
    let cachex = cachex();
    cachex.run("echo hi").times(3).runs_once();
    let log = cachex.in_store("v2/events");
    let junk: Vec<u8> =
        (0..100_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    fs::write(&log, [&junk[..], &fs::read(&log).unwrap(), b"\xce"].concat()).unwrap();
    assert_eq!(all(&cachex)["total"]["calls"], 3);
}
