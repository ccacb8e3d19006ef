//! Files, folders, and patterns of them.
//!
//! `*` and `?` stop at a slash, `**` does not; `[…]` and `{a,b}` are as in a shell, and a backslash
//! escapes the character after it.

use globset::{Glob, GlobBuilder};
use std::fmt;
use std::path::Path;
use std::str::FromStr;

/// Declared inputs: a file, a folder or a pattern; or an exclusion of some of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputPattern {
    /// True if these are excluded.
    pub exclude: bool,
    /// The path.
    pub path: PathPattern,
}

impl FromStr for InputPattern {
    type Err = String;

    fn from_str(text: &str) -> Result<InputPattern, String> {
        let (exclude, text) = excluding(text);
        let path = PathPattern::new(text)
            .map_err(|why| format!("{why}; expected a file, a folder or a pattern such as `src/**/*.c`, with `!` in front to exclude it"))?;
        Ok(InputPattern { exclude, path })
    }
}

impl fmt::Display for InputPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.fmt_excluding(self.exclude, f)
    }
}

/// Declared outputs of a command: a file, a folder or a pattern; or an exclusion of some of them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OutputPattern {
    /// True if these are excluded.
    pub exclude: bool,
    /// The path.
    pub path: PathPattern,
}

impl FromStr for OutputPattern {
    type Err = String;

    fn from_str(text: &str) -> Result<OutputPattern, String> {
        let (exclude, text) = excluding(text);
        let path = PathPattern::new(text).map_err(|why| {
            format!("{why}; expected a file, a folder or a pattern such as `dist/**`, with `!` in front to exclude it")
        })?;
        if path.0 == "." || path.parts().next() == Some("..") {
            return Err(format!(
                "`{text}` is not below the working directory; use an absolute path"
            ));
        }
        if path.0 == "/" {
            return Err("the root folder cannot be an output".to_owned());
        }
        Ok(OutputPattern { exclude, path })
    }
}

impl fmt::Display for OutputPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.fmt_excluding(self.exclude, f)
    }
}

/// Returns whether a pattern is an exclusion, and the rest of it.
fn excluding(text: &str) -> (bool, &str) {
    match text.strip_prefix('!') {
        Some(text) => (true, text),
        None => (false, text),
    }
}

/// A path, or a pattern of paths, without redundant parts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PathPattern(String);

impl FromStr for PathPattern {
    type Err = String;

    fn from_str(text: &str) -> Result<PathPattern, String> {
        PathPattern::new(text).map_err(|why| {
            format!("{why}; expected a file, a folder or a pattern such as `/var/log/**`")
        })
    }
}

impl PathPattern {
    fn new(text: &str) -> Result<PathPattern, String> {
        if text.is_empty() || text.contains('\0') {
            return Err("there is no such path".to_owned());
        }
        // A shell does not expand it within quotes or after `=`.
        if text == "~" || text.starts_with("~/") {
            return Err(format!(
                "the shell has not expanded `~`; write out the home folder, or `./{text}` if that is the name"
            ));
        }
        let mut parts: Vec<&str> = Vec::new();
        for part in text.split('/').filter(|part| !matches!(*part, "" | ".")) {
            match (part, parts.last()) {
                ("..", Some(last)) if is_special(last) => {
                    return Err("`..` cannot follow a wildcard".to_owned());
                }
                // The parent of a linked folder is not the path without its last part.
                ("..", Some(&last)) if last != ".." => {
                    return Err(format!("`{last}/..` may lead elsewhere than it seems"));
                }
                ("..", None) if text.starts_with('/') => {}
                _ => parts.push(part),
            }
        }
        let root = if text.starts_with('/') { "/" } else { "" };
        let mut path = format!("{root}{}", parts.join("/"));
        if path.is_empty() {
            path.push('.');
        }
        let pattern = PathPattern(path);
        pattern.compile().map(|_| pattern)
    }

    /// Returns the pattern as it is compared and shown.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Writes it in the form that is parsed, with the mark of an exclusion in front.
    fn fmt_excluding(&self, exclude: bool, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = if exclude { "!" } else { "" };
        let is_taken_otherwise = !exclude && self.0.starts_with('!');
        let plain = if is_taken_otherwise { "./" } else { "" };
        write!(f, "{mark}{plain}{}", self.0)
    }

    /// Returns the path that it names, if it is taken for one.
    pub fn as_path(&self) -> &Path {
        Path::new(&self.0)
    }

    /// Returns whether it may stand for more than one path.
    pub fn is_glob(&self) -> bool {
        is_special(&self.0)
    }

    /// Returns a matcher of whole paths.
    pub fn glob(&self) -> Option<Glob> {
        self.compile().ok()
    }

    fn compile(&self) -> Result<Glob, String> {
        let glob = GlobBuilder::new(&self.0).literal_separator(true).backslash_escape(true).build();
        glob.map_err(|error| error.kind().to_string())
    }

    /// Returns whether it matches a path or a folder above it, as a name or as a glob.
    pub fn takes_in(&self, path: &Path) -> bool {
        let glob = self.glob().map(|glob| glob.compile_matcher());
        path.starts_with(self.as_path())
            || glob.is_some_and(|glob| path.ancestors().any(|above| glob.is_match(above)))
    }

    /// Returns the folder that contains everything that it matches.
    pub fn base(&self) -> &Path {
        let mut end = 0;
        for part in self.0.split_inclusive('/') {
            if is_special(part) {
                break;
            }
            end += part.len();
        }
        match self.0[..end].trim_end_matches('/') {
            "" if end > 0 => Path::new("/"),
            "" => Path::new("."),
            base => Path::new(base),
        }
    }

    /// Returns the maximum depth of matches below the base, or `None` if there is no maximum.
    pub fn depth(&self) -> Option<usize> {
        let special = self.parts().skip_while(|part| !is_special(part));
        // Braces may contain slashes.
        (!self.0.contains("**") && !self.0.contains('{')).then(|| special.count())
    }

    fn parts(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }
}

fn is_special(text: &str) -> bool {
    text.contains(['*', '?', '[', '{', '\\'])
}

/// Splits a list in a variable at blanks, commas and line breaks, so that a list of make can be
/// used.
pub fn listed(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', ' ', '\t', '\n']).filter(|item| !item.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(text: &str) -> Result<String, String> {
        text.parse::<InputPattern>().map(|it| it.path.as_str().to_owned())
    }

    #[test]
    fn a_path_is_without_what_changes_nothing() {
        assert_eq!(input("./src//a.c"), Ok("src/a.c".to_owned()));
        assert_eq!(input("src/"), Ok("src".to_owned()));
        assert_eq!(input("./"), Ok(".".to_owned()));
        assert_eq!(input("../common/./x"), Ok("../common/x".to_owned()));
        assert_eq!(input("/../etc"), Ok("/etc".to_owned()));
    }

    #[test]
    fn bad_patterns_say_what_is_expected() {
        for bad in ["", "a[", "{a", "a/../b", "**/..", "!"] {
            assert!(input(bad).unwrap_err().contains("src/**/*.c"), "{bad}");
        }
    }

    #[test]
    fn outputs_lie_below_or_are_named_from_the_root() {
        for good in ["dist", "a/b.o", "*.o", "/tmp/x"] {
            assert!(good.parse::<OutputPattern>().is_ok(), "{good}");
        }
        for bad in [".", "..", "../x", "/", "./", "!..", "!", "~", "~/x"] {
            assert!(bad.parse::<OutputPattern>().is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_left_out_is_told_from_a_name_that_looks_like_it() {
        for (text, shown) in [("!x", "!x"), ("./!x", "./!x"), ("!./!x", "!!x"), ("x", "x")] {
            let (output, input) =
                (text.parse::<OutputPattern>().unwrap(), text.parse::<InputPattern>().unwrap());
            assert_eq!((output.to_string(), input.to_string()), (shown.into(), shown.into()));
            assert_eq!(shown.parse::<OutputPattern>(), Ok(output));
        }
    }

    #[test]
    fn everything_that_matches_lies_below_the_base() {
        let base = |text: &str| text.parse::<InputPattern>().unwrap().path.base().to_owned();
        for (pattern, expected) in [
            ("src/**/*.c", "src"),
            ("**", "."),
            ("*.c", "."),
            ("/etc/*.conf", "/etc"),
            ("/*", "/"),
            ("a/b", "a/b"),
            ("../x/*", "../x"),
            ("src/[ab]/c", "src"),
        ] {
            assert_eq!(base(pattern), Path::new(expected), "{pattern}");
        }
    }

    #[test]
    fn how_far_down_a_pattern_matches_is_known_unless_it_goes_any_way() {
        let depth = |text: &str| text.parse::<InputPattern>().unwrap().path.depth();
        assert_eq!((depth("*.h"), depth("src/*.c"), depth("src/*/x")), (Some(1), Some(1), Some(2)));
        assert_eq!((depth("**/*.c"), depth("src/**"), depth("{a/b,c}")), (None, None, None));
    }

    #[test]
    fn a_star_stops_at_a_slash() {
        let matches = |pattern: &str, path: &str| {
            let pattern = pattern.parse::<InputPattern>().unwrap().path;
            pattern.glob().unwrap().compile_matcher().is_match(path)
        };
        assert!(matches("src/*.c", "src/a.c") && !matches("src/*.c", "src/x/a.c"));
        assert!(matches("src/**/*.c", "src/a.c") && matches("src/**/*.c", "src/x/y/a.c"));
        assert!(matches("*.{c,h}", "a.h") && matches("[a-c].c", "b.c"));
        assert!(matches(r"\[id\].tsx", "[id].tsx"));
    }

    #[test]
    fn lists_are_between_blanks_commas_or_line_breaks() {
        assert_eq!(listed(" a.c, b.h\n c\t").collect::<Vec<_>>(), ["a.c", "b.h", "c"]);
    }
}
