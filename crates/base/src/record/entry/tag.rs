//! Tags, by which entries are found.

use super::{MAX_TAG, MAX_TAGS};
use std::str::FromStr;

/// A label that entries are found by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tag(pub String);

impl Tag {
    /// The most bytes of one.
    pub const LIMIT: usize = MAX_TAG;
    /// The most that one entry has.
    pub const MOST: usize = MAX_TAGS;
    /// That of what stays on this machine.
    pub const LOCAL: &str = "local";
    /// What those begin with that name a platform with `--platform`.
    pub const PLATFORM: &str = "platform:";
}

impl FromStr for Tag {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Tag, Self::Err> {
        let is_bad = |c: char| c == ',' || c.is_control();
        if text.is_empty() || text.len() > Tag::LIMIT || text.contains(is_bad) {
            return Err("expected a name of 1 to 64 bytes, without commas and control characters");
        }
        Ok(Tag(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_short_names() {
        assert!("nightly build".parse::<Tag>().is_ok());
        for bad in ["", "a,b", "a\nb", &"x".repeat(65)] {
            assert!(bad.parse::<Tag>().is_err(), "{bad}");
        }
    }
}
