//! Scripts that call cachex with their own name.
//!
//! With `exec cachex run -- mytool "$@"` in a script called `mytool` that comes first on PATH,
//! cachex finds the script instead of the tool, and the script calls cachex again. As with ccache
//! in front of a compiler, the next `mytool` on PATH is meant.
//!
//! Only the process tree shows this: the inner cachex descends from one that was called for the
//! same name in the same folder. It reports that, skips the script and leaves a mark beside the
//! locks. The mark tells the outer cachex not to record the script's output, and to skip the script
//! at once the next time. It is removed with unused locks.
//!
//! This is checked only for scripts found on PATH that contain the word `cachex` and are followed
//! on PATH by another file of the same name; and never for a hit.

use super::Runner;
use super::identify::{Call, Unidentified};
use crate::args;
use crate::args::lean;
use crate::config;
use cachex_base::process::lineage::Lineage;
use cachex_base::record::entry::{Key, base_name};
use cachex_base::system::fsutil;
use cachex_base::system::hashing;
use cachex_base::system::stamp::Stamp;
use cachex_exec::invocation::{Executable, Resolved, is_cachex};
use cachex_store::Root;
use cachex_store::lock;
use rustix::fs::OFlags;
use std::cell::Cell;
use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// The state of a runner about such scripts.
#[derive(Default)]
pub struct Shims {
    /// The device and inode number of the skipped script.
    passed_over: Cell<Option<(u64, u64)>>,
    /// True if the command to run may be such a script.
    is_suspected: Cell<bool>,
}

/// The longest script that is searched; nobody writes a longer wrapper.
const LONGEST: u64 = 64 * 1024;

impl Runner<'_> {
    /// Finds the command to run, without the skipped script.
    pub(super) fn find_command(&self) -> Resolved {
        let passed_over = self.shims.passed_over.get();
        let path = config::var(self.vars, "PATH");
        self.invocation.resolve_unless(path, |found| Some(place(found)) == passed_over)
    }

    /// Returns whether this file is such a script, in place of which the next one on PATH is meant.
    /// From then on it is skipped.
    pub(super) fn passes_over(&self, root: Option<&Root>, found: &Executable) -> bool {
        if self.invocation.is_path() || !mentions_cachex(found) {
            return false;
        }
        let path = config::var(self.vars, "PATH");
        let behind = |it: &Executable| place(it) == place(found);
        let Resolved::Found(next) = self.invocation.resolve_unless(path, behind) else {
            return false;
        };
        let is_known = root.is_some_and(|root| is_marked(root, found));
        if !is_known {
            if !self.descends_from_its_like() {
                self.shims.is_suspected.set(true);
                return false;
            }
            let name = self.invocation.name().display();
            self.messages().wait(format_args!(
                "{} calls cachex for `{name}`, by which that is found again; running {}",
                found.path.display(),
                next.path.display()
            ));
            if let Some(root) = root {
                let _ = fsutil::create_file(root, mark_of(found), OFlags::WRONLY);
            }
        }
        self.shims.passed_over.set(Some(place(found)));
        true
    }

    /// Returns whether the command to run may turn out to be a script that calls cachex.
    pub(super) fn is_suspected(&self) -> bool {
        self.shims.is_suspected.get()
    }

    /// Returns whether the command that was run called cachex for itself.
    pub(super) fn called_itself(&self, root: &Root, found: &Executable) -> bool {
        self.is_suspected() && is_marked(root, found)
    }

    /// Returns the call of the command that is meant instead, if the one found is skipped, and
    /// whether it is another call.
    pub(super) fn beyond_itself(
        &self,
        root: &Root,
        call: Call,
    ) -> Result<(Call, bool), Unidentified> {
        let found = match &call.executable {
            Some(found) => Some(found.clone()),
            None => match self.find_command() {
                Resolved::Found(found) => Some(found),
                _ => None,
            },
        };
        if !found.is_some_and(|found| self.passes_over(Some(root), &found)) {
            return Ok((call, false));
        }
        self.again(root, call).map(|call| (call, true))
    }

    /// Returns whether an ancestor of this process is a cachex that was called in this folder for a
    /// command of this name.
    fn descends_from_its_like(&self) -> bool {
        let here = rustix::fs::stat(".").map(|stat| (stat.st_dev, stat.st_ino));
        let is_its_like = |pid: u32| {
            let there = rustix::fs::stat(format!("/proc/{pid}/cwd"));
            there.map(|stat| (stat.st_dev, stat.st_ino)) == here
                && called(pid).is_some_and(|command| command == self.invocation.name())
        };
        Lineage::own().ancestors().any(is_its_like)
    }
}

fn place(found: &Executable) -> (u64, u64) {
    let Stamp { dev, ino, .. } = Stamp::of(&found.stat);
    (dev, ino)
}

fn mentions_cachex(found: &Executable) -> bool {
    let mut text = Vec::new();
    let Ok(mut file) = File::open(&found.path) else { return false };
    let mut begin = [0; 2];
    file.read_exact(&mut begin).is_ok()
        && begin == *b"#!"
        && file.take(LONGEST).read_to_end(&mut text).is_ok()
        && memchr::memmem::find(&text, b"cachex").is_some()
}

/// Returns the name of the command that a process was called for, if it is a `cachex run`.
fn called(pid: u32) -> Option<OsString> {
    let line = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let line = line.strip_suffix(b"\0")?.split(|&byte| byte == 0);
    let mut args: Vec<OsString> = line.map(|word| OsString::from_vec(word.to_vec())).collect();
    let name = base_name(args.first()?.as_bytes());
    if !is_cachex(name) {
        // cachex may be called by the name of the command it runs.
        let file = std::fs::read_link(format!("/proc/{pid}/exe")).ok()?;
        let is_masked = file.file_name().is_some_and(|name| is_cachex(name.as_bytes()));
        return is_masked.then(|| OsString::from_vec(name.to_vec()));
    }
    if args::is_short_form(args.get(1..)?) {
        args.insert(1, args::RUN.into());
    }
    let [_, verb, rest @ ..] = args.as_slice() else { return None };
    let mut called = lean::read_or_parse(verb.to_str()?, rest).ok()??;
    let command = std::mem::take(&mut called.run_mut().command);
    command.into_iter().next()
}

/// Returns the path of the mark of a script in its current state.
fn mark_of(found: &Executable) -> std::path::PathBuf {
    let mut told = Vec::from(b"shim\0");
    let Stamp { size, mtime, .. } = Stamp::of(&found.stat);
    told.extend(size.to_le_bytes());
    told.extend(mtime.to_le_bytes());
    told.extend(found.place().as_os_str().as_bytes());
    lock::of_shim(&Key(*hashing::of(&told).as_bytes()))
}

fn is_marked(root: &Root, found: &Executable) -> bool {
    matches!(fsutil::stat(root, mark_of(found)), Ok(Some(_)))
}
