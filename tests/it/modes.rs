//! `--mode` and its short forms, `--cached-only`, `--jitter`, and what they
//! cannot be combined with.

use crate::harness::{cachex, quoted};

#[test]
fn write_only_runs_and_replaces() {
    for options in ["--mode write-only", "--force", "--no-read"] {
        let cachex = cachex();
        let call = cachex.run(&format!("wc -c <{}", quoted(cachex.path("runs"))));
        call.once().misses().prints("1\n");
        call.clone().with(options).once().misses().prints("2\n");
        call.once().hits().prints("2\n");
    }
}

#[test]
fn read_only_serves_and_records_nothing() {
    for options in ["--mode read-only", "--read-only"] {
        let cachex = cachex();
        let call = cachex.run("echo hi");
        call.clone().with(options).twice().misses().prints("hi\n");
        assert!(cachex.stored_in("v2/young").is_empty());
        call.once().misses();
        call.clone().with(options).once().hits().prints("hi\n");
    }
}

#[test]
fn off_is_as_if_cachex_were_not_there() {
    let cachex = cachex();
    let call = cachex.run("echo $$; exit 7").with("--mode off");
    let running = call.spawn();
    let pid = format!("{}\n", running.pid().as_raw_nonzero());
    running.ends().prints(&pid).exits(7).quietly();
    assert!(!cachex.store().exists());
}

#[test]
fn a_mode_by_variable_gives_way_to_one_by_option() {
    let cachex = cachex();
    let call = cachex.run("echo hi");
    call.once().misses();
    call.clone().env("CACHEX_MODE", "write-only").once().misses();
    call.clone().env("CACHEX_NO_READ", "1").once().misses();
    call.clone().env("CACHEX_MODE", "write-only").with("--read-only").once().hits();
    call.clone().env("CACHEX_READ_ONLY", "1").once().hits();
    call.clone().env("CACHEX_FORCE", "1").with("--mode read-write").once().hits();
}

#[test]
fn cached_only_never_runs() {
    let cachex = cachex();
    let call = cachex.run("echo hi").expires_in("10m");
    let only = call.clone().with("--cached-only");
    only.once().hits().prints("").quietly().exits(125);
    only.clone().option("--miss-status", "7").once().hits().prints("").exits(7);
    only.clone().env("CACHEX_MISS_STATUS", "0").once().hits().exits(0);
    only.clone().with("--verbose").once().mentions(&["absent ", "not recorded yet"]);
    call.once().misses();
    only.once().hits().prints("hi\n").exits(0);
    only.clone().after("10m").once().hits().prints("").exits(125);
    // A refresh would run it.
    let ageing = only.option("--refresh-after", "1m").after("5m");
    ageing.once().hits().prints("hi\n");
    cachex.awaits_quiet();
    assert_eq!(cachex.runs(), 1);
}

#[test]
fn a_cachex_that_is_not_there_runs_the_command_whatever_was_said() {
    let cachex = cachex();
    let call = cachex.run("echo hi");
    call.once().misses();
    for options in ["--cached-only", "--warm", "--force", "--read-only", "--mode write-only"] {
        let disabled = call.clone().with(options).env("CACHEX_DISABLE", "1");
        disabled.once().misses().prints("hi\n").quietly().exits(0);
    }
    for mode in ["CACHEX_CACHED_ONLY", "CACHEX_WARM", "CACHEX_FORCE"] {
        let disabled = call.clone().env(mode, "1").env("CACHEX_DISABLE", "1");
        disabled.once().misses().prints("hi\n").quietly().exits(0);
    }
    // Nor does a mistake stand in its way that is about what is not there.
    let mistaken = call.env("CACHEX_MODE", "no-such").env("CACHEX_EXPIRES_IN", "soon");
    mistaken.clone().once().hits().exits(125);
    mistaken.env("CACHEX_DISABLE", "1").once().misses().prints("hi\n").quietly();
}

#[test]
fn where_no_key_can_be_known_cached_only_runs_nothing_and_warming_does_not_wait() {
    let cachex = cachex();
    // A closed output, a standard input that is no file, no working directory.
    let conditions = [
        r#"exec "$@" >&-"#,
        r#"exec "$@" <."#,
        r#"mkdir ../gone && cd ../gone && rmdir ../gone && exec "$@""#,
    ];
    for condition in conditions {
        let call = cachex.run("echo hi").launched_by(condition);
        let only = call.clone().with("--cached-only --miss-status 7");
        only.once().hits().prints("").exits(7);
    }
    for condition in &conditions[1..] {
        let call = cachex.run("echo hi").launched_by(condition);
        call.with("--warm").once().prints("").exits(0);
    }
    cachex.awaits_quiet();
    assert_eq!(cachex.runs(), 0);
    // A closed output is not what is recorded in the background.
    let call = cachex.run("echo hi").option("--stdin", "null");
    call.clone().with("--warm").launched_by(conditions[0]).once().exits(0);
    cachex.awaits_runs(1);
    cachex.awaits_quiet();
    call.once().hits().prints("hi\n");
}

#[test]
fn what_contradicts_itself_is_a_mistake_that_names_both() {
    let cachex = cachex();
    for (options, named) in [
        ("--warm --cached-only", ["--warm", "--cached-only"]),
        ("--warm --read-only", ["--warm", "--read-only"]),
        ("--warm --mode read-only", ["--warm", "--mode"]),
        ("--cached-only --force", ["--cached-only", "--force"]),
        ("--cached-only --no-read", ["--cached-only", "--no-read"]),
        ("--cached-only --mode write-only", ["--cached-only", "--mode"]),
        ("--force --read-only", ["--force", "--read-only"]),
        ("--mode read-only --force", ["--mode", "--force"]),
        ("--refresh-after 2s --expires-in 2s", ["--refresh-after", "--expires-in"]),
        ("--refresh-after 1h --expires-in 2s", ["--refresh-after", "--expires-in"]),
        ("--status-fd 1 --status-file x", ["--status-fd", "--status-file"]),
        ("--warm --tty", ["--warm", "--tty"]),
    ] {
        cachex.run("echo hi").with(options).once().hits().prints("").exits(125).mentions(&named);
    }
    for (variables, named) in [
        (["CACHEX_WARM=1", "CACHEX_CACHED_ONLY=1"], ["CACHEX_WARM", "CACHEX_CACHED_ONLY"]),
        (["CACHEX_FORCE=1", "CACHEX_READ_ONLY=1"], ["CACHEX_FORCE", "CACHEX_READ_ONLY"]),
        (["CACHEX_MODE=read-only", "CACHEX_WARM=1"], ["CACHEX_MODE", "CACHEX_WARM"]),
        (
            ["CACHEX_REFRESH_AFTER=1h", "CACHEX_EXPIRES_IN=1m"],
            ["CACHEX_REFRESH_AFTER", "CACHEX_EXPIRES_IN"],
        ),
    ] {
        let call = variables.iter().fold(cachex.run("echo hi"), |call, variable| {
            let (name, value) = variable.split_once('=').unwrap();
            call.env(name, value)
        });
        call.once().hits().exits(125).mentions(&named);
    }
    // A lasting wish to refresh does not bind who asks for less this once.
    cachex.run("echo hi").env("CACHEX_REFRESH_AFTER", "1h").expires_in("1m").once().misses();
}

#[test]
fn jitter_spreads_expiry_by_key_and_never_beyond_the_limit() {
    let cachex = cachex();
    let calls: Vec<_> = (0..24)
        .map(|n| cachex.run(&format!(": {n}")).expires_in("100m").option("--jitter", "50"))
        .collect();
    let fresh_at = |time: &str| {
        let only = |call: &crate::harness::Call| {
            call.clone().with("--cached-only").after(time).once().hits().succeeded()
        };
        calls.iter().map(only).collect::<Vec<bool>>()
    };
    for call in &calls {
        call.once().misses();
    }
    let count = |fresh: Vec<bool>| fresh.into_iter().filter(|&fresh| fresh).count();
    assert_eq!(count(fresh_at("49m 50s")), 24);
    let half_way = fresh_at("75m");
    assert_eq!(half_way, fresh_at("75m"), "the same each time");
    assert!((3..=21).contains(&count(half_way)), "some, and not all");
    assert_eq!(count(fresh_at("100m")), 0);
}

#[test]
fn cached_only_never_runs_where_the_cache_is_off_either() {
    let cachex = cachex();
    let call = cachex.run("echo hi");
    call.clone().with("--mode off --cached-only").once().runs(0).prints("").quietly().exits(125);
    let only = call.clone().with("--cached-only --miss-status 7").env("CACHEX_MODE", "off");
    only.once().runs(0).prints("").exits(7);
    call.clone().with("--mode off --warm").once().runs(0).prints("").quietly().exits(0);
    // As if cachex were not there at all.
    for option in ["--cached-only", "--warm"] {
        call.clone().with(option).env("CACHEX_DISABLE", "1").once().runs(1).prints("hi\n").exits(0);
    }
}
