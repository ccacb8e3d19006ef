//! `--input` and its kin: which files count, and what of them.

use crate::harness::{Cachex, Call, cachex};
use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt, symlink};

/// A call that counts these inputs.
fn counting(cachex: &Cachex, options: &str) -> Call {
    cachex.run("echo ran").with(options)
}

/// Sets a file's times back, so that they lie outside of what may change unseen.
fn settle(path: &std::path::Path) {
    let then = std::time::SystemTime::now() - std::time::Duration::from_hours(1);
    let times = std::fs::FileTimes::new().set_modified(then).set_accessed(then);
    std::fs::File::options().write(true).open(path).unwrap().set_times(times).unwrap();
}

#[test]
fn a_file_counts_by_what_it_holds() {
    let cachex = cachex();
    let file = cachex.write("work/a", "one");
    let call = counting(&cachex, "--input a");
    call.twice().runs_once();
    cachex.write("work/a", "two");
    call.once().misses();
    cachex.write("work/a", "one");
    call.once().hits();
    settle(&file);
    call.once().hits();
}

#[test]
fn a_folder_counts_with_all_that_is_in_it() {
    let cachex = cachex();
    cachex.write("work/src/a", "a");
    cachex.write("work/src/deep/.hidden", "b");
    let call = counting(&cachex, "--input src");
    call.twice().runs_once();
    cachex.write("work/src/deep/.hidden", "B");
    call.once().misses();
    cachex.write("work/src/deep/new", "");
    call.once().misses();
    std::fs::rename(cachex.path("work/src/deep/new"), cachex.path("work/src/deep/old")).unwrap();
    call.once().misses();
    cachex.write("work/elsewhere", "");
    call.once().hits();
    // The order in which they are named does not count, nor that one is named twice.
    counting(&cachex, "--input src/deep --input src/a --input src --input ./src//a").once().hits();
}

#[test]
fn patterns_match_and_leave_out() {
    let cachex = cachex();
    for name in ["a.c", "a.h", "sub/b.c", "sub/gen/c.c"] {
        cachex.write(format!("work/{name}"), name);
    }
    let call = counting(&cachex, "--input **/*.c --input !sub/gen");
    call.twice().runs_once();
    cachex.write("work/a.h", "changed");
    cachex.write("work/sub/gen/c.c", "changed");
    call.once().hits();
    cachex.write("work/sub/b.c", "changed");
    call.once().misses();
    let flat = counting(&cachex, "--input *.c");
    flat.once().misses();
    cachex.write("work/sub/b.c", "changed again");
    flat.once().hits();
}

#[test]
fn several_patterns_of_one_folder_match_as_far_down_as_each_says() {
    let cachex = cachex();
    for name in ["a.h", "x/a.h", "x/y/a.c"] {
        cachex.write(format!("work/{name}"), name);
    }
    let call = counting(&cachex, "--input *.h --input */*.h --input x/{y,z}/*.c");
    call.once().misses();
    for name in ["a.h", "x/a.h", "x/y/a.c"] {
        cachex.write(format!("work/{name}"), "changed");
        call.once().misses();
    }
    cachex.write("work/x/y/a.h", "");
    call.once().hits();
}

#[test]
fn a_pattern_that_nothing_matches_is_none_and_not_nothing() {
    let cachex = cachex();
    cachex.run("echo ran").once().misses();
    let call = counting(&cachex, "--input *.none --input void/**/x");
    call.twice().runs_once();
    cachex.write("work/a.none", "");
    call.once().misses();
}

#[test]
fn what_is_there_by_that_name_is_no_pattern() {
    let cachex = cachex();
    cachex.write("work/[id].tsx", "one");
    cachex.write("work/i.tsx", "one");
    let call = counting(&cachex, "--input [id].tsx");
    call.twice().runs_once();
    cachex.write("work/i.tsx", "two");
    call.once().hits();
    cachex.write("work/[id].tsx", "two");
    call.once().misses();
}

#[test]
fn permissions_and_links_count() {
    let cachex = cachex();
    let file = cachex.write("work/in/a", "a");
    cachex.write("outside", "one");
    symlink("a", cachex.path("work/in/link")).unwrap();
    symlink("../../outside", cachex.path("work/in/out")).unwrap();
    symlink("nowhere", cachex.path("work/in/broken")).unwrap();
    let call = counting(&cachex, "--input in");
    call.twice().runs_once();
    std::fs::set_permissions(&file, Permissions::from_mode(0o755)).unwrap();
    call.once().misses();
    std::fs::remove_file(cachex.path("work/in/broken")).unwrap();
    symlink("elsewhere", cachex.path("work/in/broken")).unwrap();
    call.once().misses();
    // What a link leads to counts, wherever that is.
    cachex.write("outside", "two");
    call.once().misses();
    call.once().hits();
}

#[test]
fn what_git_ignores_does_not_count_inside_a_repository() {
    let cachex = cachex();
    cachex.write("work/src/a.c", "a");
    cachex.write("work/src/a.o", "a");
    cachex.write("work/.gitignore", "*.o\n");
    std::fs::create_dir(cachex.path("work/.git")).unwrap();
    cachex.write("work/.git/index", "one");
    let call = counting(&cachex, "--input .");
    call.twice().runs_once();
    cachex.write("work/src/a.o", "b");
    cachex.write("work/.git/index", "two");
    call.once().hits();
    counting(&cachex, "--input . --no-ignore").once().misses();
    cachex.write("work/src/a.o", "c");
    counting(&cachex, "--input . --no-ignore").once().misses();
    // What is named counts all the same.
    let named = counting(&cachex, "--input src --input src/a.o");
    named.twice().runs_once();
    cachex.write("work/src/a.o", "d");
    named.once().misses();
}

#[test]
fn outside_of_a_repository_nothing_is_ignored() {
    let cachex = cachex();
    cachex.write("work/a.o", "a");
    cachex.write("work/.gitignore", "*.o\n");
    let call = counting(&cachex, "--input .");
    call.once().misses();
    cachex.write("work/a.o", "b");
    call.once().misses();
}

#[test]
fn a_file_that_is_named_and_missing_is_a_mistake() {
    let cachex = cachex();
    cachex.write("work/list", "there\nmissing\n");
    cachex.write("work/there", "");
    for options in ["--input missing", "--input there --input no/such", "--input-from list"] {
        counting(&cachex, options)
            .once()
            .hits()
            .exits(125)
            .prints("")
            .says_one_line(&["there is no such file"]);
    }
    counting(&cachex, "--input-from nolist").once().exits(125).says_one_line(&["nolist"]);
    counting(&cachex, "--input a[").once().exits(125).mentions(&["src/**/*.c"]);
    counting(&cachex, "--input !a").once().exits(125).mentions(&["only exclusions"]);
    assert_eq!(cachex.runs(), 0);
}

#[test]
fn a_list_names_one_file_a_line_or_each_before_a_zero_byte() {
    let cachex = cachex();
    cachex.write("work/a b", "one");
    cachex.write("work/c", "one");
    let call = counting(&cachex, "--input-from list");
    cachex.write("work/list", "a b\n\n./c\n");
    call.twice().runs_once();
    cachex.write("work/list", "c\0a b\0");
    call.once().hits();
    cachex.write("work/a b", "two");
    call.once().misses();
    // By standard input, of which the command then gets nothing.
    let piped = cachex.run("cat; echo ran").with("--input-from -").stdin("c\na b\n");
    piped.twice().runs_once().prints("ran\n");
    cachex.write("work/c", "two");
    piped.once().misses();
}

#[test]
fn what_a_command_prints_counts() {
    let cachex = cachex();
    cachex.write("work/version", "1");
    let call = cachex.run("echo ran").option("--input-command", "cat version");
    call.twice().runs_once();
    cachex.write("work/version", "2");
    call.once().misses();
    cachex.write("work/version", "1");
    call.once().hits();
    let failing = cachex.run("echo ran").option("--input-command", "echo oh >&2; exit 3");
    failing.twice().misses().prints("ran\n").exits(0).warns_once(&["exit 3", "oh", "3"]);
}

#[test]
fn an_input_that_changes_while_the_command_runs_keeps_it_from_being_recorded() {
    let cachex = cachex();
    cachex.write("work/in/a", "one");
    for script in ["echo x >>in/a", "touch in/new", "rm in/a; echo one >in/a"] {
        let call = cachex.run(script).with("--input in");
        call.once().misses().exits(0).warns_once(&["not recorded", "in/", "changed while it ran"]);
        call.once().misses();
        let _ = std::fs::remove_file(cachex.path("work/in/new"));
    }
    let call = cachex.run("date +%N >now").option("--input-command", "cat now; true");
    call.twice().misses();
}

#[test]
fn a_change_that_size_and_mtime_do_not_tell_is_seen() {
    let cachex = cachex();
    let file = cachex.write("work/a", "one");
    std::fs::copy(&file, cachex.path("work/b")).unwrap();
    let call = cachex.run("printf two >a; touch -r b a").with("--input a");
    call.once().misses().warns_once(&["the input a changed"]);
}

#[test]
fn hashes_are_remembered_until_the_file_changes() {
    let cachex = cachex();
    // Files that nobody has changed for a while: those of the system.
    let call = counting(&cachex, "--input /usr/share/common-licenses --input big");
    cachex.write("work/big", vec![7; 300_000]);
    call.once().misses();
    let memory = &cachex.stored_in("v2/inputs")[..];
    let [memory] = memory else { panic!("{memory:?}") };
    let text = std::fs::read(cachex.store().join(memory)).unwrap();
    let remembers = |name: &str| text.windows(name.len()).any(|bytes| bytes == name.as_bytes());
    assert!(remembers("/usr/share/common-licenses/GPL-2"));
    // What changed just now may change again within the same tick.
    assert!(!remembers("big"));
    call.once().hits();
    cachex.write("work/big", vec![8; 300_000]);
    call.once().misses();
}

#[test]
fn what_is_remembered_is_kept_for_a_month_and_cleared_with_the_rest() {
    let cachex = cachex();
    let call = counting(&cachex, "--input /usr/share/common-licenses --input big");
    cachex.write("work/big", vec![7; 300_000]);
    call.once().misses();
    let remembered = || cachex.stored_in("v2/inputs");
    let since = |days: u64| {
        let then = std::time::SystemTime::now() - std::time::Duration::from_hours(days * 24);
        let file = std::fs::File::open(cachex.store().join(&remembered()[0])).unwrap();
        file.set_times(std::fs::FileTimes::new().set_modified(then)).unwrap();
    };
    cachex.cli(["doctor"]).once().exits(0).shows(&["no problems;"]);
    since(29);
    cachex.folds();
    assert_eq!(remembered().len(), 1);
    // Being used, it is kept anew.
    call.once().hits();
    let used = std::fs::metadata(cachex.store().join(&remembered()[0])).unwrap().modified();
    assert!(used.unwrap().elapsed().unwrap() < std::time::Duration::from_hours(1));
    since(31);
    cachex.folds();
    assert!(remembered().is_empty());
    call.with("--force").once();
    assert_eq!(remembered().len(), 1);
    cachex.cli(["clear", "--yes"]).once().exits(0);
    assert!(remembered().is_empty());
}

#[test]
fn damage_to_what_is_remembered_costs_a_look_and_nothing_else() {
    let cachex = cachex();
    for n in 0..80 {
        cachex.write(format!("work/in/{n}"), n.to_string());
    }
    let call = counting(&cachex, "--input in");
    call.once().misses();
    for name in cachex.stored_in("v2/inputs") {
        let name = cachex.store().join(name);
        let mut bytes = std::fs::read(&name).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&name, bytes).unwrap();
    }
    call.once().hits().quietly();
    cachex.write("work/in/40", "changed");
    call.once().misses().quietly();
}

#[test]
fn the_store_is_no_input_wherever_it_lies() {
    let cachex = cachex();
    cachex.write("work/a", "a");
    let call = counting(&cachex, "--input .").env("CACHEX_DIR", cachex.path("work/.store"));
    call.twice().runs_once().quietly();
}

#[test]
fn a_file_that_cannot_be_read_is_a_call_without_a_cache() {
    let cachex = cachex();
    let call = cachex.run("echo ran").with("--input /proc/self/mem");
    call.twice().misses().prints("ran\n").exits(0).warns_once(&["not cached", "/proc/self/mem"]);
}

#[test]
fn inputs_by_variable_are_a_list_as_make_has_it() {
    let cachex = cachex();
    cachex.write("work/a", "a");
    cachex.write("work/b", "b");
    let call = cachex.run("echo ran");
    call.clone().env("CACHEX_INPUT", " a  b ").twice().runs_once();
    call.clone().env("CACHEX_INPUT", "b,a").once().hits();
    call.clone().with("--input a --input b").once().hits();
    cachex.write("work/b", "c");
    call.env("CACHEX_INPUT", "a b").once().misses();
}

#[test]
fn explain_names_the_input_that_differs() {
    let cachex = cachex();
    for name in ["a.c", "b.c"] {
        cachex.write(format!("work/src/{name}"), name);
    }
    let call = counting(&cachex, "--input src");
    call.once().misses();
    cachex.write("work/src/b.c", "changed");
    call.clone()
        .explain()
        .once()
        .exits(1)
        .shows(&["input files        2 files", "input src/b.c differs"]);
    cachex.write("work/src/b.c", "b.c");
    cachex.write("work/src/c.c", "");
    call.clone().explain().once().shows(&["input src/c.c is new"]);
    // Many are told of by their folders.
    for n in 0..100 {
        cachex.write(format!("work/src/many/{n}"), "");
    }
    call.once().misses();
    cachex.write("work/src/many/7", "changed");
    call.explain().once().shows(&["the content of the input src/many differs"]);
}

#[test]
fn a_refresh_is_recorded_only_for_the_inputs_that_its_caller_had() {
    let cachex = cachex();
    cachex.write("work/a", "one");
    let call = cachex.run("cat a").with("--input a --refresh-after 10m").expires_in("1h");
    call.once().misses().prints("one");
    call.clone().after("20m").spawn().ends().prints("one");
    cachex.awaits_runs(2);
    cachex.awaits_quiet();
    call.clone().after("21m").once().hits().prints("one");
    cachex.write("work/a", "two");
    call.after("40m").once().misses().prints("two");
}

#[test]
fn what_is_in_a_folder_that_a_link_leads_to_counts() {
    let cachex = cachex();
    cachex.write("work/src/a", "a");
    cachex.write("lib/h", "one");
    symlink("../../lib", cachex.path("work/src/lib")).unwrap();
    // It may lead to where it lies, too.
    symlink("..", cachex.path("work/src/round")).unwrap();
    for input in ["src", "src/**/h"] {
        let call = cachex.run("cat src/lib/h").option("--input", input);
        for text in ["one", "two"] {
            cachex.write("lib/h", text);
            call.twice().runs_once().prints(text);
        }
    }
}

#[test]
fn a_pattern_that_nothing_matches_is_worth_a_word() {
    let cachex = cachex();
    cachex.write("work/a.c", "");
    let call = cachex.run("echo done").with("--input *.c");
    call.once().misses().quietly();
    let nothing = call.clone().with("--input *.h");
    nothing.once().warns_once(&["*.h", "matches nothing"]);
    cachex.run("echo done").with("--input *.h").twice().warns_once(&["*.h", "matches nothing"]);
}

#[test]
fn a_pattern_that_the_shell_spread_out_runs_nothing() {
    let cachex = cachex();
    for name in ["a.sh", "b.sh"] {
        cachex.executable(format!("work/{name}"), "#!/bin/sh\ntouch ran\n");
    }
    for option in ["--input", "--output"] {
        let call = cachex.shell(&format!("PATH=.:$PATH cachex run {option} *.sh -- cat a.sh"));
        call.once().exits(125).prints("").mentions(&[option, "quote the pattern"]);
        let call = cachex.shell(&format!("PATH=.:$PATH cachex run {option} '*.sh' -- cat a.sh"));
        call.once().exits(0).prints("#!/bin/sh\ntouch ran\n");
    }
    assert!(!cachex.path("work/ran").exists());
    // A `--` of the command's own.
    cachex.shell("cachex run --input a.sh echo x -- y").once().exits(0).prints("x -- y\n");
}

#[test]
fn a_list_in_a_pipe_is_read_where_somebody_writes_it() {
    let cachex = cachex();
    cachex.write("work/a", "");
    let pipe = cachex.path("work/list");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let call = cachex.run("echo done").with("--input-from list");
    call.once().prints("done\n").exits(0).warns_once(&["list", "nobody writes"]);
    let shell = |list: &str| {
        cachex.shell(&format!("cachex run --input-from <({list}) -- echo done")).once()
    };
    for list in ["echo a", "sleep 0.2; echo a", "true"] {
        shell(list).prints("done\n").exits(0).quietly();
    }
}
