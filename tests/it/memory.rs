//! Memory stays bounded, whatever goes in or comes out.

use crate::harness::cachex;

const MIB: u64 = 1 << 20;
const BOUND: u64 = 64 * MIB;

#[test]
fn a_long_input_for_a_command_that_does_not_read_it() {
    // More than is read for a key: the command runs uncached, each time.
    let call = cachex().run("echo done").stdin_of_zeros(400 * MIB);
    call.measured()
        .twice()
        .runs_twice()
        .prints("done\n")
        .exits(0)
        .quietly()
        .in_less_memory_than(BOUND);
}

#[test]
fn a_long_input_for_a_command_that_reads_a_little() {
    let call = cachex().run("head -c 5 | tr '\\0' x").stdin_of_zeros(300 * MIB);
    call.measured().once().misses().prints("xxxxx").exits(0).quietly().in_less_memory_than(BOUND);
}

#[test]
fn a_long_input_that_is_passed_through() {
    let call = cachex().run("cat").stdin_of_zeros(200 * MIB).output_counted();
    let call = call.option("--max-entry-size", "1MiB");
    call.measured().once().prints_bytes(200 * MIB).exits(0).quietly().in_less_memory_than(BOUND);
}

#[test]
fn a_long_file_as_input() {
    let cachex = cachex();
    let path = cachex.path("long");
    // A hole: it takes no space, and reads as zeros.
    std::fs::File::create(&path).unwrap().set_len(400 * MIB).unwrap();
    let call = cachex.run("wc -c").stdin_from(path, 0);
    call.measured().twice().runs_once().prints("419430400\n").in_less_memory_than(BOUND);
}

#[test]
fn a_long_output_is_live_recorded_and_replayed() {
    // 578 MB, of which no two parts are alike.
    let call = cachex().run("seq 1 65000000").output_counted();
    call.measured().twice().runs_once().alike().exits(0).quietly().in_less_memory_than(BOUND);
}

#[test]
fn a_long_output_over_the_limit_is_streamed_and_not_recorded() {
    let cachex = cachex();
    let call = cachex.run("head -c 400M /dev/zero").option("--max-entry-size", "100MiB");
    let call = call.output_counted();
    call.measured()
        .twice()
        .runs_twice()
        .prints_bytes(400 * MIB)
        .exits(0)
        .in_less_memory_than(BOUND);
    let left: u64 = cachex
        .stored()
        .iter()
        .filter_map(|path| std::fs::symlink_metadata(cachex.store().join(path)).ok())
        .map(|file| file.len())
        .sum();
    assert!(left < MIB, "{left} bytes are left in the store");
}

#[test]
fn very_many_tiny_writes() {
    let script = "i=0; while [ $i -lt 40000 ]; do i=$((i+1)); echo o; echo e >&2; done";
    cachex().run(script).measured().twice().runs_once().alike().in_less_memory_than(BOUND);
}
