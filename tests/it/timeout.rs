//! Commands that may only take so long.

use crate::harness::{CTRL_BACKSLASH, CTRL_C, CTRL_Z, Cachex, Signal, cachex, unshares};

/// Longer than any test: what is tested is a limit that is not reached.
const AMPLE: &str = "--timeout 10m";

#[test]
fn one_that_takes_too_long_is_ended_and_not_recorded() {
    let call = cachex().run("exec sleep 600").with("--timeout 2s");
    call.twice().runs_twice().prints("").exits(124).quietly().promptly();
}

#[test]
fn what_it_had_printed_is_shown() {
    let call = cachex().run("echo out; echo err >&2; exec sleep 600").with("--timeout 2s");
    call.once().prints("out\n").says("err\n").exits(124).promptly();
}

#[test]
fn one_that_ends_in_time_is_recorded_and_replayed() {
    let call = cachex().run("echo hi; echo err >&2; exit 3").with(AMPLE);
    call.behaves_as_bare().prints("hi\n").says("err\n").exits(3);
    call.with("--timeout 20m").once().hits();
}

#[test]
fn one_that_a_signal_ends_in_time_ends_as_it_always_does() {
    let call = cachex().run("kill -9 $$").with(AMPLE);
    call.twice().runs_twice().dies_of(Signal::KILL).quietly();
}

#[test]
fn one_that_does_not_want_to_end_is_killed() {
    let cachex = cachex();
    let call = cachex.run("trap '' TERM; sleep 600; sleep 600").with("--timeout 200ms");
    call.once().exits(124).quietly().promptly();
    cachex.awaits_quiet();
}

#[test]
fn one_that_ends_in_good_order_has_taken_too_long_all_the_same() {
    let script = "trap 'echo bye; exit 0' TERM; sleep 600 & wait";
    let call = cachex().run(script).with("--timeout 2s");
    call.twice().runs_twice().prints("bye\n").exits(124).quietly().promptly();
}

#[test]
fn one_that_is_stopped_is_ended_too() {
    let cachex = cachex();
    let call = cachex.run("kill -STOP $$; echo on").with("--timeout 200ms");
    call.once().exits(124).quietly().promptly();
    cachex.awaits_quiet();
}

#[test]
fn what_it_started_ends_with_it() {
    let cachex = cachex();
    let call = cachex.run("sleep 600 & sleep 600 | sleep 600").with("--timeout 200ms");
    call.once().exits(124).quietly().promptly();
    cachex.awaits_quiet();
}

#[test]
fn even_what_does_not_want_to() {
    let cachex = cachex();
    let script = "(trap '' TERM; sleep 600 >/dev/null 2>&1) & exec sleep 600";
    cachex.run(script).with("--timeout 200ms").once().exits(124).quietly().promptly();
    cachex.awaits_quiet();
}

#[test]
fn what_it_started_has_time_to_end_in_good_order() {
    let cachex = cachex();
    // The command itself is gone at once.
    let script = "(trap 'sleep 0.3; echo saved; exit' TERM; sleep 600 & wait) & wait";
    let call = cachex.run(script).with("--timeout 2s");
    call.once().prints("saved\n").exits(124).quietly().promptly();
}

#[cfg(target_os = "linux")]
#[test]
fn what_left_its_group_and_its_parent_ends_with_it_too() {
    let cachex = cachex();
    // A session of its own, a group of its own, and a daemon.
    let script = "setsid sleep 600 & bash -mc 'sleep 600 & wait' 2>/dev/null & \
                  (setsid sh -c 'sleep 600 & sleep 600 &' &); exec sleep 600";
    let call = cachex.run(script).with("--timeout 300ms");
    call.once().exits(124).quietly().promptly();
    cachex.awaits_quiet();
    let stubborn = "(setsid sh -c \"trap '' TERM; sleep 600; sleep 600\" &) & exec sleep 600";
    cachex.run(stubborn).with("--timeout 300ms").once().exits(124).quietly().promptly();
    cachex.awaits_quiet();
}

#[test]
fn what_is_left_of_one_that_ended_in_time_is_left_alone() {
    let cachex = cachex();
    let script = "{ until [ -e ../gate ]; do sleep 0.01; done; echo x >../late; } >/dev/null 2>&1 & \
                  echo hi";
    cachex.run(script).with(AMPLE).twice().runs_once().prints("hi\n").exits(0);
    cachex.opens("gate");
    assert_eq!(cachex.line_of("late"), "x");
}

#[cfg(target_os = "linux")]
#[test]
fn what_is_left_of_it_and_has_ended_is_gone() {
    let cachex = cachex();
    // A daemon that the command ends, and waits for by its number.
    let script = "daemon=$(setsid sh -c 'sleep 600 >/dev/null 2>&1 & echo $!'); kill $daemon; \
                  while kill -0 $daemon 2>/dev/null; do sleep 0.01; done; echo gone";
    let call = cachex.run(script).with("--force");
    call.clone().with("--timeout 20s").once().prints("gone\n").exits(0).quietly();
    if unshares("--fork --pid --mount-proc") {
        // The first process of a container inherits it, too.
        let limited = call.launched_by(r#"exec timeout 20 unshare -f --pid --mount-proc "$@""#);
        limited.once().prints("gone\n").exits(0).quietly();
    }
}

#[test]
fn nobody_reading_keeps_nobody() {
    let (reader, writer) = std::io::pipe().unwrap();
    let running = cachex().run("exec yes").with("--timeout 200ms").spawn_into(writer);
    running.ends().exits(124).quietly().promptly();
    drop(reader);
}

#[test]
fn standard_input_is_fed_as_ever() {
    let input = "a line of it\n".repeat(100_000);
    let call = cachex().run("cat").stdin(&input).with(AMPLE);
    call.twice().runs_once().prints(&input).exits(0).quietly();
}

#[test]
fn signals_reach_what_it_started() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let cachex = cachex();
        let running = cachex.run("sleep 600 | sleep 600 & echo ready; wait").with(AMPLE).spawn();
        running.shows("ready\n").signal(signal);
        running.ends_first().dies_of(signal).quietly().promptly();
        // A shell has what it starts in the background ignore SIGINT.
        if signal != Signal::INT {
            cachex.awaits_quiet();
        }
        assert!(cachex.stored_in("v2/young").is_empty(), "an interrupted run was recorded");
    }
}

/// A world with a command that waits, and one that asks.
fn at_a_terminal() -> Cachex {
    let cachex = cachex();
    // It waits without starting anything: a shell that is stopped while it does
    // so is not stopped before that has begun, with or without cachex.
    let slow = "trap 'echo goes on' CONT; [ -p ../never ] || mkfifo ../never; exec 3<>../never; \
                echo ready; until [ -e ../gate ]; do read -t 0.05 -u 3; done; echo finished";
    cachex.executable("bin/slow", format!("#!/bin/bash\n{}\n", cachex.counting(slow)));
    cachex.tool("ask", "echo 'name?'; read name; echo \"hello $name\"");
    cachex
}

#[test]
fn ctrl_c_ends_it() {
    let cachex = at_a_terminal();
    let mut terminal = cachex.terminal();
    for runs in 1..=2 {
        terminal.types("cachex run --timeout 10m -- slow").shows("ready").awaits_runs(runs);
        terminal.presses(CTRL_C).types("echo status=$?").shows("status=130");
    }
    assert!(cachex.stored_in("v2/young").is_empty(), "an interrupted run was recorded");
}

#[test]
fn ctrl_backslash_too() {
    let cachex = cachex();
    cachex.tool("sleeper", "echo ready; exec sleep 600");
    let mut terminal = cachex.terminal();
    terminal.types("ulimit -c 0; cachex run --timeout 10m -- sleeper; echo status=$?");
    terminal.shows("ready").presses(CTRL_BACKSLASH).shows("status=131");
}

#[test]
fn ctrl_c_ends_a_script_with_it() {
    let cachex = at_a_terminal();
    cachex.executable("bin/script", "#!/bin/bash\ncachex run --timeout 10m -- $1\necho went on\n");
    let mut terminal = cachex.terminal();
    terminal.types("PROMPT_COMMAND='echo status=$?'").shows("status=0");
    for (command, asks) in [("slow", "ready"), ("ask", "name?")] {
        terminal.types(&format!("script {command}")).shows(asks);
        if command == "ask" {
            // As long as it does not want the terminal, it does not get it.
            terminal.types("Ada").shows("hello Ada").shows("went on");
            terminal.types("cachex clear --yes >/dev/null; script ask").shows("name?");
        }
        terminal.presses(CTRL_C).shows("status=130");
    }
    assert_eq!(terminal.screen().matches("went on").count(), 1);
}

#[test]
fn ctrl_z_stops_it_and_fg_goes_on() {
    let cachex = at_a_terminal();
    let mut terminal = cachex.terminal();
    terminal.types("cachex run --timeout 10m -- slow").shows("ready");
    for _ in 0..2 {
        terminal.presses(CTRL_Z).shows("Stopped").types("echo alone").shows("alone");
        terminal.types("fg").shows("goes on");
    }
    terminal.presses(CTRL_Z).shows("Stopped");
    cachex.opens("gate");
    terminal.types("fg; echo status=$?").shows("finished").shows("status=0");
    // That it printed when it went on is no part of what it prints.
    for _ in 0..2 {
        terminal.types("cachex run --timeout 10m -- slow; echo status=$?").shows("finished");
        terminal.shows("status=0").awaits_runs(2);
    }
}

#[test]
fn it_can_ask_at_the_terminal() {
    let mut terminal = at_a_terminal().terminal();
    terminal.types("cachex run --timeout 10m -- ask").shows("name?").types("Ada");
    terminal.shows("hello Ada").types("cachex run -- ask; echo over").shows("name?");
    // What a person typed is in no key, so it asks again.
    terminal.types("Eve").shows("hello Eve").shows("over").awaits_runs(2);
}

#[test]
fn it_can_be_stopped_while_it_asks() {
    let mut terminal = at_a_terminal().terminal();
    terminal.types("cachex run --timeout 10m -- ask; echo over").shows("name?");
    terminal.presses(CTRL_Z).shows("Stopped").types("echo alone").shows("alone");
    terminal.types("fg; echo status=$?").types("Ada").shows("hello Ada").shows("status=0");
    terminal.types("echo alone").shows("alone");
}

#[test]
fn it_can_be_stopped_before_it_has_the_terminal() {
    let cachex = at_a_terminal();
    // Its question is passed on before it asks for the terminal, and cachex is slow
    // to see that: it sees the key at the same time.
    // It starts nothing meanwhile: a shell that waits for `vfork` cannot be stopped.
    let late = "printf 'name? '; i=0; while [ $i -lt 2000 ]; do i=$((i+1)); done; \
                read name; echo hello $name";
    cachex.tool("late", late);
    let mut terminal = cachex.terminal();
    terminal.types("export CACHEX_TEST_FAULT=turn=slow");
    terminal.types("cachex run --timeout 10m -- late; echo over").shows("name?");
    terminal.presses(CTRL_Z).shows("Stopped").types("fg; echo status=$?").types("Ada");
    terminal.shows("hello Ada").shows("status=0");
}

#[test]
fn in_the_background_it_has_to_wait_for_the_terminal() {
    let mut terminal = at_a_terminal().terminal();
    terminal.types("cachex run --timeout 10m -- ask &").shows("name?");
    // The shell says so before its next prompt.
    terminal.types("until jobs | grep Stopped; do sleep 0.01; done").shows("Stopped");
    terminal.types("fg; echo status=$?").types("Ada").shows("hello Ada").shows("status=0");
}

#[test]
fn it_can_change_the_modes_of_the_terminal() {
    let cachex = cachex();
    cachex.tool("secret", "stty -echonl; echo fine; stty echonl; stty -echonl");
    let mut terminal = cachex.terminal();
    terminal.types("cachex run --timeout 10m -- secret; echo status=$?").shows("fine");
    terminal.shows("status=0");
}

#[test]
fn the_rest_of_a_pipeline_keeps_the_terminal() {
    let cachex = at_a_terminal();
    cachex.executable("bin/pager", "#!/bin/sh\ncat; read key </dev/tty; echo got $key\n");
    cachex.opens("gate");
    let mut terminal = cachex.terminal();
    terminal.types("cachex run --timeout 10m -- slow | pager; echo over").shows("finished");
    terminal.types("key").shows("got key").shows("over");
}

#[test]
fn the_terminal_is_the_shells_again_when_time_is_up() {
    let mut terminal = at_a_terminal().terminal();
    terminal.types("cachex run --timeout 2s -- ask; echo status=$?").shows("name?");
    terminal.shows("status=124").types("read line; echo got $line").types("it").shows("got it");
}
