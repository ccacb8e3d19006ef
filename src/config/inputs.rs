//! The files, folders and variables that are part of a key, as configured.

use cachex_base::text::values::{InputPattern, NamePattern};
use std::path::PathBuf;

/// The input files.
#[derive(Clone, Debug, Default)]
pub struct InputFiles {
    /// Files, folders and patterns.
    pub patterns: Vec<InputPattern>,
    /// A list of more files.
    pub list: Option<List>,
    /// Shell commands whose output is part of the key.
    pub commands: Vec<String>,
    /// True if files that `.gitignore` excludes are included.
    pub no_ignore: bool,
}

impl InputFiles {
    /// Returns whether there are no inputs.
    pub fn are_none(&self) -> bool {
        self.patterns.is_empty() && self.list.is_none() && self.commands.is_empty()
    }
}

/// The source of a list of files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum List {
    /// Standard input, which the command then does not get.
    Stdin,
    /// A file.
    File(PathBuf),
}

/// The folder whose location is not part of the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BaseFolder {
    /// A given folder.
    At(PathBuf),
    /// The root of the repository around the working directory, or else the working directory.
    Repository,
}

/// The variables that are part of the key.
#[derive(Clone, Debug)]
pub enum EnvSelection {
    /// All except those of the session.
    All,
    /// These variables only.
    Only(Vec<NamePattern>),
    /// All except those of the session and those that match.
    Except(Vec<NamePattern>),
    /// No variables.
    None,
}
