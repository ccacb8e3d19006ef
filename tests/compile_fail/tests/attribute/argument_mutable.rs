//! Arguments that a cached call would leave unchanged.

use cachex::cache_value;

struct Counter(u32);

impl Counter {
    #[cache_value]
    fn next(&mut self) -> u32 {
        self.0 += 1;
        self.0
    }
}

#[cache_value]
fn push(log: &mut Vec<u32>, number: u32) -> u32 {
    log.push(number);
    number
}

fn main() {
    Counter(0).next();
    push(&mut Vec::new(), 1);
}
