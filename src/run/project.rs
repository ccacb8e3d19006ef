//! Which project a call belongs to that may be made in any folder.
//!
//! `make test` is another call in another project. A repository is known by its first
//! commit, which all of its clones have in common, and which a shallow one does not
//! know: there a scope says it.

use super::Runner;
use cachex_base::system::null;
use cachex_base::system::platform::Part;
use cachex_base::system::signals;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// The name of the part.
const NAME: &str = "project";

impl Runner<'_> {
    /// What says which project a portable call belongs to; none where `--scope` does, or
    /// where the files that count say what it depends on.
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

/// The first commit of the repository that a folder is the top of.
fn first_commit(folder: &Path) -> Option<String> {
    let git = folder.join(".git");
    if !git.exists() || git.join("shallow").exists() {
        return None;
    }
    signals::notice_children();
    let mut command = Command::new("git");
    command.args(["rev-list", "--first-parent", "--max-parents=0", "HEAD"]);
    // Whoever calls may be a hook, for which another repository is meant.
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
