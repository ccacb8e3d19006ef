//! Systems without tracing.

use crate::report::Report;
use crate::{Settings, Unsupported};
use std::convert::Infallible;
use std::path::Path;

/// The reason.
const WHY: &str = "only on Linux, on x86-64 and AArch64 processors, can a command be traced";

/// Returns an error: commands cannot be traced here.
pub fn support() -> Result<(), Unsupported> {
    Err(Unsupported(WHY.into()))
}

/// Returns false: nothing is traced here.
pub fn has_rights_of_its_own(_program: &Path) -> bool {
    false
}

/// Returns false: nobody is guarded here.
pub fn is_guardian(_process: u32) -> bool {
    false
}

/// A tracer, which cannot be created here.
pub struct Tracer(Infallible);

/// Those who hold a listener, of whom there are none here.
pub struct Keepers(Infallible);

/// The action of a new process before it executes the command, which cannot be created here.
#[derive(Clone, Copy, Debug)]
pub struct Hook(Infallible);

impl Hook {
    /// Cannot be called.
    pub fn in_child(self) {
        match self.0 {}
    }
}

impl Tracer {
    /// Returns an error.
    pub fn new(_settings: Settings) -> Result<Tracer, Unsupported> {
        Err(Unsupported(WHY.into()))
    }

    /// Cannot be called.
    pub fn hook(&self) -> Hook {
        match self.0 {}
    }

    /// Cannot be called.
    pub fn finish(self) -> (Report, Keepers) {
        match self.0 {}
    }
}
