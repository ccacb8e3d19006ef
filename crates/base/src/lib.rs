//! What every part of cachex stands on: the operating system, text, the record of a run,
//! streams and processes.
//!
//! It is an inner part of cachex, and has no stable interface.

pub mod process;
pub mod record;
pub mod streams;
pub mod system;
pub mod text;
