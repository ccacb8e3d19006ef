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

/// Longer than a tick is ever late, in nanoseconds: they come every 10 ms where there are
/// fewest, and late where the processor that counts them was taken away for a while.
#[cfg(all(target_os = "linux", not(debug_assertions)))]
const TICK: u64 = 1_000_000_000;

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

    /// Whether it is `from` or later, and not yet `until`.
    ///
    /// The time of the last tick is had for a third of what the time costs. It decides
    /// unless one of both is so near that what has passed since that tick matters.
    pub fn is_between(from: Timestamp, until: Timestamp) -> bool {
        #[cfg(all(target_os = "linux", not(debug_assertions)))]
        {
            let tick = rustix::time::clock_gettime(rustix::time::ClockId::RealtimeCoarse);
            let tick = tick.tv_sec as u64 * 1_000_000_000 + tick.tv_nsec as u64;
            if from.0 <= tick && tick.saturating_add(TICK) < until.0 {
                return true;
            }
        }
        let now = Timestamp::now();
        from <= now && now < until
    }

    /// The time that passed since `earlier`; none if that lies in the future.
    pub fn since(self, earlier: Timestamp) -> Option<Duration> {
        self.0.checked_sub(earlier.0).map(Duration::from_nanos)
    }

    /// This time and `span` later, or the end of time.
    pub fn plus(self, span: Duration) -> Timestamp {
        Timestamp(self.0.saturating_add(nanos(span)))
    }
}

/// A span in nanoseconds, or the longest there is.
pub fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Timestamp {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(nanos(since))
    }
}
