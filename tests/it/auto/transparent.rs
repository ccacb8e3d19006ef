//! A traced command, and a hit of it, are the bare command to whoever looks from outside.

use super::auto;
use crate::harness::cachex;

#[test]
fn streams_and_statuses_are_those_of_the_bare_command() {
    let cachex = cachex();
    for script in [
        "true",
        "exit 42",
        "exit 255",
        "echo out; echo err >&2; echo out; exit 3",
        r"printf 'a\0b\377'",
        "yes | head -c 300000",
        "seq 1 20000 >&2",
        "no-such-command",
        "cat /no/such/file",
        "ulimit -n 20; ls /proc/self/fd >/dev/null && echo some",
        "env -i sh -c 'echo $0'",
        "(echo within; exit 5); echo $?",
        "exec sh -c 'echo executed'",
        "umask; pwd; cd /; pwd",
        "trap 'echo trapped' TERM; kill -TERM $$; echo on",
    ] {
        auto(&cachex, script).behaves_as_bare();
    }
}

#[test]
fn standard_input_arrives_whole() {
    let cachex = cachex();
    let text = "line\n".repeat(50_000);
    auto(&cachex, "wc -c; echo done").stdin(text).behaves_as_bare();
    auto(&cachex, "cat").stdin("").behaves_as_bare();
}

#[test]
fn a_death_by_signal_is_one_and_is_not_recorded() {
    let cachex = cachex();
    for signal in ["KILL", "SEGV", "TERM", "PIPE"] {
        let call = auto(&cachex, &format!("echo before; kill -{signal} $$"));
        let bare = call.clone().bare().once();
        call.twice().runs_twice().same_as(&bare);
    }
}

#[test]
fn a_missing_command_and_one_that_may_not_be_executed_end_as_ever() {
    let cachex = cachex();
    cachex.write("work/plain", "echo x\n");
    cachex.exec(["no-such-command"]).with("--auto").once().exits(127);
    cachex.exec(["./plain"]).with("--auto").once().exits(126);
}

#[test]
fn a_timeout_ends_it_all() {
    let cachex = cachex();
    auto(&cachex, "sleep 600").with("--timeout 300ms").once().exits(124).promptly();
    cachex.awaits_quiet();
}

/// How `run` behaves, as other tests tell it.
const OF_RUN: &[&str] = &[
    "exit_status::",
    "streams::",
    "stdin::",
    "signals::",
    "hit_and_miss::",
    "working_directory::",
    "inheritance::",
    "left_files::",
    "grandchildren::",
    "switches::",
    "timeout::",
];

/// Those of them that must differ, and why.
const DIFFERENT: &[(&str, &str)] = &[
    ("grandchildren::one_that_let_go_of_the_output_is_nobodys_business", OUTLIVES),
    ("grandchildren::what_carries_on_holds_nothing_else", "it is traced, by a guardian"),
    ("timeout::what_is_left_of_one_that_ended_in_time_is_left_alone", OUTLIVES),
    ("grandchildren::where_a_good_result_stands_in_what_comes_later_is_not_shown", LOOKS),
    ("shared_stdin::calls_that_share_it_do_not_record_a_part_as_the_whole", LOOKS),
    ("shared_stdin::what_another_read_meanwhile_is_not_repeated_for_the_command", LOOKS),
    ("shared_stdin::what_another_reads_meanwhile_is_not_missing_in_the_record", LOOKS),
    ("signals::one_that_nobody_handles_leaves_no_trace", LOOKS),
    ("streams::the_order_of_the_chunks_is_kept", LOOKS),
    ("streams::others_follow_one_pipe_only_into_one", "nobody follows an automatic run"),
    ("streams::a_follower_of_the_file_it_prints_to_does_not_keep_it_from_being_recorded", LOOKS),
    ("streams::streams_that_were_one_are_not_replayed_apart", "both ways are kept"),
    ("switches::a_forced_run_that_is_not_recorded_leaves_what_was", LOOKS),
    ("switches::the_first_output_is_there_before_the_command_ends", LOOKS),
    ("timeout::ctrl_z_stops_it_and_fg_goes_on", LOOKS),
    ("hit_and_miss::a_recent_entry_is_one_immutable_file_named_by_its_key", KEYS),
    ("switches::every_variable_stands_for_its_option", KEYS),
    ("working_directory::without_it_all_directories_share", HERE),
    ("working_directory::the_name_by_which_one_came_counts_with_it", HERE),
    ("working_directory::in_a_deleted_one_that_is_no_part_it_is_cached", HERE),
];

const OUTLIVES: &str = "what leaves a process behind is not recorded";
const LOOKS: &str = "the command looks at a file that the test changes";
const KEYS: &str = "the key of a hit is another than that of the call";
const HERE: &str = "the working directory is always part of the key";

/// All of them again, with each call automatic.
#[test]
fn the_tests_of_run_hold_with_it() {
    let tests = std::env::current_exe().unwrap();
    let mut command = std::process::Command::new(tests);
    command.args(OF_RUN).env("CACHEX_TEST_AUTO", "1");
    for (name, _) in DIFFERENT {
        command.args(["--skip", name]);
    }
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("test result: ok. ") && output.status.success(), "{said}");
}
