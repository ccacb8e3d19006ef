//! Tests of the display helpers.

use super::table::LAID_OUT;
use super::*;
use cachex_base::text::quote::is_harmless;

fn table(screen: Screen, rows: &[&[&str]]) -> String {
    let mut out = Vec::new();
    let columns = vec![Column::text("KEY"), Column::number("SIZE"), Column::text("COMMAND")];
    let mut table = Table::new(screen, &mut out, columns);
    for row in rows {
        table.row(Tone::Plain, row.iter().map(|cell| (*cell).to_owned()).collect()).unwrap();
    }
    table.finish().unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_table_is_aligned_and_nothing_of_it_is_cut_where_there_is_no_terminal() {
    let long = "x".repeat(300);
    let shown = table(Screen::default(), &[&["ab", "1", "echo hi"], &["abcd", "1234", &long]]);
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines[..2], ["KEY   SIZE  COMMAND", "ab       1  echo hi"]);
    assert_eq!(lines[2], format!("abcd  1234  {long}"));
}

#[test]
fn on_a_terminal_the_last_column_is_cut_to_the_width() {
    let screen = Screen { width: Some(40), ..Screen::default() };
    let shown = table(screen, &[&["ab", "1", "a command line of several words, and long"]]);
    assert_eq!(shown.lines().nth(1), Some("ab      1  a command line of several wo…"));
    assert!(shown.lines().all(|line| line.chars().count() <= 40), "{shown}");
    let wide = table(screen, &[&["ab", "1", &"名".repeat(60)]]);
    assert_eq!(wide.lines().count(), 2);
}

#[test]
fn rows_beyond_the_first_page_keep_their_columns() {
    let mut rows = vec![["ab", "1", "echo"]; 2 * LAID_OUT + 1];
    rows[0][1] = "123456";
    rows[LAID_OUT][0] = "abcdefgh";
    let rows: Vec<&[&str]> = rows.iter().map(|row| &row[..]).collect();
    let shown = table(Screen::default(), &rows);
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines.len(), rows.len() + 1);
    assert_eq!(lines[2], "ab        1  echo");
    assert_eq!(lines.last(), Some(&"ab             1  echo"));
}

#[test]
fn an_optional_column_is_there_from_the_first_page_that_fills_it() {
    let mut out = Vec::new();
    let columns = vec![Column::text("KEY"), Column::text("TAGS").optional(), Column::text("CMD")];
    let mut table = Table::new(Screen::default(), &mut out, columns);
    for row in 0..2 * LAID_OUT {
        let tag = if row == LAID_OUT { "nightly" } else { "" };
        table.row(Tone::Plain, ["ab", tag, "echo"].map(str::to_owned).to_vec()).unwrap();
    }
    table.finish().unwrap();
    let shown = String::from_utf8(out).unwrap();
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines[..2], ["KEY  CMD", "ab   echo"]);
    assert_eq!(lines[LAID_OUT + 1..LAID_OUT + 3], ["KEY  TAGS     CMD", "ab   nightly  echo"]);
}

#[test]
fn json_is_exact_and_steers_no_terminal() {
    let text = "a\"\\\x1b[2J\u{9b}\u{7f}\u{202e}\u{e0001}名\n";
    let mut out = Vec::new();
    let mut array = JsonArray::new(&mut out);
    array.item(&text).unwrap();
    array.item(&1).unwrap();
    array.finish().unwrap();
    let printed = String::from_utf8(out).unwrap();
    assert_eq!(printed.lines().count(), 4, "{printed}");
    assert!(is_harmless(&printed.replace('\n', "")), "{printed}");
    assert_eq!(serde_json::from_str::<(String, u8)>(&printed).unwrap(), (text.to_owned(), 1));
}

#[test]
fn nothing_in_a_cell_steers_a_terminal_or_makes_a_line() {
    let shown = table(Screen::default(), &[&["a\x1b[2Jb", "1", "x\ny\r\u{9b}31m"]]);
    assert_eq!(shown.lines().count(), 2);
    assert!(!shown.contains(['\x1b', '\u{9b}', '\r']));
}

#[test]
fn colours_are_around_whole_lines_and_only_where_they_are_wanted() {
    let screen = Screen { colour: true, ..Screen::default() };
    assert_eq!(screen.paint(Tone::Bad, "x"), "\x1b[31mx\x1b[0m");
    assert_eq!(screen.paint(Tone::Plain, "x"), "x");
    assert_eq!(Screen::default().paint(Tone::Bad, "x"), "x");
}

#[test]
fn words_are_quoted_so_that_a_shell_reads_them_back() {
    assert_eq!(Credentials::Masked.line([&b"echo"[..], b"a b", b""]), "echo 'a b' ''");
    assert_eq!(word(b"it's"), r#""it's""#);
    assert_eq!(word(b"\x1b[31m\n'\\\xff1"), r"$'\033[31m\n\'\\\3771'");
    let odd: Vec<u8> = (1..=255).collect();
    let script = format!("printf %s {}", word(&odd));
    let out = std::process::Command::new("bash").args(["-c", &script]).output().unwrap();
    assert_eq!(out.stdout, odd);
}

#[test]
fn spans_sizes_and_counts_are_short() {
    let of = |seconds| coarse(Duration::from_secs(seconds));
    assert_eq!([of(0), of(59), of(61), of(7200), of(86_400 * 9)], ["0s", "59s", "1m", "2h", "9d"]);
    let now = Timestamp(100_000_000_000);
    assert_eq!(expiry(now, None), "never");
    assert_eq!(expiry(now, Some(now)), "expired");
    assert_eq!(expiry(now, Some(now.plus(Duration::from_mins(5)))), "in 5m");
    assert_eq!(age(now, Timestamp(40_000_000_000)), "1m");
    assert_eq!(age(now, now.plus(Duration::from_secs(1))), "–");
    assert_eq!(short_bytes(1_258_291), "1.2M");
    assert_eq!(bytes(1_258_291), "1.2 MiB");
    assert_eq!(
        [count(0, "entry", "entries"), count(2, "entry", "entries")],
        ["no entry", "2 entries"]
    );
}
