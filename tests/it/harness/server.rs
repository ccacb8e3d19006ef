//! One server: a process that belongs to one test, listens on loopback, keeps
//! what it holds in a folder of its own, and ends with the test, however that ends.

use super::capture::Capture;
use super::{contains, eventually, readable};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Makes the command that serves this folder on this port.
type Launch = dyn Fn(&Path, u16) -> Command;

/// A server's process, its port and its folder.
pub struct Server {
    name: &'static str,
    launch: Box<Launch>,
    is_ready: fn(&Server, &Child) -> bool,
    printed: Capture,
    folder: tempfile::TempDir,
    port: u16,
    child: Option<Child>,
}

impl Server {
    #[track_caller]
    pub(super) fn start(
        name: &'static str,
        is_ready: fn(&Server, &Child) -> bool,
        launch: impl Fn(&Path, u16) -> Command + 'static,
    ) -> Server {
        let folder = tempfile::Builder::new().prefix("cachex-server-").tempdir().unwrap();
        let printed = Capture::nothing();
        let launch = Box::new(launch);
        let mut server = Server { name, launch, is_ready, printed, folder, port: 0, child: None };
        // Somebody else may take the port between the look and the start.
        for _ in 0..20 {
            server.port = free_port();
            if server.tries_to_start() {
                return server;
            }
        }
        let said = readable(&server.printed.bytes());
        panic!("{name} does not start; its last words were:\n{said}");
    }

    /// Starts it on its port and waits until it serves, or until it ends.
    fn tries_to_start(&mut self) -> bool {
        let mut command = (self.launch)(self.folder.path(), self.port);
        let (printed, to_printed) = Capture::pipe(true);
        self.printed = printed;
        command.env_clear().env("LC_ALL", "C.UTF-8").env("PATH", "/usr/local/bin:/usr/bin:/bin");
        command.stdin(Stdio::piped()).stderr(to_printed.try_clone().unwrap()).stdout(to_printed);
        let child = command.spawn();
        let mut child = child.unwrap_or_else(|error| panic!("{command:?}: {error}"));
        drop(command);
        let started = eventually(&format!("{} to serve", self.name), || {
            if child.try_wait().unwrap().is_some() {
                return Some(false);
            }
            (self.is_ready)(self, &child).then_some(true)
        });
        self.child = started.then_some(child);
        started
    }

    /// What it printed has this in it.
    pub(super) fn printed(&self, text: &str) -> bool {
        contains(&self.printed.bytes(), text.as_bytes())
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// The folder that it keeps its data in.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Ends it at once, as a machine that loses its power.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Has it do nothing for a while, or go on.
    pub fn stops(&self, is_stopped: bool) {
        let signal = if is_stopped { Signal::STOP } else { Signal::CONT };
        let pid = Pid::from_child(self.child.as_ref().unwrap());
        kill_process(pid, signal).unwrap();
    }

    /// Ends it, and starts it where it was, with what its folder holds.
    #[track_caller]
    pub fn restart(&mut self) {
        self.kill();
        eventually(&format!("{} on its old port", self.name), || {
            self.tries_to_start().then_some(())
        });
    }

    /// Says something to it over a connection of its own, and reads until the
    /// answer has this in it.
    #[track_caller]
    pub(super) fn asked(&self, words: &str, until: &str) -> Option<String> {
        let mut stream = TcpStream::connect(self.address()).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
        stream.write_all(words.as_bytes()).ok()?;
        let (mut answer, mut buffer) = (Vec::new(), [0; 4096]);
        while !contains(&answer, until.as_bytes()) {
            let read = stream.read(&mut buffer).ok().filter(|read| *read > 0)?;
            answer.extend(&buffer[..read]);
        }
        String::from_utf8(answer).ok()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A port that is free now. They are below those that the system hands out, so
/// that no connection takes the port of a server that is to be started again.
fn free_port() -> u16 {
    const FIRST: u32 = 10_000;
    const COUNT: u32 = 20_000;
    static TAKEN: AtomicU32 = AtomicU32::new(0);
    let start = std::process::id().wrapping_mul(613);
    let mut ports = std::iter::repeat_with(|| {
        let turn = start.wrapping_add(TAKEN.fetch_add(1, Ordering::Relaxed));
        (FIRST + turn % COUNT) as u16
    });
    let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    ports.by_ref().take(COUNT as usize).find(is_free).expect("a free port")
}
