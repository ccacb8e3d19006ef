//! Detects other users of standard input.

use cachex_base::system::fsutil;
use rustix::fs::{FileType, Mode, Stat};
use std::fs::{self, DirEntry};

/// Returns whether the parent process may read from the same pipe or socket, like a loop that reads
/// a list, or a shell that reads its script. Without `/proc`, returns false.
pub fn caller_reads_on() -> bool {
    let Some(parent) = rustix::process::getppid() else { return false };
    let Ok(ours) = rustix::fs::fstat(rustix::stdio::stdin()) else { return false };
    let name = fs::read_link("/proc/self/fd/0").ok();
    let is_stream =
        matches!(FileType::from_raw_mode(ours.st_mode), FileType::Fifo | FileType::Socket);
    // The link has the mode in which the descriptor is open.
    let is_readable = |stat: &Stat| Mode::from_raw_mode(stat.st_mode).contains(Mode::RUSR);
    let is_the_same = |descriptor: DirEntry| {
        let path = descriptor.path();
        // Other files of the caller are not looked at: they may lie where nothing answers.
        let has_its_name = || fs::read_link(&path).ok() == name;
        (descriptor.file_name() == "0" || has_its_name())
            && rustix::fs::stat(&path).is_ok_and(|theirs| fsutil::same_file(&ours, &theirs))
            && rustix::fs::lstat(&path).is_ok_and(|link| is_readable(&link))
    };
    let theirs = || fs::read_dir(format!("/proc/{}/fd", parent.as_raw_nonzero()));
    is_stream && theirs().is_ok_and(|all| all.flatten().any(is_the_same))
}

/// Returns whether standard input is also an output.
pub fn is_an_output(stdin: &Stat) -> bool {
    let outputs = [rustix::stdio::stdout(), rustix::stdio::stderr()];
    let is_same = |out| rustix::fs::fstat(out).is_ok_and(|out| fsutil::same_file(&out, stdin));
    outputs.into_iter().any(is_same)
}
