//! The values of options, and how values are formatted for people.

pub mod mode;
#[cfg(feature = "cli")]
pub mod quote;
#[cfg(feature = "cli")]
pub mod values;
