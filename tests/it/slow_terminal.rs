//! At a terminal that is slow to show what is printed, or to read what is typed.
#![cfg(target_os = "linux")]

use crate::harness::{CTRL_C, CTRL_D, CTRL_Q, CTRL_S, CTRL_Z, cachex, eventually};
use std::path::Path;

#[test]
fn a_slow_terminal_shows_both_outputs_in_their_order() {
    let cachex = cachex();
    // Each line is read before the next one is printed.
    let prints = "import fcntl, os, termios, time\n\
                  def say(fd, text):\n    \
                      os.write(fd, text.encode())\n    \
                      while any(fcntl.ioctl(fd, termios.FIONREAD, b'....')): time.sleep(0.001)\n\
                  say(1, 'ready\\n')\n\
                  while not os.path.exists('../gate'): time.sleep(0.01)\n\
                  for n in range(1, 7): say(1 + n % 2, f'line {n}\\n')\n\
                  open('../printed', 'w').write('\\n')\n";
    cachex.executable("bin/prints", format!("#!/usr/bin/env python3\n{prints}"));
    let mut terminal = cachex.terminal();
    terminal.types("cachex run -- prints; echo ended").shows("ready").presses(CTRL_S);
    cachex.opens("gate");
    cachex.line_of("printed");
    terminal.presses(CTRL_Q);
    for _ in 0..2 {
        for n in 1..7 {
            terminal.shows(&format!("line {n}"));
        }
        // So it is recorded, too.
        terminal.shows("ended").types("cachex run --cached-only -- prints; echo ended");
    }
}

#[test]
fn what_waits_for_a_slow_terminal_is_discarded_by_ctrl_c() {
    let cachex = cachex();
    let prints = "seq 100000 106000; echo >../printed; exec sleep 1000";
    cachex.tool("prints", &format!("echo ready; {}; {prints}", cachex.gate("gate")));
    let mut terminal = cachex.terminal();
    terminal.types("cachex run -- prints").shows("ready").presses(CTRL_S);
    cachex.opens("gate");
    cachex.line_of("printed");
    terminal.presses(CTRL_C).types("echo status=$?").shows("status=130");
    assert!(!terminal.written().contains("105000"));
}

#[test]
fn ctrl_z_stops_what_only_waits_for_a_slow_terminal() {
    let cachex = cachex();
    let prints = format!("echo ready; {}; echo out; echo $$ >../pid", cachex.gate("gate"));
    cachex.tool("prints", &prints);
    let mut terminal = cachex.terminal();
    terminal.types("cachex run -- prints").shows("ready").presses(CTRL_S);
    cachex.opens("gate");
    let command = format!("/proc/{}", cachex.line_of("pid"));
    eventually("its end", || (!Path::new(&command).exists()).then_some(()));
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
