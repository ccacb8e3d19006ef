//! The last calls, for display: events that a fold has counted are kept for a while.
//!
//! The file holds log records, oldest first, and each fold rewrites it. Nothing else reads it or
//! depends on it.

#[cfg(feature = "cli")]
use super::{Event, Kind, is_log};
use super::{LEN, Record, parse, read};
use crate::{Root, temporary};
use anyhow::Result;
#[cfg(feature = "cli")]
use cachex_base::system::fsutil;
use std::collections::HashSet;
use std::path::Path;

/// The name of the file.
pub const FILE: &str = "events.past";
/// The number of records kept: 64 KiB.
pub(super) const KEPT: usize = 1024;

/// A call, and the name of its command if the log has it.
#[cfg(feature = "cli")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The outcome of the call.
    pub event: Event,
    /// The name of the command, if it was run.
    pub name: Option<String>,
}

/// Appends the latest records to the file.
pub(super) fn keep(root: &Root, last: &[Record]) -> Result<()> {
    if last.is_empty() {
        return Ok(());
    }
    let mut records = parse(&read(root, FILE)?);
    // A fold that was killed before it removed the log leaves it to the next fold.
    let known: HashSet<[u8; LEN]> = records.iter().map(Record::encode).collect();
    records.extend(last.iter().filter(|record| !known.contains(&record.encode())).cloned());
    let kept = &records[records.len().saturating_sub(KEPT)..];
    let bytes: Vec<[u8; LEN]> = kept.iter().map(Record::encode).collect();
    Ok(temporary::put(root, Path::new(FILE), bytes.as_flattened())?)
}

/// Returns the known calls, latest first, without events of remote stores and uses elsewhere.
#[cfg(feature = "cli")]
pub fn calls(root: &Root) -> Result<Vec<Call>> {
    let mut records = parse(&read(root, FILE)?);
    let mut names = fsutil::names(root, ".")?;
    names.retain(|name| name.to_str().is_some_and(is_log));
    // Logs taken by a fold precede what was written since.
    names.sort_by_key(|name| (name == super::LOG, name.clone()));
    let mut known: HashSet<[u8; LEN]> = records.iter().map(Record::encode).collect();
    for name in names {
        let fresh = parse(&read(root, &name)?);
        records.extend(fresh.into_iter().filter(|record| known.insert(record.encode())));
    }
    let mut calls: Vec<Call> = Vec::new();
    for record in records {
        match record {
            Record::Event(event) => calls.push(Call { event, name: None }),
            Record::Label(label) => {
                // Other processes may have written in between, though rarely.
                let of = calls.iter_mut().rev().take(8).find(|it| it.event.key == label.key);
                if let Some(call) = of {
                    call.name = Some(label.name);
                }
            }
        }
    }
    calls.retain(|call| !matches!(call.event.kind, Kind::Remote { .. } | Kind::Elsewhere));
    calls.sort_by_key(|call| std::cmp::Reverse(call.event.time));
    Ok(calls)
}

#[cfg(all(test, feature = "cli"))]
mod tests {
    use super::*;
    use crate::events::{Label, Reason, append, drain, junk, peek};
    use crate::testing::scene;
    use cachex_base::record::entry::Key;
    use cachex_base::system::clock::Timestamp;

    fn run(n: u8) -> Event {
        let kind = Kind::Recorded { why: Reason::NotRecorded, size: 1 };
        Event { kind, time: Timestamp(u64::from(n)), key: Key([n; 32]), run_time: 5 }
    }

    #[test]
    fn calls_are_known_before_and_after_a_fold_and_each_once() {
        let scene = scene();
        let root = &scene.root;
        append(root, &run(1), Some(b"/bin/one"), None).unwrap();
        let names = |calls: Vec<Call>| {
            calls.into_iter().map(|call| call.name.unwrap_or_default()).collect::<Vec<_>>()
        };
        assert_eq!(names(calls(root).unwrap()), ["one"]);
        let drained = drain(root).unwrap();
        keep(root, &drained.last).unwrap();
        // Killed before the log is removed.
        assert_eq!(names(calls(root).unwrap()), ["one"]);
        append(root, &run(2), Some(b"two"), None).unwrap();
        drain(root).unwrap().discard(root).unwrap();
        append(root, &run(3), None, None).unwrap();
        assert_eq!(names(calls(root).unwrap()), ["", "two", "one"]);
    }

    #[test]
    fn what_is_no_file_or_gone_hides_no_other_calls() {
        let scene = scene();
        let root = &scene.root;
        append(root, &run(1), None, None).unwrap();
        let at = |name: &str| root.path().join(name);
        std::fs::create_dir(at("events.draining-1")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(at("events.draining-2")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(at(FILE)).unwrap();
        assert_eq!(calls(root).unwrap().len(), 1);
        assert_eq!(peek(root).unwrap().len(), 1);
        // Between a look at the folder and at what is in it.
        assert_eq!(junk(root, "events.draining-3").unwrap(), 0);
    }

    #[test]
    fn no_more_than_the_last_are_kept() {
        let scene = scene();
        let label = |n: usize| Record::Label(Label { key: Key([1; 32]), name: n.to_string() });
        for n in 0..3 {
            let all: Vec<Record> = (0..600).map(|m| label(n * 600 + m)).collect();
            keep(&scene.root, &all).unwrap();
        }
        let kept = parse(&read(&scene.root, FILE).unwrap());
        assert_eq!((kept.len(), kept.last()), (KEPT, Some(&label(1799))));
    }
}
