//! The values of the options of automatic calls.

/// The modification times that are part of the key of an automatic call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum AutoTimes {
    /// Of files that are looked at and not read, and of all that make and its like look at
    #[default]
    Auto,
    /// Of all files that the command looks at
    All,
    /// Of no file
    None,
}

/// The known exceptions for programs that look at their own output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum AutoQuirks {
    /// An output of a compiler or a linker that is there already is as good as none
    #[default]
    Auto,
    /// Nothing: it is part of the key that it is there, and its time
    None,
}

/// The conditions that do not keep an automatic call from being recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum AutoAllow {
    /// The network: its answers are assumed to stay the same
    Network,
}

/// The files written by an automatic call that are recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum AutoOutputs {
    /// Those below the working directory, the base folder and $TMPDIR; a run that leaves others
    /// is not recorded
    #[default]
    Below,
    /// All of them, wherever they lie
    All,
    /// Only those of --output; a run that leaves others is not recorded
    None,
}
