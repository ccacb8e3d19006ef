//! `--max-entry-size` bounds what one entry may hold.

use crate::harness::cachex;

#[test]
fn an_output_over_the_limit_is_shown_and_not_recorded() {
    let call = cachex().run("seq 1 10000").option("--max-entry-size", "10KiB");
    let bare = call.clone().bare().once();
    call.twice().runs_twice().same_as(&bare).quietly();
}

#[test]
fn an_output_under_the_limit_is_recorded() {
    let call = cachex().run("seq 1 10000").option("--max-entry-size", "100KiB");
    call.twice().runs_once();
}

#[test]
fn both_streams_count() {
    let call = cachex().run("seq 1 2000; seq 1 2000 >&2").option("--max-entry-size", "10KiB");
    call.twice().runs_twice();
}

#[test]
fn a_small_output_counts_as_well() {
    let call = cachex().run("echo hello").option("--max-entry-size", "3B");
    call.twice().runs_twice().prints("hello\n").quietly();
}

#[test]
fn sizes_are_written_as_people_write_them() {
    for size in ["1000", "10KB", "1.5GiB", "1 GiB", "20M"] {
        cachex().run("echo hi").option("--max-entry-size", size).twice().runs_once().quietly();
    }
    for size in ["1000000", "1MB", "1.5GiB", "1 GiB", "20M"] {
        cachex().run("echo hi").option("--max-size", size).twice().runs_once().quietly();
    }
}
