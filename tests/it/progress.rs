//! How far a verb is: on a terminal, once it takes its time, and nowhere else.

use crate::harness::{CTRL_C, Cachex, Terminal, cachex};
use std::fs;
use std::time::{Duration, Instant};

/// So many results that nobody has folded.
fn backlog(count: usize) -> Cachex {
    let cachex = cachex();
    let fill = format!("seq 1 {count} | xargs -P 4 -I{{}} cachex run -- echo {{}} | wc -l");
    cachex.shell(&fill).once().prints(format!("{count}\n"));
    cachex
}

/// A terminal that draws, where whatever works on the database is slow.
fn slow_terminal(cachex: &Cachex) -> Terminal {
    let mut terminal = cachex.terminal();
    terminal.types("export TERM=xterm CACHEX_TEST_FAULT=sled=slow CACHEX_TEST_CLOCK=3600");
    terminal
}

/// What was on the screen last before this text.
#[track_caller]
fn before<'s>(screen: &'s str, text: &str) -> &'s str {
    let at = screen.rfind(text).unwrap_or_else(|| panic!("no {text:?} on the screen: {screen:?}"));
    &screen[..at]
}

const CLEARED: &str = "\r\x1b[2K";
const FOLDING: &str = "folding recent results";

#[test]
fn what_takes_long_is_told_of_and_leaves_nothing_on_the_screen() {
    let cachex = backlog(80);
    let mut terminal = slow_terminal(&cachex);
    terminal.types("cachex prune --max-age 1m > out; echo; echo ended $?");
    terminal.shows(FOLDING).shows("[").shows("%").shows("ended 0");
    let screen = terminal.written();
    let drawn = before(&screen, "\nended");
    assert!(drawn.trim_end_matches('\n').ends_with(CLEARED), "{drawn:?}");
    assert!(drawn.contains("\x1b[32m"), "it is green: {drawn:?}");
    let out = fs::read_to_string(cachex.work().join("out")).unwrap();
    assert!(out.starts_with("80 entries pruned"), "{out}");
}

#[test]
fn colours_are_left_out_where_nobody_wants_them() {
    let cachex = backlog(80);
    let mut terminal = slow_terminal(&cachex);
    terminal.types("NO_COLOR=1 cachex list | wc -l; echo ended").shows(FOLDING).shows("ended");
    assert!(!terminal.written().contains("\x1b[32m"));
}

#[test]
fn whoever_wants_quiet_or_reads_elsewhere_sees_nothing_of_it() {
    let cachex = backlog(40);
    let mut terminal = slow_terminal(&cachex);
    for (number, line) in [
        "cachex list --quiet >/dev/null",
        "cachex doctor --quiet >/dev/null",
        "CACHEX_QUIET=1 cachex doctor >/dev/null",
        "cachex doctor >/dev/null 2>errors",
        "TERM=dumb cachex doctor >/dev/null",
        "cachex prune --max-age 1m --quiet",
        "cachex clear --yes --quiet",
    ]
    .into_iter()
    .enumerate()
    {
        terminal.types(&format!("{line}; echo ended {number}")).shows(&format!("ended {number}"));
    }
    assert!(!terminal.written().contains('%'), "{:?}", terminal.written());
    assert_eq!(fs::read_to_string(cachex.work().join("errors")).unwrap(), "");
}

#[test]
fn what_is_over_at_once_is_not_told_of() {
    let cachex = backlog(3);
    let mut terminal = cachex.terminal();
    terminal.types("export TERM=xterm");
    // On a machine with too much to do it may take longer all the same.
    for number in 0..50 {
        let shown = terminal.written().len();
        let started = Instant::now();
        terminal.types(&format!("cachex doctor; echo ended {number}"));
        terminal.shows(&format!("ended {number}"));
        if started.elapsed() < Duration::from_millis(450) {
            let screen = terminal.written();
            assert!(!screen[shown..].contains('\x1b'), "{screen:?}");
            return;
        }
    }
}

#[test]
fn an_interrupted_one_clears_the_line_and_dies_of_the_signal() {
    let cachex = backlog(80);
    let mut terminal = slow_terminal(&cachex);
    terminal.types("cachex prune --max-age 1m").shows(FOLDING).presses(CTRL_C);
    terminal.types("echo; echo ended $?").shows("ended 0");
    let screen = terminal.written();
    let drawn = before(&screen, "\nended");
    assert!(drawn.trim_end_matches('\n').ends_with(CLEARED), "{drawn:?}");
    terminal.types("cachex prune --max-age 1m").shows(FOLDING).presses(CTRL_C);
    terminal.types("echo ended $?").shows("ended 130");
    drop(terminal);
    cachex.awaits_quiet();
    assert_eq!(cachex.cli(["list"]).once().exits(0).stdout().lines().count(), 81);
}

#[test]
fn waiting_for_somebody_else_is_told_of_too() {
    let cachex = backlog(3);
    let hanging = cachex.fold().fault("sled:2=hang").spawn();
    cachex.awaits_helper();
    let mut terminal = cachex.terminal();
    terminal.types("export TERM=xterm; cachex doctor; echo ended");
    terminal.shows("waiting for another cachex").shows("ended");
    drop(hanging);
}

#[test]
fn moving_results_is_told_of_too() {
    let cachex = cachex();
    let fill = "seq 1 80 | xargs -P 4 -I{} cachex run -- sh -c 'seq {} 2000' | wc -l";
    cachex.shell(fill).once().exits(0);
    cachex.fold().once().exits(0);
    let mut terminal = cachex.terminal();
    terminal.types("export TERM=xterm CACHEX_TEST_FAULT=read=slow");
    terminal.types("cachex export --to archive; echo ended $?").shows("writing the archive [");
    terminal.shows(CLEARED).shows("80 entries exported").shows("ended 0");
    terminal.types("export CACHEX_DIR=$PWD/../elsewhere CACHEX_TEST_FAULT=rename=slow");
    terminal.types("cachex import archive; echo ended $?").shows("taking in results [");
    terminal.shows(CLEARED).shows("80 entries imported").shows("ended 0");
}
