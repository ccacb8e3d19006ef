//! `--status-file` and `--status-fd`: what a script is told beside both streams.

use crate::harness::{Cachex, Call, cachex, quoted};
use serde_json::Value;

fn reported(cachex: &Cachex, call: &Call) -> Value {
    let path = cachex.path("status");
    let _ = std::fs::remove_file(&path);
    call.clone().option("--status-file", &path).once().quietly();
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text.matches('\n').count(), 1, "one line: {text}");
    serde_json::from_str(&text).unwrap()
}

#[test]
fn a_miss_and_a_hit_are_told_of() {
    let cachex = cachex();
    let call = cachex.run("echo hello; exit 3").failure_expires_in("1h");
    let miss = reported(&cachex, &call);
    assert_eq!(miss["result"], "miss");
    assert_eq!(miss["reason"], "not recorded yet");
    assert_eq!(miss["recorded"], true);
    assert_eq!((&miss["status"], &miss["signal"]), (&3.into(), &Value::Null));
    assert_eq!((&miss["stdout_bytes"], &miss["stderr_bytes"]), (&6.into(), &0.into()));
    assert_eq!(miss["saved"], 0.0);
    let key = miss["key"].as_str().unwrap();
    assert_eq!(key.len(), 64);

    let hit = reported(&cachex, &call.clone().after("10m"));
    assert_eq!(hit["result"], "hit");
    assert_eq!(hit["reason"], Value::Null);
    assert_eq!(hit["key"], key);
    assert_eq!(hit["status"], 3);
    assert!((600.0..700.0).contains(&hit["age"].as_f64().unwrap()), "{hit}");
    assert_eq!((&hit["stdout_bytes"], &hit["stderr_bytes"]), (&6.into(), &0.into()));
    assert_eq!(hit["created"], miss["created"]);
    assert_eq!(hit["expires"], miss["expires"]);
    assert_eq!(hit["run_time"], hit["saved"]);
    let time = |field: &str| humantime::parse_rfc3339(hit[field].as_str().unwrap()).unwrap();
    let lasts = time("expires").duration_since(time("created")).unwrap();
    assert_eq!(lasts.as_secs(), 3600);
}

#[test]
fn every_outcome_has_a_name() {
    let cachex = cachex();
    let call = cachex.run("true").expires_in("1h");
    let result = |call: &Call| reported(&cachex, call)["result"].as_str().unwrap().to_owned();
    assert_eq!(result(&call.clone().with("--cached-only")), "absent");
    assert_eq!(result(&call), "miss");
    assert_eq!(result(&call), "hit");
    assert_eq!(result(&call.clone().option("--refresh-after", "1m").after("2m")), "refreshing");
    cachex.awaits_quiet();
    assert_eq!(result(&call.clone().with("--warm")), "warming");
    cachex.awaits_quiet();
    assert_eq!(result(&call.clone().env("CACHEX_DISABLE", "1")), "uncached");
    cachex.write("mood", "0");
    let moody = cachex.run("exit $(cat ../mood)").expires_in("1m").option("--stale-if-error", "1h");
    assert_eq!(result(&moody), "miss");
    cachex.write("mood", "1");
    assert_eq!(result(&moody.clone().after("2m")), "stale");
}

#[test]
fn why_it_missed_is_told() {
    let cachex = cachex();
    let call = cachex.run("echo hi").expires_in("10m");
    let why = |call: &Call| reported(&cachex, call)["reason"].as_str().unwrap().to_owned();
    call.once().misses();
    assert_eq!(why(&call.clone().after("10m")), "expired");
    assert_eq!(why(&call.clone().with("--force")), "forced");
    let fails = cachex.run("exit 1").exit_codes("0");
    assert_eq!(why(&fails), "not recorded yet; not recorded: its exit status");
}

#[test]
fn how_a_command_died_is_told() {
    let cachex = cachex();
    let dies = reported(&cachex, &cachex.run("kill -TERM $$"));
    assert_eq!((&dies["status"], &dies["signal"]), (&Value::Null, &15.into()));
    assert_eq!(dies["recorded"], false);
    let late = cachex.run("sleep 600").option("--timeout", "100ms");
    assert_eq!(reported(&cachex, &late)["status"], 124);
    let path = cachex.path("status");
    let lost = cachex.exec(["no-such-command"]).option("--status-file", &path);
    lost.once().exits(127);
    let lost: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(lost["status"], 127);
    assert_eq!(lost["reason"], "command not found");
}

#[test]
fn a_descriptor_is_as_good_as_a_file_and_is_not_the_commands() {
    let cachex = cachex();
    let status = quoted(cachex.path("status"));
    let call = cachex.run("[ ! -e /dev/fd/7 ] && echo none").with("--status-fd 7");
    call.clone()
        .launched_by(&format!(r#"exec "$@" 7>{status}"#))
        .once()
        .misses()
        .prints("none\n")
        .quietly();
    let told: Value =
        serde_json::from_slice(&std::fs::read(cachex.path("status")).unwrap()).unwrap();
    assert_eq!(told["result"], "miss");
    // Appended, as a shell's `>>` has it.
    call.launched_by(&format!(r#"exec "$@" 7>>{status}"#)).once().hits();
    let text = std::fs::read_to_string(cachex.path("status")).unwrap();
    assert_eq!(text.lines().count(), 2, "{text}");
}

#[test]
fn what_cannot_be_written_is_a_mistake_before_anything_runs() {
    let cachex = cachex();
    let call = cachex.run("echo hi");
    let nowhere = cachex.path("no/such/folder");
    call.clone()
        .option("--status-file", nowhere)
        .once()
        .hits()
        .prints("")
        .exits(125)
        .mentions(&["--status-file", "cannot open"]);
    call.clone().with("--status-fd 9").once().hits().exits(125).mentions(&["--status-fd", "9"]);
    let readable = call.with("--status-fd 8").launched_by(r#"exec "$@" 8</dev/null"#);
    readable.once().hits().exits(125).mentions(&["--status-fd", "8"]);
}

#[test]
fn a_pipe_that_nobody_reads_is_not_waited_for() {
    let cachex = cachex();
    let pipe = cachex.path("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let call = cachex.run("echo hi; exit 3").option("--status-file", &pipe);
    call.once().prints("hi\n").exits(3).warns_once(&["--status-file", "cannot open"]).promptly();
    call.once().hits().prints("hi\n").exits(3);
    let reader = std::fs::File::options().read(true).write(true).open(&pipe).unwrap();
    call.once().hits().quietly();
    assert!(rustix::io::ioctl_fionread(reader).unwrap() > 0, "no report came");
}
