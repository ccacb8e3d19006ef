//! What is to be run: the arguments, and the executable they name.

use rustix::fs::{Access, AtFlags, CWD, FileType, Mode, Stat};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// A command and its arguments.
#[derive(Debug)]
pub struct Invocation {
    /// All of them, the command first; there is at least that.
    pub argv: Vec<OsString>,
}

/// What a command's name leads to.
#[derive(Debug)]
pub enum Resolved {
    /// This file, which may be executed.
    Found(Executable),
    /// No file.
    NotFound,
    /// A file that may not be executed.
    NotExecutable,
}

/// An executable file.
#[derive(Debug)]
pub struct Executable {
    /// Where it really lies: with no link in it. Where all files carry one
    /// time, as in some stores of packages, this alone tells versions apart.
    pub real: PathBuf,
    /// Its path, with at least one slash in it, so that it is not searched for again.
    pub path: PathBuf,
    /// Its status when it was looked up.
    pub stat: Stat,
}

impl Executable {
    /// Whether it is the same file, and unchanged since.
    pub fn is_the_same_as(&self, other: &Executable) -> bool {
        let what = |it: &Executable| {
            let Stat { st_dev, st_ino, st_size, .. } = it.stat;
            let times =
                (it.stat.st_mtime, it.stat.st_mtime_nsec, it.stat.st_ctime, it.stat.st_ctime_nsec);
            (st_dev, st_ino, st_size, times)
        };
        (&self.real, &self.path, what(self)) == (&other.real, &other.path, what(other))
    }
}

impl Invocation {
    /// The command as it was given.
    pub fn name(&self) -> &OsStr {
        &self.argv[0]
    }

    /// Whether the command was given as a path, and not as a name to search for.
    pub fn is_path(&self) -> bool {
        self.name().as_bytes().contains(&b'/')
    }

    /// Looks for the command as `execvp` does: a name with a slash is a path,
    /// any other is looked for in each folder of `search_path`.
    pub fn resolve(&self, search_path: Option<&OsStr>) -> Resolved {
        let name = self.name().as_bytes();
        if name.is_empty() {
            return Resolved::NotFound;
        }
        if name.contains(&b'/') {
            return look_at(PathBuf::from(self.name()));
        }
        // What POSIX systems search when PATH is not set.
        let search_path = search_path.map_or(b"/bin:/usr/bin".as_slice(), OsStr::as_bytes);
        let mut forbidden = false;
        for folder in search_path.split(|&byte| byte == b':') {
            // An empty folder is the working directory.
            let folder = if folder.is_empty() { b".".as_slice() } else { folder };
            let mut path = PathBuf::from(OsStr::from_bytes(folder));
            path.push(self.name());
            match look_at(path) {
                Resolved::NotFound => {}
                Resolved::NotExecutable => forbidden = true,
                found @ Resolved::Found(_) => return found,
            }
        }
        if forbidden { Resolved::NotExecutable } else { Resolved::NotFound }
    }
}

fn look_at(path: PathBuf) -> Resolved {
    let Ok(stat) = rustix::fs::stat(&path) else {
        return Resolved::NotFound;
    };
    let is_file = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
    // Whoever one is, if everyone may.
    let everyones = Mode::XUSR | Mode::XGRP | Mode::XOTH;
    let may = Mode::from_raw_mode(stat.st_mode).contains(everyones)
        || rustix::fs::accessat(CWD, &path, Access::EXEC_OK, AtFlags::EACCESS).is_ok();
    if is_file && may {
        match std::fs::canonicalize(&path) {
            Ok(real) => Resolved::Found(Executable { real, path, stat }),
            Err(_) => Resolved::NotFound,
        }
    } else {
        Resolved::NotExecutable
    }
}
