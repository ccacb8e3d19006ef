//! What options accept: each value's type, and the one way to read it.

use clap::builder::{OsStringValueParser, TypedValueParser};
use std::ffi::OsString;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// Has clap read text by `parse`; what is not UTF-8 is an invalid value of the
/// option, which names it, and not a mistake somewhere.
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

/// Reads a duration such as `2s` or `1h 30m`; zero is none.
pub fn duration(text: &str) -> Result<Duration, String> {
    const ACCEPTED: &str = "expected a duration above zero such as `2s`, `10m` or `1h 30m`";
    match humantime::parse_duration(text) {
        Ok(Duration::ZERO) => Err(ACCEPTED.to_owned()),
        Ok(duration) => Ok(duration),
        Err(error) => Err(format!("{error}; {ACCEPTED}")),
    }
}

/// Reads a size such as `64KiB`, `5GiB` or a number of bytes.
pub fn size(text: &str) -> Result<u64, String> {
    const ACCEPTED: &str = "expected a size such as `500kB`, `64MiB`, `5GiB` or a number of bytes";
    let size: bytesize::ByteSize = text.parse().map_err(|error| format!("{error}; {ACCEPTED}"))?;
    Ok(size.as_u64())
}

/// Reads a switch given as a variable.
pub fn switch(text: &str) -> Result<bool, String> {
    match text {
        "1" | "true" | "yes" | "on" => Ok(true),
        "" | "0" | "false" | "no" | "off" => Ok(false),
        _ => Err("expected `1`, `true`, `yes` or `on`, or `0`, `false`, `no` or `off`".to_owned()),
    }
}

/// The name of a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VariableName(pub String);

impl FromStr for VariableName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<VariableName, Self::Err> {
        if text.is_empty() || text.contains('=') {
            return Err("expected names of variables, separated by commas, such as `HOME,LANG`");
        }
        Ok(VariableName(text.to_owned()))
    }
}

/// A pattern for names of variables: `*`, `?` and `[…]` as in a shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamePattern(glob::Pattern);

impl NamePattern {
    /// Whether it matches a name.
    pub fn matches(&self, name: &str) -> bool {
        self.0.matches(name)
    }
}

impl FromStr for NamePattern {
    type Err = String;

    fn from_str(text: &str) -> Result<NamePattern, String> {
        glob::Pattern::new(text).map(NamePattern).map_err(|error| {
            format!("{} at position {}; expected a pattern such as `AWS_*`", error.msg, error.pos)
        })
    }
}

/// How the executable counts in the key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ExeMode {
    /// By its resolved path, size and modification time
    #[default]
    Stat,
    /// By its contents, wherever it lies
    Content,
    /// By its name as given, and nothing else
    Name,
}

/// What the command gets as standard input, and how that counts in the key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum StdinMode {
    /// The contents count; what is typed at a terminal does not
    #[default]
    Hash,
    /// The command gets an empty standard input
    Null,
    /// The command gets it as it is, and it does not count
    Inherit,
}

/// A set of exit statuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExitCodes(Vec<(u8, u8)>);

impl ExitCodes {
    /// Whether `status` is one of them.
    pub fn contain(&self, status: u8) -> bool {
        self.0.iter().any(|&(first, last)| (first..=last).contains(&status))
    }
}

impl Default for ExitCodes {
    fn default() -> ExitCodes {
        ExitCodes(vec![(0, u8::MAX)])
    }
}

impl FromStr for ExitCodes {
    type Err = String;

    fn from_str(text: &str) -> Result<ExitCodes, String> {
        if text == "all" {
            return Ok(ExitCodes::default());
        }
        let ranges = text.split(',').map(|item| {
            let (first, last) = item.split_once('-').unwrap_or((item, item));
            let status = |text: &str| text.trim().parse::<u8>().ok();
            status(first).zip(status(last)).filter(|(first, last)| first <= last).ok_or_else(|| {
                format!("`{item}` is not a status or a range; expected `all`, or statuses from 0 to 255 such as `0`, `0,2` or `0-3`")
            })
        });
        ranges.collect::<Result<_, _>>().map(ExitCodes)
    }
}

impl fmt::Display for ExitCodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (first, last)) in self.0.iter().enumerate() {
            let comma = if i > 0 { "," } else { "" };
            if first == last {
                write!(f, "{comma}{first}")?;
            } else {
                write!(f, "{comma}{first}-{last}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_above_zero_and_carry_a_unit() {
        assert_eq!(duration("1h 30m"), Ok(Duration::from_mins(90)));
        for bad in ["0s", "-2s", "2 fortnights", "", "99999999999999999999y", "5"] {
            let message = duration(bad).unwrap_err();
            assert!(message.contains("such as `2s`"), "{bad}: {message}");
        }
    }

    #[test]
    fn a_name_that_no_variable_can_have_is_a_mistake() {
        assert!("PATH".parse::<VariableName>().is_ok());
        for bad in ["", "A=B", "="] {
            assert!(bad.parse::<VariableName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn sizes_take_units() {
        assert_eq!(size("64KiB"), Ok(65536));
        assert_eq!(size("12"), Ok(12));
        for bad in ["", "-1", "1 elephant"] {
            assert!(size(bad).unwrap_err().contains("such as"), "{bad}");
        }
    }

    #[test]
    fn exit_codes_are_lists_of_ranges() {
        let codes: ExitCodes = "0,2-3".parse().unwrap();
        let contained: Vec<u8> = (0..=255).filter(|&status| codes.contain(status)).collect();
        assert_eq!(contained, [0, 2, 3]);
        assert!("all".parse::<ExitCodes>().unwrap().contain(255));
        for bad in ["", "256", "3-0", "a", "0,,1", "-1", "0-"] {
            assert!(bad.parse::<ExitCodes>().is_err(), "{bad}");
        }
    }
}
