//! Detects that two runs make the same files at the same time.
//!
//! A run with another key that writes a declared file meanwhile, or a hit that restores one, would
//! have its work recorded as this run's. So a run first claims its outputs: a file in `tmp/`,
//! locked by its owner, with the key and the declared paths. Whoever declares one of these later
//! marks the existing claim, and its own, before it begins. Nothing is recorded under a marked
//! claim. Nobody waits for anybody.
//!
//! Two runs with the same key have the same result and do not conflict, unless they are traced:
//! those append to files and edit them, each what the other has left. Two different patterns are
//! assumed to match different files. A path that another's pattern matches is detected, and so is
//! one below or above another's path.

use cachex_base::record::entry::Key;
use cachex_base::system::fsutil;
use cachex_base::text::values::OutputPattern;
use cachex_store::Root;
use cachex_store::temporary::{self, Temporary};
use rustix::fd::OwnedFd;
use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The prefix of the names of the files in `tmp/`.
const PREFIX: &str = "make-";
/// The maximum size of a file.
const LONGEST: usize = 64 * 1024;

/// The claim of a run in progress.
pub struct Claim<'r> {
    _name: Temporary<'r>,
    /// The file, which holds the lock.
    open: OwnedFd,
    /// Its length without any marks.
    len: u64,
    /// True if another's claim existed already.
    was_met: bool,
}

impl<'r> Claim<'r> {
    /// Claims the declared files, and for a run that `is_traced` its key. None if there is nothing
    /// to claim, or the claim cannot be written.
    pub fn make(
        root: &'r Root,
        key: &Key,
        outputs: &[OutputPattern],
        is_traced: bool,
    ) -> Option<Claim<'r>> {
        let own = Paths::declared(outputs, is_traced)?;
        let text = own.text(key);
        if text.len() > LONGEST {
            return None;
        }
        let (name, open) = Temporary::create_with(root, PREFIX).ok()?;
        // What others do not find written yet finds theirs.
        fsutil::write_file(&open, &text).ok()?;
        let file = name.name()?.file_name()?.to_owned();
        let was_met = own.mark(root, key, Some(&file));
        Some(Claim { _name: name, open, len: text.len() as u64, was_met })
    }

    /// Returns whether another run or a hit has touched these files since the claim was made.
    pub fn was_met(&self) -> bool {
        let is_longer = |stat: rustix::fs::Stat| stat.st_size.cast_unsigned() != self.len;
        self.was_met || rustix::fs::fstat(&self.open).map_or(true, is_longer)
    }
}

/// Marks the claims of all runs that make the files about to be restored for a call with this key.
pub fn mark(root: &Root, key: &Key, outputs: &[OutputPattern]) {
    if let Some(own) = Paths::declared(outputs, false) {
        own.mark(root, key, None);
    }
}

/// The declarations of a call, and its folder.
struct Paths {
    folder: PathBuf,
    patterns: Vec<OutputPattern>,
    /// True if the key is claimed, too.
    is_traced: bool,
}

impl Paths {
    fn declared(outputs: &[OutputPattern], is_traced: bool) -> Option<Paths> {
        let made = outputs.iter().filter(|output| !output.exclude);
        let patterns: Vec<_> = made.cloned().collect();
        let claims = is_traced || !patterns.is_empty();
        let folder = claims.then(std::env::current_dir)?.ok()?;
        Some(Paths { folder, patterns, is_traced })
    }

    fn text(&self, key: &Key) -> Vec<u8> {
        let mut text = key.0.to_vec();
        text.extend(self.folder.as_os_str().as_bytes());
        text.push(0);
        for pattern in &self.patterns {
            text.extend(pattern.to_string().into_bytes());
            text.push(0);
        }
        text
    }

    /// Parses the output of [`Paths::text`], which marks may follow.
    fn parse(text: &[u8]) -> Option<(Key, Paths)> {
        let (key, rest) = text.split_first_chunk()?;
        let mut parts = rest.split(|&byte| byte == 0);
        let folder = PathBuf::from(OsStr::from_bytes(parts.next()?));
        // Marks follow the last null byte.
        let pattern = |part: &[u8]| std::str::from_utf8(part).ok()?.parse().ok();
        let mut patterns: Vec<_> = parts.map(pattern).collect();
        patterns.pop();
        Some((
            Key(*key),
            Paths { folder, patterns: patterns.into_iter().flatten().collect(), is_traced: false },
        ))
    }

    /// Marks the claims of others that overlap with this one. Returns whether there are any. Claims
    /// with the same key are ignored, and so is the `own` file.
    fn mark(&self, root: &Root, key: &Key, own: Option<&OsStr>) -> bool {
        let names = fsutil::names(root, temporary::FOLDER).unwrap_or_default();
        let mut any = false;
        for name in names.iter().filter(|name| name.as_bytes().starts_with(PREFIX.as_bytes())) {
            if own != Some(name) {
                any |= self
                    .mark_one(root, &Path::new(temporary::FOLDER).join(name), key)
                    .unwrap_or_default();
            }
        }
        any
    }

    fn mark_one(&self, root: &Root, name: &Path, own: &Key) -> rustix::io::Result<bool> {
        let file = fsutil::open_file(root, name)?;
        let shared = flock(&file, FlockOperation::NonBlockingLockShared);
        if shared != Err(Errno::WOULDBLOCK) {
            // It belongs to nobody any more; a fold will remove it.
            return Ok(false);
        }
        let mut text = vec![0; LONGEST];
        let len = fsutil::read_full(&file, &mut text)?;
        let Some((key, theirs)) = Paths::parse(&text[..len]) else { return Ok(false) };
        let is_met = if *own == key { self.is_traced } else { self.overlaps(&theirs) };
        if !is_met {
            return Ok(false);
        }
        let file = fsutil::create_file(root, name, OFlags::WRONLY | OFlags::APPEND)?;
        fsutil::write_file(&file, b"!")?;
        Ok(true)
    }

    fn overlaps(&self, other: &Paths) -> bool {
        self.patterns.iter().any(|one| {
            other.patterns.iter().any(|it| overlap((&self.folder, one), (&other.folder, it)))
        })
    }
}

/// Returns whether two patterns, each in its folder, may match the same file.
fn overlap(one: (&Path, &OutputPattern), other: (&Path, &OutputPattern)) -> bool {
    let path = |(folder, it): (&Path, &OutputPattern)| folder.join(it.path.as_path());
    let matches = |(folder, glob): (&Path, &OutputPattern), path: &Path| {
        let below = path.strip_prefix(folder).unwrap_or(path);
        folder.join(glob.path.base()).starts_with(path)
            || glob.path.glob().is_some_and(|glob| glob.compile_matcher().is_match(below))
    };
    let (first, second) = (path(one), path(other));
    match (one.1.path.is_glob(), other.1.path.is_glob()) {
        (true, true) => first == second,
        (true, false) => matches(one, &second),
        (false, true) => matches(other, &first),
        (false, false) => first.starts_with(&second) || second.starts_with(&first),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(one: &str, other: &str) -> bool {
        let paths = |text: &str| {
            let (folder, pattern) = text.split_once(' ').unwrap();
            Paths {
                folder: folder.into(),
                patterns: vec![pattern.parse().unwrap()],
                is_traced: false,
            }
        };
        let read = |paths: Paths| {
            let mut text = paths.text(&Key([7; 32]));
            text.push(b'!');
            let (key, paths) = Paths::parse(&text).unwrap();
            assert_eq!(key, Key([7; 32]));
            assert_eq!(paths.patterns.len(), 1);
            paths
        };
        let (one, other) = (read(paths(one)), read(paths(other)));
        assert_eq!(one.overlaps(&other), other.overlaps(&one));
        one.overlaps(&other)
    }

    #[test]
    fn what_may_be_one_file_overlaps() {
        assert!(pair("/a out", "/a out"));
        assert!(pair("/a b/out", "/a/b out"));
        assert!(pair("/a dist", "/a dist/x/y"));
        assert!(pair("/a /b/out", "/b out"));
        assert!(pair("/a obj/*.o", "/a obj/x.o"));
        assert!(pair("/a obj/*.o", "/a obj"));
        assert!(pair("/a obj/*.o", "/a obj/*.o"));
    }

    #[test]
    fn what_is_two_files_does_not() {
        assert!(!pair("/a out", "/a out2"));
        assert!(!pair("/a out", "/b out"));
        assert!(!pair("/a obj/*.o", "/a obj/x.d"));
        assert!(!pair("/a obj/*.o", "/a obj/*.d"));
        assert!(!pair("/a obj/*.o", "/b obj/x.o"));
    }
}
