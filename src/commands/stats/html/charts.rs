//! Bar charts as inline SVG. Colours come from the style sheet: each part of a bar has a class. For
//! those who cannot see it, a chart is an image with a name; the figures are in the page's tables.

use super::escaped;
use std::fmt::Write;

/// The width of a chart, in its own units; the page scales it.
const WIDTH: f64 = 520.0;
const COLUMNS_HEIGHT: f64 = 230.0;
/// The margins around the columns: the top, the labels of days, those of values.
const TOP: f64 = 12.0;
const FOOT: f64 = 26.0;
const LEFT: f64 = 58.0;
/// The maximum width of a column.
const WIDEST: f64 = 44.0;
const ROW: f64 = 26.0;
/// The margins of the bars: names and values.
const NAMES: f64 = 168.0;
const VALUES: f64 = 72.0;

/// A column of parts, lowest first.
pub struct Column {
    /// The label below it.
    pub label: String,
    /// The classes and sizes of its parts.
    pub parts: Vec<(&'static str, u64)>,
    /// The text that is shown when it is pointed at.
    pub means: String,
}

/// A bar of parts, from left to right.
pub struct Row {
    /// The label before it.
    pub label: String,
    /// The classes and sizes of its parts.
    pub parts: Vec<(&'static str, u64)>,
    /// The label after it.
    pub value: String,
}

/// The steps of a scale of counts: any round number.
pub const COUNTS: &[u64] = &[1];
/// The steps of a scale of times, in nanoseconds, from a second on.
pub const TIMES: &[u64] = &[
    SECOND,
    2 * SECOND,
    5 * SECOND,
    10 * SECOND,
    15 * SECOND,
    30 * SECOND,
    60 * SECOND,
    2 * 60 * SECOND,
    5 * 60 * SECOND,
    10 * 60 * SECOND,
    15 * 60 * SECOND,
    30 * 60 * SECOND,
    3600 * SECOND,
    2 * 3600 * SECOND,
    6 * 3600 * SECOND,
    12 * 3600 * SECOND,
    24 * 3600 * SECOND,
];
const SECOND: u64 = 1_000_000_000;

/// Returns the distance between the lines of a scale up to `most`: one of `steps`, or a round
/// number beyond them, such that there are at most four lines.
fn step(most: u64, steps: &[u64]) -> u64 {
    let enough = |step: &u64| most.div_ceil(*step) <= 4;
    let first = steps.first().copied().unwrap_or(1);
    let powers = |from: u64| {
        std::iter::successors(Some(from), |unit| unit.checked_mul(10))
            .flat_map(|unit| [1, 2, 5].into_iter().filter_map(move |digit| unit.checked_mul(digit)))
    };
    powers(1)
        .take_while(|step| *step < first)
        .chain(steps.iter().copied())
        .chain(powers(steps.last().copied().unwrap_or(1)))
        .find(enough)
        .unwrap_or(u64::MAX)
}

/// Draws columns side by side, with a scale of these `steps`, formatted by `shown`.
pub fn columns(
    name: &str,
    columns: &[Column],
    steps: &[u64],
    shown: impl Fn(u64) -> String,
) -> String {
    let most = columns.iter().map(|column| sum(&column.parts)).max().unwrap_or(0).max(1);
    let step = step(most, steps);
    let lines = most.div_ceil(step);
    let top = step as f64 * lines as f64;
    let mut svg = begun(name, COLUMNS_HEIGHT);
    let (height, bottom) = (COLUMNS_HEIGHT - TOP - FOOT, COLUMNS_HEIGHT - FOOT);
    for line in 0..=lines {
        let y = bottom - height * line as f64 / lines as f64;
        let _ = write!(
            svg,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{WIDTH}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
             <text class=\"scale\" x=\"{}\" y=\"{:.1}\">{}</text>",
            LEFT - 8.0,
            y + 4.0,
            escaped(&shown(step.saturating_mul(line)))
        );
    }
    let slot = (WIDTH - LEFT) / columns.len().max(1) as f64;
    let width = (slot * 0.72).min(WIDEST);
    // A label takes five of the narrowest slots.
    let every = (44.0 / slot).ceil() as usize;
    for (at, column) in columns.iter().enumerate() {
        let x = LEFT + slot * at as f64 + (slot - width) / 2.0;
        let _ = write!(svg, "<g><title>{}</title>", escaped(&column.means));
        let mut y = bottom;
        for (class, size) in &column.parts {
            let tall = height * *size as f64 / top;
            if *size > 0 {
                // A part that is not zero stays visible.
                let tall = tall.max(1.0);
                y -= tall;
                let _ = write!(
                    svg,
                    "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{tall:.1}\"/>"
                );
            }
        }
        svg += "</g>";
        // Counted from the last column, which is today.
        if (columns.len() - 1 - at).is_multiple_of(every) {
            let _ = write!(
                svg,
                "<text class=\"label\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                x + width / 2.0,
                COLUMNS_HEIGHT - 8.0,
                escaped(&column.label)
            );
        }
    }
    svg + "</svg>\n"
}

/// Draws bars below each other.
pub fn rows(name: &str, rows: &[Row]) -> String {
    let most = rows.iter().map(|row| sum(&row.parts)).max().unwrap_or(0).max(1);
    let mut svg = begun(name, (ROW * rows.len() as f64).max(ROW));
    let room = WIDTH - NAMES - VALUES;
    for (at, row) in rows.iter().enumerate() {
        let y = ROW * at as f64;
        let _ = write!(
            svg,
            "<text class=\"name\" x=\"{}\" y=\"{}\">{}</text>",
            NAMES - 10.0,
            y + ROW / 2.0 + 4.0,
            escaped(&row.label)
        );
        let mut x = NAMES;
        for (class, size) in row.parts.iter().filter(|(_, size)| *size > 0) {
            let wide = (room * *size as f64 / most as f64).max(1.0);
            let _ = write!(
                svg,
                "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{}\" width=\"{wide:.1}\" height=\"{}\"/>",
                y + 4.0,
                ROW - 8.0
            );
            x += wide;
        }
        let _ = write!(
            svg,
            "<text class=\"value\" x=\"{:.1}\" y=\"{}\">{}</text>",
            x + 8.0,
            y + ROW / 2.0 + 4.0,
            escaped(&row.value)
        );
    }
    svg + "</svg>\n"
}

/// Draws a bar in a table cell, whose full width stands for `whole`.
pub fn bar(parts: &[(&str, u64)], whole: u64) -> String {
    let mut svg = String::from(
        "<svg class=\"cell\" viewBox=\"0 0 100 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\">",
    );
    let mut x = 0.0;
    for (class, size) in parts {
        let wide = 100.0 * *size as f64 / whole.max(1) as f64;
        let _ = write!(
            svg,
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"0\" width=\"{wide:.1}\" height=\"10\"/>"
        );
        x += wide;
    }
    svg + "</svg>"
}

fn begun(name: &str, height: f64) -> String {
    format!(
        "<svg role=\"img\" aria-label=\"{}; the tables below have the figures\" viewBox=\"0 0 {WIDTH} {height}\">",
        escaped(name)
    )
}

fn sum(parts: &[(&'static str, u64)]) -> u64 {
    parts.iter().map(|(_, size)| *size).fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_are_round() {
        assert_eq!([1, 4, 5, 806, 4_001].map(|most| step(most, COUNTS)), [1, 1, 2, 500, 2_000]);
        let minutes = |count: u64| count * 60 * SECOND;
        assert_eq!(step(minutes(18), TIMES), minutes(5));
        assert_eq!(step(minutes(70), TIMES), minutes(30));
        assert_eq!(step(SECOND / 5, TIMES), SECOND / 20);
        assert_eq!(step(minutes(60 * 24 * 90), TIMES), minutes(60 * 24 * 50));
        assert!(u64::MAX.div_ceil(step(u64::MAX, TIMES)) <= 4);
        assert!(u64::MAX.div_ceil(step(u64::MAX, COUNTS)) <= 4);
    }
}
