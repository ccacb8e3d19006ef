//! What `cachex` must do, told from outside: one module per behaviour, all of
//! them over the builder in [`harness`].
//!
//! They are one test binary because linking thirty would take longer than
//! running them. Every test has a folder, a store, an environment and a
//! counter of its own, so they pass in parallel and in any order.

mod harness;

#[cfg(target_os = "linux")]
mod auto;
mod auto_examples;
mod bad_input;
mod bit_rot;
mod bounded;
mod broken_database;
mod changed_meanwhile;
mod ci_example;
mod circles;
mod completion;
mod concurrency;
mod config_file;
mod config_mistakes;
mod config_shown;
mod cookbook;
mod credentials;
mod cut_short;
mod descriptors;
#[cfg(target_os = "linux")]
mod differential;
mod docs;
mod doctor;
mod environment;
mod examples;
mod executable;
mod exit_status;
mod explain;
mod export;
mod fail_open;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod fault_sweep;
mod finish;
mod floors;
mod folding;
mod follow;
mod forged;
mod forget_and_clear;
mod formats;
mod front;
mod full_disk;
mod fuzzing;
mod grandchildren;
mod held;
mod hit_and_miss;
mod holders;
mod import;
mod inheritance;
mod init;
mod inputs;
mod inputs_while;
mod interrupted;
mod key;
mod killed;
mod left_by_the_dead;
mod left_files;
mod library;
mod library_async;
mod library_command;
mod library_functions;
mod library_helpers;
mod library_references;
mod library_stores;
mod library_types;
mod library_waits;
mod list;
mod locking;
mod log;
mod make;
mod masquerade;
mod memory;
mod modes;
mod named_descriptors;
mod namespaces;
mod no_wait;
mod outputs;
#[cfg(target_os = "linux")]
mod packaging;
mod packed;
mod planted;
mod portable;
mod privacy;
mod progress;
mod project;
mod prune;
mod put_back;
mod read_on;
mod readers;
mod recipes;
mod refresh;
mod remote;
mod remote_hosts;
mod remote_verbs;
mod replay_measure;
mod report;
mod servers;
mod shared_ends;
mod shared_stdin;
mod shell;
mod shims;
mod short;
mod show;
mod signal_matrix;
mod signals;
mod size_limits;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod slow_disk;
mod soak;
mod space;
mod stale;
mod stats;
mod stdin;
mod stdin_bounds;
mod store_faults;
mod store_locks;
mod streams;
mod switches;
mod system_errors;
mod tags;
mod terminal;
mod tidy;
mod time;
mod timeout;
mod trace;
mod tty;
mod unkeyed_files;
mod unread_messages;
mod unwritable;
mod working_directory;
