//! The options of `trace`.

use clap::{Args, ValueEnum, ValueHint};
use std::ffi::OsString;
use std::path::PathBuf;

/// The text below the help.
pub const AFTER: &str = "\
Linux only, on x86-64 and AArch64. Where a command cannot be traced it is run all the
same, and the reason is given; `cachex doctor` says it, too.

Exit status: the command's own, a death by signal included. 125 if cachex was misused,
126 if the command cannot be executed, 127 if it was not found.

Examples:
  cachex trace -- gcc -c main.c
  cachex trace --format make --output main.d -- gcc -c main.c
  cachex trace --declare -- ./report.py";

#[derive(Args, Debug)]
pub struct TraceArgs {
    /// Choose how the list is written
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    pub format: TraceFormat,
    /// Write the list to this file instead of standard error
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,
    /// Print the call of `cachex run` that declares these files as inputs and outputs
    #[arg(long, conflicts_with = "format")]
    pub declare: bool,
    /// Include the files of the system: those below /usr, /etc and the like
    #[arg(long)]
    pub all: bool,
    /// The command and its arguments
    #[arg(required = true, trailing_var_arg = true, value_name = "CMD")]
    #[arg(value_hint = ValueHint::CommandWithArguments)]
    pub command: Vec<OsString>,
}

/// The format of the list of a traced command's files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TraceFormat {
    /// A line for each file, for people
    Text,
    /// One JSON object
    Json,
    /// A rule for make: what was written depends on what was read
    Make,
    /// A depfile for ninja
    Ninja,
}
