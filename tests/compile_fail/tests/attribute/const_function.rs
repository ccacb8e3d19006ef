//! A function that would have to have a cache at compile time.

use cachex::cache_value;

#[cache_value]
const fn double(number: u32) -> u32 {
    number * 2
}

fn main() {
    double(1);
}
