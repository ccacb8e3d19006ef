//! A store that is none.

use cachex::cache_value;

#[cache_value(store = "here")]
fn no_store() {}

fn main() {
    no_store();
}
