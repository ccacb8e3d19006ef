//! Noticing that two runs make the same files at the same time.
//!
//! A run with another key that writes a declared file meanwhile, or a hit that puts one back,
//! would have its work recorded as this run's. So who is about to run claims what it declares: a
//! file in `tmp/`, which its owner holds a lock on, with the key and the declared paths. Who
//! comes later and declares one of these marks the claim before it begins, and its own; nothing
//! is recorded under a claim that was marked. Nobody waits for anybody.
//!
//! Two runs of one key make the same in the end, and do not count, unless they are traced: those
//! append to files and edit them, each what the other has left. Two different patterns are taken to
//! match different files; a path that a pattern of another matches is noticed, and one below or
//! above a path of another.

use cachex_base::record::entry::Key;
use cachex_base::system::fsutil;
use cachex_base::text::values::OutputPattern;
use cachex_store::Root;
use cachex_store::blobs::Temporary;
use rustix::fd::OwnedFd;
use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// How the names of the files begin, in `tmp/`.
const PREFIX: &str = "make-";
/// No file is longer.
const LONGEST: usize = 64 * 1024;

/// What a run that has not ended is to make.
pub struct Claim<'r> {
    _name: Temporary<'r>,
    /// Holds the lock on it.
    open: OwnedFd,
    /// How long it was when nobody had marked it.
    len: u64,
    /// Whether another's claim was there already.
    was_met: bool,
}

impl<'r> Claim<'r> {
    /// Claims what is declared, and for a run that `is_traced` its key. None if there is nothing
    /// to claim, or it cannot be written down.
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
        fsutil::write_file(&open, &text).ok()?;
        // Nobody looks at a file before it is locked.
        flock(&open, FlockOperation::NonBlockingLockExclusive).ok()?;
        let file = name.name()?.file_name()?.to_owned();
        let was_met = own.mark(root, key, Some(&file));
        Some(Claim { _name: name, open, len: text.len() as u64, was_met })
    }

    /// Whether another run, or a hit, had to do with these files since it was made.
    pub fn was_met(&self) -> bool {
        let is_longer = |stat: rustix::fs::Stat| stat.st_size.cast_unsigned() != self.len;
        self.was_met || rustix::fs::fstat(&self.open).map_or(true, is_longer)
    }
}

/// Marks the claims of all who make what is about to be put back for a call with this key.
pub fn mark(root: &Root, key: &Key, outputs: &[OutputPattern]) {
    if let Some(own) = Paths::declared(outputs, false) {
        own.mark(root, key, None);
    }
}

/// What one declares, and in which folder.
struct Paths {
    folder: PathBuf,
    patterns: Vec<OutputPattern>,
    /// Its key is claimed, too.
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

    /// Reads what [`Paths::text`] gave, and marks may follow.
    fn parse(text: &[u8]) -> Option<(Key, Paths)> {
        let (key, rest) = text.split_first_chunk()?;
        let mut parts = rest.split(|&byte| byte == 0);
        let folder = PathBuf::from(OsStr::from_bytes(parts.next()?));
        // After the last zero come marks.
        let pattern = |part: &[u8]| std::str::from_utf8(part).ok()?.parse().ok();
        let mut patterns: Vec<_> = parts.map(pattern).collect();
        patterns.pop();
        Some((
            Key(*key),
            Paths { folder, patterns: patterns.into_iter().flatten().collect(), is_traced: false },
        ))
    }

    /// Marks the claims of others that overlap with this; whether there are any. One with this
    /// key does not count, nor does one's `own` file.
    fn mark(&self, root: &Root, key: &Key, own: Option<&OsStr>) -> bool {
        let names = fsutil::names(root, "tmp").unwrap_or_default();
        let mut any = false;
        for name in names.iter().filter(|name| name.as_bytes().starts_with(PREFIX.as_bytes())) {
            if own != Some(name) {
                any |= self.mark_one(root, &Path::new("tmp").join(name), key).unwrap_or_default();
            }
        }
        any
    }

    fn mark_one(&self, root: &Root, name: &Path, own: &Key) -> rustix::io::Result<bool> {
        let file = fsutil::open_file(root, name)?;
        let shared = flock(&file, FlockOperation::NonBlockingLockShared);
        if shared != Err(Errno::WOULDBLOCK) {
            // It belongs to nobody any more; a fold removes it.
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

/// Whether two patterns, each in its folder, may match one file.
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
