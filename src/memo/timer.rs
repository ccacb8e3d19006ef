//! Waking tasks at a certain moment, on whatever runtime they are.
//!
//! One thread does that for all of a process. It is there while somebody waits, and for
//! a while after that.

use super::process;
use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// The time that the thread stays when nobody waits.
const IDLE: Duration = Duration::from_secs(5);

/// The event that wakes waiters.
#[derive(Default)]
pub struct Timer {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// The sleepers by the moment, and a number that no two of them share.
    sleepers: BTreeMap<(Instant, u64), Waker>,
    next: u64,
    is_running: bool,
}

impl Timer {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes who is due, until there was nobody for a while.
    fn run(&self) {
        let mut state = self.lock();
        loop {
            let now = Instant::now();
            let later = state.sleepers.split_off(&(now, u64::MAX));
            let due = std::mem::replace(&mut state.sleepers, later);
            if !due.is_empty() {
                drop(state);
                due.into_values().for_each(Waker::wake);
                state = self.lock();
                continue;
            }
            let next = state.sleepers.first_key_value().map(|((at, _), _)| *at - now);
            let (again, timeout) = self
                .changed
                .wait_timeout(state, next.unwrap_or(IDLE))
                .unwrap_or_else(PoisonError::into_inner);
            state = again;
            if next.is_none() && timeout.timed_out() && state.sleepers.is_empty() {
                state.is_running = false;
                return;
            }
        }
    }
}

/// Comes to its end at a moment.
pub struct Sleep {
    until: Instant,
    number: Option<u64>,
}

/// Waits until then.
pub fn until(until: Instant) -> Sleep {
    Sleep { until, number: None }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if Instant::now() >= self.until {
            return Poll::Ready(());
        }
        let timer = &process::this().timer;
        let mut state = timer.lock();
        let number = self.number.unwrap_or_else(|| {
            state.next += 1;
            state.next
        });
        self.number = Some(number);
        state.sleepers.insert((self.until, number), context.waker().clone());
        if !state.is_running {
            let thread = std::thread::Builder::new().name("cachex-timer".into());
            state.is_running = thread.spawn(|| process::this().timer.run()).is_ok();
        }
        if state.is_running {
            timer.changed.notify_one();
        } else {
            // There is no thread to be had: the task looks again by itself.
            context.waker().wake_by_ref();
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            process::this().timer.lock().sleepers.remove(&(self.until, number));
        }
    }
}
