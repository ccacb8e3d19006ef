//! `#[cache_value]` above an async function.

use cachex::cache_value;

#[cache_value]
async fn double(number: u32) -> u32 {
    number * 2
}

fn main() {
    drop(double(1));
}
