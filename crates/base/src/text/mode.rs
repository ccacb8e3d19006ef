//! The modes of using a store.

/// The use of the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
pub enum Mode {
    /// Replay recorded results, and record runs
    #[default]
    ReadWrite,
    /// Replay recorded results, and record nothing
    ReadOnly,
    /// Always run the command, and record it
    WriteOnly,
    /// Run as if cachex were not there
    Off,
}

impl Mode {
    /// Returns whether a recorded value may be served.
    pub fn reads(self) -> bool {
        matches!(self, Mode::ReadWrite | Mode::ReadOnly)
    }

    /// Returns whether computed values are recorded.
    pub fn writes(self) -> bool {
        matches!(self, Mode::ReadWrite | Mode::WriteOnly)
    }
}
