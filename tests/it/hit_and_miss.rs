//! The same command a second time is not executed, and nobody can tell.

use crate::harness::cachex;

#[test]
fn the_same_command_runs_once() {
    let call = cachex().run("echo out; echo err >&2; exit 3");
    call.behaves_as_bare().prints("out\n").says("err\n").exits(3);
}

#[test]
fn what_was_printed_is_printed_again() {
    let times = cachex().run("date +%N").twice().runs_once().exits(0).quietly().stdouts();
    assert_eq!(times[0], times[1]);
}

#[test]
fn another_command_is_another_entry() {
    let cachex = cachex();
    cachex.run("echo one").once().prints("one\n");
    cachex.run("echo two").once().misses().prints("two\n");
    cachex.run("echo one").once().hits().prints("one\n");
}

#[test]
fn an_executable_is_run_without_a_shell_and_without_a_separator() {
    let cachex = cachex();
    cachex.tool("args", r#"printf '<%s>' "$@""#);
    cachex.cli(["run", "args", "--force", "-x"]).twice().runs_once().prints("<--force><-x>");
    cachex.exec(["args", "--", "$HOME"]).once().prints("<--><$HOME>");
}

#[test]
fn an_entry_of_another_store_is_no_hit() {
    let cachex = cachex();
    let elsewhere = cachex.path("elsewhere/deep");
    let call = cachex.run("echo hi");
    call.once().misses();
    call.clone().option("--cache-dir", &elsewhere).twice().runs_once().prints("hi\n");
    call.clone().env("CACHEX_DIR", &elsewhere).once().hits();
    assert!(elsewhere.join("v2/young").is_dir());
}

#[test]
fn the_store_is_found_as_the_platform_says() {
    let cachex = cachex();
    let call = cachex.run("echo hi").without("CACHEX_DIR");
    let xdg = cachex.path("xdg");
    call.clone().env("XDG_CACHE_HOME", &xdg).with("--no-env").twice().runs_once();
    assert!(xdg.join("cachex/v2/young").is_dir());
    call.with("--no-env").twice().runs_once();
    assert!(cachex.path("home/.cache/cachex/v2/young").is_dir());
}

#[test]
fn a_relative_xdg_cache_home_is_ignored_as_its_specification_demands() {
    let cachex = cachex();
    let call = cachex.run("echo hi").without("CACHEX_DIR").env("XDG_CACHE_HOME", "relative");
    call.twice().runs_once().prints("hi\n").quietly();
    assert!(!cachex.work().join("relative").exists());
    assert!(cachex.path("home/.cache/cachex/v2/young").is_dir());
}

#[test]
fn a_recent_entry_is_one_immutable_file_named_by_its_key() {
    let cachex = cachex();
    let call = cachex.run("echo hi");
    let key = call.key();
    let [young] = &cachex.stored_in("v2/young")[..] else {
        panic!("{:?}", cachex.stored());
    };
    let (folder, name) = (&key[..2], young.file_name().unwrap().to_str().unwrap());
    assert_eq!(young.parent().unwrap(), std::path::Path::new("v2/young").join(folder));
    assert!(name.starts_with(&key) && name.len() == 64, "{name}");
    assert_eq!(cachex.stored_in("v2/tmp"), [""; 0].map(std::path::PathBuf::from));
}

#[test]
fn a_recording_opens_no_database() {
    let cachex = cachex();
    cachex.run("echo hi").twice().runs_once();
    assert!(!cachex.store().join("v2/old").exists(), "{:?}", cachex.stored());
}
