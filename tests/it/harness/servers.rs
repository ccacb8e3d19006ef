//! The kinds of servers that a remote store can be on.
//!
//! Redis and memcached are Debian's. S3, WebDAV and the cache service of GitHub
//! Actions are those of the package in `tests/servers`.

use super::server::Server;
use super::{Call, World};
use std::ffi::OsStr;
use std::io::Write;
use std::net::SocketAddr;
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a client of a server that wants to know it calls itself.
const USER: &str = "walrus";
/// With everything in it that a URL would have to quote.
const PASSWORD: &str = "of/the+sea: 100%@home";

/// A remote store as it is named on a command line.
pub trait Remote {
    /// Its URL.
    fn url(&self) -> String;

    /// The variables with the credentials.
    fn variables(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}

/// A remote store that is on a server.
pub trait Served {
    /// Where that listens.
    fn address(&self) -> SocketAddr;

    /// The URL if it is reached there.
    fn url_at(&self, address: SocketAddr) -> String;

    /// The variables if it is reached there.
    fn variables_at(&self, _address: SocketAddr) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}

impl<S: Served> Remote for S {
    fn url(&self) -> String {
        self.url_at(self.address())
    }

    fn variables(&self) -> Vec<(&'static str, String)> {
        self.variables_at(self.address())
    }
}

impl Call {
    /// Has this remote store, and its credentials.
    pub fn remote(self, remote: &dyn Remote) -> Call {
        let variables = remote.variables();
        let call = variables.into_iter().fold(self, |call, (name, value)| call.env(name, value));
        call.env("CACHEX_REMOTE", remote.url())
    }
}

/// A kind of server is first of all a [`Server`].
macro_rules! is_a_server {
    ($($kind:ty),*) => {$(
        impl Deref for $kind {
            type Target = Server;

            fn deref(&self) -> &Server {
                &self.server
            }
        }

        impl DerefMut for $kind {
            fn deref_mut(&mut self) -> &mut Server {
                &mut self.server
            }
        }
    )*};
}

is_a_server!(Redis, Memcached, S3, WebDav, Ghac);

/// A folder that machines share.
pub struct Folder {
    path: PathBuf,
    _own: Option<tempfile::TempDir>,
}

impl Folder {
    pub fn new() -> Folder {
        let own = tempfile::Builder::new().prefix("cachex-shared-").tempdir().unwrap();
        Folder { path: own.path().to_owned(), _own: Some(own) }
    }

    /// The same folder for others.
    pub fn at(path: &Path) -> Folder {
        Folder { path: path.to_owned(), _own: None }
    }

    /// The folder of the objects.
    pub fn objects(&self) -> &Path {
        &self.path
    }
}

impl Remote for Folder {
    fn url(&self) -> String {
        format!("file://{}", self.path.display())
    }
}

/// A Redis, which has what it held when it is started again.
pub struct Redis {
    server: Server,
    password: Option<&'static str>,
}

impl Redis {
    /// A Redis for everybody.
    #[track_caller]
    pub fn start() -> Redis {
        Redis::with(&[])
    }

    /// A Redis that wants a password.
    #[track_caller]
    pub fn with_password() -> Redis {
        Redis { password: Some(PASSWORD), ..Redis::with(&["--requirepass", PASSWORD]) }
    }

    /// A Redis with more arguments, as `--maxmemory 2mb` is.
    #[track_caller]
    pub fn with(arguments: &'static [&'static str]) -> Redis {
        let server = Server::start(
            "redis-server",
            |server, _| server.printed("Ready to accept connections"),
            move |folder, port| {
                let mut command = mortal("redis-server");
                command.args(["--bind", "127.0.0.1", "--port", &port.to_string()]);
                command.arg("--dir").arg(folder).arg("--unixsocket").arg(folder.join("socket"));
                // A write has left the process before it is answered.
                command.args(["--save", "", "--appendonly", "yes", "--appendfsync", "no"]);
                command.args(arguments);
                command
            },
        );
        Redis { server, password: None }
    }

    /// Its URL by its Unix socket.
    pub fn socket_url(&self) -> String {
        format!("redis+unix://{}", self.folder().join("socket").display())
    }

    /// What `redis-cli` prints for this command.
    #[track_caller]
    pub fn cli<S: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = S>) -> String {
        String::from_utf8(self.ask(words, b"")).unwrap().trim_end().to_owned()
    }

    /// Every key that it holds.
    #[track_caller]
    pub fn keys(&self) -> Vec<String> {
        let mut keys: Vec<String> = self.cli(["--scan"]).lines().map(str::to_owned).collect();
        keys.sort();
        keys
    }

    /// What it holds of this key.
    #[track_caller]
    pub fn get(&self, key: &str) -> Vec<u8> {
        let mut value = self.ask(["GET", key], b"");
        assert_eq!(value.pop(), Some(b'\n'), "redis-cli ends its line");
        value
    }

    /// Puts something in the place of what it holds of this key.
    #[track_caller]
    pub fn set(&self, key: &str, value: &[u8]) {
        let answer = self.ask(["-x", "SET", key], value);
        assert_eq!(answer, b"OK\n", "{}", String::from_utf8_lossy(&answer));
    }

    #[track_caller]
    fn ask<S: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = S>, stdin: &[u8]) -> Vec<u8> {
        let mut command = Command::new("redis-cli");
        command.args(["-p", &self.port().to_string(), "--raw"]).args(words);
        if let Some(password) = self.password {
            command.env("REDISCLI_AUTH", password);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(stdin).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{command:?}: {output:?}");
        output.stdout
    }
}

impl Served for Redis {
    fn address(&self) -> SocketAddr {
        self.server.address()
    }

    fn url_at(&self, address: SocketAddr) -> String {
        format!("redis://{address}")
    }

    fn variables_at(&self, _: SocketAddr) -> Vec<(&'static str, String)> {
        self.password.iter().map(|password| ("REDISCLI_AUTH", (*password).to_owned())).collect()
    }
}

/// A memcached, which has nothing left when it is started again.
pub struct Memcached {
    server: Server,
}

impl Memcached {
    /// A memcached with 64 MiB.
    #[track_caller]
    pub fn start() -> Memcached {
        let server = Server::start(
            "memcached",
            |server, child| {
                // Somebody else's on the same port has another number.
                let own = format!("STAT pid {}\r\n", child.id());
                server.asked("stats\r\n", "END\r\n").is_some_and(|stats| stats.contains(&own))
            },
            |_, port| {
                let mut command = mortal("memcached");
                // Root has to say that it means to be root.
                command.args(["-l", "127.0.0.1", "-U", "0", "-u", "root"]);
                // A listing tells of the items of one queue, so there is to be but one.
                command.args(["-o", "no_lru_maintainer", "-p", &port.to_string()]);
                command
            },
        );
        Memcached { server }
    }

    /// Every key that it holds, and the time at which it lets go of it, in
    /// seconds since 1970; none if it does not.
    #[track_caller]
    pub fn keys(&self) -> Vec<(String, Option<u64>)> {
        let list = |what: String| self.asked(&format!("stats {what}\r\n"), "END\r\n").unwrap();
        let of_class = |class: &str| list(format!("cachedump {class} 0"));
        let items = list("items".to_owned());
        // STAT items:CLASS:number COUNT
        let mut classes: Vec<&str> = items.lines().filter_map(|it| it.split(':').nth(1)).collect();
        classes.dedup();
        let mut keys: Vec<_> =
            classes.into_iter().flat_map(|class| parsed(&of_class(class))).collect();
        keys.sort();
        keys
    }
}

impl Served for Memcached {
    fn address(&self) -> SocketAddr {
        self.server.address()
    }

    fn url_at(&self, address: SocketAddr) -> String {
        format!("memcached://{address}")
    }
}

/// The keys of lines of the form `ITEM KEY [SIZE b; TIME s]`.
fn parsed(lines: &str) -> Vec<(String, Option<u64>)> {
    let item = |line: &str| {
        let (key, rest) = line.strip_prefix("ITEM ")?.split_once(" [")?;
        let time = rest.split_once("; ")?.1.strip_suffix(" s]")?.parse().ok()?;
        Some((key.to_owned(), Some(time).filter(|time| *time > 0)))
    };
    lines.lines().filter_map(item).collect()
}

/// S3 with one bucket; what it holds is in files below [`S3::objects`].
pub struct S3 {
    server: Server,
}

impl S3 {
    #[track_caller]
    pub fn start() -> S3 {
        let server = own_server(["s3", "--access-key", USER, "--secret-key", PASSWORD]);
        S3 { server }
    }

    /// The folder of the objects.
    pub fn objects(&self) -> PathBuf {
        self.folder().join("cachex/shared")
    }
}

impl Served for S3 {
    fn address(&self) -> SocketAddr {
        self.server.address()
    }

    fn url_at(&self, address: SocketAddr) -> String {
        format!("s3://cachex/shared?endpoint=http://{address}&region=us-east-1")
    }

    fn variables_at(&self, _: SocketAddr) -> Vec<(&'static str, String)> {
        vec![("AWS_ACCESS_KEY_ID", USER.into()), ("AWS_SECRET_ACCESS_KEY", PASSWORD.into())]
    }
}

/// WebDAV; what it holds is in files below [`WebDav::objects`].
pub struct WebDav {
    server: Server,
    has_user: bool,
}

impl WebDav {
    /// WebDAV for everybody.
    #[track_caller]
    pub fn start() -> WebDav {
        WebDav { server: own_server(["webdav"]), has_user: false }
    }

    /// WebDAV for one user.
    #[track_caller]
    pub fn with_password() -> WebDav {
        let server = own_server(["webdav", "--user", USER, "--password", PASSWORD]);
        WebDav { server, has_user: true }
    }

    /// The folder of the objects.
    pub fn objects(&self) -> PathBuf {
        self.folder().join("shared")
    }

    /// The same objects for who only reads, by plain HTTP.
    pub fn http_url(&self) -> String {
        format!("http://{}/shared", self.server.address())
    }
}

impl Served for WebDav {
    fn address(&self) -> SocketAddr {
        self.server.address()
    }

    fn url_at(&self, address: SocketAddr) -> String {
        format!("webdav://{address}/shared")
    }

    fn variables_at(&self, _: SocketAddr) -> Vec<(&'static str, String)> {
        if self.has_user {
            let (user, password) = ("CACHEX_REMOTE_USER", "CACHEX_REMOTE_PASSWORD");
            vec![(user, USER.into()), (password, PASSWORD.into())]
        } else {
            Vec::new()
        }
    }
}

/// The cache service of GitHub Actions.
pub struct Ghac {
    server: Server,
}

impl Ghac {
    #[track_caller]
    pub fn start() -> Ghac {
        Ghac { server: own_server(["ghac", "--token", PASSWORD]) }
    }
}

impl Served for Ghac {
    fn address(&self) -> SocketAddr {
        self.server.address()
    }

    fn url_at(&self, _: SocketAddr) -> String {
        "ghac:///shared".to_owned()
    }

    fn variables_at(&self, address: SocketAddr) -> Vec<(&'static str, String)> {
        vec![
            ("ACTIONS_CACHE_SERVICE_V2", "True".into()),
            ("ACTIONS_RESULTS_URL", format!("http://{address}/")),
            ("ACTIONS_RUNTIME_TOKEN", PASSWORD.into()),
        ]
    }
}

/// One of those of `tests/servers`.
#[track_caller]
pub fn own_server<const N: usize>(arguments: [&'static str; N]) -> Server {
    let path = World::binary().with_file_name("cachex-test-servers");
    let how = "`cargo build -p cachex-test-servers` builds it, and `tests/run` does so by itself";
    assert!(path.exists(), "this test needs {}: {how}", path.display());
    let launch = move |folder: &Path, port: u16| {
        let mut command = Command::new(&path);
        command.args(["--port", &port.to_string(), "--dir"]).arg(folder).args(arguments);
        command
    };
    Server::start(arguments[0], |server, _| server.printed(&format!("{}\n", server.port())), launch)
}

/// A command that ends with this thread, so that a killed test leaves nothing;
/// those of `tests/servers` end with their standard input.
fn mortal(program: &str) -> Command {
    if cfg!(target_os = "linux") {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", program]);
        command
    } else {
        Command::new(program)
    }
}
