//! Calls that find nothing recorded compute at the same time, unless that is forbidden:
//! each has a result of its own, and the last one is recorded.
//!
//!     cargo run --example concurrent_calls

use cachex::{async_cache_value, cache_value};
use std::collections::HashSet;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU32, Ordering};

const CALLS: usize = 4;
static TICKETS: AtomicU32 = AtomicU32::new(1);

#[cache_value]
fn ticket(#[key(skip)] everyone: &Barrier) -> u32 {
    // Goes on when all of the calls have come as far as this.
    everyone.wait();
    TICKETS.fetch_add(1, Ordering::SeqCst)
}

#[async_cache_value]
async fn ticket_async(#[key(skip)] everyone: &tokio::sync::Barrier) -> u32 {
    everyone.wait().await;
    TICKETS.fetch_add(1, Ordering::SeqCst)
}

#[tokio::main]
async fn main() {
    let everyone = Barrier::new(CALLS);
    let tickets: HashSet<u32> = std::thread::scope(|scope| {
        let calls: Vec<_> = (0..CALLS).map(|_| scope.spawn(|| ticket(&everyone))).collect();
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    });
    println!("{CALLS} threads, {} tickets", tickets.len());
    assert_eq!(tickets.len(), CALLS);
    assert!(tickets.contains(&ticket(&everyone)));

    let everyone = tokio::sync::Barrier::new(CALLS);
    let call = || ticket_async(&everyone);
    let (a, b, c, d) = tokio::join!(call(), call(), call(), call());
    let tickets = HashSet::from([a, b, c, d]);
    println!("{CALLS} tasks, {} tickets", tickets.len());
    assert_eq!(tickets.len(), CALLS);
    assert!(tickets.contains(&call().await));
}
