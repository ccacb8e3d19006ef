//! Machines that are not alike: what they do not share, and what they do because somebody
//! says so.

use super::Machines;
use crate::harness::{Call, Folder, Mounted, where_mounts_are_ones_own};
use std::path::Path;

/// What two systems differ in: a file that is another one for the second.
struct Other<'c> {
    place: &'static str,
    content: &'c str,
}

const OTHERS: [Other<'static>; 2] = [
    Other { place: "/etc/os-release", content: "ID=other\nVERSION_ID=1\n" },
    Other { place: "/etc/localtime", content: "TZif2 of somewhere else" },
];

/// How often it is run, by one machine and by another one that is not like it.
#[track_caller]
fn runs_on_both(other: &Other<'_>, call: impl Fn(&Machines<'_>, &str) -> Call + Sync) -> usize {
    let folder = Folder::new();
    let machines = Machines::sharing(&folder);
    machines.on("a", &call(&machines, "a")).once().misses().exits(0).quietly();
    machines.shares("a");
    machines.on("b", &call(&machines, "b")).once().hits().quietly();
    let content = machines.cachex.write("other", other.content);
    let path = machines.cachex.clone();
    let runs = path.runs();
    let there = where_mounts_are_ones_own(|| {
        let folder = Folder::at(folder.objects());
        let machines = Machines { cachex: path.clone(), remote: &folder, secret: None };
        let _mounted = Mounted::file(&content, Path::new(other.place));
        machines.on("c", &call(&machines, "c")).once().exits(0).quietly();
    });
    if there.is_none() {
        eprintln!("this cannot run here: no mounts of one's own");
        return usize::MAX;
    }
    1 + path.runs() - runs
}

#[test]
fn another_distribution_and_another_time_zone_share_nothing() {
    for other in &OTHERS {
        for options in ["", "--portable --scope a", "--platform ours"] {
            let runs =
                runs_on_both(other, |machines, _| machines.cachex.run("echo hi").with(options));
            let expected = if options.contains("ours") { 1 } else { 2 };
            assert!([expected, usize::MAX].contains(&runs), "{}: {options}", other.place);
        }
    }
}

#[test]
fn a_platform_that_has_a_name_is_shared_by_those_who_say_it() {
    for other in &OTHERS {
        let named = |machines: &Machines<'_>, machine: &str| {
            let name = if machine == "c" { "theirs" } else { "ours" };
            machines.cachex.run("echo hi").option("--platform", name)
        };
        let runs = runs_on_both(other, named);
        assert!([2, usize::MAX].contains(&runs), "{}", other.place);
        let any = |machines: &Machines<'_>, _: &str| {
            let call = machines.cachex.run("echo hi").with("--portable --scope a --exe name");
            call.with("--platform any")
        };
        let runs = runs_on_both(other, any);
        assert!([1, usize::MAX].contains(&runs), "{}", other.place);
    }
}

#[test]
fn what_is_of_a_platform_with_a_name_is_forgotten_there() {
    let folder = Folder::new();
    let machines = Machines::sharing(&folder);
    let call = machines.cachex.run("echo hi").with("--platform any");
    machines.on("a", &call).once().misses();
    machines.shares("a");
    machines.on("b", &call.clone().forget()).once().exits(0);
    machines.on("c", &call).once().misses();
    machines.shares("c");
    machines.on("c", &machines.cachex.cli(["forget", "--tag", "platform:any"])).once().exits(0);
    machines.on("d", &call).once().misses();
}

#[test]
fn another_locale_is_another_call() {
    let folder = Folder::new();
    let machines = Machines::sharing(&folder);
    let call = machines.cachex.run("echo hi").with("--portable --scope a");
    machines.on("a", &call.clone().env("LC_ALL", "C")).once().misses();
    machines.shares("a");
    machines.on("b", &call.clone().env("LC_ALL", "C.UTF-8")).once().misses();
    machines.on("c", &call.env("LC_ALL", "C")).once().hits();
}

/// A program that prints what a library of its own says, in a folder of this name.
fn linked(machines: &Machines<'_>, folder: &str, says: &str) -> Call {
    let at = machines.cachex.path(folder);
    std::fs::create_dir_all(&at).unwrap();
    machines
        .cachex
        .write(format!("{folder}/says.c"), format!("int says(void) {{ return {says}; }}\n"));
    let main = "#include <stdio.h>\nint says(void);\nint main(void) { return !printf(\"%d\\n\", says()); }\n";
    machines.cachex.write(format!("{folder}/main.c"), main);
    let build = "cc -shared -fPIC -o libsays.so says.c && cc -o ../linked main.c -L. -lsays";
    machines.cachex.shell(build).inside(at.clone()).once().exits(0);
    let call = machines.cachex.exec([machines.cachex.path("linked")]);
    call.with("--portable --scope a --ignore-env LD_LIBRARY_PATH").env("LD_LIBRARY_PATH", at)
}

#[test]
fn a_program_with_another_library_is_another_call() {
    let folder = Folder::new();
    let machines = Machines::sharing(&folder);
    let one = linked(&machines, "one", "1");
    machines.on("a", &one).once().prints("1\n").quietly();
    machines.shares("a");
    let other = linked(&machines, "two", "2");
    machines.on("b", &other).once().prints("2\n").quietly();
    machines.on("b", &one).once().prints("1\n").quietly();
    // The same library elsewhere is the same one.
    let same = linked(&machines, "three", "1");
    let hit = machines.on("b", &same.with("--verbose")).once().prints("1\n");
    hit.warns_once(&["hit"]);
    let told = machines.on("b", &one.explain()).once();
    told.shows(&["libraries"]);
}

#[test]
fn a_wrapped_program_with_another_library_is_another_call() {
    let folder = Folder::new();
    let machines = Machines::sharing(&folder);
    let call = |says: &str| {
        linked(&machines, "lib", says);
        let libraries = format!("LD_LIBRARY_PATH={}", machines.cachex.path("lib").display());
        let program = machines.cachex.path("linked").into_os_string().into_string().unwrap();
        let call = machines.cachex.exec(["nice", "env", &libraries, &program]);
        call.with("--portable --scope a")
    };
    machines.on("a", &call("1")).once().prints("1\n").quietly();
    machines.shares("a");
    machines.on("b", &call("2")).once().prints("2\n").quietly();
    machines.on("b", &call("1").with("--verbose")).once().prints("1\n").mentions(&["hit (remote)"]);
}

#[test]
fn a_library_found_in_the_working_directory_counts_however_that_is_named() {
    let folder = Folder::new();
    let machines = Machines::sharing(&folder);
    let library = |says: &str| {
        let call = linked(&machines, "lib", says);
        std::fs::rename(
            machines.cachex.path("lib/libsays.so"),
            machines.cachex.path("work/libsays.so"),
        )
        .unwrap();
        call
    };
    for paths in [":/none", "/none:", "/none::/nowhere", ":", ";", "."] {
        let call = |says: &str| library(says).env("LD_LIBRARY_PATH", paths);
        machines.on("a", &call("1")).once().prints("1\n").quietly();
        machines.on("a", &call("2")).once().prints("2\n").quietly();
    }
    // The program itself may have such a list.
    library("1");
    let build = "cc -o ../linked ../lib/main.c -L. -lsays -Wl,-rpath,/none:";
    machines.cachex.shell(build).once().exits(0);
    let call = machines.cachex.exec([machines.cachex.path("linked")]).with("--portable --scope b");
    machines.on("a", &call).once().prints("1\n").quietly();
    library("2");
    // Only the library is to differ.
    machines.cachex.shell(build).once().exits(0);
    machines.on("a", &call).once().prints("2\n").quietly();
}

#[test]
fn another_content_of_what_is_preloaded_is_another_call() {
    let folder = Folder::new();
    let machines = Machines::sharing(&folder);
    let program = linked(&machines, "lib", "1");
    let argv = machines.cachex.path("linked").into_os_string();
    // They have the same build ID, as only a file that was altered has.
    let preloads = |says: &str| {
        machines.cachex.write("work/pre.c", format!("int says(void) {{ return {says}; }}\n"));
        let build = "cc -shared -fPIC -Wl,--build-id=0x1234 -o pre.so pre.c";
        machines.cachex.shell(build).once().exits(0);
    };
    let direct = program.env("LD_PRELOAD", "./pre.so");
    let wrapped = ["env", "LD_PRELOAD=./pre.so"].map(Into::into).into_iter().chain([argv]);
    let wrapped = machines.cachex.exec(wrapped).with("--portable --scope a --ignore-env LD_*");
    let wrapped = wrapped.env("LD_LIBRARY_PATH", machines.cachex.path("lib"));
    for call in [direct, wrapped] {
        preloads("3");
        machines.on("a", &call).once().prints("3\n").quietly();
        machines.shares("a");
        preloads("4");
        machines.on("b", &call).once().prints("4\n").quietly();
        preloads("3");
        let hit = machines.on("b", &call.with("--verbose")).once().prints("3\n");
        hit.mentions(&["hit (remote)"]);
    }
}

#[test]
fn a_script_with_another_interpreter_is_another_call() {
    let folder = Folder::new();
    let machines = Machines::sharing(&folder);
    let script = machines.cachex.executable("script", "#!/usr/bin/env inner\n");
    let call = machines.cachex.exec([script]).with("--portable --scope a");
    machines.cachex.tool("inner", "echo old");
    machines.on("a", &call).once().prints("old\n");
    machines.shares("a");
    machines.on("b", &call).once().prints("old\n");
    machines.cachex.tool("inner", "echo new");
    machines.on("c", &call).once().prints("new\n").quietly();
}

/// What a machine has that no key holds unless somebody names it.
struct Unseen {
    /// What the call runs.
    script: &'static str,
    /// A tool that is of another version on the other machine.
    tool: &'static str,
    /// The option that names it, and its value.
    named: [&'static str; 2],
}

const UNSEEN: [Unseen; 4] = [
    // A compiler behind a shell.
    Unseen { script: "cc -c x.c", tool: "cc", named: ["--input-command", "cc --version"] },
    // The version that a shim chooses.
    Unseen { script: "rustc x.rs", tool: "rustc", named: ["--input-command", "rustc -vV"] },
    // The interpreter of a virtual environment, and what is installed there.
    Unseen { script: "python x.py", tool: "python", named: ["--input", "requirements.txt"] },
    // The kernel, behind a shell that says nothing of it.
    Unseen { script: "./configure", tool: "kernel", named: ["--input-command", "kernel"] },
];

#[test]
fn what_no_key_holds_makes_another_call_once_it_is_named() {
    for Unseen { script, tool, named: [option, value] } in UNSEEN {
        let folder = Folder::new();
        let machines = Machines::sharing(&folder);
        machines.cachex.executable("work/configure", "#!/bin/sh\nkernel\n");
        let has = |version: &str| {
            let says = format!("#!/bin/sh\necho {version}\n");
            machines.cachex.executable(format!("bin/{tool}"), says);
            machines.cachex.write("work/requirements.txt", version);
        };
        let call = machines.cachex.run(script).with("--portable --scope a");
        let named = call.clone().option(option, value);
        has("1");
        for call in [&call, &named] {
            machines.on("a", call).once().misses().prints("1\n");
            machines.shares("a");
            machines.on("b", call).once().hits().prints("1\n");
        }
        has("2");
        machines.on("c", &call).once().hits().prints("1\n");
        machines.on("c", &named).once().misses().prints("2\n");
    }
}
