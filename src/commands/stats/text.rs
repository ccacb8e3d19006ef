//! The figures for people at a terminal: numbers, bars and sparklines.

use super::figures::{COMPARED, Figures, REASONS, Sums, counted, number, percent, span};
use crate::ui::{self, Column, Screen, Table, Tone};
use cachex_store::events::Remotely;
use std::fmt::Write;

/// The maximum number of commands, and of latest days, to show.
const COMMANDS: usize = 20;
const DAYS: usize = 14;
/// The number of days in a sparkline, if the screen is wide enough.
const SPARKS: u32 = 60;
/// The assumed width of an output that is no terminal.
const USUAL: u16 = 80;
/// The maximum length of a bar, and the minimum below which it is omitted.
const BAR: (usize, usize) = (40, 4);

/// The appearance of the report.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// The output.
    pub screen: Screen,
    /// True if the output supports characters beyond ASCII.
    pub unicode: bool,
}

/// Generates the whole report.
pub fn report(figures: &Figures, look: &Look) -> String {
    let mut out = String::new();
    let since = figures.since.map_or(String::new(), |day| format!(" since {day}"));
    if figures.is_empty() {
        let _ = writeln!(
            out,
            "{}: nothing recorded{}",
            figures.store,
            if since.is_empty() { " yet" } else { &since }
        );
        return out;
    }
    let _ = writeln!(out, "{}{since}\n", figures.store);
    look.summary(&mut out, figures);
    look.misses(&mut out, &figures.total);
    look.days(&mut out, figures);
    look.commands(&mut out, figures);
    let costly = figures.costly();
    for costly in &costly {
        let warning = look.screen.paint(Tone::Bad, "warning");
        let _ = writeln!(out, "{warning}: `{}`: {}", costly.command, costly.explained());
    }
    if !costly.is_empty() {
        look.wrapped(&mut out, COMPARED);
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

impl Look {
    fn summary(&self, out: &mut String, figures: &Figures) {
        let total = &figures.total;
        let runs = total.0.recorded.saturating_add(total.0.unrecorded);
        let mut rows = vec![
            ["Hit rate".to_owned(), self.rate(total), String::new()],
            [
                "Calls".to_owned(),
                number(total.calls()),
                format!(
                    "{}, {}",
                    counted(total.hits(), "hit", "hits"),
                    counted(total.misses(), "miss", "misses")
                ),
            ],
            [
                "Time saved".to_owned(),
                span(total.saved()),
                match total.0.files {
                    0 => format!("serving took {}", span(total.hit_time())),
                    files => format!(
                        "serving took {}, with {}",
                        span(total.hit_time()),
                        counted(files, "file", "files")
                    ),
                },
            ],
            [
                "Time run".to_owned(),
                span(total.run_time()),
                format!(
                    "{}, {} not recorded",
                    counted(runs, "run", "runs"),
                    number(total.0.unrecorded)
                ),
            ],
            ["Output".to_owned(), ui::bytes(total.0.bytes), "recorded".to_owned()],
            [
                "Store".to_owned(),
                ui::bytes(figures.bytes),
                ui::count(figures.entries, "entry", "entries"),
            ],
        ];
        let sometimes = [
            ("Stale", total.0.stale, "expired results served because the run failed"),
            ("Refreshes", total.refreshes(), "runs in the background that renewed a result"),
        ];
        for (name, count, means) in sometimes.into_iter().filter(|(_, count, _)| *count > 0) {
            rows.push([name.to_owned(), number(count), means.to_owned()]);
        }
        if total.has_remote() {
            let [received, sent] = total.remote_bytes();
            let count = |what| number(total.remotely(what));
            rows.push([
                "Remote".to_owned(),
                count(Remotely::Hit),
                format!(
                    "hits of {}, {} received; {} failed, {} refused",
                    counted(total.asked_there(), "look-up", "look-ups"),
                    ui::bytes(received),
                    count(Remotely::Failed),
                    count(Remotely::Refused),
                ),
            ]);
            let failed = total.remotely(Remotely::NotSent);
            rows.push([
                "Sent".to_owned(),
                count(Remotely::Sent),
                format!("{}, {} could not be sent", ui::bytes(sent), number(failed)),
            ]);
        }
        let width = |at: usize| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0);
        let (first, second) = (width(0), width(1));
        let room = self.width().saturating_sub(first + second + 4).min(BAR.0);
        rows[0][2] = self.stacked(total.hits(), total.misses(), total.calls(), room);
        for [name, value, means] in rows {
            let name = self.screen.paint(Tone::Heading, &format!("{name:first$}"));
            let _ = writeln!(out, "{}", format!("{name}  {value:>second$}  {means}").trim_end());
        }
        out.push('\n');
    }

    fn misses(&self, out: &mut String, total: &Sums) {
        let counts = REASONS.map(|why| (why, total.0.missed(why)));
        let most = counts.iter().map(|(_, count)| *count).max().unwrap_or(0);
        let columns = vec![Column::text("Misses"), Column::number("runs")];
        let counts = counts.into_iter().filter(|(_, count)| *count > 0);
        self.table(out, columns, counts, |(why, count)| {
            let cells = vec![why.to_string(), number(*count)];
            (cells, Bar::Plain(*count, most))
        });
    }

    fn days(&self, out: &mut String, figures: &Figures) {
        let room = u32::try_from(self.width().saturating_sub(30)).unwrap_or(SPARKS);
        let chart = figures.chart(2, room.clamp(7, SPARKS));
        let sparks = |what: &str, of: &dyn Fn(&Sums) -> u64, most: &dyn Fn(&Sums) -> String| {
            let values: Vec<u64> = chart.iter().map(|(_, sums)| of(sums)).collect();
            let top = chart.iter().max_by_key(|(_, sums)| of(sums));
            let most = top.map(|(_, sums)| most(sums)).unwrap_or_default();
            format!("{what:<8}  {}  up to {most}\n", self.sparkline(&values))
        };
        if let [(first, _), .., (last, _)] = &chart[..] {
            let title = format!("Trend, {first} to {last}");
            let _ = writeln!(out, "{}", self.screen.paint(Tone::Heading, &title));
            *out += &sparks("calls", &Sums::calls, &|sums| number(sums.calls()));
            let rate = |sums: &Sums| (sums.hit_rate().unwrap_or(0.0) * 1000.0) as u64;
            *out += &sparks("hit rate", &rate, &|sums| self.rate(sums));
            *out += &sparks("saved", &|sums| sums.0.saved_ns, &|sums| span(sums.saved()));
            out.push('\n');
        }
        let earlier = figures.days.len().saturating_sub(DAYS);
        let shown = figures.days[earlier..].iter().rev();
        self.calls(
            out,
            "Day (UTC)",
            shown.map(|(day, sums)| (day.to_string(), sums)),
            "earlier",
            earlier,
        );
    }

    fn commands(&self, out: &mut String, figures: &Figures) {
        let more = figures.commands.len().saturating_sub(COMMANDS);
        let shown = figures.commands.iter().take(COMMANDS);
        self.calls(out, "Command", shown.map(|(name, sums)| (name.clone(), sums)), "more", more);
    }

    /// Writes a table of the figures of calls, by kind, and how many `more` rows exist, described
    /// by `which`.
    fn calls<'s>(
        &self,
        out: &mut String,
        title: &'static str,
        rows: impl Iterator<Item = (String, &'s Sums)>,
        which: &str,
        more: usize,
    ) {
        let rows: Vec<_> = rows.collect();
        let most = rows.iter().map(|(_, sums)| sums.calls()).max().unwrap_or(0);
        let mut columns = vec![Column::text(title)];
        columns.extend(["calls", "hit rate", "saved", "a hit", "a run"].map(Column::number));
        let mean = |mean: Option<_>| mean.map_or_else(|| self.none().to_owned(), span);
        self.table(out, columns, rows.iter(), |(name, sums)| {
            let cells = vec![
                name.clone(),
                number(sums.calls()),
                self.rate(sums),
                span(sums.saved()),
                mean(sums.mean_hit()),
                mean(sums.mean_run()),
            ];
            (cells, Bar::Stacked(sums.hits(), sums.misses(), most))
        });
        if more > 0 {
            out.truncate(out.trim_end().len());
            let _ = writeln!(out, "\nand {} {which}: --json has all\n", number(more as u64));
        }
    }

    /// Writes a table with a bar after each row, drawn in the remaining room.
    fn table<T>(
        &self,
        out: &mut String,
        columns: Vec<Column>,
        items: impl Iterator<Item = T>,
        row: impl Fn(&T) -> (Vec<String>, Bar),
    ) {
        let mut laid_out = Vec::new();
        let mut bars = Vec::new();
        let plain = Screen { width: None, height: None, colour: false };
        let mut table = Table::new(plain, &mut laid_out, columns);
        for item in items {
            let (cells, bar) = row(&item);
            // Writing to memory does not fail.
            let _ = table.row(Tone::Plain, cells);
            bars.push(bar);
        }
        let _ = table.finish();
        let laid_out = String::from_utf8_lossy(&laid_out);
        let mut lines = laid_out.lines();
        let Some(head) = lines.next() else { return };
        let room = self.width().saturating_sub(head.chars().count() + 2).min(BAR.0);
        let _ = writeln!(out, "{}", self.screen.paint(Tone::Heading, head));
        for (line, bar) in lines.zip(bars) {
            let bar = match bar {
                _ if room < BAR.1 => String::new(),
                Bar::Plain(count, most) => self.plain(count, most, room),
                Bar::Stacked(hits, misses, most) => self.stacked(hits, misses, most, room),
            };
            let _ = writeln!(out, "{}", format!("{line}  {bar}").trim_end());
        }
        out.push('\n');
    }

    /// Wraps text at the width of the screen.
    fn wrapped(&self, out: &mut String, text: &str) {
        let mut column = 0;
        for word in text.split(' ') {
            let len = word.chars().count();
            if column > 0 {
                let fits = column + 1 + len <= self.width();
                out.push(if fits { ' ' } else { '\n' });
                column = if fits { column + 1 } else { 0 };
            }
            out.push_str(word);
            column += len;
        }
        out.push('\n');
    }

    fn width(&self) -> usize {
        usize::from(self.screen.width.unwrap_or(USUAL))
    }

    fn rate(&self, sums: &Sums) -> String {
        sums.hit_rate().map_or_else(|| self.none().to_owned(), |rate| percent(Some(rate)))
    }

    fn none(&self) -> &'static str {
        if self.unicode { "–" } else { "-" }
    }

    /// Draws a bar of two parts, whose full length stands for `most`.
    fn stacked(&self, hits: u64, misses: u64, most: u64, room: usize) -> String {
        let (hit, miss) = if self.unicode { ("█", "░") } else { ("#", ".") };
        let whole = scaled(hits.saturating_add(misses), most, room);
        // A part that is not zero stays visible.
        let hits = match scaled(hits, hits.saturating_add(misses), whole) {
            all if all == whole && misses > 0 && whole > 1 => whole - 1,
            some => some,
        };
        let misses = self.screen.paint(Tone::Faint, &miss.repeat(whole - hits));
        format!("{}{misses}", self.screen.paint(Tone::Good, &hit.repeat(hits)))
    }

    /// Draws a bar whose full length stands for `most`, to an eighth of a character.
    fn plain(&self, count: u64, most: u64, room: usize) -> String {
        const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
        let bar = if self.unicode {
            let eighths = scaled(count, most, room * 8);
            format!("{}{}", "█".repeat(eighths / 8), EIGHTHS[eighths % 8])
        } else {
            "#".repeat(scaled(count, most, room))
        };
        self.screen.paint(Tone::Faint, &bar)
    }

    /// Draws a character for each value. Zero looks different from a small value.
    fn sparkline(&self, values: &[u64]) -> String {
        let steps: &[char] = if self.unicode {
            &['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█']
        } else {
            &['_', '.', ':', '-', '=', '+', '*', '#']
        };
        let most = values.iter().copied().max().unwrap_or(0);
        let line: String =
            values.iter().map(|value| steps[scaled(*value, most, steps.len() - 1)]).collect();
        self.screen.paint(Tone::Good, &line)
    }
}

/// The values of a bar, and the value of its full length.
enum Bar {
    /// One value.
    Plain(u64, u64),
    /// Hits and misses.
    Stacked(u64, u64, u64),
}

/// Scales `part` of `whole` to `room`. The result is zero only if `part` is.
fn scaled(part: u64, whole: u64, room: usize) -> usize {
    if part == 0 || whole == 0 || room == 0 {
        return 0;
    }
    let share = u128::from(part.min(whole)) * room as u128;
    (((share + u128::from(whole) / 2) / u128::from(whole)) as usize).clamp(1, room)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(unicode: bool) -> Look {
        Look { screen: Screen::default(), unicode }
    }

    #[test]
    fn what_is_something_is_seen() {
        assert_eq!(scaled(0, 10, 5), 0);
        assert_eq!(scaled(1, 1_000_000, 5), 1);
        assert_eq!(scaled(u64::MAX, u64::MAX, 5), 5);
        assert_eq!(look(false).stacked(1, 999, 1000, 10), "#.........");
        assert_eq!(look(false).stacked(999, 1, 1000, 10), "#########.");
        assert_eq!(look(false).stacked(0, 0, 10, 10), "");
    }

    #[test]
    fn bars_are_as_long_as_what_they_stand_for() {
        assert_eq!(look(true).stacked(2, 2, 8, 8), "██░░");
        assert_eq!(look(true).plain(5, 8, 4), "██▌");
        assert_eq!(look(false).plain(5, 8, 4), "###");
    }

    #[test]
    fn sparklines_tell_nothing_from_little() {
        assert_eq!(look(true).sparkline(&[0, 1, 500, 1000]), "▁▂▅█");
        assert_eq!(look(false).sparkline(&[0, 1, 500, 1000]), "_.=#");
        assert_eq!(look(true).sparkline(&[0, 0]), "▁▁");
    }
}
