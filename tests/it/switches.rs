//! The options that change what `cachex` does with an entry, not which one.

use crate::harness::cachex;
use std::collections::BTreeSet;

#[test]
fn force_runs_and_replaces() {
    let cachex = cachex();
    let nth = cachex.run(&format!("wc -c <'{}'", cachex.path("runs").display()));
    nth.twice().runs_once().prints("1\n");
    nth.clone().with("--force").once().misses().prints("2\n");
    nth.clone().once().hits().prints("2\n");
    nth.clone().env("CACHEX_FORCE", "1").once().misses().prints("3\n");
    nth.once().hits().prints("3\n");
}

#[test]
fn a_forced_run_that_is_not_recorded_leaves_what_was() {
    let cachex = cachex();
    let call = cachex.run("[ $(cat ../mood) = good ] && echo fine").exit_codes("0");
    cachex.write("mood", "good");
    call.once().misses().prints("fine\n");
    cachex.write("mood", "bad");
    call.clone().with("--force").once().misses().exits(1);
    call.once().hits().prints("fine\n").exits(0);
}

#[test]
fn disabled_it_becomes_the_command() {
    let cachex = cachex();
    let call = cachex.run("echo $$; exit 7").env("CACHEX_DISABLE", "1");
    let running = call.spawn();
    let pid = format!("{}\n", running.pid().as_raw_nonzero());
    running.ends().prints(&pid).exits(7).quietly();
    call.twice().runs_twice();
    assert!(!cachex.store().exists());
}

#[test]
fn disabled_it_still_takes_its_own_options() {
    let call = cachex().run("echo hi").expires_in("2s").with("--no-cwd --verbose");
    call.env("CACHEX_DISABLE", "1").twice().runs_twice().prints("hi\n").quietly();
}

#[test]
fn verbose_says_what_happened_in_one_line_at_the_end() {
    let cachex = cachex();
    let call = cachex.run("echo err >&2").with("--verbose");
    let miss = call.once().misses().mentions(&["cachex: miss "]).stderr();
    let hit =
        call.after("3s").once().hits().mentions(&["cachex: hit ", "age 3", "saved "]).stderr();
    for said in [&miss, &hit] {
        let lines: Vec<&str> = said.lines().collect();
        assert!(
            lines.len() == 2 && lines[0] == "err" && lines[1].starts_with("cachex: "),
            "{said}"
        );
    }
    cachex.run("echo err >&2").env("CACHEX_VERBOSE", "1").once().hits().mentions(&["cachex: hit "]);
}

#[test]
fn every_variable_stands_for_its_option() {
    // The same key, and by the second call a hit.
    let twins = [
        ("--exe", "name", "CACHEX_EXE"),
        ("--env", "HOME,LANG", "CACHEX_ENV"),
        ("--ignore-env", "LA*", "CACHEX_IGNORE_ENV"),
        ("--stdin", "null", "CACHEX_STDIN"),
        ("--key", "some text", "CACHEX_KEY"),
        ("--scope", "project", "CACHEX_SCOPE"),
    ];
    let cachex = cachex();
    let call = cachex.run("echo hi");
    let mut keys = BTreeSet::from([call.key()]);
    for (option, value, variable) in twins {
        let by_option = call.clone().option(option, value);
        let by_variable = call.clone().env(variable, value);
        assert_eq!(by_option.key(), by_variable.key(), "{option} and {variable}");
        by_variable.once().hits();
        assert!(keys.insert(by_option.key()), "{option} changes nothing");
    }
    for (option, variable) in [("--no-cwd", "CACHEX_NO_CWD"), ("--no-env", "CACHEX_NO_ENV")] {
        let by_option = call.clone().with(option);
        let by_variable = call.clone().env(variable, "1");
        assert_eq!(by_option.key(), by_variable.key(), "{option} and {variable}");
        assert!(keys.insert(by_option.key()), "{option} changes nothing");
    }
}

#[test]
fn lasting_options_hold_by_variable_too() {
    let cachex = cachex();
    let call = cachex.run("echo hi");
    call.once().misses();
    call.clone().env("CACHEX_EXPIRES_IN", "1h").after("1h").once().misses();

    let fails = cachex.run("exit 1");
    fails.clone().env("CACHEX_FAILURE_EXPIRES_IN", "1h").once().misses();
    fails.env("CACHEX_FAILURE_EXPIRES_IN", "1h").after("59m").once().hits();

    cachex.run("exit 2").env("CACHEX_EXIT_CODES", "0").twice().runs_twice();
    cachex.run("seq 10000").env("CACHEX_MAX_ENTRY_SIZE", "1KiB").twice().runs_twice();
    cachex.run("echo once").env("CACHEX_NO_CONCURRENT", "1").twice().runs_once();
    cachex.run("echo small").env("CACHEX_MAX_SIZE", "1GiB").twice().runs_once();
}

#[test]
fn an_option_beats_its_variable() {
    let cachex = cachex();
    let call = cachex.run("echo hi").env("CACHEX_EXPIRES_IN", "1s");
    call.clone().expires_in("1h").once().misses();
    call.expires_in("1h").after("30m").once().hits();
}

#[test]
fn a_variable_that_says_no_is_as_good_as_none() {
    let call = cachex().run("echo hi");
    call.once().misses();
    for no in ["", "0", "false", "no"] {
        for variable in ["CACHEX_DISABLE", "CACHEX_FORCE", "CACHEX_NO_CWD", "CACHEX_NO_ENV"] {
            call.clone().env(variable, no).once().hits();
        }
        call.clone().env("CACHEX_VERBOSE", no).once().hits().quietly();
    }
}

#[test]
fn an_option_beats_the_variable_of_another_that_it_excludes() {
    let call = cachex().run("echo hi").env("CACHEX_NO_ENV", "1").option("--env", "A");
    call.clone().env("A", "1").once().misses();
    call.env("A", "2").once().misses();
    let call = cachex().run("echo hi").env("CACHEX_ENV", "A").with("--no-env");
    call.clone().env("A", "1").once().misses();
    call.env("A", "2").once().hits();
}

#[test]
fn variables_of_cachex_are_not_part_of_the_key() {
    let cachex = cachex();
    cachex.run("echo hi").once().misses();
    cachex.run("echo hi").env("CACHEX_EXPIRES_IN", "1h").once().hits();
    cachex.run("echo hi").env("CACHEX_ANYTHING", "at all").once().hits();
}

#[test]
fn the_first_output_is_there_before_the_command_ends() {
    let cachex = cachex();
    let call =
        cachex.run(&format!("echo first; printf half >&2; {}; echo last", cachex.gate("gate")));
    let running = call.spawn();
    running.shows("first\n").warns("half");
    cachex.opens("gate");
    running.ends().prints("first\nlast\n").says("half");
    call.once().hits().prints("first\nlast\n").says("half");
}
