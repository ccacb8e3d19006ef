//! An upgraded tool runs again.

use crate::harness::{Mounted, World, cachex, where_mounts_are_ones_own};
use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

fn set_mtime(path: &Path, seconds: u64) {
    let time: SystemTime = UNIX_EPOCH + Duration::from_secs(seconds);
    File::open(path).unwrap().set_modified(time).unwrap();
}

/// A counted tool that was last modified in the year 2001.
fn dated_tool(world: &World, name: &str, script: &str) -> std::path::PathBuf {
    let path = world.tool(name, script);
    set_mtime(&path, 1_000_000_000);
    path
}

#[test]
fn a_replaced_executable_runs_again() {
    let cachex = cachex();
    let call = cachex.exec(["tool"]);
    dated_tool(&cachex, "tool", "echo old");
    call.twice().runs_once().prints("old\n");
    dated_tool(&cachex, "tool", "echo newer");
    call.twice().runs_once().prints("newer\n");
}

#[test]
fn one_of_the_same_size_is_told_by_its_time() {
    let cachex = cachex();
    let call = cachex.exec(["tool"]);
    dated_tool(&cachex, "tool", "echo old");
    call.twice().runs_once().prints("old\n");
    cachex.tool("tool", "echo new");
    call.twice().runs_once().prints("new\n");
}

#[test]
fn by_stat_a_touched_executable_runs_again() {
    let cachex = cachex();
    let path = dated_tool(&cachex, "tool", "echo hi");
    let call = cachex.exec(["tool"]).with("--exe stat");
    call.twice().runs_once();
    set_mtime(&path, 1_000_000_001);
    call.twice().runs_once();
}

#[test]
fn by_content_only_the_bytes_matter() {
    let cachex = cachex();
    let path = dated_tool(&cachex, "tool", "echo old");
    let call = cachex.exec(["tool"]).with("--exe content");
    call.twice().runs_once();
    set_mtime(&path, 1_000_000_001);
    call.once().hits();
    dated_tool(&cachex, "tool", "echo new");
    call.twice().runs_once().prints("new\n");
    dated_tool(&cachex, "tool", "echo old");
    call.once().hits().prints("old\n");
}

#[test]
fn by_name_nothing_but_the_name_matters() {
    let cachex = cachex();
    dated_tool(&cachex, "tool", "echo old");
    let call = cachex.exec(["tool"]).with("--exe name");
    call.twice().runs_once();
    cachex.tool("tool", "echo something quite different");
    call.once().hits().prints("old\n");
}

#[test]
fn the_one_that_is_first_on_the_path_counts() {
    let cachex = cachex();
    dated_tool(&cachex, "tool", "echo second");
    let first = cachex.path("first");
    let call = cachex.exec(["tool"]).with("--no-env");
    let mut path = first.clone().into_os_string();
    path.push(":");
    path.push(cachex.path("bin"));
    path.push(":/usr/bin:/bin");
    let call = call.env("PATH", path);
    call.twice().runs_once().prints("second\n");
    // Same name, same size, same time: only the place differs.
    let other =
        cachex.executable("first/tool", format!("#!/bin/sh\n{}\n", cachex.counting("echo leader")));
    set_mtime(&other, 1_000_000_000);
    call.twice().runs_once().prints("leader\n");
    fs::remove_file(other).unwrap();
    call.once().hits().prints("second\n");
}

#[test]
fn a_link_that_was_turned_to_another_version_runs_again() {
    // As package managers and `alternatives` upgrade; some set every
    // modification time alike.
    let cachex = cachex();
    for version in ["v1", "v2"] {
        let script = format!("#!/bin/sh\n{}\n", cachex.counting(&format!("echo {version}")));
        set_mtime(&cachex.executable(format!("{version}/tool"), script), 1);
    }
    let link = cachex.path("bin/tool");
    let call = cachex.exec(["tool"]);
    for version in ["v1", "v2"] {
        let _ = fs::remove_file(&link);
        std::os::unix::fs::symlink(cachex.path(version).join("tool"), &link).unwrap();
        call.twice().runs_once().prints(format!("{version}\n"));
    }
}

#[test]
fn a_relative_command_is_the_one_of_its_folder() {
    let cachex = cachex();
    for name in ["one", "two"] {
        let script = format!("#!/bin/sh\n{}\n", cachex.counting(&format!("echo {name}")));
        set_mtime(&cachex.executable(format!("{name}/tool"), script), 1);
    }
    for name in ["one", "two"] {
        let call = cachex.exec(["./tool"]).with("--no-cwd").inside(cachex.path(name));
        call.twice().runs_once().prints(format!("{name}\n"));
    }
}

#[test]
fn the_path_by_which_it_was_found_counts_too() {
    // A Python in a virtual environment is a link, and goes by where that lies.
    let cachex = cachex();
    let script = format!("#!/bin/sh\n{}\n", cachex.counting("echo \"$0\""));
    let real = cachex.executable("real", script);
    for how in ["stat", "content"] {
        for place in ["a", "b"] {
            let folder = cachex.path(format!("{how}/{place}"));
            fs::create_dir_all(&folder).unwrap();
            std::os::unix::fs::symlink(&real, folder.join("tool")).unwrap();
            let mut path = folder.clone().into_os_string();
            path.push(":/usr/bin:/bin");
            let call = cachex.exec(["tool"]).with("--no-env").option("--exe", how);
            let printed = format!("{}\n", folder.join("tool").display());
            call.env("PATH", path).twice().runs_once().prints(printed);
        }
    }
}

#[test]
fn one_below_a_very_deep_folder_is_found() {
    let cachex = cachex();
    let name = "d".repeat(200);
    let script = format!(
        "i=0; while [ $i -lt 25 ]; do mkdir {name} && cd -P ./{name} 2>/dev/null || cd {name}; \
         i=$((i+1)); done; printf '#!/bin/sh\\necho ran\\n' >tool; chmod +x tool; \
         unset PWD OLDPWD; cachex run -- ./tool; cachex run -- ./tool; cachex run -- /bin/echo x"
    );
    cachex.shell(&script).once().prints("ran\nran\nx\n").exits(0).quietly();
}

#[test]
fn one_that_has_no_name_any_more_is_found() {
    let cachex = cachex();
    let launch = r#"cp /bin/echo e; exec 7<e; rm e; exec "$@""#;
    let call = cachex.exec(["/proc/self/fd/7", "hi"]).launched_by(launch);
    call.twice().prints("hi\n").exits(0).quietly();
}

#[test]
fn one_that_may_not_be_executed_where_it_lies_is_passed_by() {
    let done = where_mounts_are_ones_own(|| {
        let cachex = cachex();
        let mounted = Mounted::without_execution(&cachex.path("first"));
        cachex.executable("first/tool", "#!/bin/sh\necho wrong\n");
        cachex.tool("tool", "echo right");
        let mut path = cachex.path("first").into_os_string();
        path.push(":");
        path.push(cachex.path("bin"));
        path.push(":/usr/bin:/bin");
        cachex.exec(["tool"]).env("PATH", path).twice().runs_once().prints("right\n").quietly();
        drop(mounted);
    });
    // Not everybody may mount.
    let _ = done;
}
