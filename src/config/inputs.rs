//! Files, folders and variables that are part of a key, as they were asked for.

use crate::values::{InputPattern, NamePattern};
use std::path::PathBuf;

/// The files that count.
#[derive(Clone, Debug, Default)]
pub struct InputFiles {
    /// Files, folders and patterns.
    pub patterns: Vec<InputPattern>,
    /// What lists more of them.
    pub list: Option<List>,
    /// Shell commands whose output counts.
    pub commands: Vec<String>,
    /// Whether files count that `.gitignore` leaves out.
    pub no_ignore: bool,
}

impl InputFiles {
    /// Whether there are none.
    pub fn are_none(&self) -> bool {
        self.patterns.is_empty() && self.list.is_none() && self.commands.is_empty()
    }
}

/// Where a list of files comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum List {
    /// Standard input, of which the command gets nothing then.
    Stdin,
    /// A file.
    File(PathBuf),
}

/// The folder whose place does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BaseFolder {
    /// This one.
    At(PathBuf),
    /// That of the repository around the working directory, else that itself.
    Repository,
}

/// Which variables count.
#[derive(Clone, Debug)]
pub enum EnvSelection {
    /// All but those of the session.
    All,
    /// These.
    Only(Vec<NamePattern>),
    /// All but those of the session and those that match.
    Except(Vec<NamePattern>),
    /// None.
    None,
}
