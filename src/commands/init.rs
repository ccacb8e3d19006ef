//! `cachex init`: integrates cachex with a shell.

use crate::args::InitShell;
use cachex_base::process::exit::Exit;
use std::io::Write;

/// Prints the script that a shell evaluates when it starts.
pub fn init(shell: InitShell) -> Exit {
    let script = match shell {
        InitShell::Bash => include_str!("init/bash.sh"),
        InitShell::Zsh => include_str!("init/zsh.zsh"),
        InitShell::Fish => include_str!("init/fish.fish"),
    };
    let _ = std::io::stdout().lock().write_all(script.as_bytes());
    Exit::SUCCESS
}
