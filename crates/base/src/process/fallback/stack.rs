//! A stack for cachex where the limit on stacks (`ulimit -s`) leaves too little.
//!
//! The command inherits the limit unchanged: whether it starts or dies under it is the same as
//! without cachex. cachex needs more than a small program, and would otherwise end by a signal that
//! looks like the command's.

use crate::system::limits;
use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};

/// Below this limit, a new stack is allocated.
const ENOUGH: libc::rlim_t = 1 << 20;
/// The size of the new stack.
const SIZE: usize = 1 << 20;
/// The size of the guard below it, which must not be touched.
const GUARD: usize = 64 << 10;
/// The least that a run needs.
const LEAST: libc::rlim_t = 128 << 10;

static IS_SHORT: AtomicBool = AtomicBool::new(false);

/// Returns whether there was no memory for a stack that is large enough for a run.
pub fn is_short() -> bool {
    IS_SHORT.load(Ordering::Relaxed)
}

/// The remaining work of this process, given a pointer to its argument.
pub type Rest = unsafe extern "C" fn(*const c_void) -> !;

/// Does the remaining work of the process on a stack that is large enough, if possible.
///
/// # Safety
///
/// `about` is a valid argument of `rest` and is not moved.
pub unsafe fn continue_with(rest: Rest, about: *const c_void) -> ! {
    let limit = limits::of(libc::RLIMIT_STACK).map_or(libc::RLIM_INFINITY, |limit| limit.rlim_cur);
    if limit < ENOUGH {
        match top() {
            // SAFETY: nobody else uses that memory, and the caller promises the rest.
            Some(top) => unsafe { switch(top, rest, about) },
            None => IS_SHORT.store(limit < LEAST, Ordering::Relaxed),
        }
    }
    // SAFETY: the caller promises that the call is valid.
    unsafe { rest(about) }
}

/// Returns the upper end of new memory, below which lies a guard that nobody may touch.
fn top() -> Option<*mut c_void> {
    if cfg!(not(any(target_arch = "x86_64", target_arch = "aarch64"))) {
        return None;
    }
    let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: the system chooses a free place, so nobody else's memory is touched.
    let memory = unsafe { libc::mmap(ptr::null_mut(), GUARD + SIZE, libc::PROT_NONE, kind, -1, 0) };
    if memory == libc::MAP_FAILED {
        return None;
    }
    // SAFETY: both lie within the memory that was just mapped.
    unsafe {
        let stack = memory.byte_add(GUARD);
        let is_made = libc::mprotect(stack, SIZE, libc::PROT_READ | libc::PROT_WRITE) == 0;
        is_made.then(|| stack.byte_add(SIZE))
    }
}

/// Continues on another stack.
///
/// # Safety
///
/// `top` is the aligned end of unused memory, and `rest` may be called with `about`.
unsafe fn switch(top: *mut c_void, rest: Rest, about: *const c_void) -> ! {
    // SAFETY: the caller promises what is needed, and no register is in use any more.
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
    // SAFETY: as above.
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
        // SAFETY: the caller promises that the call is valid.
        unsafe { rest(about) }
    }
}
