//! How far this process is with what may take long.
//!
//! Who works says so in passing, and neither knows who looks nor waits for
//! them: in a verb that is a thread which draws (`ui::Progress`), in a
//! helper process what it tells the one who asked (`store::fence`).
//! There is one piece of work at a time, and so there is one of this.

use serde::{Deserialize, Serialize};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What is being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// Somebody else has the store.
    Waiting,
    /// What is young moves into the old store.
    Folding,
    /// Entries are looked for.
    Choosing,
    /// Entries are taken out.
    Removing,
    /// Files go that nothing needs.
    Sweeping,
    /// Entries are verified.
    CheckingEntries,
    /// Output is verified, in bytes.
    CheckingOutputs,
    /// Results are written to an archive, in bytes.
    Exporting,
    /// An archive is verified, in bytes of it.
    Verifying,
    /// Results are taken out of an archive, in bytes of it.
    Importing,
    /// A result comes from a remote store, in bytes.
    Fetching,
    /// Results go to a remote store.
    Sending,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// With what.
    pub stage: Stage,
    /// So much is done.
    pub done: u64,
    /// Out of so much; none: that is not known.
    pub total: Option<u64>,
}

/// Who is told, not more often than every so often.
struct Listener {
    tell: fn(Progress),
    next: Instant,
}

struct Work {
    now: Option<Progress>,
    listener: Option<Listener>,
}

/// Nobody sees a difference any sooner.
const PAUSE: Duration = Duration::from_millis(100);

static WORK: Mutex<Work> = Mutex::new(Work { now: None, listener: None });

fn work() -> MutexGuard<'static, Work> {
    // Every change is one assignment: a panic leaves nothing half-done.
    WORK.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Something begins that takes so many steps, if that is known.
pub fn begin(stage: Stage, total: impl Into<Option<u64>>) {
    set(Progress { stage, done: 0, total: total.into() });
}

/// So many steps are done.
pub fn advance(steps: u64) {
    let mut work = work();
    let Some(now) = &mut work.now else { return };
    now.done = now.done.saturating_add(steps);
    work.tell(false);
}

/// It is so far, as somebody who does it says.
pub fn set(progress: Progress) {
    let mut work = work();
    let is_new = work.now.is_none_or(|now| now.stage != progress.stage);
    work.now = Some(progress);
    work.tell(is_new);
}

/// Nothing is being done, or nothing that is told of.
pub fn end() {
    work().now = None;
}

/// How far it is.
pub fn now() -> Option<Progress> {
    work().now
}

/// Has `tell` told from now on, by the thread that works, between two steps.
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
