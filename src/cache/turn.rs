//! One at a time: waiting for one's turn, or for another's to be over.

use super::{Call, Miss, Runner};
use crate::exit::{self, Exit};
use crate::lock;
use crate::messages;
use crate::report::{Outcome, Report};
use crate::store::Root;
use crate::store::events::Kind;
use crate::values::Mode;
use crate::wait::{self, Followed, Terms, Waited};
use std::time::Duration;

impl Runner<'_> {
    /// Runs the command, when it is this call's turn.
    pub(super) fn take_turn(&self, root: &Root, mut miss: Miss) -> Exit {
        if self.config.no_concurrent && self.config.mode != Mode::ReadOnly {
            let terms = Terms {
                limit: self.config.lock_timeout,
                // What began earlier is not what is asked for by force, and what may
                // be replaced by a good result is not to be shown before its end.
                // Files are brought back from a record. What another's terminal was asked is
                // left out of a record.
                follows: self.config.mode != Mode::WriteOnly
                    && self.terminal().is_none()
                    && miss.stale.is_none()
                    && self.config.outputs.is_empty(),
            };
            match wait::for_turn(root, &lock::of_key(&miss.call.key), self.messages(), terms) {
                Ok(Waited::Within) => {
                    return self.uncached(miss.call.stdin.source, "within its own run");
                }
                Ok(Waited::Turn { lock, waited, printed }) => {
                    // Asking a remote store takes long enough for a whole turn of
                    // another's. What that recorded is in this store.
                    let passed = waited || self.config.remote.is_some();
                    if passed && let Ok(hit) = self.find_here(root, &miss.call.key) {
                        drop(lock);
                        return self.serve_after(
                            root,
                            &miss.call.stdin,
                            hit,
                            Outcome::Hit,
                            &printed,
                        );
                    }
                    (miss.lock, miss.printed) = (Some(lock), printed);
                }
                Ok(Waited::Followed(followed)) => return self.followed(root, &miss.call, followed),
                Ok(Waited::TimedOut) => return self.run_out_of_patience(miss.call),
                Ok(Waited::Failed) => {
                    let exit = Exit::Status(exit::CACHEX_FAILED);
                    self.report(|| {
                        let reason = Some("the output cannot be completed".to_owned());
                        let report = Report::about(&miss.call.key);
                        Report { result: Outcome::Followed, reason, ..report }.ending(exit)
                    });
                    return exit;
                }
                Err(error) => self.messages().warn(format_args!("running without a lock: {error}")),
            }
        }
        self.run_and_record(root, miss)
    }

    /// Ends a call that was shown another's run from beginning to end.
    fn followed(&self, root: &Root, call: &Call, followed: Followed) -> Exit {
        if let Some(consumed) = followed.stdin_consumed {
            call.stdin.skip(consumed);
        }
        // It took as long as the run, and saved another.
        self.note(root, &call.key, Kind::Hit { cost: 0 }, Duration::ZERO);
        self.messages().tell(format_args!("followed {} to its end", messages::short(&call.key)));
        let exit = Exit::Status(followed.status);
        self.report(|| {
            let [stdout_bytes, stderr_bytes] = followed.bytes.map(Some);
            let report = Report::about(&call.key);
            Report { result: Outcome::Followed, stdout_bytes, stderr_bytes, ..report }.ending(exit)
        });
        exit
    }

    fn run_out_of_patience(&self, call: Call) -> Exit {
        let limit = messages::rounded(self.config.lock_timeout.unwrap_or_default());
        self.messages().warn(format_args!(
            "another process runs the same command and has printed nothing for {limit}; running it without the cache"
        ));
        self.uncached(call.stdin.source, "--lock-timeout")
    }
}
