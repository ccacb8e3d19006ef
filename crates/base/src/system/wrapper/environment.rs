//! What a wrapper changes for the command behind it: variables and the working directory.

use super::Lookup;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// An environment that is another one with some changes.
#[derive(Clone)]
pub struct Environment<'o> {
    /// Looks up variables in the environment before the changes.
    outer: Lookup<'o>,
    /// True if nothing of that environment is left.
    is_empty: bool,
    /// The new values, and the variables that are removed.
    changes: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    /// The working directory, if it is another one. A relative path is relative to the present
    /// one.
    folder: Option<PathBuf>,
}

impl<'o> Environment<'o> {
    /// Creates an environment without changes.
    pub fn new(outer: Lookup<'o>) -> Environment<'o> {
        Environment { outer, is_empty: false, changes: BTreeMap::new(), folder: None }
    }

    /// Returns the value of a variable.
    pub fn value(&self, name: &str) -> Option<&OsStr> {
        match self.changes.get(name.as_bytes()) {
            Some(value) => value.as_deref().map(OsStr::from_bytes),
            None if self.is_empty => None,
            None => (self.outer)(name),
        }
    }

    /// Returns a path of this environment as seen from the present working directory.
    pub fn at(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = path.as_ref();
        self.folder.as_ref().map_or_else(|| path.to_owned(), |folder| folder.join(path))
    }

    /// Returns the paths at which a command is looked for, in order, as seen from the present
    /// working directory.
    pub fn places(&self, command: &OsStr) -> Vec<PathBuf> {
        if command.as_bytes().contains(&b'/') {
            return vec![self.at(command)];
        }
        // Programs search these folders when PATH is not set.
        let path = self.value("PATH").map_or(&b"/bin:/usr/bin"[..], OsStr::as_bytes);
        let folders = path.split(|&byte| byte == b':').map(|folder| {
            // An empty folder is the working directory.
            if folder.is_empty() { b"." } else { folder }
        });
        folders.map(|folder| self.at(OsStr::from_bytes(folder)).join(command)).collect()
    }

    /// Applies the changes to a process that inherits the environment before them. A relative path
    /// given to it is relative to the new working directory.
    pub fn apply(&self, command: &mut Command) {
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        if self.is_empty {
            command.env_clear();
        }
        for (name, value) in &self.changes {
            let name = OsStr::from_bytes(name);
            // The system takes no other names.
            match value {
                _ if name.is_empty() => {}
                Some(value) => {
                    command.env(name, OsStr::from_bytes(value));
                }
                None => {
                    command.env_remove(name);
                }
            }
        }
    }

    /// Removes all variables.
    pub(super) fn clear(&mut self) {
        self.is_empty = true;
        self.changes.clear();
    }

    /// Sets a variable, or removes it.
    pub(super) fn change(&mut self, name: Vec<u8>, value: Option<Vec<u8>>) {
        self.changes.insert(name, value);
    }

    /// Sets a variable to the text after the first `=` of this word; removes it if there is none.
    pub(super) fn assign(&mut self, word: &[u8]) {
        let mut sides = word.splitn(2, |&byte| byte == b'=').map(<[u8]>::to_vec);
        let name = sides.next().unwrap_or_default();
        self.change(name, sides.next());
    }

    /// Changes the working directory.
    pub(super) fn enter(&mut self, folder: OsString) {
        self.folder = Some(self.at(folder));
    }
}
