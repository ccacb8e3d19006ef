//! What a process inherits, and what the system around it lacks: limits, folders, devices,
//! streams. Whatever it is, a miss and a hit look like the bare command.

use crate::harness::{Call, Outcome, World, cachex};
use std::process::Command;

/// What both streams of the command get, a status, and what came of standard input.
const SCRIPT: &str = "cat; seq 1 2000; echo complaint >&2; exit 3";
const INPUT: &str = "from a pipe\n";

/// Ways in which a call may get along with little.
const MODES: [&str; 5] = ["", "--stdin null", "--no-concurrent", "--timeout 1m", "--stdin inherit"];

/// Both a miss and a hit look like the bare command but for a line of cachex.
#[track_caller]
fn is_alike(call: &Call) {
    let bare = call.clone().bare().once();
    for _ in 0..2 {
        looks_like(&bare, &call.once());
    }
}

#[track_caller]
fn looks_like(bare: &Outcome, outcome: &Outcome) {
    let told = outcome.stderr();
    let (ours, commands): (Vec<&str>, Vec<&str>) =
        told.lines().partition(|line| line.starts_with("cachex: "));
    let expected = bare.stderr();
    let expected: Vec<&str> = expected.lines().collect();
    assert_eq!(outcome.stdout(), bare.stdout(), "{told}");
    assert_eq!(outcome.status(), bare.status(), "{told}");
    assert_eq!(commands, expected, "{told}");
    assert!(ours.len() <= 1, "{told}");
    assert!(outcome.executions() <= 1, "it ran {} times", outcome.executions());
}

/// In every mode, started by this script.
#[track_caller]
fn is_alike_in_every_mode(launcher: &str) {
    let cachex = cachex();
    for mode in MODES {
        // What gets no input gets none: the bare command is to get none either.
        let input = if mode == "--stdin null" { "" } else { INPUT };
        let call = cachex.run(SCRIPT).with(mode).stdin(input).launched_by(launcher);
        is_alike(&call);
    }
}

/// Whether this user may have namespaces of its own, as root mostly may.
fn may_unshare() -> bool {
    let tried = Command::new("unshare").args(["-m", "true"]).output();
    tried.is_ok_and(|tried| tried.status.success())
}

/// Where these folders are empty.
#[track_caller]
fn is_alike_without(folders: &[&str]) {
    if may_unshare() {
        let mount = |folder: &&str| format!("mount -t tmpfs none {folder}; ");
        let mounts = folders.iter().map(mount).collect::<Vec<_>>().concat();
        is_alike_in_every_mode(&format!(r#"exec unshare -m sh -c '{mounts} exec "$@"' sh "$@""#));
    }
}

#[test]
fn few_descriptors() {
    for limit in 3..20 {
        is_alike_in_every_mode(&format!(r#"ulimit -n {limit}; exec "$@""#));
    }
}

#[test]
fn no_more_processes() {
    let cachex = cachex();
    for mode in MODES {
        let input = if mode == "--stdin null" { "" } else { INPUT };
        // The command starts no process of its own.
        let call = cachex.exec(["cat"]).with(mode).stdin(input).without_privileges();
        let limited = call.limited("prlimit --nproc=1");
        is_alike(&limited);
    }
}

#[test]
fn little_memory() {
    let cachex = cachex();
    let needed = least_memory(World::binary().to_str().unwrap());
    let call = cachex.exec(["true"]).with("--stdin null");
    for more in (0..4096).step_by(256) {
        let limit = needed + more;
        is_alike(
            &call
                .clone()
                .option("--key", limit.to_string())
                .launched_by(&format!(r#"ulimit -v {limit}; exec "$@""#)),
        );
    }
}

/// The address space, in KiB, in which this program starts at all.
fn least_memory(program: &str) -> u64 {
    let starts = |limit: u64| {
        let script = format!(r#"ulimit -v {limit}; exec "{program}" --version"#);
        let tried = Command::new("sh").args(["-c", &script]).output().unwrap();
        tried.status.success()
    };
    let (mut too_little, mut enough) = (0, 1 << 22);
    assert!(starts(enough));
    while enough - too_little > 64 {
        let middle = u64::midpoint(too_little, enough);
        if starts(middle) { enough = middle } else { too_little = middle }
    }
    enough
}

#[test]
fn limits_on_files_and_stacks() {
    for limit in ["-f 0", "-f 8", "-c 0", "-c unlimited", "-s 1024", "-s unlimited", "-t 1000"] {
        is_alike_in_every_mode(&format!(r#"ulimit {limit} 2>/dev/null; exec "$@""#));
    }
}

#[test]
fn no_proc() {
    is_alike_without(&["/proc"]);
}

#[test]
fn no_devices() {
    is_alike_without(&["/dev"]);
}

#[test]
fn neither() {
    is_alike_without(&["/proc", "/dev"]);
}

#[test]
fn no_folder_for_temporary_files() {
    is_alike_in_every_mode(r#"TMPDIR=/nowhere exec "$@""#);
}

#[test]
fn no_home() {
    is_alike_in_every_mode(r#"unset HOME; exec "$@""#);
    is_alike_in_every_mode(r#"unset HOME CACHEX_DIR; exec "$@""#);
}

#[test]
fn no_environment_at_all() {
    is_alike_in_every_mode(r#"exec env -i "$@""#);
}

#[test]
fn closed_streams_in_every_combination() {
    let cachex = cachex();
    let call = cachex.run("cat; echo hi; echo complaint >&2; exit 3");
    for closed in 0..8 {
        let closings: String = ["<&-", ">&-", "2>&-"]
            .iter()
            .enumerate()
            .filter(|(at, _)| closed >> at & 1 == 1)
            .map(|(_, closing)| format!(" {closing}"))
            .collect::<Vec<_>>()
            .concat();
        for launcher in
            [format!(r#"exec "$@"{closings}"#), format!(r#"ulimit -n 12; exec "$@"{closings}"#)]
        {
            is_alike(&call.clone().stdin("").launched_by(&launcher));
        }
    }
}

#[test]
fn any_umask() {
    for mask in ["000", "077", "777"] {
        is_alike_in_every_mode(&format!(r#"umask {mask}; exec "$@""#));
    }
}

#[test]
fn the_first_process_of_a_namespace() {
    let alone = Command::new("unshare").args(["-pf", "true"]).output();
    if alone.is_ok_and(|alone| alone.status.success()) {
        is_alike_in_every_mode(r#"exec unshare -pf "$@""#);
    }
}

#[test]
fn a_working_directory_that_is_gone() {
    is_alike_in_every_mode(r#"mkdir -p ../gone; cd ../gone; rmdir ../gone; exec "$@""#);
}

#[test]
fn little_memory_for_its_data() {
    let cachex = cachex();
    for limit in ["4096", "2048", "1500", "1024", "800"] {
        let under = format!(r#"ulimit -d {limit}; exec "$@""#);
        let call = cachex.run("echo out; echo err >&2; exit 3").launched_by(&under).with("--quiet");
        let starts = cachex.exec(["true"]).with("--mode off").launched_by(&under).once();
        // The system starts no program whose own data are more than that.
        if starts.succeeded() {
            let bare = call.clone().bare().once();
            call.twice().same_as(&bare);
        }
    }
}

#[test]
fn a_small_stack_is_the_commands_alone() {
    for limit in ["-s 120", "-s 64", "-s 24", "-s 16"] {
        let cachex = cachex();
        let under = format!(r#"ulimit {limit}; exec "$@""#);
        let call = cachex.run("ulimit -s; exit 3").launched_by(&under);
        let bare = call.clone().bare().once();
        call.once().misses().same_as(&bare);
        call.once().hits().same_as(&bare);
        call.clone().env("CACHEX_FRONT", "0").once().hits().same_as(&bare);
        cachex.cli(["run", "--bogus"]).launched_by(&under).once().exits(125);
        cachex.cli(["list"]).launched_by(&under).once().exits(0);
    }
}
