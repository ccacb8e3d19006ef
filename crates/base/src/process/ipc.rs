//! Helper processes: copies of cachex that do work apart from the process that needs it.
//!
//! A helper does what may hang, panic or take long. It answers in frames on its standard output: a
//! tag, a length (4 bytes, little-endian) and that many bytes. An answer ends with a frame tagged
//! [`DONE`] or [`FAILED`], or with another final frame of that kind of helper; if it ends
//! otherwise, the helper died. The caller bounds the time until each frame and kills a helper that
//! is late. A helper also ends when its caller dies, since nobody would read its answer.

mod executable;

use crate::process::exit::{self, Exit};
use crate::process::fallback;
use crate::record::entry::MAX_SEALED;
use crate::record::version_dir;
use crate::system::fsutil;
use crate::system::null;
use crate::system::progress::Progress;
use crate::system::signals;
use anyhow::{Context, Result, bail};
use rustix::event::{PollFd, PollFlags};
use rustix::process::{Signal, getpid, kill_process};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

pub use executable::{
    arguments, called_for, has_rights_of_its_own, helper, helpers_branch_off, is_cachex,
    is_cachex_from_now_on, is_called_for,
};

/// The process name of cachex and its helpers.
pub const NAME: &str = "cachex";
/// The hidden verb for a program that uses the library: `run`, after the path of a file that
/// receives the report of the call.
pub const RUN_FOR: &str = "__run";
/// The hidden verb by which a program asks whether this cachex can be its helper.
pub const VERSION_VERB: &str = "__version";

/// One of several requested items.
pub const ITEM: u8 = b'I';
/// The work continues.
pub const ALIVE: u8 = b'A';
/// The work continues; the bytes are a [`Progress`].
pub const PROGRESS: u8 = b'P';
/// The work is done; the bytes are its result.
pub const DONE: u8 = b'D';
/// The work failed; the bytes are the reason.
pub const FAILED: u8 = b'F';

/// The maximum length of a frame.
const MAX_FRAME: usize = 64 * 1024;

/// A helper process, killed when it is no longer needed.
pub struct Helper {
    child: Child,
    buffer: Vec<u8>,
}

impl Helper {
    /// Starts a helper and connects its output.
    pub fn start(command: &mut Command) -> Result<Helper> {
        signals::notice_children();
        let nowhere = null::output().context("opening a place for errors")?;
        let child = command.stdout(Stdio::piped()).stderr(nowhere).spawn();
        Ok(Helper { child: child.context("starting a helper process")?, buffer: Vec::new() })
    }

    /// Returns the next frame, or `None` at the end. `step` bounds the wait for it.
    pub fn frame(&mut self, step: Option<Duration>) -> Result<Option<(u8, Vec<u8>)>> {
        loop {
            if let Some(frame) = take_frame(&mut self.buffer)? {
                return Ok(Some(frame));
            }
            if self.fill(step)? == 0 {
                return Ok(None);
            }
        }
    }

    /// Returns the helper's standard input, if that is a pipe.
    pub fn input(&mut self) -> Option<&mut ChildStdin> {
        self.child.stdin.as_mut()
    }

    /// Waits for a helper that has closed its output, and returns its exit status.
    pub fn end(&mut self) -> Result<ExitStatus> {
        self.child.wait().context("waiting for a helper process")
    }

    fn fill(&mut self, step: Option<Duration>) -> Result<usize> {
        let Some(output) = self.child.stdout.as_mut() else { return Ok(0) };
        let started = Instant::now();
        loop {
            let left = step.map(|step| step.saturating_sub(started.elapsed()));
            match fsutil::poll(&mut [PollFd::new(output, PollFlags::IN)], left) {
                Ok(0) => return Err(Late.into()),
                Ok(_) => break,
                Err(rustix::io::Errno::INTR) => {}
                Err(errno) => return Err(errno).context("waiting for a helper process"),
            }
        }
        let mut chunk = [0; 16 * 1024];
        let n = output.read(&mut chunk).context("reading from a helper process")?;
        self.buffer.extend(&chunk[..n]);
        Ok(n)
    }
}

impl Drop for Helper {
    /// Ends the helper, whose work is done or abandoned.
    fn drop(&mut self) {
        // A helper that may not be killed is not waited for: it ends with this process.
        if self.child.kill().is_ok() {
            let _ = self.child.wait();
        }
    }
}

/// The error of a helper that did not answer in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Late;

impl std::fmt::Display for Late {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("no answer in time")
    }
}

impl std::error::Error for Late {}

/// Takes the first frame out of `buffer`, or `None` if it is not complete yet.
pub fn take_frame(buffer: &mut Vec<u8>) -> Result<Option<(u8, Vec<u8>)>> {
    let Some((&[tag, a, b, c, d], rest)) = buffer.split_first_chunk() else { return Ok(None) };
    let len = u32::from_le_bytes([a, b, c, d]) as usize;
    if len > MAX_FRAME {
        bail!("a helper process gave an unreadable answer");
    }
    let Some(body) = rest.get(..len) else { return Ok(None) };
    let body = body.to_vec();
    buffer.drain(..5 + len);
    Ok(Some((tag, body)))
}

/// Writes a frame.
pub fn write_frame(output: &mut dyn Write, tag: u8, body: &[u8]) -> std::io::Result<()> {
    output.write_all(&[tag])?;
    output.write_all(&(body.len() as u32).to_le_bytes())?;
    output.write_all(body)?;
    output.flush()
}

/// Encodes a request to a helper, or its answer.
pub fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>> {
    Ok(bincode::serde::encode_to_vec(value, bincode::config::standard())?)
}

/// Decodes a helper's answer.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    let codec = bincode::config::standard().with_limit::<{ 2 * MAX_SEALED }>();
    Ok(bincode::serde::decode_from_slice(bytes, codec)?.0)
}

/// Returns the version that a helper and its caller must share: that of cachex and of the store's
/// layout.
pub fn version() -> String {
    format!("{NAME} {}, store {}", env!("CARGO_PKG_VERSION"), version_dir().display())
}

/// Answers a request for the version.
pub fn tell_version() -> Exit {
    let told = write_frame(&mut std::io::stdout().lock(), DONE, version().as_bytes());
    told.map_or(Exit::Status(exit::FAILURE), |()| Exit::SUCCESS)
}

/// Starts acting as a helper: silences panics, and sets the process name in place of the name of
/// the link that it was started by.
pub fn begin() {
    fallback::is_helper();
    std::panic::set_hook(Box::new(|_| {}));
    take_name();
}

/// Sets the name of this process.
pub fn take_name() {
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::set_name(c"cachex");
}

/// Makes this process die with the thread that started it where the system supports that, and
/// elsewhere at the first frame that nobody reads.
pub fn end_with_the_asker() {
    #[cfg(target_os = "linux")]
    {
        let _ = rustix::process::set_parent_process_death_signal(Some(Signal::KILL));
        // The parent may already have died.
        let stdout = rustix::stdio::stdout();
        let mut output = [PollFd::new(&stdout, PollFlags::empty())];
        let looked = fsutil::poll(&mut output, Some(Duration::ZERO));
        if looked.is_ok() && output[0].revents().contains(PollFlags::ERR) {
            die();
        }
    }
}

/// Reports the progress of the work between two steps.
pub fn tell(progress: Progress) {
    let Ok(body) = encode(&progress) else { return };
    if write_frame(&mut std::io::stdout().lock(), PROGRESS, &body).is_err() {
        // A caller that ignores SIGPIPE makes this process ignore it too.
        die();
    }
}

/// Dies at once, without closing anything: sled would write.
fn die() {
    let _ = kill_process(getpid(), Signal::KILL);
}
