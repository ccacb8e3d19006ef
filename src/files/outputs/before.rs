//! The state of the declared paths before a run. It shows which files the run removed or left
//! alone, and which links are not its own.

use super::claims::Claim;
use super::collect::{Found, Ordered, Refused, Seen};
use super::walk::walk;
use super::{Declared, FileId, Place, id};
use cachex_base::record::entry::Key;
use cachex_base::system::hashing;
use cachex_base::system::stamp::{self, Stamp};
use cachex_base::text::values::OutputPattern;
use cachex_store::Root;
use rustix::fs::{FileType, Stat};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

/// The state of the declared paths before a run.
#[derive(Default)]
pub struct Before<'r> {
    /// The claim that reveals whether others make the same files meanwhile.
    pub(super) claim: Option<Claim<'r>>,
    named: HashSet<PathBuf>,
    /// The links, and the target of each.
    links: HashMap<Version, Option<Version>>,
    files: HashMap<PathBuf, Earlier>,
}

/// A file before a run.
struct Earlier {
    version: Version,
    /// The hash of the content, if that may change while the version does not, because of the
    /// coarse clock of file systems.
    hash: Option<blake3::Hash>,
}

/// The certainty that a run left a file alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LeftAlone {
    /// The run changed it.
    No,
    /// The run left it alone if its content has this hash.
    If(blake3::Hash),
    /// The run left it alone.
    Yes,
}

/// A file's identity, size and times.
pub(super) type Version = (FileId, [i128; 5]);

pub(super) fn version(stat: &Stat) -> Version {
    #[allow(clippy::useless_conversion, reason = "the types are another system's")]
    let times = [
        stat.st_size.into(),
        stat.st_mtime.into(),
        stat.st_mtime_nsec.into(),
        stat.st_ctime.into(),
        stat.st_ctime_nsec.into(),
    ];
    (id(stat), times)
}

impl<'r> Before<'r> {
    /// Examines the declared paths. A path that cannot be seen counts as missing.
    ///
    /// A run that `is_traced` is recorded with everything that it writes.
    pub fn look(
        root: &'r Root,
        key: &Key,
        outputs: &[OutputPattern],
        is_traced: bool,
    ) -> Before<'r> {
        let mut before = Before::default();
        if outputs.is_empty() && !is_traced {
            return before;
        }
        before.claim = Claim::make(root, key, outputs, is_traced);
        let Ok(declared) = Declared::new(root, outputs) else { return before };
        let now = stamp::now();
        for pattern in &declared.patterns {
            let named = pattern.named();
            let kind = declared.status(named).ok().flatten();
            if kind.is_some() {
                before.named.insert(named.path.to_owned());
            }
            let base = match kind.map(|stat| FileType::from_raw_mode(stat.st_mode)) {
                Some(FileType::Symlink) => {
                    before.note(&declared, named);
                    continue;
                }
                Some(FileType::Directory) => named,
                None if pattern.glob.is_some() => pattern.base(),
                Some(FileType::RegularFile) => {
                    before.note_file(&declared, named, now);
                    continue;
                }
                _ => continue,
            };
            let _ = walk(&declared, base, &mut |place, is_link| {
                if is_link {
                    before.note(&declared, place);
                } else {
                    before.note_file(&declared, place, now);
                }
                Ok(())
            });
        }
        before
    }

    /// Returns whether a named path existed.
    pub fn had(&self, path: &Path) -> bool {
        self.named.contains(path)
    }

    /// Returns whether the run left a file alone. It did if nothing visible has changed: a hit then
    /// requires the file to be there as it is, which is never wrong.
    pub(super) fn left_alone(&self, path: &Path, stat: &Stat) -> LeftAlone {
        match self.files.get(path) {
            Some(earlier) if earlier.version == version(stat) => {
                earlier.hash.map_or(LeftAlone::Yes, LeftAlone::If)
            }
            _ => LeftAlone::No,
        }
    }

    fn note_file(&mut self, declared: &Declared<'_>, file: Place<'_>, now: i64) {
        let Ok(Some(stat)) = declared.status(file) else { return };
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return;
        }
        let hash = || hashing::beginning(declared.open(file).ok()?, stat.st_size as u64).ok()?;
        let hash = if Stamp::of(&stat).is_racy(now) { hash() } else { None };
        self.files.insert(file.path.to_owned(), Earlier { version: version(&stat), hash });
    }

    fn note(&mut self, declared: &Declared<'_>, link: Place<'_>) {
        if let Ok(Some(stat)) = declared.status(link) {
            let behind = rustix::fs::stat(link.path).ok();
            self.links.insert(version(&stat), behind.as_ref().map(version));
        }
    }
}

/// Refuses links that the run did not create. One may stay if its target is recorded too, or if it
/// was only found by a pattern and its target did not change.
pub(super) fn refuse_others_links(
    declared: &Declared<'_>,
    found: &Found,
    before: &Before<'_>,
) -> Result<(), Refused> {
    if before.links.is_empty() {
        return Ok(());
    }
    let recorded: HashSet<FileId> = found
        .values()
        .filter_map(|seen| match seen {
            Seen::File(stat) | Seen::Folder(stat) => Some(id(stat)),
            Seen::Link { .. } | Seen::Absent { .. } | Seen::Name { .. } => None,
        })
        .collect();
    for (Ordered(path), seen) in found {
        let Seen::Link { stat, .. } = seen else { continue };
        let Some(led_to) = before.links.get(&version(stat)) else { continue };
        let behind = rustix::fs::stat(path).ok();
        let is_recorded = behind.as_ref().is_some_and(|behind| recorded.contains(&id(behind)));
        let is_named = declared.patterns.iter().any(|it| it.path.as_path() == path);
        let is_unchanged = behind.as_ref().map(version) == *led_to;
        if !is_recorded && (is_named || !is_unchanged) {
            return Err(Refused::ThroughLink(path.clone()));
        }
    }
    Ok(())
}
