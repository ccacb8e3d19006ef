//! A program that forks while its threads use a cache. Each child uses the same cache, and
//! comes to its end.
//!
//!     cargo run --example forked -- FOLDER

use cachex::{Cache, Options, cache_value};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const CHILDREN: u64 = 10;

static CACHE: LazyLock<Cache> = LazyLock::new(|| {
    let folder = std::env::args_os().nth(1).expect("a folder");
    let cache = Cache::builder().memory(1 << 20).dir(folder);
    cache.open().expect("a cache")
});

#[cache_value(store = CACHE, allow_concurrent = false)]
fn squared(n: u64) -> u64 {
    n * n
}

/// Uses everything that is behind a lock; `who` has some values to itself.
fn work(who: u64, n: u64) {
    assert_eq!(squared(n), n * n);
    let alone = Options::new().allow_concurrent(false);
    assert_eq!(smol::block_on(CACHE.value_async(("task", n), alone, async || n)), n);
    assert_eq!(*CACHE.reference(n, alone, || std::sync::Arc::new(n)), n);
    CACHE.put(("own", who), Options::new(), &n).expect("a record");
    assert_eq!(CACHE.get::<u64>(("own", who)), Some(n));
    if n.is_multiple_of(10) {
        CACHE.remove::<u64>(("own", who)).expect("a removal");
        assert_eq!(CACHE.get::<u64>(("own", who)), None);
    }
}

fn main() {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let over = &over;
            scope.spawn(move || {
                let mut n = thread;
                while !over.load(Ordering::Relaxed) {
                    // Some of them are the children's, too.
                    work(thread, n % 50);
                    n += 1;
                }
            });
        }
        work(CHILDREN, 0);
        for child in 0..CHILDREN {
            // SAFETY: the child only does what a forked child of a program that has threads may
            // do with a cache, and ends without tidying up what is not its own.
            match unsafe { libc::fork() } {
                0 => {
                    let is_done = std::panic::catch_unwind(|| {
                        (0..25).for_each(|n| work(100 + child, n));
                    })
                    .is_ok();
                    // SAFETY: it ends the process.
                    unsafe { libc::_exit(i32::from(!is_done)) }
                }
                pid => assert!(ends_well(pid), "child {child}"),
            }
        }
        over.store(true, Ordering::Relaxed);
    });
    println!("{CHILDREN} children");
}

/// Whether a child ends with success, in reasonable time.
fn ends_well(pid: i32) -> bool {
    let began = Instant::now();
    loop {
        let mut status = 0;
        // SAFETY: it is a child of this process, and the number is one that can be written.
        match unsafe { libc::waitpid(pid, &raw mut status, libc::WNOHANG) } {
            0 if began.elapsed() < Duration::from_mins(1) => {
                std::thread::sleep(Duration::from_millis(1));
            }
            0 => {
                // SAFETY: the same.
                unsafe { libc::kill(pid, libc::SIGKILL) };
                return false;
            }
            _ => return status == 0,
        }
    }
}
