//! Folders whose location is not part of the key: paths below them are made relative.
//!
//! A path of such a folder in an argument, a variable or the working directory is replaced by a
//! mark before it is hashed. A mark begins with a null byte, which none of these can contain, so
//! no two different values become equal. The path must be complete: at the start, after a separator
//! of lists or options, or after the letters of an option (`-I/home/a/project/include`), and up to
//! a slash or a byte that cannot continue a name.

use memchr::memmem;
use std::borrow::Cow;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The mark of the base folder.
const BASE: &[u8] = b"\0base";
/// The mark of the user's home.
const HOME: &[u8] = b"\0home";

/// The folders whose location is not part of the key.
#[derive(Debug, Default)]
pub struct Base {
    /// The paths and marks, longest path first.
    places: Vec<(Vec<u8>, &'static [u8])>,
}

impl Base {
    /// Creates a set of the base folder and the home.
    pub fn new(folder: Option<&Path>, home: Option<&Path>) -> Base {
        let mut base = Base::default();
        for (path, mark) in [(folder, BASE), (home, HOME)] {
            let Some(path) = path else { continue };
            // A path may be given with or without its links resolved.
            base.add(path, mark);
            if let Ok(real) = path.canonicalize() {
                base.add(&real, mark);
            }
        }
        base.sort();
        base
    }

    fn add(&mut self, path: &Path, mark: &'static [u8]) {
        let path = path.as_os_str().as_bytes();
        let end = path.iter().rposition(|&byte| byte != b'/').map_or(0, |last| last + 1);
        let path = &path[..end];
        // Everything lies below the root.
        if path.starts_with(b"/") && !self.places.iter().any(|(known, _)| known == path) {
            self.places.push((path.to_vec(), mark));
        }
    }

    /// Adds the path by which `way` leads to or through `folder`, a canonical path; nothing if it
    /// leads elsewhere.
    pub fn also(&mut self, folder: &Path, way: &Path) {
        let real = |path: &Path| path.canonicalize().ok();
        let of_it = way.ancestors().find(|above| real(above).as_deref() == Some(folder));
        if let Some(above) = of_it {
            self.add(above, BASE);
            self.sort();
        }
    }

    fn sort(&mut self) {
        self.places.sort_by_key(|(path, _)| std::cmp::Reverse(path.len()));
    }

    /// Returns whether there are no folders.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Returns a value with marks in place of the folders' paths.
    pub fn apply<'v>(&self, value: &'v [u8]) -> Cow<'v, [u8]> {
        let mut told = Cow::Borrowed(value);
        for (path, mark) in &self.places {
            if let Some(marked) = replaced(&told, path, mark) {
                told = Cow::Owned(marked);
            }
        }
        told
    }
}

/// Replaces each complete `path` in a value by `mark`; none if there is none.
fn replaced(value: &[u8], path: &[u8], mark: &[u8]) -> Option<Vec<u8>> {
    let mut marked = Vec::new();
    let mut done = 0;
    for at in memmem::find_iter(value, path) {
        let end = at + path.len();
        if begins(&value[..at]) && value.get(end).is_none_or(|&next| !is_of_a_name(next)) {
            marked.extend_from_slice(&value[done..at]);
            marked.extend_from_slice(mark);
            done = end;
        }
    }
    if marked.is_empty() {
        return None;
    }
    marked.extend_from_slice(&value[done..]);
    Some(marked)
}

/// Returns whether a path may begin after these bytes.
fn begins(before: &[u8]) -> bool {
    match before.last() {
        None => true,
        Some(&last) if !is_of_a_name(last) => last != b'/',
        Some(_) => {
            let word = before.rsplit(u8::is_ascii_whitespace).next().unwrap_or(before);
            word.starts_with(b"-")
                && word.iter().all(|byte| byte.is_ascii_alphabetic() || *byte == b'-')
        }
    }
}

/// Returns whether this byte can continue a name.
fn is_of_a_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'_' | b'-' | b'.' | b'+' | b'~' | b'@' | b'%' | 0x80..)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(value: &str) -> String {
        let base = Base::new(Some(Path::new("/home/a/project/")), Some(Path::new("/home/a")));
        let told = String::from_utf8(base.apply(value.as_bytes()).into_owned()).unwrap();
        told.replace("\0base", "<base>").replace("\0home", "<home>")
    }

    #[test]
    fn what_lies_below_is_told_by_the_way_from_there() {
        for (value, expected) in [
            ("/home/a/project", "<base>"),
            ("/home/a/project/src/x.c", "<base>/src/x.c"),
            ("-I/home/a/project/include", "-I<base>/include"),
            ("-isystem/home/a/project", "-isystem<base>"),
            ("--prefix=/home/a/project", "--prefix=<base>"),
            ("/usr/bin:/home/a/project/bin:/home/a/bin", "/usr/bin:<base>/bin:<home>/bin"),
            ("gcc -I/home/a/project -L/home/a/project/lib", "gcc -I<base> -L<base>/lib"),
            ("cd '/home/a/project' && make", "cd '<base>' && make"),
            ("file:///home/a/project/x", "file:///home/a/project/x"),
        ] {
            assert_eq!(told(value), expected, "{value}");
        }
    }

    #[test]
    fn what_only_looks_like_it_stays() {
        for value in [
            "/home/a/project2",
            "/home/a/project-old/x",
            "/home/a/project.bak",
            "/mnt/home/a/project/x",
            "x/home/a/project",
            "/home/alice",
            "no path",
            "",
        ] {
            let home = value.replace("/home/a/", "<home>/");
            let expected = if value.starts_with("/home/a/") { home } else { value.to_owned() };
            assert_eq!(told(value), expected, "{value}");
        }
    }

    #[test]
    fn the_root_is_no_base() {
        assert!(Base::new(Some(Path::new("/")), None).is_empty());
    }
}
