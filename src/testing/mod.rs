//! Internals for tests, fuzzers and benchmarks. Not part of the public interface.

pub mod bench;
pub mod fuzzing;
