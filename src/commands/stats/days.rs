//! Days for which figures are counted: since the Unix epoch, in UTC.

use cachex_base::system::clock::Timestamp;
use cachex_store::stats;
use serde::{Serialize, Serializer};
use std::fmt;
use std::time::{Duration, UNIX_EPOCH};

/// A day, as a number since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(pub u32);

impl Day {
    /// The last day whose year has four digits.
    const LAST: u32 = 2_932_896;

    /// Returns the day of a time.
    pub fn of(time: Timestamp) -> Day {
        Day(stats::day_of(time))
    }

    /// Returns the day that lies `days` before this one.
    pub fn before(self, days: u32) -> Day {
        Day(self.0.saturating_sub(days))
    }

    /// Returns this day and those up to `last`.
    pub fn to(self, last: Day) -> impl Iterator<Item = Day> {
        (self.0..=last.0).map(Day)
    }

    /// Formats month and day: `11-22`.
    pub fn short(self) -> String {
        self.to_string().split_off(5)
    }
}

impl fmt::Display for Day {
    /// Formats the date: `2026-11-22`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let begins = Duration::from_secs(u64::from(self.0.min(Day::LAST)) * 24 * 60 * 60);
        let time = humantime::format_rfc3339_seconds(UNIX_EPOCH + begins).to_string();
        f.pad(&time[..10])
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_dates() {
        assert_eq!(Day(0).to_string(), "1970-01-01");
        assert_eq!(Day(20_779).to_string(), "2026-11-22");
        assert_eq!(Day(20_779).short(), "11-22");
        assert_eq!(Day(u32::MAX).to_string(), "9999-12-31");
        assert_eq!(Day(1).before(2), Day(0));
        assert_eq!(Day(3).to(Day(5)).count(), 3);
    }
}
