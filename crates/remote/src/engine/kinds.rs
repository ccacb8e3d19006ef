//! The operator for each kind of URL, with its usual environment variables.

#![cfg_attr(
    not(all(feature = "redis", feature = "s3", feature = "webdav")),
    allow(
        unused,
        clippy::unused_async,
        reason = "what some kinds have in common, others do not need"
    )
)]

use super::folder::Folder;
#[cfg(feature = "redis")]
use super::redis::{self, Redis};
use super::{Objects, in_plain_words};
#[cfg(any(feature = "http-client", feature = "redis", feature = "memcached"))]
use crate::resolver;
use crate::{Access, Kind, RemoteUrl};
use anyhow::{Context, Result, anyhow, bail};
use opendal::{Builder, Operator, services};
#[cfg(feature = "http-client")]
use opendal_http_transport_reqwest::ReqwestTransport;
#[cfg(any(feature = "redis", feature = "memcached"))]
use std::net::SocketAddr;
use std::time::Duration;
#[cfg(any(feature = "redis", feature = "memcached"))]
use tokio::net::TcpStream;
use url::Url;

/// The parent of everything that cachex stores, since the place may be shared.
const FOLDER: &str = "cachex";

/// The longest lifetime in memcached, which takes a longer one for a date in the past.
#[cfg(feature = "memcached")]
const LONGEST_MEMCACHED_TIME: Duration = Duration::from_hours(30 * 24);

/// An opened store, and the properties of its engine.
pub struct Opened {
    pub objects: Objects,
    /// The length of a piece; none if values are streamed.
    pub piece: Option<usize>,
    /// True if values disappear when they expire, or when others need the room.
    pub drops: bool,
}

/// Opens the store of a URL. The server drops written values after `kept`, if it can.
pub async fn open(url: &RemoteUrl, access: &Access, kept: Option<Duration>) -> Result<Opened> {
    let whole = |op| Opened { objects: Objects::OpenDal(op), piece: None, drops: false };
    Ok(match url.engine() {
        Kind::File => Opened { objects: Objects::Folder(folder(url)?), piece: None, drops: false },
        #[cfg(feature = "redis")]
        Kind::Redis => Opened {
            objects: Objects::Redis(Redis::open(url, access, kept).await?),
            piece: Some(redis::PIECE),
            drops: true,
        },
        // An item of memcached is at most 1 MiB long, including its metadata.
        #[cfg(feature = "memcached")]
        Kind::Memcached => {
            let op = memcached(url, access, kept).await?;
            Opened { objects: Objects::OpenDal(op), piece: Some(768 << 10), drops: true }
        }
        #[cfg(feature = "s3")]
        Kind::S3 => whole(s3(url, access)?),
        #[cfg(feature = "gcs")]
        Kind::Gcs => whole(gcs(url, access)?),
        #[cfg(feature = "azblob")]
        Kind::AzBlob => whole(azblob(url, access)?),
        #[cfg(feature = "webdav")]
        Kind::WebDav => Opened { piece: Some(16 << 20), ..whole(webdav(url, access)?) },
        #[cfg(feature = "http")]
        Kind::Http => Opened { piece: Some(16 << 20), ..whole(http(url, access)?) },
        #[cfg(feature = "ghac")]
        Kind::Ghac => whole(ghac(url)?),
        #[allow(unreachable_patterns, reason = "it depends on the features")]
        _ => bail!("this cachex was built without `{}`", url.url().scheme()),
    })
}

/// Returns the folder of all objects, below the path of the URL.
pub(super) fn root_below(path: &str) -> String {
    let path = percent_decoded(path.trim_matches('/'));
    if path.is_empty() { format!("/{FOLDER}/") } else { format!("/{path}/{FOLDER}/") }
}

fn percent_decoded(text: &str) -> String {
    // `Url` has no other function to decode.
    let form = format!("x={}", text.replace('+', "%2B"));
    let decoded = url::form_urlencoded::parse(form.as_bytes()).next();
    decoded.map(|(_, value)| value.into_owned()).unwrap_or_default()
}

pub(super) fn host(url: &Url) -> String {
    percent_decoded(url.host_str().unwrap_or_default())
}

pub(super) fn asked(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(asked, _)| asked == name).map(|(_, value)| value.into_owned())
}

pub(super) fn variable(names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| std::env::var(name).ok()).filter(|value| !value.is_empty())
}

fn built(builder: impl Builder) -> Result<Operator> {
    Operator::new(builder).map_err(in_plain_words)
}

fn folder(url: &RemoteUrl) -> Result<Folder> {
    let folder = url.url().to_file_path().map_err(|()| anyhow!("it names no folder"))?;
    Folder::open(&folder, FOLDER)
}

/// Sets up an operator for HTTP to this endpoint. Certificates are loaded only where they are
/// needed.
#[cfg(feature = "http-client")]
fn over_http(op: Operator, endpoint: &str) -> Result<Operator> {
    let is_plain = endpoint.starts_with("http://");
    if let Some(proxy) = Url::parse(endpoint).ok().and_then(|endpoint| proxy_before(&endpoint)) {
        let _ = PROXY.set(proxy);
    }
    let mut client = reqwest::Client::builder()
        .dns_resolver(std::sync::Arc::new(resolver::Names))
        .user_agent(concat!("cachex/", env!("CARGO_PKG_VERSION")));
    if is_plain {
        client = client.tls_certs_only([]);
    }
    let client = client.build().context("preparing for HTTP")?;
    let _ = SERVER.set((client.clone(), endpoint.to_owned()));
    let context = op
        .base_context()
        .with_http_transport(opendal::HttpTransporter::new(ReqwestTransport::new(client)));
    Ok(op.with_context(context))
}

/// The web server that this process uses, if its store is one.
#[cfg(feature = "http-client")]
static SERVER: std::sync::OnceLock<(reqwest::Client, String)> = std::sync::OnceLock::new();

/// Returns the time of that server since 1970, to the second. It is in the header of any answer,
/// even if access is denied without credentials.
#[cfg(feature = "http-client")]
pub(super) async fn time_of_the_server() -> Result<Option<Duration>> {
    let Some((client, endpoint)) = SERVER.get() else { return Ok(None) };
    let answer = client.head(endpoint).send().await.context("asking for the time")?;
    let date = answer.headers().get("date").and_then(|date| date.to_str().ok());
    let time = date.and_then(|date| opendal::raw::Timestamp::parse_rfc2822(date).ok());
    let seconds = time.map(|time| time.into_inner().as_second());
    Ok(seconds.and_then(|seconds| u64::try_from(seconds).ok()).map(Duration::from_secs))
}

/// The proxy through which this process reaches its store, if any.
#[cfg(feature = "http-client")]
static PROXY: std::sync::OnceLock<String> = std::sync::OnceLock::new();

/// Returns the note to append to the error of a failed request: otherwise nothing says that the
/// unreachable server is not the store.
#[cfg(feature = "http-client")]
pub(super) fn by_way_of_a_proxy() -> Option<String> {
    PROXY.get().map(|proxy| format!(" (by way of the proxy {proxy})"))
}

#[cfg(not(feature = "http-client"))]
pub(super) fn by_way_of_a_proxy() -> Option<String> {
    None
}

/// Returns the proxy that the environment sets for an endpoint, without passwords.
#[cfg(feature = "http-client")]
fn proxy_before(endpoint: &Url) -> Option<String> {
    let named = match endpoint.scheme() {
        "http" => variable(&["http_proxy", "HTTP_PROXY"]),
        _ => variable(&["https_proxy", "HTTPS_PROXY"]),
    };
    let proxy = named.or_else(|| variable(&["all_proxy", "ALL_PROXY"]))?;
    let host = host(endpoint);
    let is_exempt = |name: &str| {
        let name = name.trim().trim_start_matches("*.").trim_start_matches('.');
        name == "*" || host.strip_suffix(name).is_some_and(|it| it.is_empty() || it.ends_with('.'))
    };
    let exempt = variable(&["no_proxy", "NO_PROXY"]).unwrap_or_default();
    if exempt.split(',').filter(|name| !name.trim().is_empty()).any(is_exempt) {
        return None;
    }
    let proxy = if proxy.contains("://") { proxy } else { format!("http://{proxy}") };
    let Ok(mut shown) = Url::parse(&proxy) else { return Some("that is set".to_owned()) };
    let _ = shown.set_username("").and_then(|()| shown.set_password(None));
    Some(shown.as_str().trim_end_matches('/').to_owned())
}

/// Connects to a server that is not a web server, at the first of its addresses that accepts. Its
/// client would ask the system for addresses, and retry a server that refuses.
#[cfg(any(feature = "redis", feature = "memcached"))]
pub(super) async fn connect(url: &Url, port: u16) -> Result<(SocketAddr, TcpStream)> {
    let (host, port) = (host(url), url.port().unwrap_or(port));
    let addresses = resolver::addresses(host.trim_matches(['[', ']'])).await?;
    let mut refused = None;
    for address in addresses {
        let address = SocketAddr::new(address, port);
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok((address, stream)),
            Err(error) => refused = Some(anyhow!("{address} cannot be reached: {error}")),
        }
    }
    Err(refused.unwrap_or_else(|| anyhow!("the name `{host}` has no address")))
}

#[cfg(feature = "memcached")]
async fn memcached(url: &RemoteUrl, access: &Access, kept: Option<Duration>) -> Result<Operator> {
    let url = url.url();
    let (endpoint, prefix) = match url.scheme() {
        "memcached+unix" => (format!("unix://{}", url.path()), ""),
        _ => (format!("tcp://{}", connect(url, 11211).await?.0), url.path()),
    };
    let mut memcached =
        services::Memcached::default().endpoint(&endpoint).root(&root_below(prefix));
    if let Some(password) = password(url, access) {
        memcached = memcached.username(&user(url, access)).password(&password);
    }
    if let Some(kept) = kept {
        memcached = memcached.default_ttl(kept.min(LONGEST_MEMCACHED_TIME));
    }
    built(memcached)
}

#[cfg(feature = "s3")]
fn s3(url: &RemoteUrl, access: &Access) -> Result<Operator> {
    let url = url.url();
    let mut s3 = services::S3::default().bucket(&host(url)).root(&root_below(url.path()));
    let endpoint =
        asked(url, "endpoint").or_else(|| variable(&["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"]));
    if let Some(endpoint) = &endpoint {
        s3 = s3.endpoint(endpoint);
    }
    let region = asked(url, "region").or_else(|| variable(&["AWS_REGION", "AWS_DEFAULT_REGION"]));
    s3 = s3.region(region.as_deref().unwrap_or("us-east-1"));
    // These are for cachex alone. Other variables in the environment apply to the command, too.
    if let (Some(user), Some(password)) = (&access.user, &access.password) {
        s3 = s3.access_key_id(user).secret_access_key(password);
        if let Some(token) = &access.token {
            s3 = s3.session_token(token);
        }
    }
    if asked(url, "virtual-host-style").is_some_and(|value| value == "true") {
        s3 = s3.enable_virtual_host_style();
    }
    if asked(url, "anonymous").is_some_and(|value| value == "true") {
        s3 = s3.skip_signature();
    }
    over_http(built(s3)?, endpoint.as_deref().unwrap_or("https://s3.amazonaws.com"))
}

#[cfg(feature = "gcs")]
fn gcs(url: &RemoteUrl, access: &Access) -> Result<Operator> {
    let url = url.url();
    let mut gcs = services::Gcs::default().bucket(&host(url)).root(&root_below(url.path()));
    let endpoint = asked(url, "endpoint").or_else(|| {
        let emulator = variable(&["STORAGE_EMULATOR_HOST"])?;
        Some(if emulator.contains("://") { emulator } else { format!("http://{emulator}") })
    });
    if let Some(endpoint) = &endpoint {
        gcs = gcs.endpoint(endpoint);
    }
    if let Some(token) = &access.token {
        gcs = gcs.token(token.clone());
    }
    let is_emulated = endpoint.is_some() && variable(&["GOOGLE_APPLICATION_CREDENTIALS"]).is_none();
    if is_emulated || asked(url, "anonymous").is_some_and(|value| value == "true") {
        gcs = gcs.skip_signature();
    }
    over_http(built(gcs)?, endpoint.as_deref().unwrap_or("https://storage.googleapis.com"))
}

#[cfg(feature = "azblob")]
fn azblob(url: &RemoteUrl, access: &Access) -> Result<Operator> {
    let url = url.url();
    let mut azblob = match variable(&["AZURE_STORAGE_CONNECTION_STRING"]) {
        Some(connection) => {
            services::Azblob::from_connection_string(&connection).map_err(in_plain_words)?
        }
        None => services::Azblob::default(),
    };
    azblob = azblob.container(&host(url)).root(&root_below(url.path()));
    let account = variable(&["AZURE_STORAGE_ACCOUNT", "AZURE_STORAGE_ACCOUNT_NAME"]);
    let account = access.user.clone().or(account);
    let endpoint = asked(url, "endpoint").or_else(|| {
        let account = account.as_ref()?;
        Some(format!("https://{account}.blob.core.windows.net"))
    });
    if let Some(endpoint) = &endpoint {
        azblob = azblob.endpoint(endpoint);
    }
    if let Some(account) = &account {
        azblob = azblob.account_name(account);
    }
    let key = variable(&["AZURE_STORAGE_KEY", "AZURE_STORAGE_ACCOUNT_KEY"]);
    if let Some(key) = access.password.clone().or(key) {
        azblob = azblob.account_key(&key);
    }
    let token = variable(&["AZURE_STORAGE_SAS_TOKEN"]);
    if let Some(token) = access.token.clone().or(token) {
        azblob = azblob.sas_token(token.trim_start_matches('?'));
    }
    over_http(built(azblob)?, endpoint.as_deref().unwrap_or_default())
}

#[cfg(feature = "webdav")]
fn webdav(url: &RemoteUrl, access: &Access) -> Result<Operator> {
    let url = url.url();
    let scheme = if url.scheme() == "webdavs" { "https" } else { "http" };
    let endpoint = format!("{scheme}://{}", authority(url));
    let webdav = services::Webdav::default()
        .endpoint(&endpoint)
        .root(&root_below(url.path()))
        .username(&user(url, access))
        .password(&password(url, access).unwrap_or_default())
        .token(access.token.as_deref().unwrap_or_default());
    over_http(built(webdav)?, &endpoint)
}

#[cfg(feature = "http")]
fn http(url: &RemoteUrl, access: &Access) -> Result<Operator> {
    let url = url.url();
    let endpoint = format!("{}://{}", url.scheme(), authority(url));
    let http = services::Http::default()
        .endpoint(&endpoint)
        .root(&root_below(url.path()))
        .username(&user(url, access))
        .password(&password(url, access).unwrap_or_default())
        .token(access.token.as_deref().unwrap_or_default());
    over_http(built(http)?, &endpoint)
}

#[cfg(feature = "ghac")]
fn ghac(url: &RemoteUrl) -> Result<Operator> {
    let ghac = services::Ghac::default().root(&root_below(url.url().path())).version("cachex-1");
    let endpoint = variable(&["ACTIONS_RESULTS_URL", "ACTIONS_CACHE_URL"]).unwrap_or_default();
    over_http(built(ghac)?, &endpoint)
}

/// Returns the host and its port.
#[cfg(any(feature = "webdav", feature = "http"))]
fn authority(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    host(url) + &port
}

pub(super) fn user(url: &Url, access: &Access) -> String {
    let named = Some(percent_decoded(url.username())).filter(|user| !user.is_empty());
    named.or_else(|| access.user.clone()).unwrap_or_default()
}

pub(super) fn password(url: &Url, access: &Access) -> Option<String> {
    url.password().map(percent_decoded).or_else(|| access.password.clone())
}
