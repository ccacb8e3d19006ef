//! The last floor: a store that machines share, seen through a helper process.
//!
//! Whoever looks up or records never speaks to a network, waits for a name or sets up
//! TLS: a helper does ([`helper`]), under a time bound, and what it gets it puts into
//! this store, verified, where it is a young entry like any other. So the next look-up
//! is a local one. What is recorded is put in a queue ([`queue`]) and sent by a process
//! of its own, once the caller has its result.
//!
//! ```text
//! v2/remote/ID/HEX         an entry to be sent: its key
//! v2/remote/ID.down        when the store failed last to answer, see `circuit_breaker`
//! v2/remote/ID.unsent      when something could not be sent
//! v2/remote/ID.gate        held by who changes one of these
//! v2/remote/ID.told        when a call said last that something could not be sent
//! v2/remote/ID.lost        what is not tried again, until somebody was told
//! v2/remote/ID.lock        held by who sends
//! v2/remote/ID.rules       what was invalidated, as far as it is known here
//! ```
//!
//! `ID` stands for the URL, less its password.

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

/// The folder of all that concerns remote stores.
pub const FOLDER: &str = "remote";

/// A helper may take so much longer than it was told to.
const GRACE: Duration = Duration::from_millis(500);
/// The longest pause between two signs of life of one that is at work.
const STEP: Duration = Duration::from_secs(15);
/// How often a call says that something cannot be sent.
const TOLD_EVERY: Duration = Duration::from_hours(24);
/// How often it is learnt what was invalidated, at the least, while there are hits.
pub const EVERY: Duration = Duration::from_mins(10);
/// Keys that one question may name.
const KEYS: usize = 500;

/// A remote store, and how it is entered.
#[derive(Clone, Serialize, Deserialize)]
pub struct Target {
    url: String,
    access: Access,
    /// When a look-up gives up.
    patience: Duration,
    /// When a transfer gives up; none: when it takes longer than the run did.
    budget: Option<Duration>,
    /// What is taken of what others recorded.
    limits: Limits,
    /// How hard what is sent is compressed; zero: not at all.
    level: u8,
}

impl Target {
    /// Where it is.
    pub fn url(&self) -> Result<RemoteUrl> {
        self.url.parse().map_err(|why: String| anyhow!(why))
    }

    /// What its files are called by.
    pub fn id(&self) -> String {
        // One that was understood before is understood again.
        let shown = self.url().map(|url| url.to_string()).unwrap_or_default();
        blake3::hash(shown.as_bytes()).to_hex()[..16].to_owned()
    }

    /// What who sends holds.
    fn lock(&self) -> String {
        format!("{FOLDER}/{}.lock", self.id())
    }
}

/// The platform that an entry names, where that is not the one it was recorded on.
pub fn platform_of(tags: &[String]) -> Option<&str> {
    tags.iter().find_map(|tag| tag.strip_prefix(Tag::PLATFORM))
}

/// How many results wait that could not be sent, whatever store they are for, and why one of
/// them could not.
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

/// Whether a file of this name below [`FOLDER`] is one store's.
pub fn is_of_a_store(name: &str) -> bool {
    let ends = ["", ".down", ".unsent", ".lost", ".lock", ".gate", ".told", ".rules"];
    let id = name.split_once('.').map_or(name, |(id, _)| id);
    id.len() == 16 && id.bytes().all(|b| b.is_ascii_hexdigit()) && ends.contains(&&name[16..])
}

/// Where it is written down what was invalidated.
fn rules_file(id: &str) -> PathBuf {
    PathBuf::from(format!("{FOLDER}/{id}.rules"))
}

/// Makes a file one of now; whether there is one.
fn touch(root: &Root, path: &Path) -> bool {
    fsutil::set_times(root, path, &fsutil::NOW).is_ok()
}

/// A remote store beside a local one.
pub struct Remote<'a> {
    root: &'a Root,
    target: Target,
    id: String,
}

impl<'a> Remote<'a> {
    /// The one at `url`. Look-ups give up after `patience`, transfers when their `budget` is
    /// spent, and take nothing beyond `limits`; what is sent is packed at `level`.
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

    /// The same for a helper that has something else done.
    #[cfg(feature = "remote")]
    fn of(root: &'a Root, target: &Target) -> Remote<'a> {
        Remote { root, target: target.clone(), id: target.id() }
    }

    /// The breaker of look-ups.
    pub fn reads(&self) -> CircuitBreaker<'a> {
        CircuitBreaker::of_reads(self.root, &self.id)
    }

    /// The breaker of what is sent.
    pub fn writes(&self) -> CircuitBreaker<'a> {
        CircuitBreaker::of_writes(self.root, &self.id)
    }

    /// Gets the entry of a key into the local store, if there is one that is `wanted`.
    pub fn fetch(&self, wanted: &Wanted) -> Result<Fetched, Unanswered> {
        let pass = self.reads().passes().map_err(Unanswered::Paused)?;
        let first = self.target.patience + GRACE;
        let answer =
            self.ask(&Question::Fetch(wanted.clone()), Limit::Steps(first), &mut |_| Ok(()));
        match answer.and_then(|answer| ipc::decode(&answer)) {
            Ok(fetched) => {
                self.reads().open();
                Ok(fetched)
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

    /// The path sets of calls that have this key, packed; none if there are none that can be
    /// believed.
    pub fn path_sets(&self, wanted: &Wanted) -> Result<Option<Vec<u8>>, Unanswered> {
        let pass = self.reads().passes().map_err(Unanswered::Paused)?;
        let limit = Limit::Steps(self.target.patience + GRACE);
        let answer = self.ask(&Question::PathSets(wanted.clone()), limit, &mut |_| Ok(()));
        match answer.and_then(|answer| ipc::decode(&answer)) {
            Ok(packed) => {
                self.reads().open();
                Ok(packed)
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

    /// Whether it has an entry that is `wanted`. Nothing is changed by that here.
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

    /// Takes the entries of these keys out of it, and out of what is to be sent: those of this
    /// platform, and of others that are named.
    pub fn remove_all(&self, keys: &[Key], platforms: &[String]) -> Result<()> {
        for key in keys {
            queue::remove(self.root, &self.id, key).context("taking a key out of the queue")?;
        }
        for keys in keys.chunks(KEYS) {
            let keys = keys.iter().map(|key| key.0).collect();
            let question = Question::Remove(keys, platforms.to_vec());
            self.ask(&question, Limit::Steps(STEP), &mut |_| Ok(()))?;
        }
        // What was queued meanwhile was left to who held the lock, who does not send.
        if self.queued()? > 0 {
            self.send_in_background()?;
        }
        Ok(())
    }

    /// Queues an entry, for who has all of them sent.
    pub fn add_to_queue(&self, key: &Key) -> rustix::io::Result<()> {
        queue::push(self.root, &self.id, key)
    }

    /// Queues an entry, and has it sent unless that failed lately. What cannot be
    /// queued is not sent, which costs others a run.
    pub fn queue(&self, key: &Key) {
        if queue::push(self.root, &self.id, key).is_ok() && self.writes().outage().is_none() {
            let _ = self.send_in_background();
        }
    }

    /// Why something waits that could not be sent, if anything does. It is tried again in
    /// the background when it is time for that.
    pub fn send_again(&self) -> Option<Outage> {
        let failure = self.writes().failure()?;
        let pause =
            failure.until().since(failure.at).unwrap_or_default().max(circuit_breaker::PAUSE);
        if Timestamp::now().since(failure.at).is_none_or(|since| since >= pause) {
            let _ = self.send_in_background();
        }
        Some(failure)
    }

    /// Whether it is time to say again that something cannot be sent: of many who ask, one
    /// is told so.
    pub fn is_to_be_told(&self) -> bool {
        circuit_breaker::once_in(self.root, &self.id, TOLD_EVERY)
    }

    /// Has it learnt in the background what was invalidated, if that was not done for [`EVERY`].
    /// A hit does this: what it costs is a look at a file.
    pub fn learn_when_due(&self) {
        let path = rules_file(&self.id);
        let Ok(stat) = fsutil::stat(self.root, &path) else { return };
        let Some(stat) = stat else {
            // Nothing was fetched or sent so far: the time begins now.
            let _ = fsutil::create_file(self.root, &path, OFlags::WRONLY);
            return;
        };
        let learnt = Timestamp((stat.st_mtime as u64).saturating_mul(1_000_000_000));
        let is_due = Timestamp::now().since(learnt).is_none_or(|since| since >= EVERY);
        // Whoever comes next is not to start another.
        if is_due && touch(self.root, &path) {
            let _ = self.in_background(&Question::Learn);
        }
    }

    /// Invalidates for everybody what a rule is about; how many entries went here.
    pub fn invalidate(&self, rule: Rule) -> Result<u64> {
        let question = Question::Invalidate(rule);
        let answer = self.ask(&question, Limit::Steps(STEP), &mut |_| Ok(()))?;
        ipc::decode(&answer).context("reading how many entries were removed")
    }

    /// Starts a process that sends what is queued, unless there is one. That looks
    /// again after it gave up its lock, so it misses nothing that was queued before.
    fn send_in_background(&self) -> Result<()> {
        self.in_background(&Question::Send)
    }

    /// Starts a process that does this, unless one has the lock of those who do.
    fn in_background(&self, question: &Question) -> Result<()> {
        if Lock::take(self.root, self.target.lock(), Mode::TryExclusive)?.is_none() {
            return Ok(());
        }
        let mut command = self.command(question)?;
        command.arg(helper::DETACHED).stdout(Stdio::null()).stderr(Stdio::null());
        detached::start(&mut command).context("starting a process in the background")
    }

    /// Sends what is queued, after whoever is doing that already. It is given up after
    /// `patience`: the error is [`Late`] then.
    pub fn send(&self, patience: Option<Duration>) -> Result<Sent> {
        let until = patience.and_then(|patience| Instant::now().checked_add(patience));
        let answer = self.ask(&Question::Send, Limit::Until(until), &mut |_| Ok(()))?;
        ipc::decode(&answer).context("reading what was sent")
    }

    /// What was not sent, and is not tried again.
    pub fn lost(&self) -> Option<Lost> {
        queue::lost(self.root, &self.id)
    }

    /// Somebody was told of that.
    pub fn forget_lost(&self) {
        queue::forget_lost(self.root, &self.id);
    }

    /// How many entries wait to be sent.
    pub fn queued(&self) -> rustix::io::Result<usize> {
        Ok(queue::keys(self.root, &self.id)?.len())
    }

    /// Tries it, and shows each step to `visit`. Nothing is written unless it `writes`.
    pub fn probe(&self, writes: bool, visit: &mut dyn FnMut(Step) -> Result<()>) -> Result<()> {
        let limit = Limit::Steps(self.target.patience + STEP);
        let mut visit = |step: &[u8]| visit(ipc::decode(step)?);
        self.ask(&Question::Probe { writes }, limit, &mut visit).map(drop)
    }

    /// How many entries and blobs it holds; none: it cannot tell.
    pub fn count(&self) -> Result<Option<[u64; 2]>> {
        let answer = self.ask(&Question::Count, Limit::Steps(STEP), &mut |_| Ok(()))?;
        ipc::decode(&answer).context("reading how much there is")
    }

    /// Shows the entries that it holds to `visit`, each with the bytes that it takes without its
    /// output. It has the name of the object in the place of its key.
    pub fn list(&self, visit: &mut dyn FnMut(Entry, u64) -> Result<()>) -> Result<Listing> {
        let mut visit = |item: &[u8]| {
            let (sealed, len): (Vec<u8>, u64) = ipc::decode(item)?;
            visit(Entry::open_any(&sealed)?, len)
        };
        let answer = self.ask(&Question::List, Limit::Steps(STEP), &mut visit)?;
        ipc::decode(&answer).context("reading what is not listed")
    }

    /// Takes out what was used least recently.
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

    /// Starts a helper, shows its items to `visit` and returns its result.
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

/// How long a helper may take.
#[derive(Clone, Copy)]
enum Limit {
    /// So long until the next sign of life; those that follow come sooner.
    Steps(Duration),
    /// In all, if there is a limit at all.
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
