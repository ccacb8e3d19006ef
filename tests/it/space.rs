//! What the store takes on disk, and what goes when it is too much.

use crate::harness::{Cachex, Call, cachex};
use cachex::internals::{About, BlobRef, Bytes, Entry};
use cachex::{Key, Timestamp};
use std::fs;
use std::time::Duration;

const MB: u64 = 1 << 20;

/// An entry that no command has, recorded so long ago.
fn entry(n: u64, ago: Duration, expires_in: Option<Duration>, data: Bytes) -> Entry {
    let len = match &data {
        Bytes::Inline(data) => data.len() as u64,
        Bytes::Blob(blob) => blob.len,
    };
    Entry {
        key: Key(*blake3::hash(&n.to_le_bytes()).as_bytes()),
        created: Timestamp(Timestamp::now().0 - ago.as_nanos() as u64),
        expires_in: expires_in.map(|limit| limit.as_nanos() as u64),
        stale_for: None,
        run_time: 1_000_000,
        status: 0,
        stdin_consumed: None,
        // One frame of stdout, see `crates/base/src/record/frames.rs`: two bytes are enough here.
        frames: Bytes::Inline(leb128(len << 1)),
        data,
        outputs: None,
        about: About { argv: Vec::new(), cut: false, cwd: None, scope: None, tags: Vec::new() },
        parts: Vec::new(),
    }
}

fn leb128(mut rest: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while rest >= 0x80 {
        bytes.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    bytes.push(rest as u8);
    bytes
}

/// Puts an entry among the young, as `cachex` does.
fn record(cachex: &Cachex, entry: &Entry) {
    let hex = entry.key.to_string();
    cachex.write(format!("store/v2/young/{}/{hex}", &hex[..2]), entry.seal().unwrap());
}

/// Puts a blob in its place.
fn keep_blob(cachex: &Cachex, content: &[u8]) -> Bytes {
    let hash = blake3::hash(content);
    let hex = hash.to_hex();
    cachex.write(format!("store/v2/blobs/{}/{hex}", &hex[..2]), content);
    Bytes::Blob(BlobRef { hash: *hash.as_bytes(), len: content.len() as u64 })
}

#[test]
fn what_expired_gives_its_space_back() {
    let cachex = cachex();
    let lasting = cachex.run("seq 1 50000");
    let good = lasting.once().misses();
    let mut content = vec![7; 200_000];
    for n in 0_u64..500 {
        content[..8].copy_from_slice(&n.to_le_bytes());
        let data = keep_blob(&cachex, &content);
        let hour = Duration::from_hours(1);
        record(&cachex, &entry(n, 2 * hour, Some(hour), data));
    }
    assert!(cachex.disk_use() > 95 * MB);
    cachex.fold().once().exits(0);
    assert_eq!(cachex.stored_in("v2/young").len(), 1);
    assert_eq!(cachex.stored_in("v2/blobs").len(), 1);
    assert!(cachex.disk_use() < 4 * MB, "{} bytes are left", cachex.disk_use());
    lasting.once().hits().same_as(&good);
}

#[test]
fn what_is_forgotten_gives_its_space_back() {
    let cachex = cachex();
    let kept = cachex.run("seq 1 50000");
    let good = kept.once().misses();
    let call = cachex.run("seq 1 1000000");
    call.once().misses();
    for folded in [true, false] {
        if folded {
            cachex.fold().once().exits(0);
        }
        assert!(cachex.disk_use() > 6 * MB);
        call.clone().forget().once().exits(0);
        assert!(cachex.disk_use() < 4 * MB, "{} bytes are left", cachex.disk_use());
        kept.once().hits().same_as(&good);
        call.once().misses();
    }
}

#[test]
fn results_that_change_do_not_pile_up() {
    let cachex = cachex();
    // 300 KB that are different each time.
    let call = cachex.run("seq $$ $(($$ + 50000))").with("--force");
    for _ in 0..40 {
        call.once().exits(0);
        cachex.fold().once().exits(0);
    }
    assert_eq!(cachex.stored_in("v2/blobs").len(), 1);
    assert!(cachex.disk_use() < 6 * MB, "{} bytes are left", cachex.disk_use());
}

#[test]
fn many_entries_are_few_files() {
    const MANY: u64 = 6_000;
    // 4 KiB for each file, and twice what the rest takes when it is written anew.
    const MOST: u64 = 4096 * 4096 + 2 * MANY * 1500 + 4 * MB;
    let cachex = cachex();
    let call = cachex.run("echo hi");
    call.once().misses();
    for n in 0..MANY {
        let data = Bytes::Inline(vec![b'x'; 100]);
        record(&cachex, &entry(n, Duration::from_mins(10) + Duration::from_millis(n), None, data));
    }
    cachex.fold().once().exits(0);
    let young = cachex.stored_in("v2/young").len();
    assert!((1..=4096).contains(&young), "{young} young files");
    assert!(cachex.stored().len() < 4096 + 512, "{} files in all", cachex.stored().len());
    assert!(cachex.disk_use() < MOST, "{} bytes", cachex.disk_use());
    call.once().hits().prints("hi\n");
    fs::remove_dir_all(cachex.in_store("v2/young")).unwrap();
    call.once().hits().prints("hi\n").promptly();
    // Everyone of them is there, and counted.
    assert_eq!(cachex.filter().unwrap().len() as u64, MANY + 1);
}

#[test]
fn many_entries_are_pruned_on_a_full_disk_and_leave_it() {
    use crate::harness::{Mounted, where_mounts_are_ones_own};
    use crate::relief::fills_the_rest;
    where_mounts_are_ones_own(|| {
        let cachex = cachex();
        let _mounted = Mounted::small(&cachex.store(), 16 * 1024, 16 * 1024);
        cachex.run("echo hi").once().misses();
        let count = || cachex.filter().unwrap().len();
        for n in 1..3000 {
            let data = Bytes::Inline(vec![n as u8; 900]);
            record(&cachex, &entry(n, Duration::from_secs(n), None, data));
        }
        cachex.fold().once().exits(0);
        fs::remove_dir_all(cachex.in_store("v2/young")).unwrap();
        fills_the_rest(&cachex);
        let full = cachex.disk_use();
        // sled alone would need some MB for that.
        cachex.cli(["prune", "--max-entries", "1500"]).once().exits(0);
        assert_eq!(count(), 1500);
        assert!(cachex.disk_use() + MB < full, "{} of {full}", cachex.disk_use());
        cachex.run("echo hi").with("--cached-only").once().hits();
        let doctor = cachex.cli(["doctor"]).once().exits(0);
        assert!(!doctor.stdout().contains("damaged"), "{}", doctor.stdout());
        fills_the_rest(&cachex);
        cachex.cli(["prune", "--max-age", "1ns"]).once().exits(0);
        let filler = fs::metadata(cachex.in_store("filler")).unwrap().len();
        assert!(cachex.disk_use() < filler + 2 * MB, "{}", cachex.disk_use());
    });
}

/// Prints 1 MB that no other prints.
fn large(cachex: &Cachex, n: usize) -> Call {
    cachex.run(&format!("yes {n} | head -c 1000000"))
}

#[test]
fn over_the_limit_the_least_recently_used_go() {
    let cachex = cachex();
    let calls: Vec<Call> = (0..6).map(|n| large(&cachex, n)).collect();
    for (n, call) in calls.iter().enumerate() {
        call.clone().before(&format!("{} min", 60 - n)).once().misses();
    }
    // A hit counts as a use, of what is young and of what is old.
    calls[0].clone().before("10 min").once().hits();
    cachex.folds_away();
    calls[2].clone().before("5 min").once().hits();
    let bounded = |limit: &str| {
        cachex.cli(["prune"]).env("CACHEX_MAX_SIZE", limit).once().exits(0);
    };
    bounded("3600KB");
    let kept: Vec<bool> = (0..6).map(|n| cachex.stores(1_000_000, &n.to_string())).collect();
    assert_eq!(kept, [true, false, true, false, false, true]);
    for n in [0, 2, 5] {
        calls[n].clone().once().hits();
    }
    // The one recorded last stays even if it alone is too large.
    bounded("1MB");
    let kept: Vec<bool> = (0..6).map(|n| cachex.stores(1_000_000, &n.to_string())).collect();
    assert_eq!(kept, [false, false, false, false, false, true]);
    calls[5].once().hits();
    calls[0].once().misses();
}

#[cfg(target_os = "linux")]
#[test]
fn a_limit_by_variable_binds_the_background_fold() {
    let cachex = cachex();
    // Each is so large that a fold comes with it.
    let call = |n: usize| {
        cachex.run(&format!("head -c 70000000 /dev/zero; echo {n}")).env("CACHEX_MAX_SIZE", "100MB")
    };
    for n in 0..4 {
        call(n).output_counted().once().misses();
        crate::harness::eventually("a fold within the limit", || {
            (cachex.disk_use() < 110 * MB && cachex.processes().is_empty()).then_some(())
        });
    }
    call(3).output_counted().once().hits();
}
