//! At a terminal that is slow to show what is printed, or to read what is typed.
#![cfg(target_os = "linux")]

use crate::harness::{CTRL_C, CTRL_D, CTRL_Q, CTRL_S, CTRL_Z, Cachex, cachex, eventually, quoted};
use std::path::Path;

/// A program that prints six lines, by turns on both streams, each once the one before was read. It
/// leaves a process behind, which goes on until a file is there.
fn prints_by_turns(cachex: &Cachex, end: &str) {
    let prints = "import fcntl, os, subprocess, sys, termios, time\n\
                  def say(fd, text):\n    \
                      os.write(fd, text.encode())\n    \
                      while any(fcntl.ioctl(fd, termios.FIONREAD, b'....')): time.sleep(0.001)\n\
                  say(1, 'ready\\n')\n\
                  while not os.path.exists('../gate'): time.sleep(0.01)\n\
                  subprocess.Popen(['sh', '-c', sys.argv[1]])\n\
                  for n in range(1, 7): say(1 + n % 2, f'line {n}\\n')\n\
                  open('../printed', 'w').write('\\n')\n";
    cachex.executable("bin/prints", format!("#!/usr/bin/env python3\n{prints}"));
    cachex.tool("by_turns", &format!("exec prints {}", quoted(end)));
}

#[test]
fn both_outputs_are_shown_in_their_order() {
    let cachex = cachex();
    prints_by_turns(&cachex, ":");
    let mut terminal = cachex.terminal();
    terminal.types("cachex run -- by_turns; echo ended").shows("ready").presses(CTRL_S);
    cachex.opens("gate");
    cachex.line_of("printed");
    terminal.presses(CTRL_Q);
    for _ in 0..2 {
        for n in 1..7 {
            terminal.shows(&format!("line {n}"));
        }
        // So it is recorded, too.
        terminal.shows("ended").types("cachex run --cached-only -- by_turns; echo ended");
    }
}

#[test]
fn so_is_what_is_passed_on_after_the_command() {
    let cachex = cachex();
    prints_by_turns(&cachex, &cachex.gate("end"));
    let mut terminal = cachex.terminal();
    terminal.types("cachex run -- by_turns").shows("ready").presses(CTRL_S);
    cachex.opens("gate");
    cachex.line_of("printed");
    terminal.awaits_shell().presses(CTRL_Q);
    for n in 1..7 {
        terminal.shows(&format!("line {n}"));
    }
    cachex.opens("end");
}

#[test]
fn a_signal_that_the_command_ignored_changes_nothing_while_its_output_waits() {
    let cachex = cachex();
    let prints = format!("trap '' INT; echo ready; {}; echo out", cachex.gate("gate"));
    cachex.tool("prints", &format!("{prints}; echo $$ >../pid; exit 5"));
    let mut terminal = cachex.terminal();
    terminal.types("cachex run -- prints; echo status=$?").shows("ready").presses(CTRL_S);
    cachex.opens("gate");
    awaits_end(&cachex.line_of("pid"));
    terminal.awaits_rest().presses(CTRL_C).shows("status=5");
}

/// Waits until cachex has taken note of the command's end.
fn awaits_end(command: &str) {
    let process = format!("/proc/{command}");
    eventually("its end", || (!Path::new(&process).exists()).then_some(()));
}

#[test]
fn a_command_that_does_not_wait_has_the_room_of_a_pipe() {
    let cachex = cachex();
    let write =
        "import os; os.set_blocking(1, False); os._exit(os.write(1, b'x' * 60000) != 60000)";
    cachex.tool("prints", &format!("exec python3 -c {}", quoted(write)));
    let mut terminal = cachex.terminal();
    terminal.types("cachex run -- prints; echo status=$?").shows("xxstatus=0");
    terminal.types("cachex run --cached-only -- prints; echo status=$?").shows("xxstatus=0");
}

#[test]
fn what_waits_is_discarded_by_ctrl_c() {
    let cachex = cachex();
    let prints = "seq 100000 106000; echo >../printed; exec sleep 1000";
    cachex.tool("prints", &format!("echo ready; {}; {prints}", cachex.gate("gate")));
    let mut terminal = cachex.terminal();
    terminal.types("cachex run -- prints").shows("ready").presses(CTRL_S);
    cachex.opens("gate");
    cachex.line_of("printed");
    // Until it has tried to show it, cachex cannot know that it waits.
    terminal.awaits_looks();
    terminal.presses(CTRL_C).types("echo status=$?").shows("status=130");
    assert!(!terminal.written().contains("105000"));
}

#[test]
fn ctrl_z_stops_what_only_waits() {
    let cachex = cachex();
    let prints = format!("echo ready; {}; echo out; echo $$ >../pid", cachex.gate("gate"));
    cachex.tool("prints", &prints);
    let mut terminal = cachex.terminal();
    terminal.types("cachex run -- prints").shows("ready").presses(CTRL_S);
    cachex.opens("gate");
    awaits_end(&cachex.line_of("pid"));
    terminal.presses(CTRL_Z).shows("Stopped").types("fg; echo status=$?").shows("status=0");
}

#[test]
fn an_end_of_input_that_is_typed_ahead_ends_it() {
    let cachex = cachex();
    let mut terminal = cachex.terminal();
    let waits = cachex.gate("gate");
    terminal.types(&format!("echo ready; {waits}; cachex run --tty -- sh -c 'cat; echo done'"));
    terminal.shows("ready").types("alpha").presses(CTRL_D);
    cachex.opens("gate");
    terminal.shows("alpha").shows("done");
}
