//! The last floor: a store shared by several machines, accessed through a helper process.
//!
//! Look-ups and recorders never use a network, resolve a name or set up TLS. A helper does
//! ([`helper`]), under a time limit, and puts what it fetches into this store, verified, where it
//! is a young entry like any other. So the next look-up is a local one. Recorded entries are queued
//! ([`queue`]) and sent by a separate process, once the caller has its result.
//!
//! ```text
//! v2/remote/ID/HEX         an entry to be sent: its key
//! v2/remote/ID.down        the last time the store did not answer, see `circuit_breaker`
//! v2/remote/ID.unsent      the last time something could not be sent
//! v2/remote/ID.gate        lock for changes to these files
//! v2/remote/ID.told        the last time a call reported that something could not be sent
//! v2/remote/ID.lost        entries that are not retried, until this is reported
//! v2/remote/ID.lock        lock of the sender
//! v2/remote/ID.rules       invalidation rules, as far as known here
//! ```
//!
//! `ID` is derived from the URL without its password.

pub mod advice;
pub mod circuit_breaker;
#[cfg(feature = "remote")]
mod claim;
mod claimed;
#[cfg(feature = "remote")]
mod fetch;
pub mod helper;
#[cfg(feature = "remote")]
mod invalid;
#[cfg(feature = "remote")]
mod letter;
#[cfg(feature = "remote")]
mod listing;
#[cfg(feature = "remote")]
mod names;
pub mod origin;
#[cfg(feature = "remote")]
mod path_sets;
#[cfg(feature = "remote")]
mod probe;
mod questions;
pub mod queue;
pub mod rules;
#[cfg(feature = "remote")]
mod send;
#[cfg(feature = "remote")]
mod transfer;

use super::Root;
use super::settings::Limits;
use crate::lock::{Lock, Mode};
use anyhow::{Context, Result, anyhow, bail};
use cachex_base::process::detached;
use cachex_base::process::ipc::{self, ALIVE, DONE, FAILED, Helper, ITEM, Late, PROGRESS};
use cachex_base::record::entry::{Entry, Key, Tag};
use cachex_base::system::clock::Timestamp;
use cachex_base::system::fsutil;
use cachex_base::system::progress;
use cachex_remote::{Access, RemoteUrl};
use circuit_breaker::{CircuitBreaker, Outage};
use rustix::fs::OFlags;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

pub use claimed::Claimed;
pub use helper::{VERB, serve};
pub use questions::{
    Fetched, Listing, Lost, Outcome, Prune, Pruned, Question, Rule, Seen, Sent, Step, Tried,
    Unanswered, Wanted,
};

/// The folder of everything about remote stores.
pub const FOLDER: &str = "remote";

/// The time by which a helper may exceed its limit.
const GRACE: Duration = Duration::from_millis(500);
/// The longest pause between two signs of life of a working helper.
const STEP: Duration = Duration::from_secs(15);
/// The interval at which calls report that something cannot be sent.
const TOLD_EVERY: Duration = Duration::from_hours(24);
/// The maximum age of the invalidation rules while there are hits.
pub const EVERY: Duration = Duration::from_mins(10);
/// The maximum number of keys in one question.
const KEYS: usize = 500;

/// A remote store and its credentials and limits.
#[derive(Clone, Serialize, Deserialize)]
pub struct Target {
    url: String,
    access: Access,
    /// The time limit of a look-up.
    patience: Duration,
    /// The time limit of a transfer; `None`: as long as the run took.
    budget: Option<Duration>,
    /// The limits on what is accepted from the store.
    limits: Limits,
    /// The compression level of what is sent; zero for none.
    level: u8,
}

impl Target {
    /// Returns the URL.
    pub fn url(&self) -> Result<RemoteUrl> {
        self.url.parse().map_err(|why: String| anyhow!(why))
    }

    /// Returns the ID in the names of its files.
    pub fn id(&self) -> String {
        // A URL that was parsed before can be parsed again.
        let shown = self.url().map(|url| url.to_string()).unwrap_or_default();
        blake3::hash(shown.as_bytes()).to_hex()[..16].to_owned()
    }

    /// Returns the name of the sender's lock.
    fn lock(&self) -> String {
        format!("{FOLDER}/{}.lock", self.id())
    }
}

/// Returns the platform that an entry names, if it is not the one it was recorded on.
pub fn platform_of(tags: &[String]) -> Option<&str> {
    tags.iter().find_map(|tag| tag.strip_prefix(Tag::PLATFORM))
}

/// Returns the number of results that are waiting after a failure, over all stores, and a reason.
pub fn waiting(root: &Root) -> Option<(u64, String)> {
    let names = fsutil::names(root, FOLDER).ok()?;
    let mut found: Option<(u64, String)> = None;
    for id in names.iter().filter_map(|name| name.to_str()?.strip_suffix(".unsent")) {
        let Some(failure) = CircuitBreaker::of_writes(root, id).failure() else { continue };
        let entries = queue::keys(root, id).map_or(0, |keys| keys.len() as u64);
        let (sum, _) = found.get_or_insert((0, failure.why));
        *sum += entries;
    }
    found.filter(|(entries, _)| *entries > 0)
}

/// Returns whether a file of this name below [`FOLDER`] belongs to a store.
pub fn is_of_a_store(name: &str) -> bool {
    let ends = ["", ".down", ".unsent", ".lost", ".lock", ".gate", ".told", ".rules"];
    let id = name.split_once('.').map_or(name, |(id, _)| id);
    id.len() == 16 && id.bytes().all(|b| b.is_ascii_hexdigit()) && ends.contains(&&name[16..])
}

/// Returns the path of the invalidation rules.
fn rules_file(id: &str) -> PathBuf {
    PathBuf::from(format!("{FOLDER}/{id}.rules"))
}

/// Sets the modification time of a file to now. Returns whether the file exists.
fn touch(root: &Root, path: &Path) -> bool {
    fsutil::set_times(root, path, &fsutil::NOW).is_ok()
}

/// A remote store paired with a local one.
pub struct Remote<'a> {
    root: &'a Root,
    target: Target,
    id: String,
}

impl<'a> Remote<'a> {
    /// Creates the store at `url`. Look-ups give up after `patience`, transfers after `budget`.
    /// Nothing beyond `limits` is accepted; what is sent is packed at `level`.
    pub fn new(
        root: &'a Root,
        url: &RemoteUrl,
        access: &Access,
        (patience, budget): (Duration, Option<Duration>),
        limits: Limits,
        level: u8,
    ) -> Remote<'a> {
        let url = url.url().to_string();
        let target = Target { url, access: access.clone(), patience, budget, limits, level };
        let id = target.id();
        Remote { root, target, id }
    }

    /// Creates the remote store of a target, for a helper that starts another one.
    #[cfg(feature = "remote")]
    fn of(root: &'a Root, target: &Target) -> Remote<'a> {
        Remote { root, target: target.clone(), id: target.id() }
    }

    /// Returns the circuit breaker of look-ups.
    pub fn reads(&self) -> CircuitBreaker<'a> {
        CircuitBreaker::of_reads(self.root, &self.id)
    }

    /// Returns the circuit breaker of sending.
    pub fn writes(&self) -> CircuitBreaker<'a> {
        CircuitBreaker::of_writes(self.root, &self.id)
    }

    /// Fetches the entry of a key into the local store, if there is one that is `wanted`.
    pub fn fetch(&self, wanted: &Wanted) -> Result<Fetched, Unanswered> {
        self.answer(&Question::Fetch(wanted.clone()))
    }

    /// Returns the packed path sets of a key; `None` if there are none that can be trusted.
    pub fn path_sets(&self, wanted: &Wanted) -> Result<Option<Vec<u8>>, Unanswered> {
        self.answer(&Question::PathSets(wanted.clone()))
    }

    /// Asks a question of a look-up, unless the store is left alone, and notes whether it answers.
    fn answer<T: DeserializeOwned>(&self, question: &Question) -> Result<T, Unanswered> {
        let pass = self.reads().passes().map_err(Unanswered::Paused)?;
        let limit = Limit::Steps(self.target.patience + GRACE);
        let answer = self.ask(question, limit, &mut |_| Ok(()));
        match answer.and_then(|answer| ipc::decode(&answer)) {
            Ok(answer) => {
                self.reads().open();
                Ok(answer)
            }
            Err(error) => {
                let why = format!("{error:#}");
                match self.reads().shut(pass, &why) {
                    None => Err(Unanswered::Failed(why)),
                    Some(outage) => Err(Unanswered::Paused(outage)),
                }
            }
        }
    }

    /// Returns whether it has an entry that is `wanted`. Changes nothing locally.
    pub fn look(&self, wanted: &Wanted) -> Result<Seen, Unanswered> {
        if let Some(outage) = self.reads().outage() {
            return Err(Unanswered::Paused(outage));
        }
        let first = self.target.patience + GRACE;
        let answer =
            self.ask(&Question::Look(wanted.clone()), Limit::Steps(first), &mut |_| Ok(()));
        let seen = answer.and_then(|answer| ipc::decode(&answer));
        seen.map_err(|error| Unanswered::Failed(format!("{error:#}")))
    }

    /// Removes keys from the store, for this platform and the named ones, and from the queue.
    pub fn remove_all(&self, keys: &[Key], platforms: &[String]) -> Result<()> {
        for key in keys {
            queue::remove(self.root, &self.id, key).context("taking a key out of the queue")?;
        }
        for keys in keys.chunks(KEYS) {
            let keys = keys.iter().map(|key| key.0).collect();
            let question = Question::Remove(keys, platforms.to_vec());
            self.ask(&question, Limit::Steps(STEP), &mut |_| Ok(()))?;
        }
        // The lock's holder does not send, but others left their queued entries to it.
        if self.queued()? > 0 {
            self.send_in_background()?;
        }
        Ok(())
    }

    /// Queues an entry without sending it; the caller sends all at once.
    pub fn add_to_queue(&self, key: &Key) -> rustix::io::Result<()> {
        queue::push(self.root, &self.id, key)
    }

    /// Queues an entry and sends it in the background, unless sending failed recently. If it cannot
    /// be queued, it is not sent, which costs others a run.
    pub fn queue(&self, key: &Key) {
        if queue::push(self.root, &self.id, key).is_ok() && self.writes().outage().is_none() {
            let _ = self.send_in_background();
        }
    }

    /// Returns why queued entries could not be sent. Retries in the background when that is due.
    pub fn send_again(&self) -> Option<Outage> {
        let failure = self.writes().failure()?;
        let pause =
            failure.until().since(failure.at).unwrap_or_default().max(circuit_breaker::PAUSE);
        if Timestamp::now().since(failure.at).is_none_or(|since| since >= pause) {
            let _ = self.send_in_background();
        }
        Some(failure)
    }

    /// Returns whether to report again that something cannot be sent: true for one of many callers.
    pub fn is_to_be_told(&self) -> bool {
        circuit_breaker::once_in(self.root, &self.id, TOLD_EVERY)
    }

    /// Updates the invalidation rules in the background, if they are older than [`EVERY`]. Hits
    /// call this: it costs one look at a file.
    pub fn learn_when_due(&self) {
        let path = rules_file(&self.id);
        let Ok(stat) = fsutil::stat(self.root, &path) else { return };
        let Some(stat) = stat else {
            // Nothing was fetched or sent so far: the interval begins now.
            let _ = fsutil::create_file(self.root, &path, OFlags::WRONLY);
            return;
        };
        let learnt = Timestamp((stat.st_mtime as u64).saturating_mul(1_000_000_000));
        let is_due = Timestamp::now().since(learnt).is_none_or(|since| since >= EVERY);
        // The next caller must not start another.
        if is_due && touch(self.root, &path) {
            let _ = self.in_background(&Question::Learn);
        }
    }

    /// Updates the invalidation rules and applies them, unless the store is left alone or does not
    /// answer in time.
    pub fn learn(&self) {
        if self.reads().outage().is_none() {
            let first = self.target.patience + GRACE;
            let _ = self.ask(&Question::Learn, Limit::Steps(first), &mut |_| Ok(()));
        }
    }

    /// Invalidates the entries of a rule for all users. Returns the number removed locally.
    pub fn invalidate(&self, rule: Rule) -> Result<u64> {
        let question = Question::Invalidate(rule);
        let answer = self.ask(&question, Limit::Steps(STEP), &mut |_| Ok(()))?;
        ipc::decode(&answer).context("reading how many entries were removed")
    }

    /// Starts a process that sends what is queued, unless one is running. That one checks the queue
    /// again after releasing its lock, so it misses nothing queued before.
    fn send_in_background(&self) -> Result<()> {
        self.in_background(&Question::Send)
    }

    /// Starts a background process for this question, unless another one holds its lock.
    fn in_background(&self, question: &Question) -> Result<()> {
        if Lock::take(self.root, self.target.lock(), Mode::TryExclusive)?.is_none() {
            return Ok(());
        }
        let mut command = self.command(question)?;
        command.arg(helper::DETACHED).stdout(Stdio::null()).stderr(Stdio::null());
        detached::start(&mut command).context("starting a process in the background")
    }

    /// Sends what is queued, after any current sender has finished. Gives up after `patience` with
    /// the error [`Late`].
    pub fn send(&self, patience: Option<Duration>) -> Result<Sent> {
        let until = patience.and_then(|patience| Instant::now().checked_add(patience));
        let answer = self.ask(&Question::Send, Limit::Until(until), &mut |_| Ok(()))?;
        ipc::decode(&answer).context("reading what was sent")
    }

    /// Returns the entries that were not sent and are not retried.
    pub fn lost(&self) -> Option<Lost> {
        queue::lost(self.root, &self.id)
    }

    /// Forgets these entries, after they were reported.
    pub fn forget_lost(&self) {
        queue::forget_lost(self.root, &self.id);
    }

    /// Returns the number of entries that wait to be sent.
    pub fn queued(&self) -> rustix::io::Result<usize> {
        Ok(queue::keys(self.root, &self.id)?.len())
    }

    /// Tests the store and passes each step to `visit`. Writes to it only if `writes` is set.
    pub fn probe(&self, writes: bool, visit: &mut dyn FnMut(Step) -> Result<()>) -> Result<()> {
        let limit = Limit::Steps(self.target.patience + STEP);
        let mut visit = |step: &[u8]| visit(ipc::decode(step)?);
        self.ask(&Question::Probe { writes }, limit, &mut visit).map(drop)
    }

    /// Returns the numbers of entries and blobs in the store; `None` if the store cannot tell.
    pub fn count(&self) -> Result<Option<[u64; 2]>> {
        let answer = self.ask(&Question::Count, Limit::Steps(STEP), &mut |_| Ok(()))?;
        ipc::decode(&answer).context("reading how much there is")
    }

    /// Passes each entry of the store to `visit`, with its size in bytes without output. The entry
    /// has the name of its object in the place of its key.
    pub fn list(&self, visit: &mut dyn FnMut(Entry, u64) -> Result<()>) -> Result<Listing> {
        let mut visit = |item: &[u8]| {
            let (sealed, len): (Vec<u8>, u64) = ipc::decode(item)?;
            visit(Entry::open_any(&sealed)?, len)
        };
        let answer = self.ask(&Question::List, Limit::Steps(STEP), &mut visit)?;
        ipc::decode(&answer).context("reading what is not listed")
    }

    /// Removes the least recently used objects.
    pub fn prune(&self, prune: Prune) -> Result<Pruned> {
        let answer = self.ask(&Question::Prune(prune), Limit::Steps(STEP), &mut |_| Ok(()))?;
        ipc::decode(&answer).context("reading what went")
    }

    fn command(&self, question: &Question) -> Result<Command> {
        let mut command = ipc::helper(VERB)?;
        let asked = ipc::encode(&(&self.target, question))?;
        command.arg(self.root.outer()).stdin(self.root.unnamed_file(&asked)?);
        Ok(command)
    }

    /// Starts a helper, passes its items to `visit` and returns its result.
    fn ask(
        &self,
        question: &Question,
        mut limit: Limit,
        visit: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<Vec<u8>> {
        let mut helper = Helper::start(&mut self.command(question)?)?;
        loop {
            let frame = helper.frame(limit.next()).map_err(|error| match limit {
                Limit::Steps(step) if error.is::<Late>() => {
                    anyhow!("no answer within {}", humantime::format_duration(step))
                }
                _ => error,
            });
            if let Limit::Steps(step) = &mut limit {
                *step = STEP;
            }
            match frame? {
                Some((DONE, body)) => return Ok(body),
                Some((FAILED, body)) => bail!("{}", String::from_utf8_lossy(&body)),
                Some((ITEM, body)) => visit(&body)?,
                Some((PROGRESS, body)) => {
                    progress::set(ipc::decode(&body).context("reading how far a helper is")?);
                }
                Some((ALIVE, _)) => {}
                Some(_) => bail!("a helper process gave an unreadable answer"),
                None => bail!("a helper process ended without an answer ({})", helper.end()?),
            }
        }
    }
}

/// The time limit of a helper.
#[derive(Clone, Copy)]
enum Limit {
    /// The time until the next sign of life; later ones come sooner.
    Steps(Duration),
    /// The total time, if limited.
    Until(Option<Instant>),
}

impl Limit {
    fn next(self) -> Option<Duration> {
        match self {
            Limit::Steps(step) => Some(step),
            Limit::Until(until) => {
                until.map(|until| until.saturating_duration_since(Instant::now()))
            }
        }
    }
}
