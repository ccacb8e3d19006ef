//! The maximum age of a replayed result.

use super::duration;
use std::str::FromStr;
use std::time::Duration;

/// A maximum age, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit(pub Option<Duration>);

impl Limit {
    /// The text for no limit.
    pub const NEVER: &str = "never";
}

impl FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> Result<Limit, String> {
        if text == Limit::NEVER {
            return Ok(Limit(None));
        }
        let limit = duration(text).map(|limit| Limit(Some(limit)));
        limit.map_err(|why| format!("{why}, or `{}`", Limit::NEVER))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_expires_has_no_limit() {
        assert_eq!("never".parse(), Ok(Limit(None)));
        assert_eq!("2s".parse(), Ok(Limit(Some(Duration::from_secs(2)))));
        assert!("nevr".parse::<Limit>().unwrap_err().ends_with("or `never`"));
    }
}
