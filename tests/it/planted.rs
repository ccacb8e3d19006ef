//! What somebody put into the store in place of what belongs there: nobody
//! waits for it, and no link is followed.

use crate::harness::{Cachex, cachex};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

fn pipe_at(path: &Path) {
    let _ = fs::remove_file(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// A store that holds every kind of file.
fn full(cachex: &Cachex) -> Vec<PathBuf> {
    cachex.run("seq 1 10000").with("--no-concurrent").once().misses();
    cachex.folds();
    cachex.run("seq 1 10000").with("--no-concurrent").once().hits();
    // In its own files, sled is stopped by the watchdog.
    let files = cachex.stored_in("v2").into_iter();
    files.filter(|path| !path.starts_with("v2/old")).collect()
}

#[test]
fn a_pipe_in_the_place_of_any_file_holds_nobody_up() {
    let kinds = full(&cachex()).len();
    for kind in 0..kinds {
        let cachex = cachex();
        let files = full(&cachex);
        let Some(name) = files.get(kind) else { continue };
        let bare = cachex.run("seq 1 10000").bare().once().stdout();
        pipe_at(&cachex.store().join(name));
        let call = cachex.run("seq 1 10000").with("--no-concurrent");
        println!("a pipe at {}", name.display());
        for call in [&call, &call.clone().with("--force"), &call] {
            call.once().prints(&bare).exits(0).promptly();
        }
        cachex.tries_to_fold().promptly();
        call.once().prints(&bare).exits(0);
        cachex.cli(["clear", "--yes"]).once().exits(0);
        call.twice().runs_once().prints(&bare);
    }
}

#[test]
fn nothing_is_read_or_removed_through_a_link_on_the_way() {
    for folder in ["young", "blobs"] {
        let cachex = cachex();
        let call = cachex.run("seq 1 10000");
        let good = call.once().misses();
        let place = cachex.store().join("v2").join(folder);
        let moved = cachex.path("moved");
        fs::rename(&place, &moved).unwrap();
        symlink(&moved, &place).unwrap();
        let before = files_below(&moved);
        assert!(!before.is_empty());
        call.once().misses().same_as(&good);
        call.once().hits().same_as(&good);
        // Damaged files are removed where they are stored, and nowhere else.
        assert_eq!(files_below(&moved), before, "{folder}");
    }
}

#[test]
fn a_damaged_entry_behind_a_link_stays_where_it_is() {
    let cachex = cachex();
    let call = cachex.run("echo hi");
    call.once().misses();
    let [entry] = &cachex.stored_in("v2/young")[..] else { panic!("{:?}", cachex.stored()) };
    let shard = cachex.store().join(entry.parent().unwrap());
    let moved = cachex.path("moved");
    fs::rename(&shard, &moved).unwrap();
    fs::write(moved.join(entry.file_name().unwrap()), "mine").unwrap();
    symlink(&moved, &shard).unwrap();
    let _ = call.clone().forget().once();
    call.once().misses().prints("hi\n");
    assert_eq!(files_below(&moved).len(), 1);
}

fn files_below(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        if entry.file_type().unwrap().is_dir() {
            files.extend(files_below(&entry.path()));
        } else {
            files.push((entry.path(), fs::read(entry.path()).unwrap()));
        }
    }
    files.sort();
    files
}

#[test]
fn a_name_that_steers_the_terminal_is_shown_harmless() {
    let name = "no-such\u{1b}[2J\ncachex: all is well";
    let said = cachex().exec([name]).once().exits(127).stderr();
    let lines: Vec<&str> = said.lines().collect();
    let [error, tip] = lines[..] else { panic!("{said:?}") };
    assert!(error.starts_with("cachex: no-such") && tip.starts_with("  tip: "), "{said:?}");
    assert!(!said.contains('\u{1b}'), "{said:?}");
    let call = cachex().run("true").env("CACHEX_EXPIRES_IN", "1\u{1b}[2J");
    let said = call.once().exits(125).stderr();
    assert!(!said.contains('\u{1b}'), "{said:?}");
}

#[test]
fn no_link_among_the_files_of_the_database_is_followed() {
    let files = |cachex: &Cachex| -> Vec<PathBuf> {
        let all = cachex.stored().into_iter();
        all.filter(|path| path.starts_with("v2/old/") || path == Path::new("v2/old")).collect()
    };
    let folded = || {
        let cachex = cachex();
        cachex.run("seq 1 10000").once().misses();
        cachex.folds_away();
        cachex
    };
    let kinds = files(&folded()).len();
    assert!(kinds > 2);
    for kind in 0..kinds {
        let cachex = folded();
        let Some(name) = files(&cachex).get(kind).cloned() else { continue };
        println!("a link at {}", name.display());
        let (place, moved) = (cachex.store().join(&name), cachex.path("moved"));
        fs::rename(&place, &moved).unwrap();
        symlink(&moved, &place).unwrap();
        let content = |path: &Path| {
            if path.is_dir() {
                files_below(path)
            } else {
                vec![(path.to_owned(), fs::read(path).unwrap())]
            }
        };
        let before = content(&moved);
        let call = cachex.run("seq 1 10000");
        let good = call.clone().bare().once();
        for call in [&call, &call.clone().with("--force"), &call] {
            call.once().exits(0).prints(good.stdout());
        }
        cachex.tries_to_fold();
        let _ = cachex.cli(["doctor", "--repair"]).once();
        let _ = cachex.cli(["prune", "--max-age", "1s"]).after("1h").once();
        assert_eq!(content(&moved), before, "{}", name.display());
        call.once().prints(good.stdout()).exits(0);
    }
}

#[test]
fn nothing_is_deleted_behind_a_link_in_the_place_of_what_is_to_go() {
    let cachex = cachex();
    let call = cachex.run("seq 1 10000");
    call.once().misses();
    let precious = cachex.path("precious");
    fs::create_dir_all(precious.join("deep/deeper")).unwrap();
    fs::write(precious.join("deep/file"), "mine").unwrap();
    let plant = |name: &str| symlink(&precious, cachex.in_store("v2").join(name)).unwrap();
    plant("trash-1");
    plant("old.broken-1");
    cachex.tries_to_fold();
    let _ = cachex.cli(["doctor", "--repair"]).once();
    cachex.cli(["clear", "--yes"]).once();
    assert_eq!(files_below(&precious).len(), 1);
    assert!(precious.join("deep/deeper").is_dir());
    call.once().misses();
}
