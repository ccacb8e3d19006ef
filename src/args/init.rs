//! The command line of `init`.

/// The text below the help.
pub const AFTER: &str = "\
In ~/.bashrc:                    eval \"$(cachex init bash)\"
In ~/.zshrc, after compinit:     eval \"$(cachex init zsh)\"
In ~/.config/fish/config.fish:   cachex init fish | source

It defines `cached`, which wraps a command, an alias or a function for the session;
`cached_prompt`, which shows in a prompt what a command printed last and never waits
for it; and the completions, which are read when the first one is asked for.

Examples:
  cached kubectl 10m
  cached gh 5m --refresh-after 1m
  cached -d kubectl
  PS1='$(cached_prompt git --no-optional-locks branch --show-current) $ '";

/// A shell that can be at home with cachex.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum InitShell {
    Bash,
    Zsh,
    Fish,
}
