//! Sharing with other machines: remote stores are asked if there is nothing fresh here, and are
//! sent what was recorded.

use super::home::Home;
use super::{Runner, nanos};
use crate::config::Remote as Settings;
use cachex_base::record::entry::{Entry, Key};
use cachex_base::system::clock::Timestamp;
use cachex_base::text::values::{Mode, RemoteUrl};
use cachex_store::remote::circuit_breaker::Outage;
use cachex_store::remote::origin::Origin;
use cachex_store::remote::{Claimed, Fetched, Remote, Seen, Unanswered, Wanted, advice};
use cachex_store::settings::RemoteMode;
use cachex_store::{self as store, Root, db_client};
use std::time::Duration;

/// The time after which unsent results are worth a warning.
const LONG: Duration = Duration::from_mins(10);

/// Returns the remote store beside `root`, whether it is used or not.
pub fn remote_beside<'r>(root: &'r Root, settings: &Settings, level: u8) -> Remote<'r> {
    let Settings { url, timeout, budget, access, limits, .. } = settings;
    Remote::new(root, url, access, (*timeout, *budget), *limits, level)
}

impl Runner<'_> {
    /// Returns the remote stores in use, the nearest first.
    pub(super) fn remotes(&self) -> impl Iterator<Item = &Settings> {
        self.config.remotes.iter().filter(|it| it.mode != RemoteMode::Off)
    }

    /// Returns the remote store with these settings.
    fn beside<'r>(&self, root: &'r Root, settings: &Settings) -> Remote<'r> {
        remote_beside(root, settings, self.config.compress)
    }

    /// Reports that the result stays on this machine. Warns only if sharing was requested and is
    /// impossible.
    fn tell_of_home(&self, home: Home) {
        if home == Home::Unscoped {
            self.messages().warn(format_args!("not shared with other machines: {home}"));
        } else {
            self.messages().tell(format_args!("not shared with other machines: {home}"));
        }
    }

    /// Tries to send unsent results again, and warns once a day that they still wait.
    fn tell_of_unsent(&self, remote: &Remote<'_>) {
        let Some(failure) = remote.send_again() else { return };
        let is_for_long = Timestamp::now().since(failure.since).is_some_and(|it| it >= LONG);
        if !is_for_long || self.config.quiet || !remote.is_to_be_told() {
            return;
        }
        let queued = remote.queued().unwrap_or_default();
        if queued > 0 {
            let (results, wait) = if queued == 1 { ("result", "s") } else { ("results", "") };
            self.messages().warn(format_args!(
                "{queued} {results} still wait{wait} to be sent to the remote store: {}",
                advice::with(&failure.why)
            ));
        }
    }

    /// Returns whether an entry may be served: it was recorded here, or its signer is accepted by
    /// the access settings.
    pub(super) fn accepts(&self, entry: &Entry) -> bool {
        // The remote stores all have the same access settings.
        let access = self.config.remotes.first().map(|settings| &settings.access);
        access.is_none_or(|access| Origin::is_accepted(entry, access))
    }

    /// Refreshes the list of invalidated entries now and then, for hits that ask no remote store.
    pub(super) fn learn_there(&self, root: &Root) {
        for settings in self.remotes() {
            self.beside(root, settings).learn_when_due();
        }
    }

    /// Returns the requirements of a look-up in a remote store.
    fn wanted_there(&self, settings: &Settings, key: &Key, beyond: u64) -> Wanted {
        let limit = |status| self.config.freshness.limit(status, key).map(nanos);
        Wanted {
            key: key.0,
            limits: [limit(0), limit(1)],
            beyond,
            mends: self.shares(settings),
            platform: self.config.identity.platform.clone(),
            facts: None,
        }
    }

    /// Fetches an entry that may be served from the nearest remote store that has it. The entry is
    /// in the local store from then on, and soon in the nearer remote ones.
    pub(super) fn fetch(&self, root: &Root, key: &Key) -> Option<Entry> {
        let mut passed: Vec<&Settings> = Vec::new();
        for settings in self.remotes() {
            if self.is_at_home() {
                return None;
            }
            if let Some(entry) = self.fetch_from(root, settings, key, None) {
                for nearer in passed {
                    self.share_with(root, nearer, key, entry.longest());
                }
                return Some(entry);
            }
            passed.push(settings);
        }
        None
    }

    /// Fetches an entry from one remote store. `facts` names the path set by which an automatic
    /// call found the key.
    pub(super) fn fetch_from(
        &self,
        root: &Root,
        settings: &Settings,
        key: &Key,
        facts: Option<Vec<u8>>,
    ) -> Option<Entry> {
        let remote = self.beside(root, settings);
        let beyond = self.config.freshness.stale_for().map_or(0, nanos);
        let wanted = Wanted { facts, ..self.wanted_there(settings, key, beyond) };
        let shown = (self.shows_progress)(self.config.quiet);
        let fetched = remote.fetch(&wanted);
        drop(shown);
        if let Some(kind) = Fetched::counted(&fetched) {
            self.note(root, key, kind, Duration::ZERO);
        }
        if fetched.is_ok() && self.shares(settings) {
            self.tell_of_unsent(&remote);
        }
        match fetched {
            Ok(Fetched::Entry { is_fold_due, .. }) => {
                if is_fold_due {
                    let _ = db_client::start_fold(root.path(), &self.config.bounds());
                }
                // A fold may have moved it already.
                store::get(root, key).ok().flatten()
            }
            Ok(Fetched::Refused) => {
                self.messages().warn(format_args!(
                    "the remote store has a result for this that is damaged or not to be trusted; it is not used"
                ));
                None
            }
            Err(unanswered) => {
                self.tell_of_unanswered(&unanswered);
                None
            }
            Ok(Fetched::TooLarge) => {
                self.messages().tell(format_args!(
                    "the remote store has a result for this that is larger than {} or --max-size",
                    if settings.limits.entry < self.config.max_entry_size {
                        "--remote-max-size"
                    } else {
                        "--max-entry-size"
                    }
                ));
                None
            }
            Ok(Fetched::TooSlow) => {
                self.messages().tell(format_args!(
                    "the remote store has a result for this that takes longer to come than its run; see --remote-budget"
                ));
                None
            }
            Ok(Fetched::NoRoom) => {
                self.messages().tell(format_args!(
                    "the remote store has a result for this that there is no room for within --max-size"
                ));
                None
            }
            Ok(Fetched::Nothing) => None,
        }
    }

    fn tell_of_unanswered(&self, why: &Unanswered) {
        match why {
            Unanswered::Failed(why) => self.messages().warn(format_args!(
                "the remote store is left alone for a minute: {}",
                advice::with(why)
            )),
            Unanswered::Paused(outage) => {
                self.messages()
                    .tell(format_args!("the remote store is left alone: {}", outage.why));
            }
        }
    }

    /// Returns the packed path sets that a remote store has for a key.
    pub(super) fn ask_for_path_sets(
        &self,
        root: &Root,
        settings: &Settings,
        key: &Key,
    ) -> Option<Vec<u8>> {
        let asked = self.beside(root, settings).path_sets(&self.wanted_there(settings, key, 0));
        asked.unwrap_or_else(|why| {
            self.tell_of_unanswered(&why);
            None
        })
    }

    /// Returns whether the result stays on this machine, and reports it.
    pub(super) fn is_at_home(&self) -> bool {
        let home = self.home();
        home.inspect(|home| self.tell_of_home(*home)).is_some()
    }

    /// Makes other machines wait while this one runs the command, or waits for the result of the
    /// one that does. Returns none if neither is needed or possible.
    pub(super) fn claim_there(&self, root: &Root, key: &Key) -> Option<Claimed> {
        let settings = self.remotes().find(|it| it.url.has_claims() && self.shares(it))?;
        // The key of an automatic result is not known before the run.
        if self.config.mode == Mode::WriteOnly || self.is_automatic() || self.home().is_some() {
            return None;
        }
        let remote = self.beside(root, settings);
        if remote.reads().outage().is_some() || remote.writes().outage().is_some() {
            return None;
        }
        let wanted = self.wanted_there(settings, key, 0);
        match remote.claim(&wanted, self.config.lock_timeout) {
            Ok(claimed) => Some(claimed),
            Err(error) => {
                self.messages()
                    .tell(format_args!("running without waiting for other machines: {error:#}"));
                None
            }
        }
    }

    /// Returns what the remote store would answer to this call; it is queried only if `asks` is
    /// set. `root` is none if there is no store yet. Nothing is changed.
    pub(super) fn look_there(
        &self,
        root: Option<&Root>,
        key: &Key,
        asks: bool,
    ) -> Option<There<'_>> {
        let first = self.config.remotes.first()?;
        if let Some(home) = self.home() {
            let answer = Answer::Home(home);
            return Some(There { url: &first.url, mode: first.mode, answer });
        }
        // A helper needs a store to work in; a temporary one leaves nothing behind.
        let passing = (root.is_none() && asks).then(Passing::new).flatten();
        let root = root.or(passing.as_ref().map(|passing| &passing.root));
        let mut nearest = None;
        for settings in &self.config.remotes {
            let there = self.look_in(root, settings, key, asks);
            if matches!(there.answer, Answer::Entry { .. }) {
                return Some(there);
            }
            nearest = nearest.or(Some(there));
        }
        nearest
    }

    /// Returns what one remote store would answer.
    fn look_in<'s>(
        &self,
        root: Option<&Root>,
        settings: &'s Settings,
        key: &Key,
        asks: bool,
    ) -> There<'s> {
        let is_used = self.remotes().any(|used| std::ptr::eq(used, settings));
        let root = root.filter(|_| is_used);
        let answer = match root.map(|root| self.beside(root, settings)) {
            Some(remote) if asks => {
                let keys =
                    root.filter(|_| self.is_automatic() && remote.reads().outage().is_none());
                let keys = keys.map(|root| self.keys_there(root, settings, key));
                let keys = keys.unwrap_or_else(|| vec![*key]);
                let answers = keys.iter().map(|key| self.look_for(&remote, settings, key));
                let mut answers = answers.skip_while(|it| matches!(it, Answer::Nothing));
                // The question for path sets may have failed.
                let failed = || remote.reads().outage().map_or(Answer::Nothing, Answer::Paused);
                answers.next().unwrap_or_else(failed)
            }
            Some(remote) => match remote.reads().outage() {
                Some(outage) => Answer::Paused(outage),
                None => Answer::NotAsked,
            },
            None => Answer::NotAsked,
        };
        There { url: &settings.url, mode: settings.mode, answer }
    }

    fn look_for(&self, remote: &Remote<'_>, settings: &Settings, key: &Key) -> Answer {
        match remote.look(&self.wanted_there(settings, key, 0)) {
            Ok(Seen::Entry { created }) => {
                Answer::Entry { age: Timestamp::now().since(created).unwrap_or_default() }
            }
            Ok(Seen::Nothing) => Answer::Nothing,
            Ok(Seen::Refused) => Answer::Refused,
            Err(Unanswered::Paused(outage)) => Answer::Paused(outage),
            Err(Unanswered::Failed(why)) => Answer::Failed(why),
        }
    }

    /// Sends a recorded entry to the remote stores in the background, unless it is too long to be
    /// worth it.
    pub(super) fn share(&self, root: &Root, key: &Key, longest: u64) {
        for settings in self.remotes() {
            if self.shares(settings) && self.home().is_none() {
                self.share_with(root, settings, key, longest);
            }
        }
    }

    pub(super) fn share_with(&self, root: &Root, settings: &Settings, key: &Key, longest: u64) {
        if self.shares(settings) && longest <= settings.limits.entry {
            self.beside(root, settings).queue(key);
        }
    }

    /// Returns whether recorded entries are sent to a remote store.
    fn shares(&self, settings: &Settings) -> bool {
        settings.mode == RemoteMode::ReadWrite && self.config.mode != Mode::ReadOnly
    }
}

/// A temporary store, which is removed when dropped.
struct Passing {
    root: Root,
    _folder: tempfile::TempDir,
}

impl Passing {
    fn new() -> Option<Passing> {
        let folder = tempfile::Builder::new().prefix("cachex-").tempdir().ok()?;
        let root = Root::create(&folder.path().join("store")).ok()?;
        Some(Passing { root, _folder: folder })
    }
}

/// A remote store of a call, and its answer.
pub struct There<'r> {
    /// The address of the store.
    pub url: &'r RemoteUrl,
    /// The way in which the store is used.
    pub mode: RemoteMode,
    /// The answer of the store.
    pub answer: Answer,
}

/// The answer of a remote store.
pub enum Answer {
    /// The call would not query the store, or no query is possible from here.
    NotAsked,
    /// The result stays on this machine.
    Home(Home),
    /// The store has the result, and it is fresh.
    Entry {
        /// Its age.
        age: Duration,
    },
    /// The store has nothing fresh.
    Nothing,
    /// The result in the store is not to be trusted.
    Refused,
    /// The store failed recently, and is left alone.
    Paused(Outage),
    /// The store does not answer, for this reason.
    Failed(String),
}

/// Shows no progress, for callers without a terminal.
pub fn shows_nothing(_quiet: bool) -> Box<dyn std::any::Any> {
    Box::new(())
}
