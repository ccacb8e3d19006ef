//! A hit takes the place of nothing that the command could not have written, or would
//! have written into instead: then the command runs.

use super::{listed, making, read, remove};
use crate::harness::{Cachex, Call, cachex};
use std::fs::{self, Permissions};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, chown, symlink};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;

fn set_mode(cachex: &Cachex, name: &str, mode: u32) {
    fs::set_permissions(cachex.path("work").join(name), Permissions::from_mode(mode)).unwrap();
}

/// A call whose hit is refused for this reason.
#[track_caller]
fn is_spared(call: &Call, why: &str) {
    call.clone().with("--cached-only").once().hits().exits(125).warns_once(&[why]);
}

#[test]
fn a_file_that_cannot_be_written() {
    let cachex = cachex();
    let call = making(&cachex, "echo made >out", "--output out").without_privileges();
    call.once().misses();
    for content in ["mine\n", "made\n"] {
        set_mode(&cachex, "out", 0o644);
        fs::write(cachex.path("work/out"), content).unwrap();
        set_mode(&cachex, "out", 0o444);
        is_spared(&call, "out exists and is not writable");
        call.once().misses().exits(2);
        assert_eq!(read(&cachex, "out"), content);
        // That failure was not recorded, as it may be written the next time.
        call.clone().with("--force").once().misses().exits(2);
        set_mode(&cachex, "out", 0o644);
        call.once().hits().exits(0);
        assert_eq!(read(&cachex, "out"), "made\n");
    }
}

#[test]
fn a_pipe_or_a_socket() {
    let cachex = cachex();
    let call = making(&cachex, "rm -f out; echo made >out", "--output out");
    call.once().misses();
    remove(&cachex, "out");
    let path = cachex.path("work/out");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &path,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o600),
        0,
    )
    .unwrap();
    is_spared(&call, "out has changed and is in the way");
    assert!(path.symlink_metadata().unwrap().file_type().is_fifo());
    remove(&cachex, "out");
    let short = fs::canonicalize(cachex.path("work")).unwrap();
    let socket = UnixListener::bind(short.join("out"));
    if socket.is_ok() {
        is_spared(&call, "out has changed and is in the way");
        assert!(path.symlink_metadata().unwrap().file_type().is_socket());
    }
    call.once().misses().exits(0);
    assert_eq!(read(&cachex, "out"), "made\n");
}

#[test]
fn a_pipe_where_a_link_was_made_or_something_was_removed() {
    let cachex = cachex();
    let call = making(&cachex, "rm -f link gone; ln -s x link", "--output link --output gone");
    cachex.write("work/gone", "");
    call.once().misses();
    for name in ["link", "gone"] {
        let _ = fs::remove_file(cachex.path("work").join(name));
        fs::create_dir(cachex.path("work").join(name)).unwrap();
        is_spared(&call, &format!("{name} has changed and is in the way"));
        remove(&cachex, name);
    }
    call.once().hits().quietly();
}

#[test]
fn a_file_where_a_link_was_made() {
    let cachex = cachex();
    let call = making(&cachex, "ln -s x link", "--output link");
    call.once().misses();
    remove(&cachex, "link");
    cachex.write("work/link", "mine");
    is_spared(&call, "link has changed and is in the way");
    assert_eq!(read(&cachex, "link"), "mine");
    remove(&cachex, "link");
    symlink("other", cachex.path("work/link")).unwrap();
    call.once().hits().quietly();
}

#[test]
fn a_file_with_another_name_unless_it_need_not_be_written() {
    let cachex = cachex();
    let call = making(&cachex, "echo made >out", "--output out");
    call.once().misses();
    fs::hard_link(cachex.path("work/out"), cachex.path("work/other")).unwrap();
    call.once().hits().quietly();
    fs::write(cachex.path("work/out"), "mine").unwrap();
    is_spared(&call, "out has several names");
    call.once().misses().exits(0);
    assert_eq!(read(&cachex, "other"), "made\n", "it was written to");
    assert_eq!(listed(&cachex.work()), ["other", "out"]);
}

#[test]
fn a_file_of_somebody_else_unless_it_need_not_be_written() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let cachex = cachex();
    let call = making(&cachex, "echo made >out", "--output out");
    call.once().misses();
    let path = cachex.path("work/out");
    chown(&path, Some(65534), Some(65534)).unwrap();
    call.once().hits().quietly();
    for content in ["mine", "made\n"] {
        fs::write(&path, content).unwrap();
        // Nor are its permissions changed.
        set_mode(&cachex, "out", 0o666);
        is_spared(&call, "out belongs to somebody else");
        call.once().misses().exits(0);
        assert_eq!(path.metadata().unwrap().uid(), 65534);
        fs::write(&path, "other").unwrap();
        set_mode(&cachex, "out", 0o644);
        call.clone().with("--force").once().misses();
    }
}

#[test]
fn a_failure_for_want_of_a_folder_or_of_a_right_is_not_recorded() {
    let cachex = cachex();
    for output in ["build/out", "build/*.o", "build/deep/out"] {
        let folder = PathBuf::from("work").join(output).parent().map(|it| cachex.path(it)).unwrap();
        let file = output.replace('*', "a");
        let script = format!("echo made >{file}");
        let call = cachex.run(&script).option("--output", output).without_privileges();
        call.twice().runs_twice().exits(2);
        fs::create_dir_all(&folder).unwrap();
        fs::set_permissions(&folder, Permissions::from_mode(0o555)).unwrap();
        call.twice().runs_twice().exits(2);
        fs::set_permissions(&folder, Permissions::from_mode(0o777)).unwrap();
        call.twice().runs_once().exits(0);
        fs::remove_dir_all(cachex.path("work/build")).unwrap();
    }
    // Any other failure is.
    let call = cachex.run("exit 3").option("--output", "out").without_privileges();
    call.twice().runs_once().exits(3);
}
