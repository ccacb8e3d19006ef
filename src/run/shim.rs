//! A script that calls cachex with its own name.
//!
//! With `exec cachex run -- mytool "$@"` in a script called `mytool` that comes first on
//! PATH, cachex finds the script where the tool is meant, and that finds cachex again. As
//! with a compiler in front of which ccache stands, the next `mytool` on PATH is meant.
//!
//! Nothing but the process tree shows it: the inner cachex descends from one that was
//! called for the same name in the same folder. It says so, passes the script over and
//! leaves a mark beside the locks, by which the outer one does not record what the script
//! printed, and passes it over at once the next time. The mark goes with unused locks.
//!
//! All of this is asked only of scripts that were found on PATH, have the word `cachex` in
//! them and another file of their name behind them; and never on the way of a hit.

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

/// What a runner knows of such scripts.
#[derive(Default)]
pub struct Shims {
    /// The one that is passed over: its file system, and which file it is there.
    passed_over: Cell<Option<(u64, u64)>>,
    /// What is to be run may be one.
    is_suspected: Cell<bool>,
}

/// Nobody writes a longer script around another command.
const LONGEST: u64 = 64 * 1024;

impl Runner<'_> {
    /// What is run, as far as it is not passed over.
    pub(super) fn find_command(&self) -> Resolved {
        let passed_over = self.shims.passed_over.get();
        let path = config::var(self.vars, "PATH");
        self.invocation.resolve_unless(path, |found| Some(place(found)) == passed_over)
    }

    /// Whether this was found where the next one on PATH is meant. From then on it is
    /// passed over.
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

    /// Whether what is to be run may turn out to call cachex for itself.
    pub(super) fn is_suspected(&self) -> bool {
        self.shims.is_suspected.get()
    }

    /// Whether what was run did that.
    pub(super) fn called_itself(&self, root: &Root, found: &Executable) -> bool {
        self.is_suspected() && is_marked(root, found)
    }

    /// The call of what is meant instead, if what was found is passed over.
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

    /// Whether a process that led to this one is a cachex that was called in this folder
    /// for a command of this name.
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

/// The name of the command that a process was called for, if it is a `cachex run`.
fn called(pid: u32) -> Option<OsString> {
    let line = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let line = line.strip_suffix(b"\0")?.split(|&byte| byte == 0);
    let mut args: Vec<OsString> = line.map(|word| OsString::from_vec(word.to_vec())).collect();
    let name = base_name(args.first()?.as_bytes());
    if !is_cachex(name) {
        // By the name of what it runs.
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

/// The mark of a script, as it is now.
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
