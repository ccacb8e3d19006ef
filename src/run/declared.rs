//! Declared key components of a call: input files, output of input commands, and folders whose
//! location is not part of the key.

use super::{Call, Runner};
use crate::config::{BaseFolder, List, var};
use crate::files::base::Base;
use crate::files::inputs::{Refused, Snapshot, Wanted};
use crate::key::Declared;
use anyhow::{Context, Result, bail};
use cachex_base::process::fallback;
use cachex_base::record::entry::Key;
use cachex_base::system::fsutil;
use cachex_base::system::null;
use cachex_base::system::platform;
use cachex_base::system::signals;
use cachex_exec::stdin::Source;
use cachex_store::Root;
use rustix::event::{PollFd, PollFlags};
use rustix::fs::{Mode, OFlags};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// The reason why the declared key components cannot be determined.
pub(super) enum Undeclared {
    /// The declaration is wrong.
    Mistaken(String),
    /// A component could not be read or computed.
    Unknown(anyhow::Error),
}

/// The declared key components of a call, and the files listed for it.
#[derive(Default)]
pub(super) struct Found {
    pub declared: Declared,
    pub listed: Vec<PathBuf>,
}

impl Runner<'_> {
    /// Determines the declared key components.
    pub(super) fn declare(&self, root: Option<&Root>) -> Result<Found, Undeclared> {
        let identity = &self.config.identity;
        let mut found = Found::default();
        if identity.base.is_some() {
            found.declared.base = self.base();
        }
        if let Some(name) = &identity.platform {
            found.declared.platform.push(platform::named(name));
        } else if identity.portable {
            let words = self.invocation.argv.iter().map(|arg| arg.as_bytes());
            let values = self.vars.iter().map(|(_, value)| value.as_bytes());
            found.declared.platform = platform::parts(words.chain(values));
        }
        if identity.portable {
            found.declared.platform.extend(self.project());
        }
        let inputs = &identity.inputs;
        if inputs.are_none() {
            return Ok(found);
        }
        if let Some(list) = &inputs.list {
            found.listed = listed(list)?;
        }
        if !inputs.patterns.is_empty() || inputs.list.is_some() {
            let snapshot = Snapshot::take(root, &self.wanted(root, &found.listed));
            let snapshot = snapshot.map_err(|refused| match refused {
                Refused::Missing(_) => Undeclared::Mistaken(refused.to_string()),
                Refused::Unreadable(..) => Undeclared::Unknown(anyhow::anyhow!("{refused}")),
            })?;
            if let Some(pattern) = &snapshot.unmatched {
                self.messages().warn(format_args!("--input {pattern} matches nothing"));
            }
            found.declared.inputs = Some(snapshot);
        }
        found.declared.printed = self.printed().map_err(Undeclared::Unknown)?;
        Ok(found)
    }

    /// Returns a message about a declared input of a call that has changed, if any.
    pub(super) fn inputs_changed(&self, root: &Root, call: &Call) -> Option<String> {
        let Found { declared, listed } = &call.found;
        if let Some(inputs) = &declared.inputs
            && let Some(path) = inputs.changed(&self.wanted(Some(root), listed))
        {
            return Some(format!("the input {} changed while it ran", path.display()));
        }
        if !declared.printed.is_empty() && self.printed().ok().as_ref() != Some(&declared.printed) {
            return Some("what an --input-command prints changed while it ran".to_owned());
        }
        None
    }

    fn wanted<'w>(&'w self, root: Option<&'w Root>, listed: &'w [PathBuf]) -> Wanted<'w> {
        let inputs = &self.config.identity.inputs;
        Wanted {
            patterns: &inputs.patterns,
            listed,
            no_ignore: inputs.no_ignore,
            outputs: &self.config.outputs,
            store: root.and_then(|root| root.path().parent()),
            store_limit: self.config.max_size,
            portable: self.config.identity.portable,
        }
    }

    /// Returns the canonical path of the folder whose location is not part of the key.
    pub(super) fn base_folder(&self) -> Option<PathBuf> {
        match self.config.identity.base.as_ref()? {
            BaseFolder::At(path) => path.canonicalize().ok().or_else(|| Some(path.clone())),
            BaseFolder::Repository => std::env::current_dir().ok().map(repository),
        }
    }

    fn base(&self) -> Base {
        let identity = &self.config.identity;
        let folder = self.base_folder();
        let home = identity.portable.then(|| var(self.vars, "HOME")).flatten().map(Path::new);
        // The shell's logical path of the working directory, if it is below this folder.
        let logical = var(self.vars, "PWD").map(Path::new).filter(|pwd| pwd.is_absolute());
        let mut base = Base::new(folder.as_deref(), home);
        if let (Some(folder), Some(logical)) = (&folder, logical) {
            base.also(folder, logical);
        }
        base
    }

    /// Returns a hash of the output of each --input-command.
    fn printed(&self) -> Result<Vec<(String, Key)>> {
        let commands = &self.config.identity.inputs.commands;
        commands.iter().map(|command| Ok((command.clone(), hash_of_output(command)?))).collect()
    }
}

/// Returns the repository that contains a folder, else the folder itself.
fn repository(folder: PathBuf) -> PathBuf {
    let found = folder.ancestors().find(|above| above.join(".git").exists()).map(Path::to_owned);
    found.unwrap_or(folder)
}

/// Returns the listed files. Names end with a newline, or with a zero byte if there is one.
fn listed(list: &List) -> Result<Vec<PathBuf>, Undeclared> {
    let text = match list {
        List::Stdin => {
            let mut text = Vec::new();
            fallback::is_too_late();
            let read = std::io::stdin().lock().read_to_end(&mut text);
            read.context("reading the list of inputs from standard input").map(|_| text)
        }
        List::File(path) if !path.exists() => {
            let path = path.display();
            return Err(Undeclared::Mistaken(format!(
                "--input-from {path}: there is no such file"
            )));
        }
        List::File(path) => read_list(path)
            .with_context(|| format!("reading the list of inputs {}", path.display())),
    };
    let text = text.map_err(Undeclared::Unknown)?;
    let end = if text.contains(&0) { 0 } else { b'\n' };
    let names = text.split(|&byte| byte == end).filter(|name| !name.is_empty());
    let plain = |name: &[u8]| {
        let path = Path::new(OsStr::from_bytes(name));
        path.strip_prefix(".").unwrap_or(path).to_owned()
    };
    Ok(names.map(plain).collect())
}

/// Reads a list. A named pipe without a writer is an error after a short wait. An unnamed pipe, as
/// a shell makes it, has or had its writer.
fn read_list(path: &Path) -> io::Result<Vec<u8>> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let mut list = File::from(fsutil::retry(|| rustix::fs::open(path, flags, Mode::empty()))?);
    let mut text = Vec::new();
    let is_named = list.metadata()?.file_type().is_fifo() && !is_unnamed(&list);
    if is_named {
        let mut first = [0];
        match list.read(&mut first) {
            Ok(1..) => text.extend(first),
            // The pipe has a writer.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
            Ok(0) => {
                let mut watched = [PollFd::new(&list, PollFlags::IN)];
                if fsutil::poll(&mut watched, Some(WRITERS_TIME))? == 0 {
                    return Err(io::Error::other("nobody writes to this pipe"));
                }
            }
        }
    }
    rustix::fs::fcntl_setfl(&list, OFlags::empty())?;
    list.read_to_end(&mut text)?;
    Ok(text)
}

/// Returns whether a pipe is unnamed.
fn is_unnamed(pipe: &File) -> bool {
    #[cfg(target_os = "linux")]
    {
        const PIPEFS: u64 = 0x5049_5045;
        rustix::fs::fstatfs(pipe).is_ok_and(|stat| stat.f_type as u64 == PIPEFS)
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = pipe;
        false
    }
}

/// The time to wait for a writer of a named pipe.
const WRITERS_TIME: Duration = Duration::from_secs(1);

/// The most bytes shown of a failed command's standard error.
const EXCERPT: usize = 200;

fn hash_of_output(command: &str) -> Result<Key> {
    signals::notice_children();
    let mut complaint = tempfile::tempfile().context("making a temporary file")?;
    let mut child = Command::new("/bin/sh")
        .args(["-c", command])
        .stdin(null::input().context("opening an empty standard input")?)
        .stdout(Stdio::piped())
        .stderr(complaint.try_clone().context("making a temporary file")?)
        .spawn()
        .with_context(|| format!("starting --input-command `{command}`"))?;
    let mut hasher = blake3::Hasher::new();
    if let Some(stdout) = child.stdout.take() {
        hasher.update_reader(stdout).with_context(|| format!("reading what `{command}` prints"))?;
    }
    let status = child.wait().with_context(|| format!("waiting for `{command}`"))?;
    if !status.success() {
        let mut said = String::new();
        let _ = complaint.rewind();
        let _ = complaint.take(EXCERPT as u64).read_to_string(&mut said);
        let said = said.lines().next().map(|line| format!(": {line}")).unwrap_or_default();
        bail!("--input-command `{command}` failed ({status}){said}");
    }
    Ok(Key(*hasher.finalize().as_bytes()))
}

impl Undeclared {
    /// Returns the command's standard input: null if the list of inputs was read from it.
    pub(super) fn source(list: Option<&List>) -> Source {
        if list == Some(&List::Stdin) { Source::Null } else { Source::Inherit }
    }
}
