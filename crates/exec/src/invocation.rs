//! The command line to run, and the executable that it names.

use cachex_base::record::entry::base_name;
use cachex_base::system::fsutil;
use cachex_base::system::stamp::Stamp;
use cachex_core::handover;
use rustix::fs::{Access, AtFlags, CWD, FileType, Stat};
use rustix::io::Errno;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// A command and its arguments.
#[derive(Debug)]
pub struct Invocation {
    /// All arguments, the command first; never empty.
    pub argv: Vec<OsString>,
}

/// Returns whether a file of this name is cachex itself.
pub fn is_cachex(name: &[u8]) -> bool {
    name.starts_with(b"cachex")
}

/// The result of looking up a command's name.
#[derive(Debug)]
pub enum Resolved {
    /// A file that may be executed.
    Found(Executable),
    /// No such file.
    NotFound,
    /// A file that may not be executed.
    NotExecutable,
    /// No file could be reached, for this reason.
    Unreachable(Errno),
    /// The system could not tell.
    Unknown(Errno),
}

/// An executable file.
#[derive(Clone, Debug)]
pub struct Executable {
    /// The canonical path, without symbolic links. In package stores where all files have the same
    /// modification time, only this tells versions apart. None if the file no longer has a path, or
    /// one too long for the system.
    pub real: Option<PathBuf>,
    /// The path by which it was found. It contains a slash, so that it is not searched for again.
    pub path: PathBuf,
    /// The file's status when it was looked up.
    pub stat: Stat,
}

impl Executable {
    /// Returns the canonical path if it is known, else the path by which it was found.
    pub fn place(&self) -> &Path {
        self.real.as_ref().unwrap_or(&self.path)
    }

    /// Returns whether this is cachex under the name of another command, which comes later on PATH.
    pub fn is_cachex_masked(&self) -> bool {
        let is_cachex = |path: &Path| is_cachex(base_name(path.as_os_str().as_bytes()));
        self.real.as_deref().is_some_and(is_cachex) && !is_cachex(&self.path)
    }

    /// Returns whether another look-up found the same version of the same file.
    pub fn is_same(&self, other: &Executable) -> bool {
        self.path == other.path
            && self.real == other.real
            && Stamp::of(&self.stat) == Stamp::of(&other.stat)
    }
}

/// The state of a file and of every link that leads to it. If a link was pointed to another file
/// and back, its stamp here differs, whatever it leads to now.
#[derive(Debug, PartialEq, Eq)]
pub struct Trail(Vec<Stamp>);

impl Trail {
    /// The maximum number of links that the system follows.
    const LINKS: usize = 40;

    /// Follows a path.
    pub fn of(path: &Path) -> Trail {
        let mut trail = Trail(Vec::new());
        trail.follow(path);
        trail.0.extend(rustix::fs::stat(path).map(|stat| Stamp::of(&stat)));
        trail
    }

    fn follow(&mut self, path: &Path) {
        let path = path.as_os_str().as_bytes();
        let mut start = 0;
        for part in path.split(|&byte| byte == b'/') {
            let (end, beside) = (start + part.len(), &path[..start]);
            start = end + 1;
            if matches!(part, [] | [b'.']) {
                continue;
            }
            let at = &path[..end];
            let Ok(stat) = rustix::fs::lstat(at) else { return };
            if FileType::from_raw_mode(stat.st_mode) != FileType::Symlink {
                continue;
            }
            if self.0.len() >= Trail::LINKS {
                return;
            }
            self.0.push(Stamp::of(&stat));
            if let Ok(text) = rustix::fs::readlink(at, Vec::new()) {
                self.follow(
                    &Path::new(OsStr::from_bytes(beside)).join(OsStr::from_bytes(text.as_bytes())),
                );
            }
        }
    }
}

impl Invocation {
    /// The command as it was given.
    pub fn name(&self) -> &OsStr {
        &self.argv[0]
    }

    /// Returns whether the command was given as a path, rather than as a name to search for.
    pub fn is_path(&self) -> bool {
        self.name().as_bytes().contains(&b'/')
    }

    /// Returns the paths at which a name without a slash is looked for, in order.
    pub fn places(&self, search_path: Option<&OsStr>) -> impl Iterator<Item = PathBuf> {
        // POSIX systems search these folders when PATH is not set.
        let search_path = search_path.map_or(b"/bin:/usr/bin".as_slice(), OsStr::as_bytes);
        search_path.split(|&byte| byte == b':').map(|folder| {
            // An empty folder is the working directory.
            let folder = if folder.is_empty() { b".".as_slice() } else { folder };
            let mut path = PathBuf::from(OsStr::from_bytes(folder));
            path.push(self.name());
            path
        })
    }

    /// Looks for the command as `execvp` does: a name with a slash is a path, any other name is
    /// searched for in each folder of `search_path`.
    pub fn resolve(&self, search_path: Option<&OsStr>) -> Resolved {
        self.resolve_unless(search_path, |_| false)
    }

    /// Resolves the command like [`Invocation::resolve`], but skips cachex under the command's
    /// name, and every executable in the folders of `search_path` for which `passes_over` returns
    /// true.
    pub fn resolve_unless(
        &self,
        search_path: Option<&OsStr>,
        passes_over: impl Fn(&Executable) -> bool,
    ) -> Resolved {
        let name = self.name().as_bytes();
        if name.is_empty() {
            return Resolved::NotFound;
        }
        if name.contains(&b'/') {
            return look_at(PathBuf::from(self.name()));
        }
        let mut forbidden = false;
        for path in self.places(search_path) {
            match look_at(path) {
                Resolved::NotFound | Resolved::Unreachable(_) => {}
                Resolved::NotExecutable => forbidden = true,
                Resolved::Found(executable)
                    if executable.is_cachex_masked() || passes_over(&executable) => {}
                known => return known,
            }
        }
        if forbidden { Resolved::NotExecutable } else { Resolved::NotFound }
    }
}

/// Returns the fields that identify a file and its version, in the order in which they are handed
/// over.
#[allow(clippy::unnecessary_cast, reason = "the types are other systems'")]
pub fn version_of(stat: &Stat) -> [i64; 7] {
    [
        stat.st_dev as i64,
        stat.st_ino as i64,
        stat.st_size as i64,
        stat.st_mtime as i64,
        stat.st_mtime_nsec as i64,
        stat.st_ctime as i64,
        stat.st_ctime_nsec as i64,
    ]
}

fn look_at(path: PathBuf) -> Resolved {
    let stat = match fsutil::retry(|| rustix::fs::stat(&path)) {
        Ok(stat) => stat,
        Err(errno) => return missing(errno),
    };
    let is_file = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
    if !is_file {
        return Resolved::NotExecutable;
    }
    // The start of this process has just found it and resolved its links.
    if let Some(real) = handover::place_of(path.as_os_str().as_bytes(), &version_of(&stat)) {
        let real = Some(PathBuf::from(OsStr::from_bytes(real)));
        return Resolved::Found(Executable { real, path, stat });
    }
    // The permissions alone do not tell: it may be on a file system mounted `noexec`.
    match fsutil::retry(|| rustix::fs::accessat(CWD, &path, Access::EXEC_OK, AtFlags::EACCESS)) {
        Ok(()) => {
            let real = std::fs::canonicalize(&path).ok();
            Resolved::Found(Executable { real, path, stat })
        }
        Err(Errno::ACCESS) => Resolved::NotExecutable,
        Err(errno) => Resolved::Unknown(errno),
    }
}

/// Returns what a failed `stat` says about a command.
fn missing(errno: Errno) -> Resolved {
    match errno {
        Errno::NOENT => Resolved::NotFound,
        Errno::NOTDIR | Errno::ACCESS | Errno::LOOP | Errno::NAMETOOLONG => {
            Resolved::Unreachable(errno)
        }
        errno => Resolved::Unknown(errno),
    }
}
