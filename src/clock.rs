//! Wall-clock time: the only thing here that may jump, and does.
//!
//! Ages are differences of wall-clock times because entries outlive processes
//! and reboots. A clock that went backwards gives no age at all, which the
//! freshness rules read as stale.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Nanoseconds since the Unix epoch; good until the year 2554.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// The time now.
    ///
    /// In debug builds, which the tests are, `CACHEX_TEST_CLOCK` moves it by a
    /// number of seconds, so that no test waits for time to pass.
    pub fn now() -> Timestamp {
        let now = Timestamp::from(SystemTime::now());
        #[cfg(debug_assertions)]
        if let Some(seconds) = std::env::var_os("CACHEX_TEST_CLOCK")
            && let Some(seconds) = seconds.to_str().and_then(|s| s.parse::<f64>().ok())
        {
            return Timestamp(now.0.saturating_add_signed((seconds * 1e9) as i64));
        }
        now
    }

    /// The time that passed since `earlier`; none if that lies in the future.
    pub fn since(self, earlier: Timestamp) -> Option<Duration> {
        self.0.checked_sub(earlier.0).map(Duration::from_nanos)
    }

    /// This time and `span` later, or the end of time.
    pub fn plus(self, span: Duration) -> Timestamp {
        let span = u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
        Timestamp(self.0.saturating_add(span))
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Timestamp {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
    }
}
