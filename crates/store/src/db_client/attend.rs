//! A helper process that stays: one start for many look-ups.
//!
//! A call on the command line looks up one entry, a program thousands. Whoever asked the helper
//! keeps it. It holds the database open while questions follow one another, and ends after a period
//! without any.

use super::{DbClient, GET, command};
use crate::{db_server, filter};
use anyhow::{Context, Result, bail};
use cachex_base::process::forked::PerProcess;
use cachex_base::process::ipc::{DONE, Helper};
use cachex_base::record::entry::{Entry, Key};
use std::io::Write;
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};

/// Keeps a helper for look-ups.
#[derive(Default)]
pub struct Attendant {
    /// The helper; a forked child has its own.
    kept: PerProcess<Mutex<Option<Kept>>>,
}

struct Kept {
    helper: Helper,
}

impl Attendant {
    /// Returns the entry of a key from the old store. The helper is not asked if the filter rules
    /// the key out.
    pub fn get(&self, fenced: &DbClient<'_>, key: &Key) -> Result<Option<Entry>> {
        if !filter::may_hold(fenced.root, key) {
            return Ok(None);
        }
        let mut kept = self.kept.get().lock().unwrap_or_else(PoisonError::into_inner);
        // The helper may have ended meanwhile.
        let known = kept.as_mut().and_then(|kept| kept.ask(key).ok());
        let sealed = if let Some(sealed) = known {
            sealed
        } else {
            *kept = None;
            let mut new = Kept { helper: start(fenced)? };
            let sealed = new.ask(key)?;
            *kept = Some(new);
            sealed
        };
        if sealed.is_empty() {
            return Ok(None);
        }
        Ok(Some(Entry::open(key, &sealed)?))
    }
}

fn start(fenced: &DbClient<'_>) -> Result<Helper> {
    let mut command = command(fenced.root.path(), db_server::ATTEND, &[])?;
    Helper::start(command.stdin(Stdio::piped()))
}

impl Kept {
    fn ask(&mut self, key: &Key) -> Result<Vec<u8>> {
        let input = self.helper.input().context("asking the store of older entries")?;
        input.write_all(&key.0).context("asking the store of older entries")?;
        match self.helper.frame(Some(GET))? {
            Some((DONE, sealed)) => Ok(sealed),
            _ => bail!("a helper process of the store ended without an answer"),
        }
    }
}
