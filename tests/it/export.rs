//! `cachex export`: what was asked for is in the archive, and the archive is in
//! its place when it is whole.

use crate::harness::{Cachex, Call, Mounted, Outcome, cachex, quoted, where_mounts_are_ones_own};
use rustix::io::Errno;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

const MIB: u64 = 1 << 20;

fn export(cachex: &Cachex) -> Call {
    cachex.cli(["export", "--to"]).with(cachex.path("archive").to_str().unwrap())
}

/// Into another store of the same world.
fn import(cachex: &Cachex) -> Call {
    elsewhere(cachex, cachex.cli(["import"]).with(cachex.path("archive").to_str().unwrap()))
}

fn elsewhere(cachex: &Cachex, call: Call) -> Call {
    call.env("CACHEX_DIR", cachex.path("elsewhere"))
}

/// A short, a long and a mixed output, and what they print.
fn recorded(cachex: &Cachex) -> Vec<(Call, Outcome)> {
    let mixed = "i=0; while [ $i -lt 400 ]; do i=$((i+1)); echo $i; echo e$i >&2; done; exit 3";
    let calls = ["echo hi", "seq 1 50000", mixed].map(|script| cachex.run(script));
    let calls = calls.map(|call| call.failure_expires_in("1d").with("--tag some"));
    calls.into_iter().map(|call| (call.clone(), call.once().misses())).collect()
}

#[track_caller]
fn said(call: &Call) -> String {
    call.once().exits(0).quietly().stdout()
}

#[test]
fn what_is_exported_hits_elsewhere() {
    for is_folded in [false, true] {
        let cachex = cachex();
        let calls = recorded(&cachex);
        if is_folded {
            cachex.folds_away();
        }
        assert!(said(&export(&cachex)).starts_with("3 entries exported, "));
        assert!(said(&import(&cachex)).starts_with("3 entries imported, "));
        cachex.awaits_quiet();
        for (call, good) in &calls {
            elsewhere(&cachex, call.clone()).once().hits().same_as(good);
        }
        let doctor = elsewhere(&cachex, cachex.cli(["doctor"])).once().exits(0);
        doctor.shows(&["no problems", "3 old entries, 2 blobs"]);
        let list = elsewhere(&cachex, cachex.cli(["list", "--tag", "some"])).once().exits(0);
        assert_eq!(list.stdout().lines().count(), 4);
    }
}

#[test]
fn the_same_results_make_the_same_archive() {
    let cachex = cachex();
    recorded(&cachex);
    let archive = || fs::read(cachex.path("archive")).unwrap();
    export(&cachex).once().exits(0);
    let first = archive();
    cachex.folds_away();
    export(&cachex).once().exits(0);
    assert_eq!(archive(), first);
    import(&cachex).once().exits(0);
    elsewhere(&cachex, export(&cachex)).once().exits(0);
    assert_eq!(archive(), first);
    let to_stdout = format!("cachex export --to - >{}", quoted(cachex.path("archive")));
    let told = cachex.shell(&to_stdout).once().exits(0).prints("").stderr();
    assert!(told.starts_with("3 entries exported, "), "{told}");
    assert_eq!(archive(), first);
}

/// `echo 1` to `echo 4`: recorded one, two, three and four hours ago, the odd
/// ones with the tag `odd`, the first two in the scope `new`.
fn four(cachex: &Cachex) -> [Call; 4] {
    [1, 2, 3, 4].map(|n| {
        let call = cachex.run(&format!("echo {n}"));
        let call = call.with(if n % 2 == 1 { "--tag odd" } else { "--tag even" });
        let call = if n < 3 { call.option("--scope", "new") } else { call };
        call.clone().before(&format!("{n}h")).once().misses();
        call
    })
}

/// Which of the calls would be hits elsewhere.
fn there(cachex: &Cachex, calls: &[Call; 4]) -> [bool; 4] {
    calls.each_ref().map(|call| {
        let look = elsewhere(cachex, call.clone()).with("--cached-only --miss-status 99");
        !look.once().exited_with(99)
    })
}

#[test]
fn entries_are_exported_by_what_they_are_and_conditions_add_up() {
    let cachex = cachex();
    let calls = four(&cachex);
    let keys = [calls[1].key(), calls[3].key()];
    // Naming the keys was a use, which counts for `--since`.
    let work = cachex.work();
    for (options, expected) in [
        (String::new(), [true; 4]),
        ("--tag odd".into(), [true, false, true, false]),
        ("--scope new".into(), [true, true, false, false]),
        ("--scope new --tag odd".into(), [true, false, false, false]),
        ("--since 150m".into(), [true, true, false, true]),
        ("--since 1970-02-01".into(), [true; 4]),
        ("--command sh*echo?[23]".into(), [false, true, true, false]),
        (format!("--cwd {}", work.display()), [true; 4]),
        ("--cwd /".into(), [false; 4]),
        (keys.join(" "), [false, true, false, true]),
        (format!("{} {} --scope new --tag even", keys[0], keys[0]), [false, true, false, false]),
    ] {
        let count = expected.iter().filter(|there| **there).count();
        let export = export(&cachex).with(&options).with("--json");
        let json: Value = serde_json::from_str(&said(&export)).unwrap();
        assert_eq!(json["exported"], count, "{options}");
        let _ = fs::remove_dir_all(cachex.path("elsewhere"));
        import(&cachex).once().exits(0);
        assert_eq!(there(&cachex, &calls), expected, "{options}");
        cachex.awaits_quiet();
    }
}

#[test]
fn a_key_that_is_not_there_is_named() {
    let cachex = cachex();
    cachex.run("true").once();
    let kept = cachex.write("archive", "as it was");
    export(&cachex).with("0123456789").once().exits(1).says_one_line(&["0123456789", "nothing"]);
    fs::remove_dir_all(cachex.store()).unwrap();
    export(&cachex).with("0123456789").once().exits(1).says_one_line(&["0123456789", "nothing"]);
    assert_eq!(fs::read_to_string(kept).unwrap(), "as it was");
    export(&cachex).with("xyz").once().exits(2).mentions(&["hexadecimal"]);
}

#[test]
fn what_is_of_no_use_any_more_is_left_out() {
    let cachex = cachex();
    cachex.run("echo gone").expires_in("1h").once();
    cachex.run("echo stale").expires_in("1h").option("--stale-if-error", "1d").once();
    cachex.run("echo fresh").once();
    let told = said(&export(&cachex).after("2h"));
    assert!(told.starts_with("2 entries exported, ") && told.ends_with("; 1 skipped: 1 expired\n"));
}

#[test]
fn up_to_a_size_what_was_used_last_is_exported() {
    let cachex = cachex();
    let large = |n| cachex.exec(["sh", "-c", &format!("yes {n} | head -c 100000")]);
    for n in 0..5 {
        large(n).before(&format!("{} min", 60 - n)).once().exits(0);
    }
    large(0).before("10 min").once();
    let shared = cachex.exec(["sh", "-c", "yes 0 | head -c 100000; exit 0"]).before("50 min");
    shared.once();
    let told = said(&export(&cachex).with("--max-size 250kB"));
    assert!(told.starts_with("3 entries exported, 196."), "{told}");
    assert!(told.ends_with("; 3 skipped: 3 beyond --max-size\n"), "{told}");
    import(&cachex).once().exits(0);
    // When they were used last comes along, so that it goes on to be of use.
    let again = cachex.path("again");
    let export_again = cachex.cli(["export", "--max-size", "110kB", "--to"]);
    let told = said(&elsewhere(&cachex, export_again.with(again.to_str().unwrap())));
    assert!(told.starts_with("2 entries exported, "), "{told}");
    let is_there = |call: &Call| {
        let look = elsewhere(&cachex, call.clone()).without("CACHEX_TEST_CLOCK");
        look.with("--cached-only").once().exited_with(0)
    };
    // Two of them have one output, which counts once.
    let calls = [large(0), shared, large(4), large(3)];
    assert_eq!(calls.each_ref().map(is_there), [true, true, true, false]);
    cachex.awaits_quiet();
    fs::remove_dir_all(cachex.path("elsewhere")).unwrap();
    fs::rename(again, cachex.path("archive")).unwrap();
    import(&cachex).once().exits(0);
    assert_eq!(calls.each_ref().map(is_there), [true, true, false, false]);
    assert!(said(&export(&cachex).with("--max-size 0")).starts_with("no entry exported, "));
}

#[test]
fn declared_files_come_along_each_content_once() {
    let cachex = cachex();
    let script = "mkdir dist; seq 1 20000 >dist/long; cp dist/long dist/same; echo x >dist/short; \
                  ln -s long dist/link; seq 1 20000";
    let call = cachex.run(script).with("--output dist");
    let good = call.once().misses();
    let files = ["long", "same", "short", "link"].map(|name| cachex.work().join("dist").join(name));
    let contents = || files.each_ref().map(|file| fs::read(file).unwrap());
    let before = contents();
    // What it printed is what is in two of the files.
    let json: Value = serde_json::from_str(&said(&export(&cachex).with("--json"))).unwrap();
    assert_eq!((&json["exported"], &json["blobs"]), (&1.into(), &3.into()));
    import(&cachex).once().exits(0);
    cachex.awaits_quiet();
    fs::remove_dir_all(cachex.work().join("dist")).unwrap();
    elsewhere(&cachex, call.clone()).once().hits().same_as(&good);
    assert_eq!(contents(), before);
    assert!(fs::symlink_metadata(&files[3]).unwrap().is_symlink());
    elsewhere(&cachex, cachex.cli(["doctor"])).once().exits(0).shows(&["no problems"]);
    let folded = elsewhere(&cachex, export(&cachex)).with("--json");
    assert_eq!(serde_json::from_str::<Value>(&said(&folded)).unwrap()["blobs"], 3);
    // Without one of its files an entry is none.
    let short = blake3::hash(b"x\n").to_hex();
    fs::remove_file(cachex.in_store(format!("v2/blobs/{}/{short}", &short[..2]))).unwrap();
    assert!(said(&export(&cachex)).ends_with("; 1 skipped: 1 damaged\n"));
}

#[test]
fn an_output_that_is_damaged_or_gone_is_left_out() {
    let cachex = cachex();
    let calls = recorded(&cachex);
    let blobs = cachex.stored_in("v2/blobs");
    assert_eq!(blobs.len(), 2);
    let long =
        blobs.iter().find(|path| fs::metadata(cachex.in_store(path)).unwrap().len() > 200_000);
    crate::harness::flip(&cachex.in_store(long.unwrap()), 1000);
    assert!(said(&export(&cachex)).ends_with("; 1 skipped: 1 damaged\n"));
    import(&cachex).once().exits(0);
    let at = |n: usize| elsewhere(&cachex, calls[n].0.clone()).once();
    at(0).hits();
    at(1).misses();
    at(2).hits();
}

#[test]
fn without_a_store_there_is_an_empty_archive() {
    let cachex = cachex();
    assert!(said(&export(&cachex)).starts_with("no entry exported, "));
    assert!(!cachex.store().exists());
    import(&cachex).once().exits(0).prints("no entry imported\n");
}

#[test]
fn the_file_is_private_and_in_the_place_of_the_earlier_one() {
    let cachex = cachex();
    cachex.run("echo hi").once();
    let open = |call: Call| call.launched_by(r#"umask 000; exec "$@""#);
    let mode = |name: &str| fs::metadata(cachex.path(name)).unwrap().permissions().mode() & 0o7777;
    open(export(&cachex)).once().exits(0);
    assert_eq!(mode("archive"), 0o600);
    let target = cachex.write("folder/target", "as it was");
    fs::set_permissions(&target, PermissionsExt::from_mode(0o666)).unwrap();
    fs::remove_file(cachex.path("archive")).unwrap();
    std::os::unix::fs::symlink(&target, cachex.path("archive")).unwrap();
    open(export(&cachex)).once().exits(0);
    assert!(fs::symlink_metadata(cachex.path("archive")).unwrap().is_symlink());
    assert_eq!(mode("folder/target"), 0o600);
    assert_eq!(fs::read_dir(cachex.path("folder")).unwrap().count(), 1);
    cachex.cli(["import", "../archive", "--dry-run"]).once().exits(0);
    // A name without a folder is one in the working directory.
    cachex.cli(["export", "--to", "plain"]).once().exits(0);
    assert!(cachex.path("work/plain").exists());
}

#[test]
fn a_pipe_and_a_device_are_written_to_and_not_replaced() {
    let cachex = cachex();
    let calls = recorded(&cachex);
    let script = "mkfifo ../pipe && { cachex export --to ../pipe & } && \
         CACHEX_DIR=$PWD/../elsewhere cachex import ../pipe && wait && test -p ../pipe";
    cachex.shell(script).once().exits(0).shows(&["3 entries exported", "3 entries imported"]);
    for (call, good) in &calls {
        elsewhere(&cachex, call.clone()).once().hits().same_as(good);
    }
    cachex.cli(["export", "--to", "/dev/null"]).once().exits(0).quietly();
    let full = cachex.cli(["export", "--to", "/dev/full"]).once();
    full.exits(1).prints("").says_one_line(&["writing the archive", "No space left"]);
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    let cachex = cachex();
    cachex.run("echo hi").once();
    let to = |place: &str| cachex.cli(["export", "--to", place]).once().exits(1).prints("");
    to(".").says_one_line(&["'.' is a folder"]);
    to("nowhere/archive").says_one_line(&["'nowhere/archive'", "No such file or directory"]);
    cachex.cli(["export"]).once().exits(2).mentions(&["--to"]);
    let read_only = export(&cachex).with("--quiet").without_privileges();
    fs::create_dir(cachex.path("archive")).unwrap();
    read_only.once().exits(1).says_one_line(&["is a folder"]);
}

#[test]
fn an_archive_is_nothing_for_a_terminal() {
    let cachex = cachex();
    cachex.run("echo hi").once();
    let mut terminal = cachex.terminal();
    terminal.types("cachex export --to -; echo status $?").shows("to a terminal");
    terminal.shows("status 2");
    terminal.types("cachex export --to /dev/tty; echo status $?").shows("is a terminal");
    terminal.shows("status 1");
    terminal.types("cachex import -; echo status $?").shows("is a terminal").shows("status 2");
}

#[test]
fn json_has_it_all_under_stable_names_and_a_rehearsal_writes_nothing() {
    let cachex = cachex();
    recorded(&cachex);
    let rehearsed = said(&export(&cachex).with("--dry-run --json"));
    assert!(!cachex.path("archive").exists());
    let json: Value = serde_json::from_str(&rehearsed).unwrap();
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&json), ["archive_bytes", "blobs", "bytes", "dry_run", "exported", "skipped"]);
    assert_eq!(names(&json["skipped"]), ["damaged", "expired", "too_much"]);
    assert_eq!(
        (&json["dry_run"], &json["exported"], &json["blobs"]),
        (&true.into(), &3.into(), &2.into())
    );
    let told = said(&export(&cachex).with("--json"));
    assert_eq!(told, rehearsed.replace("\"dry_run\":true", "\"dry_run\":false"));
    assert_eq!(json["archive_bytes"], fs::metadata(cachex.path("archive")).unwrap().len());
    let told = said(&export(&cachex).with("--dry-run"));
    assert!(told.starts_with("3 entries would be exported, "), "{told}");
    export(&cachex).with("--quiet").once().exits(0).prints("").quietly();
    let piped = cachex.shell("cachex export --to - --json >/dev/null").once().exits(0);
    assert_eq!(piped.stderr(), said(&export(&cachex).with("--json")));
}

/// A failed export leaves the earlier archive, and nothing else.
#[track_caller]
fn fails_and_leaves_all_as_it_was(call: &Call, archive: &Path, before: &[u8]) {
    let folder = archive.parent().unwrap();
    call.once().exits(1).prints("").says_one_line(&["archive"]);
    assert_eq!(fs::read(archive).unwrap(), before);
    assert_eq!(fs::read_dir(folder).unwrap().count(), 1);
}

#[test]
fn a_full_disk_leaves_the_earlier_archive() {
    let cachex = cachex();
    // What does not compress.
    cachex.exec(["head", "-c", "300000", "/dev/urandom"]).output_counted().once();
    let archive = cachex.path("small/archive");
    let export = cachex.cli(["export", "--to", archive.to_str().unwrap()]);
    where_mounts_are_ones_own(|| {
        let mounted = Mounted::small(&cachex.path("small"), 8, 100);
        fs::write(&archive, "as it was").unwrap();
        fails_and_leaves_all_as_it_was(&export, &archive, b"as it was");
        mounted.grows(200, 100);
        export.once().exits(0);
        let before = fs::read(&archive).unwrap();
        mounted.grows(100, 100);
        fails_and_leaves_all_as_it_was(&export, &archive, &before);
    });
    let limited = export.launched_by(r#"ulimit -f 16; exec "$@""#);
    cachex.write("small/archive", "as it was");
    limited.once().exits(1).mentions(&["File too large"]);
    assert_eq!(fs::read(&archive).unwrap(), b"as it was");
}

#[test]
fn who_is_killed_leaves_the_earlier_archive_and_nothing_beside_it() {
    let cachex = cachex();
    recorded(&cachex);
    let archive = cachex.write("folder/archive", "as it was");
    let export = cachex.cli(["export", "--to", archive.to_str().unwrap()]);
    // It opens the store's blobs while it writes.
    let mut killed = 0;
    for n in 1.. {
        let outcome = export.clone().fault(format!("read:{n}=kill")).once();
        if !outcome.was_killed() {
            break;
        }
        killed += 1;
        assert_eq!(fs::read_to_string(&archive).unwrap(), "as it was");
        assert_eq!(fs::read_dir(cachex.path("folder")).unwrap().count(), 1);
    }
    assert!(killed >= 3, "{killed}");
    assert_ne!(fs::read(&archive).unwrap(), b"as it was");
}

#[test]
fn a_store_that_cannot_be_written_is_exported_as_far_as_it_can_be_read() {
    let cachex = cachex();
    let calls = recorded(&cachex);
    let export = export(&cachex).fails_at("mkdir", Errno::ROFS).fails_at("create", Errno::ROFS);
    let outcome = export.once().exits(0).warns_once(&["may not be all"]);
    assert!(outcome.stdout().starts_with("3 entries exported, "));
    import(&cachex).once().exits(0);
    for (call, good) in &calls {
        elsewhere(&cachex, call.clone()).once().hits().same_as(good);
    }
}

#[test]
fn memory_stays_bounded() {
    let cachex = cachex();
    let call = cachex.exec(["sh", "-c", "seq 1 18000000"]).output_counted();
    let good = call.once().exits(0);
    export(&cachex).measured().once().exits(0).in_less_memory_than(64 * MIB);
    import(&cachex).measured().once().exits(0).in_less_memory_than(64 * MIB);
    let there = elsewhere(&cachex, call).with("--cached-only").once().exits(0);
    there.same_as(&good);
}

#[test]
fn what_is_evicted_while_it_is_exported_is_no_damage() {
    let cachex = cachex();
    let call = |n| {
        crate::bounded::random(&cachex, n, 300_000).option("--max-size", "4MiB").fault("start=11")
    };
    for n in 0..10 {
        call(n).before("1h").output_counted().once().exits(0);
    }
    let (export, mut archive) = cachex.cli(["export", "--to", "-"]).spawn_unread();
    // It has chosen all of them, and can go no further than the pipe is long.
    let mut first = [0];
    std::io::Read::read_exact(&mut archive, &mut first).unwrap();
    for n in 10..24 {
        call(n).output_counted().once().exits(0);
    }
    assert!(!cachex.names_in_store("evicted-").is_empty());
    std::io::copy(&mut archive, &mut std::io::sink()).unwrap();
    let told = export.ends().exits(0).stderr();
    assert!(told.contains(" exported") && !told.contains("skipped"), "{told}");
    assert!(!told.contains("10 entries exported"), "{told}");
}
