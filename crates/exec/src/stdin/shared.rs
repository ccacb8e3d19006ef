//! Detects other users of standard input.

use cachex_base::system::fsutil;
use rustix::fs::{FileType, Stat};

/// Returns whether the parent process has the same pipe or socket on its standard input, like a
/// loop that reads a list, or a shell that reads its script. Without `/proc`, returns false.
pub fn caller_reads_on() -> bool {
    let Some(parent) = rustix::process::getppid() else { return false };
    let theirs = rustix::fs::stat(format!("/proc/{}/fd/0", parent.as_raw_nonzero()));
    let (Ok(ours), Ok(theirs)) = (rustix::fs::fstat(rustix::stdio::stdin()), theirs) else {
        return false;
    };
    let is_stream = |stat: &Stat| {
        matches!(FileType::from_raw_mode(stat.st_mode), FileType::Fifo | FileType::Socket)
    };
    is_stream(&ours) && fsutil::same_file(&ours, &theirs)
}

/// Returns whether standard input is also an output.
pub fn is_an_output(stdin: &Stat) -> bool {
    let outputs = [rustix::stdio::stdout(), rustix::stdio::stderr()];
    let is_same = |out| rustix::fs::fstat(out).is_ok_and(|out| fsutil::same_file(&out, stdin));
    outputs.into_iter().any(is_same)
}
