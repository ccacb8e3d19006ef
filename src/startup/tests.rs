//! Tests in which this program uses the library: its helpers are the program itself.
//!
//! Its `main` is the test harness's, so the call that should be its first line runs before it.

use cachex_store::db_client::{self, DbClient};
use cachex_store::fold::Bounds;
use cachex_store::testing::{entry, key, scene};
use std::collections::HashSet;
use std::os::unix::process::CommandExt;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

// SAFETY: the section is a list of functions that the C library calls when the process
// starts. This one needs nothing but the arguments, which the standard library has by then.
#[used]
#[cfg_attr(target_os = "linux", unsafe(link_section = ".init_array"))]
#[cfg_attr(target_os = "macos", unsafe(link_section = "__DATA,__mod_init_func,mod_init_funcs"))]
static FIRST: extern "C" fn() = {
    extern "C" fn first() {
        super::init();
    }
    first
};

/// Waits until the check succeeds.
#[track_caller]
fn eventually(mut check: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !check() {
        assert!(begun.elapsed() < Duration::from_secs(40), "waited too long");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Runs this program under this name, and returns its output.
fn called(name: &str, args: &[&str]) -> Output {
    let executable = std::env::current_exe().unwrap();
    Command::new(executable).arg0(name).args(args).output().unwrap()
}

/// Returns whether the program began its own work, which is to test.
fn tested(output: &Output) -> bool {
    String::from_utf8_lossy(&output.stdout).contains("running 0 tests")
}

#[test]
fn a_fold_that_a_program_starts_is_done_and_leaves_no_process() {
    let scene = scene();
    scene.record(&entry(1, 10));
    let bounds = Bounds { max_size: u64::MAX, max_entries: None, compress: 1 };
    db_client::start_fold(scene.root.path(), &bounds).unwrap();
    eventually(|| scene.has("old.keys"));
    eventually(|| scene.old(1).is_some());
    #[cfg(target_os = "linux")]
    eventually(|| ended_children().is_empty());
}

#[test]
fn what_a_program_asks_a_helper_is_answered() {
    let scene = scene();
    scene.record(&entry(1, 10));
    let fenced = DbClient::new(&scene.root);
    fenced.take_in().unwrap();
    assert_eq!(fenced.remove_all(&[key(1), key(2)], &mut HashSet::new()).unwrap(), 1);
}

#[test]
fn a_process_that_is_no_helper_begins_its_own_work() {
    for (name, args) in [
        ("cachex", ["run", "--exact"]),
        ("cachex", ["__complete", "--exact"]),
        ("cachex", ["__stores", "--exact"]),
        ("cachex", ["--exact", "__store"]),
        ("./cachex", ["__store", "--exact"]),
        ("cachex2", ["__store", "--exact"]),
    ] {
        assert!(tested(&called(name, &args)), "{name} {args:?}");
    }
    assert!(!tested(&called("cachex", &["__store", "--exact"])));
}

/// Returns helpers of this process that have ended and were not reaped.
#[cfg(target_os = "linux")]
fn ended_children() -> Vec<String> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let is_one = |stat: &String| {
        let Some((name, rest)) = stat.rsplit_once(") ") else { return false };
        let own = format!("Z {} ", std::process::id());
        name.ends_with("(cachex") && rest.starts_with(&own)
    };
    processes
        .filter_map(|process| std::fs::read_to_string(process.path().join("stat")).ok())
        .filter(is_one)
        .collect()
}
