//! The URL of a store that machines share, and what it takes to enter it.

use crate::sign::{PrivateKey, PublicKey};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use url::Url;

/// What serves a shared store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
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
const SCHEMES: [(&str, Kind, bool, bool); 16] = [
    ("az", Kind::AzBlob, cfg!(feature = "azblob"), true),
    ("azblob", Kind::AzBlob, cfg!(feature = "azblob"), true),
    ("file", Kind::File, cfg!(feature = "client"), false),
    ("gcs", Kind::Gcs, cfg!(feature = "gcs"), true),
    ("ghac", Kind::Ghac, cfg!(feature = "ghac"), false),
    ("gs", Kind::Gcs, cfg!(feature = "gcs"), true),
    ("http", Kind::Http, cfg!(feature = "http"), true),
    ("https", Kind::Http, cfg!(feature = "http"), true),
    ("memcached", Kind::Memcached, cfg!(feature = "memcached"), true),
    ("memcached+unix", Kind::Memcached, cfg!(feature = "memcached"), false),
    ("redis", Kind::Redis, cfg!(feature = "redis"), true),
    ("redis+unix", Kind::Redis, cfg!(feature = "redis"), false),
    ("rediss", Kind::Redis, cfg!(feature = "redis"), true),
    ("s3", Kind::S3, cfg!(feature = "s3"), true),
    ("webdav", Kind::WebDav, cfg!(feature = "webdav"), true),
    ("webdavs", Kind::WebDav, cfg!(feature = "webdav"), true),
];

/// Where it is: a URL that was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteUrl {
    // Apart, because mostly there is none, and what holds one is moved by every hit.
    url: Box<Url>,
    engine: Kind,
}

impl RemoteUrl {
    /// What serves it.
    pub fn engine(&self) -> Kind {
        self.engine
    }

    /// Whether anything can be stored there.
    pub fn takes_writes(&self) -> bool {
        self.engine != Kind::Http
    }

    /// Whether one of several machines can claim something there for a while.
    pub fn has_claims(&self) -> bool {
        self.engine == Kind::Redis
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
            Kind::File if !host.is_empty() && host != "localhost" => {
                Err("a folder of this machine is meant by `file:///folder`".to_owned())
            }
            Kind::File if url.to_file_path().is_err() || url.path() == "/" => {
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
    /// The one before, by which only is read.
    pub old_secret: Option<Vec<u8>>,
    /// What entries are signed with.
    pub signing_key: Option<PrivateKey>,
    /// Whose signatures are accepted besides one's own.
    pub trusted: Vec<PublicKey>,
}

impl Access {
    /// Whether only what is signed is accepted.
    pub fn wants_signatures(&self) -> bool {
        self.signing_key.is_some() || !self.trusted.is_empty()
    }

    /// The keys whose signatures are accepted then, the own one among them.
    pub fn accepted(&self) -> impl Iterator<Item = PublicKey> {
        #[cfg(feature = "client")]
        let own = || self.signing_key.as_ref().and_then(PrivateKey::public);
        // Without it nothing was ever signed.
        #[cfg(not(feature = "client"))]
        let own = || None;
        self.trusted.iter().copied().chain(std::iter::once_with(own).flatten())
    }
}

/// Nothing of it is for logs.
impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Access")
    }
}

#[cfg(all(test, feature = "redis", feature = "s3"))]
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
