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
