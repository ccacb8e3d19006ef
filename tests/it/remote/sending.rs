//! What was recorded reaches the remote store in the end, whatever keeps it from that.

use super::Machines;
use crate::harness::{Call, Outcome, Redis, eventually};
use serde_json::Value;

/// A call with so long an output, the same each time, which nothing makes shorter.
fn long(machines: &Machines<'_>) -> Call {
    let mut noise = vec![0; 8_000_000];
    blake3::Hasher::new().finalize_xof().fill(&mut noise);
    machines.cachex.write("noise", noise);
    machines.cachex.run("cat ../noise").output_counted()
}

fn stats(machines: &Machines<'_>) -> Value {
    let told = machines.verb("a", "stats").with("--json").once().exits(0);
    serde_json::from_str(&told.stdout()).unwrap()
}

fn flush(machines: &Machines<'_>) -> Outcome {
    machines.verb("a", "flush").once()
}

/// Everybody may read, and nobody write.
fn lets_nobody_write(redis: &Redis) {
    redis.cli(["ACL", "SETUSER", "default", "-set"]);
}

fn lets_everybody_write(redis: &Redis) {
    redis.cli(["ACL", "SETUSER", "default", "+set"]);
}

#[test]
fn what_is_not_taken_where_others_are_stays_queued_until_it_is() {
    let redis = Redis::with(&["--maxmemory", "3mb", "--maxmemory-policy", "noeviction"]);
    let machines = Machines::sharing(&redis);
    let (long, short) = (long(&machines), machines.cachex.run("echo hi"));
    let first = machines.on("a", &long).once().misses();
    machines.cachex.awaits_quiet();
    redis.cli(["FLUSHALL"]);
    machines.on("a", &short).once().misses();
    // The long one fails, and the short one does not.
    let _ = flush(&machines).exits(1);
    redis.cli(["FLUSHALL"]);
    machines.on("a", &machines.cachex.run("echo more")).once().misses();
    for _ in 0..2 {
        let said = flush(&machines).exits(1);
        said.mentions(&["still waiting", "maxmemory"]);
    }
    assert_eq!(stats(&machines)["queued"], 1);
    machines
        .on("a", &machines.cachex.cli(["doctor"]))
        .once()
        .shows(&["1 result could not be sent"]);
    redis.cli(["CONFIG", "SET", "maxmemory", "0"]);
    let _ = flush(&machines).exits(0);
    assert_eq!(stats(&machines)["queued"], 0);
    machines.on("b", &long).once().hits().same_as(&first);
}

#[test]
fn what_waits_is_sent_by_calls_that_record_nothing() {
    let redis = Redis::start();
    let machines = Machines::sharing(&redis);
    let call = machines.cachex.run("echo hi");
    lets_nobody_write(&redis);
    machines.on("a", &call).once().misses().quietly();
    eventually("the breaker", || machines.sends_nothing("a").then_some(()));
    machines.cachex.awaits_quiet();
    lets_everybody_write(&redis);
    let unrecorded = machines.cachex.run("exit 7").exit_codes("0");
    machines.on("a", &unrecorded).once().exits(7).quietly();
    machines.cachex.awaits_quiet();
    assert!(redis.keys().is_empty(), "it is tried again too soon");
    machines.on("a", &unrecorded.after("2m")).once().exits(7).quietly();
    eventually("the entry", || (!redis.keys().is_empty()).then_some(()));
    machines.cachex.awaits_quiet();
    machines.on("b", &call).once().hits();
    assert!(!machines.sends_nothing("a"));
}

#[test]
fn that_nothing_can_be_sent_is_said_once_a_day() {
    let redis = Redis::start();
    let machines = Machines::sharing(&redis);
    lets_nobody_write(&redis);
    let at = |time: &str| {
        let call = machines.cachex.run(&format!("exit 7; {time}")).exit_codes("0");
        machines.on("a", &call.after(time)).once().exits(7)
    };
    machines.on("a", &machines.cachex.run("echo hi")).once().misses().quietly();
    eventually("the breaker", || machines.sends_nothing("a").then_some(()));
    let _ = at("1m").quietly();
    let said = ["1 result still waits", "NOPERM", "what they may do there"];
    let _ = at("20m").warns_once(&said);
    let _ = at("21m").quietly();
    let _ = at("20h").quietly();
    let _ = at("25h").warns_once(&said);
    machines.cachex.awaits_quiet();
    lets_everybody_write(&redis);
    machines.verb("a", "flush").after("26h").once().exits(0);
    let _ = at("50h").quietly();
}

#[test]
fn what_became_local_meanwhile_is_not_sent() {
    let redis = Redis::start();
    let machines = Machines::sharing(&redis);
    lets_nobody_write(&redis);
    let call = machines.cachex.run("echo hi");
    machines.on("a", &call).once().misses();
    eventually("the breaker", || machines.sends_nothing("a").then_some(()));
    machines.on("a", &call.with("--local")).once().hits();
    machines.cachex.awaits_quiet();
    lets_everybody_write(&redis);
    let _ = flush(&machines).exits(0);
    assert!(redis.keys().is_empty());
}
