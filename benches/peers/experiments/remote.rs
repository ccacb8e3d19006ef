//! Results that come from a store which machines share, beside those that are here,
//! and beside the engine's own client. The servers are on loopback.

use super::{Sampler, compete};
use crate::contender::{Contender, Emit, Tool};
use crate::lab::{Lab, find};
use crate::measure::{Sample, run_beside};
use crate::release;
use crate::table::{Table, bytes, comparison};
use anyhow::{Context, Result, bail, ensure};
use std::cell::Cell;
use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const MIB: u64 = 1 << 20;

/// A server that ends with this.
pub(super) struct Server {
    child: Child,
    pub(super) url: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn redis(lab: &Lab) -> Result<Table> {
    let server = redis_server(lab)?;
    let contender = Contender::new(lab, Tool::Cachex, "remote-redis")?;
    let emit = Emit::new(lab, "remote-redis", OsStr::new("-"), &["hello"])?;
    let url = server.url.as_str();
    share(lab, &contender, &emit, url, &[])?;
    let ask = || {
        let mut command = contender.ask_with(lab, &["--cached-only"], &emit.argv);
        command.env("CACHEX_REMOTE", url);
        command
    };
    let entrants: Vec<(String, Result<Sampler<'_>>)> = vec![
        ("cachex, here".to_owned(), Ok(Box::new(|| run_beside(&mut ask())))),
        (
            "cachex, from Redis".to_owned(),
            Ok(Box::new(|| {
                contender.empty()?;
                // A machine that was in use has a store.
                run_beside(contender.ask(lab, &["true"]).env("CACHEX_REMOTE_MODE", "off"))?;
                run_beside(&mut ask())
            })),
        ),
    ];
    let results = compete(lab.rounds(100), entrants);
    Ok(comparison("A hit on 6 bytes, in this store and from Redis", &["cachex, here"], &results))
}

pub fn s3(lab: &Lab) -> Result<Table> {
    let (access, secret) = ("bench", "bench-secret");
    let server = s3_server(lab, access, secret)?;
    let aws = find("aws").context("the package `awscli` has the client that this is beside")?;
    let size = 100 * MIB;
    let file = lab.file(size)?;
    let credentials = [
        ("AWS_ACCESS_KEY_ID", access),
        ("AWS_SECRET_ACCESS_KEY", secret),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ENDPOINT_URL", server.url.as_str()),
    ];
    let contender = Contender::new(lab, Tool::Cachex, "remote-s3")?;
    let emit = Emit::new(lab, "remote-s3", OsStr::new(&file), &[])?;
    share(lab, &contender, &emit, "s3://cachex/bench", &credentials)?;
    let copied = lab.work.join("remote-s3.copy");
    let (object, place) = ("s3://cachex/copy", copied.as_os_str());
    let client = |from: &OsStr, to: &OsStr| -> Result<Sample> {
        let mut command = lab.command(&aws);
        command.args(["s3", "cp", "--only-show-errors"]).arg(from).arg(to).envs(credentials);
        run_beside(&mut command)
    };
    client(file.as_os_str(), OsStr::new(object))?;
    let round = Cell::new(0);
    let entrants: Vec<(String, Result<Sampler<'_>>)> = vec![
        (
            "aws s3 cp, to a file".to_owned(),
            Ok(Box::new(|| {
                let _ = fs::remove_file(&copied);
                client(OsStr::new(object), place)
            })),
        ),
        (
            "cachex, from S3".to_owned(),
            Ok(Box::new(|| {
                contender.empty()?;
                let mut ask = contender.ask_with(lab, &["--cached-only"], &emit.argv);
                run_beside(ask.env("CACHEX_REMOTE", "s3://cachex/bench").envs(credentials))
            })),
        ),
        (
            "aws s3 cp, from a file".to_owned(),
            Ok(Box::new(|| client(file.as_os_str(), OsStr::new(object)))),
        ),
        (
            "cachex remote flush".to_owned(),
            Ok(Box::new(|| {
                contender.empty()?;
                // What is there is not sent again.
                let remote = format!("s3://cachex/bench-{}", round.replace(round.get() + 1));
                queue(lab, &contender, &emit, &remote, &credentials)?;
                flush(lab, &contender, &remote, &credentials)
            })),
        ),
    ];
    let results = compete(lab.rounds(12), entrants);
    let title = format!("{} to and from S3, on loopback", bytes(size));
    let table = comparison(&title, &["aws s3 cp, to a file", "aws s3 cp, from a file"], &results);
    let _ = fs::remove_file(&copied);
    Ok(table)
}

/// Records a call and has it sent.
fn share(
    lab: &Lab,
    contender: &Contender,
    emit: &Emit,
    remote: &str,
    variables: &[(&str, &str)],
) -> Result<()> {
    run_beside(&mut asking(lab, contender, emit, remote, variables))?;
    flush(lab, contender, remote, variables).map(drop)
}

/// A call that shares what it records.
fn asking(
    lab: &Lab,
    contender: &Contender,
    emit: &Emit,
    remote: &str,
    variables: &[(&str, &str)],
) -> Command {
    let mut ask = contender.ask(lab, &emit.argv);
    ask.env("CACHEX_REMOTE", remote).envs(variables.iter().copied());
    ask
}

/// Waits until everything is sent.
pub(super) fn flush(
    lab: &Lab,
    contender: &Contender,
    remote: &str,
    variables: &[(&str, &str)],
) -> Result<Sample> {
    let mut flush = lab.command(&contender.binary);
    flush.args(["remote", "flush", "--remote", remote, "--cache-dir"]).arg(&contender.cache);
    run_beside(flush.envs(variables.iter().copied()))
}

/// Records a call that cannot be sent yet, because nothing listens where it is to go.
fn queue(
    lab: &Lab,
    contender: &Contender,
    emit: &Emit,
    remote: &str,
    variables: &[(&str, &str)],
) -> Result<()> {
    let mut ask = asking(lab, contender, emit, remote, variables);
    run_beside(ask.env("AWS_ENDPOINT_URL", "http://127.0.0.1:1"))?;
    // The process that sends gives up, and says so.
    let folder = contender.cache.join("v2/remote");
    let gave_up = || {
        let names = fs::read_dir(&folder).into_iter().flatten().flatten();
        names.map(|entry| entry.path()).any(|path| path.extension() == Some(OsStr::new("unsent")))
    };
    wait_until("what sends to give up", gave_up)
}

fn wait_until(what: &str, mut done: impl FnMut() -> bool) -> Result<()> {
    let start = Instant::now();
    while !done() {
        ensure!(start.elapsed() < Duration::from_secs(30), "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

pub(super) fn redis_server(lab: &Lab) -> Result<Server> {
    let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
    let child = Command::new(find("redis-server")?)
        .args(["--port", &port.to_string(), "--save", "", "--dir"])
        .arg(&lab.work)
        .stdout(Stdio::null())
        .spawn()
        .context("starting redis-server")?;
    let server = Server { child, url: format!("redis://127.0.0.1:{port}") };
    wait_until("redis-server", || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok())?;
    Ok(server)
}

/// That of the tests, as fast as it can be.
pub(super) fn s3_server(lab: &Lab, access: &str, secret: &str) -> Result<Server> {
    let args = ["build", "--release", "--locked", "-p", "cachex-test-servers"];
    let messages = release::ask_cargo(&args, &["--message-format", "json-render-diagnostics"])?;
    let binary = messages.iter().find_map(|message| message["executable"].as_str());
    let folder = lab.work.join("s3");
    fs::create_dir_all(&folder)?;
    let mut child = Command::new(Path::new(binary.context("cargo built no server")?))
        .arg("--dir")
        .arg(&folder)
        .args(["s3", "--access-key", access, "--secret-key", secret])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("starting a server")?;
    let mut port = String::new();
    match child.stdout.take() {
        Some(stdout) => BufReader::new(stdout).read_line(&mut port)?,
        None => bail!("the server says nothing"),
    };
    Ok(Server { child, url: format!("http://127.0.0.1:{}", port.trim()) })
}
