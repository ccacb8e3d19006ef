//! Terminals that stop jobs which print in the background (`stty tostop`).

use crate::harness::{Cachex, Terminal, cachex};

const WAYS: [&str; 4] =
    ["", "cachex run -- ", "cachex run --timeout 1h -- ", "cachex run --tty -- "];

/// A job of this script, in the background of a terminal that stops it for printing.
fn job(way: &str, script: &str) -> (Cachex, Terminal) {
    let cachex = cachex();
    cachex.tool("says", script);
    let mut terminal = cachex.terminal();
    terminal.types("set -b; stty tostop").types(&format!("{way}says &"));
    (cachex, terminal)
}

#[test]
fn a_job_that_prints_in_the_background_stops_and_can_be_ended() {
    for way in WAYS {
        for size in [2, 300_000] {
            let script = format!("head -c {size} /dev/zero | tr '\\0' x; echo");
            let (_cachex, mut terminal) = job(way, &script);
            terminal.shows("Stopped");
            // The shell learns a little later that it is not stopped any more.
            terminal.types("kill %1; while jobs -s | grep -q .; do sleep 0.01; done");
            terminal.types("wait $!; echo status $?").shows("status 143");
            assert!(!terminal.screen().contains("xx"), "{way}{size}: {}", terminal.screen());
        }
    }
}

#[test]
fn such_a_job_goes_on_in_front_and_is_recorded() {
    for way in &WAYS[1..] {
        let (_cachex, mut terminal) = job(way, "echo one; echo two >&2");
        terminal.shows("Stopped");
        terminal.types("fg").shows("one").shows("two").awaits_shell();
        terminal.types(&format!("{way}says; echo again")).shows("one").shows("again");
        terminal.awaits_runs(1);
    }
}

#[test]
fn one_that_goes_on_in_the_background_stops_anew() {
    for way in WAYS {
        let (_cachex, mut terminal) = job(way, "echo one");
        terminal.shows("Stopped");
        terminal.types("bg").shows("Stopped");
        terminal.types("fg").shows("one");
    }
}

#[test]
fn one_that_ignores_that_prints() {
    for way in WAYS {
        let (_cachex, mut terminal) = job(way, "trap '' TTOU; echo one; echo two >&2");
        terminal.shows("one").shows("two").shows("Done");
    }
}
