//! The functions that the attributes generate, compiled and called. This crate stands in for the
//! library, so that its default path is tested.

extern crate self as cachex;

mod asynchronous;
mod forms;
mod instances;
mod options;
mod stand_in;

use stand_in as __private;
use stand_in::Cache;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts how often the body of a function ran.
struct Runs(AtomicUsize);

impl Runs {
    const fn none() -> Runs {
        Runs(AtomicUsize::new(0))
    }

    /// Adds one, and returns the new count.
    fn add(&self) -> usize {
        self.0.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}
