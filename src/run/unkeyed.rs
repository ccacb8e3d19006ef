//! Files that arguments name and that are not part of the key.
//!
//! `cachex run -- jq . x.json` replays the old answer after x.json has changed. Only the command
//! knows what it reads, but an argument that names a file is worth a note: `--verbose` and
//! `explain` name such files and the option that adds them.

use super::{Call, Runner};
use crate::config::Config;
use cachex_base::system::stamp::Stamp;
use cachex_base::text::quote;
use rustix::fs::FileType;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// The most files named in one line.
const NAMED: usize = 3;

impl Runner<'_> {
    /// Returns the files, as named by arguments, that are not part of the key.
    pub(super) fn unkeyed(&self, call: &Call) -> Vec<&OsStr> {
        let mut found: Vec<&OsStr> = Vec::new();
        if self.is_automatic() {
            return found;
        }
        for argument in self.invocation.argv.iter().skip(1) {
            for name in names(argument) {
                if !found.contains(&name) && self.is_unkeyed(call, name) {
                    found.push(name);
                }
            }
        }
        found
    }

    /// Reports such files, if `--verbose` is given.
    pub(super) fn tell_of_unkeyed(&self, call: &Call) {
        if !self.config.verbose {
            return;
        }
        if let Some(told) = in_words(&self.unkeyed(call)) {
            self.messages().tell(format_args!("{told}"));
        }
    }

    fn is_unkeyed(&self, call: &Call, name: &OsStr) -> bool {
        // Descriptors are handled elsewhere, and devices are not files.
        if ["/dev/", "/proc/"].iter().any(|kernels| name.as_bytes().starts_with(kernels.as_bytes()))
        {
            return false;
        }
        let Ok(stat) = rustix::fs::stat(name) else { return false };
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return false;
        }
        let stamp = Stamp::of(&stat);
        let is_input = |inputs: &crate::files::inputs::Snapshot| inputs.has(name, &stamp);
        !is_made(self.config, name)
            && !call.found.declared.inputs.as_ref().is_some_and(is_input)
            && !call.programs.as_ref().is_some_and(|programs| programs.wrap(name))
    }
}

/// Returns the parts of an argument that may name a file: all of it, and the value after the `=` of
/// an option.
fn names(argument: &OsStr) -> impl Iterator<Item = &OsStr> {
    let bytes = argument.as_bytes();
    let value = bytes.iter().position(|&byte| byte == b'=').filter(|_| bytes.starts_with(b"-"));
    let value = value.map(|at| OsStr::from_bytes(&bytes[at + 1..]));
    [Some(argument), value].into_iter().flatten().filter(|name| !name.is_empty())
}

/// Returns whether a file is a declared output of the command.
fn is_made(config: &Config, name: &OsStr) -> bool {
    let made = config.outputs.iter().filter(|output| !output.exclude);
    made.filter_map(|output| output.path.glob()).any(|glob| {
        let name = name.as_bytes();
        let name = name.strip_prefix(b"./").unwrap_or(name);
        glob.compile_matcher().is_match(OsStr::from_bytes(name))
    })
}

/// Returns a sentence about files that are not part of the key, if there are any.
fn in_words(names: &[&OsStr]) -> Option<String> {
    let word = |name: &&OsStr| quote::word(name.as_bytes());
    let (first, rest) = names.split_first()?;
    if rest.is_empty() {
        let name = word(first);
        return Some(format!("{name} is not part of the key: --input {name} or --auto"));
    }
    let named: Vec<String> = names.iter().take(NAMED).map(word).collect();
    let (last, others) = named.split_last()?;
    let listed = match names.len().saturating_sub(NAMED) {
        0 => format!("{} and {last}", others.join(", ")),
        more => format!("{} and {more} more", named.join(", ")),
    };
    Some(format!("{listed} are not part of the key: --input {} … or --auto", word(first)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_whole_arguments_and_values_of_options() {
        let of =
            |text| names(OsStr::new(text)).map(|name| name.to_str().unwrap()).collect::<Vec<_>>();
        assert_eq!(of("a=b"), ["a=b"]);
        assert_eq!(of("--file=b=c"), ["--file=b=c", "b=c"]);
        assert_eq!(of("--file="), ["--file="]);
        assert_eq!(of(""), [""; 0]);
    }

    #[test]
    fn many_files_are_told_in_one_line() {
        let told = |names: &[&str]| {
            in_words(&names.iter().map(OsStr::new).collect::<Vec<_>>()).unwrap_or_default()
        };
        assert_eq!(told(&[]), "");
        assert_eq!(told(&["a b"]), "'a b' is not part of the key: --input 'a b' or --auto");
        assert_eq!(told(&["a", "b"]), "a and b are not part of the key: --input a … or --auto");
        assert_eq!(
            told(&["a", "b", "c", "d", "e"]),
            "a, b, c and 2 more are not part of the key: --input a … or --auto"
        );
    }
}
