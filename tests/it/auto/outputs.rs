//! `--auto-outputs`: what a traced run leaves behind comes back with its output.

use super::auto;
use crate::harness::{Cachex, Call, cachex};
use crate::outputs::{listed, read};
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

fn below(cachex: &Cachex, script: &str) -> Call {
    auto(cachex, script).with("--auto-outputs below")
}

/// The folder is empty again.
fn clean(cachex: &Cachex) {
    fs::remove_dir_all(cachex.work()).unwrap();
    fs::create_dir_all(cachex.work()).unwrap();
}

/// The call runs each time and says that it is not recorded, and why.
#[track_caller]
fn refuses(call: &Call, why: &str) {
    let said = call.clone().with("--verbose").once().misses().stderr();
    assert!(said.contains(&format!("not recorded: {why}")), "{call}: {said}");
}

fn metadata(cachex: &Cachex, name: &str) -> fs::Metadata {
    cachex.work().join(name).symlink_metadata().unwrap()
}

#[test]
fn files_folders_links_and_names_come_back_as_they_were() {
    let cachex = cachex();
    let script = "mkdir -p d/e; echo x >d/e/f; chmod 500 d/e/f; ln -s ../out d/l; echo hi >out; \
                  ln d/e/f second; mkdir closed; echo y >closed/g; chmod 555 closed; echo done";
    let call = below(&cachex, script);
    call.once().misses().prints("done\n");
    let before = listed(&cachex.work());
    fs::set_permissions(cachex.path("work/closed"), Permissions::from_mode(0o755)).unwrap();
    clean(&cachex);
    call.once().hits().prints("done\n");
    assert_eq!(listed(&cachex.work()), before);
    assert_eq!((read(&cachex, "d/e/f"), read(&cachex, "out")), ("x\n".into(), "hi\n".into()));
    assert_eq!(fs::read_link(cachex.path("work/d/l")).unwrap().to_str(), Some("../out"));
    assert_eq!(metadata(&cachex, "d/e/f").mode() & 0o777, 0o500);
    assert_eq!(metadata(&cachex, "closed").mode() & 0o777, 0o555);
    let [one, other] = ["d/e/f", "second"].map(|name| metadata(&cachex, name).ino());
    assert_eq!(one, other);
    fs::set_permissions(cachex.path("work/closed"), Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_file_with_a_name_that_the_run_did_not_know_of_is_not_as_good_as_made() {
    let cachex = cachex();
    let file = cachex.write("work/f", "x\n");
    let call = below(&cachex, "cat f >h; wc -c <h");
    // With a file there and without.
    call.twice().prints("2\n");
    call.once().hits();
    // The run would empty both.
    fs::remove_file(&file).unwrap();
    fs::hard_link(cachex.path("work/h"), &file).unwrap();
    call.once().misses().prints("0\n");
}

#[test]
fn what_others_put_into_a_folder_of_the_run_is_not_its_own() {
    let cachex = cachex();
    let script = format!("mkdir -p build; echo a >build/a; {}; echo done", cachex.gate("go"));
    let call = below(&cachex, &script).option("--auto-ignore", cachex.path("go"));
    let running = call.spawn();
    cachex.line_of("work/build/a");
    cachex.write("work/build/others", "half");
    cachex.opens("go");
    running.ends().prints("done\n");
    clean(&cachex);
    call.once().hits().prints("done\n");
    assert_eq!(read(&cachex, "build/a"), "a\n");
    assert!(!cachex.path("work/build/others").exists());
}

#[test]
fn what_others_put_into_a_folder_of_the_run_is_nothing_it_may_depend_on() {
    for use_it in ["cat build/others", "ls build", "mv build out", "cp -r build out", "rm -r build"]
    {
        let cachex = cachex();
        let script = format!("mkdir -p build; echo a >build/a; {}; {use_it}", cachex.gate("go"));
        let call = below(&cachex, &script).option("--auto-ignore", cachex.path("go"));
        let running = call.clone().with("--verbose").spawn();
        cachex.line_of("work/build/a");
        cachex.write("work/build/others", "half");
        cachex.opens("go");
        let said = running.ends().exits(0).stderr();
        assert!(said.contains("build/others into a folder that it made"), "{use_it}: {said}");
    }
}

#[test]
fn what_others_changed_before_the_run_did_keeps_it_from_being_recorded() {
    let (reads, asks) = ("cat f", "test -e g || echo none");
    for (first, then) in
        [(reads, "echo new >>f"), (reads, "touch f"), (reads, "rm f"), (asks, "echo mine >>g")]
    {
        let cachex = cachex();
        cachex.write("work/f", "one\n");
        let script = format!("{first}; {}; {then}", cachex.gate("go"));
        let call = below(&cachex, &script).option("--auto-ignore", cachex.path("go"));
        let running = call.with("--verbose").spawn();
        running.shows("ne\n");
        cachex.write("work/f", "two\n");
        cachex.write("work/g", "foreign\n");
        cachex.opens("go");
        let said = running.ends().exits(0).stderr();
        assert!(said.contains("changed while the command ran"), "{script}: {said}");
    }
}

#[test]
fn two_equal_runs_that_write_the_same_files_at_once_are_not_recorded() {
    let cachex = cachex();
    let script = format!("printf a >o; echo began; {}; printf b >>o", cachex.gate("go"));
    let call = below(&cachex, &script).with("--verbose").option("--auto-ignore", cachex.path("go"));
    let first = call.spawn();
    first.shows("began");
    let second = call.spawn();
    second.shows("began");
    cachex.opens("go");
    for running in [first, second] {
        let said = running.ends().exits(0).stderr();
        assert!(said.contains("not recorded: "), "{said}");
    }
    clean(&cachex);
    call.once().misses();
    assert_eq!(read(&cachex, "o"), "ab");
}

#[test]
fn a_folder_that_is_moved_into_place_comes_back_with_all_in_it() {
    let cachex = cachex();
    let script = "mkdir -p new/deep; echo a >new/deep/a; mv new build; mkdir build/more; echo b >build/more/b";
    let call = below(&cachex, script);
    call.once().misses();
    let before = listed(&cachex.work());
    clean(&cachex);
    call.once().hits();
    assert_eq!(listed(&cachex.work()), before);
}

#[test]
fn what_is_removed_is_removed_by_a_hit_too() {
    let cachex = cachex();
    let prepare = || {
        cachex.write("work/build/deep/o", "object");
        cachex.write("work/keep", "kept");
    };
    prepare();
    let call = below(&cachex, "rm -r build; echo gone");
    call.once().misses();
    assert_eq!(listed(&cachex.work()), ["keep"]);
    prepare();
    call.once().hits().prints("gone\n");
    assert_eq!(listed(&cachex.work()), ["keep"]);
    // What came meanwhile is in the listing of the folder, and so part of the key.
    prepare();
    cachex.write("work/build/new", "mine");
    call.once().misses();
}

#[test]
fn what_is_appended_to_or_edited_is_part_of_the_key() {
    let cachex = cachex();
    let log = cachex.write("work/log", "one\n");
    let call = below(&cachex, "echo more >>log");
    call.once().misses();
    assert_eq!(read(&cachex, "log"), "one\nmore\n");
    call.once().misses();
    assert_eq!(read(&cachex, "log"), "one\nmore\nmore\n");
    fs::write(&log, "one\n").unwrap();
    call.once().hits();
    assert_eq!(read(&cachex, "log"), "one\nmore\n");
    fs::write(&log, "two\n").unwrap();
    call.once().misses();
    assert_eq!(read(&cachex, "log"), "two\nmore\n");
}

#[test]
fn what_the_run_made_itself_is_not_part_of_the_key() {
    let cachex = cachex();
    cachex.write("work/in", "1\n");
    let script = "t=$(mktemp); cat in >$t; mkdir gen; cat $t >gen/a; rm $t; cat gen/a >gen/b";
    let call = below(&cachex, script);
    call.once().misses();
    for _ in 0..2 {
        fs::remove_dir_all(cachex.path("work/gen")).unwrap();
        call.once().hits();
        assert_eq!(read(&cachex, "gen/b"), "1\n");
    }
}

#[test]
fn what_is_written_elsewhere_is_recorded_only_if_all_is() {
    let cachex = cachex();
    let outside = cachex.path("outside");
    fs::create_dir_all(&outside).unwrap();
    let script = "echo x >../outside/f; echo y >inside";
    refuses(&below(&cachex, script), "it made ");
    let said = below(&cachex, "echo z >../outside/g").with("--verbose").once().stderr();
    assert!(said.contains("outside/g, which is not below the working directory"), "{said}");
    fs::remove_file(outside.join("f")).unwrap();
    fs::remove_file(cachex.path("work/inside")).unwrap();
    let all = auto(&cachex, script).with("--auto-outputs all");
    all.once().misses();
    fs::remove_file(outside.join("f")).unwrap();
    fs::remove_file(cachex.path("work/inside")).unwrap();
    all.once().hits();
    assert_eq!(fs::read_to_string(outside.join("f")).unwrap(), "x\n");
    assert_eq!(read(&cachex, "inside"), "y\n");
    refuses(
        &auto(&cachex, "echo x >here").with("--auto-outputs none"),
        "it made here, which no --output",
    );
}

#[test]
fn the_base_folder_and_the_temporary_one_may_be_written_to() {
    let cachex = cachex();
    let temporary = cachex.path("tmp/mine");
    fs::create_dir_all(&temporary).unwrap();
    fs::create_dir_all(cachex.path("work/sub")).unwrap();
    let script = "echo x >../beside; echo y >$TMPDIR/kept";
    let call = below(&cachex, script).with("--base-dir ..").inside(cachex.path("work/sub"));
    let call = call.env("TMPDIR", &temporary);
    call.once().misses();
    fs::remove_file(cachex.path("work/beside")).unwrap();
    fs::remove_file(temporary.join("kept")).unwrap();
    call.once().hits();
    assert_eq!(read(&cachex, "beside"), "x\n");
    assert_eq!(fs::read_to_string(temporary.join("kept")).unwrap(), "y\n");
}

#[test]
fn a_folder_behind_a_link_is_where_it_really_is() {
    let cachex = cachex();
    for name in ["outside", "work/real"] {
        fs::create_dir_all(cachex.path(name)).unwrap();
    }
    symlink("../outside", cachex.path("work/out")).unwrap();
    symlink("real", cachex.path("work/in")).unwrap();
    refuses(&below(&cachex, "echo x >out/f"), "it made ");
    let call = below(&cachex, "echo x >in/f");
    call.once().misses();
    fs::remove_file(cachex.path("work/real/f")).unwrap();
    call.once().hits();
    assert_eq!(read(&cachex, "real/f"), "x\n");
    // The link leads elsewhere: the run would write there.
    fs::remove_file(cachex.path("work/in")).unwrap();
    fs::remove_file(cachex.path("work/real/f")).unwrap();
    symlink("../outside", cachex.path("work/in")).unwrap();
    call.once().misses();
    assert!(!cachex.path("work/real/f").exists());
}

#[test]
fn what_a_hit_could_not_bring_back_is_not_recorded() {
    let cachex = cachex();
    cachex.write("work/old", "old\n");
    refuses(&below(&cachex, "ln old again"), "a second name for ");
    fs::remove_file(cachex.path("work/again")).unwrap();
    fs::create_dir_all(cachex.path("work/folder")).unwrap();
    refuses(&below(&cachex, "mv folder moved"), "");
    fs::remove_dir(cachex.path("work/moved")).unwrap();
    fs::set_permissions(cachex.path("work/old"), Permissions::from_mode(0o600)).unwrap();
    refuses(&below(&cachex, "chmod 644 old"), "the output old was given more permissions");
    refuses(&below(&cachex, "echo >wide; chmod 777 wide"), "the output wide was given more");
    refuses(&below(&cachex, "echo >set; chmod 4755 set"), "the output set was given more");
    refuses(
        &below(&cachex, "mkdir d; chmod 750 d; rmdir d; mkfifo pipe"),
        "the output pipe is not",
    );
    fs::remove_file(cachex.path("work/pipe")).unwrap();
    symlink("old", cachex.path("work/link")).unwrap();
    refuses(&below(&cachex, "rm link; echo >link"), "the output link was of another kind");
    cachex.write("work/one", "1\n");
    fs::hard_link(cachex.path("work/one"), cachex.path("work/two")).unwrap();
    refuses(&below(&cachex, "echo x >one"), "it changed ");
    let narrower = below(&cachex, "chmod 400 old");
    narrower.once().misses();
    fs::set_permissions(cachex.path("work/old"), Permissions::from_mode(0o644)).unwrap();
    narrower.once().hits();
    assert_eq!(metadata(&cachex, "old").mode() & 0o777, 0o400);
}

#[test]
fn a_link_that_is_made_anew_is_an_output_though_it_leads_where_it_did() {
    let cachex = cachex();
    let link = cachex.path("work/now");
    let relink = |to: &str| {
        let _ = fs::remove_file(&link);
        symlink(to, &link).unwrap();
    };
    relink("v1");
    let call = below(&cachex, "rm now; ln -s v1 now");
    call.once().misses();
    relink("v2");
    call.once();
    assert_eq!(fs::read_link(&link).unwrap().to_str(), Some("v1"));
}

#[test]
fn a_file_that_is_touched_is_touched_by_a_hit_too() {
    let cachex = cachex();
    let stamp = cachex.write("work/stamp", "");
    let long_ago = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    // While it is open for writing nothing is recorded.
    let is_old = || {
        let file = fs::File::options().append(true).open(&stamp).unwrap();
        file.set_modified(long_ago).unwrap();
    };
    is_old();
    let call = below(&cachex, "touch stamp");
    call.once().misses();
    is_old();
    call.once().hits();
    assert!(fs::metadata(&stamp).unwrap().modified().unwrap() > long_ago);
}

#[test]
fn what_is_left_out_or_ignored_is_left_where_it_is() {
    let cachex = cachex();
    let script = "echo x >out; mkdir -p log; echo $$ >log/l";
    let call = below(&cachex, script).with("--auto-ignore log");
    call.once().misses();
    clean(&cachex);
    call.once().hits();
    assert_eq!(listed(&cachex.work()), ["out"]);
    let call = below(&cachex, script).with("--output !log");
    clean(&cachex);
    call.once().misses();
    clean(&cachex);
    call.once().hits();
    assert_eq!(listed(&cachex.work()), ["out"]);
}

#[test]
fn declared_outputs_are_recorded_beside_those_that_were_found() {
    let cachex = cachex();
    let call = below(&cachex, "echo x >declared; echo y >found").with("--output declared");
    call.once().misses();
    clean(&cachex);
    call.once().hits();
    assert_eq!((read(&cachex, "declared"), read(&cachex, "found")), ("x\n".into(), "y\n".into()));
}

#[test]
fn another_umask_or_another_choice_is_another_key() {
    let cachex = cachex();
    let call = below(&cachex, "echo x >f");
    call.once().misses();
    clean(&cachex);
    let private = call.clone().launched_by(r#"umask 077; exec "$@""#);
    private.once().misses();
    assert_eq!(metadata(&cachex, "f").mode() & 0o777, 0o600);
    clean(&cachex);
    call.once().hits();
    assert_eq!(metadata(&cachex, "f").mode() & 0o777, 0o644);
    clean(&cachex);
    auto(&cachex, "echo x >f").with("--auto-outputs all").once().misses();
}

#[test]
fn a_daemon_that_goes_on_writing_keeps_the_run_from_being_recorded() {
    let cachex = cachex();
    let gate = cachex.gate("end");
    let script =
        format!("(echo a >f; {gate}; echo b >>f) </dev/null >/dev/null 2>&1 & echo started");
    refuses(&below(&cachex, &script), "");
    cachex.opens("end");
    cachex.awaits_quiet();
}

#[test]
fn a_result_with_files_is_not_replaced_in_the_background() {
    let cachex = cachex();
    let call = below(&cachex, "echo x >f").with("--refresh-after 1m");
    call.once().misses();
    clean(&cachex);
    call.clone().after("2m").once().hits();
    cachex.awaits_quiet();
    assert_eq!(cachex.runs(), 1);
}

#[test]
fn files_are_counted_and_listed() {
    let cachex = cachex();
    let script = "echo x >f; mkdir d; echo y >d/g";
    let call = below(&cachex, script);
    let call = call.with("--verbose").option("--status-file", cachex.path("report"));
    let outputs = || {
        let report = fs::read(cachex.path("report")).unwrap();
        serde_json::from_slice::<serde_json::Value>(&report).unwrap()["outputs"].clone()
    };
    let said = call.once().misses().stderr();
    assert!(said.contains(" listed, 3 written"), "{said}");
    assert_eq!(outputs(), 2);
    clean(&cachex);
    let said = call.once().hits().stderr();
    assert!(said.contains(", 2 files restored"), "{said}");
    assert_eq!(outputs(), 2);
    clean(&cachex);
    let show = cachex.cli(["show", "--auto", "--auto-outputs", "below"]);
    let show = show.option("--auto-ignore", cachex.path("runs"));
    let shown = show.command(["sh", "-c", &cachex.counting(script)]).once().exits(0).stdout();
    assert!(shown.contains("d/g"), "{shown}");
}
