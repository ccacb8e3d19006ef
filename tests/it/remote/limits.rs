//! What a remote store has is taken as far as the reader's own limits go, and no further.

use super::Machines;
use crate::harness::{Call, Folder, Remote};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The bytes that the files of a folder take on disk.
fn taken(folder: &Path) -> u64 {
    let files = super::files_below(folder);
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
