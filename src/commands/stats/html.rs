//! The figures as a self-contained HTML page: no script, no network.
//!
//! The charts are inline SVG ([`charts`]), and everything they show is in a table too. The page
//! follows the reader's choice of light or dark mode.

mod charts;

use super::figures::{COMPARED, Figures, REASONS, Sums, counted, number, percent, span};
use crate::ui;
use cachex_store::events::Remotely;
use std::fmt::Write;

/// The beginning of the page, with a policy that refuses all network requests.
const HEAD: &str = include_str!("html/head.html");
/// The style of the page.
const STYLE: &str = include_str!("html/style.css");
/// The maximum number of commands in a chart; the table has all.
const CHARTED: usize = 10;
/// The minimum and maximum number of days in a chart.
const DAYS: (u32, u32) = (7, 60);

/// Generates the whole page.
pub fn page(figures: &Figures) -> String {
    let mut out = String::new();
    let title = format!("cachex: {}", escaped(&figures.store));
    let _ = write!(
        out,
        "{HEAD}<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n"
    );
    let since = figures.since.or(figures.days.first().map(|(day, _)| *day));
    let period = since.map_or(String::new(), |day| format!("{day} to {} (UTC)", figures.today));
    let _ = write!(
        out,
        "<header>\n<h1>cachex</h1>\n<p><code>{}</code></p>\n<p>{period}</p>\n</header>\n",
        escaped(&figures.store)
    );
    if figures.is_empty() {
        let what = if figures.since.is_some() { "in this time" } else { "yet" };
        let _ = writeln!(out, "<p class=\"empty\">Nothing recorded {what}.</p>");
    } else {
        cards(&mut out, figures);
        warnings(&mut out, figures);
        all_charts(&mut out, figures);
        tables(&mut out, figures);
    }
    let _ = write!(
        out,
        "</main>\n<footer><p>A call is a hit or a miss. Runs in the background, and expired results \
         served because a run failed, are counted separately. {COMPARED} Made by cachex {}.</p>\
         </footer>\n</body>\n</html>\n",
        env!("CARGO_PKG_VERSION")
    );
    out
}

fn cards(out: &mut String, figures: &Figures) {
    let total = &figures.total;
    let runs = total.0.recorded.saturating_add(total.0.unrecorded);
    let mut cards = vec![
        (
            "hits",
            "Hit rate",
            percent(total.hit_rate()),
            format!("{} of {}", counted(total.hits(), "hit", "hits"), calls(total.calls())),
        ),
        (
            "saved",
            "Time saved",
            span(total.saved()),
            format!("serving took {}", span(total.hit_time())),
        ),
        (
            "misses",
            "Misses",
            number(total.misses()),
            format!("{} of run time", span(total.run_time())),
        ),
        (
            "store",
            "Stored",
            ui::bytes(figures.bytes),
            format!(
                "{}; {} of output recorded",
                ui::count(figures.entries, "entry", "entries"),
                ui::bytes(total.0.bytes)
            ),
        ),
        (
            "runs",
            "Not recorded",
            number(total.0.unrecorded),
            format!("of {}", counted(runs, "run", "runs")),
        ),
        (
            "stale",
            "Stale served",
            number(total.0.stale),
            format!("{} in the background", counted(total.refreshes(), "refresh", "refreshes")),
        ),
    ];
    if total.has_remote() {
        let [received, sent] = total.remote_bytes();
        let failed = total.remotely(Remotely::Failed);
        cards.push((
            "remote",
            "Remote hits",
            number(total.remotely(Remotely::Hit)),
            format!(
                "of {}, {} failed; {} received",
                counted(total.asked_there(), "look-up", "look-ups"),
                number(failed),
                ui::bytes(received)
            ),
        ));
        cards.push((
            "sent",
            "Sent",
            number(total.remotely(Remotely::Sent)),
            format!("{}; {} not sent", ui::bytes(sent), number(total.remotely(Remotely::NotSent))),
        ));
    }
    *out += "<section class=\"cards\" aria-label=\"Summary\">\n";
    for (class, name, value, means) in cards {
        let _ = writeln!(
            out,
            "<div class=\"card {class}\"><h2>{name}</h2><p class=\"value\">{value}</p><p>{means}</p></div>"
        );
    }
    *out += "</section>\n";
}

fn warnings(out: &mut String, figures: &Figures) {
    let costly = figures.costly();
    if costly.is_empty() {
        return;
    }
    *out += "<section class=\"warning\" aria-label=\"Warnings\">\n<h2>Costs more than it saves</h2>\n<ul>\n";
    for costly in costly {
        let _ = writeln!(
            out,
            "<li><code>{}</code>: {}</li>",
            escaped(&costly.command),
            escaped(&costly.explained())
        );
    }
    *out += "</ul>\n</section>\n";
}

fn all_charts(out: &mut String, figures: &Figures) {
    let days = figures.chart(DAYS.0, DAYS.1);
    let label = |day: &super::days::Day| day.short();
    let calls: Vec<_> = days
        .iter()
        .map(|(day, sums)| charts::Column {
            label: label(day),
            parts: vec![("hit", sums.hits()), ("miss", sums.misses())],
            means: format!(
                "{day}: {}, {}",
                counted(sums.hits(), "hit", "hits"),
                counted(sums.misses(), "miss", "misses")
            ),
        })
        .collect();
    let saved: Vec<_> = days
        .iter()
        .map(|(day, sums)| charts::Column {
            label: label(day),
            parts: vec![("saved", sums.0.saved_ns)],
            means: format!("{day}: {} saved", span(sums.saved())),
        })
        .collect();
    let time = |nanos: u64| span(std::time::Duration::from_nanos(nanos));
    *out += "<section class=\"charts\" aria-label=\"Charts\">\n";
    figure(
        out,
        "Calls by day",
        Some(KEY),
        &charts::columns("Calls by day", &calls, charts::COUNTS, number),
    );
    figure(
        out,
        "Time saved by day",
        None,
        &charts::columns("Time saved by day", &saved, charts::TIMES, time),
    );
    let of_commands = |parts: &dyn Fn(&Sums) -> Vec<(&'static str, u64)>,
                       value: &dyn Fn(&Sums) -> String| {
        figures
            .commands
            .iter()
            .take(CHARTED)
            .map(|(name, sums)| charts::Row {
                label: name.clone(),
                parts: parts(sums),
                value: value(sums),
            })
            .collect::<Vec<_>>()
    };
    let rows = of_commands(&|sums| vec![("hit", sums.hits()), ("miss", sums.misses())], &|sums| {
        percent(sums.hit_rate())
    });
    figure(
        out,
        "Calls by command",
        Some(KEY),
        &charts::rows("Calls by command, with hit rates", &rows),
    );
    let rows = of_commands(&|sums| vec![("saved", sums.0.saved_ns)], &|sums| span(sums.saved()));
    figure(out, "Time saved by command", None, &charts::rows("Time saved by command", &rows));
    *out += "</section>\n";
}

/// The name of the row of totals.
const ALL: &str = "<strong>All</strong>";
/// The legend of the colours of hits and misses.
const KEY: &str = "<span class=\"key hit\">hits</span> <span class=\"key miss\">misses</span>";

fn figure(out: &mut String, title: &str, key: Option<&str>, chart: &str) {
    let key = key.unwrap_or_default();
    let _ = writeln!(
        out,
        "<figure>\n<figcaption><h2>{title}</h2><p>{key}</p></figcaption>\n{chart}</figure>"
    );
}

fn tables(out: &mut String, figures: &Figures) {
    let rows = figures
        .commands
        .iter()
        .map(|(name, sums)| (format!("<code>{}</code>", escaped(name)), sums));
    table(out, "Commands", "Command", rows.chain([(ALL.to_owned(), &figures.total)]));
    let rows = figures.days.iter().rev().map(|(day, sums)| (day.to_string(), sums));
    table(out, "Days", "Day (UTC)", rows);

    *out += "<section>\n<h2 id=\"misses\">Misses</h2>\n<div class=\"scroll\" role=\"region\" \
             aria-labelledby=\"misses\" tabindex=\"0\">\n<table>\n<thead><tr><th scope=\"col\">Reason</th>\
             <th scope=\"col\">Calls</th><th scope=\"col\" class=\"bar\"><span>Share</span></th></tr></thead>\n<tbody>\n";
    let total = &figures.total;
    for why in REASONS {
        let missed = total.0.missed(why);
        let _ = writeln!(
            out,
            "<tr><th scope=\"row\">{why}</th><td>{}</td><td class=\"bar\">{}</td></tr>",
            number(missed),
            charts::bar(&[("miss", missed)], total.misses())
        );
    }
    *out += "</tbody>\n</table>\n</div>\n</section>\n";
}

/// Writes a table of the figures of calls, by kind.
fn table<'s>(
    out: &mut String,
    title: &str,
    kind: &str,
    rows: impl Iterator<Item = (String, &'s Sums)>,
) {
    let heads = [
        "Calls",
        "Hits",
        "Misses",
        "Hit rate",
        "Time saved",
        "A hit",
        "A run",
        "Stale",
        "Not recorded",
        "Output",
    ];
    let id = title.to_lowercase();
    let _ = write!(
        out,
        "<section>\n<h2 id=\"{id}\">{title}</h2>\n<div class=\"scroll\" role=\"region\" \
         aria-labelledby=\"{id}\" tabindex=\"0\">\n<table>\n<thead><tr><th scope=\"col\">{kind}</th>"
    );
    for head in heads {
        let _ = write!(out, "<th scope=\"col\">{head}</th>");
    }
    *out += "</tr></thead>\n<tbody>\n";
    let mean = |mean: Option<_>| mean.map_or_else(|| "–".to_owned(), span);
    for (name, sums) in rows {
        let _ = write!(out, "<tr><th scope=\"row\">{name}</th>");
        let cells = [
            number(sums.calls()),
            number(sums.hits()),
            number(sums.misses()),
            percent(sums.hit_rate()),
            span(sums.saved()),
            mean(sums.mean_hit()),
            mean(sums.mean_run()),
            number(sums.0.stale),
            number(sums.0.unrecorded),
            ui::bytes(sums.0.bytes),
        ];
        for cell in cells {
            let _ = write!(out, "<td>{}</td>", escaped(&cell));
        }
        *out += "</tr>\n";
    }
    *out += "</tbody>\n</table>\n</div>\n</section>\n";
}

fn calls(count: u64) -> String {
    counted(count, "call", "calls")
}

/// Escapes text for HTML elements and attributes.
fn escaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => plain.push_str("&amp;"),
            '<' => plain.push_str("&lt;"),
            '>' => plain.push_str("&gt;"),
            '"' => plain.push_str("&quot;"),
            '\'' => plain.push_str("&#39;"),
            _ => plain.push(c),
        }
    }
    plain
}
