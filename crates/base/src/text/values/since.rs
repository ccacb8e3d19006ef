//! The start of a period: a duration before now, or a date.

use std::str::FromStr;
use std::time::{Duration, UNIX_EPOCH};

/// The start of a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// This long ago.
    Ago(Duration),
    /// The beginning of a day in UTC, counted from the Unix epoch.
    Day(u32),
}

impl FromStr for Since {
    type Err = String;

    fn from_str(text: &str) -> Result<Since, String> {
        const ACCEPTED: &str = "expected a duration such as `7d` or a date such as `2026-11-01`";
        if let Ok(begins) = humantime::parse_rfc3339(&format!("{text}T00:00:00Z")) {
            let since = begins.duration_since(UNIX_EPOCH).map_err(|_| ACCEPTED)?;
            return Ok(Since::Day((since.as_secs() / (24 * 60 * 60)) as u32));
        }
        match humantime::parse_duration(text) {
            Ok(span) if !span.is_zero() => Ok(Since::Ago(span)),
            _ => Err(ACCEPTED.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_or_a_date() {
        assert_eq!("7d".parse(), Ok(Since::Ago(Duration::from_hours(7 * 24))));
        assert_eq!("1970-01-02".parse(), Ok(Since::Day(1)));
        assert_eq!("2026-11-22".parse(), Ok(Since::Day(20_779)));
        assert_eq!("9999-12-31".parse(), Ok(Since::Day(2_932_896)));
        for bad in ["", "0s", "-7d", "7", "2026-13-01", "2026-02-30", "2026-11", "1969-12-31"] {
            assert!(bad.parse::<Since>().unwrap_err().contains("such as `7d`"), "{bad}");
        }
    }
}
