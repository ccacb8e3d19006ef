//! Inputs that are others while a command runs, and what they were afterwards; and folders that it
//! fills.

use crate::harness::{Cachex, Call, cachex};

fn scene() -> Cachex {
    let cachex = cachex();
    for (name, text) in [("v1/f", "one\n"), ("v2/f", "two\n"), ("in/a", "a\n"), ("x1", "1\n")] {
        cachex.write(format!("work/{name}"), text);
    }
    cachex.write("work/x2", "2\n");
    cachex.write("work/list", "x1\n");
    cachex.shell("ln -s v1 current; mkdir kept; cp v1/f kept").once().exits(0);
    cachex
}

#[track_caller]
fn is_not_recorded(call: &Call) {
    call.once().exits(0).warns_once(&["not recorded", "while it ran"]);
    call.once().misses();
}

#[test]
fn a_file_that_came_and_went_is_noticed() {
    let cachex = scene();
    for options in ["--input in", "--input in/*"] {
        is_not_recorded(&cachex.run("touch in/z; ls in; rm in/z").with(options));
    }
}

#[test]
fn what_leads_to_a_file_may_not_lead_elsewhere_for_a_while() {
    let cachex = scene();
    let relinked = "ln -sfn v2 current; cat current/f; ln -sfn v1 current";
    is_not_recorded(&cachex.run(relinked).with("--input current/f"));
    let exchanged = "mv kept away; mv v2 kept; cat kept/f; mv kept v2; mv away kept";
    for options in ["--input kept", "--input kept/f"] {
        is_not_recorded(&cachex.run(exchanged).with(options));
    }
}

#[test]
fn the_list_of_inputs_may_not_be_another_one_for_a_while() {
    let cachex = scene();
    let script = "cp list kept-list; echo x2 >list; cat $(cat list); cat kept-list >list";
    is_not_recorded(&cachex.run(script).with("--input-from list"));
}

#[test]
fn a_working_directory_that_is_moved_is_not_the_one_of_the_key() {
    let cachex = scene();
    let folder = cachex.path("place");
    let call = cachex.run("mv ../place ../moved; pwd -P").inside(folder.clone());
    for _ in 0..2 {
        std::fs::create_dir(&folder).unwrap();
        call.once().runs_once().warns_once(&["not recorded", "working directory"]);
        std::fs::remove_dir(cachex.path("moved")).unwrap();
    }
}

#[test]
fn what_a_command_makes_beside_its_inputs_is_no_change() {
    let cachex = scene();
    for (script, options) in [
        ("touch made; cat in/a", "--input in/a"),
        ("touch in/made; cat in/a", "--input in --output in/made"),
        ("touch in/made; rm in/made; cat in/a", "--input in/a"),
        ("touch made; rm made; cat x1", "--input x1"),
        ("touch in/made; cat in/a x1", "--input in --input !in/made"),
    ] {
        let call = cachex.run(script).with(options);
        call.once().misses().quietly();
        call.once().hits();
    }
}

#[test]
fn a_folder_with_nothing_in_it_counts_unless_the_command_fills_it() {
    let cachex = cachex();
    cachex.write("work/src/a", "a");
    let call = cachex.run("find src -type d").with("--input src");
    call.twice().runs_once().prints("src\n");
    std::fs::create_dir(cachex.path("work/src/new")).unwrap();
    call.twice().runs_once().prints("src\nsrc/new\n");
    std::fs::remove_dir(cachex.path("work/src/new")).unwrap();
    call.once().hits().prints("src\n");
    // Neither an output nor what is no input makes a difference.
    cachex.write("work/src/.gitignore", "*.o\n");
    std::fs::create_dir(cachex.path("work/src/.git")).unwrap();
    for folder in ["out", "obj"] {
        std::fs::create_dir(cachex.path("work/src").join(folder)).unwrap();
    }
    let build = cachex.run("echo x >src/out/x; echo y >src/obj/y.o");
    let build = build.with("--input src --output src/out/x");
    build.once().misses().quietly();
    build.once().hits();
    let file = |name: &str| cachex.path("work/src").join(name);
    std::fs::remove_file(file("obj/y.o")).unwrap();
    build.once().hits();
    std::fs::remove_dir_all(file("out")).unwrap();
    build.once().hits();
}

#[test]
fn a_folder_counts_whether_or_not_what_is_ignored_lies_in_it() {
    let cachex = cachex();
    cachex.write("work/src/a", "a");
    cachex.write("work/src/.gitignore", "*.o\n");
    std::fs::create_dir(cachex.path("work/src/.git")).unwrap();
    let list = cachex.run("ls src").with("--input src");
    list.twice().runs_once().prints("a\n");
    cachex.write("work/src/obj/x.o", "x");
    list.twice().runs_once().prints("a\nobj\n");
    cachex.write("work/src/obj/y.o", "y");
    list.once().hits();
    for name in ["x.o", "y.o"] {
        std::fs::remove_file(cachex.path("work/src/obj").join(name)).unwrap();
        list.once().hits();
    }
    cachex.write("work/src/obj/x.o", "x");
    list.once().hits();
    // It does not matter which of them come and go while the command runs, nor with which folder.
    let build = cachex.run("mkdir src/new && echo x >src/new/x.o && rm -r src/obj");
    build.clone().with("--input src").once().misses().exits(0).quietly();
    build.with("--input src").once().misses();
}
