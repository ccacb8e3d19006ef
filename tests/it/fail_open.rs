//! A store that cannot be used never keeps the command from running.

use crate::harness::{Call, Mounted, cachex, quoted, where_mounts_are_ones_own};
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

/// It runs every time, with one warning that names the store, or with none.
#[track_caller]
fn runs_uncached(call: &Call, store: &Path) {
    let shown = store.to_str().unwrap();
    call.twice().runs_twice().prints("hi\n").exits(3).warns_once(&[shown]);
    call.clone().with("--quiet").twice().runs_twice().prints("hi\n").exits(3).quietly();
}

#[cfg(target_os = "linux")]
#[test]
fn a_failure_near_the_limit_on_processes_is_not_recorded() {
    let call = cachex().run("exit 3").with("--verbose").without_privileges();
    // Fewer than there are, but more than this user has: none is refused.
    let limited = r#"bash -c 'read -r _ _ _ counts _ </proc/loadavg; all=${counts#*/}
        ulimit -u $((all * 3 / 4)); exec "$0" "$@"'"#;
    let limited = call.clone().limited(limited).twice().runs_twice().exits(3);
    for said in limited.stderrs() {
        assert!(said.contains("near the limit on processes"), "{said}");
    }
    call.twice().runs_once().exits(3);
}

#[test]
fn a_store_that_is_no_folder() {
    let cachex = cachex();
    let file = cachex.write("file", "precious");
    let call = cachex.run("echo hi; exit 3");
    runs_uncached(&call.clone().env("CACHEX_DIR", &file), &file);
    let below = file.join("below");
    runs_uncached(&call.clone().env("CACHEX_DIR", &below), &below);
    runs_uncached(&call.env("CACHEX_DIR", "/proc/no/such"), Path::new("/proc/no/such"));
    assert_eq!(fs::read_to_string(file).unwrap(), "precious");
}

#[test]
fn what_gets_no_input_gets_none_without_a_store_either() {
    let cachex = cachex();
    let list = "one\ntwo\n";
    let script =
        "while read -r word; do cachex run --quiet --stdin null -- sh -c \"echo $word; cat\"; done";
    let each = cachex.shell(script).env("CACHEX_DIR", "/proc/no/such");
    each.stdin(list).once().prints(list).quietly();
    let script = cachex.sh("cat; echo end").env("CACHEX_DIR", "/proc/no/such").with("--quiet");
    script.clone().stdin(list).once().prints("end\n").exits(0);
    script.stdin(list).with("--timeout 1m").once().prints("end\n").exits(0);
    let closed = cachex.sh("read -r line; echo got $line. >&2").stdin(list);
    closed.launched_by("exec \"$@\" >&-").once().says("got .\n").exits(0);
}

#[test]
fn a_default_store_that_cannot_be_created() {
    let cachex = cachex();
    cachex.write("home/.cache", "not a folder");
    let call = cachex.run("echo hi; exit 3").without("CACHEX_DIR");
    runs_uncached(&call, &cachex.path("home/.cache"));
}

#[test]
fn nowhere_to_put_a_store() {
    let call = cachex().run("echo hi").without("CACHEX_DIR").without("HOME");
    call.twice().prints("hi\n").exits(0).warns_once(&["HOME"]);
    call.with("--quiet").once().prints("hi\n").quietly();
}

#[test]
fn a_store_that_others_may_write_to_is_refused() {
    let cachex = cachex();
    let call = cachex.run("echo hi; exit 3");
    call.once().misses();
    for mode in [0o770, 0o720, 0o702, 0o777, 0o1777] {
        fs::set_permissions(cachex.store(), Permissions::from_mode(mode)).unwrap();
        runs_uncached(&call, &cachex.store());
        runs_uncached(&call.clone().option("--cache-dir", cachex.store()), &cachex.store());
    }
    fs::set_permissions(cachex.store(), Permissions::from_mode(0o750)).unwrap();
    call.once().hits().quietly();
}

#[test]
fn an_inner_folder_that_others_may_write_to_is_refused() {
    let cachex = cachex();
    let call = cachex.run("echo hi; exit 3");
    call.once().misses();
    fs::set_permissions(cachex.store().join("v2"), Permissions::from_mode(0o777)).unwrap();
    runs_uncached(&call, &cachex.store());
}

#[test]
fn a_store_of_another_user_is_refused() {
    let cachex = cachex();
    let call = cachex.run("echo hi; exit 3");
    call.once().misses();
    let theirs = if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(cachex.store(), Some(12345), None).unwrap();
        cachex.store()
    } else {
        Path::new("/usr").to_owned()
    };
    runs_uncached(&call.clone().env("CACHEX_DIR", &theirs), &theirs);
    runs_uncached(&call.option("--cache-dir", &theirs), &theirs);
}

#[test]
fn a_file_in_the_place_of_a_folder_in_the_store_is_no_wrong_name() {
    let cachex = cachex();
    fs::create_dir(cachex.store()).unwrap();
    fs::set_permissions(cachex.store(), Permissions::from_mode(0o700)).unwrap();
    fs::write(cachex.store().join("v2"), "").unwrap();
    let call = cachex.run("echo hi; exit 3");
    runs_uncached(&call, &cachex.store());
    runs_uncached(&call.option("--cache-dir", cachex.store()), &cachex.store());
}

#[test]
fn a_store_that_is_removed_meanwhile_is_no_wrong_name() {
    let cachex = cachex();
    let call = cachex.run("echo hi; exit 3").option("--cache-dir", cachex.store());
    let is_over = AtomicBool::new(false);
    let all: Vec<_> = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Relaxed) {
                let _ = fs::remove_dir_all(cachex.store());
            }
        });
        let all = (0..30).map(|_| call.once()).collect();
        is_over.store(true, Relaxed);
        all
    });
    for ended in all {
        ended.prints("hi\n").exits(3).warns_at_most_once();
    }
}

#[test]
fn a_store_behind_a_foreign_link_is_refused() {
    let cachex = cachex();
    let call = cachex.run("echo hi; exit 3");
    let target = cachex.path("target");
    fs::create_dir(&target).unwrap();
    fs::set_permissions(&target, Permissions::from_mode(0o700)).unwrap();
    let link = if rustix::process::geteuid().is_root() {
        let link = cachex.path("link");
        symlink(&target, &link).unwrap();
        std::os::unix::fs::lchown(&link, Some(12345), None).unwrap();
        link
    } else {
        // Links of the root user, where a merged `/usr` is.
        Path::new("/bin").to_owned()
    };
    runs_uncached(&call.clone().env("CACHEX_DIR", &link), &link);
    runs_uncached(&call.option("--cache-dir", &link), &link);
    assert_eq!(fs::read_dir(target).unwrap().count(), 0);
}

#[test]
fn a_store_behind_a_link_of_ones_own_is_a_choice() {
    let cachex = cachex();
    let target = cachex.path("target");
    fs::create_dir(&target).unwrap();
    fs::set_permissions(&target, Permissions::from_mode(0o700)).unwrap();
    symlink(&target, cachex.store()).unwrap();
    cachex.run("echo hi").twice().runs_once().quietly();
}

#[test]
fn links_planted_in_the_store_are_never_written_through() {
    for name in ["v2", "v2/young", "v2/tmp", "v2/blobs", "v2/locks", "v2/events"] {
        let cachex = cachex();
        let call = cachex.run("seq 1 10000").with("--no-concurrent");
        call.once().misses();
        let place = cachex.store().join(name);
        let _ = fs::remove_dir_all(&place).or_else(|_| fs::remove_file(&place));
        let target = cachex.path("target");
        if name == "v2/events" {
            fs::write(&target, "").unwrap();
        } else {
            fs::create_dir(&target).unwrap();
        }
        symlink(&target, &place).unwrap();
        let bare = call.clone().bare().once().stdout();
        call.times(3).prints(&bare).exits(0);
        cachex.run("echo other").twice().prints("other\n").exits(0);
        cachex.tries_to_fold();
        let touched = if target.is_dir() {
            fs::read_dir(&target).unwrap().count() > 0
        } else {
            fs::metadata(&target).unwrap().len() > 0
        };
        assert!(!touched, "the target of a link at {name} was written to");
    }
}

#[test]
fn a_link_in_the_place_of_an_entry_or_a_lock_is_never_written_through() {
    let cachex = cachex();
    let call = cachex.run("echo hi").with("--no-concurrent");
    call.once().misses();
    let victim = cachex.write("victim", "precious");
    let files: Vec<_> = cachex.stored().into_iter().map(|p| cachex.store().join(p)).collect();
    let files: Vec<_> = files.into_iter().filter(|path| path.is_file()).collect();
    assert!(files.len() >= 2, "{files:?}");
    for file in files {
        // What one round removed is not there in the next.
        let _ = fs::remove_file(&file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        symlink(&victim, &file).unwrap();
        call.twice().prints("hi\n").exits(0);
        // Whatever could be put right by now was.
        call.clone().with("--force").once().prints("hi\n").exits(0).quietly();
        call.once().hits();
        cachex.tries_to_fold();
        let shown = file.display();
        assert_eq!(fs::read_to_string(&victim).unwrap(), "precious", "through {shown}");
    }
}

#[test]
fn a_link_is_not_read_through_either() {
    // Another store's entry of the same key, behind a link.
    let cachex = cachex();
    let call = cachex.run("echo hi");
    call.once().misses();
    let [entry] = &cachex.stored_in("v2/young")[..] else { panic!("{:?}", cachex.stored()) };
    let (entry, moved) = (cachex.store().join(entry), cachex.path("moved"));
    fs::rename(&entry, &moved).unwrap();
    symlink(&moved, &entry).unwrap();
    call.once().misses().prints("hi\n");
}

#[test]
fn a_store_that_cannot_be_written_to_serves_what_it_has() {
    let cachex = cachex();
    let known = cachex.run("echo hi; exit 3").without_privileges();
    let unknown = cachex.run("echo new; exit 4").without_privileges();
    known.once().misses();
    let folders = |mode: &str| {
        let store = quoted(cachex.store());
        cachex.shell(&format!("find {store} -type d -exec chmod {mode} {{}} +")).once().exits(0)
    };
    folders("0500");
    known.twice().hits().prints("hi\n").exits(3).quietly();
    unknown.twice().runs_twice().prints("new\n").exits(4);
    folders("0700");
    unknown.twice().runs_once().prints("new\n").exits(4).quietly();
}

#[test]
fn a_full_table_of_descriptors_is_no_reason_not_to_run() {
    let cachex = cachex();
    for limit in 4..14 {
        // `sh` itself needs few; whatever is missing, the command runs.
        let call = cachex.exec(["true"]).launched_by(&format!(r#"ulimit -n {limit}; exec "$@""#));
        let bare = call.clone().bare().once();
        if bare.succeeded() {
            let outcome = call.once();
            assert!(outcome.succeeded(), "with {limit} descriptors: {}", outcome.stderr());
        }
    }
}

#[test]
fn root_creates_nothing_in_the_home_of_another_user() {
    if !rustix::process::geteuid().is_root() {
        // Nobody else could.
        return;
    }
    let cachex = cachex();
    let home = cachex.path("home");
    std::os::unix::fs::chown(&home, Some(12345), None).unwrap();
    let call = cachex.run("echo hi; exit 3").without("CACHEX_DIR");
    runs_uncached(&call, &home.join(".cache/cachex"));
    let caches = home.join("caches");
    let elsewhere = call.clone().env("XDG_CACHE_HOME", &caches);
    runs_uncached(&elsewhere, &caches.join("cachex"));
    assert_eq!(fs::read_dir(&home).unwrap().count(), 0);
    // Who names it means it.
    call.clone().env("CACHEX_DIR", &caches).twice().runs_once().exits(3);
    call.option("--cache-dir", &caches).once().hits().exits(3);
}

#[test]
fn no_home_is_created_and_nobody_is_told_each_time() {
    let cachex = cachex();
    let none = cachex.path("none");
    let call = cachex.run("echo hi; exit 3").without("CACHEX_DIR").env("HOME", &none);
    call.twice().runs_twice().prints("hi\n").exits(3).quietly();
    call.clone().with("--verbose").once().says_one_line(&["not cached", "/none/.cache/cachex"]);
    assert!(!none.exists());
    // What was chosen is created.
    let caches = cachex.path("new/caches");
    call.env("XDG_CACHE_HOME", &caches).twice().runs_once();
}

#[test]
fn a_home_that_cannot_be_written_to_is_passed_over_in_silence() {
    where_mounts_are_ones_own(|| {
        let cachex = cachex();
        let home = cachex.path("home");
        let _mounted = Mounted::read_only(&home);
        let call = cachex.run("echo hi; exit 3").without("CACHEX_DIR");
        call.twice().runs_twice().prints("hi\n").exits(3).quietly();
    });
}
