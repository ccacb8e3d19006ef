//! `--output`: files that a run makes come back with its output.

mod at_once;
mod forged;
mod in_the_way;
mod left_alone;
mod left_out;
mod links;
mod permissions;
mod store;

use crate::harness::{Cachex, Call, cachex};
use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

pub fn making(cachex: &Cachex, script: &str, options: &str) -> Call {
    cachex.run(script).with(options)
}

pub fn read(cachex: &Cachex, name: &str) -> String {
    String::from_utf8(std::fs::read(cachex.path("work").join(name)).unwrap()).unwrap()
}

fn is_there(cachex: &Cachex, name: &str) -> bool {
    cachex.path("work").join(name).symlink_metadata().is_ok()
}

pub fn remove(cachex: &Cachex, name: &str) {
    let path = cachex.path("work").join(name);
    std::fs::remove_file(&path).or_else(|_| std::fs::remove_dir_all(&path)).unwrap();
}

/// What is in the working directory, by names.
pub fn listed(folder: &Path) -> Vec<String> {
    let names = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_file_comes_back() {
    let cachex = cachex();
    let call = making(&cachex, "echo made >out; chmod 750 out; echo done", "--output out");
    call.once().misses().prints("done\n");
    remove(&cachex, "out");
    call.once().hits().prints("done\n").quietly();
    assert_eq!(read(&cachex, "out"), "made\n");
    let mode = cachex.path("work/out").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o750);
    std::fs::write(cachex.path("work/out"), "spoilt").unwrap();
    call.once().hits();
    assert_eq!(read(&cachex, "out"), "made\n");
    assert_eq!(listed(&cachex.work()), ["out"], "nothing else is left there");
}

#[cfg(target_os = "linux")]
#[test]
fn one_that_is_still_being_written_is_not_recorded() {
    let cachex = cachex();
    // What the command leaves behind has none of its streams.
    let rest = format!("echo half; {}; echo whole; echo >../end", cachex.gate("gate"));
    let script = format!(
        "{{ {rest}; }} </dev/null >out 2>/dev/null & until [ -s out ]; do sleep 0.01; done; echo hi"
    );
    let call = making(&cachex, &script, "--output out");
    call.once().misses().prints("hi\n").quietly();
    let told = call.clone().with("--verbose").once().misses();
    told.mentions(&["not recorded: the output out is still open for writing"]);
    cachex.opens("gate");
    cachex.awaits_quiet();
    call.once().misses().prints("hi\n");
    cachex.awaits_quiet();
}

#[test]
fn a_folder_comes_back_with_links_and_folders_in_it() {
    let cachex = cachex();
    let script = "mkdir -p dist/a/b dist/empty; echo x >dist/a/b/.x; ln -s a/b dist/link; \
                  ln dist/a/b/.x dist/hard; chmod 555 dist/a";
    let call = making(&cachex, script, "--output dist/");
    call.once().misses().quietly();
    std::fs::set_permissions(cachex.path("work/dist/a"), Permissions::from_mode(0o755)).unwrap();
    remove(&cachex, "dist");
    call.once().hits().quietly();
    assert_eq!(read(&cachex, "dist/link/.x"), "x\n");
    assert_eq!(read(&cachex, "dist/hard"), "x\n");
    assert_eq!(listed(&cachex.path("work/dist")), ["a", "empty", "hard", "link"]);
    let folder = cachex.path("work/dist/a");
    assert_eq!(folder.metadata().unwrap().permissions().mode() & 0o777, 0o555);
    std::fs::set_permissions(folder, Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn patterns_take_in_what_they_match() {
    let cachex = cachex();
    let script = "mkdir -p sub/x.d; for f in a.o b.o sub/c.o a.txt sub/x.d/y; do echo $f >$f; done";
    let call = making(&cachex, script, "--output **/*.o --output **/*.d");
    call.once().misses();
    for name in ["a.o", "b.o", "a.txt", "sub"] {
        remove(&cachex, name);
    }
    call.once().hits();
    assert_eq!(listed(&cachex.work()), ["a.o", "b.o", "sub"]);
    assert_eq!(listed(&cachex.path("work/sub")), ["c.o", "x.d"]);
    assert_eq!(read(&cachex, "sub/x.d/y"), "sub/x.d/y\n");
}

#[test]
fn what_is_as_it_was_is_not_written_but_is_made_now() {
    let cachex = cachex();
    let call = making(&cachex, "echo made >out", "--output out");
    call.once().misses();
    let path = cachex.path("work/out");
    let long_ago = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000);
    let set_back = || {
        let times = std::fs::FileTimes::new().set_modified(long_ago);
        std::fs::File::options().write(true).open(&path).unwrap().set_times(times).unwrap();
    };
    set_back();
    let before = path.metadata().unwrap();
    call.once().hits();
    let after = path.metadata().unwrap();
    assert_eq!(before.ino(), after.ino(), "it is the same file");
    assert!(after.mtime() > before.mtime() + 1_000_000);
    set_back();
    std::fs::write(&path, "other").unwrap();
    call.once().hits();
    assert_ne!(path.metadata().unwrap().ino(), before.ino(), "it was replaced, not written to");
}

#[test]
fn a_file_is_never_linked_into_the_store() {
    let cachex = cachex();
    let call = making(&cachex, "echo made >out", "--output out");
    call.once().misses();
    remove(&cachex, "out");
    call.once().hits();
    assert_eq!(cachex.path("work/out").metadata().unwrap().nlink(), 1);
    std::fs::write(cachex.path("work/out"), "changed in place").unwrap();
    call.once().hits();
    assert_eq!(read(&cachex, "out"), "made\n");
}

#[test]
fn holes_stay_holes() {
    let cachex = cachex();
    let script = "truncate -s 64M out; echo end >>out; printf x | dd of=out bs=1 seek=1000000 conv=notrunc 2>/dev/null";
    let call = making(&cachex, script, "--output out");
    call.once().misses();
    let sum = std::fs::read(cachex.path("work/out")).unwrap();
    remove(&cachex, "out");
    call.once().hits();
    assert!(std::fs::read(cachex.path("work/out")).unwrap() == sum);
    assert!(cachex.path("work/out").metadata().unwrap().blocks() * 512 < 1 << 20);
    let stored: u64 = cachex
        .stored_in("v2/blobs")
        .iter()
        .map(|blob| cachex.store().join(blob).metadata().unwrap().blocks() * 512)
        .sum();
    assert!(stored < 1 << 20, "{stored}");
}

#[test]
fn what_was_not_made_is_recorded_as_that() {
    let cachex = cachex();
    let call = making(&cachex, "rm -f old; echo ran", "--output old --output never");
    cachex.write("work/old", "old");
    call.once().misses();
    // What the run removed goes; what it never touched stays.
    cachex.write("work/old", "again");
    cachex.write("work/never", "somebody's");
    call.once().hits();
    assert!(!is_there(&cachex, "old"));
    assert_eq!(read(&cachex, "never"), "somebody's");
}

#[test]
fn an_output_that_is_required_and_not_made_is_an_error() {
    let cachex = cachex();
    let call = making(&cachex, "echo ran", "--output out --require-outputs");
    call.twice()
        .misses()
        .prints("ran\n")
        .exits(125)
        .says_one_line(&["the output out was not created"]);
    let pattern = making(&cachex, "touch a.x", "--output *.o --require-outputs");
    pattern.once().exits(125).says_one_line(&["the output *.o was not created"]);
    making(&cachex, "touch a.o", "--output *.o --require-outputs").twice().runs_once().exits(0);
    // The command has the first word.
    let failing = making(&cachex, "exit 3", "--output out --require-outputs");
    failing.once().exits(3).quietly();
}

#[test]
fn other_outputs_are_another_record() {
    let cachex = cachex();
    let call = making(&cachex, "echo a >a; echo b >b", "");
    call.once().misses();
    call.clone().with("--output a").once().misses();
    call.clone().with("--output a").once().hits();
    call.clone().with("--verbose --output b").once().misses().mentions(&["other outputs"]);
    let explained = call.clone().with("--output a").explain().once().exits(1);
    explained.shows(&["recorded with other outputs"]);
    // Who asks for none gets none.
    remove(&cachex, "b");
    call.once().hits();
    assert!(!is_there(&cachex, "b"));
}

#[test]
fn outputs_lie_below_the_working_directory_or_are_named_from_the_root() {
    let cachex = cachex();
    for bad in ["../x", "..", ".", "a/../../x"] {
        making(&cachex, "true", &format!("--output {bad}")).once().hits().exits(125);
    }
    let outside = cachex.path("outside");
    let script = format!("echo out >{}", outside.display());
    let call = cachex.run(&script).option("--output", &outside);
    call.once().misses();
    std::fs::remove_file(&outside).unwrap();
    call.once().hits();
    assert_eq!(std::fs::read_to_string(&outside).unwrap(), "out\n");
}

#[test]
fn a_link_among_the_folders_is_not_followed() {
    let cachex = cachex();
    std::fs::create_dir(cachex.path("elsewhere")).unwrap();
    symlink("../elsewhere", cachex.path("work/out")).unwrap();
    let call = making(&cachex, "echo x >out/f", "--output out/f");
    call.once().misses().exits(0).warns_once(&["out/f", "behind a link"]);
    // Nor is one that somebody put there since.
    remove(&cachex, "out");
    std::fs::create_dir(cachex.path("work/out")).unwrap();
    call.once().misses();
    remove(&cachex, "out");
    std::fs::write(cachex.path("elsewhere/f"), "precious").unwrap();
    symlink("../elsewhere", cachex.path("work/out")).unwrap();
    call.with("--cached-only").once().hits().exits(125);
    assert_eq!(std::fs::read_to_string(cachex.path("elsewhere/f")).unwrap(), "precious");
}

#[test]
fn something_else_in_the_way_is_left_there() {
    let cachex = cachex();
    let call =
        making(&cachex, "rm -rf a b; echo a >a; mkdir b; echo b >b/f", "--output a --output b");
    call.once().misses();
    remove(&cachex, "a");
    cachex.write("work/a/precious", "1");
    let only = call.clone().with("--cached-only");
    only.once().hits().exits(125).warns_once(&["a has changed and is in the way"]);
    assert_eq!(read(&cachex, "a/precious"), "1");
    assert_eq!(listed(&cachex.work()), ["a", "b"]);
    // The command may do about it what it likes.
    call.once().misses().exits(0);
    assert_eq!(read(&cachex, "a"), "a\n");
}

#[test]
fn a_missing_or_damaged_file_is_a_miss_and_nothing_is_touched() {
    let cachex = cachex();
    let script = "for n in 1 2 3; do yes $n | head -c 5000 >out$n; done";
    let call = making(&cachex, script, "--output out1 --output out2 --output out3");
    for damage in ["remove", "flip", "cut"] {
        for name in listed(&cachex.work()) {
            remove(&cachex, &name);
        }
        call.clone().with("--force").once().misses();
        let blobs = cachex.stored_in("v2/blobs");
        let blobs: Vec<_> = blobs.iter().map(|blob| cachex.store().join(blob)).collect();
        let blob = blobs.iter().find(|blob| std::fs::read(blob).unwrap().starts_with(b"2\n"));
        let blob = blob.unwrap();
        match damage {
            "remove" => std::fs::remove_file(blob).unwrap(),
            "flip" => {
                let mut bytes = std::fs::read(blob).unwrap();
                bytes[4000] ^= 1;
                std::fs::write(blob, bytes).unwrap();
            }
            _ => std::fs::write(blob, "2\n").unwrap(),
        }
        for n in 1..=3 {
            cachex.write(format!("work/out{n}"), "mine");
        }
        call.clone().with("--cached-only").once().hits().exits(125);
        for n in 1..=3 {
            assert_eq!(read(&cachex, &format!("out{n}")), "mine", "{damage}");
        }
        assert_eq!(listed(&cachex.work()), ["out1", "out2", "out3"]);
        call.once().misses();
        call.once().hits();
    }
}

#[test]
fn files_are_shared_between_records() {
    let cachex = cachex();
    let call = making(&cachex, "yes same | head -c 100000 >out; echo $X", "--output out");
    call.clone().env("X", "1").once().misses();
    let before = cachex.stored_in("v2/blobs").len();
    remove(&cachex, "out");
    call.env("X", "2").once().misses();
    assert_eq!(cachex.stored_in("v2/blobs").len(), before, "the file and the list of it");
}

#[test]
fn files_outlive_a_fold_and_go_with_their_record() {
    let cachex = cachex();
    let call = making(&cachex, "yes made | head -c 100000 >out", "--output out");
    call.once().misses();
    cachex.folds();
    remove(&cachex, "out");
    call.once().hits();
    assert_eq!(read(&cachex, "out").len(), 100_000);
    cachex.run("yes made | head -c 100000 >out").forget().once().exits(0);
    assert!(cachex.stored_in("v2/blobs").is_empty());
}

#[test]
fn too_much_is_not_recorded() {
    let cachex = cachex();
    let call = making(&cachex, "yes x | head -c 2000 >out; echo ran", "--output out");
    call.with("--max-entry-size 1kB").twice().misses().prints("ran\n").exits(0);
}

#[test]
fn a_refresh_behind_ones_back_would_change_files() {
    let cachex = cachex();
    let call = making(&cachex, "echo x >out", "--output out").expires_in("1h");
    let both = call.clone().option("--refresh-after", "1m");
    both.once().exits(125).mentions(&["--refresh-after", "--output", "contradict"]);
    // A lasting setting gives way.
    call.env("CACHEX_REFRESH_AFTER", "1m").twice().runs_once().exits(0);
}

#[test]
fn waiters_get_the_files_where_they_are() {
    let cachex = cachex();
    let script = format!("{}; echo made >out; echo done", cachex.gate("go"));
    let call = cachex.run(&script).with("--no-concurrent --no-cwd --output out");
    let first = call.spawn();
    cachex.awaits_runs(1);
    std::fs::create_dir(cachex.path("other")).unwrap();
    let second = call.clone().inside(cachex.path("other")).spawn();
    cachex.opens("go");
    first.ends().prints("done\n").exits(0);
    second.ends().prints("done\n").exits(0);
    assert_eq!(std::fs::read_to_string(cachex.path("other/out")).unwrap(), "made\n");
    assert_eq!(cachex.runs(), 1);
}

#[test]
fn what_stands_in_brings_its_files() {
    let cachex = cachex();
    cachex.write("mood", "echo good >out; echo fine");
    let script = format!(". {}", cachex.path("mood").display());
    let call = cachex.run(&script).with("--output out --stale-if-error 1h").expires_in("10m");
    call.once().misses().prints("fine\n");
    cachex.write("mood", "echo bad >out; exit 1");
    call.clone().after("11m").once().misses().prints("fine\n").exits(0);
    assert_eq!(read(&cachex, "out"), "good\n");
    std::fs::write(cachex.path("work/out"), "spoilt").unwrap();
    call.after("11m").once().hits().prints("fine\n");
    assert_eq!(read(&cachex, "out"), "good\n");
}

#[test]
fn there_may_be_more_files_than_descriptors() {
    let cachex = cachex();
    let script = "mkdir dist; for n in $(seq 1 300); do echo $n >dist/$n; done";
    let call = making(&cachex, script, "--output dist").launched_by(r#"ulimit -n 64; exec "$@""#);
    call.once().misses().quietly();
    remove(&cachex, "dist");
    call.once().hits().quietly();
    assert_eq!(listed(&cachex.path("work/dist")).len(), 300);
}
