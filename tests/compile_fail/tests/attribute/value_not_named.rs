//! A result whose type has no name, and one that never comes.

use cachex::cache_value;

#[cache_value]
fn numbers(until: u8) -> impl Iterator<Item = u8> {
    0..until
}

#[cache_value]
fn stop() -> ! {
    std::process::exit(1)
}

fn main() {
    numbers(1);
    stop();
}
