//! How long an entry is fresh, told by a clock that the tests move.

use crate::harness::cachex;

#[test]
fn fresh_within_the_limit_and_stale_from_it_on() {
    let call = cachex().run("date +%N").expires_in("10m");
    call.twice().runs_once();
    call.clone().after("9m 50s").once().hits();
    call.clone().after("10m").twice().runs_once();
}

#[test]
fn two_seconds_are_two_seconds() {
    let call = cachex().run("date").expires_in("2s");
    call.twice().runs_once();
    call.after("2s").once().misses();
}

#[test]
fn without_a_limit_it_is_fresh_for_ever() {
    let call = cachex().run("echo hi");
    call.once().misses();
    call.after("30years").once().hits();
}

#[test]
fn the_writers_limit_holds() {
    let call = cachex().run("echo hi");
    call.clone().expires_in("10m").once().misses();
    call.clone().after("9m").once().hits();
    call.after("10m").once().misses();
}

#[test]
fn the_readers_limit_holds() {
    let call = cachex().run("echo hi");
    call.once().misses();
    call.clone().expires_in("10m").after("9m").once().hits();
    call.clone().after("10m").once().hits();
    call.expires_in("10m").after("10m").once().misses();
}

#[test]
fn the_shorter_of_both_holds() {
    let call = cachex().run("echo hi");
    call.clone().expires_in("1h").once().misses();
    call.clone().expires_in("2h").after("1h").once().misses();
    call.clone().expires_in("1m").after("1h 2m").once().misses();
}

#[test]
fn durations_are_written_as_people_write_them() {
    let call = cachex().run("echo hi").expires_in("1h 30m");
    call.once().misses();
    call.clone().after("89m").once().hits();
    call.after("90m").once().misses();
    for limit in ["500ms", "2min", "1day 2h", "3weeks"] {
        cachex().run("echo hi").expires_in(limit).once().exits(0).quietly();
    }
}

#[test]
fn a_failure_is_replayed_for_a_minute() {
    let call = cachex().run("echo no >&2; exit 1");
    call.twice().runs_once().says("no\n").exits(1);
    call.clone().after("50s").once().hits().exits(1);
    call.clone().after("1m").once().misses();
}

#[test]
fn a_failure_lasts_no_longer_than_a_success_would() {
    let call = cachex().run("exit 1").expires_in("10s");
    call.twice().runs_once();
    call.after("10s").once().misses();
}

#[test]
fn a_limit_for_failures_is_theirs_alone() {
    let cachex = cachex();
    let fails = cachex.run("exit 1").expires_in("10m").failure_expires_in("1h");
    fails.once().misses();
    fails.clone().after("59m").once().hits();
    fails.after("1h").once().misses();

    let works = cachex.run("exit 0").failure_expires_in("1s");
    works.once().misses();
    works.after("1day").once().hits();
}

#[test]
fn only_exits_on_the_list_are_recorded() {
    let exits = |code: u8, list: &str| cachex().run(&format!("exit {code}")).exit_codes(list);
    exits(0, "0").twice().runs_once();
    exits(1, "0").twice().runs_twice().exits(1);
    exits(2, "0,2").twice().runs_once().exits(2);
    exits(1, "0,2").twice().runs_twice();
    exits(3, "0-3").twice().runs_once();
    exits(4, "0-3").twice().runs_twice();
    exits(255, "all").twice().runs_once().exits(255);
    exits(255, "1-3,255").twice().runs_once();
    exits(0, "1-3,255").twice().runs_twice().exits(0);
}

#[test]
fn a_clock_that_went_back_makes_an_entry_stale() {
    let call = cachex().run("echo hi");
    call.once().misses();
    let yesterday = call.clone().before("1day");
    yesterday.once().misses();
    yesterday.once().hits();
    call.once().hits();
}

#[test]
fn age_counts_from_the_end_of_the_run() {
    let call = cachex().run("sleep 2; echo done").expires_in("10s");
    call.once().misses();
    // Eight seconds after the end, and ten after the start.
    call.after("8s").once().hits().prints("done\n");
}

#[test]
fn a_run_longer_than_its_limit_is_recorded_all_the_same() {
    let call = cachex().run("sleep 2").expires_in("1s");
    call.once().misses();
    call.once().hits();
}

#[test]
fn being_served_does_not_make_an_entry_younger() {
    let call = cachex().run("echo hi").expires_in("10m");
    call.once().misses();
    call.clone().after("6m").once().hits();
    call.after("12m").once().misses();
}
