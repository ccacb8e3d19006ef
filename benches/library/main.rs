//! What a hit costs a program that uses the library, beside moka and cached.
//!
//!     cargo bench --bench library
//!
//! Each contender caches the same function, of a number and returning a short text,
//! for a minute. Rounds are interleaved, so that a noisy machine is noisy to all, and
//! what is shown is the median. Values that lie in a folder are read from one of the
//! system's temporary folders.

use cached::macros::{cached, concurrent_cached};
use cachex::{Cache, Options, cache_value};
use std::hint::black_box;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How many different values there are.
const VALUES: u64 = 1000;
const ROUNDS: usize = 31;
/// How many of each length there are in the folder.
const IN_FOLDER: u64 = 200;
/// How long one contender is measured in a round.
const ROUND: Duration = Duration::from_millis(20);
/// How long threads run together.
const TOGETHER: Duration = Duration::from_millis(300);
const MANY: usize = 8;

fn name(n: u64) -> String {
    format!("the user with number {n}")
}

#[cache_value(expires_in = 60)]
fn by_attribute(n: u64) -> String {
    name(n)
}

#[cached(max_size = 10_000, ttl_secs = 60)]
fn by_cached(n: u64) -> String {
    name(n)
}

#[concurrent_cached(max_size = 10_000, ttl_secs = 60)]
fn by_concurrent_cached(n: u64) -> String {
    name(n)
}

fn by_value(n: u64) -> String {
    static CACHE: LazyLock<Cache> = LazyLock::new(Cache::in_memory);
    let options = Options::new().expires_in(60).unwrap();
    CACHE.value(("user", n), options, || name(n))
}

fn by_moka(n: u64) -> String {
    static CACHE: LazyLock<moka::sync::Cache<u64, String>> = LazyLock::new(|| {
        let builder = moka::sync::Cache::builder().max_capacity(10_000);
        builder.time_to_live(Duration::from_mins(1)).build()
    });
    CACHE.get_with(n, || name(n))
}

type Call = fn(u64) -> String;

const IN_MEMORY: [(&str, Call); 5] = [
    ("cachex, #[cache_value]", by_attribute),
    ("cachex, Cache::value", by_value),
    ("moka 0.12, get_with", by_moka),
    ("cached 4, #[cached]", by_cached),
    ("cached 4, #[concurrent_cached]", by_concurrent_cached),
];

fn main() {
    if !std::env::args().any(|arg| arg == "--bench") {
        println!("this is measured by `cargo bench`, not tested");
        return;
    }
    println!("a hit in memory, one thread");
    let times = interleaved(&IN_MEMORY);
    for ((what, _), time) in IN_MEMORY.iter().zip(&times) {
        let ratios = times[2..].iter().map(|other| format!("{:>6.2}", time / other));
        println!(
            "  {what:32} {time:>8.0} ns   ÷ moka, cached, concurrent: {}",
            ratios.collect::<String>()
        );
    }

    println!("a hit in memory, {MANY} threads, together, on {} processors", processors());
    for (what, call) in IN_MEMORY {
        let (one, many) = (together(call, 1), together(call, MANY));
        println!("  {what:32} {:>8.2} M/s   {:.2} × one thread", many / 1e6, many / one);
    }

    let folder = tempfile::tempdir().expect("a temporary folder");
    let cache = Cache::open(folder.path().join("cache")).expect("a store");
    let in_folder = |len: usize| {
        let value = |n: u64| cache.value((n, len), Options::new(), || vec![7_u8; len]);
        (0..IN_FOLDER).for_each(|n| drop(value(n)));
        let mut times = Vec::new();
        for n in (0..IN_FOLDER).cycle().take(5 * IN_FOLDER as usize) {
            let began = Instant::now();
            black_box(value(n));
            times.push(began.elapsed().as_secs_f64() * 1e6);
        }
        median(&mut times)
    };
    println!("a hit in a folder, one thread");
    for len in [100, 1000, 10_000, 1_000_000] {
        println!("  {len:>8} bytes {:>28.1} µs", in_folder(len));
    }
}

/// The median time of a hit of each, in nanoseconds.
fn interleaved<const N: usize>(contenders: &[(&str, Call); N]) -> [f64; N] {
    let mut times: [Vec<f64>; N] = std::array::from_fn(|_| Vec::new());
    for (_, call) in contenders {
        (0..VALUES).for_each(|n| drop(call(n)));
    }
    for _ in 0..ROUNDS {
        for ((_, call), times) in contenders.iter().zip(&mut times) {
            let began = Instant::now();
            let mut calls = 0_u64;
            while began.elapsed() < ROUND {
                for n in 0..VALUES {
                    black_box(call(black_box(n)));
                }
                calls += VALUES;
            }
            times.push(began.elapsed().as_secs_f64() * 1e9 / calls as f64);
        }
    }
    times.map(|mut times| median(&mut times))
}

/// How many hits so many threads have per second.
fn together(call: Call, threads: usize) -> f64 {
    let (over, hits) = (AtomicBool::new(false), AtomicU64::new(0));
    let began = Instant::now();
    std::thread::scope(|scope| {
        for first in 0..threads as u64 {
            let (over, hits) = (&over, &hits);
            scope.spawn(move || {
                let mut mine = 0;
                while !over.load(Ordering::Relaxed) {
                    for n in 0..VALUES {
                        black_box(call((first * 97 + n) % VALUES));
                    }
                    mine += VALUES;
                }
                hits.fetch_add(mine, Ordering::Relaxed);
            });
        }
        std::thread::sleep(TOGETHER);
        over.store(true, Ordering::Relaxed);
    });
    hits.into_inner() as f64 / began.elapsed().as_secs_f64()
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
