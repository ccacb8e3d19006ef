//! The floor below the floor: a process that is started and ends, without a C library.

#![no_std]
#![no_main]

use core::arch::global_asm;
use core::panic::PanicInfo;

global_asm!(".globl _start", "_start:", "mov eax, 231", "xor edi, edi", "syscall");

#[panic_handler]
fn panic(_: &PanicInfo) -> ! {
    loop {}
}
