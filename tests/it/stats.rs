//! `cachex stats`: what was counted, and how it is shown.

mod damage;
mod log;
mod page;
mod shown;

use crate::harness::{Cachex, Call, cachex};
use log::noon;
use serde_json::Value;

/// What `stats --json` says, with these options too.
#[track_caller]
fn figures(call: &Call) -> Value {
    serde_json::from_str(&call.clone().with("--json").once().exits(0).quietly().stdout()).unwrap()
}

/// Those of everything so far.
#[track_caller]
fn all(cachex: &Cachex) -> Value {
    figures(&cachex.cli(["stats"]))
}

/// Those of one command.
#[track_caller]
fn of<'f>(figures: &'f Value, command: &str) -> &'f Value {
    let commands = figures["commands"].as_array().unwrap();
    let found = commands.iter().find(|row| row["command"] == command);
    found.unwrap_or_else(|| panic!("{command} is not among {commands:?}"))
}

#[test]
fn hits_and_misses_are_counted_up_to_the_last() {
    let cachex = cachex();
    cachex.tool("slow", "sleep 0.05; echo slow");
    let call = cachex.exec(["slow"]);
    call.times(4).runs_once();
    let total = &all(&cachex)["total"];
    assert_eq!(
        (&total["calls"], &total["hits"], &total["misses"]),
        (&4.into(), &3.into(), &1.into())
    );
    assert_eq!((&total["recorded"], &total["unrecorded"]), (&1.into(), &0.into()));
    assert_eq!(total["hit_rate"], 0.75);
    assert_eq!(total["output_bytes"], 5);
    let (saved, ran) = (total["saved"].as_f64().unwrap(), total["run_time"].as_f64().unwrap());
    assert!(ran >= 0.05 && (saved - 3.0 * ran).abs() < 1e-6, "{total}");
    assert!(total["hit_time"].as_f64().unwrap() > 0.0, "{total}");
    call.once().hits();
    assert_eq!(all(&cachex)["total"]["hits"], 4);
}

#[test]
fn why_calls_missed_is_counted() {
    let cachex = cachex();
    let call = cachex.run("echo hi").expires_in("10m");
    call.once().misses();
    call.clone().after("20m").once().misses();
    call.clone().after("20m").with("--force").twice().misses();
    let total = &all(&cachex)["total"];
    let expected =
        [("not_recorded", 1), ("expired", 1), ("forced", 2), ("unreadable", 0), ("damaged", 0)];
    for (reason, count) in expected {
        assert_eq!(total["misses_by_reason"][reason], count, "{reason}: {total}");
    }
    assert_eq!((&total["misses"], &total["hits"]), (&4.into(), &0.into()));
}

#[test]
fn what_is_neither_hit_nor_miss_is_counted_beside_them() {
    let cachex = cachex();
    let refreshed = cachex.run("echo hi").option("--refresh-after", "1m");
    refreshed.once().misses();
    refreshed.clone().after("2m").once().prints("hi\n");
    cachex.awaits_quiet();
    cachex.write("mood", "0");
    let moody = cachex.run("exit $(cat ../mood)").expires_in("1m").option("--stale-if-error", "1h");
    moody.once().misses();
    cachex.write("mood", "1");
    moody.clone().after("2m").once().exits(0);
    cachex.run("exit 3").exit_codes("0").once().exits(3);
    let total = &all(&cachex)["total"];
    assert_eq!((&total["refreshes"], &total["stale"]), (&1.into(), &1.into()), "{total}");
    // The run that was stood in for, and the one whose status is not recorded.
    assert_eq!(total["unrecorded"], 2, "{total}");
    assert_eq!((&total["hits"], &total["misses"]), (&1.into(), &4.into()), "{total}");
}

#[test]
fn commands_are_counted_apart_and_what_saved_most_comes_first() {
    let cachex = cachex();
    cachex.tool("quick", "echo quick");
    cachex.tool("slow", "sleep 0.2");
    cachex.exec(["quick"]).times(3).runs_once();
    cachex.exec(["slow"]).times(2).runs_once();
    // By whatever name it is called.
    let path = cachex.path("bin/slow").into_os_string();
    cachex.exec([path]).once().misses();
    let figures = all(&cachex);
    assert_eq!(
        (&of(&figures, "quick")["hits"], &of(&figures, "quick")["misses"]),
        (&2.into(), &1.into())
    );
    assert_eq!(
        (&of(&figures, "slow")["hits"], &of(&figures, "slow")["misses"]),
        (&1.into(), &2.into())
    );
    assert_eq!(figures["commands"][0]["command"], "slow");
    assert_eq!(figures["entries"], 3);
    assert!(figures["bytes"].as_u64().unwrap() > 0);
}

#[test]
fn days_are_counted_apart() {
    let cachex = cachex();
    let call = cachex.run("echo hi");
    call.clone().after(&noon(0)).once().misses();
    call.clone().after(&noon(1)).twice().hits();
    call.clone().after(&noon(4)).times(3).hits();
    let stats = cachex.cli(["stats"]).after(&noon(5));
    let counted = |options: &str| {
        let days = figures(&stats.clone().with(options))["days"].clone();
        let days = days.as_array().unwrap().clone();
        days.into_iter().map(|day| day["calls"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(counted(""), [1, 2, 3]);
    assert_eq!(counted("--since 2d"), [3]);
    // A day is counted whole.
    assert_eq!(counted("--since 100h"), [2, 3]);
    let first = figures(&stats)["days"][0]["day"].as_str().unwrap().to_owned();
    let second =
        figures(&stats.clone().with("--since 2d"))["days"][0]["day"].as_str().unwrap().to_owned();
    assert!(first < second && first.len() == 10, "{first} {second}");
    assert_eq!(counted(&format!("--since {second}")), [3]);
    assert_eq!(counted(&format!("--since {first}")), [1, 2, 3]);
    assert_eq!(figures(&stats.clone().option("--since", &second))["since"], second);
    assert_eq!(figures(&stats)["since"], Value::Null);
    assert_eq!(figures(&stats.clone().with("--since 2d"))["total"]["calls"], 3);
}

#[test]
fn mistakes_are_explained() {
    let cachex = cachex();
    let stats = cachex.cli(["stats"]);
    for since in ["yesterday", "2026-02-30", "0s", "-1d"] {
        let call = stats.clone().with(&format!("--since={since}"));
        call.once().exits(2).mentions(&["--since", "such as `7d`"]).prints("");
    }
    for options in [
        "--yes",
        "--json --format text",
        "--html x --json",
        "--reset --json",
        "--reset --since 1d",
        "--format csv",
    ] {
        stats.clone().with(options).once().exits(2).prints("");
    }
    stats
        .clone()
        .option("--html", cachex.path("no/such/folder"))
        .once()
        .exits(1)
        .mentions(&["writing"]);
    stats.without("CACHEX_DIR").without("HOME").once().exits(1).mentions(&["CACHEX_DIR"]);
}

#[test]
fn an_empty_store_is_no_failure_and_stays_uncreated() {
    let cachex = cachex();
    let stats = cachex.cli(["stats"]);
    let nothing = |options: &str, words: &str| {
        let shown = stats.clone().with(options).once().exits(0).quietly().stdout();
        assert!(shown.contains(words), "{options}: {shown}");
    };
    let check = || {
        nothing("", "nothing recorded yet");
        nothing("--since 7d", "nothing recorded since 20");
        nothing("--format markdown", "Nothing recorded yet.");
        nothing("--html -", "Nothing recorded yet.");
        let figures = all(&cachex);
        assert_eq!(
            (&figures["total"]["calls"], &figures["total"]["hit_rate"]),
            (&0.into(), &Value::Null)
        );
        stats.clone().with("--reset --yes").once().exits(0);
    };
    check();
    assert!(!cachex.store().exists(), "{:?}", cachex.stored());
    cachex.run("echo hi").once().misses();
    cachex.cli(["clear", "--yes"]).once().exits(0);
    cachex.cli(["stats", "--reset", "--yes"]).once().exits(0);
    check();
}

#[test]
fn what_is_set_back_counts_from_nothing_and_forgets_nothing() {
    let cachex = cachex();
    let call = cachex.run("echo hi");
    call.times(3).runs_once();
    cachex.cli(["stats", "--reset"]).once().exits(2).mentions(&["--yes"]);
    assert_eq!(all(&cachex)["total"]["calls"], 3);
    // What no fold has counted yet does not come back either.
    call.once().hits();
    cachex.cli(["stats", "--reset", "--yes"]).once().exits(0).quietly();
    let figures = all(&cachex);
    assert_eq!((&figures["total"]["calls"], &figures["entries"]), (&0.into(), &1.into()));
    call.twice().hits();
    assert_eq!(all(&cachex)["total"]["hits"], 2);
}

#[test]
fn setting_back_asks_first_at_a_terminal() {
    let cachex = cachex();
    let call = cachex.run("echo hi");
    call.twice().runs_once();
    let mut terminal = cachex.terminal();
    terminal
        .types("cachex stats --reset; echo status=$?")
        .shows("[y/N]")
        .types("n")
        .shows("status=1");
    assert_eq!(all(&cachex)["total"]["calls"], 2);
    terminal
        .types("cachex stats --reset; echo status=$?")
        .shows("[y/N]")
        .types("y")
        .shows("status=0");
    assert_eq!(all(&cachex)["total"]["calls"], 0);
}

#[test]
fn the_fields_of_json_are_those_that_the_readme_lists() {
    const SUMS: [&str; 17] = [
        "calls",
        "hits",
        "hit_rate",
        "misses",
        "misses_by_reason",
        "stale",
        "refreshes",
        "recorded",
        "unrecorded",
        "output_bytes",
        "files_restored",
        "saved",
        "hit_time",
        "run_time",
        "mean_hit",
        "mean_run",
        "remote",
    ];
    const REMOTE: [&str; 8] = [
        "hits",
        "misses",
        "failures",
        "refused",
        "bytes_received",
        "sent",
        "not_sent",
        "bytes_sent",
    ];
    const REASONS: [&str; 5] = ["not_recorded", "expired", "forced", "unreadable", "damaged"];
    let cachex = cachex();
    cachex.run("echo hi").twice().runs_once();
    let figures = all(&cachex);
    let names = |object: &Value| {
        let mut names: Vec<String> = object.as_object().unwrap().keys().cloned().collect();
        names.sort();
        names
    };
    let sorted = |names: &[&[&str]]| {
        let mut names: Vec<String> = names.concat().into_iter().map(str::to_owned).collect();
        names.sort();
        names
    };
    let top = ["store", "since", "entries", "bytes", "total", "commands", "days"];
    assert_eq!(names(&figures), sorted(&[&top]));
    assert_eq!(names(&figures["total"]), sorted(&[&SUMS]));
    assert_eq!(names(&figures["total"]["misses_by_reason"]), sorted(&[&REASONS]));
    assert_eq!(names(&figures["total"]["remote"]), sorted(&[&REMOTE]));
    assert_eq!(names(&figures["commands"][0]), sorted(&[&["command", "costs_time"], &SUMS]));
    assert_eq!(names(&figures["days"][0]), sorted(&[&["day"], &SUMS]));
    let numbers = SUMS.iter().filter(|name| !["misses_by_reason", "remote"].contains(name));
    for name in numbers {
        assert!(figures["total"][name].is_number(), "{name}");
    }
    let page =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/json.md")).unwrap();
    let section = page.split("## cachex stats").nth(1).expect("a section of the page");
    let section = section.split("\n## ").next().unwrap();
    for name in [&top[..], &SUMS, &REASONS, &REMOTE, &["command", "costs_time", "day"]].concat() {
        assert!(section.contains(&format!("`{name}`")), "docs/json.md does not tell of {name}");
    }
}
