//! The entry point of the executable.

use crate::answer;
use crate::call::Process;
use core::arch::global_asm;

// The kernel starts the process here. The C library's `_start` reads the data that the kernel has
// put on the stack, and one register; both are unchanged when it is jumped to.

#[cfg(target_arch = "x86_64")]
macro_rules! instructions {
    () => {
        "
    .cfi_undefined rip
    mov rbx, rsp
    mov r12, rdx
    mov rdi, rsp
    and rsp, -16
    call {front}
    mov rsp, rbx
    mov rdx, r12
    xor ebp, ebp
    jmp _start"
    };
}

// The stack pointer is always aligned.
#[cfg(target_arch = "aarch64")]
macro_rules! instructions {
    () => {
        "
    .cfi_undefined x30
    mov x19, sp
    mov x20, x0
    mov x0, sp
    bl {front}
    mov sp, x19
    mov x0, x20
    b _start"
    };
}

global_asm!(
    ".pushsection .text.cachex_front_start,\"ax\",@progbits",
    ".globl cachex_front_start",
    ".type cachex_front_start,@function",
    "cachex_front_start:",
    ".cfi_startproc",
    instructions!(),
    ".cfi_endproc",
    ".size cachex_front_start, . - cachex_front_start",
    ".popsection",
    front = sym front,
);

unsafe extern "C" {
    fn cachex_front_start();
}

/// The entry point, for the linker: a reference to it links it in.
pub const START: unsafe extern "C" fn() = cachex_front_start;

/// Answers the call and ends the process, or returns.
///
/// # Safety
///
/// `stack` points to the count of the arguments, the arguments, the environment and the auxiliary
/// vector, as the kernel has put them there, and no other thread runs.
unsafe extern "C" fn front(stack: *const usize) {
    // SAFETY: the caller promises just that.
    let process = unsafe { Process::at(stack) };
    answer::answer(&process);
}
