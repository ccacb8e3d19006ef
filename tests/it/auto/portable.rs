//! `--auto --portable`: checkouts share what was found out.

use super::{hits, runs};
use crate::harness::{Cachex, Call, cachex};
use std::fs;
use std::path::PathBuf;

const MAKEFILE: &str = "all: prog\nprog: main.o\n\tgcc -o prog main.o\n\
    main.o: main.c inc/h.h\n\tgcc -O1 -Iinc -c -o main.o main.c\nclean:\n\trm -f prog main.o\n";

/// Makes a checkout of a small project.
pub fn checkout(cachex: &Cachex, name: &str) -> PathBuf {
    cachex.write(format!("{name}/main.c"), "#include \"h.h\"\nint main(void) { return X; }\n");
    cachex.write(format!("{name}/inc/h.h"), "#define X 3\n");
    cachex.write(format!("{name}/Makefile"), MAKEFILE);
    cachex.path(name)
}

/// A call in a checkout that finds programs of the system alone.
pub fn within(cachex: &Cachex, name: &str, argv: &[&str]) -> Call {
    let call = cachex.exec(argv.iter().copied()).with("--auto --portable --verbose");
    call.inside(cachex.path(name)).env("PATH", "/usr/bin:/bin").without("TMPDIR")
}

/// What a program that was made there says.
#[track_caller]
fn made(cachex: &Cachex, name: &str) -> i32 {
    let program = cachex.path(name).join("prog");
    std::process::Command::new(program).status().unwrap().code().unwrap()
}

#[test]
fn a_build_is_shared_by_checkouts_wherever_they_lie() {
    let cachex = cachex();
    let build = |name| within(&cachex, name, &["make", "-s"]);
    for name in ["one", "deep/er/two"] {
        checkout(&cachex, name);
    }
    runs(&build("one"), "");
    hits(&build("deep/er/two"), "");
    assert_eq!(made(&cachex, "deep/er/two"), 3);
    let [one, two] = ["one", "deep/er/two"].map(|name| fs::read(cachex.path(name).join("prog")));
    assert_eq!(one.unwrap(), two.unwrap());
    // What is different there is another build.
    cachex.write("deep/er/two/inc/h.h", "#define X 4\n");
    fs::remove_file(cachex.path("deep/er/two/prog")).unwrap();
    fs::remove_file(cachex.path("deep/er/two/main.o")).unwrap();
    runs(&build("deep/er/two"), "");
    assert_eq!(made(&cachex, "deep/er/two"), 4);
    checkout(&cachex, "three");
    hits(&build("three"), "");
    assert_eq!(made(&cachex, "three"), 3);
    checkout(&cachex, "four");
    cachex.write("four/inc/h.h", "#define X 4\n");
    hits(&build("four"), "");
    assert_eq!(made(&cachex, "four"), 4);
}

#[test]
fn another_compiler_or_a_header_found_earlier_is_another_build() {
    let cachex = cachex();
    let build = |name| within(&cachex, name, &["./cc", "-Iinc", "main.c", "-o", "prog"]);
    for name in ["one", "two/deep", "three"] {
        checkout(&cachex, name);
        cachex.executable(format!("{name}/cc"), "#!/bin/sh\nexec gcc \"$@\"\n");
    }
    runs(&build("one"), "");
    hits(&build("two/deep"), "");
    cachex.write("two/deep/h.h", "#define X 5\n");
    fs::remove_file(cachex.path("two/deep/prog")).unwrap();
    runs(&build("two/deep"), "");
    assert_eq!(made(&cachex, "two/deep"), 5);
    cachex.executable("three/cc", "#!/bin/sh\nexec gcc -DY \"$@\"\n");
    runs(&build("three"), "");
}

#[test]
fn a_result_that_shows_where_it_was_made_stays_there() {
    for script in
        ["pwd", "rm -f out; pwd >out", "rm -f link; ln -s \"$PWD/main.c\" link", "pwd >&2"]
    {
        let cachex = cachex();
        let call = |name| within(&cachex, name, &["sh", "-c", script]);
        let prints = |name| {
            if script == "pwd" {
                format!("{}\n", cachex.path(name).display())
            } else {
                String::new()
            }
        };
        for name in ["one", "two"] {
            checkout(&cachex, name);
            runs(&call(name), &prints(name));
            // What was made is there then.
            call(name).once().exits(0);
            hits(&call(name), &prints(name));
        }
    }
}

#[test]
fn what_a_file_says_of_a_place_is_not_true_of_another() {
    let cachex = cachex();
    for name in ["one", "two"] {
        checkout(&cachex, name);
        // Both name the same place, which only one of them is in.
        cachex.write(format!("{name}/where"), format!("{}\n", cachex.path("one/value").display()));
        cachex.write(format!("{name}/value"), "1\n");
    }
    let call = |name| within(&cachex, name, &["sh", "-c", "read -r at <where; cat \"$at\""]);
    runs(&call("one"), "1\n");
    cachex.write("one/value", "2\n");
    runs(&call("two"), "2\n");
    hits(&call("two"), "2\n");
}

#[test]
fn a_checkout_that_is_named_by_its_place_is_not_this_one() {
    for script in [
        "cat ~/one/value",
        "cat ../one/value",
        "cat \"$(dirname \"$PWD\")/one/value\"",
        "cd ~/one && cat value",
    ] {
        let cachex = cachex();
        let call = |name| {
            let call = within(&cachex, name, &["sh", "-c", script]);
            call.env("HOME", cachex.work().parent().unwrap())
        };
        for name in ["one", "two"] {
            checkout(&cachex, name);
            cachex.write(format!("{name}/value"), "1\n");
        }
        runs(&call("one"), "1\n");
        hits(&call("one"), "1\n");
        cachex.write("one/value", "2\n");
        runs(&call("two"), "2\n");
        hits(&call("two"), "2\n");
    }
}

#[test]
fn what_is_given_may_name_a_place_too() {
    let cachex = cachex();
    for name in ["one", "two"] {
        checkout(&cachex, name);
        cachex.write(format!("{name}/value"), "1\n");
    }
    let given = format!("{}\n", cachex.path("one/value").display());
    let script = "read -r at; cat \"$at\"";
    let call = |name| within(&cachex, name, &["sh", "-c", script]).stdin(&given);
    runs(&call("one"), "1\n");
    cachex.write("one/value", "2\n");
    runs(&call("two"), "2\n");
}

#[test]
fn what_lies_beside_a_checkout_is_beside_another_as_well() {
    for (script, is_shared) in [
        ("cat \"$(dirname \"$PWD\")/beside\"", true),
        ("cat ../beside", false),
        ("cd .. && cat beside", true),
    ] {
        let cachex = cachex();
        let call = |name| within(&cachex, name, &["sh", "-c", script]);
        for name in ["a/one", "a/two", "b/three"] {
            checkout(&cachex, name);
        }
        cachex.write("a/beside", "a\n");
        cachex.write("b/beside", "b\n");
        runs(&call("a/one"), "a\n");
        let second = call("a/two");
        if is_shared {
            hits(&second, "a\n");
        } else {
            runs(&second, "a\n");
        }
        runs(&call("b/three"), "b\n");
        cachex.write("a/beside", "c\n");
        runs(&call("a/two"), "c\n");
    }
}

#[test]
fn a_search_upwards_finds_nothing_there_either() {
    let cachex = cachex();
    let script = "d=${PWD%/*}; while [ -n \"$d\" ]; do [ -e \"$d/.root\" ] && echo \"found\"; d=${d%/*}; done";
    let call = |name| within(&cachex, name, &["sh", "-c", script]);
    for name in ["one", "x/two", "y/three"] {
        checkout(&cachex, name);
    }
    runs(&call("one"), "");
    hits(&call("x/two"), "");
    cachex.write("y/.root", "");
    runs(&call("y/three"), "found\n");
    cachex.write("x/.root", "");
    runs(&call("x/two"), "found\n");
}

#[test]
fn what_lies_at_home_is_that_of_the_same_home() {
    let cachex = cachex();
    let call = |name, home| {
        within(&cachex, name, &["sh", "-c", "cat ~/rc"]).env("HOME", cachex.path(home))
    };
    for name in ["one", "two"] {
        checkout(&cachex, name);
    }
    cachex.write("alice/rc", "alice\n");
    cachex.write("bob/rc", "bob\n");
    runs(&call("one", "alice"), "alice\n");
    hits(&call("two", "alice"), "alice\n");
    runs(&call("two", "bob"), "bob\n");
}

#[test]
fn files_beyond_the_project_are_not_recorded() {
    let cachex = cachex();
    checkout(&cachex, "one");
    let script = format!("echo hi >{}", cachex.path("outside").display());
    let outcome = within(&cachex, "one", &["sh", "-c", &script]).once();
    outcome.mentions(&["not recorded: it made", "outside"]);
    let temporary = cachex.path("tmp/left");
    let script = format!("echo hi >{}", temporary.display());
    let call = within(&cachex, "one", &["sh", "-c", &script]).env("TMPDIR", cachex.path("tmp"));
    call.once().mentions(&["not recorded: it made", "left"]);
}

#[test]
fn an_archive_carries_what_was_found_out() {
    for options in ["--auto", "--auto --portable"] {
        let cachex = cachex();
        checkout(&cachex, "one");
        let argv = ["gcc", "-Iinc", "-o", "prog", "main.c"];
        let call = |store: &str| {
            let call = cachex.exec(argv).with(options).with("--verbose");
            call.inside(cachex.path("one")).env("CACHEX_DIR", cachex.path(store))
        };
        runs(&call("a"), "");
        let verb = |store: &str, args: [&str; 3]| {
            let args = args.into_iter().filter(|arg| !arg.is_empty());
            cachex.cli(args).env("CACHEX_DIR", cachex.path(store)).once().exits(0)
        };
        verb("a", ["export", "--to", "../archive"]);
        verb("b", ["import", "../archive", ""]);
        fs::remove_file(cachex.path("one/prog")).unwrap();
        hits(&call("b"), "");
        assert_eq!(made(&cachex, "one"), 3);
        verb("c", ["import", "../archive", ""]);
        cachex.write("one/inc/h.h", "#define X 4\n");
        runs(&call("c"), "");
    }
}

#[test]
fn explain_says_where_a_result_is_valid() {
    let cachex = cachex();
    checkout(&cachex, "one");
    for (script, said) in [
        ("cat main.c", "in any folder"),
        ("pwd", "in this folder alone"),
        ("cat ../x", "in this folder alone"),
        ("cat \"$(dirname \"$PWD\")/x\"", "in folders beside this one"),
    ] {
        cachex.write("x", "");
        let call = within(&cachex, "one", &["sh", "-c", script]);
        call.once().exits(0);
        let explained = call.explain().once().stdout();
        assert!(explained.contains(said), "{script}: {explained}");
    }
}
