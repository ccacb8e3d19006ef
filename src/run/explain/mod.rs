//! What a call would come to, told without making it.
//!
//! Nothing is run, no event is written, nothing is folded, and no entry is brought
//! up: the old store is asked as `list` asks it, and a remote store whether it has the
//! entry, without that being fetched. What counts is what counts for
//! `run`, so standard input is read, if it is no terminal.

pub mod advice;
pub mod automatic;
pub mod differences;
pub mod nearest;

use crate::files::inputs::Snapshot;
use crate::key::{self, LeftOut};
use crate::run::explain::advice::Advice;
use crate::run::explain::automatic::Automatic;
use crate::run::explain::nearest::{Nearest, Reach};
use crate::run::replay::Replay;
use crate::run::shared::{Answer, There};
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

/// The old store is waited for no longer, from one sign of progress to the next.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a call would come to, and why.
pub struct Explanation<'r> {
    /// Its key.
    pub key: Key,
    /// What it would meet.
    pub state: State,
    /// What is recorded under its key, and can be read.
    pub entry: Option<Entry>,
    /// The remote store, if there is one.
    pub remote: Option<There<'r>>,
    /// What counts, and how.
    pub sources: Sources<'r>,
    /// What is known of it, if it is automatic.
    pub automatic: Option<Automatic>,
    /// If nothing is recorded under the key, what comes closest.
    pub nearest: Option<Nearest>,
    /// What could be done about a miss, the best first.
    pub advice: Vec<Advice>,
}

/// What a call would meet.
pub enum State {
    /// An entry that is served.
    Fresh {
        /// Its age.
        age: Duration,
        /// How long it stays so; none: for ever.
        left: Option<Duration>,
        /// Whether it is replaced in the background.
        refresh: Refresh,
    },
    /// Nothing here, and an entry in the remote store that is fetched and served.
    Remote {
        /// Its age.
        age: Duration,
    },
    /// One that expired, and is served all the same: the command failed lately,
    /// and is not tried again yet.
    Stale {
        /// Its age.
        age: Duration,
    },
    /// One that expired.
    Expired {
        /// How long ago.
        since: Duration,
        /// What its age was not to reach.
        limit: Duration,
        /// Whether this call says so, and not the one that recorded it.
        by_reader: bool,
        /// Whether it is served should the command fail.
        stands_in: bool,
    },
    /// One that was recorded later than now.
    Future,
    /// Nothing.
    NotRecorded,
    /// The command is run in any case.
    Forced,
    /// An entry without some of its output, be it printed or left in files.
    Incomplete {
        /// Whether that is gone, and not damaged.
        gone: bool,
    },
    /// An entry that is damaged.
    Damaged,
    /// A store that cannot be read, and why.
    Unreadable(String),
    /// An entry of a call that was to make other files than this one.
    OtherOutputs,
    /// An entry whose run left this declared file alone, which has changed since.
    Edited(PathBuf),
    /// An entry with an exit status that this call does not take.
    OtherStatus {
        /// Which.
        status: u8,
    },
    /// A cachex that is as if it were not there.
    Off,
}

/// Whether an entry is replaced in the background.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refresh {
    /// It is not old enough.
    No,
    /// At the next call.
    Due,
    /// Not yet: the last try failed.
    Paused,
}

impl State {
    /// Whether the call would be answered from the store.
    pub fn is_hit(&self) -> bool {
        matches!(self, State::Fresh { .. } | State::Remote { .. } | State::Stale { .. })
    }
}

/// What counts in a key, and where it comes from; no value of a variable, of
/// standard input or of `--key`.
pub struct Sources<'r> {
    /// The arguments.
    pub argv: &'r [OsString],
    /// How the executable counts.
    pub exe: ExeMode,
    /// Where it lies.
    pub executable: Option<PathBuf>,
    /// The working directory, if it counts.
    pub cwd: Option<PathBuf>,
    /// The names of the variables that count.
    pub counted: Vec<&'r OsStr>,
    /// Those of the others, and why they do not.
    pub left_out: Vec<(&'r OsStr, LeftOut)>,
    /// The kind of standard input, see [`cachex_exec::stdin`].
    pub stdin: &'static str,
    /// Whether there is a `--key`.
    pub has_text: bool,
    /// The scope.
    pub scope: Option<&'r str>,
    /// The columns of the terminal, if there is one that counts.
    pub columns: Option<u16>,
    /// How many files count, if any were declared to.
    pub inputs: Option<usize>,
    /// The files that arguments name and that are not part of the key.
    pub unkeyed: Vec<&'r OsStr>,
    /// The commands of which the output counts.
    pub commands: &'r [String],
    /// The folder whose place does not count.
    pub base: Option<PathBuf>,
    /// What other places may differ in, if the call is to be the same there.
    pub platform: Vec<Part>,
}

impl Runner<'_> {
    /// Says what this call would come to. None as `root`: there is no store yet.
    pub fn explain(&self, root: Option<&Root>) -> Result<Explanation<'_>, Exit> {
        let call = self.call_to_explain(root)?;
        let (key, automatic) = self.entry_key(root, &call);
        let (mut state, entry) = match root {
            _ if self.config.mode == Mode::Off => (State::Off, None),
            Some(root) => self.state(root, &key, &call.key),
            None if self.config.mode == Mode::WriteOnly => (State::Forced, None),
            None => (State::NotRecorded, None),
        };
        let stays =
            matches!(state, State::Forced | State::Off | State::OtherOutputs | State::Edited(_));
        let asks = !state.is_hit() && !stays;
        let remote = self.look_there(root, &key, asks);
        if let Some(Answer::Entry { age }) = remote.as_ref().map(|there| &there.answer) {
            state = State::Remote { age: *age };
        }
        let nearest = match (&state, root) {
            // Its own path sets tell more.
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
                // It was said.
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

    /// `call` is the key of the call, which is another than that of its entry if it is
    /// automatic.
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
            stdin: call.stdin.digest.kind(),
            has_text: identity.key.is_some(),
            scope: identity.scope.as_deref(),
            columns: self.terminal().map(|size| size.ws_col),
            inputs: call.found.declared.inputs.as_ref().map(Snapshot::len),
            unkeyed: self.unkeyed(call),
            commands: &identity.inputs.commands,
            base: self.base_folder(),
            platform: call.found.declared.platform.clone(),
        }
    }
}

/// Looks an entry up and leaves it where it is.
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
