//! Waiting for one's turn to run a command under `--no-concurrent`.

use crate::lock::{self, Lock, Mode};
use crate::messages::Messages;
use crate::store::Root;
use rustix::fd::AsFd;
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

/// How long one waits before saying so.
const PATIENCE: Duration = Duration::from_secs(1);

/// How waiting ended.
pub enum Waited {
    /// It is one's turn.
    Turn {
        /// What makes it so.
        lock: Lock,
        /// Whether somebody else had theirs first, and may have left a result.
        waited: bool,
    },
    /// This process runs on behalf of the one that holds the lock, which waits
    /// for it: waiting too would be for ever.
    Within,
}

/// Waits for the lock of this name. Signals end the wait as they end a process.
pub fn for_turn(root: &Root, name: &Path, messages: Messages) -> std::io::Result<Waited> {
    if let Some(lock) = Lock::take(root, name, Mode::TryExclusive)? {
        lock.sign();
        return Ok(Waited::Turn { lock, waited: false });
    }
    // The kernel's waiting list is fair and costs nothing; a thread waits in
    // it so that this one can still look at the clock.
    let (sender, receiver) = channel();
    let dir = root.as_fd().try_clone_to_owned()?;
    let lock_name = name.to_owned();
    std::thread::Builder::new()
        .spawn(move || sender.send(Lock::wait(dir, lock_name, Mode::Exclusive)))?;
    let mut announced = !rustix::termios::isatty(rustix::stdio::stderr());
    loop {
        let holder = lock::holder(root.as_fd(), name);
        if holder.is_some_and(is_ancestor) {
            return Ok(Waited::Within);
        }
        match receiver.recv_timeout(PATIENCE) {
            Ok(lock) => {
                let lock = lock?;
                lock.sign();
                return Ok(Waited::Turn { lock, waited: true });
            }
            Err(RecvTimeoutError::Timeout) if !announced => {
                announced = true;
                let whom = holder
                    .map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"));
                messages
                    .wait(format_args!("waiting for {whom}, which is running the same command"));
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                return Err(std::io::ErrorKind::Interrupted.into());
            }
        }
    }
}

fn is_ancestor(pid: u32) -> bool {
    let mut at = std::process::id();
    while at > 1 {
        if at == pid {
            return true;
        }
        let Some(parent) = parent(at) else { return false };
        at = parent;
    }
    false
}

/// The process that started another.
#[cfg(target_os = "linux")]
fn parent(pid: u32) -> Option<u32> {
    let stat = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the name, which may hold anything, in parentheses.
    let after_name = stat.rsplit(|&byte| byte == b')').next()?;
    std::str::from_utf8(after_name).ok()?.split_whitespace().nth(1)?.parse().ok()
}

/// The process that started another.
#[cfg(not(target_os = "linux"))]
fn parent(pid: u32) -> Option<u32> {
    let output = std::process::Command::new("ps")
        .args(["-o", "ppid=", "-p", &pid.to_string()])
        .output()
        .ok()?;
    std::str::from_utf8(&output.stdout).ok()?.trim().parse().ok()
}
