//! A hit before the C library starts.
//!
//! Most of what a hit costs is the C library's start, see `docs/internals/front.md`. So the
//! executable begins here: what is fully understood is answered, and everything else is
//! passed on to the C library's own entry point, which finds the process as the kernel made
//! it, but for some bytes in a static of this crate.
//!
//! Invariants:
//!
//! - Nothing here allocates, panics, uses thread-local storage or calls the C library;
//!   `.ci/front` reads the machine code and fails otherwise. Constants and types of `libc`
//!   are all that is used of it.
//! - A call is passed on whenever anything is not as expected: an option, a variable or a file
//!   that is not known here, an error of the system. It is never answered by a guess.
//! - Until the first byte of output is written, nothing was done that a command, or whoever
//!   goes on, could tell: descriptors are closed, no signal was touched, nothing was read from
//!   standard input.
//! - The key is computed from the same fields by the same code as everywhere
//!   ([`cachex_core::key`]). If a field were forgotten here the key would be another, under
//!   which nothing is recorded.
//!
//! `entry.rs` is the bridge, `answer.rs` the whole of a hit.
#![no_std]
#![no_builtins]
#![cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]

mod answer;
mod buffer;
mod call;
mod config;
mod decision;
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

pub use decision::{Decision, decide};
pub use entry::START;
pub use environment::OPTIONS;

/// Why a call is passed on.
#[derive(Clone, Copy)]
pub(crate) struct Pass(pub &'static str);

/// What is known, or why the call is passed on.
pub(crate) type Known<T> = Result<T, Pass>;

impl From<sys::Errno> for Pass {
    fn from(_: sys::Errno) -> Pass {
        Pass("a system call failed")
    }
}
