//! Records the files that a command was to create.

use super::before::{LeftAlone, refuse_others_links, version};
use super::claims::Claim;
use super::doubts;
use super::traced::{self, Written};
use super::walk::walk;
use super::{Area, Barred, Declared, Pattern, Place, permissions};
use cachex_base::record::entry::{BlobRef, Outputs};
use cachex_base::record::manifest::{self, Item, Manifest, What};
use cachex_base::system::hashing;
use cachex_base::system::parallel;
use cachex_base::system::writers;
use cachex_base::text::values::OutputPattern;
use cachex_store::blobs::WholeBlob;
use cachex_store::room::{self, Room};
use cachex_store::temporary::Group;
use cachex_store::{Root, account, files};
use rustix::fs::{AtFlags, FileType, Stat};
use rustix::io::Errno;
use serde_bytes::ByteBuf;
use std::collections::BTreeMap;
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

pub use super::before::Before;

/// The number of files that may keep a descriptor each until they have their names.
const FEW: usize = 16;

/// The reason why files are not recorded.
#[derive(Debug)]
pub enum Refused {
    /// The output was not created.
    Missing(String),
    /// The output was written while it was read.
    Changing(PathBuf),
    /// Another run makes this output, too, or a hit restored it.
    Shared,
    /// The output is neither a file nor a folder nor a link.
    Special(PathBuf),
    /// The output is behind a link, so it may be anywhere.
    BehindLink(PathBuf),
    /// The output is a link that the run did not make, so the run's output is elsewhere.
    ThroughLink(PathBuf),
    /// The path is in cachex's own store.
    InStore(PathBuf),
    /// The output of a traced run cannot be restored exactly, for this reason.
    Unlike(PathBuf, &'static str),
    /// The file system is full, so the output may be truncated.
    Full(PathBuf),
    /// The run failed, and could not have made the output: its folder is missing, or nobody may write
    /// there.
    Unwritable(PathBuf),
    /// A process that the command left behind has the output open for writing.
    Unfinished(PathBuf),
    /// One output lies below another that is no folder.
    Tangled,
    /// The file cannot be read.
    Unreadable(PathBuf, std::io::Error),
    /// The outputs are too many, or too large together.
    TooMuch,
    /// The store cannot make enough room for the outputs.
    NoRoom,
    /// The store cannot be written.
    Store(Errno),
}

impl Refused {
    /// Returns whether the reason lies in the command, not in the store or its limits.
    pub fn is_the_commands(&self) -> bool {
        !matches!(self, Refused::Store(_) | Refused::NoRoom | Refused::TooMuch)
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refused::Missing(named) => write!(f, "the output {named} was not created"),
            Refused::Changing(path) => {
                write!(f, "the output {} changed while it was recorded", path.display())
            }
            Refused::Shared => f.write_str("another call made some of the outputs meanwhile"),
            Refused::Special(path) => {
                write!(f, "the output {} is not a file, folder or link", path.display())
            }
            Refused::BehindLink(path) => write!(
                f,
                "the output {} is behind a link; name its target by an absolute path",
                path.display()
            ),
            Refused::ThroughLink(path) => write!(
                f,
                "the output {} is a link that existed before the run; name its target",
                path.display()
            ),
            Refused::InStore(path) => {
                write!(f, "the output {} is in cachex's own store", path.display())
            }
            Refused::Unlike(path, why) => write!(f, "the output {} {why}", path.display()),
            Refused::Full(path) => {
                write!(f, "the output {} may be cut short: its file system is full", path.display())
            }
            Refused::Unwritable(path) => {
                write!(f, "the output {} cannot be made where it is", path.display())
            }
            Refused::Unfinished(path) => {
                write!(f, "the output {} is still open for writing", path.display())
            }
            Refused::Tangled => f.write_str("one output is behind another that is a link"),
            Refused::Unreadable(path, error) => {
                write!(f, "the output {} cannot be read: {error}", path.display())
            }
            Refused::TooMuch => f.write_str("the outputs exceed --max-entry-size"),
            Refused::NoRoom => f.write_str("no room for the outputs within --max-size"),
            Refused::Store(errno) => write!(f, "{}", std::io::Error::from(*errno)),
        }
    }
}

/// Files that were read, and stored except for their names in the store.
pub struct Collected<'a> {
    manifest: Manifest,
    new: Vec<WholeBlob<'a>>,
    list: WholeBlob<'a>,
    /// Blobs that the store already had.
    had: Vec<BlobRef>,
    room: Room<'a>,
    root: &'a Root,
    /// The group of the blobs, if they are many. It outlives them.
    _group: Option<Group<'a>>,
}

/// The bytes that recorded outputs take of their claimed room.
pub struct Kept<'a> {
    room: Room<'a>,
    taken: u64,
}

impl Kept<'_> {
    /// Gives back the unused part of the room. Returns whether a fold is due.
    pub fn settle(self) -> bool {
        self.room.settle(self.taken)
    }
}

impl<'a> Collected<'a> {
    /// Returns the collected items.
    pub fn items(&self) -> &[Item] {
        &self.manifest.items
    }

    /// Names the blobs in the store, the manifest last. Returns the outputs, and the claimed room
    /// with the bytes that they take. The caller must hold the publish lock. None if a blob that
    /// the store had has disappeared.
    pub fn keep(self) -> rustix::io::Result<Option<(Outputs, Kept<'a>)>> {
        let mut taken = account::blocks(self.list.len());
        for blob in self.new {
            taken = taken.saturating_add(account::blocks(blob.len()));
            blob.keep()?;
        }
        for blob in &self.had {
            if !files::is_there(self.root, blob)? {
                return Ok(None);
            }
            room::renew(self.root, blob);
        }
        let kept = Kept { room: self.room, taken };
        Ok(Some((self.manifest.outputs(self.list.keep()?), kept)))
    }
}

/// The declared outputs of a run, and those that a trace found.
pub struct Made<'m> {
    /// The declared outputs.
    pub outputs: &'m [OutputPattern],
    /// The additional files that a trace found, all within this area; none if they are not
    /// recorded.
    pub traced: Option<(Area, &'m [Written])>,
    /// The state before the run.
    pub before: &'m Before<'m>,
    /// True if the run failed.
    pub has_failed: bool,
}

/// Reads the outputs. At most `limit` bytes are recorded, and the store must have `room` for them.
pub fn collect<'a>(
    root: &'a Root,
    made: Made<'_>,
    limit: u64,
    mut room: Room<'a>,
) -> Result<Collected<'a>, Refused> {
    let Made { outputs, traced, before, has_failed } = made;
    let declared = Declared::new(root, outputs).map_err(Refused::InStore)?;
    if has_failed {
        doubts::refuse_unwritable(&declared)?;
    }
    let (area, written) = traced.unzip();
    let (declared, written) = (declared.with_area(area), written.unwrap_or_default());
    let mut found = Found::new();
    for pattern in &declared.patterns {
        find(&declared, pattern, before, &mut found)?;
    }
    traced::add(&declared, written, &mut found)?;
    refuse_others_links(&declared, &found, before)?;
    doubts::refuse_on_a_full_disk(&found, before)?;
    // Files that were left alone are not stored.
    let stored = found.iter().filter_map(|(Ordered(path), seen)| match seen {
        Seen::File(stat) if before.left_alone(path, stat) == LeftAlone::Yes => None,
        Seen::File(stat) => Some(stat.st_size as u64),
        _ => Some(0),
    });
    let stored: Vec<u64> = stored.collect();
    let bytes = stored.iter().copied().fold(0, u64::saturating_add);
    if bytes > limit {
        return Err(Refused::TooMuch);
    }
    // Blobs that the store already has are claimed as well: they are known only after reading.
    let taken = stored.into_iter().map(account::blocks).fold(0, u64::saturating_add);
    if !room.claim(taken).map_err(Refused::Store)? {
        return Err(Refused::NoRoom);
    }
    let found: Vec<(PathBuf, Seen)> =
        found.into_iter().map(|(path, seen)| (path.0, seen)).collect();
    let group = (found.len() > FEW).then(|| Group::new(root)).transpose();
    let group = group.map_err(Refused::Store)?;
    let read = parallel::map(&found, |(path, seen)| {
        read(root, group.as_ref(), &declared, before, path, seen)
    });
    let mut items = Vec::with_capacity(found.len());
    let (mut new, mut had) = (Vec::new(), Vec::new());
    for ((path, seen), read) in found.into_iter().zip(read) {
        let what = match (seen, read?) {
            (Seen::Absent { removed }, _) => What::Absent { removed },
            (Seen::Folder(stat), _) => What::Folder { mode: permissions(stat.st_mode) },
            (Seen::Link { target, .. }, _) => What::Symlink { target },
            (Seen::Name { of }, _) => What::Name { of },
            (Seen::File(stat), Read::New(whole)) => {
                let blob = whole.blob();
                new.push(whole);
                What::File { mode: permissions(stat.st_mode), blob }
            }
            (Seen::File(stat), Read::Had(blob)) => {
                had.push(blob);
                What::File { mode: permissions(stat.st_mode), blob }
            }
            (Seen::File(_), Read::LeftAlone(blob)) => What::LeftAlone { blob },
            (Seen::File(_), Read::Nothing) => return Err(Refused::Changing(path)),
        };
        items.push(Item { path: ByteBuf::from(path.into_os_string().into_encoded_bytes()), what });
    }
    let declared = outputs.iter().map(ToString::to_string).collect();
    let dated = traced::dated(written, &items);
    let manifest = Manifest { declared, items, dated };
    if !manifest.is_sound() {
        return Err(Refused::Tangled);
    }
    let list = manifest.encode().ok_or(Refused::TooMuch)?;
    if !room.claim_file(list.len() as u64).map_err(Refused::Store)? {
        return Err(Refused::NoRoom);
    }
    let list = files::take_in_bytes(root, &list).map_err(Refused::Store)?;
    // Checked last: whatever another run does from now on was not read.
    if !manifest.items.is_empty() && before.claim.as_ref().is_some_and(Claim::was_met) {
        return Err(Refused::Shared);
    }
    Ok(Collected { manifest, new, list, had, room, root, _group: group })
}

/// Fails if a declared output is missing.
pub fn missing(root: &Root, outputs: &[OutputPattern]) -> Result<(), Refused> {
    let declared = Declared::new(root, outputs).map_err(Refused::InStore)?;
    for pattern in &declared.patterns {
        let mut found = Found::new();
        find(&declared, pattern, &Before::default(), &mut found)?;
        if found.values().all(|seen| matches!(seen, Seen::Absent { .. })) {
            return Err(Refused::Missing(pattern.path.as_str().to_owned()));
        }
    }
    Ok(())
}

/// A path, ordered as in a manifest.
#[derive(PartialEq, Eq)]
pub(super) struct Ordered(pub PathBuf);

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

/// Returns what is at a path.
pub(super) enum Seen {
    Absent {
        removed: bool,
    },
    Folder(Stat),
    Link {
        stat: Stat,
        target: ByteBuf,
    },
    File(Stat),
    /// A further name of a file.
    Name {
        of: ByteBuf,
    },
}

pub(super) type Found = BTreeMap<Ordered, Seen>;

/// Adds the files that a pattern matches.
fn find(
    declared: &Declared<'_>,
    pattern: &Pattern<'_>,
    before: &Before<'_>,
    found: &mut Found,
) -> Result<(), Refused> {
    let named = pattern.named();
    let mut add = |place: Place<'_>, _| {
        if let Some(seen) = look(declared, place)? {
            found.insert(Ordered(place.path.to_owned()), seen);
        }
        Ok(())
    };
    match look(declared, named)? {
        Some(Seen::Folder(_)) => walk(declared, named, &mut add),
        Some(seen) => {
            found.insert(Ordered(named.path.to_owned()), seen);
            Ok(())
        }
        None if pattern.glob.is_some() => {
            let base = pattern.base();
            if is_folder(declared, base)? { walk(declared, base, &mut add) } else { Ok(()) }
        }
        None => {
            let removed = before.had(named.path);
            let absent = Seen::Absent { removed };
            found.entry(Ordered(named.path.to_owned())).or_insert(absent);
            Ok(())
        }
    }
}

/// Returns what is at a place; none if it is missing.
pub(super) fn look(declared: &Declared<'_>, place: Place<'_>) -> Result<Option<Seen>, Refused> {
    let path = || place.path.to_owned();
    let seen = declared.within(place, None, |folder, name| {
        let stat = rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)?;
        Ok(match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Some(Seen::File(stat)),
            FileType::Directory => Some(Seen::Folder(stat)),
            FileType::Symlink => {
                let target = rustix::fs::readlinkat(folder, name, Vec::new())?.into_bytes();
                Some(Seen::Link { stat, target: ByteBuf::from(target) })
            }
            _ => None,
        })
    });
    match seen {
        Ok(Some(Seen::Folder(stat))) if declared.is_store(&stat) => Err(Refused::InStore(path())),
        Ok(Some(seen)) => Ok(Some(seen)),
        Ok(None) => Err(Refused::Special(path())),
        Err(Barred::Store) => Err(Refused::InStore(path())),
        Err(Barred::System(Errno::LOOP | Errno::NOTDIR)) if is_behind_link(place.path) => {
            Err(Refused::BehindLink(path()))
        }
        Err(Barred::System(Errno::NOENT | Errno::NOTDIR)) => Ok(None),
        Err(Barred::System(errno)) => Err(Refused::Unreadable(path(), errno.into())),
    }
}

fn is_behind_link(path: &Path) -> bool {
    path.ancestors().skip(1).any(Path::is_symlink)
}

/// Returns whether the folder in which a pattern is searched exists.
fn is_folder(declared: &Declared<'_>, base: Place<'_>) -> Result<bool, Refused> {
    if base.path == Path::new(".") || base.path == Path::new("/") {
        return Ok(true);
    }
    match look(declared, base)? {
        Some(Seen::Folder(_)) => Ok(true),
        Some(Seen::Link { .. }) if base.free > 0 => Ok(base.path.is_dir()),
        Some(Seen::Link { .. }) => Err(Refused::BehindLink(base.path.to_owned())),
        _ => Ok(false),
    }
}

/// The outcome for a file.
enum Read<'a> {
    Nothing,
    LeftAlone(BlobRef),
    New(WholeBlob<'a>),
    Had(BlobRef),
}

fn read<'a>(
    root: &'a Root,
    group: Option<&Group<'a>>,
    declared: &Declared<'_>,
    before: &Before<'_>,
    path: &Path,
    seen: &Seen,
) -> Result<Read<'a>, Refused> {
    let Seen::File(seen) = seen else { return Ok(Read::Nothing) };
    let unreadable = |errno: Errno| Refused::Unreadable(path.to_owned(), errno.into());
    let place = declared.place(path).ok_or_else(|| Refused::Changing(path.to_owned()))?;
    let file = declared.open(place).map_err(|barred| match barred {
        Barred::Store => Refused::InStore(path.to_owned()),
        Barred::System(errno) => unreadable(errno),
    })?;
    let len = seen.st_size as u64;
    let is_unchanged = || {
        let now = rustix::fs::fstat(&file).map_err(unreadable)?;
        let is_unchanged = version(&now) == version(seen);
        is_unchanged.then_some(()).ok_or_else(|| Refused::Changing(path.to_owned()))
    };
    let left_alone = before.left_alone(path, seen);
    if left_alone != LeftAlone::No {
        let hash = hashing::beginning(&file, len).map_err(unreadable)?;
        let hash = hash.ok_or_else(|| Refused::Changing(path.to_owned()))?;
        if left_alone == LeftAlone::Yes || left_alone == LeftAlone::If(hash) {
            is_unchanged()?;
            return Ok(Read::LeftAlone(BlobRef { hash: *hash.as_bytes(), len }));
        }
    }
    if writers::stay(&file) {
        return Err(Refused::Unfinished(path.to_owned()));
    }
    let read = files::take_in(root, group, &file, len);
    is_unchanged()?;
    match read.map_err(Refused::Store)? {
        files::Made::New(whole) => Ok(Read::New(whole)),
        files::Made::Had(blob) => Ok(Read::Had(blob)),
        files::Made::Shrunk => Err(Refused::Changing(path.to_owned())),
    }
}
