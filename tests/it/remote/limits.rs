//! What a remote store has is taken as far as the reader's own limits go, and no further.

use super::{Machines, files_below};
use crate::harness::{Call, Folder, Proxy, Redis, Remote, S3, Served, WebDav, eventually};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

/// The bytes that the files of a folder take on disk.
fn taken(folder: &Path) -> u64 {
    let files = files_below(folder);
    files.iter().map(|file| file.metadata().unwrap().blocks() * 512).sum()
}

/// A machine that records and shares it without such a limit.
fn shared<'r>(remote: &'r dyn Remote, script: &str, options: &str) -> (Machines<'r>, Call) {
    let machines = Machines::sharing(remote);
    let call = machines.cachex.run(script).with(options);
    machines.on("a", &call).once().misses();
    machines.shares("a");
    (machines, call)
}

#[test]
fn what_is_longer_than_is_worth_sending_stays_where_it_is() {
    let folder = Folder::new();
    let machines = Machines::sharing(&folder);
    let call = machines.cachex.run("seq 100000").output_counted();
    let small = |call: &Call| call.clone().option("--remote-max-size", "10kB");
    machines.on("a", &small(&call)).once().misses();
    machines.shares("a");
    assert!(files_below(folder.objects()).is_empty());
    machines.on("b", &call).once().misses();
    machines.shares("b");
    machines.on("c", &small(&call)).once().misses().quietly();
    let told = machines.on("e", &small(&call).with("--verbose")).once().misses();
    told.mentions(&["larger than --remote-max-size or --max-size"]);
    machines.on("d", &call).once().hits();
}

#[test]
fn a_hit_that_would_take_longer_than_the_run_is_given_up() {
    let redis = Redis::start();
    let proxy = Proxy::before(&redis);
    let machines = Machines::sharing(&proxy);
    let call = machines.cachex.run("head -c 2000000 /dev/urandom").output_counted();
    machines.on("a", &call).once().misses();
    machines.shares("a");
    proxy.delays_answers(Duration::from_millis(50));
    let call = call.with("--verbose --remote-budget 300ms");
    let given_up = machines.on("b", &call).once().misses().promptly();
    given_up.mentions(&["takes longer to come than its run", "--remote-budget"]);
    // It is slow, and no outage.
    assert!(!machines.asks_nothing("b"));
}

#[test]
fn one_that_has_entries_and_sends_nothing_of_their_outputs_is_left_alone() {
    let webdav = WebDav::start();
    let proxy = Proxy::before(&webdav);
    let machines = Machines::sharing(&proxy);
    let call = machines.cachex.run("head -c 200000 /dev/urandom").output_counted();
    machines.on("a", &call).once().misses();
    machines.shares("a");
    proxy.swallows_from("/v1/b/");
    let call = machines.on("b", &call).env("CACHEX_REMOTE_TIMEOUT", "300ms");
    let outcome = call.once().misses().promptly();
    outcome.warns_once(&["cachex: warning: the remote store", "no answer within 300ms"]);
    assert!(machines.asks_nothing("b"));
}

#[test]
fn a_redis_at_the_end_of_a_slow_line_is_used() {
    let redis = Redis::start();
    let proxy = Proxy::before(&redis);
    let machines = Machines::sharing(&proxy);
    let mut noise = vec![0; 1_250_000];
    blake3::Hasher::new().finalize_xof().fill(&mut noise);
    machines.cachex.write("noise", noise);
    let call = machines.cachex.run("cat ../noise").output_counted();
    let first = machines.on("a", &call).once().misses();
    machines.shares("a");
    // 16 KiB each: some 100 KB/s.
    proxy.delays_answers(Duration::from_millis(160));
    machines.on("b", &call).once().hits().same_as(&first).quietly();
}

#[test]
fn what_is_longer_than_the_reader_records_is_not_taken() {
    let folder = Folder::new();
    let (machines, call) = shared(&folder, "head -c 8000000 /dev/zero", "");
    for limit in ["--max-entry-size 1MB", "--max-size 4MB"] {
        let call = call.clone().with(limit).with("--remote-mode read-only");
        let outcome = machines.on("b", &call.clone().with("--verbose")).once();
        outcome.misses().exits(0).prints_bytes(8_000_000).mentions(&["--max-entry-size"]);
        if limit.contains("entry") {
            let store = machines.cachex.path("b");
            assert!(taken(&store) < 1_000_000, "{limit}: {}", taken(&store));
        }
        // It is no fault of the store's.
        assert!(!machines.asks_nothing("b"));
        let _ = fs::remove_dir_all(machines.cachex.path("b"));
    }
    machines.on("b", &call).once().hits().prints_bytes(8_000_000);
}

#[test]
fn nor_are_files_that_are_larger() {
    let folder = Folder::new();
    let script = "mkdir -p d; for n in 1 2 3 4; do head -c 500000 /dev/zero >d/$n; done";
    let (machines, call) = shared(&folder, script, "--output d");
    let picky = call.clone().with("--max-entry-size 1MB");
    machines.on("b", &picky).once().misses().exits(0);
    fs::remove_dir_all(machines.cachex.path("work/d")).unwrap();
    machines.on("c", &call).once().hits();
    assert_eq!(fs::metadata(machines.cachex.path("work/d/4")).unwrap().len(), 500_000);
}

/// It stops in the middle of what it sends, and keeps the connection open.
#[track_caller]
fn is_noticed_soon(server: &dyn Served) {
    let proxy = Proxy::before(server);
    let machines = Machines::sharing(&proxy);
    let call = machines.cachex.run("head -c 8000000 /dev/urandom").output_counted();
    machines.on("a", &call).once().misses();
    machines.shares("a");
    let before = proxy.answered();
    proxy.delays_answers(Duration::from_millis(20));
    let running = machines.on("b", &call).spawn();
    eventually("some of it", || (proxy.answered() > before + 300_000).then_some(()));
    proxy.swallows(true);
    let outcome = running.ends().misses().promptly();
    outcome.warns_once(&["nothing came or went for 2s"]);
}

#[test]
fn a_redis_that_stops_in_the_middle_is_noticed_soon() {
    is_noticed_soon(&Redis::start());
}

#[test]
fn an_s3_that_stops_in_the_middle_is_noticed_soon() {
    is_noticed_soon(&S3::start());
}
