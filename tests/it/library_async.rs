//! Values of futures, on the runtimes that programs use.

use crate::harness::cachex;
use cachex::{Cache, Options};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

fn alone() -> Options {
    Options::new().allow_concurrent(false)
}

/// What gives way to others while it is computed, and how often it was.
#[derive(Clone, Default)]
struct Counted(Arc<AtomicUsize>);

impl Counted {
    async fn compute(&self) -> usize {
        let run = self.0.fetch_add(1, Ordering::SeqCst);
        for _ in 0..1000 {
            smol::future::yield_now().await;
        }
        run
    }

    fn runs(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// A cache in memory, and one in a folder.
fn caches() -> (impl Sized, [Cache; 2]) {
    let world = cachex();
    let caches = [Cache::in_memory(), Cache::open(world.store()).unwrap()];
    (world, caches)
}

#[test]
fn tasks_of_tokio_get_what_one_of_them_computed() {
    let (_world, caches) = caches();
    for workers in [1, 4] {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime = builder.worker_threads(workers).enable_all().build().unwrap();
        for cache in &caches {
            let counted = Counted::default();
            let tasks: Vec<_> = (0..16)
                .map(|_| {
                    let (cache, counted) = (cache.clone(), counted.clone());
                    runtime.spawn(async move {
                        let compute = async || counted.compute().await;
                        cache.value_async(("tokio", workers), alone(), compute).await
                    })
                })
                .collect();
            let values: Vec<usize> =
                tasks.into_iter().map(|task| runtime.block_on(task).unwrap()).collect();
            assert_eq!(values, [0; 16]);
            assert_eq!(counted.runs(), 1);
        }
    }
}

#[test]
fn tasks_of_smol_get_what_one_of_them_computed() {
    let (_world, caches) = caches();
    for cache in &caches {
        let counted = Counted::default();
        let tasks: Vec<_> = (0..16)
            .map(|_| {
                let (cache, counted) = (cache.clone(), counted.clone());
                smol::spawn(async move {
                    cache.value_async("smol", alone(), async || counted.compute().await).await
                })
            })
            .collect();
        let values: Vec<usize> = tasks.into_iter().map(smol::block_on).collect();
        assert_eq!(values, [0; 16]);
        assert_eq!(counted.runs(), 1);
    }
}

#[test]
fn threads_and_tasks_wait_for_each_other() {
    let (_world, caches) = caches();
    for cache in &caches {
        let counted = Counted::default();
        let values: Vec<usize> = std::thread::scope(|scope| {
            let calls: Vec<_> = (0..8)
                .map(|n| {
                    let counted = &counted;
                    scope.spawn(move || {
                        let compute = || counted.compute();
                        if n % 2 == 0 {
                            cache.value("both", alone(), || smol::block_on(compute()))
                        } else {
                            smol::block_on(cache.value_async("both", alone(), compute))
                        }
                    })
                })
                .collect();
            calls.into_iter().map(|call| call.join().unwrap()).collect()
        });
        assert_eq!(values, [0; 8]);
        assert_eq!(counted.runs(), 1);
    }
}

#[test]
fn who_is_cancelled_makes_way_for_who_waits() {
    let (_world, caches) = caches();
    for cache in &caches {
        smol::block_on(async {
            let (started, starts) = smol::channel::bounded(1);
            let first = smol::spawn({
                let cache = cache.clone();
                async move {
                    cache
                        .value_async("cancelled", alone(), async || -> u32 {
                            started.send(()).await.unwrap();
                            std::future::pending().await
                        })
                        .await
                }
            });
            starts.recv().await.unwrap();
            let second = smol::spawn({
                let cache = cache.clone();
                async move { cache.value_async("cancelled", alone(), async || 2).await }
            });
            first.cancel().await;
            assert_eq!(second.await, 2);
        });
    }
}

#[test]
fn two_caches_of_one_folder_wait_for_each_other() {
    let world = cachex();
    let counted = Counted::default();
    let values: Vec<usize> = std::thread::scope(|scope| {
        let calls: Vec<_> = (0..4)
            .map(|_| {
                let cache = Cache::open(world.store()).unwrap();
                let counted = &counted;
                scope.spawn(move || {
                    cache.value("folder", alone(), || smol::block_on(counted.compute()))
                })
            })
            .collect();
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    });
    assert_eq!(values, [0; 4]);
    assert_eq!(counted.runs(), 1);
}

#[test]
fn an_err_of_a_future_is_returned_and_not_recorded() {
    let (_world, caches) = caches();
    for cache in &caches {
        for (key, options) in [("any", Options::new()), ("alone", alone())] {
            smol::block_on(async {
                let fails = async || Err::<u8, _>(std::fmt::Error);
                assert!(cache.try_value_async(key, options, fails).await.is_err());
                let works = async || Ok::<u8, std::fmt::Error>(1);
                assert_eq!(cache.try_value_async(key, options, works).await, Ok(1));
                assert_eq!(cache.try_value_async(key, options, fails).await, Ok(1));
            });
        }
    }
}
