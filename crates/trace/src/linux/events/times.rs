//! Shells that compare the times of two files.
//!
//! `[ f -nt g ]` reads the status of both files in a row. So does `[ -e f ] && [ -e g ]`, which is
//! what most scripts do. But a script's text shows which of them it can do. So two files that a
//! shell examines in a row are assumed to be compared if some shell of the run read a `-nt` or
//! `-ot`.

use super::{Made, Named, Place};
use crate::facts::{Class, Status};
use crate::linux::recorder::Recorder;
use crate::linux::tracee::{Target, Tracee, Unread};
use crate::linux::tree::{Id, Node};
use crate::linux::walk::End;
use rustix::fs::FileType;
use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;

/// The maximum size of a script that is searched; no person writes a longer one.
const LONGEST_SCRIPT: u64 = 1 << 20;
/// The number of a shell's arguments that are searched for a script.
const MOST_ARGUMENTS: u64 = 64;

impl Recorder {
    /// Notes that a shell reads the status of a file.
    pub(super) fn stat_in_a_shell(
        &mut self,
        made: &Made,
        place: Place,
        follows: bool,
    ) -> Result<(), Unread> {
        if !self.shells_compare_times {
            return Ok(());
        }
        let before = self.shell_stats.remove(&made.tracee.0);
        let Some(named) = self.named_but(made, place, false)? else { return Ok(()) };
        let End::At(spot) = self.find(made, &named, follows).end else { return Ok(()) };
        let Some(status) = spot.found.status() else { return Ok(()) };
        // Searching for commands does not depend on times.
        let is_tool =
            status.mode & 0o111 != 0 && self.places.is_system(self.tree[spot.id].path.to_bytes());
        let kind = status.kind();
        // A shell checks its working directory when it starts.
        let is_here = || match made.tracee.working_directory() {
            Ok(Target::Path(here)) => here == self.tree[spot.id].path.to_bytes(),
            _ => false,
        };
        let is_dated = match kind {
            FileType::RegularFile => !is_tool,
            FileType::Directory => !is_here(),
            _ => false,
        };
        if !is_dated {
            return Ok(());
        }
        if let Some(before) = before
            && before.id != spot.id
        {
            for spot in [before, spot] {
                if !spot.is_own {
                    self.note_time(spot.id);
                }
            }
        }
        self.shell_stats.insert(made.tracee.0, spot);
        Ok(())
    }

    /// Notes that a shell is about to be executed, with or without a script as an argument.
    pub(super) fn read_command_line(&mut self, made: &Made) {
        if self.shells_compare_times {
            return;
        }
        let arguments = made.arguments[if made.name == "execveat" { 2 } else { 1 }];
        let mut has_script = false;
        let mut text = Vec::new();
        for at in 1..MOST_ARGUMENTS {
            let mut pointer = [0; 8];
            let read = made.tracee.read(arguments + 8 * at, &mut pointer);
            let pointer = u64::from_le_bytes(pointer);
            if read.is_err() || pointer == 0 {
                break;
            }
            text.clear();
            if made.tracee.read_string(pointer, &mut text).is_err() {
                // The argument is too long.
                self.shells_compare_times = true;
            }
            has_script |= !text.starts_with(b"-") || text.starts_with(b"-c");
            self.shells_compare_times |= mentions_times(&text);
        }
        // A script that comes through a pipe cannot be inspected.
        self.shells_compare_times |= !has_script;
    }

    /// Notes that a shell opens a file, which may be its script.
    pub(super) fn read_by_a_shell(&mut self, made: &Made, named: &Named) {
        if self.shells_compare_times {
            return;
        }
        let End::At(spot) = self.find(made, named, true).end else { return };
        let is_file = |status: &Status| status.kind() == FileType::RegularFile;
        if !spot.found.status().is_some_and(is_file)
            || !spot.is_own && !self.read_by_shells.insert(spot.id)
        {
            return;
        }
        let path = self.tree[spot.id].path.clone();
        self.shells_compare_times |= match File::open(OsStr::from_bytes(path.to_bytes())) {
            Ok(file) => {
                let mut text = Vec::new();
                let read = file.take(LONGEST_SCRIPT).read_to_end(&mut text);
                read.is_err() || mentions_times(&text)
            }
            Err(_) => false,
        };
    }

    /// Notes that a program learns the time that a file had before the run.
    pub(super) fn note_time(&mut self, id: Id) {
        // For a folder, only `Details` includes the time.
        let before = self.tree[id].before;
        let is_folder = before.is_some_and(|it| it.status().is_some_and(Status::is_folder));
        let class = if is_folder { Class::Details } else { Class::Stat };
        self.note_bits(id, class.bit() | Node::TIMES);
    }

    /// Notes that a thread does something else; so did the shell that started it, if it is new.
    pub(super) fn forget_stat(&mut self, tracee: Tracee, is_new: bool) {
        if self.shell_stats.is_empty() {
            return;
        }
        self.shell_stats.remove(&tracee.0);
        if is_new && let Some(parent) = tracee.parent() {
            self.shell_stats.remove(&parent);
        }
    }
}

/// Returns whether a script contains an operator that compares times.
fn mentions_times(text: &[u8]) -> bool {
    let is_blank = |byte: Option<&u8>| byte.is_none_or(|byte| !byte.is_ascii_alphanumeric());
    text.windows(3)
        .enumerate()
        .any(|(at, word)| matches!(word, b"-nt" | b"-ot") && is_blank(text.get(at + 3)))
}

#[cfg(test)]
mod tests {
    use super::mentions_times;

    #[test]
    fn a_comparison_is_a_word_of_its_own() {
        for script in ["[ a -nt b ]", "test a -ot b", "op=-nt", "[[ a -nt b ]]"] {
            assert!(mentions_times(script.as_bytes()), "{script}");
        }
        for script in ["[ -f a ]", "cc -ntx", "", "-n"] {
            assert!(!mentions_times(script.as_bytes()), "{script}");
        }
    }
}
