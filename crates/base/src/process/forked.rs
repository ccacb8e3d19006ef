//! State that belongs to one process, and is begun anew in a child that was forked.
//!
//! A forked child has the memory of its parent and one of its threads: whatever another
//! thread was about is never finished there, and a lock that it held is never released. So
//! what is behind a lock in a program that uses the library is one for each process.

use std::ffi::c_int;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// How many forks this process is away from the first that asked.
static GENERATION: AtomicU32 = AtomicU32::new(0);

unsafe extern "C" {
    fn pthread_atfork(
        prepare: Option<unsafe extern "C" fn()>,
        parent: Option<unsafe extern "C" fn()>,
        child: Option<unsafe extern "C" fn()>,
    ) -> c_int;
}

/// How many forks this process is away from the first that asked.
#[inline]
pub fn generation() -> u32 {
    static IS_COUNTED: AtomicBool = AtomicBool::new(false);

    #[cold]
    fn count() {
        unsafe extern "C" fn one_more() {
            GENERATION.fetch_add(1, Ordering::Relaxed);
        }
        if !IS_COUNTED.swap(true, Ordering::Relaxed) {
            // SAFETY: the function only adds to a number, which a child that was just forked
            // may do, and it is there for as long as the process. Where there is no memory for
            // it, forks are not noticed.
            unsafe { pthread_atfork(None, None, Some(one_more)) };
        }
    }

    if !IS_COUNTED.load(Ordering::Relaxed) {
        count();
    }
    GENERATION.load(Ordering::Relaxed)
}

/// Whether this process was forked from one that asked before.
pub fn is_forked() -> bool {
    generation() > 0
}

/// One of something for each process: what is the parent's is not touched in a child, where
/// it may be locked for ever.
#[derive(Debug)]
pub struct PerProcess<T> {
    value: OnceLock<T>,
    /// That of a child.
    next: OnceLock<Box<PerProcess<T>>>,
}

impl<T> PerProcess<T> {
    /// One that is made when it is asked for.
    pub const fn new() -> PerProcess<T> {
        PerProcess { value: OnceLock::new(), next: OnceLock::new() }
    }

    /// That of this process, which is made if there is none yet.
    #[inline]
    pub fn get_or(&self, make: impl FnOnce() -> T) -> &T {
        self.of(generation()).value.get_or_init(make)
    }

    /// That of this process's parent, if it had one, in whatever state the fork met it.
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
    /// That of this process.
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

/// What is another process's is forgotten: to drop it is up to that.
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
