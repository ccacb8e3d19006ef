//! Where there is no tracing.

use crate::report::Report;
use crate::{Settings, Unsupported};
use std::convert::Infallible;
use std::path::Path;

/// Why there is none.
const WHY: &str = "only on Linux, on x86-64 and AArch64 processors, can a command be traced";

/// Whether commands can be traced here, and if not, why.
pub fn support() -> Result<(), Unsupported> {
    Err(Unsupported(WHY.into()))
}

/// Whether a program runs with rights that its caller does not have.
pub fn has_rights_of_its_own(_program: &Path) -> bool {
    false
}

/// There is none.
pub struct Tracer(Infallible);

/// What a new process would do before it executes the command.
#[derive(Clone, Copy, Debug)]
pub struct Hook(Infallible);

impl Hook {
    /// Cannot be called.
    pub fn in_child(self) {
        match self.0 {}
    }
}

impl Tracer {
    /// Says that there is none.
    pub fn new(_settings: Settings) -> Result<Tracer, Unsupported> {
        Err(Unsupported(WHY.into()))
    }

    /// Cannot be called.
    pub fn hook(&self) -> Hook {
        match self.0 {}
    }

    /// Cannot be called.
    pub fn finish(self) -> Report {
        match self.0 {}
    }
}
