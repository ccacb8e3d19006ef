//! A cache in front of any function, and of any command.
//!
//! cachex records what a function returns, and answers the same call from the record: in
//! the same thread, in another process, or on another machine, depending on the stores of a
//! [`Cache`]. Two calls are the same if their keys are: the parts that the caller names,
//! and the type of the value.
//!
//! ```
//! use cachex::{Cache, Options};
//!
//! fn main() -> Result<(), cachex::Error> {
//! #   let folder = tempfile::tempdir().unwrap();
//! #   let folder = folder.path().join("cache");
//!     let cache = Cache::open(folder)?;
//!     let options = Options::new().expires_in("10m")?;
//!     let page = |url: &str| cache.value(("page", url), options, || format!("<html>{url}"));
//!     assert_eq!(page("/index"), page("/index"));
//!     Ok(())
//! }
//! ```
//!
//! # Which store
//!
//! | | shared by | a hit takes |
//! |---|---|---|
//! | [`Cache::in_memory`], [`Builder::memory`] | the threads and tasks of a process | a tenth of a microsecond |
//! | [`Cache::open`], [`Builder::local`] | the processes of a machine, including `cachex run` | some ten microseconds |
//! | [`Builder::remote`] | machines | the same, once it was fetched |
//! | [`Builder::store`] | whatever your [`Storage`] reaches | |
//!
//! A cache can have several stores, a program several caches, and each function its own.
//!
//! # Safe to decode, and trusted for its meaning
//!
//! Stored values are data. Reading one builds a value of the requested type and runs no
//! code but the `Deserialize` of that type; a record that is damaged, or of another type,
//! is a miss. No store can prove that a value is the *right* one: anybody who can write to a
//! folder can put another value there. Give write access only to those whom the program
//! trusts, and set a secret for a remote store ([`Builder::remote_secret`]): records that
//! were made without it are not accepted.
//!
//! # Helper processes
//!
//! Anything that may hang or take long (the database of older entries, a network) is done
//! by helper processes: the program's own executable, which is diverted before its `main`.
//! Where that is impossible (cachex within a library that is loaded at run time, or linked
//! with musl), older entries and remote stores are not available, and everything else
//! works.

#![cfg_attr(
    not(feature = "remote"),
    allow(dead_code, unused_imports, reason = "what asks for a remote store is always there")
)]

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
compile_error!("cachex runs on Linux and macOS");

mod asked;
mod auto;
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
mod descriptors;
mod detached;
mod entry;
mod exec;
mod exit;
mod explain;
mod failpoint;
#[doc(hidden)]
pub mod fallback;
mod feed;
mod follow;
mod forked;
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
mod lineage;
mod lock;
mod manifest;
mod memo;
mod messages;
mod null;
mod outputs;
mod parallel;
mod parts;
mod plain;
mod platform;
mod printed;
mod procfs;
mod progress;
mod pty;
mod replay;
mod report;
mod screen;
mod signals;
mod sink;
mod spool;
mod stamp;
#[doc(hidden)]
pub mod startup;
mod stdin;
mod store;
mod ui;
mod values;
mod wait;
mod words;

pub use cachex_macros::{async_cache_value, cache_reference, cache_value};
pub use clock::Timestamp;
pub use entry::Key;
pub use memo::{
    AsyncStorage, Builder, Cache, CachedCommand, CommandOutput, Counters, Error, Event,
    EvictionHook, Failure, Guard, Lock, Memory, Mode, Options, Outcome, Record, Selection, Span,
    Storage, Stored, TooLong, Value, ValueKey, default_cache,
};

#[doc(hidden)]
pub use memo::private as __private;

/// What the tests look at of the store. It is no part of the public interface.
#[doc(hidden)]
pub mod internals {
    pub use crate::entry::{About, BlobRef, Bytes, Entry, Outputs};
    pub use crate::manifest::{Item, Manifest, What};
}

/// The programs in the README compile.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// So do those in the guide, which are run.
#[cfg(doctest)]
#[doc = include_str!("../docs/library.md")]
struct Guide;
