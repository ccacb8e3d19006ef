//! The values of options: each type and its parser.

mod auto;
mod exit_codes;
mod limit;
mod patterns;
mod replay;
mod since;

use clap::builder::{OsStringValueParser, TypedValueParser};
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

pub use crate::record::entry::Tag;
pub use crate::text::mode::Mode;
pub use auto::{AutoAllow, AutoOutputs, AutoQuirks, AutoTimes};
pub use cachex_remote::{Access, PrivateKey, PublicKey, RemoteUrl};
pub use exit_codes::ExitCodes;
pub use limit::Limit;
pub use patterns::{InputPattern, OutputPattern, PathPattern, listed};
pub use replay::{ColorStrip, ReplayMode};
pub use since::Since;

/// Returns a clap parser that calls `parse`. A value that is not UTF-8 is reported as an invalid
/// value of the option, which is named.
pub fn text<T, E>(parse: fn(&str) -> Result<T, E>) -> impl TypedValueParser<Value = T>
where
    T: Clone + Send + Sync + 'static,
    E: fmt::Display + 'static,
{
    OsStringValueParser::new().try_map(move |value: OsString| {
        let text = value.to_str().ok_or_else(|| "it is not UTF-8".to_owned())?;
        parse(text).map_err(|error| error.to_string())
    })
}

/// Parses a duration such as `2s` or `1h 30m`; zero is an error.
pub fn duration(text: &str) -> Result<Duration, String> {
    const ACCEPTED: &str = "expected a duration above zero such as `2s`, `10m` or `1h 30m`";
    // For humantime, that is a month.
    if text
        .trim_end()
        .strip_suffix('M')
        .is_some_and(|it| it.ends_with(|c: char| c.is_ascii_digit()))
    {
        return Err(format!("`M` is not a unit: write `m` for minutes, or `months`; {ACCEPTED}"));
    }
    match humantime::parse_duration(text) {
        Ok(Duration::ZERO) => Err(ACCEPTED.to_owned()),
        Ok(duration) => Ok(duration),
        Err(error) => Err(format!("{error}; {ACCEPTED}")),
    }
}

/// The minimum size of a store: an empty one takes less than half of it.
pub const LEAST_STORE: u64 = 1_000_000;

/// Parses a size such as `64KiB`, `5GiB` or a number of bytes.
pub fn size(text: &str) -> Result<u64, String> {
    const ACCEPTED: &str = "expected a size such as `500kB`, `64MiB`, `5GiB` or a number of bytes";
    let size: bytesize::ByteSize = text.parse().map_err(|error| format!("{error}; {ACCEPTED}"))?;
    Ok(size.as_u64())
}

/// Parses the maximum size of a store.
pub fn store_size(text: &str) -> Result<u64, String> {
    match size(text)? {
        size if size < LEAST_STORE => Err("the minimum is 1MB".to_owned()),
        size => Ok(size),
    }
}

/// Parses the maximum number of entries.
pub fn entries(text: &str) -> Result<u64, String> {
    count(text).map(|count| count as u64)
}

/// Parses the name or the path of a shell.
pub fn shell(text: &str) -> Result<String, &'static str> {
    if text.is_empty() {
        return Err("expected the name or the path of a shell, such as `bash` or `/bin/dash`");
    }
    Ok(text.to_owned())
}

/// Parses a command for a shell.
pub fn shell_command(text: &str) -> Result<String, &'static str> {
    if text.trim().is_empty() {
        return Err("expected a command for the shell such as `git rev-parse HEAD`");
    }
    Ok(text.to_owned())
}

/// Parses a switch given as a variable.
pub fn switch(text: &str) -> Result<bool, String> {
    match text {
        "1" | "true" | "yes" | "on" => Ok(true),
        "" | "0" | "false" | "no" | "off" => Ok(false),
        _ => Err("expected `1`, `true`, `yes` or `on`, or `0`, `false`, `no` or `off`".to_owned()),
    }
}

/// A pattern for names of variables: `*`, `?` and `[…]` as in a shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamePattern {
    text: String,
    /// The pattern; none if the text is a plain name.
    glob: Option<glob::Pattern>,
    /// True if it was written with a `+`.
    adds: bool,
}

impl NamePattern {
    /// Returns the pattern as it was written, without a `+`.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns whether its list is added to that of the levels below.
    pub fn adds(&self) -> bool {
        self.adds
    }

    /// Returns whether it matches a name.
    pub fn matches(&self, name: &OsStr) -> bool {
        match &self.glob {
            None => name == self.text.as_str(),
            Some(glob) => glob.matches(&name.to_string_lossy()),
        }
    }
}

impl FromStr for NamePattern {
    type Err = String;

    fn from_str(text: &str) -> Result<NamePattern, String> {
        const ACCEPTED: &str = "expected names of variables or patterns, separated by commas, such as `HOME,LANG,AWS_*`";
        let (adds, text) = match text.strip_prefix('+') {
            Some(text) => (true, text),
            None => (false, text),
        };
        let is_bad = |c: char| c == '=' || c == '+' || c.is_whitespace() || c.is_control();
        if text.is_empty() || text.starts_with('$') || text.contains(is_bad) {
            return Err(ACCEPTED.to_owned());
        }
        let is_special = text.contains(['*', '?', '[']);
        let glob = is_special.then(|| glob::Pattern::new(text)).transpose();
        let glob =
            glob.map_err(|error| format!("{} at position {}; {ACCEPTED}", error.msg, error.pos))?;
        Ok(NamePattern { text: text.to_owned(), glob, adds })
    }
}

/// The way in which the executable is part of the key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ExeMode {
    /// Its resolved path, size and modification time
    #[default]
    Stat,
    /// Its contents, wherever it lies
    Content,
    /// Its name as given, and nothing else
    Name,
}

/// The standard input of the command, and its part in the key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum StdinMode {
    /// The contents are part of the key, unless typed at a terminal
    #[default]
    Hash,
    /// The command gets an empty standard input
    Null,
    /// The command gets it as it is, and it is not part of the key
    Inherit,
}

/// The format of figures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum StatsFormat {
    /// Tables, bars and sparklines, for a terminal
    #[default]
    Text,
    /// One object, for programs
    Json,
    /// Tables, for GitHub's job summaries and comments
    Markdown,
    /// Metrics, for Prometheus and whatever reads its text format
    Prometheus,
}

/// The grouping of results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum StatsBy {
    /// By tag; a result with several counts for each
    Tag,
    /// By what a shell or an interpreter ran: the text behind `-c`, or the file
    Script,
}

/// A prefix of the keys of entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPrefix(pub String);

impl KeyPrefix {
    /// The minimum number of digits: shorter prefixes would match by chance.
    pub const LEAST: usize = 4;
}

impl FromStr for KeyPrefix {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<KeyPrefix, Self::Err> {
        let fits = (KeyPrefix::LEAST..=64).contains(&text.len());
        if !fits || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err("expected 4 to 64 hexadecimal digits; put a command after `--`");
        }
        Ok(KeyPrefix(text.to_ascii_lowercase()))
    }
}

/// A pattern for whole command lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandPattern(glob::Pattern);

impl CommandPattern {
    /// Returns a glob that matches the whole command line.
    pub fn as_glob(&self) -> &str {
        self.0.as_str()
    }
}

impl FromStr for CommandPattern {
    type Err = String;

    /// Parses a pattern. Text without a special character matches anywhere.
    fn from_str(text: &str) -> Result<CommandPattern, String> {
        let anywhere = format!("*{text}*");
        let glob = if text.contains(['*', '?', '[']) { text } else { &anywhere };
        glob::Pattern::new(glob).map(CommandPattern).map_err(|error| {
            format!(
                "{} at position {}; expected a pattern such as `kubectl get *`",
                error.msg, error.pos
            )
        })
    }
}

/// Parses a number of things, which is at least one.
pub fn count(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| "expected a number above zero".to_owned())
}

/// Parses the name of a platform.
pub fn platform(text: &str) -> Result<String, &'static str> {
    let is_bad = |c: char| c == ',' || c.is_control();
    if text.is_empty() || text.len() > Tag::LIMIT - Tag::PLATFORM.len() || text.contains(is_bad) {
        return Err(
            "expected `any` or a name of 1 to 55 bytes, without commas and control characters",
        );
    }
    Ok(text.to_owned())
}

/// Parses a percentage such as `10` or `10%`.
pub fn percent(text: &str) -> Result<u8, String> {
    let number = text.strip_suffix('%').unwrap_or(text).parse().ok();
    number
        .filter(|percent| *percent <= 100)
        .ok_or_else(|| "expected a percentage from 0 to 100 such as `10`".to_owned())
}

/// Parses a compression level.
pub fn level(text: &str) -> Result<u8, String> {
    let number = text.parse().ok();
    number
        .filter(|level| *level <= 19)
        .ok_or_else(|| "expected a level from 0 (off) to 19 such as `3`".to_owned())
}

/// Parses an exit status.
pub fn status(text: &str) -> Result<u8, String> {
    text.parse().map_err(|_| "expected a status from 0 to 255".to_owned())
}

/// Parses the number of a descriptor.
pub fn descriptor(text: &str) -> Result<i32, String> {
    text.parse()
        .ok()
        .filter(|fd| *fd >= 0)
        .ok_or_else(|| "expected the number of an open descriptor such as `3`".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use cachex_core::span;

    #[test]
    fn durations_are_above_zero_and_carry_a_unit() {
        assert_eq!(duration("1h 30m"), Ok(Duration::from_mins(90)));
        assert!(duration("1month").is_ok());
        assert!(duration("1h 10M").unwrap_err().contains("`m` for minutes"));
        for bad in ["0s", "-2s", "2 fortnights", "", "99999999999999999999y", "5"] {
            let message = duration(bad).unwrap_err();
            assert!(message.contains("such as `2s`"), "{bad}: {message}");
        }
    }

    /// Checks the front's own parser and formatter of durations against the general ones.
    #[test]
    fn spans_are_those_of_everybody() {
        let known = ["10ms", "1s", "9999w", "1h30m", "1h 30m", "1week 2days 3min", "1m1m", "2sec"];
        for text in known {
            let nanos = duration(text).unwrap().as_nanos();
            assert_eq!(span::read(text.as_bytes()).map(u128::from), Some(nanos), "{text}");
        }
        for text in ["", "0s", "1", "s", "1h30", "1x", " 1h", "1h ", "-1s", "1.5h", "99999s", "1H"]
        {
            assert_eq!(span::read(text.as_bytes()), None, "{text}");
        }
        for shift in 0..64 {
            for nanos in
                [1 << shift, (1 << shift) - 1, u64::MAX >> shift, 0x5a5a_5a5a << (shift / 2)]
            {
                let unit = if nanos < 86_400_000_000_000 { 1_000_000_000 } else { 60_000_000_000 };
                let mut text = Vec::new();
                span::tell_rounded(nanos, &mut text);
                let text = String::from_utf8(text).unwrap();
                // Months and years are not whole minutes, and their seconds are omitted.
                if (60_000_000_000..2_630_016_000_000_000).contains(&nanos) {
                    let rounded = Duration::from_nanos(nanos / unit * unit);
                    assert_eq!(text, humantime::format_duration(rounded).to_string());
                }
            }
        }
    }

    #[test]
    fn a_name_that_no_variable_can_have_is_a_mistake() {
        assert!("PATH".parse::<NamePattern>().is_ok() && "AWS_*".parse::<NamePattern>().is_ok());
        for bad in ["", " ", "A=B", "=", "A B", "$A", "A["] {
            assert!(bad.parse::<NamePattern>().is_err(), "{bad}");
        }
    }

    #[test]
    fn percentages_statuses_and_descriptors_are_small_numbers() {
        assert_eq!((percent("10"), percent("100%")), (Ok(10), Ok(100)));
        assert_eq!((status("0"), status("255")), (Ok(0), Ok(255)));
        assert_eq!(descriptor("3"), Ok(3));
        for bad in ["", "-1", "256", "x", "1.5"] {
            assert!(percent(bad).is_err() && status(bad).is_err(), "{bad}");
        }
        assert!(percent("101").is_err());
        assert_eq!((level("0"), level("19")), (Ok(0), Ok(19)));
        assert!(level("20").is_err() && level("-1").is_err() && level("").is_err());
        for bad in ["", "-1", "x", "99999999999"] {
            assert!(descriptor(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn prefixes_of_keys_are_hexadecimal_and_not_too_short() {
        assert_eq!("9DE1".parse(), Ok(KeyPrefix("9de1".to_owned())));
        for bad in ["", "9de", "echo", "9de1 ", &"0".repeat(65)] {
            assert!(bad.parse::<KeyPrefix>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_pattern_without_special_characters_is_looked_for_anywhere() {
        let glob = |text: &str| text.parse::<CommandPattern>().map(|it| it.as_glob().to_owned());
        assert_eq!(glob("get pods"), Ok("*get pods*".to_owned()));
        assert_eq!(glob("kubectl *"), Ok("kubectl *".to_owned()));
        assert!(glob("a[").unwrap_err().contains("position"));
        assert_eq!((count("1"), count("0").is_err(), count("-1").is_err()), (Ok(1), true, true));
    }

    #[test]
    fn sizes_take_units() {
        assert_eq!(size("64KiB"), Ok(65536));
        assert_eq!(size("12"), Ok(12));
        for bad in ["", "-1", "1 elephant"] {
            assert!(size(bad).unwrap_err().contains("such as"), "{bad}");
        }
    }
}
