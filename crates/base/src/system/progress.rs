//! The progress of this process with work that may take long.
//!
//! The working code reports progress in passing, and neither knows nor waits for who displays it: a
//! drawing thread in a verb (`ui::Progress`), or messages to the caller in a helper process
//! (`store::fence`). There is one piece of work at a time, so there is one global state.

use serde::{Deserialize, Serialize};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The kind of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// Another process has the store.
    Waiting,
    /// Young entries are moved into the old store.
    Folding,
    /// Entries are searched.
    Choosing,
    /// Entries are removed.
    Removing,
    /// Unreferenced files are removed.
    Sweeping,
    /// Entries are verified.
    CheckingEntries,
    /// Output is verified, in bytes.
    CheckingOutputs,
    /// Results are written to an archive, in bytes.
    Exporting,
    /// An archive is verified, in bytes.
    Verifying,
    /// Results are read from an archive, in bytes.
    Importing,
    /// A result is fetched from a remote store, in bytes.
    Fetching,
    /// Results are sent to a remote store.
    Sending,
}

/// The state of the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// The kind of work.
    pub stage: Stage,
    /// The amount that is done.
    pub done: u64,
    /// The total amount; none if unknown.
    pub total: Option<u64>,
}

/// A listener, called at most once per pause.
struct Listener {
    tell: fn(Progress),
    next: Instant,
}

struct Work {
    now: Option<Progress>,
    listener: Option<Listener>,
}

/// The least time between two calls: faster changes are not visible.
const PAUSE: Duration = Duration::from_millis(100);

static WORK: Mutex<Work> = Mutex::new(Work { now: None, listener: None });

fn work() -> MutexGuard<'static, Work> {
    // Every change is one assignment, so a panic leaves nothing half-done.
    WORK.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Begins work of `total` steps, if that is known.
pub fn begin(stage: Stage, total: impl Into<Option<u64>>) {
    set(Progress { stage, done: 0, total: total.into() });
}

/// Adds completed steps.
pub fn advance(steps: u64) {
    let mut work = work();
    let Some(now) = &mut work.now else { return };
    now.done = now.done.saturating_add(steps);
    work.tell(false);
}

/// Sets the progress, as reported by another process.
pub fn set(progress: Progress) {
    let mut work = work();
    let is_new = work.now.is_none_or(|now| now.stage != progress.stage);
    work.now = Some(progress);
    work.tell(is_new);
}

/// Ends the work.
pub fn end() {
    work().now = None;
}

/// Returns the current progress.
pub fn now() -> Option<Progress> {
    work().now
}

/// Calls `tell` from now on, on the working thread between two steps.
pub fn listen(tell: fn(Progress)) {
    work().listener = Some(Listener { tell, next: Instant::now() });
}

impl Work {
    fn tell(&mut self, is_new: bool) {
        if let (Some(now), Some(listener)) = (self.now, &mut self.listener) {
            let time = Instant::now();
            if is_new || time >= listener.next {
                listener.next = time + PAUSE;
                (listener.tell)(now);
            }
        }
    }
}
