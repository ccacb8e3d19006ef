//! Durations that are none.

use cachex::cache_value;
use std::time::Duration;

const NEVER: Duration = Duration::ZERO;

#[cache_value(expires_in = 0)]
fn zero() {}

#[cache_value(expires_in = "0s")]
fn zero_seconds() {}

#[cache_value(expires_in = NEVER)]
fn zero_by_name() {}

#[cache_value(expires_in = -1.5)]
fn negative() {}

#[cache_value(expires_in = "soon")]
fn unreadable() {}

#[cache_value(expires_in = f64::NAN)]
fn no_duration() {}

fn main() {
    zero();
    zero_seconds();
    zero_by_name();
    negative();
    unreadable();
    no_duration();
}
