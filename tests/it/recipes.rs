//! `SHELL = cachex` in a Makefile, with real GNU make.

use crate::harness::{Cachex, cachex, contains};

/// A Makefile whose lines go through `cachex`.
fn makefile(cachex: &Cachex, rest: &str) {
    cachex.tool("tool", "echo \"$*\"");
    cachex.write("work/Makefile", format!("SHELL = cachex\n.SHELLFLAGS = sh -c\n{rest}"));
}

#[test]
fn each_line_is_cached_by_itself() {
    let cachex = cachex();
    makefile(
        &cachex,
        "all: a b\n\
         a b:\n\
         \t@tool $@ 'it'\\''s \"quoted\"' $$0\n\
         \t@tool 2 $@ | tr a-z A-Z; \\\n\t tool 'two  blanks'\n",
    );
    let first = cachex.shell("make").once().runs(6).exits(0).quietly();
    first.prints(
        "a it's \"quoted\" /bin/sh\n2 A\ntwo  blanks\nb it's \"quoted\" /bin/sh\n2 B\ntwo  blanks\n",
    );
    cachex.shell("make").once().hits().alike().exits(0).quietly();
    cachex.write("work/Makefile.more", "include Makefile\nmore: all; @tool more\n");
    cachex.shell("make -f Makefile.more more").once().runs(1).exits(0).quietly();
}

#[test]
fn make_sees_that_a_line_failed() {
    let cachex = cachex();
    makefile(&cachex, "all:\n\t-@tool ignored; exit 4\n\t@tool bad; exit 3\n\t@tool never\n");
    let twice = cachex.shell("make").twice().runs(2).exits(2).prints("ignored\nbad\n");
    twice.mentions(&["Error 4 (ignored)", "Error 3"]);
}

#[test]
fn jobs_run_at_once_and_in_order() {
    let cachex = cachex();
    makefile(&cachex, "all: a b c d\na b c d:\n\t@tool $@ 1\n\t@tool $@ 2\n.PHONY: all a b c d\n");
    let all = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort_unstable();
        lines.join(" ")
    };
    let expected = "a 1 a 2 b 1 b 2 c 1 c 2 d 1 d 2";
    let first = cachex.shell("make -j4").once().runs(8).exits(0).quietly();
    assert_eq!(all(&first.stdout()), expected);
    for options in ["", "-j2", "-j4 --output-sync=line", "-j4 --output-sync=target"] {
        let again = cachex.shell(&format!("make {options}")).once().hits().exits(0).quietly();
        assert_eq!(all(&again.stdout()), expected, "{options}");
    }
}

#[test]
fn a_make_within_has_the_jobserver() {
    let cachex = cachex();
    makefile(&cachex, "all: a b\na b:\n\t@$(MAKE) --no-print-directory -f sub.mk NAME=$@\n");
    cachex.write("work/sub.mk", "all: x y\nx y:\n\t@tool $(NAME) $@\n");
    // No "jobserver unavailable".
    cachex.shell("make -j4").once().runs(4).exits(0).quietly();
    // It is a line like any other.
    cachex.shell("make -j3").once().hits().exits(0).quietly();
}

#[test]
fn a_dry_run_runs_and_records_nothing_but_what_it_must() {
    let cachex = cachex();
    makefile(&cachex, "all:\n\t@tool one\n\t+@tool two\n");
    cachex.shell("make -n").once().runs(1).prints("tool one\ntool two\ntwo\n").exits(0);
}

#[test]
fn variables_and_shells_may_be_a_targets_own() {
    let cachex = cachex();
    cachex.tool("tool", "echo \"$*\"");
    cachex.write(
        "work/Makefile",
        "all: plain short.txt long.txt\n\
         %.txt: SHELL = cachex\n\
         %.txt: .SHELLFLAGS = sh -ec\n\
         %.txt: export CACHEX_EXPIRES_IN = 1h\n\
         short.txt: export CACHEX_EXPIRES_IN = 1m\n\
         %.txt:\n\t@tool $@\n\
         plain:\n\t@tool $@\n",
    );
    let make = cachex.shell("make");
    make.once().runs(3).exits(0).quietly();
    make.once().runs(1);
    make.clone().after("2m").once().runs(2);
    make.after("2h").once().runs(3);
}

#[test]
fn with_oneshell_a_recipe_is_one_script() {
    let cachex = cachex();
    makefile(&cachex, ".ONESHELL:\nall:\n\t@x=3\n\ttool $$x\n\tfalse\n\ttool end\n");
    cachex.shell("make").twice().runs(2).prints("3\nend\n").exits(0).quietly();
}

#[test]
fn what_make_asks_a_shell_is_cached_too() {
    let cachex = cachex();
    makefile(&cachex, "answer := $(shell tool asked)\nall: ; @:$(info $(answer))\n");
    cachex.shell("make").twice().runs_once().prints("asked\n").exits(0).quietly();
}

#[test]
fn makes_standard_input_is_left_alone() {
    let cachex = cachex();
    cachex.tool("tool", "cat; echo \"$*\"");
    let rules = "all: a b\na b: ; @tool $@\n";
    cachex.write("work/Makefile", format!("SHELL = cachex\n.SHELLFLAGS = sh -c\n{rules}"));
    let make = cachex.shell("make; cat").stdin("text\n");
    make.twice().runs(2).prints("a\nb\ntext\n").exits(0).quietly();
    // One of four jobs would get it, the others an empty pipe.
    let open = cachex.shell("make -j4").stdin_open().spawn().ends().exits(0).quietly();
    assert!(contains(open.stdout().as_bytes(), b"a\n"));
    assert_eq!(cachex.runs(), 2);
}

#[test]
fn without_shellflags_it_is_said_what_is_missing() {
    let cachex = cachex();
    cachex.write("work/Makefile", "SHELL = cachex\nall:\n\t@echo hi\n");
    cachex.shell("make").once().prints("").exits(2).mentions(&[".SHELLFLAGS = sh -c", "Error 125"]);
}
