//! Whoever waits for a value of another is not stuck.

use crate::harness::{World, cachex};
use cachex::{Cache, Options};
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};

fn alone() -> Options {
    Options::new().allow_concurrent(false)
}

#[test]
fn two_handles_of_one_folder_compute_a_value_once() {
    let world = cachex();
    let caches = [0, 1].map(|_| Cache::open(world.store()).unwrap());
    let (runs, both) = (AtomicUsize::new(0), Barrier::new(2));
    std::thread::scope(|scope| {
        for cache in &caches {
            scope.spawn(|| {
                both.wait();
                cache.value("a", alone(), || runs.fetch_add(1, Ordering::SeqCst))
            });
        }
    });
    assert_eq!(runs.into_inner(), 1);
}

#[test]
fn a_thread_does_not_wait_for_a_task_of_its_own_by_another_handle() {
    let world = cachex();
    let (first, second) =
        (Cache::open(world.store()).unwrap(), Cache::open(world.store()).unwrap());
    let (begins, begun) = smol::channel::bounded(1);
    let (sender, receiver) = smol::channel::bounded(1);
    let slow = first.value_async("a", alone(), async || {
        begins.send(()).await.unwrap();
        receiver.recv().await.unwrap()
    });
    let quick = async {
        // The slow one's first poll may end before that: the lock is tried elsewhere.
        begun.recv().await.unwrap();
        assert_eq!(second.value("a", alone(), || 2), 2);
        sender.send(1).await.unwrap();
    };
    let (value, ()) = smol::block_on(smol::future::zip(slow, quick));
    assert_eq!(value, 1);
}

#[test]
fn a_child_that_is_forked_while_others_use_the_cache_is_not_stuck() {
    let world = cachex();
    let program = World::example("forked");
    let command = format!("exec {} {}", program.display(), world.store().display());
    world.shell(&command).once().exits(0).shows(&["10 children"]);
}

#[test]
fn two_thousand_values_in_opposite_order_by_two_processes_are_computed() {
    let world = cachex();
    let program = World::example("opposite_order");
    let call = |order: &str| {
        let command = format!("exec {} {} {order}", program.display(), world.store().display());
        world.shell(&command).spawn()
    };
    let both = ["up", "down"].map(call);
    for one in both {
        one.ends().exits(0).shows(&["2000"]);
    }
}
