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

#[cfg(feature = "cli")]
mod args;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod commands;
#[cfg(feature = "cli")]
mod config;
#[cfg(feature = "cli")]
mod files;
#[cfg(feature = "cli")]
mod key;
mod memo;
#[cfg(feature = "cli")]
mod run;
#[cfg(feature = "folder")]
#[doc(hidden)]
pub mod startup;
#[cfg(feature = "cli")]
mod testing;
#[cfg(feature = "cli")]
mod ui;

#[cfg(feature = "folder")]
#[doc(hidden)]
pub use cachex_base::process::fallback;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub use testing::bench as bench_support;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub use testing::fuzzing;

pub use cachex_base::record::key::Key;
pub use cachex_base::system::clock::Timestamp;
pub use cachex_macros::{async_cache_value, cache_reference, cache_value};
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

/// The types of the store that the tests examine. They are no part of the public interface.
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod internals {
    pub use cachex_base::record::entry::{About, BlobRef, Bytes, Entry, Outputs};
    pub use cachex_base::record::manifest::{Item, Manifest, What};
}

/// The programs in the README compile.
#[cfg(all(doctest, feature = "cli"))]
#[doc = include_str!("../README.md")]
struct Readme;

/// So do those in the guide, which are run.
#[cfg(all(doctest, feature = "cli"))]
#[doc = include_str!("../docs/library.md")]
struct Guide;
