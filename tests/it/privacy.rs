//! What others must not see, and what nobody must find.

use crate::harness::{Call, cachex, contains};
use std::fs;
use std::os::unix::fs::PermissionsExt;

#[test]
fn the_store_is_private_whatever_the_umask() {
    let cachex = cachex();
    let open = |call: Call| call.launched_by(r#"umask 000; exec "$@""#);
    for script in ["echo hi", "seq 1 100000"] {
        open(cachex.run(script).with("--no-concurrent").stdin("x")).twice().runs_once();
    }
    let passing = cachex.exec(["true"]);
    open(passing.clone()).once().exits(0);
    open(passing.forget()).once().exits(0);
    open(cachex.run("echo more")).once().misses();
    assert_eq!(mode(&cachex.store()), 0o700);
    let stored = cachex.stored();
    assert!(stored.iter().any(|path| path.starts_with("v2/old")), "{stored:?}");
    for path in stored {
        let at = cachex.store().join(&path);
        let expected = if at.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode(&at), expected, "the mode of {} is {:o}", path.display(), mode(&at));
    }
}

fn mode(path: &std::path::Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn folders_made_on_the_way_are_private_too() {
    let cachex = cachex();
    let call = cachex.run("echo hi").without("CACHEX_DIR").launched_by(r#"umask 0; exec "$@""#);
    call.once().misses();
    assert_eq!(mode(&cachex.path("home/.cache")), 0o700);
    assert_eq!(mode(&cachex.path("home/.cache/cachex")), 0o700);
}

#[test]
fn the_umask_of_the_command_is_its_own() {
    let cachex = cachex();
    let call = cachex.run("umask; touch ../made").launched_by(r#"umask 002; exec "$@""#);
    call.once().misses().prints("0002\n");
    assert_eq!(mode(&cachex.path("made")), 0o664);
}

#[test]
fn a_secret_is_found_nowhere_in_the_store() {
    const SECRET: &str = "hunter2-correct-horse-battery";
    let cachex = cachex();
    let gate = cachex.gate("gate");
    let call = cachex.run(&format!("cat >/dev/null; echo fine; seq 1 10000; {gate}"));
    let call = call.env("API_TOKEN", SECRET).stdin(format!("password: {SECRET}\n"));
    let call = call.env("CACHEX_NO_CONCURRENT", "1").option("--key", SECRET);
    // What `explain` compares is no sum that can be made without the store's secret.
    let sums = [SECRET.to_owned(), format!("password: {SECRET}\n")];
    let sums = sums.map(|text| blake3::hash(text.as_bytes()).as_bytes()[..6].to_vec());
    let look = |kinds: &[&str]| {
        let stored = cachex.stored_in("");
        for kind in kinds {
            assert!(stored.iter().any(|path| path.starts_with(kind)), "no {kind} in {stored:?}");
        }
        for path in stored {
            // What is being swept may go meanwhile.
            let content = fs::read(cachex.store().join(&path)).unwrap_or_default();
            assert!(!contains(&content, SECRET.as_bytes()), "it is in {}", path.display());
            let is_there = sums.iter().any(|sum| contains(&content, sum));
            assert!(!is_there, "a plain sum of it is in {}", path.display());
        }
        assert_eq!(fs::read_dir(cachex.path("tmp")).unwrap().count(), 0);
    };
    let running = call.spawn();
    running.shows("fine");
    look(&["v2/locks"]);
    cachex.opens("gate");
    running.ends().exits(0);
    call.once().hits();
    look(&["v2/young", "v2/blobs", "v2/locks", "v2/events"]);
    cachex.folds();
    look(&["v2/old", "v2/old.keys", "v2/young", "v2/blobs"]);
    fs::remove_dir_all(cachex.store().join("v2/young")).unwrap();
    call.once().hits();
    look(&["v2/old", "v2/young", "v2/events"]);
    call.clone().forget().once().exits(0);
    call.once().misses();
    cachex.folds();
    look(&["v2/old"]);
    let other = call.clone().env("API_TOKEN", "another").stdin("another");
    let explained = other.clone().explain().once().exits(1);
    let told = [
        call.with("--verbose").once().stderr(),
        other.clone().with("--verbose").once().stderr(),
        explained.stdout() + &explained.stderr(),
        other.explain().with("--all --json").once().stdout(),
    ];
    assert!(explained.stdout().contains("variable `API_TOKEN` differs"), "{}", explained.stdout());
    for told in told {
        assert!(!contains(told.as_bytes(), SECRET.as_bytes()), "{told}");
    }
}

#[test]
fn a_long_secret_input_leaves_no_file_behind() {
    let cachex = cachex();
    let call = cachex.run("wc -c").stdin_of_zeros(60 << 20);
    call.twice().runs_once().prints("62914560\n");
    let left: Vec<_> = fs::read_dir(cachex.path("tmp")).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
    assert!(cachex.stored_in("v2/tmp").is_empty(), "{:?}", cachex.stored());
}
