//! What the attributes make of functions, with the library behind them.

use crate::harness::{Cachex, cachex};
use cachex::{Cache, async_cache_value, cache_value};
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Counts the runs of a function's body.
fn next(runs: &AtomicU32) -> u32 {
    runs.fetch_add(1, Ordering::SeqCst) + 1
}

#[test]
fn a_function_has_companions() {
    static RUNS: AtomicU32 = AtomicU32::new(0);

    /// Says how often it ran.
    #[cache_value(companions = true)]
    pub fn count(mut of: u32, (_, more): (u8, &str)) -> u32 {
        of += more.len() as u32;
        of + next(&RUNS)
    }

    let args = || (10, (0, "a"));
    let call = |(of, more): (u32, (u8, &str))| count(of, more);
    assert_eq!([call(args()), call(args())], [12, 12]);
    let (of, more) = args();
    assert!(count::forget(of, more).unwrap());
    assert!(!count::forget(of, more).unwrap());
    assert_eq!([call(args()), call(args())], [13, 13]);
    assert_eq!([count::refresh(of, more), call(args())], [14, 14]);
    let key = count::key(of, more).unwrap();
    assert_eq!(key.digest(), count::key(of, more).unwrap().digest());
    assert_ne!(key.digest(), count::key(of + 1, more).unwrap().digest());
}

#[test]
fn a_generic_function_has_companions() {
    #[cache_value(companions = true)]
    fn width<T: Serialize + Copy, const N: usize>(of: T, by: impl Serialize + Copy) -> usize {
        (size_of_val(&of) + size_of_val(&by)) * N
    }
    assert_eq!(width::<_, 2>(1_u8, 1_u16), 6);
    assert_eq!(width::refresh::<_, 2>(1_u16, 1_u16), 8);
    assert!(width::forget::<u8, 2>(1, 1_u16).unwrap());
    assert!(!width::forget::<u32, 2>(1, 1_u16).unwrap());
}

#[test]
fn an_async_function_has_companions_in_whatever_store() {
    static WORLD: LazyLock<(Cachex, Cache)> = LazyLock::new(|| {
        let world = cachex();
        let cache = Cache::open(world.store()).unwrap();
        (world, cache)
    });
    static RUNS: AtomicU32 = AtomicU32::new(0);

    #[async_cache_value(store = WORLD.1, companions = true, name = "counted", expires_in = "1h")]
    async fn count(of: u32) -> Result<u32, std::fmt::Error> {
        if of == 0 { Err(std::fmt::Error) } else { Ok(of + next(&RUNS)) }
    }

    smol::block_on(async {
        assert_eq!([count(1).await, count(1).await], [Ok(2); 2]);
        assert_eq!([count::refresh(1).await, count(1).await], [Ok(3); 2]);
        // It lies in the folder under this key, and by the name that was given.
        let key = count::key(1).unwrap().digest().to_string();
        WORLD.0.cli(["show", &key]).once().exits(0).shows(&["counted"]);
        assert!(count::forget(1).await.unwrap());
        WORLD.0.cli(["show", &key]).once().exits(1);
        assert_eq!(count(1).await, Ok(4));
        assert!(count::refresh(0).await.is_err());
    });
}

#[test]
fn a_refresh_that_fails_leaves_what_is_recorded() {
    static RUNS: AtomicU32 = AtomicU32::new(0);

    #[cache_value(companions = true)]
    fn first() -> Result<u32, u32> {
        match next(&RUNS) {
            1 => Ok(1),
            run => Err(run),
        }
    }
    assert_eq!([first(), first::refresh(), first()], [Ok(1), Err(2), Ok(1)]);
}

#[test]
fn what_is_refreshed_is_not_replaced_by_what_was_begun_before() {
    static STEPS: LazyLock<std::sync::Barrier> = LazyLock::new(|| std::sync::Barrier::new(2));
    static RUNS: AtomicU32 = AtomicU32::new(0);

    #[cache_value(companions = true)]
    fn slow_at_first() -> u32 {
        let run = next(&RUNS);
        if run == 1 {
            STEPS.wait();
            STEPS.wait();
        }
        run
    }
    std::thread::scope(|scope| {
        let slow = scope.spawn(slow_at_first);
        STEPS.wait();
        assert_eq!(slow_at_first::refresh(), 2);
        STEPS.wait();
        assert_eq!(slow.join().unwrap(), 1);
    });
    assert_eq!(slow_at_first(), 2);
}

#[test]
fn who_refreshes_takes_nothing_that_was_begun_before() {
    static STEPS: LazyLock<std::sync::Barrier> = LazyLock::new(|| std::sync::Barrier::new(2));
    static RUNS: AtomicU32 = AtomicU32::new(0);

    #[cache_value(companions = true, allow_concurrent = false)]
    fn one_at_a_time() -> u32 {
        let run = next(&RUNS);
        if run == 1 {
            STEPS.wait();
            STEPS.wait();
        }
        run
    }
    std::thread::scope(|scope| {
        let slow = scope.spawn(one_at_a_time);
        STEPS.wait();
        let refreshed = scope.spawn(one_at_a_time::refresh);
        STEPS.wait();
        assert_eq!(slow.join().unwrap(), 1);
        assert_eq!(refreshed.join().unwrap(), 2);
    });
    assert_eq!(one_at_a_time(), 2);
}

#[derive(Serialize, Deserialize)]
struct Token {
    number: u32,
    valid_for: Option<Duration>,
}

#[test]
fn a_result_says_for_how_long_it_is_served() {
    static RUNS: AtomicU32 = AtomicU32::new(0);

    #[cache_value(expires_in = "1h", expires_by = |token| token.valid_for)]
    fn token(seconds: Option<u64>) -> Result<Token, std::fmt::Error> {
        let valid_for = seconds.map(Duration::from_secs);
        Ok(Token { number: next(&RUNS), valid_for })
    }
    let number = |seconds| token(seconds).unwrap().number;
    assert_eq!([number(Some(0)), number(Some(0))], [1, 2]);
    assert_eq!([number(Some(60)), number(Some(60))], [3, 3]);
    // What it does not say is as the options have it.
    assert_eq!([number(None), number(None)], [4, 4]);
}

#[test]
fn a_lifetime_of_one_type_is_not_taken_for_that_of_another() {
    let cache = Cache::in_memory();
    let short = cache.expires_by(|_: &u8| Duration::ZERO);
    assert!(short.put("a", cachex::Options::new(), &1_u16).unwrap_err().to_string().contains("u8"));
    short.put("a", cachex::Options::new(), &1_u8).unwrap();
    assert_eq!(cache.get::<u8>("a"), None);
    assert_eq!(cache.get::<u16>("a"), None);
}

#[test]
fn what_an_async_function_returned_is_in_the_folder() {
    static WORLD: LazyLock<(Cachex, Cache)> = LazyLock::new(|| {
        let world = cachex();
        let cache = Cache::open(world.store()).unwrap();
        (world, cache)
    });

    #[async_cache_value(store = WORLD.1)]
    async fn number(of: u32) -> u32 {
        of
    }
    assert_eq!(smol::block_on(number(1)), 1);
    assert!(!WORLD.0.stored_in("v2/young").is_empty());
}
