//! The figures, independent of their presentation.
//!
//! A *call* is a hit or a miss. A background run is neither, nor is an expired result that stood in
//! for a failed run: that run is itself a miss, and the served result is counted separately.

use super::days::Day;
use cachex_store::events::{Reason, Remotely};
use cachex_store::stats::Counts;
use std::collections::BTreeMap;
use std::time::Duration;

/// The reasons for a miss.
pub const REASONS: [Reason; 5] =
    [Reason::NotRecorded, Reason::Expired, Reason::Forced, Reason::Unreadable, Reason::Damaged];

/// The figures of a store.
#[derive(Debug, Default)]
pub struct Gathered {
    /// The number of entries.
    pub entries: u64,
    /// The bytes of the entries, including their outputs.
    pub bytes: u64,
    /// The counts, by day and command.
    pub counts: Vec<(u32, String, Counts)>,
}

/// All figures to show.
#[derive(Debug)]
pub struct Figures {
    /// The store's folder.
    pub store: String,
    /// The first day to count; none if all days are counted.
    pub since: Option<Day>,
    /// The present day.
    pub today: Day,
    /// The number of entries.
    pub entries: u64,
    /// The bytes of the entries, including their outputs.
    pub bytes: u64,
    /// The sums of all calls.
    pub total: Sums,
    /// The sums of each command, the largest savings first.
    pub commands: Vec<(String, Sums)>,
    /// The sums of each day with calls, in order.
    pub days: Vec<(Day, Sums)>,
}

/// A command whose replay takes longer than its run.
#[derive(Debug, PartialEq)]
pub struct Costly {
    /// The name of the command.
    pub command: String,
    /// The mean time of serving a result.
    pub hit: Duration,
    /// The mean run time of the results that were served.
    pub run: Duration,
}

impl Figures {
    /// Creates the figures of the store in the folder `dir`.
    pub fn new(dir: &str, since: Option<Day>, today: Day, gathered: Gathered) -> Figures {
        let mut total = Sums::default();
        let mut commands: BTreeMap<String, Sums> = BTreeMap::new();
        let mut days: BTreeMap<Day, Sums> = BTreeMap::new();
        for (day, command, counts) in gathered.counts {
            total.0.add(&counts);
            commands.entry(command).or_default().0.add(&counts);
            days.entry(Day(day)).or_default().0.add(&counts);
        }
        let named = |(name, sums): (String, Sums)| {
            let name = if name.is_empty() {
                "(others)".into()
            } else {
                cachex_base::text::quote::harmless(&name)
            };
            (name.into_owned(), sums)
        };
        let mut commands: Vec<_> = commands.into_iter().map(named).collect();
        // The stable sort keeps equal ones in the order of their names.
        commands.sort_by_key(|(_, sums)| std::cmp::Reverse((sums.saved(), sums.calls())));
        Figures {
            store: cachex_base::text::quote::harmless(dir).into_owned(),
            since,
            today,
            entries: gathered.entries,
            bytes: gathered.bytes,
            total,
            commands,
            days: days.into_iter().collect(),
        }
    }

    /// Returns whether anything happened.
    pub fn is_empty(&self) -> bool {
        self.days.is_empty()
    }

    /// Returns the days of a chart, ending today, including those without calls: at least `least`
    /// and at most `most`, but none before the first day to count.
    pub fn chart(&self, least: u32, most: u32) -> Vec<(Day, Sums)> {
        let first = self.days.first().map_or(self.today, |(day, _)| *day);
        let first = first.min(self.today.before(least - 1)).max(self.today.before(most - 1));
        let first = self.since.map_or(first, |since| first.max(since));
        let sums = |day: Day| {
            let known = self.days.binary_search_by_key(&day, |(day, _)| *day).ok();
            known.map_or_else(Sums::default, |at| self.days[at].1)
        };
        first.to(self.today).map(|day| (day, sums(day))).collect()
    }

    /// Returns the commands whose replay takes longer than their run.
    pub fn costly(&self) -> Vec<Costly> {
        let costly = |(command, sums): &(String, Sums)| {
            let (hit, run) = (sums.mean_hit()?, sums.mean_saved()?);
            (hit > run).then(|| Costly { command: command.clone(), hit, run })
        };
        self.commands.iter().filter_map(costly).collect()
    }
}

impl Costly {
    /// Returns the message that follows the command's name.
    pub fn explained(&self) -> String {
        format!(
            "a hit takes {}, the run took {}: caching it costs time",
            span(self.hit),
            span(self.run)
        )
    }
}

/// The explanation of what [`Costly`] compares.
pub const COMPARED: &str = "A hit's time is what it takes inside cachex, without the start of \
    a process; a run's is that of the runs that were replayed. Both are averages.";

/// The sums of some calls.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sums(pub Counts);

impl Sums {
    /// Returns the number of calls that were served a fresh result.
    pub fn hits(&self) -> u64 {
        self.0.hits
    }

    /// Returns the number of calls that ran the command.
    pub fn misses(&self) -> u64 {
        REASONS.iter().map(|why| self.0.missed(*why)).fold(0, u64::saturating_add)
    }

    /// Returns the number of hits and misses.
    pub fn calls(&self) -> u64 {
        self.hits().saturating_add(self.misses())
    }

    /// Returns the fraction of calls that were hits; none if there were no calls.
    pub fn hit_rate(&self) -> Option<f64> {
        (self.calls() > 0).then(|| self.hits() as f64 / self.calls() as f64)
    }

    /// Returns the number of background runs that renewed a fresh result.
    pub fn refreshes(&self) -> u64 {
        self.0.missed(Reason::Refresh)
    }

    /// Returns how often a remote store gave this answer.
    pub fn remotely(&self, what: Remotely) -> u64 {
        self.0.remotely(what)
    }

    /// Returns whether a remote store was ever queried or sent anything.
    pub fn has_remote(&self) -> bool {
        self.0.remote.iter().any(|count| *count > 0)
    }

    /// Returns the number of look-ups in remote stores.
    pub fn asked_there(&self) -> u64 {
        use Remotely::{Failed, Hit, Miss, Refused};
        [Hit, Miss, Failed, Refused].map(|what| self.remotely(what)).into_iter().sum()
    }

    /// Returns the bytes received from remote stores, and those sent.
    pub fn remote_bytes(&self) -> [u64; 2] {
        self.0.remote_bytes
    }

    /// Returns the run time that hits saved.
    pub fn saved(&self) -> Duration {
        Duration::from_nanos(self.0.saved_ns)
    }

    /// Returns the time spent serving.
    pub fn hit_time(&self) -> Duration {
        Duration::from_nanos(self.0.hit_cost_ns)
    }

    /// Returns the time that commands ran.
    pub fn run_time(&self) -> Duration {
        Duration::from_nanos(self.0.run_ns)
    }

    /// Returns the mean time of serving a result.
    pub fn mean_hit(&self) -> Option<Duration> {
        mean(self.0.hit_cost_ns, self.0.hits.saturating_add(self.0.stale))
    }

    /// Returns the mean time of a run.
    pub fn mean_run(&self) -> Option<Duration> {
        mean(self.0.run_ns, self.0.recorded.saturating_add(self.0.unrecorded))
    }

    /// Returns the mean run time that a hit saved.
    fn mean_saved(&self) -> Option<Duration> {
        mean(self.0.saved_ns, self.0.hits)
    }
}

fn mean(sum: u64, count: u64) -> Option<Duration> {
    sum.checked_div(count).map(Duration::from_nanos)
}

/// Formats a duration for people, rounded down: `0.7 ms`, `12 ms`, `1.2 s`, `3m 20s`, `2h 5m`,
/// `4d 1h`.
pub fn span(span: Duration) -> String {
    let two = |count: u64, unit: char, rest: u64, small: char| match rest {
        0 => format!("{count}{unit}"),
        _ => format!("{count}{unit} {rest}{small}"),
    };
    let (micros, seconds) = (span.as_micros(), span.as_secs());
    let (minutes, hours) = (seconds / 60, seconds / 3600);
    match micros {
        _ if span.is_zero() => "0".to_owned(),
        0..100 => "<0.1 ms".to_owned(),
        100..10_000 => format!("{}.{} ms", micros / 1000, micros / 100 % 10),
        10_000..1_000_000 => format!("{} ms", micros / 1000),
        1_000_000..60_000_000 => format!("{seconds}.{} s", micros / 100_000 % 10),
        _ if minutes < 60 => two(minutes, 'm', seconds % 60, 's'),
        _ if hours < 48 => two(hours, 'h', minutes % 60, 'm'),
        _ => two(hours / 24, 'd', hours % 24, 'h'),
    }
}

/// Formats a number for people: `12,345`.
pub fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Formats a rate for people: `81.3 %`. Only a full rate is 100 %, and only an empty one 0 %.
pub fn percent(rate: Option<f64>) -> String {
    match rate {
        None => "–".to_owned(),
        Some(rate) if rate > 0.0 && rate < 1.0 => {
            format!("{:.1} %", (rate * 1000.0).round().clamp(1.0, 999.0) / 10.0)
        }
        Some(rate) => format!("{:.0} %", rate * 100.0),
    }
}

/// Formats a count with its noun: `1 call`, `1,200 calls`.
pub fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", number(count), if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charts_show_the_days_that_count_and_no_others() {
        let called = Counts { hits: 1, ..Counts::default() };
        let chart = |since: Option<u32>, least, most| {
            let counts = vec![(100, String::new(), called)];
            let gathered = Gathered { counts, ..Gathered::default() };
            let figures = Figures::new("", since.map(Day), Day(102), gathered);
            let chart = figures.chart(least, most);
            chart.iter().map(|(day, sums)| (day.0, sums.calls())).collect::<Vec<_>>()
        };
        assert_eq!(chart(None, 2, 60), [(100, 1), (101, 0), (102, 0)]);
        assert_eq!(chart(None, 4, 60), [(99, 0), (100, 1), (101, 0), (102, 0)]);
        assert_eq!(chart(Some(100), 7, 60), [(100, 1), (101, 0), (102, 0)]);
        assert_eq!(chart(None, 1, 2), [(101, 0), (102, 0)]);
        assert_eq!(chart(Some(103), 7, 60), []);
    }

    #[test]
    fn numbers_are_grouped() {
        let shown: Vec<_> = [0, 999, 1000, 1_234_567].into_iter().map(number).collect();
        assert_eq!(shown, ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn only_all_is_all() {
        let shown = [None, Some(0.0), Some(0.0001), Some(0.5), Some(0.9999), Some(1.0)];
        assert_eq!(shown.map(percent), ["–", "0 %", "0.1 %", "50.0 %", "99.9 %", "100 %"]);
    }

    #[test]
    fn spans_have_two_units_at_most() {
        let of = |nanos| span(Duration::from_nanos(nanos));
        assert_eq!((of(0), of(99_999)), ("0".into(), "<0.1 ms".into()));
        assert_eq!((of(700_000), of(12_345_678)), ("0.7 ms".into(), "12 ms".into()));
        assert_eq!((of(9_999_999), of(999_999_999)), ("9.9 ms".into(), "999 ms".into()));
        assert_eq!((of(1_000_000_000), of(59_999_999_999)), ("1.0 s".into(), "59.9 s".into()));
        assert_eq!(of(200_000_000_000), "3m 20s");
        assert_eq!(of(7_500_000_000_000), "2h 5m");
        assert_eq!(of(7_200_000_000_000), "2h");
        assert_eq!(of(349_200_000_000_000), "4d 1h");
    }
}
