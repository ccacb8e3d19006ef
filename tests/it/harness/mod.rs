//! The builder that every test is told in.
//!
//! ```ignore
//! cachex().run("date").expires_in("2s").twice().runs_once();
//! ```
//!
//! [`cachex`] makes a [`World`]: a folder with a store, a working directory, a
//! home, a folder of commands and a counter. A [`Call`] is one command line in
//! it, to which the options, the environment, the standard input and the clock
//! are added. Doing it gives an [`Outcome`], on which everything is asserted;
//! starting it gives a [`Running`], which one waits for, feeds and signals.
//! A [`Terminal`] is a shell at a pseudo-terminal, typed to as a person would.
//! A [`Remote`] is a server of the test's own, and a [`Proxy`] the wire to it.
//!
//! A test never sleeps: it waits for a condition ([`eventually`]), and fails
//! with what it was waiting for if that takes [`PATIENCE`].

mod call;
mod capture;
mod faults;
mod helpers;
mod hosts;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod injector;
mod input;
mod mounts;
mod outcome;
mod proxy;
mod running;
mod server;
mod servers;
mod terminal;
mod world;

pub use call::Call;
pub use faults::{copy, flip, overwrite, places};
pub use helpers::WITHOUT_INIT;
pub use hosts::{Host, on_a_host_of_its_own};
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
pub use injector::{Fate, Fault, Traced};
pub use mounts::{Mounted, unshares, where_mounts_are_ones_own};
pub use outcome::Outcome;
pub use proxy::Proxy;
pub use running::Running;
pub use rustix::process::Signal;
pub use server::Server;
pub use servers::{Folder, Ghac, Memcached, Redis, Remote, S3, Served, WebDav, own_server};
pub use terminal::{
    CTRL_BACKSLASH, CTRL_C, CTRL_D, CTRL_Q, CTRL_S, CTRL_Z, Terminal, pseudo_terminal,
};
pub use world::{Cachex, World, cachex, contains, quoted};

use std::time::{Duration, Instant};

/// How long anything that should happen soon may take on a loaded machine.
pub const PATIENCE: Duration = Duration::from_secs(40);

/// For what must be over quickly, measured against commands that would last
/// for minutes: far more than it takes, far less than they do.
pub const PROMPTLY: Duration = Duration::from_secs(8);

/// Waits until `check` gives something.
#[track_caller]
pub fn eventually<T>(what: &str, check: impl FnMut() -> Option<T>) -> T {
    within(PATIENCE, check).unwrap_or_else(|| panic!("waited {PATIENCE:?} for {what}"))
}

/// Waits until `check` gives something, for so long at most.
fn within<T>(limit: Duration, mut check: impl FnMut() -> Option<T>) -> Option<T> {
    let start = Instant::now();
    loop {
        if let Some(found) = check() {
            return Some(found);
        }
        if start.elapsed() > limit {
            return None;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Bytes as a failure message shows them: readable and not endless.
fn readable(bytes: &[u8]) -> String {
    const SHOWN: usize = 2000;
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(SHOWN)]).into_owned();
    if bytes.len() > SHOWN { format!("{text}… ({} bytes)", bytes.len()) } else { text }
}
