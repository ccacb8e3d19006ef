//! Helper processes: cachex, asked for what is to be kept apart from the process that
//! needs it.
//!
//! What may hang, panic or take its time is done by a helper, which answers in frames
//! on its standard output: a tag, a length (4 bytes, little-endian) and so many bytes.
//! An answer ends with a frame tagged [`DONE`] or [`FAILED`], or one that its kind of
//! helper knows besides; what ends otherwise came from a helper that died. Who asks
//! bounds the time until each frame, and a helper that is late is killed. A helper
//! whose asker died ends too: it would work for nobody.

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

/// What a process is called that is cachex, or a helper.
pub const NAME: &str = "cachex";
/// The hidden verb of a program that uses the library, which is `run` after the path of
/// a file that is told of the call.
pub const RUN_FOR: &str = "__run";
/// The hidden verb of a program that asks whether this cachex can be its helper.
pub const VERSION_VERB: &str = "__version";

/// One of several things that were asked for.
pub const ITEM: u8 = b'I';
/// The work goes on.
pub const ALIVE: u8 = b'A';
/// It goes on, and is so far: a [`Progress`].
pub const PROGRESS: u8 = b'P';
/// The work is done; the bytes are its result.
pub const DONE: u8 = b'D';
/// It failed; the bytes say why.
pub const FAILED: u8 = b'F';

/// No frame is longer.
const MAX_FRAME: usize = 64 * 1024;

/// A helper process, killed when it is not needed any more.
pub struct Helper {
    child: Child,
    buffer: Vec<u8>,
}

impl Helper {
    /// Starts one, whose answer can be read.
    pub fn start(command: &mut Command) -> Result<Helper> {
        signals::notice_children();
        let nowhere = null::output().context("opening a place for errors")?;
        let child = command.stdout(Stdio::piped()).stderr(nowhere).spawn();
        Ok(Helper { child: child.context("starting a helper process")?, buffer: Vec::new() })
    }

    /// The next frame; none if there is no more. `step` bounds the wait for it.
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

    /// What it reads, if that is a pipe.
    pub fn input(&mut self) -> Option<&mut ChildStdin> {
        self.child.stdin.as_mut()
    }

    /// How it ended, once it has closed its output.
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
    /// Its work is done by now, or given up.
    fn drop(&mut self) {
        // One that may not be killed is not waited for: it ends with this process.
        if self.child.kill().is_ok() {
            let _ = self.child.wait();
        }
    }
}

/// A helper did not answer in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Late;

impl std::fmt::Display for Late {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("no answer in time")
    }
}

impl std::error::Error for Late {}

/// Takes the first frame out of what was read; none if it is not whole yet.
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

/// Encodes what is asked of a helper, or what it answers.
pub fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>> {
    Ok(bincode::serde::encode_to_vec(value, bincode::config::standard())?)
}

/// Decodes what a helper answered.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    let codec = bincode::config::standard().with_limit::<{ 2 * MAX_SEALED }>();
    Ok(bincode::serde::decode_from_slice(bytes, codec)?.0)
}

/// What a helper and who asks it have in common: both are of one version, and have
/// this layout of the store.
pub fn version() -> String {
    format!("{NAME} {}, store {}", env!("CARGO_PKG_VERSION"), version_dir().display())
}

/// Tells it to who asks for it.
pub fn tell_version() -> Exit {
    let told = write_frame(&mut std::io::stdout().lock(), DONE, version().as_bytes());
    told.map_or(Exit::Status(exit::FAILURE), |()| Exit::SUCCESS)
}

/// Begins to be a helper: silent should it panic, and called what it is and not by
/// the link that it was started by.
pub fn begin() {
    fallback::is_helper();
    std::panic::set_hook(Box::new(|_| {}));
    take_name();
}

/// Is called what it is.
pub fn take_name() {
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::set_name(c"cachex");
}

/// Dies when the thread does that started this process, where the system has
/// that; elsewhere with the first frame that nobody reads.
pub fn end_with_the_asker() {
    #[cfg(target_os = "linux")]
    {
        let _ = rustix::process::set_parent_process_death_signal(Some(Signal::KILL));
        // It may have died before that.
        let stdout = rustix::stdio::stdout();
        let mut output = [PollFd::new(&stdout, PollFlags::empty())];
        let looked = fsutil::poll(&mut output, Some(Duration::ZERO));
        if looked.is_ok() && output[0].revents().contains(PollFlags::ERR) {
            die();
        }
    }
}

/// Says how far the work is, between two steps of it.
pub fn tell(progress: Progress) {
    let Ok(body) = encode(&progress) else { return };
    if write_frame(&mut std::io::stdout().lock(), PROGRESS, &body).is_err() {
        // Whoever ignores SIGPIPE has this process ignore it too.
        die();
    }
}

/// At once, and without closing anything: sled would write.
fn die() {
    let _ = kill_process(getpid(), Signal::KILL);
}
