//! The part of a result that is replayed, and its form.

/// The output of a hit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ReplayMode {
    /// Everything that was recorded
    #[default]
    All,
    /// Nothing, unless the exit status is not 0
    Errors,
    /// Nothing; the exit status alone is replayed
    None,
}

impl ReplayMode {
    /// Returns whether a result of this status is printed.
    pub fn prints(self, status: u8) -> bool {
        match self {
            ReplayMode::All => true,
            ReplayMode::Errors => status != 0,
            ReplayMode::None => false,
        }
    }
}

/// The removal of escape sequences from output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ColorStrip {
    /// Print them as they were recorded
    #[default]
    Never,
    /// Leave them out where the output goes to no terminal
    Auto,
    /// Leave them out
    Always,
}
