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
//! by helper processes. They are the command `cachex`, if it is in `PATH` and of the same
//! version, or the program itself, if its `main` begins with `cachex::init()`. Without either,
//! older entries and remote stores are not available, and everything else works. A cache in
//! memory has none.
//!
//! # Features
//!
//! | | |
//! |---|---|
//! | none | caches in memory and in stores of your own |
//! | `folder` | `Cache::open`, `Builder::dir`, `Cache::command`, `init` |
//! | `remote-redis`, `remote-s3`, … | `Builder::remote` for these stores |
//! | `cli` | `Builder::like_command`; `init` serves `Cache::command`, too |
//! | `tracing` | each event is one of `tracing` |
//!
//! `cli` and some remote stores are on by default.

#![cfg_attr(
    not(all(feature = "cli", feature = "remote")),
    allow(
        dead_code,
        unused_imports,
        reason = "the command, and what asks for a remote store, use it"
    )
)]

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
compile_error!("cachex runs on Linux and macOS");

mod clock;
mod entry;
mod forked;
mod hashing;
mod memo;
mod mode;

// What keeps values in a folder, and the helper processes for that.
#[cfg(feature = "folder")]
mod asked;
#[cfg(feature = "folder")]
mod auto;
#[cfg(feature = "folder")]
mod detached;
#[cfg(feature = "folder")]
mod exit;
#[cfg(feature = "folder")]
mod failpoint;
#[cfg(feature = "folder")]
#[doc(hidden)]
pub mod fallback;
#[cfg(feature = "folder")]
mod frames;
#[cfg(feature = "folder")]
mod fsutil;
#[cfg(feature = "folder")]
mod limits;
#[cfg(feature = "folder")]
mod lineage;
#[cfg(feature = "folder")]
mod lock;
#[cfg(feature = "folder")]
mod manifest;
#[cfg(feature = "folder")]
mod null;
#[cfg(feature = "folder")]
mod platform;
#[cfg(feature = "folder")]
mod procfs;
#[cfg(feature = "folder")]
mod progress;
#[cfg(feature = "folder")]
mod report;
#[cfg(feature = "folder")]
mod signals;
#[cfg(feature = "folder")]
mod spool;
#[cfg(feature = "folder")]
mod stamp;
#[cfg(feature = "folder")]
#[doc(hidden)]
pub mod startup;
#[cfg(feature = "folder")]
mod store;
#[cfg(feature = "folder")]
mod umask;

// The command.
#[cfg(feature = "cli")]
mod base;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod bench_support;
#[cfg(feature = "cli")]
mod cache;
#[cfg(feature = "cli")]
mod capture;
#[cfg(feature = "cli")]
mod cli;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cmd;
#[cfg(feature = "cli")]
mod config;
#[cfg(feature = "cli")]
mod descriptors;
#[cfg(feature = "cli")]
mod exec;
#[cfg(feature = "cli")]
mod explain;
#[cfg(feature = "cli")]
mod feed;
#[cfg(feature = "cli")]
mod follow;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod fuzzing;
#[cfg(feature = "cli")]
mod held;
#[cfg(feature = "cli")]
mod inputs;
#[cfg(feature = "cli")]
mod invocation;
#[cfg(feature = "cli")]
mod job;
#[cfg(feature = "cli")]
mod key;
#[cfg(feature = "cli")]
mod lean;
#[cfg(feature = "cli")]
mod messages;
#[cfg(feature = "cli")]
mod outputs;
#[cfg(feature = "cli")]
mod parallel;
#[cfg(feature = "folder")]
mod parts;
#[cfg(feature = "cli")]
mod plain;
#[cfg(feature = "cli")]
mod printed;
#[cfg(feature = "cli")]
mod pty;
#[cfg(feature = "cli")]
mod replay;
#[cfg(feature = "cli")]
mod screen;
#[cfg(feature = "cli")]
mod sink;
#[cfg(feature = "cli")]
mod stdin;
#[cfg(feature = "cli")]
mod ui;
#[cfg(feature = "cli")]
mod values;
#[cfg(feature = "cli")]
mod wait;
#[cfg(feature = "cli")]
mod words;

pub use cachex_macros::{async_cache_value, cache_reference, cache_value};
pub use clock::Timestamp;
pub use entry::Key;
pub use memo::{
    AsyncStorage, Builder, Cache, Counters, Error, Event, EvictionHook, Failure, Guard, Lock,
    Memory, Mode, Options, Record, Selection, Span, Storage, Stored, TooLong, Value, ValueKey,
    default_cache,
};
#[cfg(feature = "folder")]
pub use memo::{CachedCommand, CommandOutput, Outcome};
#[cfg(feature = "folder")]
pub use startup::init;

#[doc(hidden)]
pub use memo::private as __private;

/// What the tests look at of the store. It is no part of the public interface.
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod internals {
    pub use crate::entry::{About, BlobRef, Bytes, Entry, Outputs};
    pub use crate::manifest::{Item, Manifest, What};
}

/// The programs in the README compile.
#[cfg(all(doctest, feature = "cli"))]
#[doc = include_str!("../README.md")]
struct Readme;

/// So do those in the guide, which are run.
#[cfg(all(doctest, feature = "cli"))]
#[doc = include_str!("../docs/library.md")]
struct Guide;
