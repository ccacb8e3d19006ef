//! Declared files that a run did not touch are the user's: no hit writes them, and none is
//! a hit without them.

use super::{making, read, remove};
use crate::harness::cachex;
use std::fs::File;
use std::time::{Duration, SystemTime};

#[test]
fn an_edit_of_what_the_run_left_alone_is_not_lost() {
    let cachex = cachex();
    cachex.write("work/of/user", "u1");
    let call = making(&cachex, "echo g >of/gen", "--output of");
    call.once().misses().quietly();
    remove(&cachex, "of/gen");
    call.once().hits().quietly();
    assert_eq!(read(&cachex, "of/gen"), "g\n");
    cachex.write("work/of/user", "u2");
    call.clone().with("--cached-only").once().hits().exits(125);
    let explained = call.clone().explain().once().exits(1);
    explained.shows(&["of/user has changed since the run that was recorded, which left it alone"]);
    let verbose = call.clone().with("--verbose").once().misses().exits(0);
    verbose.mentions(&["of/user has changed", "a file that the run left alone has changed since"]);
    assert_eq!(read(&cachex, "of/user"), "u2");
    // It is part of the record that took the place of that one.
    call.once().hits().quietly();
    cachex.write("work/of/user", "u1");
    call.once().misses().quietly();
}

#[test]
fn one_that_is_named_or_matched_is_no_different() {
    for output in ["note", "n*"] {
        let cachex = cachex();
        cachex.write("work/note", "mine");
        let call = making(&cachex, "echo ran", "--output").with(output);
        call.once().misses().quietly();
        call.once().hits().quietly();
        cachex.write("work/note", "edited");
        call.once().misses().quietly();
        assert_eq!(read(&cachex, "note"), "edited");
    }
}

#[test]
fn what_was_up_to_date_is_not_replayed_once_it_is_gone() {
    let cachex = cachex();
    let call = making(&cachex, "[ -e out ] || echo made >out", "--output out");
    cachex.write("work/out", "made\n");
    call.once().misses().quietly();
    remove(&cachex, "out");
    call.once().misses().quietly();
    assert_eq!(read(&cachex, "out"), "made\n");
    remove(&cachex, "out");
    call.once().hits().quietly();
    assert_eq!(read(&cachex, "out"), "made\n");
}

#[test]
fn it_keeps_its_time() {
    let cachex = cachex();
    cachex.write("work/out", "mine");
    let call = making(&cachex, "true", "--output out");
    let path = cachex.path("work/out");
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
    let times = std::fs::FileTimes::new().set_modified(long_ago);
    File::options().write(true).open(&path).unwrap().set_times(times).unwrap();
    call.twice().runs_once().quietly();
    assert_eq!(path.metadata().unwrap().modified().unwrap(), long_ago);
}

#[test]
fn what_the_run_wrote_anew_comes_back() {
    let cachex = cachex();
    cachex.write("work/out", "old\n");
    cachex.write("work/same", "made\n");
    let times = std::fs::FileTimes::new().set_modified(SystemTime::UNIX_EPOCH);
    let same = File::options().write(true).open(cachex.path("work/same")).unwrap();
    same.set_times(times).unwrap();
    let script = "echo new >out; rm same; echo made >same";
    let call = making(&cachex, script, "--output out --output same");
    call.once().misses().quietly();
    for name in ["out", "same"] {
        cachex.write(format!("work/{name}"), "spoilt");
        call.once().hits().quietly();
        remove(&cachex, name);
        call.once().hits().quietly();
    }
    assert_eq!(read(&cachex, "out"), "new\n");
    assert_eq!(read(&cachex, "same"), "made\n");
}

#[test]
fn its_content_is_not_stored() {
    let cachex = cachex();
    cachex.write("work/large", "x".repeat(100_000));
    let call = making(&cachex, "echo small >gen", "--output large --output gen");
    call.once().misses().quietly();
    call.once().hits().quietly();
    let lens = cachex.stored_in("v2/blobs");
    let lens = lens.iter().map(|blob| cachex.store().join(blob).metadata().unwrap().len());
    assert!(lens.sum::<u64>() < 10_000);
    let list = cachex.cli(["list", "--json"]).once().stdout();
    let key = list.split("\"key\":").nth(1).and_then(|rest| rest.split('"').nth(1)).unwrap();
    cachex.cli(["show", key]).once().exits(0).shows(&["large (left alone)"]);
}
