//! Sets of exit statuses.

use std::fmt;
use std::str::FromStr;

/// A set of exit statuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExitCodes(Vec<(u8, u8)>);

impl ExitCodes {
    /// Returns the set of the status of success alone.
    pub fn of_success() -> ExitCodes {
        ExitCodes(vec![(0, 0)])
    }

    /// Returns whether `status` is in the set.
    pub fn contain(&self, status: u8) -> bool {
        self.0.iter().any(|&(first, last)| (first..=last).contains(&status))
    }

    /// Returns whether every status is in the set.
    pub fn are_all(&self) -> bool {
        self.0 == [(0, u8::MAX)]
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
