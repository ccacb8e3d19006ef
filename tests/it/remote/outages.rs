//! A remote store that is dead, slow, full, or closed to who asks.

use super::Machines;
use crate::harness::{Call, Memcached, Proxy, Redis, Remote, S3, Served, WebDav, eventually};
use std::time::Duration;

/// A call that gives up soon.
fn impatient(machines: &Machines<'_>, machine: &str, call: &Call) -> Call {
    machines.on(machine, call).env("CACHEX_REMOTE_TIMEOUT", "300ms")
}

#[test]
fn a_local_hit_never_touches_the_network() {
    let redis = Redis::start();
    let proxy = Proxy::before(&redis);
    let machines = Machines::sharing(&proxy);
    let call = machines.cachex.run("echo hi");
    machines.on("a", &call).once().misses();
    machines.shares("a");
    machines.on("b", &call).once().hits();
    let connections = proxy.connections();
    assert!(connections > 0);
    machines.on("a", &call).twice().hits().prints("hi\n").quietly();
    machines.on("b", &call).twice().hits().prints("hi\n").quietly();
    assert_eq!(proxy.connections(), connections);
}

/// A store that does not work costs one warning, and is left alone from then on.
#[track_caller]
fn is_left_alone(served: &mut dyn Mortal, fails: impl FnOnce(&mut dyn Mortal, &Proxy)) {
    let proxy = Proxy::before(served);
    let machines = Machines::sharing(&proxy);
    fails(served, &proxy);
    let reading = |script: &str| {
        let call = machines.cachex.run(script).with("--remote-mode read-only");
        impatient(&machines, "a", &call)
    };
    let call = reading("echo hi");
    let outcome = call.once().misses().prints("hi\n").exits(0);
    outcome.warns_once(&["cachex: warning: the remote store"]);
    assert!(machines.asks_nothing("a"));
    let connections = proxy.connections();
    assert!(connections > 0, "it was asked");
    call.once().hits().prints("hi\n").quietly();
    reading("echo other").once().misses().prints("other\n").quietly();
    assert_eq!(proxy.connections(), connections, "it is asked again");
}

#[test]
fn one_that_hangs() {
    for mut served in servers() {
        is_left_alone(&mut *served, |_, proxy| {
            proxy.swallows(true);
        });
    }
}

#[test]
fn one_that_is_too_slow() {
    for mut served in servers() {
        is_left_alone(&mut *served, |_, proxy| {
            proxy.delays_answers(Duration::from_mins(2));
        });
    }
}

#[test]
fn one_that_is_dead() {
    for mut served in servers() {
        is_left_alone(&mut *served, |served, _| served.dies());
    }
}

#[test]
fn one_that_ends_every_connection() {
    for mut served in servers() {
        is_left_alone(&mut *served, |_, proxy| {
            proxy.refuses(true);
        });
    }
}

#[test]
fn one_that_takes_nothing_is_sent_nothing_more() {
    let mut webdav = WebDav::start();
    let proxy = Proxy::before(&webdav);
    let machines = Machines::sharing(&proxy);
    webdav.kill();
    impatient(&machines, "a", &machines.cachex.run("echo hi")).once().misses();
    eventually("the breaker", || machines.sends_nothing("a").then_some(()));
    machines.cachex.awaits_quiet();
    let connections = proxy.connections();
    let call = impatient(&machines, "a", &machines.cachex.run("echo other"));
    call.once().misses().prints("other\n").quietly();
    machines.cachex.awaits_quiet();
    assert_eq!(proxy.connections(), connections, "it is tried again");
}

#[test]
fn one_that_is_slow_within_the_limit_is_used() {
    for served in servers() {
        let proxy = Proxy::before(&*served);
        let machines = Machines::sharing(&proxy);
        proxy.delays_answers(Duration::from_millis(20));
        let call = machines.cachex.run("seq 30000");
        let first = machines.on("a", &call).once().misses().quietly();
        machines.shares("a");
        machines.on("b", &call).once().hits().same_as(&first);
    }
}

#[test]
fn one_that_comes_back_is_used_after_a_minute() {
    let mut redis = Redis::start();
    let proxy = Proxy::before(&redis);
    let machines = Machines::sharing(&proxy);
    let call = machines.cachex.run("echo hi");
    machines.on("a", &call).once().misses();
    machines.shares("a");
    redis.kill();
    let other = machines.cachex.run("echo other");
    impatient(&machines, "b", &other).once().misses().prints("other\n").warns_once(&["remote"]);
    redis.restart();
    impatient(&machines, "b", &call).once().misses().prints("hi\n").quietly();
    machines.on("c", &call).once().hits().prints("hi\n").quietly();
    let third = machines.cachex.run("echo third");
    machines.on("a", &third).once().misses();
    machines.shares("a");
    machines.on("b", &third).after("61s").once().hits().prints("third\n").quietly();
    assert!(!machines.asks_nothing("b"));
}

/// A call that prints three megabytes that nothing makes shorter, the same each time.
fn prints_noise(machines: &Machines<'_>) -> Call {
    let mut noise = vec![0; 3_000_000];
    blake3::Hasher::new().finalize_xof().fill(&mut noise);
    machines.cachex.write("noise", noise);
    machines.cachex.run("cat ../noise").output_counted()
}

#[test]
fn one_that_dies_in_the_middle_of_an_answer() {
    for served in servers() {
        let proxy = Proxy::before(&*served);
        let machines = Machines::sharing(&proxy);
        let call = prints_noise(&machines);
        let first = machines.on("a", &call).once().misses();
        machines.shares("a");
        proxy.cuts_after(Some(200_000));
        let outcome = machines.on("b", &call).once().misses().exits(0);
        outcome.prints_bytes(3_000_000).warns_at_most_once();
        machines.on("b", &call).once().hits().same_as(&first);
        let halves = super::files_below(&machines.cachex.path("b/v2/tmp"));
        assert!(halves.is_empty(), "{halves:?}");
        proxy.cuts_after(None);
        machines.on("c", &call).once().hits().same_as(&first);
    }
}

#[test]
fn what_was_not_sent_is_sent_later() {
    let mut webdav = WebDav::start();
    let proxy = Proxy::before(&webdav);
    let machines = Machines::sharing(&proxy);
    let call = machines.cachex.run("echo hi");
    webdav.kill();
    impatient(&machines, "a", &call).once().misses().prints("hi\n");
    machines.verb("a", "flush").once().exits(1);
    webdav.restart();
    machines.shares("a");
    machines.on("b", &call).once().hits().prints("hi\n").quietly();
}

#[test]
fn a_flush_waits_for_what_is_under_way() {
    let redis = Redis::start();
    let proxy = Proxy::before(&redis);
    let machines = Machines::sharing(&proxy);
    let call = machines.cachex.run("head -c 3000000 /dev/urandom").output_counted();
    proxy.delays_requests(Duration::from_millis(10));
    let first = machines.on("a", &call).once().misses();
    machines.shares("a");
    // It returned: all is there, and nobody is at work any more.
    let keys = redis.keys();
    machines.cachex.awaits_quiet();
    assert_eq!(redis.keys(), keys);
    machines.on("b", &call).once().hits().same_as(&first);
}

#[test]
fn a_server_that_dies_while_it_is_sent_to() {
    for mut served in servers() {
        let proxy = Proxy::before(&*served);
        let machines = Machines::sharing(&proxy);
        proxy.delays_requests(Duration::from_millis(5));
        let call = prints_noise(&machines);
        let first = machines.on("a", &call).once().misses().quietly();
        eventually("half of it to go", || (proxy.requested() > 1_000_000).then_some(()));
        served.dies();
        proxy.delays_requests(Duration::ZERO);
        machines.cachex.awaits_quiet();
        served.lives_again();
        let reading = call.clone().with("--remote-mode read-only");
        machines.on("b", &reading).once().misses().same_as(&first);
        machines.shares("a");
        // A server that keeps half of what it was given has others find that out.
        machines.on("c", &call).once().prints_bytes(3_000_000).warns_at_most_once();
        machines.shares("c");
        machines.on("d", &call).once().hits().same_as(&first);
    }
}

#[test]
fn a_redis_that_is_full() {
    let redis = Redis::with(&["--maxmemory", "3mb", "--maxmemory-policy", "noeviction"]);
    let machines = Machines::sharing(&redis);
    let long = machines.cachex.run("head -c 8000000 /dev/urandom").output_counted();
    let first = machines.on("a", &long).once().misses().exits(0).quietly();
    machines.verb("a", "flush").once().exits(1).mentions(&["maxmemory"]);
    machines.on("a", &long).once().hits().same_as(&first).quietly();
    // None of it is served to others: not even a part is there for them.
    machines.on("b", &long).once().misses().exits(0).prints_bytes(8_000_000);
}

#[test]
fn a_redis_that_evicts() {
    let redis = Redis::with(&["--maxmemory", "4mb", "--maxmemory-policy", "allkeys-lru"]);
    let machines = Machines::sharing(&redis);
    for number in 0..6 {
        let script = format!("head -c 1000000 /dev/urandom | tail -c 999999; : {number}");
        let call = machines.cachex.run(&script).output_counted();
        machines.on("a", &call).once().misses().exits(0);
        let _ = machines.verb("a", "flush").once();
    }
    for number in 0..6 {
        let script = format!("head -c 1000000 /dev/urandom | tail -c 999999; : {number}");
        let call = machines.cachex.run(&script).output_counted();
        machines.on("b", &call).once().exits(0).prints_bytes(999_999).warns_at_most_once();
    }
}

#[test]
fn a_server_that_is_killed_and_started_again_has_what_it_had() {
    for mut served in servers() {
        if served.forgets() {
            continue;
        }
        let proxy = Proxy::before(&*served);
        let machines = Machines::sharing(&proxy);
        let call = machines.cachex.run("seq 30000");
        let first = machines.on("a", &call).once().misses();
        machines.shares("a");
        served.dies();
        served.lives_again();
        machines.on("b", &call).once().hits().same_as(&first).quietly();
    }
}

#[test]
fn a_memcached_that_lost_everything() {
    let mut memcached = Memcached::start();
    let proxy = Proxy::before(&memcached);
    let machines = Machines::sharing(&proxy);
    let call = machines.cachex.run("seq 30000");
    machines.on("a", &call).once().misses();
    machines.shares("a");
    memcached.restart();
    machines.on("b", &call).once().misses().quietly();
    machines.shares("b");
    machines.on("c", &call).once().hits().quietly();
}

/// Somebody whose credentials are wrong.
struct Stranger<'s>(&'s dyn Remote);

impl Remote for Stranger<'_> {
    fn url(&self) -> String {
        self.0.url()
    }

    fn variables(&self) -> Vec<(&'static str, String)> {
        self.0.variables().into_iter().map(|(name, _)| (name, "swordfish".to_owned())).collect()
    }
}

#[test]
fn a_stranger_is_told_and_served_by_the_command() {
    let (redis, s3, webdav) = (Redis::with_password(), S3::start(), WebDav::with_password());
    let said_by: [(&dyn Remote, &str); 3] = [(&redis, "WRONGPASS"), (&s3, "access"), (&webdav, "")];
    for (remote, why) in said_by {
        let machines = Machines::sharing(remote);
        let call = machines.cachex.run("echo hi").with("--ignore-env AWS_*,REDISCLI_AUTH");
        machines.on("a", &call).once().misses();
        machines.shares("a");
        let stranger = Stranger(remote);
        let strangers = machines.by(&stranger);
        let outcome = strangers.on("b", &call).once().misses().prints("hi\n").exits(0);
        outcome.warns_once(&["cachex: warning: the remote store", why]);
        let checked = strangers.verb("b", "check").once().exits(1);
        let said = checked.stdout() + &checked.stderr();
        assert!(!said.contains("swordfish"), "a password is shown: {said}");
        strangers.verb("b", "flush").once().exits(1);
        machines.on("c", &call).once().hits().prints("hi\n");
    }
}

#[test]
fn many_that_meet_a_dead_store_are_all_served() {
    let mut redis = Redis::start();
    let proxy = Proxy::before(&redis);
    redis.kill();
    let machines = Machines::sharing(&proxy);
    let call = machines.cachex.run("echo hi");
    impatient(&machines, "a", &call).simultaneously(8).prints("hi\n").exits(0);
    eventually("the breaker", || machines.asks_nothing("a").then_some(()));
}

/// A server that can be killed, whatever it is.
trait Mortal: Served {
    fn dies(&mut self);
    fn lives_again(&mut self);
    fn forgets(&self) -> bool {
        false
    }
}

macro_rules! mortal {
    ($($kind:ty: $forgets:expr;)*) => {$(
        impl Mortal for $kind {
            fn dies(&mut self) {
                self.kill();
            }

            fn lives_again(&mut self) {
                self.restart();
            }

            fn forgets(&self) -> bool {
                $forgets
            }
        }
    )*};
}

mortal! { Redis: false; Memcached: true; S3: false; WebDav: false; }

fn servers() -> Vec<Box<dyn Mortal>> {
    vec![
        Box::new(Redis::start()),
        Box::new(Memcached::start()),
        Box::new(S3::start()),
        Box::new(WebDav::start()),
    ]
}
