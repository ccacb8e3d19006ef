//! Work on many items, on as many threads as there are cores.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// The least number of items for which threads pay off.
const WORTH_THREADS: usize = 8;
/// The maximum number of items that a thread takes at a time.
const PORTION: usize = 32;

/// Returns the results of `work` for each item, in their order.
pub fn map<'t, T: Sync, U: Send>(from: &'t [T], work: impl Fn(&'t T) -> U + Sync) -> Vec<U> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    if threads == 1 || from.len() < WORTH_THREADS {
        return from.iter().map(work).collect();
    }
    let portion = (from.len() / (threads * 4)).clamp(1, PORTION);
    let portions: Vec<&'t [T]> = from.chunks(portion).collect();
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(portions.len()));
    let take = || {
        while let Some(portion) = {
            let at = next.fetch_add(1, Ordering::Relaxed);
            portions.get(at).map(|portion| (at, portion))
        } {
            let (at, portion) = portion;
            let worked: Vec<U> = portion.iter().map(&work).collect();
            done.lock().unwrap_or_else(PoisonError::into_inner).push((at, worked));
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads {
            // Without another thread, it takes longer.
            let _ = std::thread::Builder::new().spawn_scoped(scope, take);
        }
        take();
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_unstable_by_key(|(at, _)| *at);
    done.into_iter().flat_map(|(_, worked)| worked).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_result_is_at_the_place_of_what_it_was_made_of() {
        for count in [0, 1, 7, 8, 100, 1001] {
            let numbers: Vec<usize> = (0..count).collect();
            assert_eq!(map(&numbers, |n| n * 2), numbers.iter().map(|n| n * 2).collect::<Vec<_>>());
        }
    }
}
