//! Arguments for which a call runs without the cache: those that name the file that the command's
//! own output is added to, or a named pipe.
//!
//! What comes from a named pipe is not known beforehand, and whoever writes to it waits until the
//! command reads that.
//!
//! Without cachex, `cat log >>log` refuses to read what it prints, as do `grep` and `cp`, and other
//! commands find in the file what they have printed so far. Under cachex a command prints to a
//! pipe, of which the file tells nothing. So such a call runs without the cache.
//!
//! A file that has nothing in it yet is no reason: generators are told the name of the file that
//! they make (`table --name table.h >table.h`), and read nothing there.

use super::Runner;
use cachex_base::record::frames::Stream;
use cachex_base::streams::nonblocking_writer;
use cachex_base::system::fsutil;
use rustix::fd::AsRawFd;
use rustix::fs::{FileType, Stat, fstat};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

impl Runner<'_> {
    /// Returns whether an argument is the name of a pipe. An inherited pipe is a part of the key.
    pub(super) fn names_a_pipe(&self) -> bool {
        let is_pipe = |name: &OsStr| {
            let is_inherited =
                [&b"/dev/"[..], b"/proc/"].iter().any(|at| name.as_bytes().starts_with(at));
            !is_inherited
                && rustix::fs::stat(name)
                    .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Fifo)
        };
        self.invocation.argv.iter().skip(1).any(|argument| is_pipe(argument))
    }

    /// Returns whether an argument, or a word of one, is the name of a file with something in it
    /// that the output goes to.
    pub(super) fn names_its_output(&self) -> bool {
        Stream::BOTH.into_iter().any(|stream| {
            let Some((name, file)) = filled_file(stream) else { return false };
            let leads_there = |word: &[u8]| {
                rustix::fs::stat(word).is_ok_and(|other| fsutil::same_file(&file, &other))
            };
            let mut arguments = self.invocation.argv.iter().skip(1).map(|it| it.as_bytes());
            arguments.any(|argument| words(argument, &name).any(leads_there))
        })
    }
}

/// Returns the name, without folders, and the status of the file that a stream goes to, if there is
/// something in it.
fn filled_file(stream: Stream) -> Option<(Vec<u8>, Stat)> {
    let own = nonblocking_writer::own(stream);
    let stat = fstat(own).ok()?;
    let is_file = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
    if !is_file || stat.st_size == 0 {
        return None;
    }
    let path = std::fs::read_link(format!("/proc/self/fd/{}", own.as_raw_fd())).ok()?;
    Some((Path::file_name(&path)?.as_bytes().to_vec(), stat))
}

/// Returns the argument, and the words of it as of a script, if they are paths that end with this
/// name.
fn words<'a>(argument: &'a [u8], name: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    let is_between = |byte: &u8| byte.is_ascii_whitespace() || b"\"'`=:,;<>|&()".contains(byte);
    let words = argument.split(is_between).filter(move |word| word.len() < argument.len());
    std::iter::once(argument).chain(words).filter(move |word| {
        Path::new(OsStr::from_bytes(word)).file_name().is_some_and(|it| it.as_bytes() == name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_by_an_argument_or_a_word_of_one() {
        let of = |argument: &str| words(argument.as_bytes(), b"o").count();
        for argument in
            ["o", "./o", "a/o", "--to=o", "cat a o", "cat <o", "(cat 'o')", "cat ../o|b"]
        {
            assert_eq!(of(argument), 1, "{argument}");
        }
        for argument in ["", "/", "oo", "a.o", "o.c", "-o", "o/a", "echo foo"] {
            assert_eq!(of(argument), 0, "{argument}");
        }
    }
}
