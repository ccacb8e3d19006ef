//! Results that stay on this machine even if the store is shared.
//!
//! They are neither requested from a remote store nor sent to one. The result itself says so, by
//! its tag, so that `cachex remote push` skips it even years later and under other settings.

mod commands;

use super::Runner;
use crate::config::var;
use cachex_base::record::entry::{Entry, MAX_TAGS};
use cachex_base::text::values::{AutoOutputs, Tag};
use cachex_exec::invocation::{Executable, Resolved};
use std::borrow::Cow;
use std::cell::OnceCell;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::{env, fmt, fs};

/// The reason why a result stays on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Home {
    /// The result has the tag that `--local` sets.
    Tagged,
    /// The command prints credentials.
    Credentials,
    /// The command prints facts about the machine it runs on.
    Machine,
    /// A `--portable` call with no declared dependencies: its key stays the same after everything
    /// in the project has changed.
    Unscoped,
    /// An automatic call that is not `--portable`: it identifies system files by their times.
    Times,
    /// An automatic call that may leave files anywhere.
    Anywhere,
}

/// Why a call's result stays, once that was asked for.
#[derive(Default)]
pub struct AtHome {
    why: OnceCell<Option<Home>>,
    by_place: OnceCell<Option<Home>>,
}

impl Runner<'_> {
    /// Returns why the result of this call stays on this machine, if it does.
    pub(super) fn home(&self) -> Option<Home> {
        *self.at_home.why.get_or_init(|| self.find_home())
    }

    fn find_home(&self) -> Option<Home> {
        if let Some(home) = self.home_by_options() {
            return Some(home);
        }
        if self.config.local == Some(false) {
            return None;
        }
        let words: Vec<&[u8]> = self.invocation.argv.iter().map(|word| word.as_bytes()).collect();
        commands::home(&words, b"").or_else(|| self.home_by_place(None, None))
    }

    /// Returns the reason given by what the command line does not say: the file of the command, the
    /// working directory and standard input. The file and the directory may be known.
    fn home_by_place(&self, known: Option<&Executable>, cwd: Option<&Path>) -> Option<Home> {
        *self.at_home.by_place.get_or_init(|| {
            let looked_up = || Cow::Owned(env::current_dir().unwrap_or_default());
            let folder = cwd.map_or_else(looked_up, Cow::Borrowed);
            self.find_home_in(folder.as_os_str().as_bytes())
                .or_else(home_by_input)
                .or_else(|| self.find_home_by_file(known))
        })
    }

    fn find_home_in(&self, folder: &[u8]) -> Option<Home> {
        let words = || self.invocation.argv.iter().map(|word| word.as_bytes());
        if !commands::is_near_secrets(folder, words()) {
            return None;
        }
        let words: Vec<&[u8]> = words().collect();
        commands::home(&words, folder)
    }

    /// Returns the reason given by the command's file, if that has another name.
    fn find_home_by_file(&self, known: Option<&Executable>) -> Option<Home> {
        let resolve = || match self.invocation.resolve(var(self.vars, "PATH")) {
            Resolved::Found(found) => Some(found),
            _ => None,
        };
        let found = known.cloned().or_else(resolve)?;
        let file = found.place().file_name()?.as_bytes();
        let name = self.invocation.name().as_bytes();
        if !commands::tells_more(file, name) {
            return None;
        }
        let rest = self.invocation.argv[1..].iter().map(|word| word.as_bytes());
        let words: Vec<&[u8]> = [file].into_iter().chain(rest).collect();
        commands::home(&words, b"")
    }

    /// Returns the reason given by the options alone.
    fn home_by_options(&self) -> Option<Home> {
        if self.config.tags.iter().any(|tag| tag.0 == Tag::LOCAL) {
            return Some(Home::Tagged);
        }
        let identity = &self.config.identity;
        match &identity.auto {
            Some(_) if !identity.portable => return Some(Home::Times),
            Some(auto) if auto.outputs == AutoOutputs::All => return Some(Home::Anywhere),
            Some(_) => return None,
            None => {}
        }
        let is_unscoped = identity.portable
            && identity.inputs.are_none()
            && identity.scope.is_none()
            && identity.key.is_none();
        is_unscoped.then_some(Home::Unscoped)
    }

    /// Returns the tags to record, including those that do not appear on the command line.
    pub(super) fn tags_to_record(
        &self,
        executable: Option<&Executable>,
        cwd: Option<&Path>,
    ) -> Vec<String> {
        let mut tags: Vec<String> = self.config.tags.iter().map(|tag| tag.0.clone()).collect();
        let home = self.home_by_options();
        // Nothing says so later.
        let by_place =
            || self.config.local.is_none() && self.home_by_place(executable, cwd).is_some();
        let is_for_good = matches!(home, Some(Home::Unscoped | Home::Anywhere)) || by_place();
        let local = is_for_good.then(|| Tag::LOCAL.to_owned());
        let platform = self.config.identity.platform.as_ref();
        let platform = platform.map(|name| format!("{}{name}", Tag::PLATFORM));
        if local.is_some() || platform.is_some() {
            tags.extend(local.into_iter().chain(platform));
            tags.sort();
            tags.dedup();
            tags.truncate(MAX_TAGS);
        }
        tags
    }
}

/// Returns the reason given by the file on standard input, if there is one.
fn home_by_input() -> Option<Home> {
    let file = fs::read_link("/proc/self/fd/0").ok()?;
    let file = file.as_os_str().as_bytes();
    // Mostly, it is no file.
    let is_file = file.starts_with(b"/") && !file.starts_with(b"/dev/");
    (is_file && commands::is_secret_file(file)).then_some(Home::Credentials)
}

/// Returns why a recorded result stays on this machine, if it does. `local` is the setting for its
/// command.
pub fn of(entry: &Entry, local: Option<bool>) -> Option<Home> {
    let about = &entry.about;
    if about.tags.iter().any(|tag| tag == Tag::LOCAL) {
        return Some(Home::Tagged);
    }
    match local {
        Some(true) => return Some(Home::Tagged),
        Some(false) => return None,
        None => {}
    }
    let words: Vec<&[u8]> = about.argv.iter().map(|word| &word[..]).collect();
    // The rest of a truncated script is not known.
    let is_hidden = about.cut && commands::is_open_ended(&words);
    commands::home(&words, b"").or(is_hidden.then_some(Home::Credentials))
}

impl fmt::Display for Home {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Home::Tagged => "it has the tag `local`",
            Home::Credentials => {
                "the command may print credentials; `local = false` in its rule in config.toml, \
                 or CACHEX_LOCAL=false, has it shared"
            }
            Home::Machine => {
                "what the command prints is about this machine; `local = false` in its rule in \
                 config.toml, or CACHEX_LOCAL=false, has it shared"
            }
            Home::Unscoped => {
                "nothing says what a --portable call depends on; name it with --input, or with \
                 --scope or --key"
            }
            Home::Times => "results of --auto are only shared with --portable",
            Home::Anywhere => "with --auto-outputs all, it may write anywhere",
        })
    }
}
