//! What a command and everything that it starts read, looked for, listed and wrote.
//!
//! A [`Tracer`] is made before the command is started; its [`Hook`] is called in the new
//! process just before it executes the command, and [`Tracer::finish`] gives the
//! [`Report`] once the command has ended. The report holds [`Fact`]s: of each canonical
//! path that had a part in the run, what there was before the run changed it. If every
//! fact has the same value later ([`facts::look`]), the same command does the same.
//!
//! The kernel tells of each system call that takes a path before it does it (seccomp's user
//! notification), and goes on with it unchanged. So static programs, threads and direct
//! system calls are seen like any other; nothing is preloaded, no variable is set and
//! debuggers work below it. Whatever is not understood makes the run one that cannot be
//! recorded ([`Report::refusal`]): a report is never incomplete without saying so.
//!
//! A thread of the process that starts the command answers, because some systems let a
//! process be read by its ancestors only. Another process holds the listener too, and
//! answers once that thread's process is gone, so that nothing that is still running is
//! harmed by its end.
//!
//! Linux on x86-64 and 64-bit Arm. Elsewhere [`support`] says that there is no such thing.

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
pub use here::{Hook, Tracer, has_rights_of_its_own, support};
pub use jobserver::Jobserver;
pub use report::{Change, Refusal, Report, Written};

use std::fmt;
use std::path::PathBuf;

/// What decides which facts there are.
#[derive(Default)]
pub struct Settings {
    /// Which times are a part of what is known of a file.
    pub times: Times,
    /// Whether files of the system are known by their content, not by size and time.
    pub portable: bool,
    /// A canonical folder of which it is told whether paths crossed its border.
    pub base: Option<Vec<u8>>,
    /// Whether the network may be used without making the run one that cannot be recorded.
    pub allow_network: bool,
    /// Whether it is known of compilers, linkers and their like what their looks at their own
    /// output tell them.
    pub quirks: bool,
    /// Folders that nothing is said about: the cache's own.
    pub left_out: Vec<Vec<u8>>,
    /// Whether nothing is said about a canonical path.
    pub ignore: Option<Ignore>,
    /// The file of the command. One with rights of its own is not traced.
    pub program: Option<PathBuf>,
    /// Numbers of descriptors beyond the standard streams that the caller knows of.
    pub known_descriptors: Vec<i32>,
    /// Device and inode number of the files that the command's output goes to in the end: what
    /// it reads there is what it has printed, or others before it.
    pub output_files: Vec<(u64, u64)>,
    /// That of the make which is the caller's caller.
    pub jobserver: Jobserver,
}

/// Tells paths that nothing is said about.
pub type Ignore = Box<dyn Fn(&[u8]) -> bool + Send>;

/// Which modification times are a part of what is known of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Times {
    /// Those of files that were looked at and not read, and all that a program asks for
    /// that compares times, or shows them.
    #[default]
    Auto,
    /// All that were asked for.
    All,
    /// None.
    None,
}

/// Why nothing can be traced here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsupported(pub(crate) String);

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unsupported {}
