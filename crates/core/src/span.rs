//! Durations as people read and write them.

use crate::bytes::{eq, strip_prefix};
use crate::key::Sink;

const SECOND: u64 = 1_000_000_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
/// The lengths that the `humantime` crate uses.
const MONTH: u64 = 2_630_016 * SECOND;
const YEAR: u64 = 31_557_600 * SECOND;

/// The common names of units, and their lengths in nanoseconds. Other names are left to the full
/// parser.
const UNITS: [(&[u8], u64); 18] = [
    (b"s", SECOND),
    (b"m", MINUTE),
    (b"h", HOUR),
    (b"d", DAY),
    (b"w", 7 * DAY),
    (b"ms", 1_000_000),
    (b"sec", SECOND),
    (b"second", SECOND),
    (b"seconds", SECOND),
    (b"min", MINUTE),
    (b"minute", MINUTE),
    (b"minutes", MINUTE),
    (b"hour", HOUR),
    (b"hours", HOUR),
    (b"day", DAY),
    (b"days", DAY),
    (b"week", 7 * DAY),
    (b"weeks", 7 * DAY),
];

/// Parses a duration such as `10m`, `1h30m` or `1h 30m` into nanoseconds. Returns `None` if it is
/// invalid, zero, or in another notation.
pub fn read(text: &[u8]) -> Option<u64> {
    let mut rest = text;
    let mut sum = 0_u64;
    loop {
        let digits = rest.iter().position(|byte| !byte.is_ascii_digit())?;
        let (number, behind) = rest.split_at_checked(digits)?;
        // So few digits of any unit do not overflow.
        if number.is_empty() || number.len() > 4 {
            return None;
        }
        let letters = behind.iter().position(|byte| !byte.is_ascii_lowercase());
        let (unit, behind) = behind.split_at_checked(letters.unwrap_or(behind.len()))?;
        let (_, length) = UNITS.iter().find(|(name, _)| eq(name, unit))?;
        let number = number.iter().fold(0_u64, |number, digit| {
            number.wrapping_mul(10).wrapping_add(u64::from(digit & 15))
        });
        sum = sum.checked_add(number.checked_mul(*length)?)?;
        if behind.is_empty() {
            break;
        }
        rest = strip_prefix(behind, b" ").unwrap_or(behind);
    }
    (sum > 0).then_some(sum)
}

/// Writes a duration for people, rounded down: to a tenth of a second if it is less than a minute,
/// and to a minute if it is more than a day.
pub fn tell_rounded(nanos: u64, to: &mut impl Sink) {
    let unit = match nanos {
        0..1_000_000 => 1_000,
        1_000_000..SECOND => 1_000_000,
        SECOND..MINUTE => {
            tell_number(nanos / SECOND, to);
            to.put(b".");
            tell_number(nanos / (SECOND / 10) % 10, to);
            to.put(b"s");
            return;
        }
        MINUTE..DAY => SECOND,
        _ => MINUTE,
    };
    if nanos < unit {
        to.put(b"0s");
        return;
    }
    let names: [(&[u8], &[u8], u64); 8] = [
        (b"year", b"years", YEAR),
        (b"month", b"months", MONTH),
        (b"day", b"days", DAY),
        (b"h", b"h", HOUR),
        (b"m", b"m", MINUTE),
        (b"s", b"s", SECOND),
        (b"ms", b"ms", 1_000_000),
        (b"us", b"us", 1_000),
    ];
    let mut left = nanos;
    let mut between: &[u8] = b"";
    for (one, several, length) in names {
        let count = left.checked_div(length).unwrap_or_default();
        left = left.wrapping_sub(count.wrapping_mul(length));
        if count > 0 && length >= unit {
            to.put(between);
            tell_number(count, to);
            to.put(if count == 1 { one } else { several });
            between = b" ";
        }
    }
}

fn tell_number(number: u64, to: &mut impl Sink) {
    let mut power = 10_000_000_000_000_000_000;
    while power > 1 && number / power == 0 {
        power /= 10;
    }
    while power > 0 {
        to.put(&[b'0' | (number / power % 10) as u8]);
        power /= 10;
    }
}
