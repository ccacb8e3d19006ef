//! Links among the declared outputs: those that the run made come back as links, others
//! are never replayed in the place of what was written through them.

use super::{listed, making, read, remove};
use crate::harness::cachex;
use std::fs;
use std::os::unix::fs::symlink;

#[test]
fn an_output_that_is_a_link_from_before_is_not_recorded() {
    let cachex = cachex();
    symlink("real", cachex.path("work/out")).unwrap();
    cachex.write("work/in", "1\n");
    let call = making(&cachex, "sed s/^/built-from-/ in >out", "--input in --output out");
    call.once().misses().exits(0).warns_once(&["the output out is a link", "name its target"]);
    cachex.write("work/in", "2\n");
    call.once().misses();
    cachex.write("work/in", "1\n");
    call.once().misses();
    assert_eq!(read(&cachex, "real"), "built-from-1\n");
    // By the name of what it leads to it is recorded, and the link stays.
    let named = making(&cachex, "sed s/^/built-from-/ in >out", "--input in --output real");
    named.once().misses().quietly();
    remove(&cachex, "real");
    named.once().hits().quietly();
    assert_eq!(read(&cachex, "out"), "built-from-1\n");
}

#[test]
fn so_is_one_that_leads_to_a_folder_or_nowhere() {
    let cachex = cachex();
    fs::create_dir(cachex.path("elsewhere")).unwrap();
    symlink("../elsewhere", cachex.path("work/dist")).unwrap();
    let call = making(&cachex, "echo x >dist/f", "--output dist");
    call.twice().misses().warns_once(&["the output dist is a link"]);
    symlink("nowhere", cachex.path("work/dangling")).unwrap();
    let call = making(&cachex, "true", "--output dangling");
    call.twice().misses().warns_once(&["the output dangling is a link"]);
    let call = making(&cachex, "echo x >dist/f.o", "--output dist/*.o");
    call.twice().misses().warns_once(&["dist", "behind a link"]);
}

#[test]
fn a_link_may_be_from_before_if_what_it_leads_to_is_recorded_too() {
    let cachex = cachex();
    cachex.write("work/dist/v1", "old");
    symlink("v1", cachex.path("work/dist/latest")).unwrap();
    symlink("dist", cachex.path("work/current")).unwrap();
    let call = making(&cachex, "echo new >dist/latest", "--output dist --output current");
    call.once().misses().quietly();
    remove(&cachex, "dist");
    remove(&cachex, "current");
    call.once().hits().quietly();
    assert_eq!(read(&cachex, "current/latest"), "new\n");
    assert_eq!(listed(&cachex.path("work/dist")), ["latest", "v1"]);
}

#[test]
fn a_link_that_was_only_met_is_recorded_unless_it_was_written_through() {
    let cachex = cachex();
    cachex.write("work/shared", "before");
    fs::create_dir(cachex.path("work/dist")).unwrap();
    symlink("../shared", cachex.path("work/dist/link")).unwrap();
    let untouched = making(&cachex, "echo x >dist/f", "--output dist");
    untouched.once().misses().quietly();
    remove(&cachex, "dist");
    untouched.once().hits().quietly();
    assert_eq!(read(&cachex, "dist/link"), "before");
    let through = making(&cachex, "echo after >dist/link", "--output dist");
    through.twice().misses().warns_once(&["dist/link is a link"]);
    let by_pattern = making(&cachex, "echo later >dist/link", "--output dist/*");
    by_pattern.twice().misses().warns_once(&["dist/link is a link"]);
}

#[test]
fn a_link_that_the_run_made_comes_back_as_that() {
    let cachex = cachex();
    symlink("old", cachex.path("work/out")).unwrap();
    let call = making(&cachex, "rm -f out; ln -s new out", "--output out");
    call.once().misses().quietly();
    remove(&cachex, "out");
    call.once().hits().quietly();
    assert_eq!(fs::read_link(cachex.path("work/out")).unwrap().to_str(), Some("new"));
}

#[test]
fn a_file_does_not_take_the_place_of_a_link() {
    let cachex = cachex();
    let call = making(&cachex, "echo made >out", "--output out");
    call.once().misses();
    remove(&cachex, "out");
    symlink("real", cachex.path("work/out")).unwrap();
    let only = call.clone().with("--cached-only");
    only.once().hits().exits(125).warns_once(&["out has changed and is in the way"]);
    call.once().misses().exits(0);
    assert_eq!(read(&cachex, "real"), "made\n");
    assert!(cachex.path("work/out").is_symlink());
}

#[test]
fn a_path_from_the_root_on_may_lead_through_links_and_not_below_what_was_named() {
    let cachex = cachex();
    fs::create_dir(cachex.path("real")).unwrap();
    symlink("real", cachex.path("link")).unwrap();
    let named = cachex.path("link/out");
    let script = format!("mkdir -p {0}/sub; echo x >{0}/sub/f", named.display());
    let call = cachex.run(&script).option("--output", &named);
    call.once().misses().quietly();
    fs::remove_dir_all(cachex.path("real/out")).unwrap();
    call.once().hits().quietly();
    assert_eq!(fs::read(cachex.path("real/out/sub/f")).unwrap(), b"x\n");
    fs::remove_dir_all(cachex.path("real/out")).unwrap();
    fs::create_dir(cachex.path("elsewhere")).unwrap();
    symlink("../elsewhere", cachex.path("real/out")).unwrap();
    call.with("--cached-only").once().hits().exits(125);
    assert!(listed(&cachex.path("elsewhere")).is_empty());
    let pattern = cachex.path("link/*.o");
    let script = format!("echo x >{}", cachex.path("real/a.o").display());
    let call = cachex.run(&script).option("--output", pattern);
    call.once().misses().quietly();
    fs::remove_file(cachex.path("real/a.o")).unwrap();
    call.once().hits().quietly();
    assert_eq!(fs::read(cachex.path("real/a.o")).unwrap(), b"x\n");
}
