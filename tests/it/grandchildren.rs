//! Processes that a command leaves behind.

use crate::harness::{cachex, eventually, quoted};
use std::fs;

#[test]
fn one_that_keeps_the_output_open_does_not_keep_cachex() {
    let call = cachex().run("sleep 600 & echo hi");
    call.twice().runs_twice().prints("hi\n").exits(0).quietly().promptly();
}

#[test]
fn nor_does_one_that_keeps_only_stderr_open() {
    let call = cachex().run("sleep 600 >/dev/null & echo hi; exit 4");
    call.twice().runs_twice().prints("hi\n").exits(4).quietly().promptly();
}

#[test]
fn one_that_let_go_of_the_output_is_nobodys_business() {
    let call = cachex().run("sleep 600 </dev/null >/dev/null 2>&1 & echo hi");
    call.twice().runs_once().prints("hi\n").exits(0).quietly().promptly();
}

#[test]
fn what_one_prints_shortly_after_the_end_is_still_shown() {
    let cachex = cachex();
    // It writes as soon as its parent is gone.
    let script = "{ while [ -e /proc/$$ ]; do :; done; echo late; } & echo early";
    cachex.run(script).once().prints("early\nlate\n").exits(0).quietly();
}

#[cfg(target_os = "linux")]
#[test]
fn one_holds_nothing_of_cachex() {
    let cachex = cachex();
    let pid = quoted(cachex.path("pid"));
    let call = cachex.run(&format!("sleep 600 & echo $! >{pid}")).with("--no-concurrent");
    call.once().exits(0).promptly();
    let pid = cachex.line_of("pid");
    let store = cachex.store();
    for entry in fs::read_dir(format!("/proc/{pid}/fd")).unwrap() {
        // What is closed meanwhile is not held.
        let Ok(target) = fs::read_link(entry.unwrap().path()) else { continue };
        assert!(!target.starts_with(&store), "it holds {}", target.display());
    }
}

#[cfg(target_os = "linux")]
#[test]
fn nothing_of_cachex_itself_stays() {
    let cachex = cachex();
    for number in 0..20 {
        cachex.run(&format!("echo {number}")).twice().runs_once();
    }
    eventually("the end of every process", || cachex.processes().is_empty().then_some(()));
}
