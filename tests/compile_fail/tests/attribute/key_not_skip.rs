//! `#[key(…)]` with another word than `skip`.

use cachex::cache_value;

#[cache_value]
fn double(#[key(ignore)] number: u32) -> u32 {
    number * 2
}

fn main() {
    double(1);
}
