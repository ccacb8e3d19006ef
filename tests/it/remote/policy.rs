//! When a remote store is asked and given, beside the other switches.

use super::Machines;
use crate::harness::{Folder, Proxy, Redis};

#[test]
fn what_others_did_lately_stands_in_for_what_expired_here() {
    let folder = Folder::new();
    let machines = Machines::sharing(&folder);
    let call = machines.cachex.run("cat ../mood").expires_in("10m");
    machines.cachex.write("mood", "good\n");
    machines.on("a", &call).once().misses().prints("good\n");
    // By its own clock, what is sent now would not be outdated by what comes in 9 minutes.
    machines.shares("a");
    machines.cachex.write("mood", "better\n");
    let later = call.clone().after("9m").with("--force");
    machines.on("b", &later).once().misses().prints("better\n");
    machines.verb("b", "flush").after("9m").once().exits(0);
    machines.on("a", &call.clone().after("9m")).once().hits().prints("good\n");
    machines.on("a", &call.clone().after("11m")).once().hits().prints("better\n");
    machines.on("a", &call.after("12m")).once().hits().prints("better\n");
}

#[test]
fn who_insists_on_a_run_reads_nothing_and_shares_it() {
    let folder = Folder::new();
    let machines = Machines::sharing(&folder);
    let call = machines.cachex.run("cat ../mood");
    machines.cachex.write("mood", "good\n");
    machines.on("a", &call).once().misses();
    machines.shares("a");
    machines.cachex.write("mood", "bad\n");
    machines.on("b", &call.clone().with("--force")).once().misses().prints("bad\n");
    machines.shares("b");
    machines.on("c", &call).once().hits().prints("bad\n");
}

#[test]
fn who_wants_no_run_is_served_what_others_recorded() {
    let folder = Folder::new();
    let machines = Machines::sharing(&folder);
    let call = machines.cachex.run("echo hi");
    let cached_only = call.clone().with("--cached-only");
    assert_eq!(machines.on("b", &cached_only).once().executions(), 0);
    machines.on("a", &call).once().misses();
    machines.shares("a");
    machines.on("b", &cached_only).once().hits().prints("hi\n").exits(0);
}

#[test]
fn what_prints_nothing_to_two_streams_that_are_one_is_shared() {
    let folder = Folder::new();
    let machines = Machines::sharing(&folder);
    let call = machines.cachex.run(":").merged();
    machines.on("a", &call).once().misses().prints("");
    machines.shares("a");
    machines.on("b", &call).once().hits().prints("");
}

#[test]
fn what_is_not_recorded_is_not_shared() {
    let folder = Folder::new();
    let machines = Machines::sharing(&folder);
    let call = machines.cachex.run("echo hi; exit 1").exit_codes("0");
    machines.on("a", &call).twice().misses();
    machines.shares("a");
    machines.on("b", &call).once().misses();
    assert!(super::files_below(folder.objects()).is_empty());
}

#[test]
fn of_many_that_wait_for_each_other_one_runs_it() {
    let redis = Redis::start();
    let proxy = Proxy::before(&redis);
    let machines = Machines::sharing(&proxy);
    let call = machines.cachex.run("echo hi").with("--no-concurrent");
    machines.on("a", &call).simultaneously(8).runs_once().prints("hi\n");
    machines.shares("a");
    let before = proxy.connections();
    machines.on("b", &call).once().hits();
    let one_asks = proxy.connections() - before;
    let before = proxy.connections();
    machines.on("c", &call).simultaneously(8).hits().prints("hi\n");
    let eight_ask = proxy.connections() - before;
    assert!(eight_ask <= 8 * one_asks, "{eight_ask} connections, {one_asks} for one");
}

#[test]
fn what_others_did_well_stands_in_for_a_failure_here() {
    let folder = Folder::new();
    let machines = Machines::sharing(&folder);
    let call = machines.cachex.run("cat ../mood").expires_in("10m");
    let call = call.option("--stale-if-error", "1h");
    let mood = machines.cachex.write("mood", "good\n");
    machines.on("a", &call).once().misses().prints("good\n");
    machines.shares("a");
    std::fs::remove_file(mood).unwrap();
    machines.on("b", &call.after("11m")).once().runs_once().prints("good\n").exits(0);
}

#[test]
fn another_directory_and_another_user_share_results() {
    let folder = Folder::new();
    let machines = Machines::sharing(&folder);
    let call = machines.cachex.run("echo hi").with("--portable --scope team");
    machines.on("a", &call.clone().env("USER", "a").env("HOME", "/home/a")).once().misses();
    machines.shares("a");
    let elsewhere = machines.cachex.path("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    let other = call.inside(elsewhere).env("USER", "b").env("HOME", "/home/b");
    machines.on("b", &other).once().hits().prints("hi\n").quietly();
}

#[test]
fn another_directory_is_another_call_unless_it_is_portable() {
    let folder = Folder::new();
    let machines = Machines::sharing(&folder);
    let call = machines.cachex.run("echo hi");
    machines.on("a", &call).once().misses();
    machines.shares("a");
    let elsewhere = machines.cachex.path("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    machines.on("b", &call.clone().inside(elsewhere)).once().misses();
    machines.on("b", &call).once().hits();
}

#[test]
fn what_depends_on_nothing_that_is_known_is_not_shared() {
    let folder = Folder::new();
    let machines = Machines::sharing(&folder);
    let call = machines.cachex.run("echo hi").with("--portable");
    machines.on("a", &call).once().misses().warns_once(&["not shared", "--input", "--scope"]);
    machines.on("a", &call).once().hits().quietly();
    machines.shares("a");
    assert!(super::files_below(folder.objects()).is_empty());
}

#[test]
fn a_command_behind_a_link_to_a_wrapper_or_in_a_script_is_not_shared() {
    let folder = Folder::new();
    let machines = Machines::sharing(&folder);
    let link = machines.cachex.path("other");
    std::os::unix::fs::symlink("/usr/bin/env", &link).unwrap();
    let link = link.to_str().unwrap();
    for argv in [
        &[link, "A=b"][..],
        &[link, "A=b", "printenv", "A"],
        &["sh", "-c", "printenv>x; cat x"],
        &["sh", "-c", "e=printenv; $e PATH"],
        &["sh", "-c", "cat </proc/self/environ"],
        &["bash", "-c", "bash <<< env"],
    ] {
        let call = machines.cachex.exec(argv).with("--portable --scope a --verbose");
        machines.on("a", &call).once().mentions(&["not shared with other machines"]);
        machines.shares("a");
        machines.verb("a", "push").once().exits(0);
        assert!(super::files_below(folder.objects()).is_empty(), "{argv:?}");
    }
    for argv in [&[link, "A=b", "echo", "hi"][..], &["sh", "-c", "env >/dev/null; echo hi"]] {
        let call = machines.cachex.exec(argv).with("--portable --scope a");
        machines.on("a", &call).once().prints("hi\n");
        machines.shares("a");
        machines.on("b", &call.with("--verbose")).once().mentions(&["hit (remote)"]);
    }
}

#[test]
fn secrets_are_known_by_links_folders_and_standard_input() {
    let folder = Folder::new();
    let machines = Machines::sharing(&folder);
    let cachex = &machines.cachex;
    cachex.tool("gh", "echo secret");
    let link = cachex.path("hub");
    std::os::unix::fs::symlink(cachex.path("bin/gh"), &link).unwrap();
    let shell = cachex.path("myshell");
    std::os::unix::fs::symlink("/bin/sh", &shell).unwrap();
    let secrets = cachex.path("work/.aws");
    std::fs::create_dir_all(&secrets).unwrap();
    let file = cachex.write("work/.aws/credentials", "secret\n");
    let link = link.to_str().unwrap();
    for call in [
        cachex.exec([link, "auth", "token"]),
        cachex.exec([shell.to_str().unwrap(), "-c", "gh auth token"]),
        cachex.exec(["cat", "credentials"]).inside(secrets),
        cachex.exec(["cat"]).stdin_from(file, 0),
    ] {
        let call = call.with("--portable --scope a --verbose");
        let run = machines.on("a", &call).once().prints("secret\n");
        run.mentions(&["not shared with other machines"]);
        machines.shares("a");
        machines.verb("a", "push").once().exits(0);
        assert!(super::files_below(folder.objects()).is_empty(), "{call}");
    }
    let other = cachex.exec([link, "pr", "list"]).with("--portable --scope a");
    machines.on("a", &other).once().prints("secret\n");
    machines.shares("a");
    machines.on("b", &other.with("--verbose")).once().mentions(&["hit (remote)"]);
}

#[test]
fn the_place_counts_for_nothing_in_the_key() {
    let (one, other) = (Folder::new(), Folder::new());
    let machines = Machines::sharing(&one);
    let call = machines.cachex.run("echo hi");
    machines.on("a", &call).once().misses();
    machines.by(&other).on("a", &call).once().hits();
    machines.with_secret("ours").on("a", &call).once().hits();
    machines.on("a", &call.with("--remote-mode off")).once().hits();
}
