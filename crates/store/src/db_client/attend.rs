//! A helper process that stays: one start for many look-ups.
//!
//! A call of the command line looks up one entry, and a program thousands. The helper is
//! kept by whoever asked it, opens the database for as long as questions come one after
//! the other, and ends when nobody asked for a while.

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
    /// A forked child has one of its own.
    kept: PerProcess<Mutex<Option<Kept>>>,
}

struct Kept {
    helper: Helper,
}

impl Attendant {
    /// The entry of a key in the old store. Where the filter says no, nobody is asked.
    pub fn get(&self, fenced: &DbClient<'_>, key: &Key) -> Result<Option<Entry>> {
        if !filter::may_hold(fenced.root, key) {
            return Ok(None);
        }
        let mut kept = self.kept.get().lock().unwrap_or_else(PoisonError::into_inner);
        // One that was kept may have ended meanwhile.
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
