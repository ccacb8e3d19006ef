//! `cachex prune`: what expired, what is old and what is too much goes, and the
//! disk has its space again.

use crate::harness::{Cachex, Call, cachex};
use serde_json::Value;
use std::os::unix::fs::MetadataExt;

const MB: u64 = 1 << 20;

/// Prints 100 KB that no other prints.
fn large(cachex: &Cachex, n: usize) -> Call {
    cachex.exec(["sh", "-c", &format!("yes {n} | head -c 1000000")])
}

fn commands(cachex: &Cachex) -> usize {
    cachex.cli(["list"]).once().exits(0).stdout().lines().count().saturating_sub(1)
}

#[test]
fn five_hundred_expired_results_give_their_space_back() {
    let cachex = cachex();
    let lasting = cachex.exec(["seq", "50000"]);
    let good = lasting.once().exits(0);
    cachex.tool("large", "yes $1 | head -c 200000");
    let fill = "seq 1 500 | xargs -P 4 -I{} cachex run --expires-in 1h -- large {} | wc -c";
    cachex.shell(fill).env("CACHEX_COMPRESS", "0").once().prints("100000000\n");
    assert!(cachex.disk_use() > 95 * MB);
    cachex.cli(["prune"]).once().exits(0).prints("no entry pruned\n");
    let later = cachex.cli(["prune"]).after("2h");
    let rehearsed = later.clone().with("--dry-run --json").once().exits(0).stdout();
    let rehearsed: Value = serde_json::from_str(&rehearsed).unwrap();
    assert_eq!((&rehearsed["removed"], &rehearsed["dry_run"]), (&500.into(), &true.into()));
    assert!(rehearsed["freed_bytes"].as_u64().unwrap() >= 100_000_000);
    assert!(cachex.disk_use() > 95 * MB);
    let said = later.once().exits(0).quietly().stdout();
    assert!(
        said.starts_with("500 entries pruned, 95.") && said.ends_with(" MiB freed\n"),
        "{said}"
    );
    assert!(cachex.disk_use() < 4 * MB, "{} bytes are left", cachex.disk_use());
    lasting.after("2h").once().hits().same_as(&good);
}

#[test]
fn what_stands_in_for_a_failure_stays_unless_all_that_expired_is_to_go() {
    let cachex = cachex();
    let call = cachex.exec(["echo", "hi"]).expires_in("1h").option("--stale-if-error", "1d");
    call.once().exits(0);
    let prune = cachex.cli(["prune"]).after("2h");
    prune.clone().once().prints("no entry pruned\n");
    let said = prune.with("--expired").once().stdout();
    assert!(said.starts_with("1 entry pruned, "), "{said}");
    assert_eq!(commands(&cachex), 0);
}

#[test]
fn what_is_older_than_asked_for_goes() {
    let cachex = cachex();
    for (n, ago) in ["3h", "2h", "1h"].into_iter().enumerate() {
        let call = cachex.exec(["echo", &n.to_string()]).before(ago);
        call.with(if n == 1 { "--tag kept" } else { "--tag old" }).once().exits(0);
    }
    let prune = |options: &str| cachex.cli(["prune"]).with(options).once().exits(0).stdout();
    let table = prune("--max-age 90m --dry-run");
    assert!(table.contains("echo 0") && table.contains("echo 1"), "{table}");
    assert!(table.lines().last().unwrap().starts_with("2 entries would be pruned, "), "{table}");
    assert_eq!(commands(&cachex), 3);
    assert!(prune("--max-age 90m --tag old").starts_with("1 entry pruned"));
    assert!(prune("--max-age 90m").starts_with("1 entry pruned"));
    assert!(prune("--max-age 90m").starts_with("no entry pruned"));
    assert_eq!(commands(&cachex), 1);
    cachex.cli(["prune", "--max-age", "0s"]).once().exits(2);
}

#[test]
fn beyond_a_size_the_least_recently_used_go() {
    let cachex = cachex();
    for n in 0..6 {
        large(&cachex, n).before(&format!("{} min", 60 - n)).once().exits(0);
    }
    large(&cachex, 0).before("10 min").once().hits();
    let prune = |options: &str| cachex.cli(["prune"]).with(options).once().exits(0).stdout();
    assert_eq!(prune("--max-size 1GB"), "no entry pruned\n");
    assert!(prune("--max-size 3600kB --dry-run").contains("3 entries would be pruned"));
    assert!(prune("--max-size 3600kB").starts_with("3 entries pruned, 2.9 MiB"));
    assert!(cachex.disk_use() < 4 * MB);
    let kept: Vec<bool> = (0..6).map(|n| cachex.stores(1_000_000, &n.to_string())).collect();
    assert_eq!(kept, [true, false, false, false, true, true]);
    // The one recorded last stays, however little is allowed.
    assert!(prune("--max-size 1MB").starts_with("2 entries pruned"));
    large(&cachex, 5).once().hits();
    // Without options, what is configured holds.
    large(&cachex, 6).once().exits(0);
    let configured = cachex.cli(["prune"]).env("CACHEX_MAX_SIZE", "1MB").once().exits(0);
    assert!(configured.stdout().starts_with("1 entry pruned"));
    large(&cachex, 6).once().hits();
}

#[test]
fn a_store_of_many_short_results_takes_no_more_than_asked_for() {
    let cachex = cachex();
    for n in 0..200 {
        cachex.exec(["true"]).option("--key", n.to_string()).once().exits(0);
    }
    cachex.fold().once().exits(0);
    // Folders are not counted, nor what tags the outer one.
    let taken = || -> u64 {
        let files = cachex.stored_in("v2").into_iter().map(|path| cachex.in_store(path));
        let files = files.filter_map(|path| path.symlink_metadata().ok());
        files.map(|file| file.blocks() * 512).sum()
    };
    assert!(taken() > MB, "{}", taken());
    let told = cachex.cli(["prune", "--max-size", "1MiB"]).once().exits(0).stdout();
    assert!(taken() <= MB, "{}: {told}", taken());
    // And no more went than had to.
    let count = commands(&cachex);
    assert!(count > 20, "{count} are left");
    assert!(told.starts_with(&format!("{} entries pruned", 200 - count)), "{told}: {count}");
}

#[test]
fn a_size_may_be_that_of_a_tag() {
    let cachex = cachex();
    for n in 0..4 {
        let tag = if n % 2 == 0 { "--tag even" } else { "--tag odd" };
        large(&cachex, n).before(&format!("{} min", 60 - n)).with(tag).once().exits(0);
    }
    let prune = cachex.cli(["prune"]).with("--tag even --max-size 1500kB").once().exits(0);
    assert!(prune.stdout().starts_with("1 entry pruned"));
    let kept: Vec<bool> = (0..4).map(|n| cachex.stores(1_000_000, &n.to_string())).collect();
    assert_eq!(kept, [false, true, true, true]);
}

#[test]
fn pruning_where_nothing_is_is_harmless_and_quiet_says_nothing() {
    let cachex = cachex();
    cachex.cli(["prune"]).once().exits(0).prints("no entry pruned\n");
    assert!(!cachex.store().exists());
    cachex.exec(["true"]).before("1h").once().exits(0);
    cachex
        .cli(["prune", "--max-age", "1m", "--quiet", "--yes"])
        .once()
        .exits(0)
        .prints("")
        .quietly();
    assert_eq!(commands(&cachex), 0);
}

#[test]
fn json_has_it_all_under_stable_names() {
    let cachex = cachex();
    cachex.exec(["true"]).before("1h").once().exits(0);
    let text = cachex.cli(["prune", "--max-age", "1m", "--json"]).once().exits(0).stdout();
    let json: Value = serde_json::from_str(&text).unwrap();
    let names: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["dry_run", "freed_bytes", "keys", "remote", "removed"]);
    assert_eq!((&json["dry_run"], &json["removed"]), (&false.into(), &1.into()));
    assert_eq!(json["keys"][0].as_str().unwrap().len(), 64);
    assert!(json["freed_bytes"].as_u64().unwrap() > 0);
}
