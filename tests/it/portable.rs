//! `--base-dir` and `--portable`: results that two checkouts share.

use crate::harness::{Cachex, Call, cachex};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Makes a checkout with a script of its own in it.
fn checkout(cachex: &Cachex, name: &str) -> PathBuf {
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
    let one = call(&cachex, "one", "--portable --scope tool");
    one.clone().env("USER", "a").env("HOSTNAME", "x").env("HOME", "/home/a").once();
    let other =
        call(&cachex, "two", "--portable --scope tool").env("USER", "b").env("HOSTNAME", "y");
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
    told.shows(&["base folder", "in any place", "host"]);
}

/// `git` in a folder.
fn git(cachex: &Cachex, folder: &Path, words: &str) {
    let who = "git -c user.name=a -c user.email=a@example.com -c init.defaultBranch=main";
    cachex.shell(&format!("exec {who} {words}")).inside(folder.to_owned()).once().exits(0);
}

/// A repository whose first commit is called this.
fn repository(cachex: &Cachex, name: &str) -> PathBuf {
    let path = cachex.path(name);
    std::fs::create_dir_all(&path).unwrap();
    git(cachex, &path, "init --quiet");
    git(cachex, &path, &format!("commit --quiet --allow-empty --message {name}"));
    path
}

#[test]
fn another_project_is_another_call() {
    let cachex = cachex();
    for options in ["--portable", "--portable --input a.c"] {
        for name in ["one", "two"] {
            let path = repository(&cachex, name);
            cachex.write(format!("{name}/a.c"), "int a;\n");
            let call = cachex.run("echo all tests pass").with(options).inside(path);
            call.once().misses();
        }
    }
}

#[test]
fn a_clone_is_the_same_project() {
    let cachex = cachex();
    let path = repository(&cachex, "one");
    let call = cachex.run("echo all tests pass").with("--portable");
    call.clone().inside(path.clone()).once().misses();
    git(&cachex, &path, "clone --quiet . ../clone");
    git(&cachex, &cachex.path("clone"), "commit --quiet --allow-empty --message more");
    call.clone().inside(cachex.path("clone")).once().hits();
    // A hook is told of a repository that is another one for what it calls.
    let of_a_hook = call.env("GIT_DIR", path.join(".git")).with("--ignore-env GIT_*");
    let elsewhere = repository(&cachex, "two");
    of_a_hook.inside(elsewhere).once().misses();
}

#[test]
fn outside_of_a_repository_the_folder_counts_unless_something_says_what_does() {
    let cachex = cachex();
    let runs = |options: &str| {
        let before = cachex.runs();
        for name in ["one", "two"] {
            cachex.write(format!("{name}/a.c"), "int a;\n");
            let call = cachex.run("echo hi").with("--portable").with(options);
            call.inside(cachex.path(name)).once().exits(0);
        }
        cachex.runs() - before
    };
    assert_eq!(runs("--key plain"), 2);
    assert_eq!(runs("--input a.c"), 1);
    assert_eq!(runs("--scope a"), 1);
}

#[test]
fn the_umask_counts_and_so_does_the_processor_where_something_is_made_for_it() {
    let cachex = cachex();
    let call = cachex.run("umask").with("--portable --scope a");
    let masked =
        |mask: &str| call.clone().launched_by(&format!("umask {mask}; exec \"$@\"")).once();
    masked("022").prints("0022\n").misses();
    masked("077").prints("0077\n").misses();
    masked("022").prints("0022\n").hits();
    let platform = |word: &str| {
        let call = cachex.exec(["echo", word]).with("--portable").explain();
        let told: Value = serde_json::from_str(&call.with("--json").once().stdout()).unwrap();
        let parts = told["parts"]["platform"].as_object().unwrap().clone();
        parts.keys().cloned().collect::<Vec<_>>()
    };
    let always = ["distribution", "libraries", "project", "system", "time zone", "umask", "user"];
    assert_eq!(platform("-O2"), always);
    let mut native = always.map(str::to_owned).to_vec();
    native.insert(2, "processor".to_owned());
    for word in ["-march=native", "-mcpu native", "-xHost"] {
        assert_eq!(platform(word), native, "{word}");
    }
}

#[test]
fn what_a_script_is_run_by_counts_by_what_is_in_it() {
    let cachex = cachex();
    let tool = cachex.executable("bin/tool", "#!/usr/bin/env inner\n");
    let path = format!("{}:/usr/bin:/bin", cachex.path("bin").display());
    let call = cachex.exec([tool]).with("--portable --scope a").env("PATH", path);
    let inner = |says: &str| {
        cachex.executable("bin/inner", format!("#!/bin/sh\necho {says}\n"));
    };
    inner("old");
    call.once().prints("old\n");
    call.once().prints("old\n").hits();
    inner("new");
    call.once().prints("new\n");
}

/// A tool that says this, whoever looks for it.
fn tool_says(cachex: &Cachex, says: &str) {
    cachex.executable("bin/tool", format!("#!/bin/sh\necho {says}\n"));
}

#[test]
fn what_a_wrapper_runs_counts_as_if_it_were_called_directly() {
    let cachex = cachex();
    let tool = cachex.path("bin/tool").display().to_string();
    for wrapper in [
        "env A=b tool",
        "env -u HOME tool",
        &format!("env -i A=b {tool}"),
        &format!("env PATH={}:/bin tool", cachex.path("bin").display()),
        &format!("env -C {} ../bin/tool", cachex.path("home").display()),
        "nice -n 1 tool",
        "timeout -s KILL 50 tool",
        "nohup tool",
        "setsid -w tool",
        "stdbuf -oL tool",
        "time -o /dev/null tool",
        "ionice -c 2 tool",
        "chrt --other 0 tool",
        "taskset -c 0-63 tool",
        "nice env A=b timeout 50 tool",
    ] {
        let call = cachex.exec(wrapper.split(' ')).with("--portable --scope a");
        std::fs::create_dir_all(cachex.path("home")).unwrap();
        tool_says(&cachex, "old");
        call.once().prints("old\n");
        tool_says(&cachex, "new");
        call.once().prints("new\n");
        tool_says(&cachex, "old");
        let hit = call.with("--verbose").once().prints("old\n").mentions(&["hit"]);
        assert!(!hit.stderr().contains("not part of the key"), "{}", hit.stderr());
    }
    // One that `env` splits into words.
    let call = cachex.exec(["env", "-S", "A=b nice tool"]).with("--portable --scope a");
    call.once().prints("old\n");
    tool_says(&cachex, "new");
    call.once().prints("new\n");
    call.clone().explain().once().shows(&[
        "wrapped command",
        "wrapped interpreter",
        "wrapped libraries",
    ]);
    std::fs::remove_file(&tool).unwrap();
    call.once().exits(127);
}

/// Checks that a portable call counts a file: with other contents it runs again.
fn counts(call: &Call, write: impl Fn(&str)) {
    write("old");
    call.once().prints("old\n");
    call.once().prints("old\n");
    write("new");
    let told = call.clone().with("--verbose").once();
    assert_eq!(told.stdout(), "new\n", "{}", told.stderr());
}

#[test]
fn a_command_is_looked_for_in_the_folder_that_its_wrapper_enters() {
    let cachex = cachex();
    let sub = cachex.path("work/sub").display().to_string();
    for (line, path) in [
        ("env -C sub PATH=.:/usr/bin tool", None),
        ("env -Csub PATH=.:/usr/bin tool", None),
        ("env --chdir=sub PATH=:/usr/bin tool", None),
        ("env -C /nowhere -C sub PATH=/usr/bin: tool", None),
        (&format!("env -C {sub} PATH=.:/usr/bin tool"), None),
        ("env -C sub nice tool", Some(".:/usr/bin:/bin")),
        ("env -C . env -C sub tool", Some("/usr/bin:/bin:")),
        ("env -C sub ./tool", None),
        ("env -C sub PATH=.:/usr/bin script", None),
        ("env -C sub ./other", None),
        // Options end at a lone `-`, so this is a variable.
        ("env - --chdir=sub sub/tool", None),
    ] {
        let mut call = cachex.exec(line.split(' ')).with("--portable --scope a");
        if let Some(path) = path {
            call = call.env("PATH", path);
        }
        counts(&call, |says| {
            tool_in(&cachex, "work/sub/tool", says);
            cachex.executable("work/sub/script", "#!/usr/bin/env tool\n");
            cachex.executable("work/sub/other", "#!./tool\n");
        });
    }
    let call = cachex.exec(["env", "-S", "-C sub PATH=.:/usr/bin tool"]);
    counts(&call.with("--portable --scope a"), |says| tool_in(&cachex, "work/sub/tool", says));
    // A wrapper on the way, found there as well.
    let call = cachex.exec(["env", "-C", "sub", "./nice", "true"]);
    counts(&call.with("--portable --scope a"), |says| tool_in(&cachex, "work/sub/nice", says));
}

#[test]
fn libraries_and_preloaded_files_are_looked_for_in_the_folder_that_a_wrapper_enters() {
    let cachex = cachex();
    let call = |words: &[&str]| cachex.exec(words).with("--portable --scope a");
    // It is no library, but the loader opens it.
    let preload = |says: &str| drop(cachex.write("work/lib/pre.so", says));
    for line in [
        &["env", "-C", "lib", "LD_PRELOAD=./pre.so", "/bin/echo", "hi"][..],
        &["env", "-u", "A", "env", "-Clib", "LD_PRELOAD=a ./pre.so", "/bin/echo", "hi"],
        &["env", "-C", "lib", "LD_AUDIT=pre.so", "LD_LIBRARY_PATH=/none:", "/bin/echo", "hi"],
    ] {
        preload("old");
        call(line).once().prints("hi\n");
        preload("new");
        call(line).with("--verbose").once().mentions(&["cachex: miss"]);
        call(line).with("--verbose").once().mentions(&["cachex: hit"]);
    }
    // Without it, nothing starts.
    let line = ["env", "-C", "lib", "LD_LIBRARY_PATH=.", "/bin/echo", "hi"];
    call(&line).twice().prints("hi\n");
    cachex.write("work/lib/libc.so.6", "no library");
    call(&line).once().exits(127);
}

fn tool_in(cachex: &Cachex, name: &str, says: &str) {
    cachex.executable(name, format!("#!/bin/sh\necho {says}\n"));
}

#[test]
fn a_command_behind_less_common_wrappers_and_other_names_of_theirs_counts() {
    let cachex = cachex();
    let link = |name: &str, to: &str| {
        std::fs::create_dir_all(cachex.path("bin")).unwrap();
        std::os::unix::fs::symlink(to, cachex.path("bin").join(name)).unwrap();
    };
    link("other", "/usr/bin/env");
    link("genv", "/usr/bin/env");
    for line in [
        "other A=b tool",
        "nice other A=b tool",
        "genv A=b tool",
        "setarch x86_64 -R tool",
        "setarch -R tool",
        "linux64 -R tool",
        "prlimit --nofile=100 -c0 tool",
        "choom -n 0 -- tool",
        "flock -w 5 /dev/null tool",
        "busybox env A=b tool",
    ] {
        let program = line.split(' ').next().unwrap();
        let usual = ["/usr/bin", "/bin"].iter().any(|it| Path::new(it).join(program).exists());
        if !usual && !cachex.path("bin").join(program).exists() {
            continue;
        }
        let call = cachex.exec(line.split(' ')).with("--portable --scope a");
        counts(&call, |says| tool_says(&cachex, says));
    }
}

#[test]
fn what_a_wrapped_script_is_run_by_counts() {
    let cachex = cachex();
    tool_says(&cachex, "unused");
    cachex.executable("bin/tool", "#!/usr/bin/env -S A=b inner\n");
    let call = cachex.exec(["timeout", "50", "tool"]).with("--portable --scope a");
    let inner = |says: &str| {
        cachex.executable("bin/inner", format!("#!/bin/sh\necho {says}\n"));
    };
    inner("old");
    call.twice().prints("old\n");
    inner("new");
    call.once().prints("new\n");
}

#[test]
fn a_wrapped_command_that_is_replaced_while_it_runs_is_not_recorded() {
    let cachex = cachex();
    let newer = cachex.executable("newer", "#!/bin/sh\necho new\n");
    let replace = format!("mv {} \"$0\"; echo old", newer.display());
    cachex.executable("bin/tool", format!("#!/bin/sh\n{replace}\n"));
    let call = cachex.exec(["nice", "tool"]).with("--portable --scope a --verbose");
    call.once().prints("old\n").mentions(&["changed while it ran"]);
    call.once().prints("new\n").mentions(&["cachex: miss"]);
}

#[test]
fn a_shim_that_chooses_what_runs_is_named() {
    let cachex = cachex();
    let rustup = cachex.executable("cargo/rustup", "#!/bin/sh\necho chosen\n");
    std::os::unix::fs::symlink(&rustup, cachex.path("cargo/rustc")).unwrap();
    std::fs::hard_link(&rustup, cachex.path("cargo/cargo")).unwrap();
    cachex.executable(".pyenv/shims/python", "#!/bin/sh\necho chosen\n");
    let path = |name: &str| cachex.path(name).into_os_string().into_string().unwrap();
    let shims = [
        (path("cargo/rustc"), "rustc is a shim of rustup"),
        (path("cargo/cargo"), "cargo is a shim of rustup"),
        (path(".pyenv/shims/python"), "python is a shim of pyenv"),
    ];
    for (shim, told) in shims {
        for argv in [&[shim.as_str()][..], &["timeout", "50", &shim]] {
            let call = cachex.exec(argv).with("--portable --scope a");
            let says = |call: &Call| call.clone().with("--verbose").once().stderr();
            assert!(says(&call).contains(told), "{}", says(&call));
            call.once().prints("chosen\n").quietly();
            let explained = call.clone().explain();
            explained.once().shows(&["not in the key", told, "--input-command"]);
            let json: Value =
                serde_json::from_str(&explained.with("--json").once().stdout()).unwrap();
            assert!(json["parts"]["shim"].as_str().unwrap().contains(told), "{json}");
            for known in ["--input-command true", "--platform any"] {
                let call = call.clone().with(known);
                assert!(!says(&call).contains("is a shim"), "{}", says(&call));
            }
        }
    }
    let own = cachex.exec([rustup]).with("--portable --scope a --verbose").once();
    assert!(!own.stderr().contains("is a shim"), "{}", own.stderr());
}
