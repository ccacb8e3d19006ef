//! The text form of an explanation.

use crate::key::LeftOut;
use crate::run::{
    Advice, Answer, Automatic, Effect, Explanation, Nearest, Refresh, Sources, State, There,
};
use crate::ui::{self, Credentials, Screen, Tone};
use cachex_base::record::entry::Entry;
use cachex_base::streams::messages::{self};
use cachex_base::system::clock::Timestamp;
use cachex_base::text::quote::{harmless, rounded};
use cachex_base::text::values::ExeMode;
use std::ffi::OsStr;
use std::io::{Result, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

/// The maximum number of differences to list, unless `--all` is given.
const SHOWN: usize = 12;

/// The warning about advice that leaves something out of the key.
const CAUTION: &str = "leave something out only if the output does not depend on it";

/// The display settings.
#[derive(Clone, Copy)]
pub struct Look {
    /// The kind of standard output.
    pub screen: Screen,
    /// True if everything is listed.
    pub all: bool,
    /// The treatment of credentials in command lines.
    pub credentials: Credentials,
}

impl Look {
    /// Returns the part of a list to show, and a line about the rest.
    fn fold<'l, T>(&self, list: &'l [T]) -> (&'l [T], Option<String>) {
        let shown = if self.all || list.len() <= SHOWN { list.len() } else { SHOWN - 1 };
        let more = list.len() - shown;
        let more = (more > 0).then(|| format!("and {more} more, which --all lists"));
        (&list[..shown], more)
    }

    /// Formats a command line, cut unless everything is listed.
    fn line<'w>(&self, argv: impl IntoIterator<Item = &'w [u8]>) -> String {
        let line = self.credentials.line(argv);
        if self.all { line } else { cut(&line) }
    }
}

/// Writes an explanation.
pub fn write(out: &mut dyn Write, look: Look, told: &Explanation<'_>) -> Result<()> {
    let screen = look.screen;
    let (verdict, tone) =
        if told.state.is_hit() { ("hit", Tone::Good) } else { ("miss", Tone::Bad) };
    let verdict = screen.paint(tone, verdict);
    let why = harmless(&why(told)).into_owned();
    writeln!(out, "{verdict} {} {why}", messages::short(&told.key))?;
    sources(out, look, &told.sources)?;
    if let Some(there) = &told.remote {
        part(out, screen, "remote store", &remote(there))?;
    }
    if let Some(automatic) = &told.automatic {
        facts(out, look, automatic)?;
    }
    let has_facts = told.automatic.as_ref().is_some_and(|it| it.facts.is_some());
    if let Some(nearest) = &told.nearest {
        near(out, look, nearest)?;
    } else if matches!(told.state, State::NotRecorded) && !has_facts {
        writeln!(out, "\nnothing like it is recorded")?;
    }
    for advice in &told.advice {
        writeln!(out, "\n{}", harmless(&advised(advice)))?;
        if leaves_out(advice) {
            writeln!(out, "{CAUTION}")?;
        }
    }
    Ok(())
}

/// Explains why a call is a hit or a miss, including the differing facts of an automatic call.
pub fn why(told: &Explanation<'_>) -> String {
    let Some(automatic) =
        told.automatic.as_ref().filter(|_| matches!(told.state, State::NotRecorded))
    else {
        return reason(&told.state, told.entry.as_ref());
    };
    match (&automatic.differing[..], &automatic.refused, &automatic.unsupported) {
        (_, _, Some(why)) => format!("nothing can be recorded: {why}"),
        (_, Some(refused), _) => format!("the last run was not recorded: {}", refused.why),
        ([first, rest @ ..], ..) => {
            let facts = automatic.facts.unwrap_or_default();
            let nearest = automatic.nearest.map_or_else(String::new, |created| {
                format!(". Nearest: recorded {} ago", ui::age(Timestamp::now(), created))
            });
            format!("{}; {} of {facts} facts{nearest}", first.in_words(), 1 + rest.len())
        }
        ([], ..) => reason(&told.state, told.entry.as_ref()),
    }
}

/// Lists the facts that differ, if there are more than the summary tells.
fn facts(out: &mut dyn Write, look: Look, told: &Automatic) -> Result<()> {
    if let Some(count) = told.facts {
        part(
            out,
            look.screen,
            "what it reads",
            &format!("{count} facts, as `cachex inputs` lists"),
        )?;
    }
    if let Some(valid) = told.valid {
        part(out, look.screen, "valid", valid)?;
    }
    if told.differing.len() < 2 && told.refused.is_none() {
        return Ok(());
    }
    writeln!(out)?;
    let (shown, more) = look.fold(&told.differing);
    let told = shown.iter().map(|differing| harmless(&differing.in_words()).into_owned());
    told.chain(more).try_for_each(|line| writeln!(out, "  {line}"))
}

/// Explains the state of an entry.
fn reason(state: &State, entry: Option<&Entry>) -> String {
    let (success, failure) = ("--expires-in", "--failure-expires-in");
    let option = if entry.is_none_or(|entry| entry.status == 0) { success } else { failure };
    match state {
        State::Fresh { age, left, refresh } => {
            let left = left.map_or("never expires".to_owned(), |left| {
                format!("expires in {}", ui::coarse(left))
            });
            let refresh = match refresh {
                Refresh::No => "",
                Refresh::Due => ", will be refreshed in the background at the next call",
                Refresh::Paused => {
                    ", due for a refresh, which failed recently and is not retried yet"
                }
            };
            format!("fresh, {} old, {left}{refresh}", ui::coarse(*age))
        }
        State::Remote { age } => {
            format!("fresh in the remote store, {} old: the next call fetches it", ui::coarse(*age))
        }
        State::Stale { age } => format!(
            "stale, {} old: the command failed recently and is not retried yet",
            ui::coarse(*age)
        ),
        State::Expired { since, limit, by_reader, stands_in } => {
            let limit = span(*limit);
            let by = match by_reader {
                true => format!("this call's {option} is {limit}"),
                false => format!("recorded with {option} {limit}"),
            };
            let then = if *stands_in { "; served if the command fails" } else { "" };
            format!("expired {} ago: {by}{then}", ui::coarse(*since))
        }
        State::Future => "recorded in the future: the clock went backwards since".to_owned(),
        State::NotRecorded => "not recorded yet".to_owned(),
        State::Forced => "the command always runs: --force".to_owned(),
        State::Incomplete { gone: true } => "some of the recorded output is gone".to_owned(),
        State::Incomplete { gone: false } => "some of the recorded output is damaged".to_owned(),
        State::Damaged => "the record is damaged".to_owned(),
        State::Unreadable(why) => format!("the record cannot be read: {why}"),
        State::OtherOutputs => "recorded with other outputs than these".to_owned(),
        State::Edited(path) => format!(
            "{} has changed since the run that was recorded, which left it alone",
            ui::word(path.as_os_str().as_bytes())
        ),
        State::OtherStatus { status } => {
            format!("recorded with exit status {status}, which this call's --exit-codes leaves out")
        }
        State::Off(Some(why)) => why.clone(),
        State::Off(None) => "cachex is switched off: CACHEX_DISABLE or --mode off".to_owned(),
    }
}

/// Formats a limit as it was typed, unless jitter made it an odd one.
fn span(limit: Duration) -> String {
    if limit.subsec_nanos() == 0 {
        return humantime::format_duration(limit).to_string();
    }
    rounded(limit)
}

fn part(out: &mut dyn Write, screen: Screen, name: &str, text: &str) -> Result<()> {
    let name = screen.paint(Tone::Heading, &format!("{name:<17}"));
    writeln!(out, "  {name}  {}", harmless(text))
}

/// Formats the URL of a remote store, its mode and its answer.
fn remote(there: &There<'_>) -> String {
    let said = match &there.answer {
        Answer::NotAsked => String::new(),
        Answer::Home(home) => format!(": not queried, and nothing is sent: {home}"),
        Answer::Entry { .. } => ": it has the result".to_owned(),
        Answer::Nothing => ": it has no fresh result".to_owned(),
        Answer::Refused => ": its result is damaged or not trusted".to_owned(),
        Answer::Paused(outage) => {
            let until = ui::date(outage.until());
            format!(": left alone until {until}, as it failed: {}", outage.why)
        }
        Answer::Failed(why) => format!(": it does not answer: {why}"),
    };
    format!("{} ({}){said}", there.url, ui::choice(&there.mode))
}

fn sources(out: &mut dyn Write, look: Look, told: &Sources<'_>) -> Result<()> {
    let mut part = |name: &str, text: &str| part(out, look.screen, name, text);
    part("arguments", &look.line(told.argv.iter().map(|arg| arg.as_bytes())))?;
    let path = told.executable.as_deref().map(in_shell).unwrap_or_default();
    part(
        "executable",
        &match told.exe {
            ExeMode::Stat => format!("{path} (stat: size, modification time)"),
            ExeMode::Content => format!("{path} (its contents, in any place)"),
            ExeMode::Name => "any of this name".to_owned(),
        },
    )?;
    let cwd = told.cwd.as_deref().map(in_shell);
    part("working directory", cwd.as_deref().unwrap_or("not part of the key"))?;
    part("variables", &variables(told))?;
    if look.all {
        for (title, names) in groups(told) {
            let titles = std::iter::once(title.as_str()).chain(std::iter::repeat(""));
            for (title, name) in titles.zip(&names) {
                part(title, name)?;
            }
        }
    }
    part(
        "standard input",
        match told.stdin {
            "null" => "nothing is passed on (--stdin null)",
            "inherit" => "not part of the key (--stdin inherit)",
            "terminal" => "a terminal; typed input is not part of the key",
            "closed" => "closed",
            "empty" => "empty (/dev/null)",
            "write-only" => "/dev/null, for writing only",
            "file" => "the contents of a file",
            "socket" => "the contents of a socket",
            _ => "the contents of a pipe",
        },
    )?;
    if let Some(count) = told.inputs {
        part(
            "input files",
            &match count {
                0 => "none, as nothing matches".to_owned(),
                count => ui::count(count as u64, "file", "files"),
            },
        )?;
    }
    let (unkeyed, more) = look.fold(&told.unkeyed);
    for name in unkeyed {
        let name = ui::word(name.as_bytes());
        part(
            "not in the key",
            &format!("{name}, an argument; `--input {name}` adds it, or `--auto`"),
        )?;
    }
    more.map_or(Ok(()), |more| part("", &more))?;
    if let Some(shim) = &told.shim {
        part("not in the key", shim)?;
    }
    let (commands, more) = look.fold(told.commands);
    for command in commands {
        part("input command", &look.credentials.text(command))?;
    }
    more.map_or(Ok(()), |more| part("", &more))?;
    if let Some(base) = &told.base {
        part("base folder", &format!("{}, in any place", in_shell(base)))?;
    }
    for (name, value) in &told.platform {
        part(name, value)?;
    }
    part("key text", if told.has_text { "given, not shown" } else { "none" })?;
    part("scope", &told.scope.map_or("none".to_owned(), |scope| ui::word(scope.as_bytes())))?;
    part(
        "terminal",
        &told
            .columns
            .map_or("none".to_owned(), |columns| format!("one of {columns} columns and this kind")),
    )
}

/// Returns the names of the variables: those in the key, and the others grouped by why they are
/// not.
fn groups(told: &Sources<'_>) -> Vec<(String, Vec<String>)> {
    let mut left_out = told.left_out.clone();
    left_out.sort_by_key(|(name, why)| (*why, *name));
    let counted = told.counted.iter().map(|name| name_of(name)).collect();
    let others = left_out.chunk_by(|(_, one), (_, other)| one == other).map(|alike| {
        let names = alike.iter().map(|(name, _)| name_of(name)).collect();
        (format!("  not: {}", in_a_word(alike[0].1)), names)
    });
    std::iter::once(("  counted".to_owned(), counted)).chain(others).collect()
}

fn variables(told: &Sources<'_>) -> String {
    let counted = match told.counted.len() {
        0 => "none counted".to_owned(),
        count => format!("{count} counted"),
    };
    let mut why: Vec<LeftOut> = told.left_out.iter().map(|(_, why)| *why).collect();
    why.sort_unstable();
    let kinds: Vec<String> = why
        .chunk_by(|one, other| one == other)
        .map(|alike| {
            let kind = in_a_word(alike[0]);
            if alike.len() == why.len() {
                kind.to_owned()
            } else {
                format!("{} {kind}", alike.len())
            }
        })
        .collect();
    let chosen = told.chosen.as_ref().map(|it| format!(", selected by `{}`", spelt(&it.words())));
    let chosen = chosen.unwrap_or_default();
    match why.len() {
        0 => format!("{counted}{chosen}"),
        count => format!("{counted}, {count} left out ({}){chosen}", kinds.join(", ")),
    }
}

/// Names the reason why a variable is left out.
pub fn in_a_word(why: LeftOut) -> &'static str {
    match why {
        LeftOut::Session => "session",
        LeftOut::Directory => "directory",
        LeftOut::Option => "option",
        LeftOut::Jobs => "make jobs",
        LeftOut::Host => "host",
    }
}

fn name_of(name: &OsStr) -> String {
    harmless(&name.to_string_lossy()).into_owned()
}

fn in_shell(path: &Path) -> String {
    ui::word(path.as_os_str().as_bytes())
}

fn near(out: &mut dyn Write, look: Look, nearest: &Nearest) -> Result<()> {
    let entry = &nearest.entry;
    let now = Timestamp::now();
    let line = if nearest.same_line {
        "the same command line".to_owned()
    } else {
        look.line(entry.about.words())
    };
    let expired = entry.expires().is_some_and(|expires| expires <= now);
    let title = look.screen.paint(Tone::Heading, "nearest");
    writeln!(
        out,
        "\n{title} {}, recorded {} ago{}: {}",
        messages::short(&entry.key),
        ui::age(now, entry.created),
        if expired { ", expired" } else { "" },
        harmless(&line)
    )?;
    let told = nearest.sentences(look.credentials);
    let (shown, more) = look.fold(&told);
    let shown = shown.iter().map(|sentence| harmless(sentence).into_owned());
    shown.chain(more).try_for_each(|line| writeln!(out, "  {line}"))
}

/// Cuts a command line, which is only a hint here.
fn cut(line: &str) -> String {
    const WIDEST: usize = 200;
    match line.char_indices().nth(WIDEST) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line.to_owned(),
    }
}

/// Formats a piece of advice.
pub fn advised(advice: &Advice) -> String {
    let with: Vec<String> = advice.with.iter().map(|option| spelt(option)).collect();
    let with = with.join(" ");
    let mut terms = Vec::new();
    if !with.is_empty() {
        terms.push(format!("with `{with}`"));
    }
    if !advice.without.is_empty() {
        terms.push(format!("without `{}`", advice.without.join(" ")));
    }
    if advice.no_input {
        terms.push("with `</dev/null`".to_owned());
    }
    match advice.effect {
        Effect::Hit => format!("would hit {}", terms.join(", ")),
        Effect::Shared => {
            format!("`{with}` leaves out what differs: calls with it share one result")
        }
    }
}

/// Returns whether following the advice leaves something out of the key.
pub fn leaves_out(advice: &Advice) -> bool {
    const OPTIONS: [&str; 9] = [
        "--base-dir",
        "--env",
        "--exe",
        "--ignore-env",
        "--no-cwd",
        "--no-env",
        "--portable",
        "--platform",
        "--stdin",
    ];
    let is_one = |option: &Vec<String>| option.first().is_some_and(|it| OPTIONS.contains(&&it[..]));
    advice.with.iter().any(is_one)
        || advice.without.iter().any(|option| ["--key", "--scope"].contains(option))
}

/// Formats an option as one types it. A comma between plain words needs no quotes.
fn spelt(option: &[String]) -> String {
    let words = option.iter().map(|word| {
        let parts: Vec<String> = word.split(',').map(|part| ui::word(part.as_bytes())).collect();
        parts.join(",")
    });
    words.collect::<Vec<_>>().join(" ")
}
