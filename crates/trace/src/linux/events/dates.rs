//! File times that a run sets.
//!
//! Files restored by a hit get the time of the hit, just as a run would create them. Where a run
//! chooses a time, as `cp -p` and `tar` do, a hit has to set the same one. The run got it from
//! somewhere: from file content, which is part of the key anyway, or from the time of another file.
//! This module makes that part of the key: it is the time of a file that the run examined.

use super::Made;
use crate::linux::recorder::Recorder;
use crate::linux::tracee::Unread;
use crate::linux::tree::{Found, Id};
use std::collections::BTreeSet;

/// The tolerance in nanoseconds: languages that keep times as floating-point numbers are inexact.
const TOLERANCE: i64 = 1_000_000;
const SECOND: i64 = 1_000_000_000;

/// The files that were examined, by their times.
#[derive(Default)]
pub struct Dates {
    by_time: BTreeSet<(i64, Id)>,
    /// The number of paths that were already added.
    seen: Id,
}

impl Recorder {
    /// Notes that a file gets the time that an argument points to; null stands for now.
    pub(super) fn date(&mut self, made: &Made, times: usize, id: Id) -> Result<(), Unread> {
        let chosen = chosen(made, times)?;
        self.tree[id].is_dated |= chosen != Chosen::Nothing;
        if let Chosen::Time(time) = chosen {
            self.tree[id].keeps_time = true;
            for id in self.dated(time) {
                self.note_time(id);
            }
        }
        Ok(())
    }

    /// Removes and returns the files that were examined and had this time.
    fn dated(&mut self, time: i64) -> Vec<Id> {
        let nodes = self.tree.nodes().iter().enumerate().skip(self.dates.seen as usize);
        self.dates.by_time.extend(nodes.filter_map(|(id, node)| {
            let status = node.before.as_ref().and_then(Found::status)?;
            Some((status.stamp.mtime, id as Id))
        }));
        self.dates.seen = self.tree.len() as Id;
        // The time may have been truncated to whole seconds.
        let lost = if time % SECOND == 0 { SECOND } else { TOLERANCE };
        let [least, most] = [time.saturating_sub(TOLERANCE), time.saturating_add(lost)];
        let range = (least, Id::MIN)..=(most, Id::MAX);
        let dates = self.dates.by_time.range(range).copied();
        let found: Vec<(i64, Id)> = dates.filter(|&(_, id)| self.tree[id].facts != 0).collect();
        for date in &found {
            self.dates.by_time.remove(date);
        }
        found.into_iter().map(|(_, id)| id).collect()
    }
}

/// The modification time that a run gives to a file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Chosen {
    /// The time is left as it is.
    Nothing,
    /// The present.
    Now,
    /// A time in nanoseconds since 1970.
    Time(i64),
}

/// Returns the modification time that the arguments of a call choose.
fn chosen(made: &Made, times: usize) -> Result<Chosen, Unread> {
    let at = made.arguments[times];
    if at == 0 {
        return Ok(Chosen::Now);
    }
    let number = |offset: u64| -> Result<i64, Unread> {
        let mut bytes = [0; 8];
        made.tracee.read(at.wrapping_add(offset), &mut bytes)?;
        Ok(i64::from_le_bytes(bytes))
    };
    // The access time comes first.
    let (seconds, rest) = match made.name {
        "utime" => (number(8)?, 0),
        "utimensat" => match (number(16)?, number(24)?) {
            (_, libc::UTIME_NOW) => return Ok(Chosen::Now),
            (_, libc::UTIME_OMIT) => return Ok(Chosen::Nothing),
            told => told,
        },
        _ => (number(16)?, number(24)?.wrapping_mul(1000)),
    };
    Ok(Chosen::Time(seconds.wrapping_mul(SECOND).wrapping_add(rest)))
}
