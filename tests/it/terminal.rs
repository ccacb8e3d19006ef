//! At a terminal, with a person's keys.

use crate::harness::{CTRL_BACKSLASH, CTRL_C, CTRL_D, CTRL_Z, cachex, quoted};

#[test]
fn ctrl_c_ends_the_command_and_cachex_as_it_always_does() {
    let cachex = cachex();
    cachex.tool("slow", "echo ready; exec sleep 600");
    let mut terminal = cachex.terminal();
    for runs in 1..=2 {
        terminal.types("cachex run -- slow; echo status=$?").shows("ready").awaits_runs(runs);
        terminal.presses(CTRL_C).types("echo status=$?").shows("status=130");
    }
    assert!(cachex.stored_in("v2/young").is_empty(), "an interrupted run was recorded");
}

#[test]
fn ctrl_backslash_too() {
    let cachex = cachex();
    cachex.tool("slow", "ulimit -c 0; echo ready; exec sleep 600");
    let mut terminal = cachex.terminal();
    terminal.types("ulimit -c 0; cachex run -- slow; echo status=$?").shows("ready");
    terminal.presses(CTRL_BACKSLASH).shows("status=131");
}

#[test]
fn a_command_that_handles_ctrl_c_gets_it_once() {
    let cachex = cachex();
    let handler = "n=0; trap 'n=$((n+1)); echo got $n' INT; echo ready; \
                   until [ -e ../gate ]; do sleep 0.05; done; echo handled $n; exit 0";
    cachex.tool("careful", handler);
    let mut terminal = cachex.terminal();
    for runs in 1..=2 {
        terminal.types("rm -f ../gate; cachex run -- careful; echo status=$?").shows("ready");
        terminal.awaits_runs(runs).presses(CTRL_C).shows("got 1");
        cachex.opens("gate");
        terminal.shows("handled 1").shows("status=0");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn ctrl_z_at_any_moment_of_the_start_stops_and_fg_goes_on() {
    let cachex = cachex();
    // It starts nothing: a shell that is stopped while it does, is not stopped before that
    // has begun, with or without cachex.
    let slow = "[ -p ../never ] || mkfifo ../never; exec 3<>../never; \
                until [ -e ../gate ]; do read -t 0.05 -u 3; done; echo finished";
    cachex.executable("bin/slow", format!("#!/bin/bash\n{slow}\n"));
    let mut terminal = cachex.terminal();
    for (number, options) in (0..24).zip(["", "--timeout 10m", "--no-concurrent"].iter().cycle()) {
        let _ = std::fs::remove_file(cachex.path("gate"));
        terminal.types(&format!("cachex run --key {number} {options} -- slow"));
        terminal.awaits_cachex();
        // Each time a little later.
        (0..number * 2000).for_each(|_| std::hint::spin_loop());
        terminal.presses(CTRL_Z).shows("Stopped");
        cachex.opens("gate");
        terminal.types("fg; echo status=$?").shows("finished").shows("status=0");
    }
}

#[test]
fn ctrl_z_stops_and_fg_goes_on() {
    let cachex = cachex();
    // It starts nothing: a shell whose child is stopped before it executes anything cannot be
    // stopped itself, without cachex neither.
    let gate = quoted(cachex.path("gate"));
    cachex.tool("slow", &format!("echo ready; until [ -e {gate} ]; do :; done; echo finished"));
    let mut terminal = cachex.terminal();
    terminal.types("cachex run -- slow").shows("ready");
    terminal.presses(CTRL_Z).shows("Stopped");
    terminal.types("echo alone").shows("alone");
    cachex.opens("gate");
    terminal.types("fg; echo status=$?").shows("finished").shows("status=0");
    terminal.types("cachex run -- slow; echo status=$?").shows("ready").shows("finished");
    terminal.shows("status=0").awaits_runs(1);
}

#[cfg(target_os = "linux")]
#[test]
fn one_that_draws_its_screen_again_after_ctrl_z_is_not_recorded() {
    let cachex = cachex();
    // As an editor does, which puts its handler back when it goes on.
    let draws = "import os, signal, sys, time\n\
                 def stops(*_):\n    \
                     signal.signal(signal.SIGTSTP, signal.SIG_DFL)\n    \
                     os.kill(os.getpid(), signal.SIGTSTP)\n    \
                     signal.signal(signal.SIGTSTP, stops)\n    \
                     print('drawn again', flush=True)\n\
                 signal.signal(signal.SIGTSTP, stops)\n\
                 print('ready', flush=True)\n\
                 while not os.path.exists(sys.argv[1]): time.sleep(0.01)\n";
    cachex.executable("bin/draws", format!("#!/usr/bin/env python3\n{draws}"));
    let mut terminal = cachex.terminal();
    terminal.types("cachex run -v -- draws ../gate").shows("ready").presses(CTRL_Z);
    terminal.shows("Stopped").types("fg").shows("drawn again");
    cachex.opens("gate");
    terminal.shows("not recorded: a signal may have changed what it printed");
}

#[test]
fn a_command_that_stops_itself_gives_the_prompt_back() {
    for signal in ["STOP", "TSTP", "TTIN", "TTOU"] {
        let cachex = cachex();
        cachex.tool("stops", &format!("echo ready; kill -{signal} $$; echo finished"));
        let mut terminal = cachex.terminal();
        terminal.types("cachex run -- stops").shows("ready").shows("Stopped");
        terminal.types("echo alone").shows("alone");
        terminal.types("fg; echo status=$?").shows("finished").shows("status=0");
        if matches!(signal, "STOP" | "TSTP") {
            terminal.types("cachex run -- stops; echo status=$?").shows("finished").awaits_runs(1);
        }
    }
}

#[test]
fn what_a_job_that_comes_to_the_front_reads_at_once_is_noticed() {
    let cachex = cachex();
    cachex.tool("ask", "read name; echo \"hello $name\"");
    let mut terminal = cachex.terminal();
    // What is typed ahead is there before cachex knows that it goes on.
    terminal.types("cachex run -v -- ask &");
    terminal.types("until jobs | grep -q Stopped; do sleep 0.05; done; echo stopped; fg");
    terminal.types("Ada");
    terminal.shows("hello Ada").shows("not recorded: it read or changed the terminal");
}

#[test]
fn what_a_job_that_comes_to_the_front_sets_at_once_is_noticed() {
    let cachex = cachex();
    let mut terminal = cachex.terminal();
    terminal.types("cachex run -v -- stty -ixon &");
    terminal.types("until jobs | grep -q Stopped; do sleep 0.05; done; echo stopped; fg");
    terminal.shows("not recorded: it read or changed the terminal");
}

#[test]
fn a_terminal_of_a_job_that_began_in_the_background_takes_lines() {
    let cachex = cachex();
    cachex.tool("ask", "echo ready; read name; echo \"hello $name\"");
    let mut terminal = cachex.terminal();
    terminal.types("cachex run -v --tty -- ask &").shows("ready");
    terminal.types("fg").types("Ada").shows("hello Ada");
}

#[test]
fn what_is_typed_reaches_the_command_which_is_asked_each_time() {
    let cachex = cachex();
    cachex.tool("ask", "echo 'name?'; read name; echo \"hello $name\"");
    for options in ["", "--timeout 10m", "--no-concurrent"] {
        let mut terminal = cachex.terminal();
        for name in ["Ada", "Bob"] {
            terminal.types(&format!("cachex run -v {options} -- ask")).shows("name?").types(name);
            terminal.shows(&format!("hello {name}"));
            terminal.shows("not recorded: it read or changed the terminal");
        }
    }
    cachex.executable("bin/script", "#!/bin/bash\ncachex run -v -- ask\ntrue\n");
    let mut terminal = cachex.terminal();
    terminal.types("script").shows("name?").types("Ada").shows("hello Ada");
    terminal.shows("not recorded: it read or changed the terminal").awaits_runs(7);
    assert!(cachex.stored_in("v2/young").is_empty());
}

#[cfg(target_os = "linux")]
#[test]
fn nor_is_it_recorded_if_the_command_opens_the_terminal() {
    let cachex = cachex();
    cachex
        .tool("ask", "echo 'name?' >/dev/tty; read name </dev/tty; echo \"hello $name\" >/dev/tty");
    let calls = [
        "cachex run -v -- ask </dev/null",
        "cachex run -v --stdin null -- ask",
        "echo | cachex run -v -- ask",
        "cachex run --status-file status -- ask </dev/null >/dev/null 2>&1; cat status",
    ];
    for (call, number) in calls.into_iter().zip(1..) {
        let mut terminal = cachex.terminal();
        terminal.types(call).shows("name?").types("Ada").shows("hello Ada").awaits_runs(number);
        terminal.shows("it read or changed the terminal");
    }
    assert!(cachex.stored_in("v2/young").is_empty());
}

#[cfg(target_os = "linux")]
#[test]
fn nor_is_it_recorded_if_the_end_is_typed_or_nothing_in_time() {
    let cachex = cachex();
    let ask = |seconds: u32, from: &str| {
        format!("#!/bin/bash\nread -t {seconds} key {from}; echo status $?\n")
    };
    cachex.executable("bin/ask", ask(600, ""));
    cachex.executable("bin/open", ask(600, "</dev/tty"));
    cachex.executable("bin/wait", ask(2, ""));
    let mut terminal = cachex.terminal();
    for call in ["-- cat", "-- sh -c 'cat; true'", "-- ask", "-- open </dev/null", "--tty -- ask"] {
        terminal.types(&format!("cachex run -v {call}")).awaits_reader().presses(CTRL_D);
        terminal.shows("not recorded: it read or changed the terminal");
    }
    for call in ["-- wait", "--tty -- wait"] {
        terminal.types(&format!("cachex run -v {call}")).shows("status 142");
        terminal.shows("not recorded: it read or changed the terminal");
    }
    // What is typed ahead is taken by whoever reads first.
    cachex.tool("late", &format!("echo ready; {}; cat; echo finished", cachex.gate("gate")));
    let start = format!("read -r line; {}; cachex run -v -- late", cachex.gate("typed"));
    terminal.types(&start).types("").presses(CTRL_D);
    cachex.opens("typed");
    terminal.shows("ready");
    cachex.opens("gate");
    terminal.shows("finished").shows("not recorded: it read or changed the terminal");
    assert!(cachex.stored_in("v2/young").is_empty());
}

#[cfg(target_os = "linux")]
#[test]
fn nor_if_the_terminal_is_another_users_or_another_sessions() {
    let cachex = cachex();
    cachex.tool("ask", "echo 'name?'; read name; echo \"hello $name\"");
    let denied = "strace -qq -o /dev/null -e trace=utimensat -e inject=utimensat:error=EPERM";
    for by in [denied, "setsid -w"] {
        let mut terminal = cachex.terminal();
        for name in ["Ada", "Bob"] {
            terminal.types(&format!("{by} cachex run -v -- ask")).shows("name?");
            // Its time of access does not tell of what is typed at once, as nobody does.
            if by == denied {
                terminal.awaits_reader();
            }
            terminal.types(name).shows(&format!("hello {name}"));
            terminal.shows("not recorded: it read or changed the terminal");
        }
    }
    assert!(cachex.stored_in("v2/young").is_empty());
}

#[cfg(target_os = "linux")]
#[test]
fn nor_if_the_end_is_typed_while_it_does_something_else() {
    let cachex = cachex();
    cachex.tool("late", &format!("echo ready; {}; cat; echo finished", cachex.gate("gate")));
    let mut terminal = cachex.terminal();
    terminal.types("cachex run -v -- late").shows("ready").presses(CTRL_D).awaits_looks();
    cachex.opens("gate");
    terminal.shows("finished").shows("not recorded: it read or changed the terminal");
}

#[test]
fn nor_if_it_changes_the_modes_of_the_terminal() {
    let cachex = cachex();
    let mut terminal = cachex.terminal();
    for modes in ["-ixon", "ixon"] {
        terminal
            .types(&format!("cachex run -v -- stty {modes}; stty -a | tr ' ' '\\n'; echo over"));
        terminal.shows("not recorded: it read or changed the terminal");
        terminal.shows(&format!("\r\n{modes}\r\n")).shows("over");
    }
    assert!(cachex.stored_in("v2/young").is_empty());
}

#[cfg(target_os = "linux")]
#[test]
fn one_that_looks_at_the_terminal_in_passing_is_recorded() {
    let cachex = cachex();
    let slow = "import select\nprint('ready', flush=True)\nreader = open('../gate')\n\
                select.select([0, reader], [], [])\nprint('finished')\n";
    cachex.executable("bin/both", format!("#!/usr/bin/env python3\n{slow}"));
    cachex.bare(["mkfifo", "../gate"]).once().exits(0);
    let mut terminal = cachex.terminal();
    terminal.types("exec 9<>../gate; cachex run -- both").shows("ready").awaits_reader();
    std::fs::write(cachex.path("gate"), "open").unwrap();
    // What is typed before it has ended may have been meant for it.
    terminal.shows("finished").awaits_shell();
    terminal.types("cachex run -v -- both").shows("finished").shows("cachex: hit");
}

#[cfg(target_os = "linux")]
#[test]
fn nor_is_it_recorded_if_a_key_is_noticed_and_left() {
    let cachex = cachex();
    let python = |script: &str| format!("#!/usr/bin/env python3\nimport select, sys\n{script}");
    // A key that it looks for between two pieces of its work.
    let key = "import termios, tty\nmodes = termios.tcgetattr(0)\ntty.setcbreak(0)\n\
               print('ready', flush=True)\nwhile not select.select([0], [], [], 0)[0]: pass\n\
               termios.tcsetattr(0, termios.TCSANOW, modes)\nprint('finished')\n";
    // A line, beside something else.
    let line = "print('ready', flush=True)\nreader = open('../gate', 'r+b', 0)\n\
                select.select([0, reader], [], [])\nprint('finished')\n";
    cachex.executable("bin/key", python(key));
    cachex.executable("bin/line", python(line));
    cachex.bare(["mkfifo", "../gate"]).once().exits(0);
    let mut terminal = cachex.terminal();
    for tool in ["key", "line"] {
        terminal.types(&format!("cachex run -v -- {tool}")).shows("ready").awaits_looks();
        terminal.types("echo next").shows("finished");
        terminal.shows("not recorded: it read or changed the terminal").shows("next");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn nor_if_another_cachex_beside_it_may_have_read_it() {
    let cachex = cachex();
    cachex.tool("ask", "read name </dev/tty; echo \"hello $name\"; [ -t 0 ] || cat");
    let mut terminal = cachex.terminal();
    // Both names are there before anybody asks.
    let asks = format!("{}; cachex run -- ask | cachex run -- ask", cachex.gate("typed"));
    terminal.types(&format!("read -r line; {asks}; echo over")).types("").types("Ada").types("Bob");
    cachex.opens("typed");
    terminal.shows("hello").shows("hello").shows("over").awaits_runs(2);
    assert!(cachex.stored_in("v2/young").is_empty());
}

#[cfg(target_os = "linux")]
#[test]
fn what_is_typed_for_others_does_not_matter() {
    let cachex = cachex();
    let slow = |name: &str| format!("echo ready; {}; echo finished", cachex.gate(name));
    cachex.tool("ahead", &slow("gate-1"));
    cachex.tool("long", &slow("gate-2"));
    cachex.tool("late", &slow("gate-3"));
    // It reads the terminal at the end of a pipeline, as a pager does.
    let pager = "#!/bin/sh\nstty -icanon min 1 </dev/tty; read key </dev/tty; echo key $key; cat\n\
                 stty icanon </dev/tty\n";
    cachex.executable("bin/pager", pager);
    let mut terminal = cachex.terminal();
    // The shell reads it when the command has ended.
    terminal.types("cachex run -- ahead").shows("ready").types("echo next");
    cachex.opens("gate-1");
    terminal.shows("finished").shows("next");
    terminal.types("cachex run -- long | pager").awaits_runs(2).types("q").shows("key q");
    terminal.awaits_looks();
    cachex.opens("gate-2");
    terminal.shows("finished").types("cachex run -- late &").awaits_runs(3);
    terminal.types("echo shell").shows("shell").types("fg; echo over");
    cachex.opens("gate-3");
    terminal.shows("finished").shows("over");
    for name in ["ahead", "long", "late"] {
        terminal.types(&format!("cachex run -- {name}; echo over")).shows("finished").shows("over");
    }
    terminal.awaits_runs(3);
}

#[test]
fn a_waiter_says_whom_it_waits_for() {
    let cachex = cachex();
    cachex.tool("slow", &format!("{}; echo result", cachex.gate("gate")));
    let holder = cachex.exec(["slow"]).with("--no-env --stdin null --no-concurrent").spawn();
    cachex.awaits_runs(1);
    let pid = holder.pid().as_raw_nonzero().to_string();
    let mut terminal = cachex.terminal();
    terminal.types("cachex run --no-env --stdin null --no-concurrent -- slow; echo status=$?");
    terminal.shows("cachex: ").shows(&pid);
    cachex.opens("gate");
    terminal.shows("result").shows("status=0").awaits_runs(1);
    holder.ends().prints("result\n").quietly();
}

#[test]
fn silence_is_kept_on_a_terminal_too() {
    let cachex = cachex();
    cachex.tool("hi", "echo hi");
    let mut terminal = cachex.terminal();
    terminal.types("cachex run -- hi; cachex run -- hi; echo over").shows("over");
    terminal.awaits_runs(1);
    let screen = terminal.screen();
    assert!(screen.contains("hi\nhi\nover") && !screen.contains("cachex:"), "{screen}");
}

#[test]
fn the_size_of_the_terminal_is_the_commands_own_question() {
    // stdin is still the terminal, so that `stty` works within.
    let cachex = cachex();
    cachex.tool("size", "stty size");
    let mut terminal = cachex.terminal();
    terminal.types("stty rows 33 cols 77; cachex run -- size").shows("33 77");
}

#[cfg(target_os = "linux")]
#[test]
fn a_command_in_the_background_that_stops_is_a_job_that_has_stopped() {
    for (options, signal) in [("", "STOP"), ("", "TSTP"), ("--timeout 10m", "STOP")] {
        let cachex = cachex();
        cachex.tool("stops", &format!("echo ready; kill -{signal} $$; echo finished"));
        let mut terminal = cachex.terminal();
        terminal.types(&format!("cachex run {options} -- stops &")).shows("ready");
        terminal.types("until [ -n \"$(jobs -s)\" ]; do sleep 0.05; done; echo standing still");
        terminal.shows("standing still").types("fg; echo status=$?");
        terminal.shows("finished").shows("status=0").awaits_runs(1);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn who_stops_the_command_alone_continues_both() {
    for (options, place) in [("", "&"), ("", ""), ("--timeout 10m", "&")] {
        let cachex = cachex();
        let slow = format!("echo $$ >../pid; echo ready; {}; echo finished", cachex.gate("gate"));
        cachex.tool("slow", &slow);
        let mut terminal = cachex.terminal();
        terminal.types(&format!("cachex run {options} -- slow {place}")).shows("ready");
        let pid = cachex.line_of("pid");
        cachex.bare(["kill", "-STOP", &pid]).once().exits(0);
        terminal.types("until [ -n \"$(jobs -s)\" ]; do sleep 0.05; done; echo standing still");
        terminal.shows("standing still");
        cachex.bare(["kill", "-CONT", &pid]).once().exits(0);
        cachex.opens("gate");
        terminal.shows("finished").types("wait; echo over").shows("over");
    }
}
