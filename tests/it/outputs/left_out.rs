//! `--output '!…'` leaves out what other patterns take in.

use super::{listed, making, remove};
use crate::harness::cachex;

#[test]
fn what_is_left_out_is_neither_recorded_nor_brought_back() {
    let cachex = cachex();
    let script =
        "mkdir -p dist/tmp/deep; for f in a b.log tmp/x tmp/deep/y; do echo $f >dist/$f; done";
    let call = making(&cachex, script, "--output dist --output !dist/tmp --output !**/*.log");
    call.once().misses().quietly();
    remove(&cachex, "dist");
    call.once().hits().quietly();
    assert_eq!(listed(&cachex.path("work/dist")), ["a"]);
    cachex.write("work/dist/tmp/mine", "1");
    call.once().hits().quietly();
    assert_eq!(listed(&cachex.path("work/dist")), ["a", "tmp"]);
}

#[test]
fn other_exclusions_are_another_record() {
    let cachex = cachex();
    let call = making(&cachex, "echo x >a.o", "--output *.o");
    call.once().misses();
    call.clone().with("--output !b.o").once().misses();
    call.clone().with("--output !b.o").once().hits();
}

#[test]
fn a_file_whose_name_begins_with_the_mark_is_named_with_a_folder() {
    let cachex = cachex();
    let call = making(&cachex, "echo x >'!odd'", "--output ./!odd");
    call.once().misses().quietly();
    remove(&cachex, "!odd");
    call.once().hits().quietly();
    assert_eq!(listed(&cachex.work()), ["!odd"]);
}

#[test]
fn what_leaves_out_everything_is_a_mistake() {
    let cachex = cachex();
    let alone = making(&cachex, "true", "--output !x");
    alone.once().hits().exits(125).mentions(&["only exclusions", "--output"]);
    for (output, by) in [("a.o", "!*.o"), ("d/a", "!d"), ("a", "!a")] {
        let call = making(&cachex, "true", "").option("--output", output).option("--output", by);
        call.once().hits().exits(125).mentions(&["--output", output, by]);
    }
    let nothing = making(&cachex, "true", "--require-outputs");
    nothing.once().hits().exits(125).mentions(&["--require-outputs", "--output"]);
}
