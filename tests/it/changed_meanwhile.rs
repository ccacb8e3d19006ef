//! What changes between the look that made the key and the end of the run is shown and
//! not recorded.

use crate::harness::{World, cachex, quoted};
use std::os::unix::fs::symlink;
use std::path::Path;

#[test]
fn a_file_on_standard_input_that_changes_while_it_is_read() {
    let cachex = cachex();
    let file = cachex.path("work/f");
    let call = cachex.run("[ ! -e change ] || echo two >>f; cat");
    cachex.write("work/f", "one\n");
    cachex.write("work/change", "");
    let changing = call.clone().stdin_from(&file, 0);
    changing.once().misses().prints("one\ntwo\n").warns_once(&["standard input", "not recorded"]);
    std::fs::remove_file(cachex.path("work/change")).unwrap();
    cachex.write("work/f", "one\n");
    call.stdin_from(&file, 0).twice().runs_once().prints("one\n").quietly();
}

#[test]
fn one_that_is_written_anew_with_as_many_bytes() {
    let cachex = cachex();
    let file = cachex.path("work/f");
    let call = cachex.run("[ ! -e change ] || printf two 1<>f; cat").stdin_from(&file, 0);
    cachex.write("work/f", "one");
    cachex.write("work/change", "");
    call.once().misses().prints("two").warns_once(&["standard input"]);
    std::fs::remove_file(cachex.path("work/change")).unwrap();
    cachex.write("work/f", "one");
    call.once().misses().prints("one");
}

/// Two versions of a tool, of which a link leads to the first.
fn versions(cachex: &World, first: &str) -> std::path::PathBuf {
    let link = cachex.path("work/tool");
    for (name, script) in [("tool-1", first), ("tool-2", "echo version 2")] {
        let script = format!("#!/bin/sh\n{}\n", cachex.counting(script));
        cachex.executable(Path::new("work").join(name), script);
    }
    symlink("tool-1", &link).unwrap();
    link
}

#[test]
fn a_link_to_the_executable_that_is_turned() {
    let cachex = cachex();
    versions(&cachex, "[ ! -e turn ] || ln -sfn tool-2 tool; echo version 1");
    let call = cachex.exec(["./tool"]);
    cachex.write("work/turn", "");
    call.once().misses().prints("version 1\n").warns_once(&["./tool", "not recorded"]);
    call.twice().runs_once().prints("version 2\n").quietly();
}

#[test]
fn one_that_is_turned_to_another_and_back() {
    let cachex = cachex();
    let script = "[ ! -e turn ] || { ln -sfn tool-2 tool; ln -sfn tool-1 tool; }; echo version 1";
    versions(&cachex, script);
    let call = cachex.exec(["./tool"]);
    cachex.write("work/turn", "");
    call.once().misses().warns_once(&["./tool", "not recorded"]);
    std::fs::remove_file(cachex.path("work/turn")).unwrap();
    call.twice().runs_once().prints("version 1\n").quietly();
}

#[test]
fn an_executable_that_is_exchanged_while_a_pipe_is_read() {
    let cachex = cachex();
    let link = versions(&cachex, "echo version 1");
    let call = cachex.exec(["./tool"]);
    let mut running = call.clone().stdin_open().spawn();
    // It was looked at, or will be: either way what runs is version 2.
    std::fs::remove_file(&link).unwrap();
    symlink("tool-2", &link).unwrap();
    running.end_input();
    running.ends().prints("version 2\n");
    std::fs::remove_file(&link).unwrap();
    symlink("tool-1", &link).unwrap();
    call.stdin("").once().misses().prints("version 1\n");
}

#[test]
fn an_executable_that_is_exchanged_while_a_lock_is_waited_for() {
    let cachex = cachex();
    // A holder that is killed leaves its turn to who waits.
    let first = format!("{}; [ ! -e fail ] || kill -9 $PPID; echo version 1", cachex.gate("gate"));
    let link = versions(&cachex, &first);
    cachex.write("work/fail", "");
    let call = cachex.exec(["./tool"]).with("--no-concurrent");
    let holder = call.spawn();
    cachex.awaits_runs(1);
    let waiter = call.spawn();
    waiter.waits_for_a_lock();
    std::fs::remove_file(&link).unwrap();
    symlink("tool-2", &link).unwrap();
    cachex.opens("gate");
    holder.ends();
    waiter.ends().prints("version 2\n");
    std::fs::remove_file(&link).unwrap();
    std::fs::remove_file(cachex.path("work/fail")).unwrap();
    symlink("tool-1", &link).unwrap();
    call.once().misses().prints("version 1\n");
}

#[test]
fn a_refresh_records_only_what_its_caller_looked_up() {
    let cachex = cachex();
    let file = cachex.path("work/f");
    cachex.write("work/f", "one\n");
    let go = quoted(cachex.path("go"));
    cachex.write("go", "");
    let call = cachex.run(&format!("until [ -e {go} ]; do :; done; cat"));
    let call = call.expires_in("1h").with("--refresh-after 10m").stdin_from(&file, 0);
    call.once().misses().prints("one\n");
    std::fs::remove_file(cachex.path("go")).unwrap();
    call.clone().after("10m").spawn().ends().prints("one\n");
    cachex.write("work/f", "two\n");
    cachex.write("go", "");
    cachex.awaits_quiet();
    cachex.write("work/f", "one\n");
    call.once().prints("one\n");
    call.after("11m").spawn().ends().prints("one\n");
    cachex.awaits_quiet();
}
