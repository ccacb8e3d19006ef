//! The options of automatic calls, which find out what the command reads.

#[allow(clippy::wildcard_imports, reason = "the macro names all of it")]
use super::*;
use cachex_base::text::values::{AutoAllow, AutoOutputs, AutoQuirks, AutoTimes, PathPattern};

options! {
    /// The options of automatic calls.
    pub struct AutoArgs {
        /// Trace what the command reads, and replay as long as all of it is unchanged
        auto: bool = configurable AUTO, "auto", switch, AUTO;
        /// With --auto, ignore these files: a file, a folder or a pattern
        auto_ignore: Vec<PathPattern> = configurable AUTO_IGNORE, "auto-ignore",
            paths(PathPattern::from_str) "GLOB" hint AnyPath, AUTO;
        /// With --auto, which modification times are part of the key [default: auto]
        auto_times: Option<AutoTimes> = configurable AUTO_TIMES, "auto-times",
            choice(AutoTimes) "WHICH", AUTO;
        /// With --auto, record runs that use this, too
        auto_allow: Vec<AutoAllow> = configurable AUTO_ALLOW, "auto-allow",
            choices(AutoAllow) "WHAT", AUTO;
        /// With --auto, which of the files written are recorded [default: below]
        auto_outputs: Option<AutoOutputs> = configurable AUTO_OUTPUTS, "auto-outputs",
            choice(AutoOutputs) "WHICH", AUTO;
        /// With --auto, what is known of programs that look at their own output [default: auto]
        auto_quirks: Option<AutoQuirks> = configurable AUTO_QUIRKS, "auto-quirks",
            choice(AutoQuirks) "WHICH", AUTO;
    }
}
