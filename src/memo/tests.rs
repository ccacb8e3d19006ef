//! The loop of a cache, over stores that are watched.

mod later;

use super::flight;
use super::*;
use cachex_base::record::key::Key;
use cachex_base::system::clock::Timestamp;
use serde::Deserialize;
use std::cell::Cell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Barrier, Mutex};
use std::time::Duration;

/// A store that fails when it is told to.
#[derive(Default)]
struct Map {
    records: Mutex<HashMap<Key, Arc<Record>>>,
    fails: bool,
}

impl Map {
    fn failing() -> Map {
        Map { fails: true, ..Map::default() }
    }

    fn check(&self) -> Result<(), Failure> {
        if self.fails { Err("it is on fire".into()) } else { Ok(()) }
    }
}

impl Storage for Arc<Map> {
    fn get(&self, key: &ValueKey) -> Result<Option<Arc<Record>>, Failure> {
        self.check()?;
        Ok(self.records.lock().unwrap().get(&key.digest()).cloned())
    }

    fn put(&self, key: &ValueKey, record: &Arc<Record>) -> Result<(), Failure> {
        self.check()?;
        self.records.lock().unwrap().insert(key.digest(), record.clone());
        Ok(())
    }

    fn remove(&self, key: &ValueKey) -> Result<bool, Failure> {
        self.check()?;
        Ok(self.records.lock().unwrap().remove(&key.digest()).is_some())
    }

    fn clear(&self) -> Result<(), Failure> {
        self.check()?;
        self.records.lock().unwrap().clear();
        Ok(())
    }
}

/// A cache over such stores.
fn over(maps: &[&Arc<Map>]) -> Cache {
    let stores = maps.iter().map(|map| Box::new(Arc::clone(map)) as Box<dyn Storage>);
    Cache::of(stores.collect(), RunOptions::new())
}

fn alone() -> Options {
    Options::new().allow_concurrent(false)
}

/// Returns two results of `compute`, and how often it ran.
fn twice<T>(cache: &Cache, options: Options, compute: impl Fn() -> T) -> ([T; 2], usize)
where
    T: Value,
{
    let runs = Cell::new(0);
    let call = || {
        cache.value("twice", options, || {
            runs.set(runs.get() + 1);
            compute()
        })
    };
    ([call(), call()], runs.get())
}

#[test]
fn any_value_is_computed_once() {
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    enum Shape {
        Point,
        Line { from: (i32, i32), to: Option<Box<Shape>> },
    }
    let line = Shape::Line { from: (1, -2), to: Some(Box::new(Shape::Point)) };
    let cache = Cache::in_memory();
    for options in [Options::new(), alone()] {
        cache.clear().unwrap();
        assert_eq!(twice(&cache, options, || line.clone()), ([line.clone(), line.clone()], 1));
        assert_eq!(twice(&cache, options, || ()), ([(), ()], 1));
        assert_eq!(twice(&cache, options, || None::<u8>), ([None, None], 1));
        let map = HashMap::from([("a".to_owned(), vec![1.5_f64])]);
        assert_eq!(twice(&cache, options, || map.clone()), ([map.clone(), map.clone()], 1));
        let ok = Ok::<_, String>(7);
        assert_eq!(twice(&cache, options, || ok.clone()), ([ok.clone(), ok.clone()], 1));
    }
}

#[test]
fn an_err_is_returned_and_not_recorded() {
    let cache = Cache::in_memory();
    for options in [Options::new(), alone()] {
        let err = Err::<u8, _>("why".to_owned());
        assert_eq!(twice(&cache, options, || err.clone()), ([err.clone(), err.clone()], 2));
        let failing = || cache.try_value("try", options, || Err::<u8, _>(std::fmt::Error));
        assert!(failing().is_err() && failing().is_err());
        assert_eq!(cache.try_value("try", options, || Ok::<_, ()>(1_u8)), Ok(1));
        assert_eq!(cache.try_value("try", options, || Err::<u8, _>(())), Ok(1));
        cache.put("put", options, &err).unwrap();
        assert_eq!(cache.get::<Result<u8, String>>("put"), None);
        cache.clear().unwrap();
    }
}

#[test]
fn each_hit_is_a_copy_of_its_own() {
    let cache = Cache::in_memory();
    let list = || cache.value("list", Options::new(), || vec![1, 2]);
    list().push(3);
    let mut second = list();
    second.clear();
    assert_eq!(list(), [1, 2]);
}

#[test]
fn key_and_type_tell_values_apart() {
    let cache = Cache::in_memory();
    assert_eq!(cache.value(("a", 1), Options::new(), || 1_u8), 1);
    assert_eq!(cache.value(("a", 2), Options::new(), || 2_u8), 2);
    assert_eq!(cache.value(("a", 1), Options::new(), || 3_u16), 3);
    assert_eq!(cache.value(("a", 1), Options::new(), || 4_u8), 1);
    assert_eq!(cache.get::<u16>(("a", 1)), Some(3));
    assert_eq!(cache.get::<u32>(("a", 1)), None);
}

#[test]
fn values_are_put_got_and_removed() {
    let cache = Cache::in_memory();
    assert_eq!(cache.get::<String>("name"), None);
    cache.put("name", Options::new(), &"first".to_owned()).unwrap();
    cache.put("name", Options::new(), &"second".to_owned()).unwrap();
    assert_eq!(cache.get::<String>("name").as_deref(), Some("second"));
    assert!(cache.remove::<String>("name").unwrap());
    assert!(!cache.remove::<String>("name").unwrap());
    assert_eq!(cache.get::<String>("name"), None);
}

#[test]
fn clones_are_of_one_cache() {
    let cache = Cache::in_memory();
    cache.clone().put("a", Options::new(), &1).unwrap();
    assert_eq!(cache.get::<i32>("a"), Some(1));
}

#[test]
fn the_deadline_is_fixed_when_a_value_is_recorded() {
    let map = Arc::new(Map::default());
    let cache = over(&[&map]);
    cache.put("a", Options::new().expires_in(60).unwrap(), &1).unwrap();
    let record = || map.records.lock().unwrap().values().next().unwrap().clone();
    let recorded = record();
    assert_eq!(recorded.expires, Some(recorded.created.plus(Duration::from_mins(1))));
    cache.value("a", Options::new().expires_in("1h").unwrap(), || 2);
    assert_eq!(record(), recorded);
}

#[test]
fn what_expired_is_computed_again_by_any_store() {
    let map = Arc::new(Map::default());
    let cache = over(&[&map]);
    cache.put("a", Options::new().expires_in(60).unwrap(), &1).unwrap();
    for record in map.records.lock().unwrap().values_mut() {
        let expires = Some(record.created);
        Arc::make_mut(record).expires = expires;
    }
    assert_eq!(cache.get::<i32>("a"), None);
    assert_eq!(cache.value("a", Options::new(), || 2), 2);
    assert_eq!(cache.get::<i32>("a"), Some(2));
}

#[test]
fn what_expired_in_memory_is_computed_again() {
    let cache = Cache::in_memory();
    let record = |expires| {
        let (created, took) = (Timestamp(1), Duration::ZERO);
        let value = codec::encode(&1).unwrap();
        let (name, tags) = ("".into(), Vec::new());
        Arc::new(Record { value, created, expires, stale_for: None, took, name, tags })
    };
    let key = Parts::of("a").unwrap().key::<i32>().clone();
    for (expires, found) in [(None, Some(1)), (Some(Timestamp(2)), None)] {
        cache.inner.stores[0].put(&key, &record(expires)).unwrap();
        assert_eq!(cache.get::<i32>("a"), found);
    }
    let options = Options::new().expires_in(60).unwrap();
    assert_eq!(cache.value("a", options, || 3), 3);
    assert_eq!(cache.get::<i32>("a"), Some(3));
}

#[test]
fn a_record_from_the_future_is_not_served() {
    let map = Arc::new(Map::default());
    let cache = over(&[&map]);
    cache.put("a", Options::new().expires_in(60).unwrap(), &1).unwrap();
    for record in map.records.lock().unwrap().values_mut() {
        let created = record.created.plus(Duration::from_secs(30));
        Arc::make_mut(record).created = created;
    }
    assert_eq!(cache.get::<i32>("a"), None);
}

#[test]
fn what_cannot_be_decoded_is_a_miss() {
    let map = Arc::new(Map::default());
    let cache = over(&[&map]);
    for damage in
        [&[][..], &[255; 40], &[3, b'a', b'b', b'c', b'd', 1], &[253, 255, 255, 255, 255, 1]]
    {
        cache.put("a", Options::new(), &"abc".to_owned()).unwrap();
        for record in map.records.lock().unwrap().values_mut() {
            Arc::make_mut(record).value = damage.into();
        }
        assert_eq!(cache.get::<String>("a"), None, "{damage:?}");
        assert_eq!(cache.value("a", Options::new(), || "new".to_owned()), "new");
        assert_eq!(cache.get::<String>("a").as_deref(), Some("new"));
    }
}

#[test]
fn what_is_found_below_is_above_from_then_on() {
    let (upper, lower) = (Arc::new(Map::default()), Arc::new(Map::default()));
    over(&[&lower]).put("a", Options::new(), &1).unwrap();
    assert_eq!(over(&[&upper, &lower]).value("a", Options::new(), || 2), 1);
    assert_eq!(over(&[&upper]).get::<i32>("a"), Some(1));
    over(&[&upper, &lower]).remove::<i32>("a").unwrap();
    assert!([&upper, &lower].iter().all(|map| map.records.lock().unwrap().is_empty()));
}

#[test]
fn a_store_that_fails_keeps_nothing_from_being_computed() {
    let (failing, whole) = (Arc::new(Map::failing()), Arc::new(Map::default()));
    for options in [Options::new(), alone()] {
        let cache = over(&[&failing]);
        assert_eq!(twice(&cache, options, || 1), ([1, 1], 2));
        assert!(matches!(cache.put("a", options, &1), Err(Error::Storage(_))));
        assert!(cache.clear().is_err() && cache.remove::<i32>("a").is_err());
        // The failing store may hold something newer than the one below.
        let cache = over(&[&failing, &whole]);
        assert_eq!(twice(&cache, options, || 1), ([1, 1], 2));
    }
}

#[test]
fn what_cannot_be_serialized_is_computed_each_time() {
    #[derive(Debug, Deserialize)]
    struct Not;
    impl Serialize for Not {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("it is a socket"))
        }
    }
    let cache = Cache::in_memory();
    for options in [Options::new(), alone()] {
        assert_eq!(twice(&cache, options, || Not).1, 2);
        assert_eq!(cache.value(Not, options, || 1), 1);
        assert_eq!(cache.value(Not, options, || 2), 2);
        for error in [cache.put("a", options, &Not), cache.put(Not, options, &1)] {
            assert!(error.unwrap_err().to_string().contains("it is a socket"));
        }
    }
}

#[test]
fn spans_that_are_none_are_errors() {
    for bad in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e30] {
        assert!(Options::new().expires_in(bad).is_err(), "{bad}");
    }
    assert!(Options::new().expires_in(0).is_err());
    assert!(Options::new().expires_in(-1_i64).is_err());
    for bad in ["", "2", "-2s", "0s", "soon"] {
        let why = Options::new().expires_in(bad).unwrap_err().to_string();
        assert!(why.starts_with("a value cannot expire in "), "{why}");
    }
    let half = Options::new().expires_in(0.5).unwrap();
    assert_eq!(half, Options::new().expires_in("500ms").unwrap());
}

/// Returns how many threads, which all call at the same time, computed a value, and whether all of
/// them got the same one.
fn at_once(cache: &Cache, options: Options) -> (usize, bool) {
    const THREADS: usize = 8;
    let (barrier, runs) = (Barrier::new(THREADS), AtomicUsize::new(0));
    let call = || {
        barrier.wait();
        cache.value("at once", options, || {
            let run = runs.fetch_add(1, Ordering::SeqCst);
            if options.allow_concurrent {
                // Until all of them are here.
                barrier.wait();
            }
            run
        })
    };
    let values = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(call)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    (runs.into_inner(), values.iter().all(|value| *value == values[0]))
}

#[test]
fn many_compute_at_the_same_time_unless_it_is_forbidden() {
    assert_eq!(at_once(&Cache::in_memory(), Options::new()), (8, false));
    assert_eq!(at_once(&Cache::in_memory(), alone()), (1, true));
}

#[test]
fn those_who_wait_get_the_same_though_no_store_keeps_it() {
    let cache = over(&[&Arc::new(Map::failing())]);
    let runs = AtomicUsize::new(0);
    let call = || {
        cache.value("a", alone(), || {
            while flight::seats(&cache.inner.domain) < 8 {
                std::thread::yield_now();
            }
            runs.fetch_add(1, Ordering::SeqCst)
        })
    };
    std::thread::scope(|scope| {
        let calls: Vec<_> = (0..8).map(|_| scope.spawn(call)).collect();
        assert!(calls.into_iter().all(|call| call.join().unwrap() == 0));
    });
    assert_eq!(runs.into_inner(), 1);
}

#[test]
fn a_panic_makes_way_for_the_next() {
    let cache = Cache::in_memory();
    let panicking = std::panic::AssertUnwindSafe(|| {
        cache.value("a", alone(), || -> i32 { std::panic::panic_any("within a value") })
    });
    assert!(std::panic::catch_unwind(panicking).is_err());
    assert!(flight::is_idle(&cache.inner.domain));
    assert_eq!(cache.value("a", alone(), || 2), 2);
}

#[test]
fn a_future_that_is_dropped_makes_way_for_the_next() {
    smol::block_on(async {
        let cache = Cache::in_memory();
        let never =
            cache.value_async("a", alone(), async || -> i32 { std::future::pending().await });
        assert_eq!(smol::future::poll_once(never).await, None);
        assert!(flight::is_idle(&cache.inner.domain));
        assert_eq!(cache.value_async("a", alone(), async || 2).await, 2);
    });
}

#[test]
fn futures_can_be_sent_between_threads() {
    fn sent<F: Future + Send>(future: F) -> F {
        future
    }
    fn shared<T: Send + Sync + Clone + 'static>(_: &T) {}
    let cache = Cache::in_memory();
    let text = String::from("a");
    let value = smol::block_on(sent(cache.value_async(&text, alone(), async || text.len())));
    assert_eq!(value, 1);
    shared(&cache);
}
