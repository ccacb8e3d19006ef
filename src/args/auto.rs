//! The options of automatic calls, which find out what the command reads.

use cachex_base::text::values::{AutoAllow, AutoOutputs, AutoQuirks, AutoTimes, PathPattern, text};
use clap::{Args, ValueHint};
use std::str::FromStr;

const AUTO: &str = "Automatic inputs";

#[derive(Args, Clone, Debug, Default, PartialEq)]
pub struct AutoArgs {
    /// Trace what the command reads, and replay as long as all of it is unchanged
    #[arg(long, help_heading = AUTO)]
    pub auto: bool,
    /// With --auto, ignore these files: a file, a folder or a pattern
    #[arg(long, value_name = "GLOB", value_parser = text(PathPattern::from_str), help_heading = AUTO)]
    #[arg(value_hint = ValueHint::AnyPath)]
    pub auto_ignore: Vec<PathPattern>,
    /// With --auto, which modification times are part of the key [default: auto]
    #[arg(long, value_name = "WHICH", value_enum, help_heading = AUTO)]
    pub auto_times: Option<AutoTimes>,
    /// With --auto, record runs that use this, too
    #[arg(long, value_name = "WHAT", value_enum, help_heading = AUTO)]
    pub auto_allow: Vec<AutoAllow>,
    /// With --auto, which of the files written are recorded [default: below]
    #[arg(long, value_name = "WHICH", value_enum, help_heading = AUTO)]
    pub auto_outputs: Option<AutoOutputs>,
    /// With --auto, what is known of programs that look at their own output [default: auto]
    #[arg(long, value_name = "WHICH", value_enum, help_heading = AUTO)]
    pub auto_quirks: Option<AutoQuirks>,
}
