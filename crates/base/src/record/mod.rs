//! The record of a run, and its encodings.

#[cfg(feature = "folder")]
pub mod entry;
#[cfg(feature = "folder")]
pub mod frames;
pub mod key;
#[cfg(feature = "folder")]
pub mod manifest;
#[cfg(any(all(test, feature = "folder"), feature = "testing"))]
pub mod testing;

/// The folder of this layout of the store.
///
/// In debug builds, which the tests are, `CACHEX_TEST_FORMAT` stands for the
/// layout of another version of cachex.
#[cfg(feature = "folder")]
pub fn version_dir() -> std::path::PathBuf {
    #[cfg(debug_assertions)]
    if let Some(format) = std::env::var_os("CACHEX_TEST_FORMAT") {
        return std::path::PathBuf::from(format!("v{}", format.display()));
    }
    std::path::PathBuf::from(format!("v{}", cachex_core::young::LAYOUT))
}
