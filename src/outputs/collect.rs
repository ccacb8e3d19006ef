//! Recording the files that a command was to make.

use super::{open, permissions, within};
use crate::entry::{BlobRef, Outputs};
use crate::manifest::{self, Item, Manifest, What};
use crate::parallel;
use crate::store::Root;
use crate::store::blobs::WholeBlob;
use crate::store::files;
use crate::values::OutputPattern;
use globset::GlobMatcher;
use ignore::WalkBuilder;
use rustix::fs::{AtFlags, FileType, Stat};
use rustix::io::Errno;
use serde_bytes::ByteBuf;
use std::collections::BTreeMap;
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Why files are not recorded.
#[derive(Debug)]
pub enum Refused {
    /// It was not made.
    Missing(String),
    /// It was written while it was read.
    Changing(PathBuf),
    /// It is neither a file nor a folder nor a link.
    Special(PathBuf),
    /// It lies behind a link, so that it may be anywhere.
    BehindLink(PathBuf),
    /// It cannot be read.
    Unreadable(PathBuf, std::io::Error),
    /// There are too many of them, or they are too large together.
    TooMuch,
    /// The store cannot be written.
    Store(Errno),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refused::Missing(named) => write!(f, "the output {named} was not made"),
            Refused::Changing(path) => {
                write!(f, "the output {} changed while it was recorded", path.display())
            }
            Refused::Special(path) => {
                write!(f, "the output {} is no file, folder or link", path.display())
            }
            Refused::BehindLink(path) => write!(
                f,
                "the output {} lies behind a link; name it by where the link leads, from `/` on",
                path.display()
            ),
            Refused::Unreadable(path, error) => {
                write!(f, "the output {} cannot be read: {error}", path.display())
            }
            Refused::TooMuch => f.write_str("the outputs are more than --max-entry-size"),
            Refused::Store(errno) => write!(f, "{}", std::io::Error::from(*errno)),
        }
    }
}

/// Which of the named outputs are there before the command runs.
pub fn present(outputs: &[OutputPattern]) -> Vec<&str> {
    let named = outputs.iter().map(|output| output.0.as_str());
    named.filter(|path| Path::new(path).symlink_metadata().is_ok()).collect()
}

/// Files that are read, and are in the store but for their names there.
pub struct Collected<'a> {
    manifest: Manifest,
    new: Vec<WholeBlob<'a>>,
    list: WholeBlob<'a>,
    /// What the store had already.
    had: Vec<BlobRef>,
    root: &'a Root,
}

impl Collected<'_> {
    /// Gives the blobs their names, the list last. The caller holds the publish
    /// lock. None: what the store had is there no more.
    pub fn keep(self) -> rustix::io::Result<Option<Outputs>> {
        for blob in self.new {
            blob.keep()?;
        }
        for blob in &self.had {
            if !files::is_there(self.root, blob)? {
                return Ok(None);
            }
        }
        Ok(Some(self.manifest.outputs(self.list.keep()?)))
    }
}

/// Reads what was made; `before` is what had been there, `limit` how many bytes are
/// recorded at the most.
pub fn collect<'a>(
    root: &'a Root,
    outputs: &[OutputPattern],
    before: &[&str],
    limit: u64,
) -> Result<Collected<'a>, Refused> {
    let found = find(outputs, before)?;
    let bytes = found.values().map(Seen::len).fold(0, u64::saturating_add);
    if bytes > limit {
        return Err(Refused::TooMuch);
    }
    let found: Vec<(PathBuf, Seen)> =
        found.into_iter().map(|(path, seen)| (path.0, seen)).collect();
    let read = parallel::map(&found, |(path, seen)| read(root, path, seen));
    let mut items = Vec::with_capacity(found.len());
    let (mut new, mut had) = (Vec::new(), Vec::new());
    for ((path, seen), read) in found.into_iter().zip(read) {
        let what = match (seen, read?) {
            (Seen::Absent { removed }, _) => What::Absent { removed },
            (Seen::Folder { mode }, _) => What::Folder { mode },
            (Seen::Link { target }, _) => What::Symlink { target },
            (Seen::File(stat), Read::New(whole)) => {
                let blob = whole.blob();
                new.push(whole);
                What::File { mode: permissions(stat.st_mode), blob }
            }
            (Seen::File(stat), Read::Had(blob)) => {
                had.push(blob);
                What::File { mode: permissions(stat.st_mode), blob }
            }
            (Seen::File(_), Read::Nothing) => return Err(Refused::Changing(path)),
        };
        items.push(Item { path: ByteBuf::from(path.into_os_string().into_encoded_bytes()), what });
    }
    let declared = outputs.iter().map(|output| output.0.as_str().to_owned()).collect();
    let manifest = Manifest { declared, items };
    let list = manifest.encode().ok_or(Refused::TooMuch)?;
    let list = files::take_in_bytes(root, &list).map_err(Refused::Store)?;
    Ok(Collected { manifest, new, list, had, root })
}

/// The outputs that were not made, if any.
pub fn missing(outputs: &[OutputPattern]) -> Result<(), Refused> {
    for output in outputs {
        let found = find(std::slice::from_ref(output), &[])?;
        if found.values().all(|seen| matches!(seen, Seen::Absent { .. })) {
            return Err(Refused::Missing(output.0.as_str().to_owned()));
        }
    }
    Ok(())
}

/// A path in the order that a manifest has.
#[derive(PartialEq, Eq)]
struct Ordered(PathBuf);

impl Ord for Ordered {
    fn cmp(&self, other: &Ordered) -> std::cmp::Ordering {
        let [one, other] = [self, other].map(|path| path.0.as_os_str().as_bytes());
        manifest::parts(one).cmp(manifest::parts(other))
    }
}

impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Ordered) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// What is at a path.
enum Seen {
    Absent { removed: bool },
    Folder { mode: u32 },
    Link { target: ByteBuf },
    File(Stat),
}

impl Seen {
    fn len(&self) -> u64 {
        match self {
            Seen::File(stat) => stat.st_size as u64,
            _ => 0,
        }
    }
}

type Found = BTreeMap<Ordered, Seen>;

fn find(outputs: &[OutputPattern], before: &[&str]) -> Result<Found, Refused> {
    let mut found = Found::new();
    for OutputPattern(pattern) in outputs {
        let path = pattern.as_path();
        match look(path)? {
            Some(Seen::Folder { .. }) => walk(path, None, &mut found)?,
            Some(seen) => drop(found.insert(Ordered(path.to_owned()), seen)),
            None if pattern.is_glob() => {
                let meant = pattern.glob().map(|glob| glob.compile_matcher());
                walk(pattern.base(), meant.as_ref(), &mut found)?;
            }
            None => {
                let removed = before.contains(&pattern.as_str());
                found.entry(Ordered(path.to_owned())).or_insert(Seen::Absent { removed });
            }
        }
    }
    Ok(found)
}

/// What is at a path; none: nothing.
fn look(path: &Path) -> Result<Option<Seen>, Refused> {
    let seen = within(path, false, |folder, name| {
        let stat = rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)?;
        Ok(match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Some(Seen::File(stat)),
            FileType::Directory => Some(Seen::Folder { mode: permissions(stat.st_mode) }),
            FileType::Symlink => {
                let target = rustix::fs::readlinkat(folder, name, Vec::new())?.into_bytes();
                Some(Seen::Link { target: ByteBuf::from(target) })
            }
            _ => None,
        })
    });
    match seen {
        Ok(Some(seen)) => Ok(Some(seen)),
        Ok(None) => Err(Refused::Special(path.to_owned())),
        Err(Errno::LOOP | Errno::NOTDIR) if is_behind_link(path) => {
            Err(Refused::BehindLink(path.to_owned()))
        }
        Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
        Err(errno) => Err(Refused::Unreadable(path.to_owned(), errno.into())),
    }
}

fn is_behind_link(path: &Path) -> bool {
    path.ancestors().skip(1).any(Path::is_symlink)
}

/// Adds a folder and all that is in it; with `meant`, only what that matches, which
/// of a folder is all that is in it.
fn walk(folder: &Path, meant: Option<&GlobMatcher>, found: &mut Found) -> Result<(), Refused> {
    if look_at_base(folder)?.is_none() {
        return Ok(());
    }
    let mut walk = WalkBuilder::new(folder);
    walk.standard_filters(false).filter_entry(|entry| {
        let name = entry.file_name().as_bytes();
        entry.depth() == 0 || !name.starts_with(super::STAGING.as_bytes())
    });
    for entry in walk.build() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                let error = error.into_io_error().unwrap_or_else(|| Errno::IO.into());
                if error.kind() == std::io::ErrorKind::NotFound {
                    continue;
                }
                return Err(Refused::Unreadable(folder.to_owned(), error));
            }
        };
        let path = entry.path().strip_prefix("./").unwrap_or(entry.path());
        let is_meant = match meant {
            None => true,
            Some(_) if entry.depth() == 0 => false,
            Some(meant) => path.ancestors().any(|above| meant.is_match(above)),
        };
        if is_meant && let Some(seen) = look(path)? {
            found.insert(Ordered(path.to_owned()), seen);
        }
    }
    Ok(())
}

/// The same of a folder that patterns are looked for in, which may be the working
/// directory.
fn look_at_base(folder: &Path) -> Result<Option<Seen>, Refused> {
    if folder == Path::new(".") || folder == Path::new("/") {
        return Ok(Some(Seen::Folder { mode: 0 }));
    }
    Ok(look(folder)?.filter(|seen| matches!(seen, Seen::Folder { .. })))
}

/// What became of a file.
enum Read<'a> {
    Nothing,
    New(WholeBlob<'a>),
    Had(BlobRef),
}

fn read<'a>(root: &'a Root, path: &Path, seen: &Seen) -> Result<Read<'a>, Refused> {
    let Seen::File(seen) = seen else { return Ok(Read::Nothing) };
    let unreadable = |errno: Errno| Refused::Unreadable(path.to_owned(), errno.into());
    let file = open(path).map_err(unreadable)?;
    let len = seen.st_size as u64;
    let read = files::take_in(root, &file, len);
    let now = rustix::fs::fstat(&file).map_err(unreadable)?;
    let as_before = |stat: &Stat| {
        (
            stat.st_ino,
            stat.st_size,
            stat.st_mtime,
            stat.st_mtime_nsec,
            stat.st_ctime,
            stat.st_ctime_nsec,
        )
    };
    if as_before(&now) != as_before(seen) {
        return Err(Refused::Changing(path.to_owned()));
    }
    match read.map_err(Refused::Store)? {
        files::Made::New(mut whole) => {
            // There may be more of them than descriptors, and in a moment they are kept.
            whole.close();
            Ok(Read::New(whole))
        }
        files::Made::Had(blob) => Ok(Read::Had(blob)),
        files::Made::Shrunk => Err(Refused::Changing(path.to_owned())),
    }
}
