//! The figures as metrics in the text format of Prometheus, for a collector that reads files.
//! docs/manage.md lists their names. Counters are reset together with the counts.

use super::figures::{Figures, REASONS, Sums};
use super::json;
use cachex_base::process::report::seconds;
use std::fmt::{Display, Write};

/// A metric: its name, its help text, and its value for a command.
type OfCommand = (&'static str, &'static str, fn(&Sums) -> f64);

/// The counters of each command.
const COUNTED: [OfCommand; 10] = [
    ("hits_total", "Calls that were answered from the store.", |it| it.hits() as f64),
    ("stale_total", "Expired results served because the run failed.", |it| it.0.stale as f64),
    ("refreshes_total", "Runs in the background.", |it| it.refreshes() as f64),
    ("recorded_total", "Runs that were recorded.", |it| it.0.recorded as f64),
    ("unrecorded_total", "Runs that were not recorded.", |it| it.0.unrecorded as f64),
    ("output_bytes_total", "Output that was recorded.", |it| it.0.bytes as f64),
    ("files_restored_total", "Files that hits brought back.", |it| it.0.files as f64),
    ("saved_seconds_total", "Run time that hits saved.", |it| seconds(it.saved())),
    ("hit_seconds_total", "Time spent on replaying.", |it| seconds(it.hit_time())),
    ("run_seconds_total", "Time that commands ran.", |it| seconds(it.run_time())),
];

/// Formats all metrics.
pub fn metrics(figures: &Figures) -> String {
    let store = escaped(&figures.store);
    let mut out = String::new();
    let mut of_store = |name: &str, help: &str, value: u64| {
        head(&mut out, name, "gauge", help);
        line(&mut out, name, &format!("store=\"{store}\""), value);
    };
    of_store("entries", "Results in the store.", figures.entries);
    of_store("store_bytes", "Space that the results take.", figures.bytes);
    let labels = |command: &str| format!("store=\"{store}\",command=\"{}\"", escaped(command));
    let name = "misses_total";
    head(&mut out, name, "counter", "Calls that ran the command, by reason.");
    for (command, sums) in &figures.commands {
        for why in REASONS {
            let labels = format!("{},reason=\"{}\"", labels(command), json::name(why));
            line(&mut out, name, &labels, sums.0.missed(why));
        }
    }
    for (name, help, value) in COUNTED {
        head(&mut out, name, "counter", help);
        for (command, sums) in &figures.commands {
            line(&mut out, name, &labels(command), value(sums));
        }
    }
    out
}

fn head(out: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(out, "# HELP cachex_{name} {help}\n# TYPE cachex_{name} {kind}");
}

fn line(out: &mut String, name: &str, labels: &str, value: impl Display) {
    let _ = writeln!(out, "cachex_{name}{{{labels}}} {value}");
}

/// Escapes a label's value, which stands between quotes.
pub fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::stats::days::Day;
    use crate::commands::stats::figures::Gathered;
    use cachex_store::stats::Counts;

    #[test]
    fn each_metric_has_one_head_and_a_line_for_each_command() {
        let counts = |hits| Counts { hits, saved_ns: 1_500_000_000, ..Counts::default() };
        let counts = vec![(1, "cc".to_owned(), counts(2)), (2, "a\"\\b".to_owned(), counts(3))];
        let gathered = Gathered { entries: 7, bytes: 4096, counts };
        let text = metrics(&Figures::new("/store", None, Day(2), gathered));
        for expected in [
            "cachex_entries{store=\"/store\"} 7",
            "cachex_store_bytes{store=\"/store\"} 4096",
            "cachex_hits_total{store=\"/store\",command=\"cc\"} 2",
            "cachex_hits_total{store=\"/store\",command=\"a\\\"\\\\b\"} 3",
            "cachex_saved_seconds_total{store=\"/store\",command=\"cc\"} 1.5",
            "cachex_misses_total{store=\"/store\",command=\"cc\",reason=\"expired\"} 0",
        ] {
            assert!(text.lines().any(|line| line == expected), "no {expected} in\n{text}");
        }
        let heads = text.lines().filter(|line| line.starts_with("# TYPE "));
        let mut heads: Vec<&str> = heads.collect();
        assert_eq!(heads.len(), 13);
        heads.sort_unstable();
        heads.dedup();
        assert_eq!(heads.len(), 13);
    }
}
