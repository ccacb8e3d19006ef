//! The figures as GitHub Markdown: for a job summary, or a comment.

use super::figures::{COMPARED, Figures, REASONS, Sums, counted, number, percent, span};
use crate::ui;
use cachex_store::events::Remotely;
use std::fmt::Write;

/// The maximum number of commands, and of latest days, to show.
const SHOWN: usize = 30;
/// The columns of the tables of commands and days.
const HEADS: &str = "Calls | Hits | Misses | Hit rate | Time saved | A hit | A run";
const RULE: &str = "--:|--:|--:|--:|--:|--:|--:|";

/// Generates the whole summary.
pub fn summary(figures: &Figures) -> String {
    let mut out = String::from("### cachex\n\n");
    let total = &figures.total;
    let since = figures.since.map_or(String::new(), |day| format!(" since {day}"));
    if figures.is_empty() {
        let _ =
            writeln!(out, "Nothing recorded{}.", if since.is_empty() { " yet" } else { &since });
        return out;
    }
    let files = match total.0.files {
        0 => String::new(),
        files => format!(" and brought **{}** back", counted(files, "file", "files")),
    };
    let _ = writeln!(
        out,
        "**{}** of {}{since} were hits, which saved **{}**{files}.\n",
        percent(total.hit_rate()),
        counted(total.calls(), "call", "calls"),
        span(total.saved()),
    );
    for costly in figures.costly() {
        let _ =
            writeln!(out, "> [!WARNING]\n> {}: {}.\n", code(&costly.command), costly.explained());
    }
    let _ = writeln!(out, "| Command | {HEADS} |\n|---|{RULE}");
    for (command, sums) in figures.commands.iter().take(SHOWN) {
        let _ = writeln!(out, "| {} | {} |", code(command), cells(sums));
    }
    let _ = writeln!(out, "| **All** | {} |\n", cells(total));
    if let Some(more) = figures.commands.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        let _ = writeln!(
            out,
            "{} more; `--json` has all.\n",
            counted(more as u64, "command", "commands")
        );
    }

    out += "<details><summary>By day, and why calls missed</summary>\n\n";
    let _ = writeln!(out, "| Day (UTC) | {HEADS} |\n|---|{RULE}");
    for (day, sums) in figures.days.iter().rev().take(SHOWN) {
        let _ = writeln!(out, "| {day} | {} |", cells(sums));
    }
    out += "\n| | |\n|---|--:|\n";
    let reasons = REASONS.map(|why| (format!("Missed: {why}"), total.0.missed(why)));
    let others = [
        ("Expired results served because the run failed".to_owned(), total.0.stale),
        ("Runs in the background that renewed a result".to_owned(), total.refreshes()),
        ("Runs that were not recorded".to_owned(), total.0.unrecorded),
        ("Files that hits brought back".to_owned(), total.0.files),
        ("Entries stored".to_owned(), figures.entries),
        ("Hits in the remote store".to_owned(), total.remotely(Remotely::Hit)),
        ("Look-ups in the remote store".to_owned(), total.asked_there()),
        ("… that failed".to_owned(), total.remotely(Remotely::Failed)),
        ("… that were refused".to_owned(), total.remotely(Remotely::Refused)),
        ("Entries sent to the remote store".to_owned(), total.remotely(Remotely::Sent)),
        ("… that could not be sent".to_owned(), total.remotely(Remotely::NotSent)),
    ];
    for (what, count) in reasons.into_iter().chain(others).filter(|(_, count)| *count > 0) {
        let _ = writeln!(out, "| {what} | {} |", number(count));
    }
    if total.has_remote() {
        let [received, sent] = total.remote_bytes();
        let _ = writeln!(out, "| Bytes from the remote store | {} |", ui::bytes(received));
        let _ = writeln!(out, "| Bytes to the remote store | {} |", ui::bytes(sent));
    }
    let _ = writeln!(out, "| Bytes stored | {} |", ui::bytes(figures.bytes));
    let _ = writeln!(out, "| Output recorded | {} |", ui::bytes(total.0.bytes));
    out += "\n</details>\n";
    if !figures.costly().is_empty() {
        let _ = writeln!(out, "\n<sub>{COMPARED}</sub>");
    }
    out
}

fn cells(sums: &Sums) -> String {
    let mean = |mean: Option<_>| mean.map_or_else(|| "–".to_owned(), span);
    [
        number(sums.calls()),
        number(sums.hits()),
        number(sums.misses()),
        percent(sums.hit_rate()),
        span(sums.saved()),
        mean(sums.mean_hit()),
        mean(sums.mean_run()),
    ]
    .join(" | ")
}

/// Formats a name as code. Special characters are written as character references, which are never
/// markup.
fn code(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._+-".contains(c);
    if !name.is_empty() && name.chars().all(is_plain) {
        return format!("`{name}`");
    }
    let mut spelt = String::from("<code>");
    for c in name.chars() {
        if c.is_ascii_punctuation() {
            let _ = write!(spelt, "&#{};", u32::from(c));
        } else {
            spelt.push(c);
        }
    }
    spelt + "</code>"
}

#[cfg(test)]
mod tests {
    use super::code;

    #[test]
    fn names_are_no_markup() {
        assert_eq!(code("docker-compose"), "`docker-compose`");
        assert_eq!(code("a|b`<i>"), "<code>a&#124;b&#96;&#60;i&#62;</code>");
        assert_eq!(code("näme"), "<code>näme</code>");
    }
}
