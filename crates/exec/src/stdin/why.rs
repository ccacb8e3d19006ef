//! Reasons why standard input cannot be part of a key.

use super::{LIMIT, OPEN, SILENT};
use cachex_base::text::quote;
use std::fmt;

/// The reason in an [`Unknown`](super::Unknown).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Standard input is a device, or cannot be read.
    Unreadable,
    /// Standard input is a file that the command prints to.
    Output,
    /// Nothing came for [`SILENT`].
    Silent,
    /// Standard input did not end within [`OPEN`].
    Open,
    /// Standard input is longer than [`LIMIT`].
    Long,
    /// Others read from it, and its contents cannot be inspected without taking them away.
    Shared,
    /// Each read of it takes one message, which a copy would run together.
    Messages,
    /// There is no room to keep it.
    NoRoom,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let in_words = quote::rounded;
        match self {
            Why::Unreadable => write!(f, "standard input cannot be read"),
            Why::Output => write!(f, "standard input is an output of the command, too"),
            Why::Silent => {
                write!(f, "standard input is open, and nothing came for {}", in_words(SILENT))
            }
            Why::Open => write!(f, "standard input did not end within {}", in_words(OPEN)),
            Why::Long => write!(f, "standard input is longer than {} MiB", LIMIT >> 20),
            Why::Shared => {
                write!(
                    f,
                    "others read from standard input, and cachex cannot look at it without taking it"
                )
            }
            Why::Messages => write!(f, "standard input consists of messages"),
            Why::NoRoom => write!(f, "there is no room to keep standard input"),
        }
    }
}
