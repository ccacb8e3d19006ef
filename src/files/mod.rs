//! Declared files: what goes into a key, and what a hit restores.

pub mod base;
pub mod inputs;
pub mod outputs;
