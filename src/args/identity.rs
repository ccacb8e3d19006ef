//! The options that decide which calls share a result.

use super::{AutoArgs, INPUTS, KEY, STORE};
use cachex_base::text::values::{self, ExeMode, InputPattern, NamePattern, StdinMode, text};
use clap::{Args, ValueHint};
use std::ffi::OsString;
use std::path::PathBuf;
use std::str::FromStr;

/// The options that decide which calls share a result.
#[derive(Args, Clone, Debug, Default, PartialEq)]
pub struct IdentityArgs {
    /// Use the settings of this section of config.toml, `[profile.NAME]`
    #[arg(long, value_name = "NAME", value_parser = text(String::from_str), help_heading = STORE)]
    pub profile: Option<String>,
    /// Choose how the executable is part of the key [default: stat]
    #[arg(long, value_name = "HOW", value_enum, help_heading = KEY)]
    pub exe: Option<ExeMode>,
    /// Leave the working directory out of the key
    #[arg(long, help_heading = KEY)]
    pub no_cwd: bool,
    /// Make only these variables part of the key: names, or patterns such as `AWS_*`; `+` in front adds to the settings
    #[arg(short, long, value_name = "GLOB,…", value_delimiter = ',', help_heading = KEY)]
    #[arg(value_parser = text(NamePattern::from_str), conflicts_with_all = ["ignore_env", "no_env"])]
    pub env: Option<Vec<NamePattern>>,
    /// Leave the variables that match these patterns out of the key; `+` in front adds to the settings
    #[arg(long, value_name = "GLOB,…", value_delimiter = ',', help_heading = KEY)]
    #[arg(value_parser = text(NamePattern::from_str), conflicts_with = "no_env")]
    pub ignore_env: Option<Vec<NamePattern>>,
    /// Leave all variables out of the key
    #[arg(long, help_heading = KEY)]
    pub no_env: bool,
    /// Choose what the command reads, and whether that is part of the key [default: hash]
    #[arg(long, value_name = "HOW", value_enum, help_heading = KEY)]
    pub stdin: Option<StdinMode>,
    /// Add this text to the key, for anything else that the output depends on
    #[arg(short, long, value_name = "TEXT", help_heading = KEY)]
    pub key: Option<OsString>,
    /// Keep the results of this scope apart from those of others
    #[arg(long, value_name = "NAME", value_parser = text(String::from_str), help_heading = KEY)]
    pub scope: Option<String>,
    /// Add these files to the key: a file, a folder or a pattern; `!` in front excludes
    #[arg(short, long, value_name = "GLOB", value_parser = text(InputPattern::from_str), help_heading = INPUTS)]
    #[arg(value_hint = ValueHint::AnyPath)]
    pub input: Vec<InputPattern>,
    /// Add every file listed in this file to the key, one per line; `-` reads standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = INPUTS)]
    pub input_from: Option<PathBuf>,
    /// Add the output of this shell command to the key
    #[arg(long, value_name = "CMD", value_hint = ValueHint::CommandString, help_heading = INPUTS)]
    #[arg(value_parser = text(values::shell_command))]
    pub input_command: Vec<String>,
    /// Add files to the key even if `.gitignore` excludes them
    #[arg(long, help_heading = INPUTS)]
    pub no_ignore: bool,
    /// Make paths below this folder relative to it in the key
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, help_heading = KEY)]
    pub base_dir: Option<PathBuf>,
    /// Share results between machines and checkouts, see cachex-key(7)
    #[arg(long, help_heading = KEY)]
    pub portable: bool,
    /// Make this name part of the key, in place of what is known of the platform: `any`, or a name of yours
    #[arg(long, value_name = "NAME", value_parser = text(values::platform), help_heading = KEY)]
    pub platform: Option<String>,
    #[command(flatten)]
    pub auto: AutoArgs,
}
