//! What is shared with other machines: asked for where nothing fresh is at hand, and
//! given what was recorded.

use super::{Runner, nanos};
use crate::clock::Timestamp;
use crate::config::Remote as Settings;
use crate::entry::{Entry, Key};
use crate::store::events::{self, Event, Kind, Remotely};
use crate::store::remote::{Fetched, Remote, Unanswered, Wanted};
use crate::store::young::Young;
use crate::store::{Root, Store};
use crate::values::{Mode, RemoteMode};
use std::os::unix::ffi::OsStrExt;

/// The remote store beside `root`, if it is used at all.
pub fn remote_of<'r>(root: &'r Root, settings: &Settings, level: u8) -> Option<Remote<'r>> {
    let Settings { url, mode, timeout, access } = settings;
    (*mode != RemoteMode::Off).then(|| Remote::new(root, url, access, *timeout, level))
}

impl Runner<'_> {
    fn remote<'r>(&self, root: &'r Root) -> Option<Remote<'r>> {
        self.config
            .remote
            .as_deref()
            .and_then(|remote| remote_of(root, remote, self.config.compress))
    }

    /// Gets an entry that may be served from the remote store. It is in the local one
    /// from then on.
    pub(super) fn fetch(&self, root: &Root, key: &Key) -> Option<Entry> {
        let remote = self.remote(root)?;
        let freshness = &self.config.freshness;
        let limit = |status| freshness.limit(status, key).map(nanos);
        let beyond = freshness.stale_if_error.map_or(0, nanos);
        let limits = [limit(0), limit(1)];
        let wanted = Wanted { key: key.0, limits, beyond, mends: self.shares() };
        let shown = (self.shows_progress)(self.config.quiet);
        let fetched = remote.fetch(&wanted);
        drop(shown);
        let (what, bytes) = match &fetched {
            Ok(Fetched::Entry { bytes }) => (Remotely::Hit, *bytes),
            Ok(Fetched::Nothing) => (Remotely::Miss, 0),
            Ok(Fetched::Refused) => (Remotely::Refused, 0),
            Err(Unanswered::Failed(_)) => (Remotely::Failed, 0),
            // One is counted for all that go on without it.
            Err(Unanswered::Paused(outage)) => {
                self.messages()
                    .tell(format_args!("the remote store is left alone: {}", outage.why));
                return None;
            }
        };
        let kind = Kind::Remote { what, bytes };
        let event = Event { kind, time: Timestamp::now(), key: *key, run_time: 0 };
        let _ = events::append(root, &event, Some(self.invocation.name().as_bytes()));
        match fetched {
            Ok(Fetched::Entry { .. }) => Young::new(root).get(key).ok().flatten(),
            Ok(Fetched::Refused) => {
                self.messages().warn(format_args!(
                    "the remote store has a result for this that is damaged or not to be trusted; it is not used"
                ));
                None
            }
            Err(Unanswered::Failed(why)) => {
                self.messages()
                    .warn(format_args!("the remote store is left alone for a minute: {why}"));
                None
            }
            Ok(Fetched::Nothing) | Err(Unanswered::Paused(_)) => None,
        }
    }

    /// Has the remote store get what was recorded, in the background.
    pub(super) fn share(&self, root: &Root, key: &Key) {
        if self.shares()
            && let Some(remote) = self.remote(root)
        {
            remote.queue(key);
        }
    }

    /// Whether the remote store gets what is recorded.
    fn shares(&self) -> bool {
        let settings = self.config.remote.as_ref();
        settings.is_some_and(|remote| remote.mode == RemoteMode::ReadWrite)
            && self.config.mode != Mode::ReadOnly
    }
}

/// For who has no terminal to show anything on.
pub fn shows_nothing(_quiet: bool) -> Box<dyn std::any::Any> {
    Box::new(())
}
