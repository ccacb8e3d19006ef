//! `cachex init`: what makes a shell at home with cachex.

use crate::args::InitShell;
use cachex_base::process::exit::Exit;
use std::io::Write;

/// Prints what the shell is to evaluate when it starts.
pub fn init(shell: InitShell) -> Exit {
    let script = match shell {
        InitShell::Bash => include_str!("init/bash.sh"),
        InitShell::Zsh => include_str!("init/zsh.zsh"),
        InitShell::Fish => include_str!("init/fish.fish"),
    };
    let _ = std::io::stdout().lock().write_all(script.as_bytes());
    Exit::SUCCESS
}
