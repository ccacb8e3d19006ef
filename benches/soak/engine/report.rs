//! What happened, in numbers, and what should not have.

use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many violations are told in words.
const TOLD: usize = 20;

macro_rules! counters {
    ($($name:ident: $what:literal),* $(,)?) => {
        /// The counters, which all threads add to.
        #[derive(Debug, Default)]
        pub struct Report {
            $(pub $name: Counter,)*
            pub memory: AtomicU64,
            told: Mutex<Vec<String>>,
        }

        impl fmt::Display for Report {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                $(writeln!(f, "{:>9}  {}", self.$name.get(), $what)?;)*
                let memory = self.memory.load(Ordering::Relaxed);
                write!(f, "{:>9}  MiB of memory at the most in one call", memory >> 20)?;
                for told in self.told().iter() {
                    write!(f, "\n  {told}")?;
                }
                Ok(())
            }
        }
    };
}

counters! {
    calls: "calls",
    hits: "of them served from the store",
    misses: "of them ran the command",
    forced: "of them were forced to",
    forgotten: "entries forgotten",
    cleared: "times the whole store was cleared",
    evicting: "times a store was cut to its limit",
    killed: "calls killed, and survived",
    folds: "background folds started on purpose",
    folds_killed: "background folds killed, and survived",
    aged: "young files dropped once they were folded",
    flipped: "bits flipped in stored files",
    late: "misses because the store did not answer in time",
    foreign: "files of other formats changed (must be 0)",
    wrong: "calls that printed wrong bytes or ended wrongly (must be 0)",
    stale: "calls that replayed what was too old, replaced or forgotten (must be 0)",
    lost: "entries lost (must be 0)",
    together: "runs of one key at the same time under --no-concurrent (must be 0)",
    hung: "calls that hung (must be 0)",
    failed: "management commands that failed (must be 0)",
    bloated: "calls that took too much memory (must be 0)",
    left: "processes and files left behind (must be 0)",
}

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    pub fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Report {
    /// Counts a violation, and keeps the story of the first ones.
    pub fn violation(&self, counter: &Counter, story: impl FnOnce() -> String) {
        counter.add(1);
        let mut told = self.told();
        if told.len() < TOLD {
            told.push(story());
        }
    }

    fn told(&self) -> std::sync::MutexGuard<'_, Vec<String>> {
        self.told.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Whether everything was as it must be.
    pub fn is_clean(&self) -> bool {
        let violations = [
            &self.foreign,
            &self.wrong,
            &self.stale,
            &self.lost,
            &self.together,
            &self.hung,
            &self.failed,
            &self.bloated,
            &self.left,
        ];
        violations.iter().all(|counter| counter.get() == 0)
    }
}
