//! Times: those that a run compares, and those that it gives to files.

use super::auto;
use crate::harness::{Cachex, Call, cachex};
use crate::outputs::read;
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

/// So many seconds after a day long ago, and not at the beginning of a second.
fn long_ago(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::new(1_000_000_000 + seconds, 123_456_789)
}

fn date(path: impl AsRef<Path>, time: SystemTime) {
    File::open(path).unwrap().set_modified(time).unwrap();
}

fn time(cachex: &Cachex, name: &str) -> SystemTime {
    cachex.work().join(name).symlink_metadata().unwrap().modified().unwrap()
}

fn below(cachex: &Cachex, script: &str) -> Call {
    auto(cachex, script).with("--auto-outputs below")
}

#[test]
fn what_a_run_gives_a_time_has_that_time_after_a_hit() {
    for (script, files) in [
        ("cp -p f g", &["g"][..]),
        ("cp -p f t; mv t g", &["g"]),
        ("cp -p f g; ln g h", &["g", "h"]),
        ("cp f g; ln g b; touch -r f g", &["b", "g"]),
        ("mkdir o; cp -a f d l o", &["o/f", "o/d/x", "o/d", "o/l"]),
        ("mkdir o; tar xf a.tar -C o", &["o/d/x", "o/d"]),
        ("python3 -c 'import shutil; shutil.copy2(\"f\", \"g\")'", &["g"]),
        ("rm -rf o; mkdir t; cp -a d t; mv t o", &["o/d/x"]),
    ] {
        let cachex = cachex();
        cachex.write("work/f", "one\n");
        cachex.write("work/d/x", "two\n");
        for (name, seconds) in [("f", 1), ("d/x", 2), ("d", 3)] {
            date(cachex.work().join(name), long_ago(seconds));
        }
        let sh = |script: &str| {
            let ended = Command::new("sh").args(["-c", script]).current_dir(cachex.work()).status();
            assert!(ended.unwrap().success());
        };
        sh("ln -s f l; touch -h -r f l; tar cf a.tar --format=posix d");
        let call = below(&cachex, script);
        call.once().misses();
        let times = || -> Vec<SystemTime> { files.iter().map(|it| time(&cachex, it)).collect() };
        let before = times();
        assert!(before.iter().all(|it| *it < long_ago(60)), "{script}: {before:?}");
        sh("rm -rf o g h b");
        call.once().hits();
        assert_eq!(times(), before, "{script}");
        // Where it is already, some look at it first.
        sh("touch $(find . -path './o/*' -o -name '[ghb]')");
        call.once();
        assert_eq!(times(), before, "{script}");
        // The time that was copied is part of the key.
        if !script.contains("tar") {
            sh("rm -rf o g h b");
            for name in ["f", "d/x"] {
                date(cachex.work().join(name), long_ago(30));
            }
            call.once().misses();
            assert_ne!(times(), before, "{script}");
        }
    }
}

#[test]
fn a_folder_or_a_link_that_was_given_a_time_gets_it_by_a_hit_too() {
    for (script, name, is_chosen) in [
        ("touch d", "d", false),
        ("touch -d @1000000060 d", "d", true),
        ("touch -r f d", "d", true),
        ("touch -r f d; echo x >d/y; touch -r f d", "d", true),
        ("touch -r f d; echo x >d/y", "d", false),
        ("mkdir -p d; touch d", "d", false),
        ("rmdir d/e; mkdir d/e", "d/e", false),
        ("rmdir d/e; mkdir d/e; touch -r f d/e", "d/e", true),
        ("touch .", ".", false),
        ("touch -r f .", ".", true),
        ("touch -h l", "l", false),
        ("touch -h -r f l", "l", true),
    ] {
        let cachex = cachex();
        cachex.write("work/f", "one\n");
        fs::create_dir_all(cachex.path("work/d/e")).unwrap();
        let sh = |script: &str| {
            let ended = Command::new("sh").args(["-c", script]).current_dir(cachex.work()).status();
            assert!(ended.unwrap().success());
        };
        sh("ln -s f l");
        let lay = || {
            sh("rm -f d/y; touch -h -d @1000000000 l");
            for (name, seconds) in [("f", 60), ("d/e", 1), ("d", 1), (".", 1)] {
                date(cachex.work().join(name), long_ago(seconds));
            }
        };
        lay();
        let call = below(&cachex, script);
        let (long_ago, began) = (long_ago(30), SystemTime::now() - Duration::from_secs(1));
        let is_right = || {
            let time = time(&cachex, name);
            if is_chosen { time > long_ago && time < began } else { time > began }
        };
        call.once().misses();
        assert!(is_right(), "{script}: {:?}", time(&cachex, name));
        lay();
        assert!(!is_right(), "{script}");
        call.once().hits();
        assert!(is_right(), "{script}: {:?}", time(&cachex, name));
    }
}

#[test]
fn a_file_of_which_the_run_changed_the_permissions_alone_keeps_its_time() {
    let cachex = cachex();
    let file = cachex.write("work/f", "one\n");
    let call = below(&cachex, "chmod 755 f");
    let lay = || {
        fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).unwrap();
        date(&file, long_ago(1));
    };
    lay();
    call.once().misses();
    lay();
    call.once().hits();
    assert_eq!(time(&cachex, "f"), long_ago(1));
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o755);
}

#[test]
fn all_files_of_a_hit_have_one_time_and_make_finds_nothing_to_do() {
    let cachex = cachex();
    // By the order of their names, the later is put in its place first.
    let makefile = "a.all: z.o y.o\n\tcat z.o y.o >$@\n%.o: %.c\n\tcp $< $@\n";
    cachex.write("work/Makefile", makefile);
    cachex.write("work/z.c", "z\n");
    cachex.write("work/y.c", "y\n");
    let call = below(&cachex, "make -s");
    let names = ["a.all", "y.o", "z.o"];
    call.once().misses();
    for name in names {
        fs::remove_file(cachex.work().join(name)).unwrap();
    }
    call.once().hits();
    let times = names.map(|name| time(&cachex, name));
    assert_eq!(times, [times[0]; 3]);
    assert_eq!(read(&cachex, "a.all"), "z\ny\n");
    let made = Command::new("make").arg("-q").current_dir(cachex.work()).status().unwrap();
    assert!(made.success());
}

#[test]
fn a_hit_within_another_call_depends_on_the_times_that_it_looks_at() {
    let cachex = cachex();
    let file = cachex.write("work/f", "one\n");
    let inner = crate::harness::World::binary().display().to_string();
    let call = auto(&cachex, &format!("{inner} run --auto -- cat f"));
    // A file that has long been there is known by its times alone.
    crate::harness::eventually("an old file", || {
        let age = fs::metadata(&file).unwrap().modified().unwrap().elapsed();
        age.is_ok_and(|age| age.as_secs() >= 3).then_some(())
    });
    call.clone().bare().once().prints("one\n");
    call.times(3).prints("one\n");
    // Of the same size, and with the same modification time.
    let before = fs::metadata(&file).unwrap().modified().unwrap();
    fs::write(&file, "two\n").unwrap();
    File::options().append(true).open(&file).unwrap().set_modified(before).unwrap();
    call.once().prints("two\n");
}

#[test]
fn a_copy_that_updates_compares_times() {
    let cachex = cachex();
    let lay = |seconds: u64| {
        cachex.write("work/f", "new\n");
        cachex.write("work/g", "old\n");
        date(cachex.path("work/f"), long_ago(seconds));
        date(cachex.path("work/g"), long_ago(100));
    };
    for script in ["cp -u f g; cat g", "cp --update f g; cat g"] {
        let call = below(&cachex, script);
        lay(200);
        call.once().misses().prints("new\n");
        lay(50);
        call.once().misses().prints("old\n");
        lay(200);
        call.once().hits().prints("new\n");
    }
}

#[test]
fn of_a_folder_that_is_listed_the_time_counts_if_stat_shows_it() {
    let cachex = cachex();
    cachex.write("work/d/a", "");
    cachex.write("work/d/b", "");
    date(cachex.path("work/d"), long_ago(0));
    let by_names = auto(&cachex, "echo d/*");
    let by_time = auto(&cachex, "stat d >/dev/null; echo d/*");
    by_names.twice().runs_once().prints("d/a d/b\n");
    by_time.twice().runs_once().prints("d/a d/b\n");
    // Some file systems list the new file in another place.
    fs::remove_file(cachex.path("work/d/a")).unwrap();
    cachex.write("work/d/a", "");
    by_names.once().hits();
    by_time.twice().runs_once().prints("d/a d/b\n");
}
