//! State that belongs to one process, and is begun anew in a child that was forked.
//!
//! A forked child has the memory of its parent and one of its threads: whatever another
//! thread was about is never finished there, and a lock that it held is never released.

use super::flight::Table;
use super::timer::Timer;
use std::sync::{Mutex, OnceLock};

/// The state of one process.
pub struct Process {
    id: u32,
    is_forked: bool,
    /// The values that are being computed by one while others wait.
    pub flights: Mutex<Table>,
    /// What wakes those who wait for a moment.
    pub timer: Timer,
    /// That of a child that this process was forked into.
    child: OnceLock<Box<Process>>,
}

/// The state of this process.
pub fn this() -> &'static Process {
    static FIRST: OnceLock<Process> = OnceLock::new();
    let id = std::process::id();
    let mut process = FIRST.get_or_init(|| Process::new(id, false));
    while process.id != id {
        process = process.child.get_or_init(|| Box::new(Process::new(id, true)));
    }
    process
}

impl Process {
    /// Whether it was forked from one in which caches were used before.
    pub fn is_forked(&self) -> bool {
        self.is_forked
    }

    fn new(id: u32, is_forked: bool) -> Process {
        Process {
            id,
            is_forked,
            flights: Mutex::default(),
            timer: Timer::default(),
            child: OnceLock::new(),
        }
    }
}
