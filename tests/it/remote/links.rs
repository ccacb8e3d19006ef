//! A shared folder in which somebody planted links: none is followed.

use super::{Machines, files_below};
use crate::harness::{Call, Folder};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

fn shared(machines: &Machines<'_>) -> Call {
    let call = machines.cachex.run("seq 1 3000");
    machines.on("a", &call).once().misses();
    machines.shares("a");
    call
}

#[test]
fn a_link_in_the_place_of_an_object_is_nothing_and_is_replaced() {
    let folder = Folder::new();
    let machines = Machines::sharing(&folder);
    let call = shared(&machines);
    let objects = files_below(folder.objects());
    assert!(objects.len() >= 2, "{objects:?}");
    let mut precious: Vec<(PathBuf, Vec<u8>)> = Vec::new();
    for (n, object) in objects.iter().enumerate() {
        let elsewhere = machines.cachex.path(format!("precious{n}"));
        // Be it what was there, or something else.
        let content = if n == 0 { fs::read(object).unwrap() } else { b"mine".to_vec() };
        fs::write(&elsewhere, &content).unwrap();
        fs::remove_file(object).unwrap();
        symlink(&elsewhere, object).unwrap();
        precious.push((elsewhere, content));
    }
    machines.on("b", &call).once().misses();
    machines.shares("b");
    for (path, content) in &precious {
        assert_eq!(fs::read(path).unwrap(), *content);
    }
    let regular = |path: &PathBuf| path.symlink_metadata().unwrap().is_file();
    assert!(files_below(folder.objects()).iter().all(regular));
    machines.on("c", &call).once().hits();
}

#[test]
fn a_link_in_the_place_of_a_folder_is_a_fault_that_is_told() {
    let folder = Folder::new();
    let machines = Machines::sharing(&folder);
    let call = shared(&machines);
    let elsewhere = machines.cachex.path("elsewhere");
    let objects = folder.objects().join("v1");
    let objects = if objects.is_dir() { objects } else { folder.objects().join("cachex/v1") };
    fs::rename(&objects, &elsewhere).unwrap();
    symlink(&elsewhere, &objects).unwrap();
    let before = files_below(&elsewhere);
    let outcome = machines.on("b", &call).once().misses().exits(0);
    outcome.warns_once(&["the remote store is left alone", "v1", "link"]);
    let flush = machines.verb("b", "flush").once();
    assert!(!flush.exited_with(0), "it cannot be sent");
    assert_eq!(files_below(&elsewhere), before);
}
