//! A hit before the C library starts.
//!
//! Most of the cost of a hit is the C library's start, see `docs/internals/front.md`. So the
//! executable begins here: calls that are fully understood are answered, and all others are passed
//! on to the C library's own entry point, which finds the process as the kernel made it, except for
//! some bytes in a static of this crate.
//!
//! Invariants:
//!
//! - Nothing here allocates, panics, uses thread-local storage or calls the C library; `.ci/front`
//!   checks the machine code. Only constants and types of `libc` are used.
//! - A call is passed on whenever anything is unexpected: an option, a variable or a file that is
//!   not known here, or an error of the system. It is never answered by a guess.
//! - Until the first byte of output is written, nothing has happened that a command, or the
//!   ordinary way, could notice: descriptors are closed, no signal was changed, nothing was read
//!   from standard input.
//! - The key is computed from the same fields by the same code as everywhere
//!   ([`cachex_core::key`]). If a field were forgotten here, the key would be a different one,
//!   under which nothing is recorded.
//!
//! `entry.rs` is the bridge, `answer.rs` a complete hit.
#![no_std]
#![no_builtins]
#![cfg(all(
    target_os = "linux",
    target_env = "gnu",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]

mod answer;
mod buffer;
mod call;
mod comparison;
mod config;
mod declared;
mod entry;
mod environment;
mod executable;
mod input;
mod message;
mod options;
mod output;
mod pipe;
mod sys;
mod text;

pub use comparison::{Decision, decide};
pub use entry::START;
pub use environment::OPTIONS;

/// The reason why a call is passed on.
#[derive(Clone, Copy)]
pub(crate) struct Pass(pub &'static str);

/// A result, or the reason why the call is passed on.
pub(crate) type Known<T> = Result<T, Pass>;

impl From<sys::Errno> for Pass {
    fn from(_: sys::Errno) -> Pass {
        Pass("a system call failed")
    }
}
