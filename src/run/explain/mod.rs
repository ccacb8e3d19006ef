//! Predicts the result of a call without making it.
//!
//! Nothing is run, fetched, folded or promoted, and no event is written: the old store is queried
//! as by `list`, and a remote store only for whether it has the entry. The key is the same as for
//! `run`, so standard input is read unless it is a terminal.

pub mod advice;
pub mod automatic;
pub mod differences;
pub mod nearest;

use crate::files::inputs::Snapshot;
use crate::key::{self, Chosen, LeftOut};
use crate::run::explain::advice::Advice;
use crate::run::explain::automatic::Automatic;
use crate::run::explain::nearest::{Nearest, Reach};
use crate::run::remote::{Answer, There};
use crate::run::replay::Replay;
use crate::run::{Call, Runner, Unidentified};
use anyhow::Result;
use cachex_base::process::exit::{self, Exit};
use cachex_base::record::entry::{Damaged, Entry, Key};
use cachex_base::streams::messages;
use cachex_base::system::clock::Timestamp;
use cachex_base::system::platform::Part;
use cachex_base::text::values::{ExeMode, Mode};
use cachex_exec::stdin::Unknown;
use cachex_store::db_client::DbClient;
use cachex_store::query::{Filter, Query};
use cachex_store::young::Young;
use cachex_store::{Root, blobs, filter};
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::Duration;

/// The longest wait for the old store, from one sign of progress to the next.
const PATIENCE: Duration = Duration::from_secs(10);

/// The predicted result of a call, and the reasons for it.
pub struct Explanation<'r> {
    /// The key of the call.
    pub key: Key,
    /// The result of the look-up.
    pub state: State,
    /// The entry recorded under the key, if it can be read.
    pub entry: Option<Entry>,
    /// The remote store, if there is one.
    pub remote: Option<There<'r>>,
    /// The sources of the key's components.
    pub sources: Sources<'r>,
    /// Information about the call, if it is automatic.
    pub automatic: Option<Automatic>,
    /// The nearest entry, if none is recorded under the key.
    pub nearest: Option<Nearest>,
    /// Suggestions for avoiding a miss, the best first.
    pub advice: Vec<Advice>,
}

/// The result of a look-up.
pub enum State {
    /// An entry that is served.
    Fresh {
        /// Its age.
        age: Duration,
        /// The time for which it stays fresh; none: for ever.
        left: Option<Duration>,
        /// The state of the replacement in the background.
        refresh: Refresh,
    },
    /// No local entry, but one in the remote store that would be fetched and served.
    Remote {
        /// Its age.
        age: Duration,
    },
    /// An expired entry that is served all the same: the command failed lately, and is not tried
    /// again yet.
    Stale {
        /// Its age.
        age: Duration,
    },
    /// An expired entry.
    Expired {
        /// The time since it expired.
        since: Duration,
        /// The age at which it expired.
        limit: Duration,
        /// True if the limit is set by this call rather than by the one that recorded the entry.
        by_reader: bool,
        /// True if the entry is served should the command fail.
        stands_in: bool,
    },
    /// An entry with a time of recording in the future.
    Future,
    /// No entry.
    NotRecorded,
    /// A call that runs the command in any case.
    Forced,
    /// An entry without some of its output, printed or in files.
    Incomplete {
        /// True if the output is missing rather than damaged.
        gone: bool,
    },
    /// An entry that is damaged.
    Damaged,
    /// A store that cannot be read, and the reason.
    Unreadable(String),
    /// An entry of a call with other declared outputs.
    OtherOutputs,
    /// An entry whose run left this declared file alone; the file has changed since.
    Edited(PathBuf),
    /// An entry with an exit status that this call does not accept.
    OtherStatus {
        /// The exit status.
        status: u8,
    },
    /// A call with the cache turned off, and the reason unless it was told to be.
    Off(Option<String>),
}

/// The state of an entry's replacement in the background.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refresh {
    /// The entry is not old enough.
    No,
    /// The next call replaces it.
    Due,
    /// The replacement is delayed because the last one failed.
    Paused,
}

impl State {
    /// Returns whether the call would be answered from the store.
    pub fn is_hit(&self) -> bool {
        matches!(self, State::Fresh { .. } | State::Remote { .. } | State::Stale { .. })
    }
}

/// The components of a key and their sources, without the value of any variable, of standard input
/// or of `--key`.
pub struct Sources<'r> {
    /// The arguments.
    pub argv: &'r [OsString],
    /// The way in which the executable is part of the key.
    pub exe: ExeMode,
    /// The path of the executable.
    pub executable: Option<PathBuf>,
    /// The working directory, if it is part of the key.
    pub cwd: Option<PathBuf>,
    /// The names of the variables that are part of the key.
    pub counted: Vec<&'r OsStr>,
    /// The names of the other variables, and why they are left out.
    pub left_out: Vec<(&'r OsStr, LeftOut)>,
    /// The selection of variables, unless it is the default.
    pub chosen: Option<Chosen<'r>>,
    /// The kind of standard input, see [`cachex_exec::stdin`].
    pub stdin: &'static str,
    /// True if there is a `--key`.
    pub has_text: bool,
    /// The scope.
    pub scope: Option<&'r str>,
    /// The columns of the terminal, if they are part of the key.
    pub columns: Option<u16>,
    /// The number of input files, if any were declared.
    pub inputs: Option<usize>,
    /// The files that arguments name and that are not part of the key.
    pub unkeyed: Vec<&'r OsStr>,
    /// A sentence about a shim that chooses what runs, if it is not part of the key what.
    pub shim: Option<String>,
    /// The commands whose output is part of the key.
    pub commands: &'r [String],
    /// The folder whose location is not part of the key.
    pub base: Option<PathBuf>,
    /// The facts about the platform that are part of the key of a portable call.
    pub platform: Vec<Part>,
}

impl Runner<'_> {
    /// Predicts the result of this call. `root` is none if there is no store yet.
    pub fn explain(&self, root: Option<&Root>) -> Result<Explanation<'_>, Exit> {
        let call = self.call_to_explain(root)?;
        let (key, automatic) = self.entry_key(root, &call);
        let (mut state, entry) = match root {
            _ if self.config.mode == Mode::Off => (State::Off(self.config.refused.clone()), None),
            Some(root) => self.state(root, &key, &call.key),
            None if self.config.mode == Mode::WriteOnly => (State::Forced, None),
            None => (State::NotRecorded, None),
        };
        let stays =
            matches!(state, State::Forced | State::Off(_) | State::OtherOutputs | State::Edited(_));
        let asks = !state.is_hit() && !stays;
        let remote = self.look_there(root, &key, asks);
        if let Some(Answer::Entry { age }) = remote.as_ref().map(|there| &there.answer) {
            state = State::Remote { age: *age };
        }
        let nearest = match (&state, root) {
            // The call's own path sets say more.
            (State::NotRecorded, Some(_))
                if automatic.as_ref().is_some_and(|it| it.facts.is_some()) =>
            {
                None
            }
            (State::NotRecorded, Some(root)) => self.nearest(root, &call, Reach::Name(PATIENCE)),
            _ => None,
        };
        let advice = root.map_or_else(Vec::new, |root| {
            self.advise(root, &call, &state, entry.as_ref(), nearest.as_ref())
        });
        let sources = self.sources(&call);
        Ok(Explanation { key, state, entry, remote, sources, automatic, nearest, advice })
    }

    fn call_to_explain(&self, root: Option<&Root>) -> Result<Call, Exit> {
        self.call(root).map_err(|why| {
            match why {
                // The message was already shown.
                Unidentified::NoCommand(_) => {}
                Unidentified::Mistaken(why) => {
                    messages::error(format_args!("{why}"));
                    return Exit::Status(exit::USAGE);
                }
                Unidentified::NoInput(Unknown { why, .. }) => messages::error(format_args!(
                    "`run` would not cache: {why}; `--stdin null` leaves it out"
                )),
                Unidentified::NoDescriptor(which) => {
                    messages::error(format_args!("`run` would not cache: {which}"));
                }
                Unidentified::Unknown(error, _) => {
                    messages::error(format_args!("`run` would not cache: {error:#}"));
                }
            }
            Exit::Status(exit::FAILURE)
        })
    }

    /// Returns the result of the look-up and the entry found. `call` is the key of the call, which
    /// differs from that of its entry if the call is automatic.
    fn state(&self, root: &Root, key: &Key, call: &Key) -> (State, Option<Entry>) {
        let entry = match find(root, key) {
            Ok(Some(entry)) if self.accepts(&entry) => entry,
            Ok(_) if self.config.mode == Mode::WriteOnly => return (State::Forced, None),
            Ok(_) => return (State::NotRecorded, None),
            Err(error) if error.is::<Damaged>() => return (State::Damaged, None),
            Err(error) => return (State::Unreadable(format!("{error:#}")), None),
        };
        let mut state = self.freshness_of(root, call, &entry);
        if state.is_hit() || matches!(state, State::Expired { stands_in: true, .. }) {
            let prepared = Replay::prepare(root, entry.clone());
            let whole =
                prepared.and_then(|replay| Ok(replay.is_some() && blobs::has_files(root, &entry)?));
            match whole {
                Ok(true) => {}
                Ok(false) => state = State::Incomplete { gone: blobs::lacks(root, &entry) },
                Err(errno) => state = State::Unreadable(std::io::Error::from(errno).to_string()),
            }
        }
        if state.is_hit() && !self.makes_the_same(root, &entry) {
            state = State::OtherOutputs;
        }
        if let Some(path) = state.is_hit().then(|| self.edited(root, &entry)).flatten() {
            state = State::Edited(path);
        }
        if self.config.mode == Mode::WriteOnly {
            state = State::Forced;
        }
        (state, Some(entry))
    }

    fn freshness_of(&self, root: &Root, call: &Key, entry: &Entry) -> State {
        let now = Timestamp::now();
        let Some(age) = now.since(entry.created) else { return State::Future };
        let freshness = &self.config.freshness;
        if !freshness.exit_codes.contain(entry.status) {
            return State::OtherStatus { status: entry.status };
        }
        let writer = entry.expires_in.map(Duration::from_nanos);
        let reader = freshness.limit(entry.status, &entry.key);
        let limit = writer.into_iter().chain(reader).min();
        let Some(limit) = limit.filter(|&limit| age >= limit) else {
            let left = limit.map(|limit| limit.saturating_sub(age));
            let is_old = freshness.refresh_after.is_some_and(|after| age >= after);
            let refresh = match is_old && self.may_refresh() {
                false => Refresh::No,
                true if self.failed_since(root, call, entry) => Refresh::Paused,
                true => Refresh::Due,
            };
            return State::Fresh { age, left, refresh };
        };
        let stands_in = self.config.freshness.is_good(entry.status)
            && Self::stands_in(entry, now, reader, freshness.stale_if_error).is_some();
        if stands_in && self.failed_since(root, call, entry) {
            return State::Stale { age };
        }
        let by_reader = writer != Some(limit);
        State::Expired { since: age.saturating_sub(limit), limit, by_reader, stands_in }
    }

    fn sources(&self, call: &Call) -> Sources<'_> {
        let identity = &self.config.identity;
        let (counted, left_out) = key::variables(self.vars, identity);
        Sources {
            argv: &self.invocation.argv,
            exe: identity.exe,
            executable: call.executable.as_ref().map(|executable| executable.place().to_owned()),
            cwd: identity.cwd.then(std::env::current_dir).and_then(Result::ok),
            counted,
            left_out,
            chosen: Chosen::by(&identity.env),
            stdin: call.stdin.digest.kind(),
            has_text: identity.key.is_some(),
            scope: identity.scope.as_deref(),
            columns: self.terminal().map(|size| size.ws_col),
            inputs: call.found.declared.inputs.as_ref().map(Snapshot::len),
            unkeyed: self.unkeyed(call),
            shim: self.shim(call),
            commands: &identity.inputs.commands,
            base: self.base_folder(),
            platform: call.found.declared.platform.clone(),
        }
    }
}

/// Looks up an entry without promoting it.
pub(in crate::run) fn find(root: &Root, key: &Key) -> Result<Option<Entry>> {
    if let Some(entry) = Young::new(root).get(key)? {
        return Ok(Some(entry));
    }
    if !filter::may_hold(root, key) {
        return Ok(None);
    }
    let filter = Filter { key_prefix: Some(key.to_string()), ..Filter::default() };
    let query = Query { filter, limit: Some(1), ..Query::default() };
    let mut found = None;
    DbClient::new(root).query_within(&query, PATIENCE, &mut |entry, _| {
        found = Some(entry);
        Ok(())
    })?;
    Ok(found)
}
