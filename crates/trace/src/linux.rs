//! Tracing on Linux, by seccomp user notifications.

mod calls;
mod ending;
mod events;
mod filter;
mod guardian;
mod listen;
mod makers;
mod outcome;
mod places;
mod recorder;
mod tracee;
mod tracer;
mod tree;
mod walk;
mod write;

#[cfg(test)]
mod tests;

pub use guardian::is_guardian;
pub use listen::Hook;
pub use tracer::{Keepers, Tracer, support};

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Returns whether a program runs with privileges that its caller lacks, and that it would not get
/// if it was traced.
pub fn has_rights_of_its_own(program: &Path) -> bool {
    let Ok(path) = CString::new(program.as_os_str().as_bytes()) else { return false };
    let Ok(status) = crate::facts::Status::behind(&path) else { return false };
    events::has_more_rights(&path, &status)
}
