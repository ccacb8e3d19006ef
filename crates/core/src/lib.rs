//! The formats that a hit is made of, for everybody who makes or reads one.
//!
//! | module | defines |
//! |---|---|
//! | [`key`] | how the fields of a key are encoded |
//! | [`environment`] | which variables are part of it |
//! | [`descriptors`] | which arguments name a descriptor |
//! | [`stdin`] | what standard input is called in it |
//! | [`hash`] | BLAKE3 of what is short |
//! | [`span`] | how spans of time are written |
//! | [`young`] | where the file of a key lies, and a blob |
//! | [`entry`], [`frames`] | what is in it |
//! | [`event`] | what is written down of a hit |
//! | [`handover`] | what `cachex-front` leaves where it passes a call on |
//!
//! Invariant: what `cachex-front` calls here may run before the C library has started.
//! It allocates nothing, cannot panic, and calls no function of the C library, not even
//! `memcpy`: in a static glibc that is an indirect function, which is resolved later.
//! So slices are compared and copied by [`bytes`], indexed by `get`, and the crate is
//! compiled without knowledge of such functions. `.ci/front` reads the machine code and
//! fails where this is broken.
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
