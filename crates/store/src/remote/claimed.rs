//! A claim as seen by the process that requests it; `claim` describes how it is held.

use super::{GRACE, Question, Remote, STEP, Wanted, helper};
use anyhow::{Result, bail};
use cachex_base::process::ipc::{self, ALIVE, DONE, FAILED, Helper, Late};
use std::time::{Duration, Instant};

/// The outcome of a claim.
pub enum Claimed {
    /// This machine runs the command, and the others wait.
    Ours(Claim),
    /// Another machine ran it, and its result is in the store.
    Found,
    /// Another machine runs it, and the time to wait for it is over.
    TooLate,
}

/// A held claim. Other machines wait while this exists, and then until the result is sent.
pub struct Claim {
    /// The process that holds the claim as long as its output can be read.
    _helper: Helper,
}

impl Remote<'_> {
    /// Claims the run of a command for this machine, or waits for the result of another machine,
    /// for at most `limit`.
    pub fn claim(&self, wanted: &Wanted, limit: Option<Duration>) -> Result<Claimed> {
        let until = limit.and_then(|limit| Instant::now().checked_add(limit));
        let mut command = self.command(&Question::Claim(wanted.clone()))?;
        let mut helper = Helper::start(command.arg(helper::HOLDING))?;
        // A process that the helper has started holds the claim.
        helper.end()?;
        let mut step = self.target.patience.saturating_mul(2) + GRACE;
        loop {
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            let frame = match helper.frame(Some(left.map_or(step, |left| left.min(step)))) {
                Err(error) if error.is::<Late>() && left.is_some_and(|left| left < step) => {
                    return Ok(Claimed::TooLate);
                }
                frame => frame?,
            };
            step = STEP;
            return Ok(match frame {
                Some((ALIVE, _)) => continue,
                Some((DONE, body)) if ipc::decode(&body)? => Claimed::Found,
                Some((DONE, _)) => Claimed::Ours(Claim { _helper: helper }),
                Some((FAILED, body)) => bail!("{}", String::from_utf8_lossy(&body)),
                _ => bail!("a helper process gave no answer"),
            });
        }
    }
}
