//! The formats that a hit uses, for all crates that read or write them.
//!
//! | module | defines |
//! |---|---|
//! | [`key`] | the encoding of the fields of a key |
//! | [`environment`] | the variables that are part of it |
//! | [`descriptors`] | the arguments that name a descriptor |
//! | [`stdin`] | the kinds of standard input in it |
//! | [`hash`] | BLAKE3 of short inputs |
//! | [`span`] | the notation of durations |
//! | [`young`] | the paths of recent entries and of blobs |
//! | [`entry`], [`frames`] | the contents of an entry |
//! | [`event`] | the record of a hit in the log |
//! | [`handover`] | the data that `cachex-front` leaves when it passes a call on |
//!
//! Invariant: code that `cachex-front` calls may run before the C library has started. It allocates
//! nothing, cannot panic, and calls no function of the C library, not even `memcpy`: in a static
//! glibc that is an indirect function, which is resolved later. So slices are compared and copied
//! by [`bytes`] and indexed by `get`, and the crate is compiled without knowledge of such
//! functions. `.ci/front` checks the machine code.
//!
//! The crate names no file and makes no system call.
#![no_std]
#![no_builtins]

extern crate alloc;

pub mod bytes;
pub mod descriptors;
pub mod entry;
pub mod environment;
pub mod event;
pub mod frames;
pub mod handover;
pub mod hash;
pub mod key;
pub mod span;
pub mod stdin;
pub mod young;
