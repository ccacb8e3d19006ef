//! Redis: values by key over one connection that cachex opens itself.
//!
//! The client library speaks the protocol. Name resolution, connecting and TLS are done here: the
//! system's resolver cannot be relied on in a static binary, a refused connection must be reported
//! at once, and the caller bounds everything that takes time.

use super::kinds::{asked, connect, host, password, root_below, user, variable};
use super::listing::{Listed, now};
use super::{PIECES_AT_ONCE, QUIET, STALL, stalled};
use crate::{Access, RemoteUrl};
use anyhow::{Context, Result, anyhow};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Cmd, FromRedisValue, RedisConnectionInfo, RedisError, cmd};
use std::collections::HashSet;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context as Task, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::UnixStream;
use tokio::sync::Semaphore;

/// The length of a piece of a long value: short enough to pass a slow line well within [`STALL`].
pub const PIECE: usize = 256 << 10;
/// The maximum number of concurrent values, whoever requests them: on one connection they follow
/// each other, and each is given [`STALL`].
const VALUES_AT_ONCE: usize = 3;
/// The number of names requested at once.
const SCANNED_AT_ONCE: usize = 500;
/// The size of the longest concurrent answers, including their framing.
const LONGEST_ANSWERS: usize = (PIECE + 1024) * (PIECES_AT_ONCE + 1);

/// An open connection.
#[derive(Clone)]
pub struct Redis {
    connection: MultiplexedConnection,
    /// The prefix of every key.
    prefix: Arc<str>,
    /// The time after which the server drops written values.
    kept: Option<Duration>,
    /// The number of bytes that the server may send before the next request.
    allowed: Arc<AtomicUsize>,
    /// The number of bytes that it has sent.
    came: Arc<AtomicUsize>,
    turns: Arc<Semaphore>,
}

impl Redis {
    /// Connects to the server that a URL names.
    ///
    /// # Errors
    ///
    /// The server cannot be reached, or does not take the credentials.
    pub async fn open(url: &RemoteUrl, access: &Access, kept: Option<Duration>) -> Result<Redis> {
        let url = url.url();
        let is_local = url.scheme() == "redis+unix";
        let (database, prefix) = if is_local {
            (asked(url, "db"), String::new())
        } else {
            let path = url.path().trim_matches('/');
            let (first, rest) = path.split_once('/').unwrap_or((path, ""));
            (Some(first.to_owned()).filter(|first| !first.is_empty()), rest.to_owned())
        };
        let mut greeting = Greeting::default();
        if let Some(text) = &database {
            let number = text.parse();
            greeting.database =
                number.with_context(|| format!("`{text}` is the number of no database"))?;
        }
        let password = password(url, access).or_else(|| variable(&["REDISCLI_AUTH"]));
        greeting.password = password.filter(|it| !it.is_empty());
        greeting.user = Some(user(url, access)).filter(|it| !it.is_empty());
        let allowed = Arc::new(AtomicUsize::new(LONGEST_ANSWERS));
        let came = Arc::new(AtomicUsize::new(0));
        let counts = (&allowed, &came);
        let connection = if is_local {
            let stream = UnixStream::connect(url.path());
            speak(stream.await.with_context(|| url.path().to_owned())?, &greeting, counts).await?
        } else {
            let (_, stream) = connect(url, 6379).await?;
            stream.set_nodelay(true)?;
            if url.scheme() == "rediss" {
                speak(encrypted(stream, &host(url)).await?, &greeting, counts).await?
            } else {
                speak(stream, &greeting, counts).await?
            }
        };
        // The server has no folders; a common prefix takes their place.
        let prefix = root_below(&prefix).trim_start_matches('/').into();
        let turns = Arc::new(Semaphore::new(VALUES_AT_ONCE));
        Ok(Redis { connection, prefix, kept, allowed, came, turns })
    }

    /// Returns a value, if there is one.
    pub async fn read(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let mut get = cmd("GET");
        get.arg(self.key(name));
        let mut answer = std::pin::pin!(self.ask(&get));
        loop {
            // On one connection, the bytes of any answer show that it is alive.
            let before = self.came.load(Ordering::Relaxed);
            match tokio::time::timeout(QUIET, &mut answer).await {
                Ok(answer) => return answer,
                Err(_) if self.came.load(Ordering::Relaxed) == before => {
                    return Err(stalled(QUIET));
                }
                Err(_) => {}
            }
        }
    }

    /// Writes a value.
    pub async fn write(&self, name: &str, value: &[u8]) -> Result<()> {
        let mut set = cmd("SET");
        set.arg(self.key(name)).arg(value);
        if let Some(kept) = self.kept {
            set.arg("EX").arg(kept.as_secs().max(1));
        }
        self.ask(&set).await
    }

    /// Deletes a value, if it exists.
    pub async fn delete(&self, name: &str) -> Result<()> {
        self.ask(cmd("DEL").arg(self.key(name))).await
    }

    /// Sets a value that expires after `ttl`, unless it exists. Returns whether it was set.
    pub async fn claim(&self, name: &str, token: &str, ttl: Duration) -> Result<bool> {
        let mut set = cmd("SET");
        set.arg(self.key(name)).arg(token).arg("NX").arg("PX").arg(ttl.as_millis() as u64);
        let set: Option<String> = self.ask(&set).await?;
        Ok(set.is_some())
    }

    /// Extends the lifetime of a value that is still `token`, or deletes it. Returns whether it
    /// was.
    pub async fn keep_claim(&self, name: &str, token: &str, ttl: Option<Duration>) -> Result<bool> {
        // In one step, so that another caller's value is not touched.
        let mut eval = cmd("EVAL");
        let script = match ttl {
            Some(_) => {
                "if redis.call('get',KEYS[1])==ARGV[1] then return \
                 redis.call('pexpire',KEYS[1],ARGV[2]) else return 0 end"
            }
            None => {
                "if redis.call('get',KEYS[1])==ARGV[1] then return redis.call('del',KEYS[1]) \
                 else return 0 end"
            }
        };
        eval.arg(script).arg(1).arg(self.key(name)).arg(token);
        eval.arg(ttl.map_or(0, |ttl| ttl.as_millis() as u64));
        Ok(self.ask::<u64>(&eval).await? == 1)
    }

    /// Returns the server's time since 1970.
    pub async fn time(&self) -> Result<Duration> {
        let (seconds, micros): (u64, u32) = self.ask(&cmd("TIME")).await?;
        Ok(Duration::new(seconds, micros.min(999_999) * 1000))
    }

    /// Visits the names of values with a prefix, and with `with_facts` their size and the time of
    /// their last use.
    pub async fn list(
        &self,
        folder: &str,
        with_facts: bool,
        visit: &mut dyn FnMut(Listed),
    ) -> Result<()> {
        let mut pattern = String::new();
        for c in self.key(folder).chars() {
            if matches!(c, '*' | '?' | '[' | ']' | '^' | '\\') {
                pattern.push('\\');
            }
            pattern.push(c);
        }
        pattern.push('*');
        let (mut cursor, mut known) = (String::from("0"), HashSet::new());
        loop {
            let mut scan = cmd("SCAN");
            scan.arg(&cursor).arg("MATCH").arg(&pattern).arg("COUNT").arg(SCANNED_AT_ONCE);
            let keys: Vec<String>;
            (cursor, keys) = self.ask(&scan).await?;
            // A name may be returned again while the server resizes its table.
            let keys: Vec<String> =
                keys.into_iter().filter(|key| known.insert(key.clone())).collect();
            let facts = if with_facts { self.facts(&keys).await? } else { Vec::new() };
            let mut facts = facts.into_iter();
            for key in keys {
                let (bytes, used) = match facts.next() {
                    // It was deleted meanwhile.
                    Some((None, _) | (_, None)) => continue,
                    Some((Some(bytes), used)) => (bytes, used),
                    None => (0, None),
                };
                if let Some(name) = key.strip_prefix(&*self.prefix) {
                    visit(Listed { name: name.to_owned(), bytes, used });
                }
            }
            if cursor == "0" {
                return Ok(());
            }
        }
    }

    /// Returns the bytes that values take, and when they were last used. Neither query counts as a
    /// use.
    async fn facts(&self, keys: &[String]) -> Result<Vec<(Option<u64>, Option<i64>)>> {
        let (mut sizes, mut idle) = (redis::pipe(), redis::pipe());
        for key in keys {
            sizes.cmd("MEMORY").arg("USAGE").arg(key);
            idle.cmd("OBJECT").arg("IDLETIME").arg(key);
        }
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let now = now()?;
        let _turn = self.turns.acquire().await?;
        self.allowed.store(LONGEST_ANSWERS, Ordering::Relaxed);
        let connection = &mut self.connection.clone();
        let idle: Vec<Option<i64>> = idle.query_async(connection).await.map_err(in_plain_words)?;
        let sizes: Vec<Option<u64>> =
            sizes.query_async(connection).await.map_err(in_plain_words)?;
        let used = idle.into_iter().map(|idle| idle.map(|idle| now.saturating_sub(idle)));
        Ok(sizes.into_iter().zip(used).collect())
    }

    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Result<T> {
        let _turn = self.turns.acquire().await?;
        self.allowed.store(LONGEST_ANSWERS, Ordering::Relaxed);
        command.query_async(&mut self.connection.clone()).await.map_err(in_plain_words)
    }
}

/// Converts an error, in the server's words if there are any.
fn in_plain_words(error: RedisError) -> anyhow::Error {
    let text = error.to_string();
    match error.into_server_errors().as_deref() {
        // The first refusal is the reason for the others.
        Some([(_, refusal), ..]) => match refusal.details() {
            Some(details) => anyhow!("{} {details}", refusal.code()),
            None => anyhow!("{}", refusal.code()),
        },
        _ => anyhow!(text.lines().next().unwrap_or_default().to_owned()),
    }
}

/// The introduction before the first request. The client library could send it too, but would hide
/// why the server rejects it.
#[derive(Default)]
struct Greeting {
    user: Option<String>,
    password: Option<String>,
    database: i64,
}

impl Greeting {
    async fn say(&self, connection: &mut MultiplexedConnection) -> Result<()> {
        match self.say_as(self.user.as_deref(), connection).await {
            // Servers before version 6 have no users.
            Err(error) if self.user.is_some() && format!("{error:#}").contains(TOO_MANY) => {
                self.say_as(None, connection).await
            }
            said => said,
        }
    }

    async fn say_as(&self, user: Option<&str>, to: &mut MultiplexedConnection) -> Result<()> {
        let mut all = redis::pipe();
        if let Some(password) = &self.password {
            all.cmd("AUTH").arg(user).arg(password).ignore();
        }
        if self.database != 0 {
            all.cmd("SELECT").arg(self.database).ignore();
        }
        if all.is_empty() {
            return Ok(());
        }
        let Err(error) = all.exec_async(to).await else { return Ok(()) };
        let first = error.clone().into_server_errors().and_then(|refused| Some(refused.first()?.0));
        let error = in_plain_words(error);
        Err(if self.password.is_some() && first == Some(0) {
            error.context("access is denied, the password may be wrong")
        } else {
            error
        })
    }
}

/// The server's message for a command with an unknown argument.
const TOO_MANY: &str = "wrong number of arguments";

/// Sets up a session over a connected stream.
async fn speak(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    greeting: &Greeting,
    (allowed, came): (&Arc<AtomicUsize>, &Arc<AtomicUsize>),
) -> Result<MultiplexedConnection> {
    let stream = Bounded { stream, allowed: allowed.clone(), came: came.clone() };
    let config = AsyncConnectionConfig::new().set_response_timeout(Some(STALL));
    let silent = RedisConnectionInfo::default().set_skip_set_lib_name();
    let connected = MultiplexedConnection::new_with_config(&silent, stream, config).await;
    let (mut connection, driver) = connected.map_err(in_plain_words)?;
    tokio::spawn(driver);
    greeting.say(&mut connection).await?;
    Ok(connection)
}

/// Wraps a stream in TLS, to a server whose certificate is for `host`.
async fn encrypted(
    stream: tokio::net::TcpStream,
    host: &str,
) -> Result<tokio_rustls::client::TlsStream<tokio::net::TcpStream>> {
    use rustls_platform_verifier::ConfigVerifierExt;
    let name = rustls::pki_types::ServerName::try_from(host.trim_matches(['[', ']']).to_owned());
    let name = name.with_context(|| format!("`{host}` is no name that a certificate has"))?;
    let config = rustls::ClientConfig::with_platform_verifier().context("preparing for TLS")?;
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    connector.connect(name, stream).await.context("TLS")
}

/// A stream that fails when the peer sends more than was requested. The client library would buffer
/// it all.
struct Bounded<S> {
    stream: S,
    allowed: Arc<AtomicUsize>,
    came: Arc<AtomicUsize>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Bounded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        task: &mut Task<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(task, into);
        let came = into.filled().len() - before;
        self.came.fetch_add(came, Ordering::Relaxed);
        let spend = |left: usize| left.checked_sub(came);
        if self.allowed.fetch_update(Ordering::Relaxed, Ordering::Relaxed, spend).is_err() {
            let error =
                io::Error::new(io::ErrorKind::InvalidData, "it sends more than was asked for");
            return Poll::Ready(Err(error));
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Bounded<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        task: &mut Task<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(task, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(task)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(task)
    }
}
