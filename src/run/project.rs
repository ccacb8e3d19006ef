//! The project of a call that may be made in any folder.
//!
//! `make test` is a different call in another project. A repository is identified by its first
//! commit, which all of its clones share. A shallow clone does not know that commit and needs a
//! scope.

use super::Runner;
use cachex_base::system::null;
use cachex_base::system::platform::Part;
use cachex_base::system::signals;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// The name of the key component.
const NAME: &str = "project";

impl Runner<'_> {
    /// Returns the key component that identifies the project of a portable call. Returns none if
    /// `--scope` does that, or if input files define the call's dependencies.
    pub(super) fn project(&self) -> Option<Part> {
        let identity = &self.config.identity;
        if identity.scope.is_some() {
            return None;
        }
        let folder = self.base_folder()?;
        if let Some(commit) = first_commit(&folder) {
            return Some((NAME, commit));
        }
        let name = || folder.as_os_str().as_bytes().escape_ascii().to_string();
        let is_unknown = identity.inputs.are_none() && identity.auto.is_none();
        is_unknown.then(|| (NAME, name()))
    }
}

/// Returns the first commit of the repository whose top is this folder.
fn first_commit(folder: &Path) -> Option<String> {
    let git = folder.join(".git");
    if !git.exists() || git.join("shallow").exists() {
        return None;
    }
    signals::notice_children();
    let mut command = Command::new("git");
    command.args(["rev-list", "--first-parent", "--max-parents=0", "HEAD"]);
    // The caller may be a hook that is set up for another repository.
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"] {
        command.env_remove(name);
    }
    let nothing = || null::input().map(Stdio::from).ok();
    command.current_dir(folder).stdin(nothing()?).stderr(Stdio::null());
    let output = command.output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let commit = text.lines().last()?.trim();
    let is_a_hash = commit.len() >= 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    (output.status.success() && is_a_hash).then(|| commit.to_owned())
}
