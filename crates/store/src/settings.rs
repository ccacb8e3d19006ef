//! How a store and the one that machines share are used, and what holds where nothing is set.

use cachex_remote::{Access, PrivateKey, RemoteUrl};
use std::str::FromStr;
use std::time::Duration;

/// A store that machines share, and how it is used.
#[derive(Clone, Debug)]
pub struct Remote {
    /// Its URL.
    pub url: RemoteUrl,
    /// Its use.
    pub mode: RemoteMode,
    /// The time limit of a look-up.
    pub timeout: Duration,
    /// The time limit of a transfer; none: as long as the run took.
    pub budget: Option<Duration>,
    /// The credentials.
    pub access: Access,
    /// The limits on what is accepted from it.
    pub limits: Limits,
}

impl Remote {
    /// The time limit of a look-up unless another is set: longer than any store nearby takes,
    /// and short beside what is worth caching.
    pub const TIMEOUT: Duration = Duration::from_secs(1);
}

/// How the remote store is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
pub enum RemoteMode {
    /// Replay what others recorded, and share what is recorded here
    #[default]
    ReadWrite,
    /// Replay what others recorded, and share nothing
    ReadOnly,
    /// Do not use the remote store
    Off,
}

impl RemoteMode {
    /// The one of this name in a URL.
    fn named(name: &str) -> Option<RemoteMode> {
        match name {
            "read-write" => Some(RemoteMode::ReadWrite),
            "read-only" => Some(RemoteMode::ReadOnly),
            "off" => Some(RemoteMode::Off),
            _ => None,
        }
    }

    /// How a store of this URL can be used that is to be used so: nothing can be given to some.
    pub fn of(self, url: &RemoteUrl) -> RemoteMode {
        match self {
            RemoteMode::ReadWrite if !url.takes_writes() => RemoteMode::ReadOnly,
            mode => mode,
        }
    }
}

/// Limits on what a reader accepts from a remote store, in bytes.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub struct Limits {
    /// The longest output of a result, and the most that its files take.
    pub entry: u64,
    /// What the reader's store may hold.
    pub store: u64,
}

impl Limits {
    /// Those that hold unless others are set.
    pub const DEFAULT: Limits = Limits { entry: 1 << 30, store: 5 << 30 };
}

/// One of the stores that machines share, and how far it is used at the most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tier {
    /// Where it is.
    pub url: RemoteUrl,
    /// What its URL says, after `mode=`.
    pub mode: Option<RemoteMode>,
}

impl FromStr for Tier {
    type Err = String;

    fn from_str(text: &str) -> Result<Tier, String> {
        // A path is taken as it is.
        let (address, query) = match text.split_once('?') {
            Some((address, query)) if !text.starts_with('/') => (address, Some(query)),
            _ => (text, None),
        };
        let mut mode = None;
        let mut rest = Vec::new();
        for pair in query.into_iter().flat_map(|query| query.split('&')) {
            let Some(value) = pair.strip_prefix("mode=") else {
                rest.push(pair);
                continue;
            };
            let read = RemoteMode::named(value).ok_or_else(|| {
                "expected `mode=read-write`, `mode=read-only` or `mode=off`".to_owned()
            })?;
            if mode.is_some_and(|mode| mode != read) {
                return Err("it says `mode=` twice, and not the same".to_owned());
            }
            mode = Some(read);
        }
        let rest = rest.join("&");
        let url: RemoteUrl =
            if rest.is_empty() { address.parse()? } else { format!("{address}?{rest}").parse()? };
        if mode == Some(RemoteMode::ReadWrite) && !url.takes_writes() {
            return Err("it says `mode=read-write`, and such a store is only read from".to_owned());
        }
        Ok(Tier { url, mode })
    }
}

/// The URLs in a text: each begins with a scheme or a slash, and a folder may have blanks in
/// its name.
pub fn tiers(items: &mut dyn Iterator<Item = &str>) -> Result<Vec<Tier>, String> {
    let begins = |word: &str| word.starts_with('/') || word.contains("://");
    let mut all = Vec::new();
    for item in items {
        let mut from = 0;
        let blanks = item.match_indices(char::is_whitespace);
        let ends = blanks.filter(|(at, blank)| {
            item[at + blank.len()..].split_whitespace().next().is_some_and(begins)
                && !item[at + blank.len()..].starts_with(char::is_whitespace)
        });
        for (at, _) in ends.chain([(item.len(), "")]) {
            let text = item[from..at].trim();
            if !text.is_empty() {
                all.push(text.parse()?);
            }
            from = at;
        }
    }
    Ok(all)
}

/// Reads what signs: the name of a file that holds a private key, or the key itself.
pub fn signing_key(text: &str) -> Result<PrivateKey, String> {
    if PrivateKey::is_meant_by(text) {
        return text.parse();
    }
    let read = std::fs::read_to_string(text).map_err(|error| format!("reading {text}: {error}"))?;
    read.parse().map_err(|why| format!("{text} does not hold a key: {why}"))
}

#[cfg(all(test, feature = "remote-redis", feature = "remote-http"))]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<String>, String> {
        let tiers = tiers(&mut std::iter::once(text))?;
        Ok(tiers.iter().map(|tier| format!("{} {:?}", tier.url, tier.mode)).collect())
    }

    #[test]
    fn several_stand_one_after_the_other() {
        assert_eq!(
            read(" redis://near:1/0?mode=read-only  /mnt/a b\tredis+unix:///s?db=2&mode=off ")
                .unwrap(),
            [
                "redis://near:1/0 Some(ReadOnly)",
                "file:///mnt/a%20b None",
                "redis+unix:///s?db=2 Some(Off)"
            ]
        );
        assert_eq!(read("").unwrap(), [""; 0]);
    }

    #[test]
    fn modes_that_contradict_each_other_or_the_store_are_refused() {
        assert!(read("redis://a?mode=read-only&mode=read-only").is_ok());
        assert!(read("redis://a?mode=read-only&mode=off").unwrap_err().contains("twice"));
        assert!(read("redis://a?mode=write").unwrap_err().contains("mode=read-only"));
        assert!(read("http://a?mode=read-write").unwrap_err().contains("only read from"));
    }
}
