//! `cachex`: parse, dispatch, exit.
//!
//! The process starts at C's `main`. What Rust's own runtime does before
//! `fn main` (a signal stack, a guard page found by reading the memory map,
//! SIGPIPE ignored) costs a tenth of a hit, and the last would have to be
//! undone for the command. C's `main` is also handed the environment, which
//! the key needs whole and the standard library only gives in copies, and the
//! arguments, which with musl the standard library learns of no other way.
#![no_main]

use std::ffi::{c_char, c_int};

/// Where the process starts, see `build.rs`. Mentioned, so that it is linked.
#[cfg(front)]
#[used]
static START: unsafe extern "C" fn() = cachex_front::START;

#[global_allocator]
static ALLOCATOR: cachex::fallback::Allocator = cachex::fallback::Allocator;

#[cfg(sealed)]
unsafe extern "C" {
    /// The first byte of what is only read from now on, and the first one after that, see
    /// `link/order.ld`. Both are aligned to pages.
    #[link_name = "cachex_sealed_start"]
    static SEALED: u8;
    #[link_name = "cachex_sealed_end"]
    static UNSEALED: u8;
}

/// Makes read-only what the C library and the linker have filled in: tables of functions, which
/// whoever overwrites memory would change first.
#[cfg(sealed)]
fn seal() {
    // SAFETY: the linker's script defines both around whole pages that nothing writes to any more.
    unsafe {
        let (start, end) = (&raw const SEALED, &raw const UNSEALED);
        libc::mprotect(start.cast_mut().cast(), end.addr() - start.addr(), libc::PROT_READ);
    }
}

/// C's `main`.
// SAFETY: no other symbol of this name exists; `no_main` keeps Rust from
// making one.
#[unsafe(no_mangle)]
extern "C" fn main(
    _: c_int,
    arguments: *const *const c_char,
    environment: *const *const c_char,
) -> c_int {
    #[cfg(sealed)]
    seal();
    // SAFETY: the C runtime calls this with the process's arguments and environment,
    // and nothing in this process ever changes either.
    unsafe { cachex::startup::main(arguments, environment) }
}
