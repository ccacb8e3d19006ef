//! How figures are shown: to people at terminals, to people elsewhere, and in
//! the summary of a CI job.

use super::log::{Log, fortnight};
use crate::harness::{Cachex, cachex};
use std::time::Duration;

#[track_caller]
fn shown(cachex: &Cachex, options: &str) -> String {
    cachex.cli(["stats"]).with(options).once().exits(0).quietly().stdout()
}

/// The first line that begins so.
#[track_caller]
fn line<'t>(text: &'t str, beginning: &str) -> &'t str {
    let found = text.lines().find(|line| line.starts_with(beginning));
    found.unwrap_or_else(|| panic!("no line begins with {beginning:?}:\n{text}"))
}

#[test]
fn people_are_shown_numbers_bars_and_trends() {
    let cachex = cachex();
    fortnight().replaces(&cachex);
    let text = shown(&cachex, "");
    assert!(line(&text, "Hit rate").contains("75.0 %  ███"), "{text}");
    assert!(line(&text, "Calls").contains("80  60 hits, 20 misses"), "{text}");
    assert!(line(&text, "Time saved").contains("9m  serving took 42 ms"), "{text}");
    assert!(line(&text, "Time run").contains("20 runs, 0 not recorded"), "{text}");
    assert!(line(&text, "not recorded yet").contains("20  ███"), "{text}");
    let trend: Vec<char> =
        line(&text, "calls ").chars().filter(|c| ('▁'..='█').contains(c)).collect();
    assert_eq!(trend.len(), 14, "{text}");
    assert_eq!((trend[0], trend[1], trend[12]), ('▃', '▁', '█'), "{text}");
    let kubectl = line(&text, "kubectl");
    assert!(
        ["57", "78.9 %", "9m", "0.7 ms", "12.0 s"].iter().all(|cell| kubectl.contains(cell)),
        "{text}"
    );
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    assert!(!text.contains('\x1b'), "{text}");
}

#[test]
fn what_costs_more_than_it_saves_is_warned_of() {
    let cachex = cachex();
    fortnight().replaces(&cachex);
    let warning = "`date`: a hit takes 0.7 ms, the run took 0.5 ms: caching it costs time";
    for options in ["", "--format markdown"] {
        let text = shown(&cachex, options);
        assert!(text.contains(warning), "{text}");
        assert_eq!(text.matches("caching it costs time").count(), 1, "{text}");
        // What is compared is said.
        assert!(text.replace('\n', " ").contains("without the start of a process"), "{text}");
    }
    let cheap = super::all(&cachex);
    assert_eq!(super::of(&cheap, "date")["costs_time"], true);
    assert_eq!(super::of(&cheap, "kubectl")["costs_time"], false);
}

#[test]
fn where_letters_are_ascii_so_is_the_drawing() {
    let cachex = cachex();
    fortnight().replaces(&cachex);
    let stats = cachex.cli(["stats"]);
    for call in [
        stats.clone().env("LANG", "C"),
        stats.clone().env("LC_ALL", "POSIX"),
        stats.clone().env("LC_CTYPE", "de_DE.ISO-8859-1"),
        stats.clone().without("LANG"),
    ] {
        let text = call.once().exits(0).stdout();
        assert!(text.is_ascii(), "{text}");
        assert!(line(&text, "Hit rate").contains("####") && text.contains("...."), "{text}");
    }
    for locale in ["en_US.UTF-8", "C.utf8"] {
        let text = stats.clone().env("LC_ALL", locale).env("LANG", "C").once().stdout();
        assert!(line(&text, "Hit rate").contains('█'), "{text}");
    }
}

#[test]
fn a_terminal_gets_its_width_and_colours() {
    let cachex = cachex();
    let second = Duration::from_secs(1);
    Log::default()
        .misses("kubectl", 2, 0, second)
        .hits("kubectl", 8, 0, second, second / 1000)
        .replaces(&cachex);
    let screen = |setting: &str| {
        let mut terminal = cachex.terminal();
        let typed = format!("export TERM=xterm; {setting} cachex stats --no-pager; echo e''nd");
        terminal.types(&typed).shows("Command").shows("kubectl").shows("end");
        terminal.screen()
    };
    let narrow = screen("stty cols 60;");
    assert!(narrow.contains("\x1b[32m█") && narrow.contains("\x1b[1mCommand"), "{narrow}");
    assert!((50..=60).contains(&widest(&narrow)), "{}: {narrow}", widest(&narrow));
    let wide = screen("stty cols 200; NO_COLOR=1");
    assert!(!wide.contains('\x1b'), "{wide}");
    assert!((80..=100).contains(&widest(&wide)), "{}: {wide}", widest(&wide));
}

/// The letters of the longest line of figures, colours left out.
fn widest(screen: &str) -> usize {
    let width = |line: &str| {
        let mut parts = line.split('\x1b');
        let first = parts.next().map_or(0, |text| text.chars().count());
        let rest = parts.map(|part| part.split_once('m').unwrap().1.chars().count());
        first + rest.sum::<usize>()
    };
    // The name of the store is as long as it is.
    screen.lines().skip_while(|line| !line.contains("Hit rate")).map(width).max().unwrap()
}

#[test]
fn what_is_too_much_for_a_screen_is_counted() {
    let cachex = cachex();
    let second = Duration::from_secs(1);
    let mut log = Log::default();
    for number in 0..25 {
        let days_ago = number;
        log = log.misses(&format!("command-{number}"), 1, days_ago, second);
    }
    log.replaces(&cachex);
    let text = shown(&cachex, "");
    assert!(text.contains("\nand 11 earlier: --json has all\n"), "{text}");
    assert!(text.contains("\nand 5 more: --json has all\n"), "{text}");
    let figures = super::all(&cachex);
    assert_eq!(figures["commands"].as_array().unwrap().len(), 25);
    assert_eq!(figures["days"].as_array().unwrap().len(), 25);
}

#[test]
fn names_steer_no_terminal() {
    let cachex = cachex();
    let evil = "evil\x1b[31m\u{202e}";
    cachex.tool(evil, "echo hi");
    cachex.exec([evil]).once().misses();
    for options in ["", "--format markdown", "--html -"] {
        let text = shown(&cachex, options);
        assert!(text.contains("evil\\u{1b}[31m\\u{202e}") || text.contains("evil&#92;u"), "{text}");
        assert!(!text.contains(['\x1b', '\u{202e}']), "{options}: {text}");
    }
}

#[test]
fn a_ci_summary_is_made_of_tables() {
    let cachex = cachex();
    fortnight().replaces(&cachex);
    let text = shown(&cachex, "--format markdown");
    assert!(text.starts_with("### cachex\n\n**75.0 %** of 80 calls were hits"), "{text}");
    assert!(
        text.contains("| `kubectl` | 57 | 45 | 12 | 78.9 % | 9m | 0.7 ms | 12.0 s |\n"),
        "{text}"
    );
    assert!(text.contains("> [!WARNING]\n> `date`: "), "{text}");
    assert!(text.contains("<code>&#60;i&#62;&#124;&#96;&#38;&#34;&#39;&#42;</code>"), "{text}");
    // Every row of a table has the columns of its head.
    let mut columns = None;
    for row in text.lines() {
        let cells = row.starts_with('|').then(|| row.matches('|').count());
        assert!(columns.is_none() || cells.is_none() || columns == cells, "{row}:\n{text}");
        columns = cells;
    }
    assert!(text.ends_with('\n') && !text.ends_with("\n\n"), "it is appended to: {text:?}");
}

#[test]
fn a_reader_that_leaves_is_no_failure() {
    let cachex = cachex();
    fortnight().replaces(&cachex);
    let script = "set -o pipefail; cachex stats | head -n 1";
    cachex.shell(script).once().exits(0).quietly();
}
