//! What tests, fuzzers and benches reach of the inside. No part of the public interface.

pub mod bench;
pub mod fuzzing;
