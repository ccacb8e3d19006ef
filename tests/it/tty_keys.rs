//! Keys for a command that has a terminal of its own, and something else as its standard input.

#![cfg(target_os = "linux")]

use crate::harness::{CTRL_C, CTRL_Z, cachex};

const ASK: &str = "#!/bin/bash\nread -r -s -p 'name?' name </dev/tty; echo; echo hello ${#name}\n";

#[test]
fn one_that_asks_for_them_gets_them_unseen() {
    // Without a store, nothing is recorded.
    for variable in ["", "CACHEX_DIR=/proc/none "] {
        for input in ["</dev/null", "<../input"] {
            let cachex = cachex();
            cachex.executable("bin/ask", ASK);
            std::fs::write(cachex.path("input"), "input\n").unwrap();
            let mut terminal = cachex.terminal();
            terminal.types("stty echo");
            for name in ["Ada", "Grace"] {
                terminal.types(&format!("{variable}cachex run --tty -- ask {input}"));
                terminal.shows("name?").awaits_reader();
                terminal.types(name).shows(&format!("hello {}", name.len())).awaits_shell();
                assert!(!terminal.screen().contains(name), "{}", terminal.screen());
            }
            terminal.types("stty -a | tr ' ' '\\n' | grep -x echo").shows("echo\r\n");
        }
    }
}

#[test]
fn those_for_the_first_of_a_pipeline_are_its() {
    let cachex = cachex();
    cachex.executable("bin/ask", ASK);
    let mut terminal = cachex.terminal();
    terminal.types("ask | cachex run --tty -- cat").shows("name?").types("Ada").shows("hello 3");
}

#[test]
fn one_that_asks_can_be_interrupted_and_stopped() {
    let cachex = cachex();
    cachex.executable("bin/ask", ASK);
    let mut terminal = cachex.terminal();
    let run = "cachex run --tty -- ask </dev/null";
    terminal.types(run).shows("name?").awaits_reader().presses(CTRL_C).awaits_shell();
    terminal.types("echo status $?").shows("status 130");
    terminal.types(run).shows("name?").awaits_reader().presses(CTRL_Z).shows("Stopped");
    terminal.types("fg").shows("ask").awaits_reader().types("Ada").shows("hello 3");
}

#[test]
fn so_does_one_that_takes_them_in_passing() {
    let prepared = "import os, sys, termios, threading, time, tty\nsys.stdin.read()\n";
    let ways = [
        // In a thread of its own, as node and fzf do.
        "keys = os.open('/dev/tty', os.O_RDWR)\n\
         def ask():\n    print('got', os.read(keys, 9).decode(), flush=True); os._exit(0)\n\
         threading.Thread(target=ask).start()\nprint('name?', flush=True)\n\
         while True: time.sleep(9)\n",
        // Between two pieces of its work.
        "keys = os.open('/dev/tty', os.O_RDWR | os.O_NONBLOCK)\nprint('name?', flush=True)\n\
         while True:\n    try: print('got', os.read(keys, 9).decode(), flush=True); break\n    \
         except BlockingIOError: time.sleep(0.01)\n",
        // One by one, from where it prints, as vim does.
        "tty.setcbreak(1)\nos.set_blocking(1, False)\nos.write(1, b'name?')\nkeys = b''\n\
         while not keys.endswith(b'\\n'):\n    try: keys += os.read(1, 9)\n    \
         except BlockingIOError: time.sleep(0.01)\n\
         os.write(1, b'got ' + keys)\n",
    ];
    for way in ways {
        let cachex = cachex();
        cachex.executable("bin/ask", format!("#!/usr/bin/env python3\n{prepared}{way}"));
        let mut terminal = cachex.terminal();
        terminal.types("cachex run --tty -- ask </dev/null").shows("name?").awaits_raw_mode();
        terminal.types("Ada").shows("got Ada").awaits_shell();
    }
}
