//! Tells a database that hangs its reader from a disk that is slow.
//!
//! On a damaged file sled may compute forever, or wait for a thread of its own that is gone. A
//! slow disk, an unresponsive share or a busy machine may take as long, and say nothing about the
//! database. So time by itself is no evidence. Evidence is processor time in which sled makes no
//! progress, and time in which every thread waits for another one of this process. The kernel
//! tells which system call a thread is in; where it does not, nothing is concluded.

use crate::guard::Pulse;
use anyhow::{Context, Result};
use rustix::time::ClockId;
use std::thread::{Builder, sleep};
use std::time::Duration;

const TICK: Duration = Duration::from_millis(100);

/// The reason why a helper is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The database hangs the helper.
    Hung,
    /// The helper takes too long, for whatever reason.
    Slow,
}

/// Calls `stuck` once the evidence since sled's last sign of life amounts to `limit`, or once
/// there was no sign of life for `patience`.
///
/// Time is counted in ticks of this thread, so that a process that was stopped, or a
/// machine that slept, is not taken for stuck.
pub fn watch(
    limit: Duration,
    patience: Duration,
    pulse: &'static Pulse,
    stuck: impl FnOnce(Verdict) + Send + 'static,
) -> Result<()> {
    let work = move || {
        let mut last = None;
        let mut silence = Silence::default();
        let mut spent = processor_time();
        let verdict = loop {
            sleep(TICK);
            let (now, total) = (pulse.feel(), processor_time());
            if now.is_none() || now != last {
                silence = Silence::default();
            } else {
                silence.goes_on(total.saturating_sub(spent), wait_for_each_other);
            }
            (last, spent) = (now, total);
            if let Some(verdict) = silence.verdict(limit, patience) {
                break verdict;
            }
        };
        stuck(verdict);
    };
    Builder::new().spawn(work).context("starting a thread")?;
    Ok(())
}

/// Fails if there are fewer resources than sled needs. Without a thread sled would wait for one,
/// and without memory it would abort, which would look like damage.
pub fn is_enough() -> Result<()> {
    const MEMORY: usize = 24 * 1024 * 1024;
    let thread = Builder::new().spawn(|| ()).context("starting a thread")?;
    let _ = thread.join();
    Vec::<u8>::new().try_reserve_exact(MEMORY).context("making room for the database")
}

/// The time since the last sign of life.
#[derive(Clone, Copy, Debug, Default)]
struct Silence {
    ticks: Duration,
    evidence: Duration,
}

impl Silence {
    /// Counts one more tick, in which `used` processor time was spent. `waits` returns whether
    /// all threads wait for each other.
    fn goes_on(&mut self, used: Duration, waits: impl FnOnce() -> bool) {
        self.ticks += TICK;
        // Several threads are no more evidence than one.
        let used = used.min(TICK);
        self.evidence += if used < TICK / 10 && waits() { TICK } else { used };
    }

    fn verdict(&self, limit: Duration, patience: Duration) -> Option<Verdict> {
        if self.evidence >= limit {
            Some(Verdict::Hung)
        } else {
            (self.ticks >= patience).then_some(Verdict::Slow)
        }
    }
}

/// Returns the processor time of all threads of this process.
fn processor_time() -> Duration {
    let spent = rustix::time::clock_gettime(ClockId::ProcessCPUTime);
    Duration::try_from(spent).unwrap_or_default()
}

/// Returns whether every thread but this one waits for another one.
#[cfg(target_os = "linux")]
fn wait_for_each_other() -> bool {
    let own = rustix::thread::gettid().as_raw_nonzero().to_string();
    let Ok(threads) = std::fs::read_dir("/proc/self/task") else { return false };
    let is_other = |thread: &std::io::Result<std::fs::DirEntry>| {
        !thread.as_ref().is_ok_and(|thread| *thread.file_name() == *own)
    };
    let mut others = threads.filter(is_other).peekable();
    others.peek().is_some()
        && others.all(|thread| {
            let call = thread.and_then(|it| std::fs::read_to_string(it.path().join("syscall")));
            call.is_ok_and(|call| is_of_a_lock(&call))
        })
}

/// Returns whether a thread is in the system call by which it waits for another. `call` begins
/// with the number of its system call.
#[cfg(target_os = "linux")]
fn is_of_a_lock(call: &str) -> bool {
    let number = call.split_whitespace().next().and_then(|number| number.parse().ok());
    number == Some(libc::SYS_futex)
}

/// Returns false, since this system does not tell.
#[cfg(not(target_os = "linux"))]
fn wait_for_each_other() -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(4);
    const PATIENCE: Duration = Duration::from_secs(20);

    /// Returns the verdict after a number of ticks that are all alike.
    fn verdict(ticks: u32, used: Duration, waits: bool) -> Option<Verdict> {
        let mut silence = Silence::default();
        for _ in 0..ticks {
            silence.goes_on(used, || waits);
        }
        silence.verdict(LIMIT, PATIENCE)
    }

    #[test]
    fn a_slow_disk_is_no_evidence() {
        assert_eq!(verdict(199, TICK / 50, false), None);
        assert_eq!(verdict(200, Duration::ZERO, false), Some(Verdict::Slow));
    }

    #[test]
    fn a_loop_and_a_deadlock_are() {
        for (used, waits) in [(TICK, false), (3 * TICK, false), (Duration::ZERO, true)] {
            assert_eq!(verdict(39, used, waits), None);
            assert_eq!(verdict(40, used, waits), Some(Verdict::Hung));
        }
        // The machine gives the process little of its time.
        assert_eq!(verdict(80, TICK / 2, false), Some(Verdict::Hung));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_call_of_a_lock_is_known_by_its_number() {
        let waiting = format!("{} 0x7f00 0x80 0x2 0x0 0x0 0x0 0x7ffd 0x7f11", libc::SYS_futex);
        assert!(is_of_a_lock(&waiting));
        for other in ["running", "-1 0x7ffd 0x7f11", "17 0x3 0x7f00 0x10 0x0", ""] {
            assert!(!is_of_a_lock(other), "{other:?}");
        }
    }
}
