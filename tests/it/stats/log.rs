//! A log of calls that never happened: days of them, of any length.

use crate::harness::Cachex;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const DAY: Duration = Duration::from_hours(24);

/// A time so many days from now, at noon, as [`Call::after`] takes it: what
/// happens at the same noon happens on the same day.
///
/// [`Call::after`]: crate::harness::Call::after
pub fn noon(days: u32) -> String {
    let today = since_epoch().as_secs() % DAY.as_secs();
    // The next noon but one, so that it lies ahead however late it is.
    let seconds = DAY.as_secs() * 3 / 2 - today + DAY.as_secs() * u64::from(days);
    format!("{seconds}s")
}

fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

/// Calls of commands, in the form of the store's log; see `crates/store/src/events.rs`.
#[derive(Default)]
pub struct Log(Vec<u8>);

impl Log {
    /// Runs that were recorded because nothing was.
    pub fn misses(self, command: &str, count: u64, days_ago: u32, run: Duration) -> Log {
        (0..count).fold(self, |log, _| {
            let log = log.event(2, command, days_ago, run, 1000);
            let mut name = [0; 24];
            name[..command.len()].copy_from_slice(command.as_bytes());
            log.record(5, name, command)
        })
    }

    /// Hits that took so long, of a run that had taken so long.
    pub fn hits(
        self,
        command: &str,
        count: u64,
        days_ago: u32,
        run: Duration,
        cost: Duration,
    ) -> Log {
        (0..count).fold(self, |log, _| log.event(1, command, days_ago, run, cost.as_nanos() as u64))
    }

    /// Puts it in the place of what happened.
    #[track_caller]
    pub fn replaces(self, cachex: &Cachex) {
        cachex.run("true").once().exits(0);
        std::fs::write(cachex.in_store("v2/events"), self.0).unwrap();
    }

    fn event(self, kind: u8, command: &str, days_ago: u32, run: Duration, number: u64) -> Log {
        let time = since_epoch().checked_sub(DAY * days_ago).unwrap();
        let fields = [time.as_nanos() as u64, run.as_nanos() as u64, number].map(u64::to_le_bytes);
        self.record(kind, fields.as_flattened().try_into().unwrap(), command)
    }

    fn record(mut self, kind: u8, fields: [u8; 24], command: &str) -> Log {
        let mut record = [0; 64];
        record[..4].copy_from_slice(&[0xce, b'x', 1, kind]);
        record[8..32].copy_from_slice(&fields);
        record[32..].copy_from_slice(blake3::hash(command.as_bytes()).as_bytes());
        let sum = blake3::hash(&record);
        record[4..8].copy_from_slice(&sum.as_bytes()[..4]);
        self.0.extend(record);
        self
    }
}

/// A fortnight of several commands: 60 hits and 20 misses, 9 minutes saved;
/// the name of one would be markup, and one takes longer to replay than to run.
pub fn fortnight() -> Log {
    let (second, cost) = (Duration::from_secs(1), Duration::from_micros(700));
    let mut log = Log::default();
    for (days_ago, hits) in [(0, 10), (1, 10), (3, 20), (13, 5)] {
        log = log.misses("kubectl", 3, days_ago, second * 12);
        log = log.hits("kubectl", hits, days_ago, second * 12, cost);
    }
    let quick = Duration::from_micros(500);
    log.misses("date", 4, 1, quick)
        .hits("date", 10, 1, quick, cost)
        .misses("<i>|`&\"'*", 4, 2, second / 10)
        .hits("<i>|`&\"'*", 5, 2, second / 10, cost)
}
