//! The time that the reading of a command line may take.

use super::bytes;
use std::cell::Cell;

/// The steps that may still be taken. A step is a byte that is read, or something as quick.
pub struct Budget {
    /// Negative once more of them were taken than there were.
    pub left: Cell<i64>,
}

impl Budget {
    /// Creates the budget for a command line.
    pub fn of(words: &[&[u8]]) -> Budget {
        Budget { left: Cell::new((1 << 16) + 32 * bytes(words) as i64) }
    }

    /// Takes some steps. Returns whether there were enough of them.
    pub fn spend(&self, steps: usize) -> bool {
        self.left.set(self.left.get() - steps as i64);
        !self.is_spent()
    }

    pub fn is_spent(&self) -> bool {
        self.left.get() < 0
    }
}
