//! A value is served for two seconds, and computed again after that.
//!
//!     cargo run --example expiry

use cachex::{async_cache_value, cache_value};
use std::thread::sleep;
use std::time::{Duration, SystemTime};

#[cache_value(expires_in = 2)]
fn checked_at(host: &str) -> SystemTime {
    println!("checking {host}");
    SystemTime::now()
}

#[async_cache_value(expires_in = "2s")]
async fn checked_at_async(host: &str) -> SystemTime {
    println!("checking {host}, asynchronously");
    SystemTime::now()
}

fn main() {
    let first = checked_at("localhost");
    assert_eq!(checked_at("localhost"), first);
    sleep(Duration::from_secs(2));
    assert_ne!(checked_at("localhost"), first);

    smol::block_on(async {
        let first = checked_at_async("localhost").await;
        assert_eq!(checked_at_async("localhost").await, first);
        smol::Timer::after(Duration::from_secs(2)).await;
        assert_ne!(checked_at_async("localhost").await, first);
    });
    println!("each was checked twice, two seconds apart");
}
