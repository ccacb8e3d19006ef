//! Waiting for others, and what becomes of a record later.

use super::*;

#[test]
fn a_value_that_needs_itself_is_computed_within() {
    fn factorial(cache: &Cache, n: u64) -> u64 {
        // Each level of the recursion uses the same key.
        let compute = || if n == 0 { 1 } else { n * factorial(cache, n - 1) };
        cache.value("factorial", alone(), compute)
    }
    assert_eq!(factorial(&Cache::in_memory(), 5), 120);
    smol::block_on(async {
        let cache = Cache::in_memory();
        let inner = async || cache.value_async("a", alone(), async || 1).await + 1;
        assert_eq!(cache.value_async("a", alone(), inner).await, 2);
    });
}

#[test]
fn values_that_need_each_other_are_computed() {
    let (cache, barrier) = (Cache::in_memory(), Barrier::new(2));
    let call = |first: &'static str, second: &'static str| {
        cache.value(first, alone(), || {
            barrier.wait();
            cache.value(second, alone(), || 1) + 1
        })
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(|| call("a", "b"));
        let mine = call("b", "a");
        let mut both = [mine, other.join().unwrap()];
        both.sort_unstable();
        assert!(both == [2, 2] || both == [2, 3], "{both:?}");
    });
}

#[test]
fn tasks_that_need_each_other_are_computed() {
    let cache = Cache::in_memory();
    let call = async |first: &'static str, second: &'static str| {
        let compute = async || {
            smol::future::yield_now().await;
            cache.value_async(second, alone(), async || 1).await + 1
        };
        cache.value_async(first, alone(), compute).await
    };
    let (a, b) = smol::block_on(smol::future::zip(call("a", "b"), call("b", "a")));
    assert!(a >= 2 && b >= 2, "{a} {b}");
}

#[test]
fn a_thread_does_not_wait_for_a_task_of_its_own() {
    let cache = Cache::in_memory();
    let (sender, receiver) = smol::channel::bounded(1);
    let slow = cache.value_async("a", alone(), async || receiver.recv().await.unwrap());
    let quick = async {
        // This blocks the thread that the other one needs.
        assert_eq!(cache.value("a", alone(), || 2), 2);
        sender.send(1).await.unwrap();
    };
    let (value, ()) = smol::block_on(smol::future::zip(slow, quick));
    assert_eq!(value, 1);
}

#[test]
fn who_waits_too_long_computes_too() {
    let (cache, barrier) = (Cache::in_memory(), Barrier::new(2));
    let soon = alone().lock_timeout(Duration::from_millis(20));
    std::thread::scope(|scope| {
        let slow = scope.spawn(|| {
            cache.value("a", alone(), || {
                barrier.wait();
                barrier.wait();
                1
            })
        });
        barrier.wait();
        assert_eq!(cache.value("a", soon, || 2), 2);
        assert_eq!(smol::block_on(cache.value_async("a", soon, async || 3)), 2);
        barrier.wait();
        assert_eq!(slow.join().unwrap(), 1);
    });
    assert!(flight::is_idle(&cache.inner.domain));
}

#[test]
fn an_err_that_can_be_serialized_is_shared_by_those_who_wait() {
    let (cache, runs) = (Cache::in_memory(), AtomicUsize::new(0));
    let call = || {
        cache.value("a", alone(), || {
            while flight::seats(&cache.inner.domain) < 4 {
                std::thread::yield_now();
            }
            runs.fetch_add(1, Ordering::SeqCst);
            Err::<u8, _>(String::from("why"))
        })
    };
    std::thread::scope(|scope| {
        let calls: Vec<_> = (0..4).map(|_| scope.spawn(call)).collect();
        assert!(calls.into_iter().all(|call| call.join().unwrap() == Err("why".into())));
    });
    assert_eq!(runs.into_inner(), 1);
    assert_eq!(cache.get::<Result<u8, String>>("a"), None);
}

#[test]
fn what_is_removed_while_it_is_computed_stays_removed() {
    let map = Arc::new(Map::default());
    for options in [Options::new(), alone()] {
        for cache in [Cache::in_memory(), over(&[&map])] {
            let computed = cache.value("a", options, || {
                assert!(!cache.remove::<i32>("a").unwrap());
                1
            });
            assert_eq!((computed, cache.get::<i32>("a")), (1, None));
            cache.value("a", options, || cache.clear().map_or(0, |()| 1));
            assert_eq!(cache.get::<i32>("a"), None);
            smol::block_on(cache.value_async("a", options, async || {
                cache.remove_async::<i32>("a").await.unwrap();
                1
            }));
            assert_eq!(cache.get::<i32>("a"), None);
            assert_eq!(cache.value("a", options, || 2), 2);
            assert_eq!(cache.get::<i32>("a"), Some(2));
            cache.clear().unwrap();
        }
    }
}

#[test]
fn an_err_is_kept_for_as_long_as_was_said() {
    let cache = Cache::in_memory();
    let options = Options::new().failure_expires_in(Duration::from_mins(1));
    let err = Err::<u8, _>(String::from("why"));
    assert_eq!(twice(&cache, options, || err.clone()), ([err.clone(), err.clone()], 1));
    let gone = Options::new().failure_expires_in(Duration::ZERO);
    cache.clear().unwrap();
    assert_eq!(twice(&cache, gone, || err.clone()).1, 2);
}

#[test]
fn an_old_value_stands_in_for_an_err() {
    let cache = Cache::in_memory();
    let options = Options::new().expires_in(Duration::ZERO);
    let stale = options.stale_if_error(Duration::from_mins(1));
    assert_eq!(cache.value("a", stale, || Ok::<_, String>(1)), Ok(1));
    assert_eq!(cache.get::<Result<i32, String>>("a"), None);
    assert_eq!(cache.value("a", stale, || Err::<i32, _>(String::from("why"))), Ok(1));
    assert_eq!(cache.value("a", options, || Err::<i32, _>(String::from("why"))).ok(), None);
    cache.try_value("b", stale, || Ok::<_, ()>(1)).unwrap();
    assert_eq!(cache.try_value("b", stale, || Err::<i32, _>(())), Ok(1));
    let fails = async || Err::<i32, _>(());
    assert_eq!(smol::block_on(cache.try_value_async("b", stale, fails)), Ok(1));
}

#[test]
fn a_value_is_refreshed_before_it_expires() {
    let cache = Cache::in_memory();
    let options = Options::new().refresh_after(Duration::ZERO);
    assert_eq!(cache.value("a", options, || 1), 1);
    assert_eq!(cache.value("a", options, || 2), 2);
    let failing = cache.try_value("a", options, || Err::<i32, _>(()));
    assert_eq!(failing, Ok(2));
    // While one computes it the others are served the old one.
    let within = cache.value("a", options, || {
        assert_eq!(cache.value("a", options, || 4), 2);
        3
    });
    assert_eq!((within, cache.get::<i32>("a")), (3, Some(3)));
    assert_eq!(smol::block_on(cache.value_async("a", options, async || 5)), 5);
}

#[test]
fn modes_say_what_is_done_with_a_record() {
    let cache = Cache::in_memory();
    let with = |mode| Options::new().mode(mode);
    cache.value("a", with(Mode::ReadOnly), || 1);
    assert_eq!(cache.get::<i32>("a"), None);
    cache.value("a", with(Mode::WriteOnly), || 2);
    assert_eq!(cache.value("a", with(Mode::ReadOnly), || 3), 2);
    assert_eq!(cache.value("a", with(Mode::WriteOnly), || 4), 4);
    assert_eq!(cache.value("a", with(Mode::Off), || 5), 5);
    assert_eq!(cache.get::<i32>("a"), Some(4));
}

#[test]
fn values_are_removed_by_tag_by_prefix_and_by_choice() {
    let cache = Cache::in_memory();
    let fill = || {
        let tagged = cache.tagged(["a", "b"]);
        tagged.put(("user", 1, "name"), Options::new(), &1).unwrap();
        cache.put(("user", 1), Options::new().tag("b").name("pair"), &2).unwrap();
        cache.put(("user", 2), Options::new(), &3).unwrap();
    };
    fill();
    assert_eq!(cache.remove_tagged("b").unwrap(), 2);
    assert_eq!(cache.get::<i32>(("user", 2)), Some(3));
    fill();
    assert_eq!(cache.remove_prefix(("user", 1)).unwrap(), 2);
    assert_eq!(cache.get::<i32>(("user", 2)), Some(3));
    fill();
    assert_eq!(cache.remove_prefix(("user",)).unwrap(), 3);
    fill();
    assert_eq!(cache.remove_if(|stored| stored.name == "pair").unwrap(), 1);
    assert_eq!(cache.get::<i32>(("user", 1)), None);
    assert!(over(&[&Arc::new(Map::default())]).remove_tagged("a").is_err());
}

#[test]
fn what_happens_is_counted_and_told() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let hook = told.clone();
    let builder = Cache::builder().memory(1 << 16);
    let builder = builder.on_event(move |event| hook.lock().unwrap().push(format!("{event:?}")));
    let cache = builder.open().unwrap();
    let named = Options::new().name("named");
    cache.value("a", named, || 1);
    cache.value("a", named, || 2);
    cache.remove::<i32>("a").unwrap();
    cache.value("long", named, || vec![0_u8; 1 << 16]);
    for n in 0..1000 {
        cache.value(n, named, || n);
    }
    let counters = cache.counters();
    assert_eq!((counters.hits, counters.misses, counters.removed), (1, 1002, 1));
    assert_eq!((counters.recorded, counters.not_recorded), (1001, 1));
    assert!(counters.evicted > 500, "{counters:?}");
    let told = told.lock().unwrap();
    assert!(told[0].contains("Miss") && told[0].contains("named"), "{}", told[0]);
    let refused = told.iter().find(|event| event.contains("NotRecorded")).unwrap();
    assert!(refused.contains("65536") || refused.contains("limit"), "{refused}");
    assert_eq!(told.len() as u64, 1 + 1002 + 1 + 1001 + 1 + counters.evicted);
}
