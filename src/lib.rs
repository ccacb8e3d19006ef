//! A cache in front of any command.
//!
//! This crate is the `cachex` program and what it is made of: the [`Store`]
//! trait, the [`Stack`] of stores and the [`Entry`] they keep.

#![cfg_attr(
    not(feature = "remote"),
    allow(dead_code, unused_imports, reason = "what asks for a remote store is always there")
)]

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
compile_error!("cachex runs on Linux and macOS");

mod asked;
mod base;
#[doc(hidden)]
pub mod bench_support;
mod cache;
mod capture;
mod cli;
mod clock;
#[doc(hidden)]
pub mod cmd;
mod config;
mod detached;
mod entry;
mod exec;
mod exit;
mod explain;
mod failpoint;
mod feed;
mod follow;
mod frames;
mod fsutil;
#[doc(hidden)]
pub mod fuzzing;
mod hashing;
mod held;
mod inputs;
mod invocation;
mod job;
mod key;
mod lean;
mod lock;
mod manifest;
mod messages;
mod outputs;
mod parallel;
mod parts;
mod printed;
mod progress;
mod pty;
mod replay;
mod report;
mod session;
mod signals;
mod sink;
mod spool;
#[doc(hidden)]
pub mod startup;
mod stdin;
mod store;
mod ui;
mod values;
mod wait;
mod words;

pub use clock::Timestamp;
pub use entry::{About, BlobRef, Bytes, Damaged, Entry, Key, Outputs};
pub use fsutil::Unusable;
pub use manifest::{Item, Manifest, What};
pub use store::{Root, Stack, Store};
