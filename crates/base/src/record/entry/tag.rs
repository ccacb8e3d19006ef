//! Tags, by which entries are found.

use super::{MAX_TAG, MAX_TAGS};
use std::str::FromStr;

/// A label by which entries are found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tag(pub String);

impl Tag {
    /// The maximum length in bytes.
    pub const LIMIT: usize = MAX_TAG;
    /// The maximum number of tags of an entry.
    pub const MOST: usize = MAX_TAGS;
    /// The tag of entries that stay on this machine.
    pub const LOCAL: &str = "local";
    /// The prefix of tags that name a platform, set by `--platform`.
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
