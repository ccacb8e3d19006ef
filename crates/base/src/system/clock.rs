//! Wall-clock time, which may jump.
//!
//! Ages are differences of wall-clock times because entries outlive processes and reboots. A clock
//! that went backwards gives no age, which counts as stale.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A time in nanoseconds since the Unix epoch, up to the year 2554.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub struct Timestamp(pub u64);

/// An upper bound for the delay of a tick, in nanoseconds. Ticks are at most 10 ms apart, and late
/// where a virtual processor was paused for a while.
#[cfg(all(target_os = "linux", target_pointer_width = "64", not(debug_assertions)))]
const TICK: u64 = 1_000_000_000;

impl Timestamp {
    /// Returns the current time.
    ///
    /// In debug builds, which include the tests, `CACHEX_TEST_CLOCK` moves it by a number of
    /// seconds, so that no test waits for time to pass.
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

    /// Returns whether the current time is `from` or later and before `until`.
    ///
    /// Reading the time of the last tick costs a third of reading the exact time. It decides unless
    /// one of the limits is so near that the time since that tick matters.
    pub fn is_between(from: Timestamp, until: Timestamp) -> bool {
        #[cfg(all(target_os = "linux", target_pointer_width = "64", not(debug_assertions)))]
        if let Some(tick) = coarse::now()
            && from.0 <= tick
            && tick.saturating_add(TICK) < until.0
        {
            return true;
        }
        let now = Timestamp::now();
        from <= now && now < until
    }

    /// Returns the time that passed since `earlier`, or `None` if that lies in the future.
    pub fn since(self, earlier: Timestamp) -> Option<Duration> {
        self.0.checked_sub(earlier.0).map(Duration::from_nanos)
    }

    /// Formats the time as RFC 3339 in UTC, to the millisecond.
    #[doc(hidden)]
    pub fn to_rfc3339(self) -> String {
        let time = UNIX_EPOCH + Duration::from_nanos(self.0);
        humantime::format_rfc3339_millis(time).to_string()
    }

    /// Returns the time `span` later, or the latest possible time.
    pub fn plus(self, span: Duration) -> Timestamp {
        Timestamp(self.0.saturating_add(nanos(span)))
    }
}

/// Converts a duration to nanoseconds, capped at the maximum.
pub fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Timestamp {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(nanos(since))
    }
}

/// The time of the last tick. A cache in memory needs no other system call, so this one is declared
/// here instead of adding a dependency.
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
#[cfg_attr(debug_assertions, allow(dead_code, reason = "the time that a test sets counts"))]
mod coarse {
    use std::ffi::c_int;

    const REALTIME_COARSE: c_int = 5;

    /// Seconds and nanoseconds, in the layout of the C library on 64-bit Linux.
    #[repr(C)]
    struct Timespec {
        seconds: i64,
        nanos: i64,
    }

    unsafe extern "C" {
        fn clock_gettime(clock: c_int, time: *mut Timespec) -> c_int;
    }

    /// Returns the time of the last tick in nanoseconds since the Unix epoch.
    pub fn now() -> Option<u64> {
        let mut time = Timespec { seconds: 0, nanos: 0 };
        // SAFETY: it writes to `time` and nowhere else.
        let done = unsafe { clock_gettime(REALTIME_COARSE, &raw mut time) };
        (done == 0).then_some(time.seconds as u64 * 1_000_000_000 + time.nanos as u64)
    }

    #[cfg(test)]
    #[test]
    fn a_tick_is_never_later_than_now() {
        let tick = now().unwrap();
        let now = super::Timestamp::from(std::time::SystemTime::now()).0;
        assert!(tick <= now && tick > 1_600_000_000_000_000_000, "{tick}, {now}");
    }
}
