//! Where a store is that machines share.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use url::Url;

/// What of the shared store is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum RemoteMode {
    /// Replay what others recorded, and give them what is recorded here
    #[default]
    ReadWrite,
    /// Replay what others recorded, and give them nothing
    ReadOnly,
    /// Leave it alone
    Off,
}

/// What serves a shared store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// Azure Blob Storage.
    AzBlob,
    /// A folder, of a network file system say.
    File,
    /// Google Cloud Storage.
    Gcs,
    /// The cache of GitHub Actions.
    Ghac,
    /// Any web server, which is only read from.
    Http,
    /// memcached.
    Memcached,
    /// Redis, Valkey and their like.
    Redis,
    /// Amazon S3 and what speaks its protocol.
    S3,
    /// A web server that is written to.
    WebDav,
}

/// The schemes, what they stand for, whether this build has it, and whether a host
/// (a server, a bucket, a container) has to follow.
const SCHEMES: [(&str, Engine, bool, bool); 16] = [
    ("az", Engine::AzBlob, cfg!(feature = "remote-azblob"), true),
    ("azblob", Engine::AzBlob, cfg!(feature = "remote-azblob"), true),
    ("file", Engine::File, cfg!(feature = "remote"), false),
    ("gcs", Engine::Gcs, cfg!(feature = "remote-gcs"), true),
    ("ghac", Engine::Ghac, cfg!(feature = "remote-ghac"), false),
    ("gs", Engine::Gcs, cfg!(feature = "remote-gcs"), true),
    ("http", Engine::Http, cfg!(feature = "remote-http"), true),
    ("https", Engine::Http, cfg!(feature = "remote-http"), true),
    ("memcached", Engine::Memcached, cfg!(feature = "remote-memcached"), true),
    ("memcached+unix", Engine::Memcached, cfg!(feature = "remote-memcached"), false),
    ("redis", Engine::Redis, cfg!(feature = "remote-redis"), true),
    ("redis+unix", Engine::Redis, cfg!(feature = "remote-redis"), false),
    ("rediss", Engine::Redis, cfg!(feature = "remote-redis"), true),
    ("s3", Engine::S3, cfg!(feature = "remote-s3"), true),
    ("webdav", Engine::WebDav, cfg!(feature = "remote-webdav"), true),
    ("webdavs", Engine::WebDav, cfg!(feature = "remote-webdav"), true),
];

/// Where it is: a URL that was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteUrl {
    // Apart, because mostly there is none, and what holds one is moved by every hit.
    url: Box<Url>,
    engine: Engine,
}

impl RemoteUrl {
    /// What serves it.
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// Whether anything can be stored there.
    pub fn takes_writes(&self) -> bool {
        self.engine != Engine::Http
    }

    /// All of it, passwords too.
    pub fn url(&self) -> &Url {
        &self.url
    }
}

impl FromStr for RemoteUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<RemoteUrl, String> {
        const ACCEPTED: &str =
            "expected a URL such as `redis://host:6379`, `s3://bucket/prefix` or `file:///folder`";
        let url = if text.starts_with('/') {
            Url::from_file_path(text).map_err(|()| ACCEPTED.to_owned())?
        } else {
            Url::parse(text).map_err(|error| format!("{error}; {ACCEPTED}"))?
        };
        let known = SCHEMES.iter().find(|(scheme, ..)| *scheme == url.scheme());
        let Some(&(scheme, engine, is_built, needs_host)) = known else {
            let schemes = SCHEMES.iter().filter(|(.., is_built, _)| *is_built);
            let schemes: Vec<&str> = schemes.map(|(scheme, ..)| *scheme).collect();
            return Err(if schemes.is_empty() {
                "this cachex was built without remote stores".to_owned()
            } else {
                let schemes = schemes.join(", ");
                format!("`{}` is no kind of store; there are {schemes}", url.scheme())
            });
        };
        if !is_built {
            return Err(format!("this cachex was built without `{scheme}`"));
        }
        let host = url.host_str().unwrap_or_default();
        match engine {
            _ if needs_host && host.is_empty() => {
                Err(format!("`{scheme}://` is followed by no name of a host or bucket"))
            }
            Engine::File if !host.is_empty() && host != "localhost" => {
                Err("a folder of this machine is meant by `file:///folder`".to_owned())
            }
            Engine::File if url.to_file_path().is_err() || url.path() == "/" => {
                Err("`file://` is followed by the path of no folder".to_owned())
            }
            _ => Ok(RemoteUrl { url: Box::new(url), engine }),
        }
    }
}

/// Without passwords: for messages, and to tell one store from another.
impl fmt::Display for RemoteUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut url = self.url.clone();
        let _ = url.set_password(None);
        url.set_fragment(None);
        f.write_str(url.as_str())
    }
}

/// How a remote store is entered, where its engine has no variables of its own
/// for that, and what is shared by those who trust each other.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Access {
    /// Who.
    pub user: Option<String>,
    /// With which password.
    pub password: Option<String>,
    /// Or with which token.
    pub token: Option<String>,
    /// What keys and entries are authenticated with.
    pub secret: Option<Vec<u8>>,
}

/// Nothing of it is for logs.
impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Access")
    }
}

#[cfg(all(test, feature = "remote-redis", feature = "remote-s3"))]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<RemoteUrl, String> {
        text.parse()
    }

    #[test]
    fn each_scheme_is_of_an_engine() {
        for (scheme, engine, is_built, _) in SCHEMES {
            let read = read(&format!("{scheme}:///srv/cache"));
            let read = read.or_else(|_| super::RemoteUrl::from_str(&format!("{scheme}://host/a")));
            assert_eq!(read.map(|url| url.engine()).ok(), is_built.then_some(engine), "{scheme}");
        }
        assert_eq!(read("/srv/cache").unwrap(), read("file:///srv/cache").unwrap());
    }

    #[test]
    fn mistakes_say_what_is_accepted() {
        assert!(read("cache.example").unwrap_err().contains("redis://host"));
        assert!(read("ftp://host/").unwrap_err().contains("there are az, azblob"));
        assert!(read("s3:///prefix").unwrap_err().contains("bucket"));
        assert!(read("file://server/share").unwrap_err().contains("file:///folder"));
    }

    #[test]
    fn what_is_shown_has_no_password() {
        let url = read("redis://ada:lovelace@host:1/0").unwrap();
        assert_eq!(url.to_string(), "redis://ada@host:1/0");
    }
}
