//! The options of `sh`.

#[allow(clippy::wildcard_imports, reason = "the macro names all of it")]
use super::*;
use cachex_base::text::values;

options! {
    /// A script, and how it is run.
    pub struct ShArgs flatten run: RunArgs {
        /// Run the script with this shell, by name or by path [default: /bin/sh]
        shell: Option<String> = configurable SHELL, "shell",
            text(values::shell) "SHELL" hint CommandName, RUNNING;
    }
}
