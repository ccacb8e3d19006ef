//! State of a process that its threads and tasks share.

use super::flight::Table;
use super::timer::Timer;
use cachex_base::process::forked::PerProcess;
pub use cachex_base::process::forked::is_forked;
use std::sync::Mutex;

/// The state of one process.
#[derive(Default)]
pub struct Process {
    /// The values that are being computed by one while others wait.
    pub flights: Mutex<Table>,
    /// The event that wakes waiters.
    pub timer: Timer,
}

/// The state of this process.
pub fn this() -> &'static Process {
    static STATE: PerProcess<Process> = PerProcess::new();
    STATE.get()
}
