//! Settings of the local store and of shared ones, and their defaults.

use cachex_remote::{Access, PrivateKey, RemoteUrl};
use std::str::FromStr;
use std::time::Duration;

/// A store shared by several machines, and its settings.
#[derive(Clone, Debug)]
pub struct Remote {
    /// Its URL.
    pub url: RemoteUrl,
    /// Its use.
    pub mode: RemoteMode,
    /// The time limit of a look-up.
    pub timeout: Duration,
    /// The time limit of a transfer; `None`: as long as the run took.
    pub budget: Option<Duration>,
    /// The credentials.
    pub access: Access,
    /// The limits on what is accepted from it.
    pub limits: Limits,
}

impl Remote {
    /// The default time limit of a look-up: longer than any nearby store takes, and short compared
    /// to commands worth caching.
    pub const TIMEOUT: Duration = Duration::from_secs(1);
}

/// The use of the remote store.
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
    /// Parses the mode in a URL.
    fn named(name: &str) -> Option<RemoteMode> {
        match name {
            "read-write" => Some(RemoteMode::ReadWrite),
            "read-only" => Some(RemoteMode::ReadOnly),
            "off" => Some(RemoteMode::Off),
            _ => None,
        }
    }

    /// Returns the mode that is possible for this URL: some stores are read-only.
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
    /// The maximum length of a result's output, and the maximum total size of its files.
    pub entry: u64,
    /// The maximum size of the reader's store.
    pub store: u64,
}

impl Limits {
    /// The default limits.
    pub const DEFAULT: Limits = Limits { entry: 1 << 30, store: 5 << 30 };
}

/// One of the shared stores, and the maximum use of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tier {
    /// Its URL.
    pub url: RemoteUrl,
    /// The mode in its URL, after `mode=`.
    pub mode: Option<RemoteMode>,
}

impl FromStr for Tier {
    type Err = String;

    fn from_str(text: &str) -> Result<Tier, String> {
        // A path is used as is.
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

/// Parses the URLs in a text: each begins with a scheme or a slash, and folder names may contain
/// blanks.
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

/// Reads a signing key: the name of a file that holds it, or the key itself.
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
