//! Input files: finding, reading and hashing them, and checking them again.
//!
//! A [`Snapshot`] is every input file in the order of their paths, each with its type, permissions
//! and content, so neither the order nor the way in which they were named matters. A link is
//! represented by its text and by what it leads to: the content of a file, or every file of a
//! folder.
//!
//! Hashes are kept from one call to the next (see [`memory`]). Files that are not remembered are
//! read on as many threads as there are cores.
//!
//! A change between the look and the end of the command may or may not have been seen by it, so
//! [`Snapshot::changed`] is strict: another inode, size or time is a change, whatever the content.

mod empty;
mod memory;
mod walk;
mod ways;

use crate::files::base::Base;
use cachex_base::record::entry::Key;
use cachex_base::system::fsutil;
use cachex_base::system::hashing;
use cachex_base::system::parallel;
use cachex_base::system::stamp::{self, Stamp};
use cachex_base::text::values::{InputPattern, OutputPattern};
use cachex_store::Root;
use cachex_trace::facts::Status;
use memory::{Memory, Remembered};
use rustix::fs::{CWD, FileType, Mode, OFlags, RawMode};
use rustix::io::Errno;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use walk::Look;

pub use ways::Ways;

/// The choice of input files.
#[derive(Debug)]
pub struct Wanted<'a> {
    /// Files, folders and patterns, including exclusions.
    pub patterns: &'a [InputPattern],
    /// More files, each by name.
    pub listed: &'a [PathBuf],
    /// True if files that `.gitignore` excludes are included.
    pub no_ignore: bool,
    /// The declared outputs, which are no inputs unless they are named as such.
    pub outputs: &'a [OutputPattern],
    /// The folder of the store, whose files are never inputs.
    pub store: Option<&'a Path>,
    /// The maximum size of the store, in bytes.
    pub store_limit: u64,
    /// True if only the permission to execute matters, since the others depend on who checked the
    /// files out.
    pub portable: bool,
}

/// The number of bytes hashed at a time: as many as the processor handles at once.
const AT_A_TIME: usize = 64 * 1024;
/// The depth to which folders are distinguished.
const DEPTH: usize = 16;

/// The state of every input file.
#[derive(Debug, Default)]
pub struct Snapshot {
    files: Vec<File>,
    /// A pattern that matches no file.
    pub unmatched: Option<String>,
}

/// One input file.
#[derive(Debug)]
pub struct File {
    /// The path as it was named, absolute or relative to the working directory.
    path: PathBuf,
    seen: Seen,
    /// True for a folder that has no inputs in it, but other files.
    is_filled: bool,
}

/// The status of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    /// The stamp, which reveals a change.
    stamp: Stamp,
    /// The part that is in the key.
    held: Held,
    /// True if the file may change while its times stay the same.
    racy: bool,
}

/// The part of a file that is in the key.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Held {
    Folder,
    File { mode: u32, hash: [u8; 32] },
    Link { text: Vec<u8>, behind: Option<[u8; 32]> },
    Special,
}

/// The reason why there is no snapshot.
#[derive(Debug)]
pub enum Refused {
    /// A file that was named does not exist: a usage error.
    Missing(PathBuf),
    /// The file cannot be read.
    Unreadable(PathBuf, std::io::Error),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refused::Missing(path) => {
                write!(f, "--input {}: there is no such file", path.display())
            }
            Refused::Unreadable(path, error) => {
                write!(f, "the input {} cannot be read: {error}", path.display())
            }
        }
    }
}

impl Snapshot {
    /// Examines every wanted file. With a store, hashes are remembered.
    pub fn take(root: Option<&Root>, wanted: &Wanted<'_>) -> Result<Snapshot, Refused> {
        let began = stamp::now();
        let mut unmatched = None;
        let found = walk::find_and_tell(wanted, &mut unmatched)?;
        let memory = Memory::of(wanted, &found);
        let known = root.map(|root| memory.recall(root)).unwrap_or_default();
        let mut recall = known.in_order();
        let mut files = Vec::with_capacity(found.len());
        let mut unread = Vec::new();
        for found in found {
            let known = recall.of(&found.path);
            match found.look {
                Ok(look) => {
                    let seen = Seen::at_once(look, wanted.portable, began, known);
                    if seen.is_none() {
                        unread.push((files.len(), found.named, look, known));
                    }
                    files.push((found.path, found.is_filled, seen));
                }
                Err(errno) => gone(found.path, found.named, errno)?,
            }
        }
        let read = parallel::map(&unread, |(at, _, look, known)| {
            Seen::of(&files[*at].0, *look, wanted.portable, began, *known)
        });
        let mut news = false;
        for ((at, named, _, known), read) in unread.into_iter().zip(read) {
            match read {
                Ok(seen) => {
                    let is_new = known.is_none_or(|(stamp, _)| stamp != seen.stamp);
                    news |= is_new && seen.is_lasting();
                    files[at].2 = Some(seen);
                }
                Err(errno) => gone(std::mem::take(&mut files[at].0), named, errno)?,
            }
        }
        let looked_at = |(path, is_filled, seen)| {
            Option::map(seen, |seen: Seen| File { path, seen, is_filled })
        };
        let files = files.into_iter().filter_map(looked_at).collect();
        let snapshot = Snapshot { files, unmatched };
        if let Some(root) = root {
            let lasting = || snapshot.files.iter().filter(|file| file.seen.is_lasting()).count();
            if news || known.len() > 0 && known.len() != lasting() {
                memory.remember(root, wanted.store_limit, &snapshot.files);
            }
        }
        Ok(snapshot)
    }

    /// Returns the number of files.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Returns whether a file is an input, perhaps under another name.
    pub fn has(&self, name: &OsStr, stamp: &Stamp) -> bool {
        self.files.iter().any(|File { path, seen, .. }| {
            path == Path::new(name) || (seen.stamp.dev, seen.stamp.ino) == (stamp.dev, stamp.ino)
        })
    }

    /// Returns the hash of all inputs. Paths below a base folder are made relative to it, and
    /// sorted as such.
    pub fn digest(&self, base: &Base) -> Key {
        let mut files: Vec<(Cow<'_, [u8]>, &File)> =
            self.files.iter().map(|file| (base.apply(file.path()), file)).collect();
        if !base.is_empty() {
            files.sort_by(|(one, _), (other, _)| one.cmp(other));
        }
        let mut hasher = blake3::Hasher::new();
        let mut told = Vec::with_capacity(2 * AT_A_TIME);
        for (path, file) in files {
            file.tell(&path, base, &mut told);
            if told.len() > AT_A_TIME {
                hasher.update(&told);
                told.clear();
            }
        }
        Key(*hasher.update(&told).finalize().as_bytes())
    }

    /// Returns the inputs in at most `most` groups: single files, or all files in one folder, as
    /// deep as possible. The name of a folder ends with a slash.
    pub fn grouped(&self, most: usize, base: &Base) -> BTreeMap<Vec<u8>, Vec<u8>> {
        let tell = |file: &File, to: &mut Vec<u8>| file.tell(&base.apply(file.path()), base, to);
        let at_depth = |depth: usize| {
            let mut groups = BTreeMap::<Vec<u8>, Vec<u8>>::new();
            for file in &self.files {
                let path = file.path();
                let slash = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').nth(depth);
                let name = slash.map_or(path, |(at, _)| &path[..=at]);
                tell(file, groups.entry(name.to_vec()).or_default());
                if groups.len() > most {
                    return None;
                }
            }
            Some(groups)
        };
        // Deeper levels do not have fewer groups.
        (0..DEPTH).map_while(at_depth).last().unwrap_or_else(|| {
            let mut all = Vec::new();
            self.files.iter().for_each(|file| tell(file, &mut all));
            BTreeMap::from([(b"./".to_vec(), all)])
        })
    }

    /// Returns a file that has changed, appeared or disappeared since the snapshot.
    pub fn changed(&self, wanted: &Wanted<'_>) -> Option<PathBuf> {
        let now = match walk::find(wanted) {
            Ok(now) => now,
            Err(Refused::Missing(path) | Refused::Unreadable(path, _)) => return Some(path),
        };
        // What is no input may come and go, with a folder that has nothing else.
        let mut before = self.files.iter().peekable();
        let mut pairs = Vec::with_capacity(now.len());
        for found in &now {
            let precedes = |file: &&File| file.path.as_os_str() < found.path.as_os_str();
            while before.next_if(|file| file.is_filled && precedes(file)).is_some() {}
            match before.peek() {
                Some(file) if file.path == found.path => {
                    pairs.push((found, *file));
                    before.next();
                }
                _ if found.is_filled => {}
                // One of the two is missing on the other side.
                Some(file) => return Some(file.path.clone().min(found.path.clone())),
                None => return Some(found.path.clone()),
            }
        }
        if let Some(gone) = before.find(|file| !file.is_filled) {
            return Some(gone.path.clone());
        }
        let same = parallel::map(&pairs, |(found, File { path, seen, .. })| {
            let known = if seen.racy { None } else { seen.hash() };
            let known = known.map(|hash| (seen.stamp, hash));
            let now = found.look.and_then(|look| Seen::of(path, look, wanted.portable, 0, known));
            // The stamp of a folder tells what came and went in it.
            let is_same = |now: Seen| now.held == Held::Folder || now.stamp == seen.stamp;
            now.is_ok_and(|now| now.held == seen.held && is_same(now))
        });
        let at = same.iter().position(|same| !same)?;
        Some(pairs[at].1.path.clone())
    }
}

impl File {
    fn path(&self) -> &[u8] {
        self.path.as_os_str().as_bytes()
    }

    /// Appends the part in the key, encoded such that different files have different bytes.
    fn tell(&self, path: &[u8], base: &Base, to: &mut Vec<u8>) {
        let sized = |to: &mut Vec<u8>, bytes: &[u8]| {
            to.extend((bytes.len() as u64).to_le_bytes());
            to.extend(bytes);
        };
        sized(to, path);
        match &self.seen.held {
            Held::Folder => to.push(0),
            Held::File { mode, hash } => {
                to.push(1);
                to.extend(mode.to_le_bytes());
                to.extend(hash);
            }
            Held::Link { text, behind } => {
                to.push(2);
                sized(to, &base.apply(text));
                sized(to, behind.as_ref().map_or(&[], |hash| hash));
            }
            Held::Special => to.push(3),
        }
    }
}

impl Seen {
    fn new(held: Held, stamp: Stamp, now: i64) -> Seen {
        Seen { stamp, held, racy: stamp.is_racy(now) }
    }

    /// Returns the state of a file that equals the remembered one, without reading it; `now` is not
    /// later than the look at the file.
    fn at_once(look: Look, portable: bool, now: i64, known: Option<Remembered>) -> Option<Seen> {
        let (_, hash) = known.filter(|(stamp, _)| look.is_file() && *stamp == look.stamp)?;
        let held = Held::File { mode: permissions(look.mode, portable), hash };
        Some(Seen::new(held, look.stamp, now))
    }

    /// Returns the state of any file, which is read unless it equals the remembered one.
    fn of(
        path: &Path,
        look: Look,
        portable: bool,
        now: i64,
        known: Option<Remembered>,
    ) -> Result<Seen, Errno> {
        if let Some(seen) = Seen::at_once(look, portable, now, known) {
            return Ok(seen);
        }
        Ok(match FileType::from_raw_mode(look.mode) {
            FileType::RegularFile => {
                let (hash, look) = read(path)?;
                let mode = permissions(look.mode, portable);
                Seen::new(Held::File { mode, hash }, look.stamp, now)
            }
            FileType::Directory => Seen::new(Held::Folder, look.stamp, now),
            FileType::Symlink => {
                let text = rustix::fs::readlinkat(CWD, path, Vec::new())?.into_bytes();
                match Status::behind(path).map(|status| Look::of(&status)) {
                    Ok(behind) if behind.is_file() => {
                        let stamp = look.stamp.with(&behind.stamp);
                        let hash = match known.filter(|(then, _)| *then == stamp) {
                            Some((_, hash)) => hash,
                            None => read(path)?.0,
                        };
                        Seen::new(Held::Link { text, behind: Some(hash) }, stamp, now)
                    }
                    // The link leads nowhere, or to a folder, whose files are inputs themselves.
                    _ => Seen::new(Held::Link { text, behind: None }, look.stamp, now),
                }
            }
            _ => Seen::new(Held::Special, look.stamp, now),
        })
    }

    /// Returns whether the hash is worth remembering.
    fn is_lasting(&self) -> bool {
        !self.racy && self.hash().is_some()
    }

    fn hash(&self) -> Option<[u8; 32]> {
        match &self.held {
            Held::File { hash, .. } => Some(*hash),
            Held::Link { behind, .. } => *behind,
            Held::Folder | Held::Special => None,
        }
    }
}

/// Handles a file that cannot be examined. One that disappeared after it was found is ignored, as
/// if it had never existed.
fn gone(path: PathBuf, named: bool, errno: Errno) -> Result<(), Refused> {
    match errno {
        Errno::NOENT if named => Err(Refused::Missing(path)),
        Errno::NOENT => Ok(()),
        errno => Err(Refused::Unreadable(path, errno.into())),
    }
}

/// Returns the hash of a file, and its status from before it was read.
fn read(path: &Path) -> Result<([u8; 32], Look), Errno> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = fsutil::retry(|| rustix::fs::open(path, flags, Mode::empty()))?;
    let look = Look::of(&Status::of_open(&file)?);
    if !look.is_file() {
        return Err(Errno::INVAL);
    }
    // The size of a file that the kernel generates means nothing.
    let hash = match look.stamp.size {
        0 => None,
        len => hashing::beginning(&file, len)?,
    };
    let hash = hash.map_or_else(|| hashing::to_the_end(&file, 0), Ok)?;
    Ok((*hash.as_bytes(), look))
}

fn permissions(mode: RawMode, portable: bool) -> u32 {
    let mode = Mode::from_raw_mode(mode);
    #[allow(clippy::unnecessary_cast, reason = "the type is another system's")]
    let bits = mode.bits() as u32;
    if portable { u32::from(mode.contains(Mode::XUSR)) } else { bits }
}

#[cfg(test)]
mod tests;
