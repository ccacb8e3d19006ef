//! Traces what a command and its descendants read, looked up, listed and wrote.
//!
//! A [`Tracer`] is created before the command is started. Its [`Hook`] is called in the new process
//! just before that executes the command, and [`Tracer::finish`] returns the [`Report`] once the
//! command has ended. The report holds [`Fact`]s: the state of each canonical path involved, before
//! the run changed it. If every fact later has the same value ([`facts::look`]), the same command
//! does the same.
//!
//! The kernel reports each system call that takes a path before it executes it (seccomp user
//! notification), and then continues it unchanged. So static programs, threads and direct system
//! calls are seen like any other; nothing is preloaded, no variable is set, and debuggers work in
//! the traced processes. Anything that is not understood prevents the run from being recorded
//! ([`Report::refusal`]): a report is never silently incomplete.
//!
//! A thread of the process that starts the command answers the notifications, because some systems
//! let only its ancestors read a process. A second process also holds the listener, and answers
//! once that thread's process is gone, so that its end harms nothing that is still running. Both are
//! gone when the [`Keepers`] are dropped, unless something is.
//!
//! Works on Linux on x86-64 and 64-bit Arm. Elsewhere [`support`] returns an error.

pub mod facts;
mod jobserver;
mod report;

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod linux;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
use linux as here;
#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
mod nowhere;
#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
use nowhere as here;

pub use facts::{Class, Fact, Look, Stamp, Value};
pub use here::{Hook, Keepers, Tracer, has_rights_of_its_own, is_guardian, support};
pub use jobserver::Jobserver;
pub use report::{Change, Refusal, Report, Written};

use std::fmt;
use std::path::PathBuf;

/// The settings that determine which facts are recorded.
#[derive(Default)]
pub struct Settings {
    /// The modification times that are part of the facts.
    pub times: Times,
    /// True if system files are identified by content rather than by size and time.
    pub portable: bool,
    /// A canonical folder. The report says whether paths crossed its border.
    pub base: Option<Vec<u8>>,
    /// True if the run may use the network and still be recorded.
    pub allow_network: bool,
    /// True to apply knowledge of how compilers, linkers and similar tools examine their own
    /// output.
    pub quirks: bool,
    /// Folders that are not traced: the cache's own.
    pub left_out: Vec<Vec<u8>>,
    /// A predicate for canonical paths that are not traced.
    pub ignore: Option<Ignore>,
    /// The command's file. A setuid, setgid or privileged program is not traced.
    pub program: Option<PathBuf>,
    /// The numbers of inherited descriptors, besides the standard streams, that the caller knows.
    pub known_descriptors: Vec<i32>,
    /// The device and inode numbers of the files that finally receive the command's output. A run
    /// that reads them reads its own output, or earlier output.
    pub output_files: Vec<(u64, u64)>,
    /// The jobserver of the make that runs the caller.
    pub jobserver: Jobserver,
}

/// A predicate for paths that are not traced.
pub type Ignore = Box<dyn Fn(&[u8]) -> bool + Send>;

/// The modification times that are part of the facts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Times {
    /// The times of files that were examined but not read, and all times that programs request to
    /// compare or show them.
    #[default]
    Auto,
    /// All times that were requested.
    All,
    /// No times.
    None,
}

/// An error: tracing is not possible here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsupported(pub(crate) String);

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unsupported {}
