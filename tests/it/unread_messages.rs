//! What cachex says itself, where it cannot be said: that changes nothing.

use crate::harness::{Call, Signal, cachex};
use std::io::{ErrorKind, PipeReader, PipeWriter, Write};

/// A pipe whose reader is gone.
fn dead() -> PipeWriter {
    std::io::pipe().unwrap().1
}

/// A pipe that is full, and has a reader who takes nothing.
fn stalled() -> (PipeReader, PipeWriter) {
    let (reader, mut writer) = std::io::pipe().unwrap();
    rustix::io::ioctl_fionbio(&writer, true).unwrap();
    let full = loop {
        if let Err(error) = writer.write(&[b'x'; 4096]) {
            break error;
        }
    };
    assert_eq!(full.kind(), ErrorKind::WouldBlock);
    rustix::io::ioctl_fionbio(&writer, false).unwrap();
    (reader, writer)
}

/// It runs, and ends as ever.
#[track_caller]
fn is_as_ever(call: &Call, stderr: PipeWriter) {
    call.spawn_complaining_into(stderr).ends().prints("ran\n").exits(3).promptly();
}

#[test]
fn a_warning_into_a_dead_pipe() {
    let call = cachex().run("echo ran; exit 3").env("CACHEX_DIR", "/proc/no/such");
    is_as_ever(&call, dead());
    is_as_ever(&call.with("--timeout 1m"), dead());
}

#[test]
fn a_warning_that_its_reader_does_not_take() {
    let call = cachex().run("echo ran; exit 3").env("CACHEX_DIR", "/proc/no/such");
    let (_reader, writer) = stalled();
    is_as_ever(&call, writer);
}

#[test]
fn the_line_of_a_call() {
    let call = cachex().run("echo ran; exit 3").with("--verbose");
    for _ in 0..2 {
        is_as_ever(&call, dead());
    }
    let (_reader, writer) = stalled();
    is_as_ever(&call, writer);
}

#[test]
fn a_report_that_nobody_reads() {
    let call = cachex().run("echo ran; exit 3").with("--status-fd 7");
    let call = call.launched_by(r#"exec "$@" 7>&2"#);
    for _ in 0..2 {
        is_as_ever(&call, dead());
    }
}

#[test]
fn the_command_still_dies_of_a_dead_pipe_of_its_own() {
    let call = cachex().run("exec cat /proc/self/status >&2").env("CACHEX_DIR", "/proc/no/such");
    call.spawn_complaining_into(dead()).ends().dies_of(Signal::PIPE);
}
