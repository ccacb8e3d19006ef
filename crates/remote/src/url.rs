//! The URL of a store that machines share, and the credentials for it.

use crate::sign::{PrivateKey, PublicKey};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use url::Url;

/// A kind of shared store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Azure Blob Storage.
    AzBlob,
    /// A folder, for example on a network file system.
    File,
    /// Google Cloud Storage.
    Gcs,
    /// The cache of GitHub Actions.
    Ghac,
    /// Any web server, read-only.
    Http,
    /// memcached.
    Memcached,
    /// Redis, Valkey and their like.
    Redis,
    /// Amazon S3 and compatible services.
    S3,
    /// A web server that can be written to.
    WebDav,
}

/// The schemes: their kind, whether this build supports it, and whether a host (a server, a bucket,
/// a container) is required.
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

/// A valid URL of a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteUrl {
    // Boxed, because there is mostly none, and every hit moves the struct that holds it.
    url: Box<Url>,
    engine: Kind,
}

impl RemoteUrl {
    /// Returns the kind of the store.
    pub fn engine(&self) -> Kind {
        self.engine
    }

    /// Returns whether anything can be stored there.
    pub fn takes_writes(&self) -> bool {
        self.engine != Kind::Http
    }

    /// Returns whether one of several machines can claim a name there for a while.
    pub fn has_claims(&self) -> bool {
        self.engine == Kind::Redis
    }

    /// Returns the whole URL, including passwords.
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

/// Writes the URL without passwords, for messages and to distinguish stores.
impl fmt::Display for RemoteUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut url = self.url.clone();
        let _ = url.set_password(None);
        url.set_fragment(None);
        f.write_str(url.as_str())
    }
}

/// The credentials of a remote store whose engine has no variables of its own for them, and the
/// secrets that its users share.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Access {
    /// The user name.
    pub user: Option<String>,
    /// The password.
    pub password: Option<String>,
    /// A token in place of the password.
    pub token: Option<String>,
    /// The secret that authenticates keys and entries.
    pub secret: Option<Vec<u8>>,
    /// The previous secret, which is only used for reading.
    pub old_secret: Option<Vec<u8>>,
    /// The key that signs entries.
    pub signing_key: Option<PrivateKey>,
    /// The public keys whose signatures are accepted besides the own one.
    pub trusted: Vec<PublicKey>,
}

impl Access {
    /// Returns whether only signed entries are accepted.
    pub fn wants_signatures(&self) -> bool {
        self.signing_key.is_some() || !self.trusted.is_empty()
    }

    /// Returns the keys whose signatures are accepted, including the own one.
    pub fn accepted(&self) -> impl Iterator<Item = PublicKey> {
        #[cfg(feature = "client")]
        let own = || self.signing_key.as_ref().and_then(PrivateKey::public);
        // Without the client, nothing was ever signed.
        #[cfg(not(feature = "client"))]
        let own = || None;
        self.trusted.iter().copied().chain(std::iter::once_with(own).flatten())
    }
}

/// Shows nothing of the secrets, which must not appear in logs.
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
