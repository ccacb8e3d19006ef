//! With `allow_concurrent = false` one call computes, and those that come meanwhile wait
//! for it and get the same.
//!
//!     cargo run --example one_at_a_time

use cachex::{async_cache_value, cache_value};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::Duration;

const CALLS: usize = 4;
static TICKETS: AtomicU32 = AtomicU32::new(1);

#[cache_value(allow_concurrent = false)]
fn ticket() -> u32 {
    sleep(Duration::from_millis(100));
    TICKETS.fetch_add(1, Ordering::SeqCst)
}

#[async_cache_value(allow_concurrent = false)]
async fn ticket_async() -> u32 {
    smol::Timer::after(Duration::from_millis(100)).await;
    TICKETS.fetch_add(1, Ordering::SeqCst)
}

fn main() {
    let tickets: Vec<u32> = std::thread::scope(|scope| {
        let calls: Vec<_> = (0..CALLS).map(|_| scope.spawn(ticket)).collect();
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    });
    println!("threads: {tickets:?}");
    assert_eq!(tickets, [1; CALLS]);

    let tickets: Vec<u32> = smol::block_on(async {
        let calls: Vec<_> = (0..CALLS).map(|_| smol::spawn(ticket_async())).collect();
        let mut tickets = Vec::new();
        for call in calls {
            tickets.push(call.await);
        }
        tickets
    });
    println!("tasks: {tickets:?}");
    assert_eq!(tickets, [2; CALLS]);
}
