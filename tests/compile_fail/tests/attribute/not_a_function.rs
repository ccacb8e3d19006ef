//! `#[cache_value]` above a whole `impl`.

use cachex::cache_value;

struct Doubler;

#[cache_value]
impl Doubler {
    fn double(number: u32) -> u32 {
        number * 2
    }
}

fn main() {
    Doubler::double(1);
}
