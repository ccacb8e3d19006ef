//! Options that are unknown, given twice, or without their value.

use cachex::cache_value;

#[cache_value(expire_in = "2s")]
fn unknown() {}

#[cache_value(expires_in = "2s", expires_in = "3s")]
fn twice() {}

#[cache_value(allow_concurrent)]
fn no_value() {}

#[cache_value(allow_concurrent = "no")]
fn no_switch() {}

fn main() {
    unknown();
    twice();
    no_value();
    no_switch();
}
