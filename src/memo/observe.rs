//! Events and counters of a cache.

use super::Error;
use std::sync::atomic::{AtomicU16, AtomicU64, AtomicUsize, Ordering};

/// An event in a [`Cache`](super::Cache), see [`Builder::on_event`](super::Builder::on_event).
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A recorded value was served.
    Hit {
        /// The name of the value, see [`Options::name`](super::Options::name).
        name: &'a str,
    },
    /// No fresh value was found, and it is computed.
    Miss {
        /// The name of the value.
        name: &'a str,
    },
    /// A value was recorded.
    Recorded {
        /// The name of the value.
        name: &'a str,
        /// The length of its encoding.
        bytes: usize,
    },
    /// A value was computed and could not be recorded, so it is computed each time.
    NotRecorded {
        /// The name of the value.
        name: &'a str,
        /// The reason.
        why: &'a Error,
    },
    /// A value was removed by the program.
    Removed,
    /// A store in memory dropped a value to make room.
    Evicted {
        /// The name of the value.
        name: &'a str,
    },
}

/// The number of [`Event`]s of each kind since the cache was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Values that were served.
    pub hits: u64,
    /// Values that were computed because there was none.
    pub misses: u64,
    /// Values that were recorded.
    pub recorded: u64,
    /// Values that could not be recorded.
    pub not_recorded: u64,
    /// Values that the program removed.
    pub removed: u64,
    /// Values that a store in memory dropped to make room.
    pub evicted: u64,
}

/// A function that is called for each event.
pub type Hook = Box<dyn Fn(&Event<'_>) + Send + Sync>;

/// Counts events, and hands them to the program's own function.
#[derive(Default)]
pub struct Observer {
    hook: Option<Hook>,
    /// Counters of which each thread uses one set, so that threads do not wait for each other.
    counts: [Counts; OWN + SHARED],
}

/// The number of sets that have one thread at a time, which needs no atomic operation to count.
const OWN: usize = 16;
/// The number of sets for any other threads.
const SHARED: usize = 4;
const KINDS: usize = 6;

/// A set of counters, on cache lines of its own.
#[derive(Default)]
#[repr(align(128))]
struct Counts([AtomicU64; KINDS]);

impl Observer {
    /// Creates an observer that calls this function, if there is one.
    pub fn new(hook: Option<Hook>) -> Observer {
        Observer { hook, ..Observer::default() }
    }

    /// Counts an event, and hands it on.
    #[inline]
    pub fn tell(&self, event: &Event<'_>) {
        let part = part();
        let count = &self.counts[part].0[event.kind()];
        if part < OWN {
            count.store(count.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        } else {
            count.fetch_add(1, Ordering::Relaxed);
        }
        #[cfg(feature = "tracing")]
        event.trace();
        if let Some(hook) = &self.hook {
            hook(event);
        }
    }

    /// Returns the number of events of each kind.
    pub fn counters(&self) -> Counters {
        let count = |kind: usize| {
            self.counts.iter().map(|part| part.0[kind].load(Ordering::Relaxed)).sum::<u64>()
        };
        Counters {
            hits: count(0),
            misses: count(1),
            recorded: count(2),
            not_recorded: count(3),
            removed: count(4),
            evicted: count(5),
        }
    }
}

impl Event<'_> {
    fn kind(&self) -> usize {
        match self {
            Event::Hit { .. } => 0,
            Event::Miss { .. } => 1,
            Event::Recorded { .. } => 2,
            Event::NotRecorded { .. } => 3,
            Event::Removed => 4,
            Event::Evicted { .. } => 5,
        }
    }

    #[cfg(feature = "tracing")]
    fn trace(&self) {
        match self {
            Event::Hit { name } => tracing::trace!(target: "cachex", name, "hit"),
            Event::Miss { name } => tracing::debug!(target: "cachex", name, "miss"),
            Event::Recorded { name, bytes } => {
                tracing::debug!(target: "cachex", name, bytes, "recorded");
            }
            Event::NotRecorded { name, why } => {
                tracing::warn!(target: "cachex", name, %why, "not recorded");
            }
            Event::Removed => tracing::debug!(target: "cachex", "removed"),
            Event::Evicted { name } => tracing::debug!(target: "cachex", name, "evicted"),
        }
    }
}

/// The sets of counters that a thread has to itself, one bit for each.
static TAKEN: AtomicU16 = AtomicU16::new(0);
const _: () = assert!(u16::BITS as usize == OWN);

/// The set of counters that a thread uses.
struct Part(usize);

impl Part {
    /// Takes a set that no other thread has, or else one that several share.
    fn take() -> Part {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let taken = TAKEN.fetch_update(Ordering::Acquire, Ordering::Relaxed, |taken| {
            (taken != u16::MAX).then_some(taken | (taken + 1))
        });
        match taken {
            Ok(taken) => Part(taken.trailing_ones() as usize),
            Err(_) => Part(OWN + NEXT.fetch_add(1, Ordering::Relaxed) % SHARED),
        }
    }
}

impl Drop for Part {
    /// Leaves the set, and what this thread counted in it, to the next thread.
    fn drop(&mut self) {
        if self.0 < OWN {
            TAKEN.fetch_and(!(1 << self.0), Ordering::Release);
        }
    }
}

/// Returns the index of the counters that this thread uses.
#[inline]
fn part() -> usize {
    thread_local! {
        static PART: Part = Part::take();
    }
    // A thread that ends has left its own to another one.
    PART.try_with(|part| part.0).unwrap_or(OWN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_that_come_and_go_and_share_count_each_event() {
        let observer = Observer::default();
        for threads in [1, OWN, 3 * OWN] {
            std::thread::scope(|scope| {
                for _ in 0..threads {
                    scope.spawn(|| (0..1000).for_each(|_| observer.tell(&Event::Removed)));
                }
            });
        }
        assert_eq!(observer.counters().removed, 1000 * (1 + 4 * OWN as u64));
    }
}
