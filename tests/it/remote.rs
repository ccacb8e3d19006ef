//! `--remote`: a store that machines share. A machine is a store of its own here;
//! the working directory and the commands are the same for all of them.

mod automatic;
mod claims;
mod damaged;
mod engines;
mod faults;
mod home;
mod invalidation;
mod limits;
mod links;
mod listing;
mod load;
mod outages;
mod platforms;
mod policy;
mod secrets;
mod sending;
mod signatures;
mod tiers;
mod times;

use crate::harness::{Cachex, Call, Outcome, Remote, cachex};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// Long enough for whatever works, so that no test of that is about time.
const PATIENT: &str = "30s";

/// Machines that share a remote store.
struct Machines<'r> {
    cachex: Cachex,
    remote: &'r dyn Remote,
    secret: Option<&'static str>,
}

impl<'r> Machines<'r> {
    fn sharing(remote: &'r dyn Remote) -> Machines<'r> {
        Machines { cachex: cachex(), remote, secret: None }
    }

    /// The same machines with something else in its place, a wire to it say.
    fn by(&self, remote: &'r dyn Remote) -> Machines<'r> {
        Machines { cachex: self.cachex.clone(), remote, secret: self.secret }
    }

    /// The same machines if they share this secret, too.
    fn with_secret(&self, secret: &'static str) -> Machines<'r> {
        Machines { secret: Some(secret), ..self.by(self.remote) }
    }

    /// The call as this machine makes it.
    fn on(&self, machine: &str, call: &Call) -> Call {
        let call = call.clone().remote(self.remote).env("CACHEX_DIR", self.cachex.path(machine));
        let call = call.env("CACHEX_REMOTE_TIMEOUT", PATIENT);
        self.secret.iter().fold(call, |call, secret| call.env("CACHEX_REMOTE_SECRET", secret))
    }

    /// `cachex remote VERB` on this machine.
    fn verb(&self, machine: &str, verb: &str) -> Call {
        self.on(machine, &self.cachex.cli(["remote", verb]))
    }

    /// Waits until all that this machine recorded is shared.
    #[track_caller]
    fn shares(&self, machine: &str) {
        self.verb(machine, "flush").once().exits(0);
    }

    /// The same as this machine makes it, and what it reports.
    #[track_caller]
    fn reports(&self, machine: &str, call: &Call) -> (Outcome, Value) {
        let path = self.cachex.path("report");
        let _ = fs::remove_file(&path);
        let outcome = self.on(machine, call).option("--status-file", &path).once();
        (outcome, serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap())
    }

    /// Whether this machine asks the remote store for nothing for now.
    fn asks_nothing(&self, machine: &str) -> bool {
        self.has_breaker(machine, "down")
    }

    /// Whether this machine sends the remote store nothing for now.
    fn sends_nothing(&self, machine: &str) -> bool {
        self.has_breaker(machine, "unsent")
    }

    fn has_breaker(&self, machine: &str, kind: &str) -> bool {
        let files = files_below(&self.cachex.path(machine).join("v2/remote"));
        files.iter().any(|path| path.extension().is_some_and(|ending| ending == kind))
    }
}

/// A remote store by its URL alone.
struct Named(String);

impl Remote for Named {
    fn url(&self) -> String {
        self.0.clone()
    }
}

/// The files below a folder, in order.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}
