//! Where a command runs is part of the key.

use crate::harness::{Cachex, Call, cachex};
use std::fs;

#[test]
fn another_directory_is_another_entry() {
    let cachex = cachex();
    let call = cachex.run("pwd");
    let elsewhere = call.clone().inside(cachex.path("home"));
    call.twice().runs_once().prints(format!("{}\n", cachex.work().display()));
    elsewhere.twice().runs_once().prints(format!("{}\n", cachex.path("home").display()));
    call.once().hits();
}

#[test]
fn without_it_all_directories_share() {
    let cachex = cachex();
    let call = cachex.run("echo hi").with("--no-cwd");
    call.once().misses();
    call.clone().inside(cachex.path("home")).once().hits();
}

#[test]
fn the_name_by_which_one_came_counts_with_it() {
    // `pwd` prints it.
    let cachex = cachex();
    let link = cachex.path("link");
    std::os::unix::fs::symlink(cachex.work(), &link).unwrap();
    let call = cachex.run("pwd");
    call.once().misses().prints(format!("{}\n", cachex.work().display()));
    call.clone().inside(link.clone()).once().misses().prints(format!("{}\n", link.display()));
    let shared = call.with("--no-cwd");
    shared.once().misses();
    shared.inside(link).once().hits();
}

const FROM_A_DELETED_ONE: &str = r#"mkdir ../gone; cd ../gone; rmdir ../gone; exec "$@""#;

/// Counts itself and prints a dot; a shell would have something to say of its
/// own about the directory.
fn from_a_deleted_one(cachex: &Cachex) -> Call {
    let counter = cachex.path("runs").into_os_string();
    let call = cachex.exec(["tee".into(), "-a".into(), counter]).stdin(".");
    call.launched_by(FROM_A_DELETED_ONE)
}

#[test]
fn in_a_deleted_one_the_command_runs_uncached() {
    let call = from_a_deleted_one(&cachex());
    call.twice().runs_twice().prints(".").exits(0).warns_once(&["directory"]);
    call.with("--quiet").twice().runs_twice().prints(".").exits(0).quietly();
}

#[test]
fn in_a_deleted_one_that_is_no_part_it_is_cached() {
    let call = from_a_deleted_one(&cachex()).with("--no-cwd");
    call.twice().runs_once().prints(".").exits(0).quietly();
}

#[test]
fn one_that_was_replaced_by_another_of_its_name_is_the_same() {
    let cachex = cachex();
    let folder = cachex.path("folder");
    let call = cachex.run("echo hi").inside(folder.clone());
    for _ in 0..2 {
        fs::create_dir(&folder).unwrap();
        call.once().prints("hi\n");
        fs::remove_dir(&folder).unwrap();
    }
    assert_eq!(cachex.runs(), 1);
}
