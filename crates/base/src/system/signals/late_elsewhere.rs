//! Requests to end that come after the command has ended, elsewhere than on Linux: they end this
//! process by the signal.

/// Does nothing: the handlers of whoever receives signals are in the place of any other.
pub fn end_with(_: i32) {}
