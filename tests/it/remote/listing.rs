//! `cachex remote list`, `stats --by` and `prune`: what a store holds, and making room in it.

use super::{Machines, Named, files_below};
use crate::harness::{Call, Redis, Remote, S3, WebDav};
use serde_json::{Value, json};
use std::fs;
use std::time::{Duration, SystemTime};

/// A verb of `cachex remote` with options, on a machine.
fn verb(machines: &Machines<'_>, machine: &str, words: &str) -> Call {
    let words = ["remote"].into_iter().chain(words.split_whitespace());
    machines.on(machine, &machines.cachex.cli(words))
}

fn told(machines: &Machines<'_>, words: &str) -> Value {
    let said = verb(machines, "reader", words).with("--json").once().exits(0).stdout();
    serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"))
}

/// Two users record three results.
fn recorded(machines: &Machines<'_>) {
    for (user, script, tag) in
        [("ada", "seq 1 4000", "numbers"), ("ada", "echo hi", "words"), ("bob", "exit 3", "words")]
    {
        let call = machines.cachex.run(script).option("--tag", tag).failure_expires_in("1d");
        machines.on(user, &call).env("USER", user).once().misses();
        machines.verb(user, "flush").env("USER", user).once().exits(0);
    }
}

#[track_caller]
fn is_listed(remote: &dyn Remote) {
    let machines = Machines::sharing(remote).with_secret("ours");
    recorded(&machines);
    let all = told(&machines, "list");
    let entries = all["entries"].as_array().unwrap();
    assert_eq!((entries.len(), &all["unreadable"]), (3, &json!(0)), "{all}");
    let count = |words: &str| told(&machines, words)["entries"].as_array().unwrap().len();
    assert_eq!(count("list --tag words"), 2);
    assert_eq!(count("list --user ada"), 2);
    assert_eq!(count("list --user ada --tag words"), 1);
    assert_eq!(count("list --host nowhere"), 0);
    assert_eq!(count("list --newer-than 1d --limit 2"), 2);
    assert_eq!(count("list --command *4000*"), 1);
    let bob = &told(&machines, "list --user bob")["entries"][0];
    assert_eq!((&bob["status"], &bob["origin"]["user"]), (&json!(3), &json!("bob")), "{bob}");
    let table = verb(&machines, "reader", "list --tag numbers").once().exits(0).quietly();
    table.shows(&["USER", "ada", "numbers", "seq 1 4000"]);
    let by_user = told(&machines, "stats --by user");
    let groups = by_user["groups"].as_array().unwrap();
    let names: Vec<_> = groups.iter().map(|it| (&it["name"], &it["results"])).collect();
    assert_eq!(names, [(&json!("ada"), &json!(2)), (&json!("bob"), &json!(1))], "{by_user}");
    assert!(groups[0]["bytes"].as_u64().unwrap() > 18_000, "{by_user}");
    let by_tag = verb(&machines, "reader", "stats --by tag").once().exits(0);
    by_tag.shows(&["RESULTS", "TAG", "numbers", "words"]);
    assert_eq!(told(&machines, "stats --by command")["groups"][0]["name"], "sh");
    assert_eq!(told(&machines, "stats --count")["holds"]["entries"], 3);
    // Others see how many there are, and nothing of them.
    let others = Machines { secret: Some("theirs"), ..machines.by(remote) };
    let all = told(&others, "list");
    assert_eq!((&all["entries"], &all["unreadable"]), (&json!([]), &json!(3)), "{all}");
    verb(&others, "reader", "list").once().exits(0).mentions(&["3 entries are damaged, or of"]);
    // What is invalid is as good as gone.
    verb(&machines, "reader", "invalidate --tag words").once().exits(0);
    let all = told(&machines, "list");
    let left = all["entries"].as_array().unwrap().len();
    assert_eq!((left, &all["invalid"]), (1, &json!(2)), "{all}");
}

#[test]
fn what_redis_holds_is_listed() {
    is_listed(&Redis::start());
}

#[test]
fn what_s3_holds_is_listed() {
    is_listed(&S3::start());
}

#[test]
fn what_webdav_holds_is_listed() {
    is_listed(&WebDav::start());
}

#[test]
fn a_prefix_is_one_whatever_it_looks_like() {
    let redis = Redis::start();
    let named = |prefix: &str| Named(format!("{}/0/{prefix}", redis.url()));
    let (odd, other) = (named("a%5B*%5D"), named("ab"));
    let machines = Machines::sharing(&odd);
    machines.on("a", &machines.cachex.run("echo hi")).once().misses();
    machines.shares("a");
    assert_eq!(told(&machines, "list")["entries"].as_array().unwrap().len(), 1);
    assert_eq!(told(&machines.by(&other), "list")["entries"], json!([]));
}

/// The least recently written go, long outputs with all of their pieces, and what lost a part
/// of it is recorded anew.
#[track_caller]
fn is_pruned(remote: &dyn Remote, objects: &std::path::Path) {
    let machines = Machines::sharing(remote);
    let old = machines.cachex.run("seq 1 40000");
    machines.on("a", &old).once().misses();
    machines.shares("a");
    let days_ago = SystemTime::now() - Duration::from_hours(48);
    for object in files_below(objects) {
        fs::File::options().write(true).open(object).unwrap().set_modified(days_ago).unwrap();
    }
    let new = machines.cachex.run("echo new");
    machines.on("a", &new).once().misses();
    machines.shares("a");
    let dry = told(&machines, "prune --max-age 1d --dry-run");
    assert_eq!((&dry["removed"], &dry["left"]), (&json!(2), &json!(1)), "{dry}");
    machines.on("b", &old).once().hits();
    let pruned = told(&machines, "prune --max-age 1d");
    assert_eq!((&pruned["removed"], &pruned["left"]), (&json!(2), &json!(1)), "{pruned}");
    machines.on("c", &new).once().hits();
    machines.on("c", &old).once().misses().quietly();
    machines.shares("c");
    machines.on("d", &old).once().hits();
    let rest = told(&machines, "prune --max-size 1B");
    assert_eq!((&rest["removed"], &rest["left"]), (&json!(3), &json!(0)), "{rest}");
}

#[test]
fn a_bucket_is_pruned() {
    let s3 = S3::start();
    is_pruned(&s3, &s3.objects());
}

#[test]
fn webdav_is_pruned() {
    let webdav = WebDav::start();
    is_pruned(&webdav, &webdav.objects());
}

#[test]
fn redis_is_pruned_by_what_is_used() {
    let redis = Redis::start();
    let machines = Machines::sharing(&redis);
    let mut noise = vec![0; 600_000];
    blake3::Hasher::new().finalize_xof().fill(&mut noise);
    machines.cachex.write("noise", noise);
    let long = machines.cachex.run("cat ../noise").output_counted();
    let short = machines.cachex.run("echo hi");
    for call in [&long, &short] {
        machines.on("a", call).once().misses();
        machines.shares("a");
    }
    // An entry, one output in several pieces, and another entry.
    assert!(redis.keys().len() > 3);
    let dry = told(&machines, "prune --max-age 1h --dry-run");
    assert_eq!((&dry["removed"], &dry["left"]), (&json!(0), &json!(3)), "{dry}");
    let all = told(&machines, "prune --max-size 1B --dry-run");
    assert!(all["freed_bytes"].as_u64().unwrap() > 600_000, "{all}");
    let pruned = told(&machines, "prune --max-size 100kB");
    assert!(pruned["left_bytes"].as_u64().unwrap() <= 100_000, "{pruned}");
    machines.on("b", &long).once().misses().prints_bytes(600_000);
    machines.shares("b");
    machines.on("c", &long).once().hits();
    let rest = told(&machines, "prune --max-size 1B");
    assert_eq!(rest["left"], 0, "{rest}");
    assert!(redis.keys().is_empty(), "{:?}", redis.keys());
}
