//! One at a time: who computes a value, and who waits for it.
//!
//! A flight is the computing of one key's value, and a lock that threads and tasks
//! wait for alike. Whoever gets it after another finds there what that recorded, be it
//! that no store kept it: so all who were waiting get the same. A flight that ends
//! without (an error, a panic, a future that was dropped) lets the next one go.

use super::backend::Record;
use crate::entry::Key;
use async_lock::{Mutex as AsyncMutex, MutexGuardArc};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

type Flight = AsyncMutex<Option<Landed>>;

/// What came of a flight.
struct Landed {
    record: Arc<Record>,
    at: Instant,
}

/// The flights of one cache.
#[derive(Default)]
pub struct Flights {
    under_way: Mutex<HashMap<Key, Arc<Flight>>>,
}

impl Flights {
    /// Joins the flight of a key, or begins it.
    pub fn join(&self, key: Key) -> Seat<'_> {
        let flight = self.map().entry(key).or_default().clone();
        Seat { flights: self, key, flight, joined: Instant::now() }
    }

    /// Whether nothing is under way.
    #[cfg(test)]
    pub fn is_empty(&self) -> bool {
        self.map().is_empty()
    }

    fn map(&self) -> MutexGuard<'_, HashMap<Key, Arc<Flight>>> {
        // Nothing panics while it is held.
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place in a flight.
pub struct Seat<'f> {
    flights: &'f Flights,
    key: Key,
    flight: Arc<Flight>,
    joined: Instant,
}

impl Seat<'_> {
    /// Waits for one's turn, and blocks the thread meanwhile.
    pub fn turn(&self) -> Turn {
        Turn { flight: self.flight.lock_arc_blocking(), joined: self.joined }
    }

    /// Waits for one's turn.
    pub async fn turn_async(&self) -> Turn {
        Turn { flight: self.flight.lock_arc().await, joined: self.joined }
    }
}

impl Drop for Seat<'_> {
    /// The last one out ends the flight.
    fn drop(&mut self) {
        let mut map = self.flights.map();
        // The map's own and this one.
        if Arc::strong_count(&self.flight) == 2 {
            map.remove(&self.key);
        }
    }
}

/// One's turn, until it is dropped.
pub struct Turn {
    flight: MutexGuardArc<Option<Landed>>,
    joined: Instant,
}

impl Turn {
    /// What was recorded while one waited, or is still fresh.
    pub fn landed(&self) -> Option<&Record> {
        let landed = self.flight.as_ref()?;
        (landed.at >= self.joined || landed.record.is_fresh()).then_some(&landed.record)
    }

    /// Leaves a record to those who wait, if there is one.
    pub fn land(&mut self, record: Option<Arc<Record>>) {
        *self.flight = record.map(|record| Landed { record, at: Instant::now() });
    }
}
