//! The foundation of every part of cachex: the operating system, text, the record of a run, streams
//! and processes.
//!
//! This crate is internal to cachex and has no stable interface.

pub mod process;
pub mod record;
pub mod streams;
pub mod system;
pub mod text;
