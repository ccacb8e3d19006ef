//! `--base-dir` and `--portable`: results that two checkouts share.

use crate::harness::{Cachex, Call, cachex};

/// Makes a checkout with a script of its own in it.
fn checkout(cachex: &Cachex, name: &str) -> std::path::PathBuf {
    let path = cachex.path(name);
    std::fs::create_dir_all(path.join(".git")).unwrap();
    cachex.executable(format!("{name}/tool"), "#!/bin/sh\necho x >>\"$COUNT\"\necho tool\n");
    cachex.write(format!("{name}/src/a.c"), "int a;\n");
    path
}

/// Calls the checkout's tool from there, with paths of it in arguments and variables.
fn call(cachex: &Cachex, name: &str, options: &str) -> Call {
    let path = checkout(cachex, name);
    let tool = path.join("tool");
    let include = format!("-I{}/src", path.display());
    let call = cachex.exec([tool.into_os_string(), include.into()]).with(options);
    call.inside(path.clone()).env("ROOT", &path).env("COUNT", cachex.path("count"))
}

fn count(cachex: &Cachex) -> usize {
    std::fs::read_to_string(cachex.path("count")).unwrap_or_default().lines().count()
}

#[test]
fn two_checkouts_share_what_is_portable() {
    let cachex = cachex();
    call(&cachex, "one", "--portable --input src").once().prints("tool\n");
    call(&cachex, "two/deep", "--portable --input src").once().prints("tool\n");
    assert_eq!(count(&cachex), 1);
    call(&cachex, "one", "--input src").once();
    call(&cachex, "two/deep", "--input src").once();
    assert_eq!(count(&cachex), 3, "without it they do not");
}

#[test]
fn who_and_where_one_is_does_not_count() {
    let cachex = cachex();
    let one = call(&cachex, "one", "--portable");
    one.clone().env("USER", "a").env("HOSTNAME", "x").env("HOME", "/home/a").once();
    let other = call(&cachex, "two", "--portable").env("USER", "b").env("HOSTNAME", "y");
    other.clone().env("HOME", "/home/b").once();
    assert_eq!(count(&cachex), 1);
    other.env("LANG", "C").once();
    assert_eq!(count(&cachex), 2, "what the output may depend on counts");
}

#[test]
fn a_changed_tool_or_source_is_another_call() {
    let cachex = cachex();
    call(&cachex, "one", "--portable --input src").once();
    let other = call(&cachex, "two", "--portable --input src");
    cachex.write("two/src/a.c", "int b;\n");
    other.once();
    assert_eq!(count(&cachex), 2);
    cachex.write("two/src/a.c", "int a;\n");
    other.once();
    assert_eq!(count(&cachex), 2);
    cachex.executable("two/tool", "#!/bin/sh\necho x >>\"$COUNT\"\necho better\n");
    other.once().prints("better\n");
    assert_eq!(count(&cachex), 3);
}

#[test]
fn a_base_folder_is_told_by_the_way_from_it() {
    let cachex = cachex();
    let options = |name: &str| format!("--exe name --base-dir {}", cachex.path(name).display());
    let within = |name: &str| {
        let path = checkout(&cachex, name);
        let call = cachex.run("echo ran").with(&options(name)).inside(path.join("src"));
        call.env("ROOT", path)
    };
    within("one").twice().runs_once();
    within("two").once().hits();
    // From another folder of the same checkout it is another call.
    within("two").inside(cachex.path("two")).once().misses();
}

#[test]
fn a_name_that_only_begins_alike_is_another() {
    let cachex = cachex();
    let path = checkout(&cachex, "one");
    let call = |value: String| {
        let call = cachex.run("echo ran").with("--portable").inside(path.clone());
        call.env("AT", value).once()
    };
    call(format!("{}/x", path.display())).misses();
    call(format!("{}2/x", path.display())).misses();
    call(format!("/mnt{}/x", path.display())).misses();
}

#[test]
fn inputs_may_be_named_from_the_root_on() {
    let cachex = cachex();
    for name in ["one", "zwei/deep"] {
        let path = checkout(&cachex, name);
        let call = cachex.run("echo ran").with("--portable").inside(path.clone());
        let call = call.option("--input", path.join("src")).option("--input", "/etc/passwd");
        call.once().exits(0);
    }
    assert_eq!(cachex.runs(), 1);
}

#[test]
fn files_come_back_in_another_checkout() {
    let cachex = cachex();
    for name in ["one", "two"] {
        let path = checkout(&cachex, name);
        let call = cachex.run("cat src/a.c >made").with("--portable --input src --output made");
        call.inside(path.clone()).once().exits(0);
        assert_eq!(std::fs::read_to_string(path.join("made")).unwrap(), "int a;\n");
    }
    assert_eq!(cachex.runs(), 1);
}

#[test]
fn explain_says_which_folder_counts_from_anywhere() {
    let cachex = cachex();
    let path = checkout(&cachex, "one");
    let call = cachex.run("echo ran").with("--portable").inside(path.join("src"));
    let told = call.explain().once();
    told.shows(&["base folder", "wherever it lies", "host"]);
}
