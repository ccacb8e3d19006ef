//! The floor: a process that starts, does nothing and ends.

#![no_main]

#[unsafe(no_mangle)]
pub extern "C" fn main() -> i32 {
    0
}
