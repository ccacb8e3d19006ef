//! What a process shares without a copy.

use cachex::{Cache, Event, Mode, Options, cache_reference};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::time::Duration;

/// Neither copied nor serialized.
#[derive(Debug)]
struct Pool(usize);

/// Counts how many there were.
#[derive(Default)]
struct Pools(AtomicUsize);

impl Pools {
    fn open(&self) -> Arc<Pool> {
        Arc::new(Pool(self.0.fetch_add(1, Ordering::SeqCst)))
    }
}

fn alone() -> Options {
    Options::new().allow_concurrent(false)
}

#[test]
fn all_callers_have_the_same() {
    #[cache_reference(expires_in = "1h")]
    fn pool(of: &str) -> Arc<Pool> {
        Arc::new(Pool(of.len()))
    }
    #[cache_reference(allow_concurrent = false)]
    async fn opened(of: &str) -> Result<Arc<Pool>, std::fmt::Error> {
        if of.is_empty() { Err(std::fmt::Error) } else { Ok(Arc::new(Pool(of.len()))) }
    }
    assert!(Arc::ptr_eq(&pool("a"), &pool("a")));
    assert!(!Arc::ptr_eq(&pool("a"), &pool("b")));
    smol::block_on(async {
        assert!(opened("").await.is_err());
        let (first, second) = (opened("a").await.unwrap(), opened("a").await.unwrap());
        assert!(Arc::ptr_eq(&first, &second));
    });
}

#[test]
fn one_at_a_time_computes_what_all_have() {
    let (cache, pools, barrier) = (Cache::in_memory(), Pools::default(), Barrier::new(8));
    let call = || {
        barrier.wait();
        cache.reference("pool", alone(), || pools.open())
    };
    std::thread::scope(|scope| {
        let calls: Vec<_> = (0..8).map(|_| scope.spawn(call)).collect();
        assert!(calls.into_iter().all(|call| call.join().unwrap().0 == 0));
    });
    let task = async || cache.reference_async("pool", alone(), async || pools.open()).await;
    assert_eq!(smol::block_on(task()).0, 0);
    assert_eq!(pools.0.into_inner(), 1);
}

#[test]
fn options_are_as_with_values() {
    let (cache, pools) = (Cache::in_memory(), Pools::default());
    let get = |options| cache.reference("pool", options, || pools.open()).0;
    let gone = Options::new().expires_in(Duration::ZERO);
    assert_eq!([get(gone), get(gone)], [0, 1]);
    assert_eq!([get(Options::new()), get(Options::new())], [2, 2]);
    assert_eq!([get(Options::new().mode(Mode::Off)), get(Options::new())], [3, 2]);
    assert_eq!([get(Options::new().mode(Mode::WriteOnly)), get(Options::new())], [4, 4]);
    assert_eq!(get(Options::new().refresh_after(Duration::ZERO)), 5);
    let stale = gone.stale_if_error(Duration::from_mins(1));
    cache.clear().unwrap();
    assert_eq!(get(stale), 6);
    let failed = cache.try_reference("pool", stale, || Err::<Arc<Pool>, _>(()));
    assert_eq!(failed.unwrap().0, 6);
    assert_eq!(get(stale), 7);
}

#[test]
fn they_are_removed_as_values_are() {
    let (cache, pools) = (Cache::in_memory(), Pools::default());
    let get = || cache.reference(("pool", 1), Options::new().tag("pools"), || pools.open()).0;
    assert_eq!(get(), 0);
    assert!(cache.remove_reference::<Arc<Pool>>(("pool", 1)).unwrap());
    assert!(!cache.remove_reference::<Arc<Pool>>(("pool", 1)).unwrap());
    assert_eq!(get(), 1);
    assert_eq!(cache.remove_tagged("pools").unwrap(), 1);
    assert_eq!(get(), 2);
    assert_eq!(cache.remove_prefix(("pool",)).unwrap(), 1);
    assert_eq!(get(), 3);
    cache.clear().unwrap();
    assert_eq!(get(), 4);
    // One that is removed while it is made is not kept.
    let within = cache.reference("within", Options::new(), || {
        cache.remove_reference::<Arc<Pool>>("within").unwrap();
        pools.open()
    });
    let again = cache.reference("within", Options::new(), || pools.open());
    assert!(!Arc::ptr_eq(&within, &again));
}

#[test]
fn a_value_and_a_reference_of_one_key_and_type_are_two() {
    let cache = Cache::in_memory();
    assert_eq!(cache.value("a", alone(), || 1), 1);
    assert_eq!(cache.reference("a", alone(), || 2), 2);
    assert_eq!((cache.get::<i32>("a"), cache.reference("a", alone(), || 3)), (Some(1), 2));
}

#[test]
fn there_are_bounds_and_what_is_dropped_is_told() {
    let told = Arc::new(AtomicUsize::new(0));
    let hook = told.clone();
    let cache = Cache::builder().memory(1 << 20).on_event(move |event| {
        if let Event::Evicted { name: "pool" } = event {
            hook.fetch_add(1, Ordering::SeqCst);
        }
    });
    let cache = cache.open().unwrap();
    for n in 0..5000 {
        cache.reference(n, Options::new().name("pool"), || Arc::new(Pool(n)));
    }
    assert!(told.load(Ordering::SeqCst) > 500);
    assert_eq!(cache.counters().evicted as usize, told.load(Ordering::SeqCst));
}

#[test]
fn what_is_dropped_may_use_the_cache() {
    struct Caller(Cache, Arc<Mutex<u32>>);

    impl Drop for Caller {
        fn drop(&mut self) {
            *self.1.lock().unwrap() += 1;
            self.0.reference("another", Options::new(), || Arc::new(Pool(0)));
            self.0.remove_reference::<Arc<Pool>>("another").unwrap();
        }
    }

    let (cache, drops) = (Cache::in_memory(), Arc::new(Mutex::new(0)));
    let keep = |options| {
        drop(cache.reference("a", options, || Arc::new(Caller(cache.clone(), drops.clone()))));
    };
    keep(Options::new());
    keep(Options::new().mode(Mode::WriteOnly));
    assert_eq!(*drops.lock().unwrap(), 1);
    keep(Options::new());
    cache.clear().unwrap();
    assert_eq!(*drops.lock().unwrap(), 2);
}
