//! Patterns that a shell has replaced by the names of files.

use std::ffi::OsString;
use std::path::Path;

/// Returns whether a command that begins at this place is a pattern that a shell has expanded.
/// Such a command follows the value of an option that takes a pattern, comes before a `--`, and
/// is an existing file. The intended command follows the `--`.
pub fn is_a_pattern_spread_out(args: &[OsString], at: usize) -> bool {
    let option = at.checked_sub(2).and_then(|at| args.get(at));
    option.is_some_and(|option| ["--input", "--output", "-i", "-o"].iter().any(|it| option == it))
        && args[at..].iter().any(|word| word == "--")
        && Path::new(&args[at]).symlink_metadata().is_ok()
}
