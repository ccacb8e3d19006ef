//! How long a result is of use, wherever it is.

use super::Machines;
use crate::harness::{Call, Folder, Memcached, Proxy, Redis, Remote, S3, WebDav};
use std::time::{SystemTime, UNIX_EPOCH};

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

#[test]
fn redis_drops_what_expired() {
    let redis = Redis::start();
    let machines = Machines::sharing(&redis);
    let brief = machines.cachex.run("seq 30000").expires_in("10m");
    machines.on("a", &brief).once().misses();
    machines.shares("a");
    let keys = redis.keys();
    assert!(keys.len() >= 2, "an entry and a blob at least: {keys:?}");
    for key in &keys {
        let left: i64 = redis.cli(["TTL", key]).parse().unwrap();
        // A blob may be of use to entries that are there a little longer.
        let most = if key.contains("/e/") { 600 } else { 1200 };
        assert!((500..=most).contains(&left), "{key} goes after {left} s");
    }
    machines.on("a", &machines.cachex.run("seq 40000")).once().misses();
    machines.shares("a");
    for key in redis.keys().iter().filter(|key| !keys.contains(key)) {
        assert_eq!(redis.cli(["TTL", key]), "-1", "{key} goes though it does not expire");
    }
}

#[test]
fn memcached_drops_what_expired() {
    let memcached = Memcached::start();
    let machines = Machines::sharing(&memcached);
    let brief = machines.cachex.run("seq 30000").expires_in("10m");
    let eternal = machines.cachex.run("seq 40000");
    machines.on("a", &brief).once().misses();
    machines.shares("a");
    let keys = memcached.keys();
    assert!(keys.len() >= 2, "an entry and a blob at least: {keys:?}");
    for (key, gone) in &keys {
        let left = gone.unwrap_or_else(|| panic!("{key} stays")).saturating_sub(now());
        let most = if key.contains("/e/") { 600 } else { 1200 };
        assert!((500..=most).contains(&left), "{key} goes after {left} s");
    }
    machines.on("a", &eternal).once().misses();
    machines.shares("a");
    let more = memcached.keys();
    assert!(more.iter().filter(|key| !keys.contains(key)).all(|key| key.1.is_none()), "{more:?}");
}

#[test]
fn memcached_counts_more_than_a_month_from_1970() {
    let memcached = Memcached::start();
    let machines = Machines::sharing(&memcached);
    let call = machines.cachex.run("seq 30000").expires_in("90days");
    machines.on("a", &call).once().misses();
    machines.shares("a");
    machines.on("b", &call).once().hits().quietly();
}

/// As old as an entry is, wherever it is read.
#[track_caller]
fn it_expires_for_all(remote: &dyn Remote) {
    let machines = Machines::sharing(remote);
    let call = machines.cachex.run("echo hi").expires_in("10m");
    machines.on("a", &call).once().misses();
    machines.shares("a");
    machines.on("b", &call.clone().after("9m")).once().hits().prints("hi\n");
    machines.on("c", &call.clone().after("11m")).once().misses().prints("hi\n");
    // Who wants it younger than it is runs the command.
    let picky = machines.cachex.run("echo hi").expires_in("1m");
    machines.on("d", &picky.after("2m")).once().misses().prints("hi\n");
}

#[test]
fn it_expires_for_all_who_share_it() {
    it_expires_for_all(&Folder::new());
    it_expires_for_all(&Redis::start());
    it_expires_for_all(&Memcached::start());
}

#[test]
fn the_later_result_takes_the_place_of_the_earlier() {
    let folder = Folder::new();
    let machines = Machines::sharing(&folder);
    let call = machines.cachex.run("date +%s%N; cat ../mood").expires_in("10m");
    machines.cachex.write("mood", "good\n");
    machines.on("a", &call).once().misses();
    machines.shares("a");
    machines.cachex.write("mood", "bad\n");
    let later = machines.on("b", &call.clone().after("11m")).once().misses();
    machines.verb("b", "flush").after("11m").once().exits(0);
    let third = machines.on("c", &call.after("12m")).once().hits();
    assert_eq!(third.stdout(), later.stdout());
}

#[test]
fn what_waited_to_be_sent_replaces_nothing_later() {
    let mut webdav = WebDav::start();
    let proxy = Proxy::before(&webdav);
    let machines = Machines::sharing(&proxy);
    let call = machines.cachex.run("cat ../mood").expires_in("10m");
    machines.cachex.write("mood", "good\n");
    webdav.kill();
    machines.on("a", &call).env("CACHEX_REMOTE_TIMEOUT", "300ms").once().misses();
    machines.verb("a", "flush").once().exits(1);
    webdav.restart();
    machines.cachex.write("mood", "better\n");
    machines.on("b", &call.clone().after("1m")).once().misses();
    machines.verb("b", "flush").after("1m").once().exits(0);
    machines.verb("a", "flush").after("2m").once().exits(0);
    machines.on("c", &call.after("2m")).once().hits().prints("better\n");
}

#[test]
fn what_a_clock_recorded_that_is_a_little_ahead_is_served() {
    let folder = Folder::new();
    let machines = Machines::sharing(&folder);
    let call = machines.cachex.run("echo hi").expires_in("10m");
    machines.on("a", &call.clone().after("90s")).once().misses();
    machines.verb("a", "flush").after("90s").once().exits(0);
    machines.on("b", &call).once().hits();
    machines.on("b", &call.clone().after("8m")).once().hits();
    machines.on("b", &call.clone().after("12m")).once().misses();
}

#[test]
fn what_a_clock_recorded_that_is_far_off_is_not_served_before_its_time() {
    let folder = Folder::new();
    let machines = Machines::sharing(&folder);
    let call = machines.cachex.run("echo hi").expires_in("2d");
    let on = |machine: &str, of: fn(Call) -> Call| {
        (of(machines.on(machine, &call)), of(machines.verb(machine, "flush")))
    };
    let (run, flush) = on("a", |call| call.after("1d"));
    run.once().misses();
    flush.once().exits(0);
    machines.on("b", &call).once().misses();
    machines.on("c", &call.clone().after("25h")).once().hits();
    // One that is behind makes it look older than it is.
    let other = machines.cachex.run("echo other").expires_in("12h");
    machines.on("d", &other.clone().before("1d")).once().misses();
    machines.verb("d", "flush").before("1d").once().exits(0);
    machines.on("e", &other).once().misses();
}

#[test]
fn a_check_compares_clocks_where_the_store_tells_the_time() {
    let redis = Redis::start();
    let machines = Machines::sharing(&redis);
    let check = machines.verb("a", "check");
    check.once().exits(0).shows(&["clock    ok"]);
    let near = check.clone().after("30s").once().exits(0);
    near.shows(&["clock    ok, this one is", "ahead of the server's"]);
    let far = check.before("1h").once().exits(1);
    far.shows(&["clock    failed", "behind the server's", "set the clock"]);
}

#[test]
fn web_servers_tell_the_time_to_the_second() {
    let (s3, webdav) = (S3::start(), WebDav::with_password());
    for remote in [&s3 as &dyn Remote, &webdav] {
        let machines = Machines::sharing(remote);
        let check = machines.verb("a", "check");
        check.once().exits(0).shows(&["clock    ok"]);
        let near = check.clone().after("30s").once().exits(0);
        near.shows(&["clock    ok, this one is", "ahead of the server's"]);
        let far = check.before("1h").once().exits(1);
        far.shows(&["clock    failed", "behind the server's", "set the clock"]);
    }
}
