//! The options of automatic calls, and automatic calls with the other options.

use super::auto;
use crate::harness::cachex;
use std::fs;
use std::time::{Duration, SystemTime};

#[test]
fn what_means_nothing_or_contradicts_itself_is_refused() {
    let cachex = cachex();
    for (options, words) in [
        ("--auto-ignore x", "--auto-ignore is nothing without --auto"),
        ("--auto-times all", "--auto-times is nothing without --auto"),
        ("--auto-allow network", "--auto-allow is nothing without --auto"),
        ("--auto-outputs none", "--auto-outputs is nothing without --auto"),
        ("--auto --no-cwd", "--auto and --no-cwd contradict each other"),
        ("--auto --auto-times some", "possible values"),
        ("--auto --auto-outputs some", "possible values"),
    ] {
        let outcome = cachex.run("echo x").with(options).once().runs(0).exits(125);
        assert!(outcome.stderr().contains(words), "{options}: {}", outcome.stderr());
    }
}

#[test]
fn a_variable_a_setting_and_a_rule_turn_it_on() {
    let cachex = cachex();
    cachex.write("work/f", "1\n");
    let call = cachex.run("cat f").env("CACHEX_AUTO_IGNORE", cachex.path("runs"));
    let by_variable = call.clone().env("CACHEX_AUTO", "1");
    by_variable.twice().runs_once();
    cachex.write("work/f", "2\n");
    by_variable.once().misses().prints("2\n");
    cachex.config("[[command]]\nmatch = \"sh *\"\nauto = true\n");
    // The same options from elsewhere are the same key.
    call.once().hits().prints("2\n");
    cachex.write("work/f", "3\n");
    call.once().misses().prints("3\n");
    call.env("CACHEX_AUTO", "0").once().misses();
}

#[test]
fn what_is_ignored_is_not_part_of_the_key() {
    let cachex = cachex();
    cachex.write("work/f", "1\n");
    cachex.write("work/log/deep/l", "1\n");
    let call = auto(&cachex, "cat f log/deep/l").with("--auto-ignore log/**");
    call.twice().runs_once();
    cachex.write("work/log/deep/l", "2\n");
    call.once().hits().prints("1\n1\n");
    auto(&cachex, "cat f log/deep/l").twice().runs_once().prints("1\n2\n");
    cachex.write("work/f", "2\n");
    call.once().misses().prints("2\n2\n");
}

#[test]
fn times_are_part_of_the_key_as_asked() {
    let cachex = cachex();
    let file = cachex.write("work/f", "1\n");
    let touch = || {
        let time = fs::metadata(&file).unwrap().modified().unwrap();
        let later = time + std::time::Duration::from_secs(5);
        fs::File::options().append(true).open(&file).unwrap().set_modified(later).unwrap();
    };
    let call = |times: &str| auto(&cachex, "[ -s f ] && echo yes").with(times);
    for (times, is_part) in
        [("--auto-times auto", true), ("--auto-times all", true), ("--auto-times none", false)]
    {
        let call = call(times);
        call.twice().runs_once();
        touch();
        let outcome = call.once();
        if is_part {
            outcome.misses()
        } else {
            outcome.hits()
        };
    }
    // What is read is known by its content.
    let call = auto(&cachex, "cat f");
    call.twice().runs_once();
    touch();
    call.once().hits();
}

#[test]
fn the_time_of_a_folder_that_a_shell_compares_is_part_of_the_key() {
    let cachex = cachex();
    fs::create_dir_all(cachex.path("work/d")).unwrap();
    let old = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    fs::File::open(cachex.path("work/d")).unwrap().set_modified(old).unwrap();
    cachex.write("work/stamp", "");
    let call = auto(&cachex, "[ d -nt stamp ] && echo rebuild || echo fresh");
    call.twice().runs_once().prints("fresh\n");
    let later = SystemTime::now() + Duration::from_mins(1);
    fs::File::open(cachex.path("work/d")).unwrap().set_modified(later).unwrap();
    call.once().misses().prints("rebuild\n");
}

#[test]
fn other_options_are_other_keys() {
    let cachex = cachex();
    let call = auto(&cachex, "echo x");
    call.twice().runs_once();
    cachex.run("echo x").once().misses();
    call.clone().with("--auto-times all").once().misses();
    call.clone().with("--auto-allow network").once().misses();
    call.clone().with("--auto-ignore y").once().misses();
    call.clone().with("--auto-outputs below").once().hits();
    call.clone().with("--auto-outputs none").once().misses();
    call.clone().with("--auto-outputs all").once().misses();
    call.inside(cachex.path("")).once().misses();
}

#[test]
fn a_folder_of_the_same_name_elsewhere_is_another_whatever_the_base() {
    let cachex = cachex();
    for (place, text) in [("one", "1\n"), ("two", "2\n")] {
        cachex.write(format!("{place}/f"), text);
        let call = auto(&cachex, "cat f").with("--base-dir .").inside(cachex.path(place));
        call.twice().runs_once().prints(text);
    }
}

#[test]
fn standard_input_and_declared_inputs_are_part_of_the_key() {
    let cachex = cachex();
    cachex.write("work/declared", "1");
    cachex.write("work/f", "1\n");
    let call = auto(&cachex, "cat f -").with("--input declared");
    call.clone().stdin("a").twice().runs_once().prints("1\na");
    call.clone().stdin("b").twice().runs_once().prints("1\nb");
    cachex.write("work/declared", "2");
    call.clone().stdin("a").twice().runs_once().prints("1\na");
    cachex.write("work/f", "2\n");
    call.clone().stdin("a").twice().runs_once().prints("2\na");
}

#[test]
fn a_script_of_sh_is_automatic_too() {
    let cachex = cachex();
    cachex.write("work/f", "1\n");
    let call = cachex.sh("cat f").with("--auto").option("--auto-ignore", cachex.path("runs"));
    call.twice().runs_once().prints("1\n");
    cachex.write("work/f", "2\n");
    call.twice().runs_once().prints("2\n");
}

#[test]
fn modes_hold() {
    let cachex = cachex();
    cachex.write("work/f", "1\n");
    let call = auto(&cachex, "cat f");
    call.clone().with("--cached-only").once().runs(0).exits(125);
    call.clone().with("--read-only").once().runs(1);
    call.once().misses();
    call.clone().with("--cached-only").once().hits().prints("1\n");
    call.clone().with("--force").once().misses();
    call.once().hits();
    cachex.write("work/f", "2\n");
    call.clone().with("--cached-only").once().runs(0).exits(125);
    call.expires_in("1h").after("2h").once().misses();
}

#[test]
fn of_many_callers_one_runs() {
    let cachex = cachex();
    cachex.write("work/f", "1\n");
    let gate = cachex.gate("open");
    let call = auto(&cachex, &format!("{gate}; cat f")).with("--no-concurrent");
    let call = call.option("--auto-ignore", cachex.path("open"));
    let first = call.spawn();
    cachex.awaits_runs(1);
    let others: Vec<_> = (0..5).map(|_| call.spawn()).collect();
    #[cfg(target_os = "linux")]
    cachex.awaits_a_waiter();
    cachex.opens("open");
    for running in [first].into_iter().chain(others) {
        running.ends().prints("1\n");
    }
    assert_eq!(cachex.runs(), 1);
}

#[test]
fn an_ageing_result_is_replaced_in_the_background() {
    let cachex = cachex();
    cachex.write("work/f", "1\n");
    let call = auto(&cachex, "cat f").with("--refresh-after 1m");
    call.once().misses();
    call.clone().after("2m").once().prints("1\n");
    cachex.awaits_runs(2);
    cachex.awaits_quiet();
    // It is as fresh as that run.
    call.clone().after("30s").once().hits();
    cachex.write("work/f", "2\n");
    call.once().misses().prints("2\n");
}

#[test]
fn results_are_exported_and_imported_and_served_only_where_they_are_true() {
    let cachex = cachex();
    cachex.write("work/f", "1\n");
    let call = auto(&cachex, "cat f");
    call.once().misses();
    let archive = cachex.path("archive");
    cachex.cli(["export".into(), "--to".into(), archive.clone().into_os_string()]).once().exits(0);
    cachex.cli(["clear", "--yes"]).once().exits(0);
    cachex.cli(["import".into(), archive.into_os_string()]).once().exits(0);
    cachex.write("work/f", "2\n");
    call.once().misses().prints("2\n");
    cachex.write("work/f", "1\n");
    call.once().prints("1\n");
}

#[test]
fn a_terminal_of_its_own_changes_nothing() {
    let cachex = cachex();
    cachex.write("work/f", "1\n");
    let call = auto(&cachex, "cat f").with("--tty");
    call.twice().runs_once().prints("1\n");
}
