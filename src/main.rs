//! `cachex`: parse, dispatch, exit.
//!
//! The process starts at C's `main`. What Rust's own runtime does before
//! `fn main` (a signal stack, a guard page found by reading the memory map,
//! SIGPIPE ignored) costs a tenth of a hit, and the last would have to be
//! undone for the command. C's `main` is also handed the environment, which
//! the key needs whole and the standard library only gives in copies.
#![no_main]

use std::ffi::{CStr, OsStr, c_char, c_int};
use std::os::unix::ffi::OsStrExt;

/// C's `main`.
// SAFETY: no other symbol of this name exists; `no_main` keeps Rust from
// making one.
#[unsafe(no_mangle)]
extern "C" fn main(_: c_int, _: *const *const c_char, environment: *const *const c_char) -> c_int {
    // SAFETY: the C runtime calls this with the process's environment, and
    // nothing in this process ever changes a variable.
    let environment = unsafe { strings(environment) };
    cachex::cmd::main(&environment)
}

/// The strings of a list that ends with a null.
///
/// # Safety
///
/// `list` is null, or points to pointers to C strings up to a null pointer, all
/// of which stay as they are until the process ends.
unsafe fn strings(list: *const *const c_char) -> Vec<&'static OsStr> {
    let mut strings = Vec::with_capacity(128);
    if list.is_null() {
        return strings;
    }
    for at in 0.. {
        // SAFETY: no null was met before this element.
        let element = unsafe { *list.add(at) };
        if element.is_null() {
            break;
        }
        // SAFETY: it is a C string that stays as it is.
        let bytes = unsafe { CStr::from_ptr(element) }.to_bytes();
        strings.push(OsStr::from_bytes(bytes));
    }
    strings
}
