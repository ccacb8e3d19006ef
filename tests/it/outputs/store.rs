//! cachex's own store is never an output, however one comes there.

use super::{listed, making, read, remove};
use crate::harness::{Cachex, Call, cachex};
use std::fs;
use std::os::unix::fs::symlink;

/// A call in a world whose store lies in the working directory.
fn beside(cachex: &Cachex, script: &str, outputs: &str) -> Call {
    making(cachex, script, outputs).env("CACHEX_DIR", cachex.path("work/store"))
}

#[test]
fn a_pattern_or_a_folder_leaves_it_out() {
    for outputs in ["--output **", "--output s*"] {
        let cachex = cachex();
        let first = beside(&cachex, "echo first", "");
        first.once().misses();
        let call = beside(&cachex, "echo x >sf", outputs);
        call.once().misses().quietly();
        let second = beside(&cachex, "echo second", "");
        second.once().misses();
        remove(&cachex, "sf");
        call.once().hits().quietly();
        assert_eq!(read(&cachex, "sf"), "x\n");
        // An old state of it was not put back.
        first.once().hits();
        second.once().hits();
    }
    let cachex = cachex();
    let call = beside(&cachex, "echo x >f", "").option("--output", cachex.work());
    call.once().misses().quietly();
    remove(&cachex, "f");
    call.once().hits().quietly();
    assert_eq!(listed(&cachex.work()), ["f", "store"]);
}

#[test]
fn it_cannot_be_named_as_one() {
    let cachex = cachex();
    symlink("store/v2", cachex.path("work/link")).unwrap();
    let link = cachex.path("work/link/tmp/x");
    for output in [
        "store",
        "store/x",
        "store/v2/tmp/*",
        "store/**",
        link.to_str().unwrap(),
        cachex.path("work/store").to_str().unwrap(),
    ] {
        let call = beside(&cachex, "echo ran", "").option("--output", output);
        call.twice().misses().prints("ran\n").exits(0).warns_once(&["cachex's own store"]);
    }
    let call = making(&cachex, "echo x >f", "--output f");
    let within = cachex.path("work/store/v2");
    let call = call.env("CACHEX_DIR", cachex.path("work/store")).inside(within.clone());
    call.twice().misses().exits(0).warns_once(&["cachex's own store"]);
    fs::remove_file(within.join("f")).unwrap();
}

#[test]
fn a_call_from_elsewhere_brings_nothing_back_into_it() {
    let cachex = cachex();
    let call = cachex.run("mkdir -p d/v2; echo x >d/v2/events").with("--no-cwd --output d");
    call.once().misses().quietly();
    // There the same path is the store's.
    let there = cachex.path("there");
    fs::create_dir(&there).unwrap();
    fs::rename(cachex.store(), there.join("d")).unwrap();
    let before = fs::read(there.join("d/v2/events")).unwrap();
    let call = call.env("CACHEX_DIR", there.join("d")).inside(there.clone()).with("--cached-only");
    call.once().hits().exits(125).warns_once(&["not put back", "cachex's own store"]);
    assert!(fs::read(there.join("d/v2/events")).unwrap().starts_with(&before));
}
