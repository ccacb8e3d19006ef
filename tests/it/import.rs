//! `cachex import`: all of an archive that is whole, and nothing of one that is not.

use crate::harness::{
    Cachex, Call, Mounted, Outcome, cachex, eventually, flip, where_mounts_are_ones_own,
};
use rustix::io::Errno;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

/// Three results, with and without blobs, in `archive` and not in the store.
fn exported(cachex: &Cachex) -> Vec<(Call, Outcome)> {
    let mixed = "i=0; while [ $i -lt 400 ]; do i=$((i+1)); echo $i; echo e$i >&2; done; exit 3";
    let calls = ["echo hi", "seq 1 50000", mixed].map(|script| cachex.run(script));
    let calls = calls.map(|call| call.failure_expires_in("1d"));
    let calls: Vec<_> =
        calls.into_iter().map(|call| (call.clone(), call.before("1h").once().misses())).collect();
    cachex.cli(["export", "--to", "../archive"]).once().exits(0);
    fs::remove_dir_all(cachex.store()).unwrap();
    calls
}

fn import(cachex: &Cachex) -> Call {
    cachex.cli(["import", "../archive"])
}

#[track_caller]
fn all_there(calls: &[(Call, Outcome)]) {
    for (call, good) in calls {
        call.once().hits().same_as(good);
    }
}

/// Every file of the store, but for what says nothing about results.
fn state(cachex: &Cachex) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = cachex.stored_in("v2").into_iter();
    // The account says what there is, and is put right by who looks.
    let files = files.filter(|path| !path.starts_with("v2/locks") && !path.ends_with("account"));
    files.map(|path| (path.clone(), fs::read(cachex.in_store(path)).unwrap())).collect()
}

#[test]
fn an_archive_comes_from_a_file_a_pipe_or_standard_input() {
    let cachex = cachex();
    let calls = exported(&cachex);
    let archive = fs::read(cachex.path("archive")).unwrap();
    let behind = [b"something else".as_slice(), &archive].concat();
    let behind = cachex.write("behind", behind);
    let from_stdin = cachex.cli(["import", "-"]);
    let ways = [
        import(&cachex),
        from_stdin.clone().stdin(&archive),
        from_stdin.clone().stdin_from(cachex.path("archive"), 0),
        from_stdin.stdin_from(behind, 14),
        cachex.shell("cachex import <(cat ../archive)"),
    ];
    for way in ways {
        let told = way.once().exits(0).quietly().stdout();
        assert!(told.starts_with("3 entries imported, "), "{told}");
        all_there(&calls);
        assert!(way.once().exits(0).stdout().ends_with("; 3 skipped: 3 there already\n"));
        cachex.awaits_quiet();
        fs::remove_dir_all(cachex.store()).unwrap();
    }
    assert_eq!(fs::read_dir(cachex.path("tmp")).unwrap().count(), 0);
}

#[test]
fn what_is_damaged_cut_short_or_something_else_changes_nothing() {
    let cachex = cachex();
    let calls = exported(&cachex);
    let good = fs::read(cachex.path("archive")).unwrap();
    let is_refused = |bytes: &[u8], why: &str| {
        fs::write(cachex.path("archive"), bytes).unwrap();
        let before = state(&cachex);
        let refused = [why, "nothing was imported"];
        import(&cachex).once().exits(1).prints("").says_one_line(&refused);
        cachex.cli(["import", "-"]).stdin(bytes).once().exits(1).says_one_line(&refused);
        assert_eq!(state(&cachex), before);
    };
    let damaged = |bytes: &[u8]| is_refused(bytes, "damaged or cut short");
    // Where there is no store none is made.
    damaged(&good[..good.len() / 2]);
    assert!(!cachex.store().exists());
    cachex.run("echo other").once();
    for cut in [4, 9, 20, good.len() / 3, good.len() - 33, good.len() - 1] {
        damaged(&good[..cut]);
    }
    damaged(&[&good[..], b"more"].concat());
    for at in (20..good.len()).step_by(good.len() / 12) {
        fs::write(cachex.path("archive"), &good).unwrap();
        flip(&cachex.path("archive"), at as u64);
        // What unpacks to the first bytes makes it an archive; by chance it is in that.
        is_refused(&fs::read(cachex.path("archive")).unwrap(), "");
    }
    is_refused(b"", "not an archive");
    is_refused(b"#!/bin/sh\necho hi\n", "not an archive");
    is_refused(&zstd::encode_all(&b"hi, I am something else"[..], 0).unwrap(), "not an archive");
    let mut other = zstd::decode_all(&good[..]).unwrap();
    other[7] += 1;
    is_refused(&zstd::encode_all(&other[..], 0).unwrap(), "another version");
    fs::write(cachex.path("archive"), &good).unwrap();
    import(&cachex).once().exits(0);
    all_there(&calls);
}

#[test]
fn who_names_nothing_to_read_is_told() {
    let cachex = cachex();
    let from = |name: &str| cachex.cli(["import", name]).once().prints("");
    from("nowhere").exits(1).says_one_line(&["nowhere", "No such file"]);
    from(".").exits(1).says_one_line(&["folder"]);
    cachex.cli(["import"]).once().exits(2).mentions(&["<FILE>"]);
    assert!(!cachex.store().exists());
}

#[test]
fn what_was_recorded_later_wins() {
    let cachex = cachex();
    let calls = exported(&cachex);
    let key = |call: &Call| call.key();
    // One later than the archive, one before it: recorded an hour ago.
    let later = calls[0].0.clone();
    later.once().misses();
    let sooner = calls[1].0.clone();
    sooner.clone().before("2h").once().misses();
    let told = import(&cachex).once().exits(0).stdout();
    assert!(told.starts_with("2 entries imported (1 in place of an earlier one), "), "{told}");
    assert!(told.ends_with("; 1 skipped: 1 there already\n"), "{told}");
    let age = |call: &Call| {
        let shown = cachex.cli(["show", "--json"]).with(&key(call)).once().exits(0).stdout();
        let shown: Value = serde_json::from_str(&shown).unwrap();
        shown["age"].as_f64().unwrap()
    };
    assert!(age(&later) < 1000.0);
    assert!((3000.0..5000.0).contains(&age(&sooner)));
    // The same where the database has them.
    cachex.awaits_quiet();
    cachex.folds_away();
    let told = import(&cachex).once().exits(0).stdout();
    assert!(told.ends_with("; 3 skipped: 3 there already\n"), "{told}");
}

#[test]
fn what_expired_on_the_way_is_not_taken_in() {
    let cachex = cachex();
    cachex.run("echo hi").expires_in("1h").once();
    cachex.run("echo ho").once();
    cachex.cli(["export", "--to", "../archive"]).once().exits(0);
    cachex.cli(["clear", "--yes"]).once().exits(0);
    let told = import(&cachex).after("2h").once().exits(0).stdout();
    assert!(told.starts_with("1 entry imported, ") && told.ends_with("1 expired\n"), "{told}");
    let told = import(&cachex).before("1h").once().exits(0).stdout();
    assert_eq!(told, "no entry imported; 2 skipped: 2 from the future\n");
}

#[test]
fn json_has_it_all_under_stable_names_and_a_rehearsal_changes_nothing() {
    let cachex = cachex();
    let calls = exported(&cachex);
    let rehearsed = import(&cachex).with("--dry-run --json").once().exits(0).quietly().stdout();
    assert!(!cachex.store().exists());
    let json: Value = serde_json::from_str(&rehearsed).unwrap();
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&json), ["blobs", "bytes", "dry_run", "imported", "replaced", "skipped"]);
    assert_eq!(names(&json["skipped"]), ["expired", "future", "invalid", "present", "too_large"]);
    let told = import(&cachex).with("--json").once().exits(0).quietly().stdout();
    assert_eq!(told, rehearsed.replace("\"dry_run\":true", "\"dry_run\":false"));
    all_there(&calls);
    let told = import(&cachex).with("--dry-run").once().exits(0).stdout();
    assert_eq!(told, "no entry would be imported; 3 skipped: 3 there already\n");
    import(&cachex).with("--quiet").once().exits(0).prints("").quietly();
}

#[test]
fn no_more_is_taken_in_than_the_store_may_hold() {
    let cachex = cachex();
    exported(&cachex);
    let small = import(&cachex).with("--max-size 100kB");
    small.once().exits(1).says_one_line(&["more than 97.7 KiB", "--max-size", "nothing was"]);
    import(&cachex).with("--max-size 1kB").once().exits(1);
    assert!(!cachex.store().exists());
    import(&cachex).with("--max-size 1MB").once().exits(0);
    cachex.awaits_quiet();
    // What is there beside it goes, as ever, if it is too much together.
    let large = cachex.run("seq 1 160000");
    large.clone().before("2h").once();
    cachex.run("echo last").once();
    for folder in ["v2/young", "v2/old"] {
        fs::remove_dir_all(cachex.in_store(folder)).unwrap();
    }
    large.before("2h").once();
    let import = import(&cachex).with("--max-size 1MB").env("CACHEX_COMPRESS", "0");
    import.once().exits(0);
    eventually("the older one to go", || (!cachex.stores(1_008_895, "1")).then_some(()));
}

#[test]
fn what_is_imported_is_private_whatever_the_umask() {
    let cachex = cachex();
    exported(&cachex);
    import(&cachex).launched_by(r#"umask 000; exec "$@""#).once().exits(0);
    cachex.awaits_quiet();
    for path in cachex.stored() {
        let mode = fs::metadata(cachex.in_store(&path)).unwrap().permissions().mode() & 0o7777;
        let is_dir = cachex.in_store(&path).is_dir();
        assert_eq!(mode, if is_dir { 0o700 } else { 0o600 }, "{}", path.display());
    }
}

#[test]
fn a_store_that_cannot_be_written_is_a_failure() {
    let cachex = cachex();
    exported(&cachex);
    cachex.run("echo other").once();
    for (point, errno) in [("create", Errno::ROFS), ("create", Errno::ACCESS), ("write", Errno::IO)]
    {
        let before = state(&cachex);
        let failed = import(&cachex).fails_at(point, errno).once().exits(1).prints("");
        failed.says_one_line(&["importing from ../archive"]);
        assert_eq!(state(&cachex), before);
    }
}

/// Nothing is half-way there, what is left is swept, and then it works.
#[track_caller]
fn is_done_next_time(cachex: &Cachex, calls: &[(Call, Outcome)]) {
    for (call, good) in calls {
        let absent = call.clone().with("--cached-only --miss-status 99").once();
        assert!(absent.exited_with(99) || absent.same_as(good).executions() == 0);
    }
    cachex.fold().after("2h").once().exits(0);
    cachex.is_swept();
    import(cachex).once().exits(0);
    all_there(calls);
    cachex.awaits_quiet();
}

#[test]
fn who_is_killed_leaves_nothing_half_done() {
    let cachex = cachex();
    let calls = exported(&cachex);
    let other = cachex.run("echo other");
    other.once();
    cachex.fold().once().exits(0);
    cachex.keeps_store("kept");
    let changes = import(&cachex).killed_everywhere(
        || {
            cachex.awaits_quiet();
            cachex.restores_store("kept");
        },
        |_| {
            other.once().hits();
            is_done_next_time(&cachex, &calls);
        },
    );
    assert!(changes >= 15, "it only makes {changes} changes");
}

#[test]
fn any_change_may_find_the_disk_full() {
    let cachex = cachex();
    let calls = exported(&cachex);
    let other = cachex.run("echo other");
    other.once();
    cachex.keeps_store("kept");
    let mut failures = 0;
    for n in 1.. {
        cachex.restores_store("kept");
        let before = state(&cachex);
        let fault = format!("change:{n}={}", Errno::NOSPC.raw_os_error());
        let failed = import(&cachex).fault(fault).once();
        cachex.awaits_quiet();
        // The note of uses may fail, and so may the fold behind; nobody minds.
        if failed.succeeded() {
            all_there(&calls);
            if n > 40 {
                break;
            }
            continue;
        }
        failures += 1;
        failed.exits(1).prints("").says_one_line(&["No space left"]);
        let left = state(&cachex);
        assert!(before.iter().all(|(path, content)| left.get(path) == Some(content)));
        assert!(cachex.stored_in("v2/tmp").is_empty());
        other.once().hits();
        is_done_next_time(&cachex, &calls);
    }
    assert!(failures >= 12, "only {failures} changes failed");
}

#[test]
fn a_disk_that_is_too_small_leaves_the_store_as_it_was() {
    let cachex = cachex();
    let calls = exported(&cachex);
    where_mounts_are_ones_own(|| {
        for pages in [10, 20, 40, 70] {
            let mounted = Mounted::small(&cachex.store(), pages, 4096);
            let other = cachex.run("echo other");
            other.once();
            let before = state(&cachex);
            import(&cachex).once().exits(1).says_one_line(&["No space left"]);
            assert_eq!(state(&cachex), before);
            other.once().hits();
            mounted.grows(4096, 4096);
            import(&cachex).once().exits(0);
            all_there(&calls);
            cachex.awaits_quiet();
        }
    });
}

#[test]
fn runs_folds_and_imports_do_not_disturb_each_other() {
    let cachex = cachex();
    let calls = exported(&cachex);
    let running: Vec<_> = (0..6)
        .flat_map(|n| {
            let run = cachex.run(&format!("seq 1 {}", 3000 + n)).spawn();
            [run, import(&cachex).spawn(), cachex.fold().spawn(), calls[n % 3].0.spawn()]
        })
        .collect();
    for running in running {
        let outcome = running.ends();
        assert!(outcome.exited_with(0) || outcome.exited_with(3), "{}", outcome.stderr());
    }
    cachex.awaits_quiet();
    all_there(&calls);
    for n in 0..6 {
        cachex.run(&format!("seq 1 {}", 3000 + n)).once().hits();
    }
    cachex.cli(["doctor"]).once().exits(0).shows(&["no problems"]);
}

#[test]
fn runs_are_recorded_while_an_archive_comes_in() {
    let cachex = cachex();
    let calls = exported(&cachex);
    let call = &calls[0].0;
    cachex.run("echo other").once();
    let importing = import(&cachex).fault("mkdir:1=hang").spawn();
    cachex.awaits_holder("fold");
    call.once().misses();
    call.once().hits();
    drop(importing);
    cachex.awaits_quiet();
    let told = import(&cachex).once().exits(0).stdout();
    assert!(told.ends_with("; 1 skipped: 1 there already\n"), "{told}");
}

#[test]
fn a_damaged_database_is_set_aside_and_the_archive_comes_in() {
    let cachex = cachex();
    let calls = exported(&cachex);
    for (call, _) in &calls {
        call.clone().before("3h").once().misses();
    }
    cachex.folds_away();
    for path in cachex.stored_in("v2/old") {
        fs::write(cachex.in_store(path), "junk").unwrap();
    }
    let warned = import(&cachex).once().exits(0).warns_once(&["was damaged; it was set aside"]);
    assert!(warned.stdout().starts_with("3 entries imported, "));
    all_there(&calls);
}

#[test]
fn what_never_ends_and_is_no_archive_is_refused_at_once() {
    let cachex = cachex();
    let mut running = cachex.cli(["import", "-"]).stdin_open().spawn();
    running.feed("y\n".repeat(20_000));
    // Nobody ends the pipe.
    running.ends().exits(1).promptly().says_one_line(&["not an archive", "nothing was imported"]);
    cachex.cli(["import", "/dev/zero"]).once().exits(1).promptly().mentions(&["not an archive"]);
    // Frames that hold nothing go on for ever, and are no more than so many bytes.
    let skippable =
        [&[0x50, 0x2a, 0x4d, 0x18][..], &65_536_u32.to_le_bytes(), &vec![0; 65_536]].concat();
    let frame =
        cachex.write("frame", [&[0x28, 0xb5, 0x2f, 0xfd, 0, 0, 1, 0, 0], &skippable[..]].concat());
    let endless = format!(
        "while cat {} 2>/dev/null; do :; done | cachex import --max-size 1MiB -",
        frame.display()
    );
    cachex.shell(&endless).once().exits(1).promptly().mentions(&["nothing was imported"]);
}

#[test]
fn what_is_longer_than_what_is_recorded_here_is_not_taken_in() {
    let cachex = cachex();
    let calls = exported(&cachex);
    let picky = import(&cachex).env("CACHEX_MAX_ENTRY_SIZE", "1kB");
    let told = picky.once().exits(0).stdout();
    assert!(told.ends_with("; 2 skipped: 2 beyond --max-entry-size\n"), "{told}");
    calls[0].0.once().hits();
    calls[1].0.once().misses();
}
