//! `#[async_cache_value]` above a function that is not async.

use cachex::async_cache_value;

#[async_cache_value(expires_in = "2s")]
fn double(number: u32) -> u32 {
    number * 2
}

fn main() {
    double(1);
}
