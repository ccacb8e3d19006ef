//! Who holds a lock is known beyond a PID namespace, a boot and a host.
#![cfg(target_os = "linux")]

use crate::harness::{Running, cachex, quoted, unshares};

/// Starts what follows as the second process of a PID namespace.
const CONTAINER: &str = r#"exec unshare --fork --pid --mount-proc sh -c '"$@"; exit $?' sh "$@""#;

#[test]
fn of_callers_in_containers_that_share_a_store_one_runs() {
    if !unshares("--fork --pid --mount-proc") {
        return;
    }
    let cachex = cachex();
    let script = format!("{}; echo done", cachex.gate("gate"));
    let call = cachex.run(&script).with("--no-concurrent").launched_by(CONTAINER);
    let mut all: Vec<Running> = vec![call.spawn()];
    cachex.awaits_runs(1);
    all.extend((0..3).map(|_| call.spawn()));
    cachex.awaits_waiters(3);
    cachex.opens("gate");
    for caller in all {
        caller.ends().prints("done\n").quietly().exits(0);
    }
    assert_eq!(cachex.runs(), 1);
}

#[test]
fn a_command_that_is_the_first_process_of_a_namespace_ends() {
    if !unshares("--pid") {
        return;
    }
    let cachex = cachex();
    for options in ["", "--no-concurrent", "--timeout 1h"] {
        let call =
            cachex.run("echo some; exit 3").with(options).option("--key", format!("k{options}"));
        let call = call.launched_by(r#"exec unshare --pid "$@""#);
        call.once().promptly().runs(1).prints("some\n").exits(3);
    }
}

#[test]
fn of_callers_on_hosts_that_share_a_store_one_runs() {
    if !unshares("--fork --pid --mount-proc") {
        return;
    }
    let cachex = cachex();
    let script = format!("echo begun; {}; echo done", cachex.gate("gate"));
    let call = cachex.run(&script).with("--no-concurrent");
    let all: Vec<Running> = ["1", "2"]
        .iter()
        .map(|host| {
            let boot = format!("0000000{host}-0000-0000-0000-000000000000\n");
            let boot = quoted(cachex.write(format!("boot-{host}"), boot));
            let inside = format!(r#"mount --bind {boot} /proc/sys/kernel/random/boot_id && "$@""#);
            let inside = inside.replace('\'', r"'\''");
            let launcher = format!(
                r#"exec unshare --fork --pid --mount-proc sh -c '{inside}; exit $?' sh "$@""#
            );
            let running = call.clone().launched_by(&launcher).spawn();
            running.shows("begun\n");
            running
        })
        .collect();
    cachex.opens("gate");
    for caller in all {
        caller.ends().prints("begun\ndone\n").quietly().exits(0);
    }
    assert_eq!(cachex.runs(), 1);
}
