//! Patterns that a shell has replaced by the names of files.

use std::ffi::OsString;
use std::path::Path;

/// Whether a command that begins at this place is what a shell has made of a pattern: it
/// stands behind the value of an option that takes one and before a `--`, and is a file
/// here. What was to be run stands behind the `--`.
pub fn is_a_pattern_spread_out(args: &[OsString], at: usize) -> bool {
    let option = at.checked_sub(2).and_then(|at| args.get(at));
    option.is_some_and(|option| ["--input", "--output", "-i", "-o"].iter().any(|it| option == it))
        && args[at..].iter().any(|word| word == "--")
        && Path::new(&args[at]).symlink_metadata().is_ok()
}
