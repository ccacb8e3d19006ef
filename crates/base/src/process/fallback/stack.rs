//! A stack of one's own where the limit on stacks (`ulimit -s`) leaves too little of one.
//!
//! The command gets the limit as it was: what bare starts under it starts, and what dies of it
//! dies. cachex needs more than a small program, and would end by a signal that looks like the
//! command's.

use crate::system::limits;
use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};

/// With less than this, a stack of one's own is made.
const ENOUGH: libc::rlim_t = 1 << 20;
/// How large that is.
const SIZE: usize = 1 << 20;
/// What lies below it and is not to be touched.
const GUARD: usize = 64 << 10;
/// What a run needs at least.
const LEAST: libc::rlim_t = 128 << 10;

static IS_SHORT: AtomicBool = AtomicBool::new(false);

/// Whether there was no memory for a stack that is large enough for a run.
pub fn is_short() -> bool {
    IS_SHORT.load(Ordering::Relaxed)
}

/// What is left to do of this process's work, given what it is about.
pub type Rest = unsafe extern "C" fn(*const c_void) -> !;

/// Does the rest of the process's work on a stack that is large enough, if there can be one.
///
/// # Safety
///
/// `about` is what `rest` may be called with, and stays where it is.
pub unsafe fn continue_with(rest: Rest, about: *const c_void) -> ! {
    let limit = limits::of(libc::RLIMIT_STACK).map_or(libc::RLIM_INFINITY, |limit| limit.rlim_cur);
    if limit < ENOUGH {
        match top() {
            // SAFETY: nobody uses that memory, and the caller promises the rest.
            Some(top) => unsafe { switch(top, rest, about) },
            None => IS_SHORT.store(limit < LEAST, Ordering::Relaxed),
        }
    }
    // SAFETY: the caller promises that it may be.
    unsafe { rest(about) }
}

/// The upper end of new memory, which grows down to a page that nobody may touch.
fn top() -> Option<*mut c_void> {
    if cfg!(not(any(target_arch = "x86_64", target_arch = "aarch64"))) {
        return None;
    }
    let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: it is wherever there is room, so nobody else's memory is touched.
    let memory = unsafe { libc::mmap(ptr::null_mut(), GUARD + SIZE, libc::PROT_NONE, kind, -1, 0) };
    if memory == libc::MAP_FAILED {
        return None;
    }
    // SAFETY: both lie within what was mapped just now.
    unsafe {
        let stack = memory.byte_add(GUARD);
        let is_made = libc::mprotect(stack, SIZE, libc::PROT_READ | libc::PROT_WRITE) == 0;
        is_made.then(|| stack.byte_add(SIZE))
    }
}

/// Goes on on another stack.
///
/// # Safety
///
/// `top` is the aligned end of memory that nobody uses, and `rest` may be called with `about`.
unsafe fn switch(top: *mut c_void, rest: Rest, about: *const c_void) -> ! {
    // SAFETY: the caller promises what is needed, and no register is anybody's any more.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        std::arch::asm!(
            "mov rsp, {top}",
            "xor ebp, ebp",
            "call {rest}",
            "ud2",
            top = in(reg) top,
            rest = in(reg) rest,
            in("rdi") about,
            options(noreturn)
        )
    }
    // SAFETY: the same.
    #[cfg(target_arch = "aarch64")]
    unsafe {
        std::arch::asm!(
            "mov sp, {top}",
            "mov x29, xzr",
            "blr {rest}",
            "brk #1",
            top = in(reg) top,
            rest = in(reg) rest,
            in("x0") about,
            options(noreturn)
        )
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    {
        let _ = top;
        // SAFETY: the caller promises that it may be.
        unsafe { rest(about) }
    }
}
