//! State that belongs to one process and starts anew in a forked child.
//!
//! A forked child has its parent's memory but only one of its threads: work of another thread is
//! never finished there, and a lock that it held is never released. So in a program that uses the
//! library, state behind a lock exists once per process.

use std::ffi::c_int;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// The number of forks between this process and the first one that called [`generation`].
static GENERATION: AtomicU32 = AtomicU32::new(0);

unsafe extern "C" {
    fn pthread_atfork(
        prepare: Option<unsafe extern "C" fn()>,
        parent: Option<unsafe extern "C" fn()>,
        child: Option<unsafe extern "C" fn()>,
    ) -> c_int;
}

/// Returns the number of forks between this process and the first one that called this.
#[inline]
pub fn generation() -> u32 {
    static IS_COUNTED: AtomicBool = AtomicBool::new(false);

    #[cold]
    fn count() {
        unsafe extern "C" fn one_more() {
            GENERATION.fetch_add(1, Ordering::Relaxed);
        }
        if !IS_COUNTED.swap(true, Ordering::Relaxed) {
            // SAFETY: the function only increments a number, which a forked child may do, and lives
            // as long as the process. Without memory to register it, forks go unnoticed.
            unsafe { pthread_atfork(None, None, Some(one_more)) };
        }
    }

    if !IS_COUNTED.load(Ordering::Relaxed) {
        count();
    }
    GENERATION.load(Ordering::Relaxed)
}

/// Returns whether this process was forked from one that called [`generation`] before.
pub fn is_forked() -> bool {
    generation() > 0
}

/// A value for each process. A child does not touch its parent's, which may be locked for ever.
#[derive(Debug)]
pub struct PerProcess<T> {
    value: OnceLock<T>,
    /// The value of a forked child.
    next: OnceLock<Box<PerProcess<T>>>,
}

impl<T> PerProcess<T> {
    /// Creates one whose value is made at the first access.
    pub const fn new() -> PerProcess<T> {
        PerProcess { value: OnceLock::new(), next: OnceLock::new() }
    }

    /// Returns the value of this process, and makes it at the first access.
    #[inline]
    pub fn get_or(&self, make: impl FnOnce() -> T) -> &T {
        self.of(generation()).value.get_or_init(make)
    }

    /// Returns the value of the parent process, if any, in the state at the time of the fork.
    pub fn of_parent(&self) -> Option<&T> {
        self.of(generation().checked_sub(1)?).value.get()
    }

    #[inline]
    fn of(&self, generation: u32) -> &PerProcess<T> {
        let mut at = self;
        for _ in 0..generation {
            at = at.next.get_or_init(Box::default);
        }
        at
    }
}

impl<T: Default> PerProcess<T> {
    /// Returns the value of this process.
    #[inline]
    pub fn get(&self) -> &T {
        self.get_or(T::default)
    }
}

impl<T> Default for PerProcess<T> {
    fn default() -> PerProcess<T> {
        PerProcess::new()
    }
}

/// Forgets the values of other processes: those processes drop them.
impl<T> Drop for PerProcess<T> {
    fn drop(&mut self) {
        if is_forked() {
            let mut next = Some(self);
            for _ in 0..generation() {
                let Some(at) = next else { return };
                std::mem::forget(at.value.take());
                next = at.next.get_mut().map(|next| &mut **next);
            }
        }
    }
}
