//! What `cachex` must do, told from outside: one module per behaviour, all of
//! them over the builder in [`harness`].
//!
//! They are one test binary because linking thirty would take longer than
//! running them. Every test has a folder, a store, an environment and a
//! counter of its own, so they pass in parallel and in any order.

mod harness;

mod bad_input;
mod concurrency;
mod descriptors;
mod environment;
mod executable;
mod exit_status;
mod fail_open;
mod folding;
mod forget_and_clear;
mod grandchildren;
mod hit_and_miss;
mod key;
mod locking;
mod make;
mod memory;
mod privacy;
mod readers;
mod signals;
mod size_limits;
mod stdin;
mod store_faults;
mod streams;
mod switches;
mod terminal;
mod tidy;
mod time;
mod working_directory;
