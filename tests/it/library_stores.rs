//! Stores that programs bring themselves, whose calls are futures.

use cachex::{AsyncStorage, Cache, Failure, Key, Options, Record, ValueKey};
use smol::lock::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A server, each call of which takes a while; whether it is asked by a runtime's tasks.
#[derive(Clone, Default)]
struct Server {
    records: Arc<Mutex<HashMap<Key, Arc<Record>>>>,
    calls: Arc<AtomicUsize>,
    needs_tokio: bool,
    fails: bool,
}

impl Server {
    async fn called(&self) -> Result<(), Failure> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        if self.needs_tokio {
            tokio::time::sleep(std::time::Duration::from_micros(10)).await;
        } else {
            smol::Timer::after(std::time::Duration::from_micros(10)).await;
        }
        if self.fails { Err("it is down".into()) } else { Ok(()) }
    }
}

impl AsyncStorage for Server {
    async fn get(&self, key: &ValueKey) -> Result<Option<Arc<Record>>, Failure> {
        self.called().await?;
        Ok(self.records.lock().await.get(&key.digest()).cloned())
    }

    async fn put(&self, key: &ValueKey, record: &Arc<Record>) -> Result<(), Failure> {
        self.called().await?;
        self.records.lock().await.insert(key.digest(), record.clone());
        Ok(())
    }

    async fn remove(&self, key: &ValueKey) -> Result<bool, Failure> {
        self.called().await?;
        Ok(self.records.lock().await.remove(&key.digest()).is_some())
    }

    async fn clear(&self) -> Result<(), Failure> {
        self.called().await?;
        self.records.lock().await.clear();
        Ok(())
    }
}

fn over(server: &Server) -> Cache {
    Cache::builder().async_store(server.clone()).open().unwrap()
}

#[test]
fn tasks_await_it_on_their_own_runtime() {
    let server = Server { needs_tokio: true, ..Server::default() };
    let cache = over(&server);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        for options in [Options::new(), Options::new().allow_concurrent(false)] {
            assert_eq!(cache.value_async("a", options, async || 1).await, 1);
            assert_eq!(cache.value_async("a", options, async || 2).await, 1);
            assert_eq!(cache.get_async::<i32>("a").await, Some(1));
            cache.put_async("a", options, &3).await.unwrap();
            assert_eq!(cache.get_async::<i32>("a").await, Some(3));
            assert!(cache.remove_async::<i32>("a").await.unwrap());
            assert!(!cache.remove_async::<i32>("a").await.unwrap());
            cache.put_async("b", options, &vec![7_u8; 100_000]).await.unwrap();
            assert_eq!(cache.get_async::<Vec<u8>>("b").await.unwrap().len(), 100_000);
            cache.clear_async().await.unwrap();
            assert_eq!(cache.get_async::<Vec<u8>>("b").await, None);
        }
    });
}

#[test]
fn who_is_not_asynchronous_waits_for_it() {
    let cache = over(&Server::default());
    assert_eq!(cache.value("a", Options::new(), || 1), 1);
    assert_eq!(cache.value("a", Options::new().allow_concurrent(false), || 2), 1);
    assert_eq!(smol::block_on(cache.get_async::<i32>("a")), Some(1));
    assert!(cache.remove::<i32>("a").unwrap());
    cache.put("a", Options::new(), &2).unwrap();
    cache.clear().unwrap();
    assert_eq!(cache.get::<i32>("a"), None);
}

#[test]
fn what_it_has_is_in_the_stores_before_it() {
    let server = Server::default();
    over(&server).put("a", Options::new(), &1).unwrap();
    let both = Cache::builder().memory(1 << 20).async_store(server.clone()).open().unwrap();
    assert_eq!(smol::block_on(both.get_async::<i32>("a")), Some(1));
    let calls = server.calls.load(Ordering::SeqCst);
    assert_eq!(smol::block_on(both.get_async::<i32>("a")), Some(1));
    assert_eq!(both.get::<i32>("a"), Some(1));
    assert_eq!(server.calls.load(Ordering::SeqCst), calls);
}

#[test]
fn one_that_fails_keeps_nothing_from_being_computed() {
    let cache = over(&Server { fails: true, ..Server::default() });
    smol::block_on(async {
        for options in [Options::new(), Options::new().allow_concurrent(false)] {
            assert_eq!(cache.value_async("a", options, async || 1).await, 1);
            assert_eq!(cache.value_async("a", options, async || 2).await, 2);
        }
        assert!(cache.put_async("a", Options::new(), &1).await.is_err());
        assert!(cache.remove_async::<i32>("a").await.is_err());
        assert!(cache.clear_async().await.is_err());
    });
    assert_eq!(cache.value("a", Options::new(), || 3), 3);
    assert_eq!(cache.counters().not_recorded, 5);
}

#[test]
fn its_futures_can_be_sent_between_threads() {
    fn sent<F: Future + Send>(future: F) -> F {
        future
    }
    let cache = over(&Server::default());
    assert_eq!(smol::block_on(sent(cache.value_async("a", Options::new(), async || 1))), 1);
}
