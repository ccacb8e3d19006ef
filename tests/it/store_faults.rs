//! A damaged store gives a miss, never a wrong answer.

use crate::harness::{World, cachex};
use std::fs;
use std::path::PathBuf;

/// Files of a recent entry and its blob.
fn entry_and_blobs(world: &World) -> Vec<PathBuf> {
    let mut files = world.stored_in("v2/young");
    files.extend(world.stored_in("v2/blobs"));
    assert!(files.len() >= 2, "{:?}", world.stored());
    files.into_iter().map(|path| world.store().join(path)).collect()
}

#[test]
fn a_flipped_bit_is_a_miss_and_is_repaired() {
    let cachex = cachex();
    let call = cachex.run("seq 1 1000");
    let good = call.once().misses();
    for file in entry_and_blobs(&cachex) {
        let content = fs::read(&file).unwrap();
        let spread = (content.len() / 24).max(1);
        for at in (0..content.len()).step_by(spread) {
            let mut damaged = content.clone();
            damaged[at] ^= 1 << (at % 8);
            fs::write(&file, damaged).unwrap();
            call.once().misses().same_as(&good).quietly();
            call.once().hits().same_as(&good);
        }
    }
}

#[test]
fn a_truncated_or_empty_or_longer_file_is_a_miss() {
    let cachex = cachex();
    let call = cachex.run("seq 1 1000");
    let good = call.once().misses();
    for file in entry_and_blobs(&cachex) {
        let content = fs::read(&file).unwrap();
        let longer = [&content[..], b"x"].concat();
        for damaged in [&content[..0], &content[..1], &content[..content.len() - 1], &longer] {
            fs::write(&file, damaged).unwrap();
            call.once().misses().same_as(&good).quietly();
            call.once().hits().same_as(&good);
        }
    }
}

#[test]
fn a_vanished_blob_is_a_miss() {
    let cachex = cachex();
    let call = cachex.run("seq 1 1000");
    let good = call.once().misses();
    fs::remove_dir_all(cachex.store().join("v2/blobs")).unwrap();
    call.once().misses().same_as(&good).quietly();
    call.once().hits().same_as(&good);
}

#[test]
fn an_entry_in_the_place_of_another_is_a_miss() {
    let cachex = cachex();
    let (one, two) = (cachex.run("echo one"), cachex.run("echo two"));
    one.once().misses();
    let first = cachex.store().join(&cachex.stored_in("v2/young")[0]);
    let content = fs::read(&first).unwrap();
    fs::remove_file(&first).unwrap();
    two.once().misses();
    let second = cachex.store().join(&cachex.stored_in("v2/young")[0]);
    fs::write(second, content).unwrap();
    two.once().misses().prints("two\n").quietly();
}

#[test]
fn folders_in_the_place_of_files_are_a_miss() {
    let cachex = cachex();
    let call = cachex.run("seq 1 1000");
    let good = call.once().misses();
    for file in entry_and_blobs(&cachex) {
        fs::remove_file(&file).unwrap();
        fs::create_dir(&file).unwrap();
        let printed = good.stdout();
        call.twice().misses().prints(printed).exits(0);
    }
}

#[test]
fn a_store_of_a_newer_format_is_left_alone() {
    let cachex = cachex();
    let newer = cachex.write("store/v3/young/ab/entry", "from the future");
    fs::set_permissions(cachex.store(), std::os::unix::fs::PermissionsExt::from_mode(0o700))
        .unwrap();
    cachex.run("echo hi").twice().runs_once().quietly();
    cachex.folds();
    assert_eq!(fs::read_to_string(newer).unwrap(), "from the future");
}
