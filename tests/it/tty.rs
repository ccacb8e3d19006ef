//! Commands that are given a terminal of their own.

use crate::harness::{CTRL_BACKSLASH, CTRL_C, CTRL_D, CTRL_Z, Cachex, Terminal, cachex, quoted};
use std::fmt::Write;

/// A world with a command that waits, and one that asks.
fn world() -> Cachex {
    let cachex = cachex();
    // It waits without starting anything: a shell that is stopped while it does
    // so is not stopped before that has begun, with or without cachex.
    let slow = "trap 'echo goes on' CONT; [ -p ../never ] || mkfifo ../never; exec 3<>../never; \
                echo ready; until [ -e ../gate ]; do read -t 0.05 -u 3; done; echo finished";
    cachex.executable("bin/slow", format!("#!/bin/bash\n{}\n", cachex.counting(slow)));
    cachex.tool("ask", "echo 'name?'; read name; echo \"hello $name\"");
    cachex
}

/// Does what there is to do at a terminal, which is then as it was before.
#[track_caller]
fn leaves_no_trace(cachex: &Cachex, what: impl FnOnce(&mut Terminal)) {
    let mut terminal = cachex.terminal();
    terminal.types("PROMPT_COMMAND='echo status=$?'").shows("status=0");
    terminal.types("stty -a >../before").shows("status=0");
    what(&mut terminal);
    terminal.types("stty -a >../after; cmp ../before ../after && echo the same").shows("the same");
}

#[test]
fn both_outputs_and_the_input_are_a_terminal() {
    let cachex = cachex();
    cachex.tool("where", "test -t 0 && test -t 1 && test -t 2 && tty >/dev/tty && echo yes");
    let mut terminal = cachex.terminal();
    terminal.types("cachex run --tty -- where; echo status=$?");
    terminal.shows("/dev/pts/").shows("yes").shows("status=0");
}

#[test]
fn what_it_prints_there_is_replayed_byte_for_byte() {
    let cachex = cachex();
    let bar = r"printf '\033[31mred\033[m\n50%%\r100%%\n'; printf 'err\n' >&2; printf '\0\303\251'";
    cachex.tool("colours", &format!("test -t 1 && {{ {bar}; }}"));
    let mut terminal = cachex.terminal();
    terminal.types("stty -opost; cachex run --tty -- colours; echo over").shows("over");
    terminal.types("cachex run --tty -- colours; echo over").shows("over").awaits_runs(1);
    let both = terminal.screen();
    let (first, second) = both.split_once("over\n").unwrap();
    assert!(first.contains("\u{1b}[31mred\u{1b}[m\n50%\r100%\nerr\n"), "{first:?}");
    assert_eq!(first, second.strip_suffix("over\n").unwrap());
}

#[test]
fn the_lines_end_as_they_do_at_the_terminal() {
    let cachex = cachex();
    cachex.tool("lines", "echo one; echo two");
    let mut terminal = cachex.terminal();
    terminal.types("cachex run --tty -- lines; echo over").shows("one\r\ntwo\r\nover");
}

#[test]
fn a_replay_asks_the_terminal_nothing_and_ends_lines_once() {
    let cachex = cachex();
    // The command reads what the terminal, which the test is, would answer.
    cachex.tool("asks", r"printf 'one\033[6ntwo\033]11;?\007\033[c\nthree\n'");
    let mut terminal = cachex.terminal();
    terminal.types("cachex run --tty -- asks; echo over").shows("one\u{1b}[6ntwo").shows("over");
    let before = terminal.screen().len();
    terminal.types("cachex run --tty -- asks; echo again").shows("again").awaits_runs(1);
    let replay = terminal.screen().split_off(before);
    assert!(replay.contains("onetwo\nthree\nagain"), "{replay:?}");
}

#[test]
fn neither_does_what_was_held_back_until_the_command_had_ended() {
    let cachex = cachex();
    cachex.tool("asks", r"printf 'one\033[6ntwo\nthree\n'");
    let mut terminal = cachex.terminal();
    let call = "cachex run --tty --expires-in 1h --stale-if-error 9h -- asks";
    terminal.types(&format!("{call}; echo over")).shows("one\u{1b}[6ntwo").shows("over");
    let before = terminal.screen().len();
    let later = format!("CACHEX_TEST_CLOCK=5400 {call} && echo again");
    terminal.types(&later).shows("again").awaits_runs(2);
    let shown = terminal.screen().split_off(before);
    assert!(shown.contains("onetwo\nthree\nagain"), "{shown:?}");
}

#[test]
fn it_is_as_large_as_the_terminal() {
    let cachex = cachex();
    cachex.tool("size", "stty size <&1; TERM=xterm tput cols");
    let mut terminal = cachex.terminal();
    terminal.types("stty rows 33 cols 77");
    for _ in 0..2 {
        terminal.types("cachex run --tty -- size; echo over").shows("33 77").shows("77");
        terminal.shows("over");
    }
    terminal.awaits_runs(1);
}

#[test]
fn it_is_resized_with_the_terminal() {
    let cachex = cachex();
    let script = format!("trap 'stty size' WINCH; stty size; {}; echo bye", cachex.gate("gate"));
    cachex.tool("follow", &script);
    let mut terminal = cachex.terminal();
    terminal.resizes(20, 40).types("cachex run --tty -- follow").shows("20 40");
    terminal.resizes(33, 77).shows("33 77").resizes(24, 80).shows("24 80");
    cachex.opens("gate");
    terminal.shows("bye");
}

#[test]
fn one_that_is_resized_is_recorded_only_if_its_width_stays_and_nobody_looks() {
    let cachex = cachex();
    cachex.tool("plain", &format!("echo ready; {}; echo bye", cachex.gate("gate")));
    cachex.tool("wider", "echo ready; until stty size | grep -q ' 77'; do :; done; echo bye");
    let mut terminal = cachex.terminal();
    terminal.resizes(20, 40).types("cachex run --tty -v -- plain").shows("ready").resizes(33, 40);
    cachex.opens("gate");
    terminal.shows("bye").awaits_shell();
    terminal.types("cachex run --tty -v -- plain").shows("cachex: hit");
    terminal.types("cachex run --tty -v -- wider").shows("ready").resizes(33, 77);
    terminal.shows("not recorded: a signal may have changed what it printed");
}

#[test]
fn it_has_the_modes_of_the_terminal() {
    let cachex = cachex();
    cachex.tool("modes", "stty -a <&1 >../inner");
    let mut terminal = cachex.terminal();
    terminal.types("stty erase X -ixon tostop; stty -a >../outer");
    terminal.types("cachex run --tty -- modes; cmp ../inner ../outer && echo the same");
    terminal.shows("the same");
}

#[test]
fn what_is_typed_reaches_it_and_is_echoed_by_it() {
    let cachex = world();
    let mut terminal = cachex.terminal();
    terminal.types("stty echo; cachex run --tty -- ask").shows("name?").types("Ada");
    terminal.shows("Ada").shows("hello Ada");
    // What was recorded would be of another's answer.
    terminal.types("stty -echo; cachex run --tty -v -- ask").shows("name?").types("Bob");
    terminal
        .shows("hello Bob")
        .shows("not recorded: it read or changed the terminal")
        .awaits_runs(2);
    assert!(cachex.stored_in("v2/young").is_empty());
}

#[test]
fn what_the_terminal_answers_nobody_typed() {
    let cachex = cachex();
    let asks =
        r"stty raw -echo min 1; printf '\033[6n'; head -c 6 >/dev/null; stty cooked; echo there";
    cachex.tool("asks", asks);
    let mut terminal = cachex.terminal();
    terminal.types("cachex run --tty -- asks; echo over").shows("\u{1b}[6n");
    // A terminal at the other end of a slow line answers late.
    #[cfg(target_os = "linux")]
    terminal.awaits_reader();
    for key in *b"\x1b[5;1R" {
        terminal.presses(key);
    }
    terminal.shows("there").shows("over");
    terminal.types("cachex run --tty -- asks; echo over").shows("there").shows("over");
    terminal.awaits_runs(1);
}

#[cfg(target_os = "linux")]
#[test]
fn one_that_the_terminal_answers_and_nobody_else_is_not_recorded() {
    let cachex = cachex();
    let gate = quoted(cachex.path("gate"));
    let asks = format!(
        "stty raw -echo min 1; printf '\\033[6n'; head -c 6 >/dev/null; echo ready; \
         head -c 1 </dev/tty & until [ -e {gate} ]; do sleep 0.01; done; kill $!; stty cooked"
    );
    cachex.tool("asks", &asks);
    let mut terminal = cachex.terminal();
    terminal.types("cachex run -v --tty -- asks").shows("\u{1b}[6n").awaits_reader();
    for key in *b"\x1b[5;1R" {
        terminal.presses(key);
    }
    terminal.shows("ready").awaits_reader();
    cachex.opens("gate");
    terminal.shows("not recorded: it read or changed the terminal");
}

#[test]
fn every_key_reaches_one_that_wants_them_all() {
    let cachex = cachex();
    let script = "stty raw -echo; printf 'ready\r\n'; head -c 5 | od -An -tx1; printf over";
    cachex.tool("raw", script);
    leaves_no_trace(&cachex, |terminal| {
        terminal.types("cachex run --tty -- raw").shows("ready");
        for key in [CTRL_C, CTRL_Z, CTRL_D, CTRL_BACKSLASH, b'\r'] {
            terminal.presses(key);
        }
        terminal.shows("03 1a 04 1c 0d").shows("over").shows("status=0");
    });
    assert!(cachex.stored_in("v2/young").is_empty(), "what was typed was recorded");
}

#[test]
fn typing_can_end() {
    let cachex = cachex();
    cachex.tool("count", "echo ready; wc -l");
    let mut terminal = cachex.terminal();
    terminal.types("cachex run --tty -- count").shows("ready").types("one").types("two");
    terminal.presses(CTRL_D).shows("2");
}

#[test]
fn ctrl_c_ends_it() {
    let cachex = world();
    for runs in 1..=2 {
        leaves_no_trace(&cachex, |terminal| {
            terminal.types("cachex run --tty -- slow").shows("ready").awaits_runs(runs);
            terminal.presses(CTRL_C).shows("status=130");
        });
    }
    assert!(cachex.stored_in("v2/young").is_empty(), "an interrupted run was recorded");
}

#[test]
fn ctrl_backslash_too() {
    let cachex = cachex();
    cachex.tool("sleeper", "echo ready; exec sleep 600");
    leaves_no_trace(&cachex, |terminal| {
        terminal.types("ulimit -c 0; cachex run --tty -- sleeper").shows("ready");
        terminal.presses(CTRL_BACKSLASH).shows("status=131");
    });
}

#[test]
fn one_that_handles_ctrl_c_gets_it_once_and_is_not_recorded() {
    let cachex = cachex();
    let handler = "n=0; trap 'n=$((n+1)); echo got $n' INT; echo ready; \
                   until [ -e ../gate ]; do sleep 0.05; done; echo handled $n; exit 0";
    cachex.tool("careful", handler);
    leaves_no_trace(&cachex, |terminal| {
        terminal.types("cachex run --tty -- careful").shows("ready").presses(CTRL_C);
        terminal.shows("got 1");
        cachex.opens("gate");
        terminal.shows("handled 1").shows("status=0");
    });
    assert!(cachex.stored_in("v2/young").is_empty(), "an interrupted run was recorded");
}

#[test]
fn ctrl_c_ends_a_script_with_it() {
    let cachex = world();
    cachex.executable("bin/script", "#!/bin/bash\ncachex run --tty -- slow\necho went on\n");
    leaves_no_trace(&cachex, |terminal| {
        terminal.types("script").shows("ready").presses(CTRL_C).shows("status=130");
        assert!(!terminal.screen().contains("went on"));
    });
}

#[test]
fn ctrl_z_stops_it_and_fg_goes_on() {
    let cachex = world();
    leaves_no_trace(&cachex, |terminal| {
        terminal.types("cachex run --tty -- slow").shows("ready");
        for _ in 0..2 {
            terminal.presses(CTRL_Z).shows("Stopped");
            terminal.types("stty -a >../after; cmp ../before ../after && echo alone");
            terminal.shows("alone").types("fg").shows("goes on");
        }
        terminal.presses(CTRL_Z).shows("Stopped");
        cachex.opens("gate");
        terminal.types("fg").shows("finished").shows("status=0");
        // That it printed when it went on is no part of what it prints.
        for _ in 0..2 {
            terminal.types("cachex run --tty -- slow").shows("ready").shows("finished");
            terminal.shows("status=0").awaits_runs(2);
        }
    });
}

#[test]
fn ctrl_z_is_echoed_where_keys_are() {
    let cachex = world();
    let mut terminal = cachex.terminal();
    terminal.types("stty echo echoctl; cachex run --tty -- slow").shows("ready");
    terminal.presses(CTRL_Z).shows("^Z").shows("Stopped");
    cachex.opens("gate");
    terminal.types("fg").shows("finished");
}

#[test]
fn it_can_be_stopped_while_it_asks() {
    leaves_no_trace(&world(), |terminal| {
        terminal.types("cachex run --tty -- ask").shows("name?").presses(CTRL_Z);
        terminal.shows("Stopped").types("fg").shows("ask").types("Ada").shows("hello Ada");
        terminal.shows("status=0");
    });
}

#[test]
fn one_that_is_started_in_the_background_asks_in_the_foreground() {
    leaves_no_trace(&world(), |terminal| {
        terminal.types("cachex run --tty -- ask &").shows("name?").types("fg").shows("ask");
        terminal.types("Ada").shows("hello Ada").shows("status=0");
    });
}

#[test]
fn one_that_leaves_its_terminal_in_disorder_leaves_ones_own_as_it_was() {
    let cachex = cachex();
    cachex.tool("rude", "stty raw -echo -isig; stty rows 3 cols 3; echo done");
    cachex.tool("dead", "stty raw; kill -9 $$");
    leaves_no_trace(&cachex, |terminal| {
        terminal.types("cachex run --tty -- rude").shows("done").shows("status=0");
        terminal.types("cachex run --tty -- dead").shows("status=137");
    });
}

#[test]
fn the_terminal_is_as_it_was_when_cachex_is_told_to_end() {
    let cachex = world();
    cachex.tool("poke", "kill -$1 $PPID; exec sleep 600");
    leaves_no_trace(&cachex, |terminal| {
        for (name, status) in [("TERM", 143), ("HUP", 129), ("INT", 130)] {
            terminal.types(&format!("cachex run --tty -- poke {name}"));
            terminal.shows(&format!("status={status}"));
        }
    });
    assert!(cachex.stored_in("v2/young").is_empty(), "an interrupted run was recorded");
}

#[test]
fn the_terminal_is_as_it_was_when_cachex_fails() {
    let cachex = cachex();
    cachex.tool("hi", "echo hi; sleep 600");
    leaves_no_trace(&cachex, |terminal| {
        terminal.types("CACHEX_TEST_FAULT=tee=panic cachex run --tty -- hi").shows("status=");
    });
}

#[test]
fn standard_input_may_be_something_else() {
    let cachex = cachex();
    cachex.tool("mixed", "test -t 0 || echo piped; cat; test -t 1 && test -t 2 && echo shown");
    leaves_no_trace(&cachex, |terminal| {
        for input in ["echo text |", "<../before"] {
            let text = if input.contains("text") { "text" } else { "speed" };
            terminal.types(&format!("{input} cachex run --tty -- mixed"));
            terminal.shows("piped").shows(text).shows("shown").shows("status=0");
        }
        terminal.types("echo text | cachex run --tty -- mixed").shows("shown").awaits_runs(2);
    });
}

#[test]
fn ctrl_c_and_ctrl_z_work_when_nobody_types() {
    let cachex = world();
    leaves_no_trace(&cachex, |terminal| {
        terminal.types("echo | cachex run --tty -- slow").shows("ready").presses(CTRL_Z);
        terminal.shows("Stopped").types("fg").shows("goes on").presses(CTRL_C).shows("status=130");
    });
    assert!(cachex.stored_in("v2/young").is_empty(), "an interrupted run was recorded");
}

#[test]
fn standard_error_may_be_something_else() {
    let cachex = cachex();
    cachex.tool("mixed", "test -t 1 && echo shown; test -t 2 || echo apart >&2");
    let mut terminal = cachex.terminal();
    for _ in 0..2 {
        terminal.types("cachex run --tty -- mixed 2>../errors; cat -A ../errors");
        terminal.shows("shown").shows("apart$");
    }
    terminal.awaits_runs(1);
}

#[test]
fn without_a_terminal_there_is_none() {
    cachex().run("test -t 1 || echo no").with("--tty").behaves_as_bare().prints("no\n");
}

#[test]
fn where_there_is_none_to_be_had_it_runs_without_and_is_not_recorded() {
    let cachex = cachex();
    cachex.tool("where", "test -t 1 && echo there || echo none");
    let mut terminal = cachex.terminal();
    // ENOSPC, when all are taken.
    for input in ["", "echo | "] {
        terminal.types(&format!("{input}CACHEX_TEST_FAULT=pty=28 cachex run --tty -- where"));
        terminal.shows("none").types("echo status=$?").shows("status=0");
    }
    terminal.types("cachex run --tty -- where; echo over").shows("there").shows("over");
    terminal.types("cachex run --tty -- where; echo over").shows("there").awaits_runs(3);
}

#[test]
fn time_can_be_up() {
    let cachex = world();
    leaves_no_trace(&cachex, |terminal| {
        terminal.types("cachex run --tty --timeout 2s -- slow").shows("ready");
        terminal.shows("status=124");
        terminal.types("cachex run --tty --timeout 10m -- ask").shows("name?").types("Ada");
        terminal.shows("hello Ada").shows("status=0");
    });
    assert!(cachex.stored_in("v2/young").is_empty());
}

#[test]
fn what_it_started_ends_with_it() {
    let cachex = cachex();
    cachex.tool("many", "trap '' TERM HUP; echo ready; sleep 600 & sleep 600 | sleep 600");
    let mut terminal = cachex.terminal();
    terminal.types("cachex run --tty --timeout 200ms -- many; echo status=$?; exit");
    terminal.shows("status=124");
    cachex.awaits_quiet();
}

#[test]
fn what_is_left_behind_keeps_nobody() {
    let cachex = cachex();
    cachex.tool("leaves", "trap '' HUP; sleep 600 & echo hi");
    leaves_no_trace(&cachex, |terminal| {
        terminal.types("cachex run --tty -- leaves").shows("hi").shows("status=0");
    });
}

#[test]
fn a_lot_of_output_is_all_there() {
    let cachex = cachex();
    cachex.tool("count", "seq 1 20000");
    let mut terminal = cachex.terminal();
    terminal.types("stty -onlcr");
    let mut numbers = String::new();
    for number in 1..=20_000 {
        writeln!(numbers, "{number}").unwrap();
    }
    for _ in 0..2 {
        terminal.types("cachex run --tty -- count; echo over").shows(&format!("{numbers}over\n"));
    }
    terminal.awaits_runs(1);
}
