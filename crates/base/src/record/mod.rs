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

/// Returns the folder of this layout of the store.
///
/// In debug builds, which include the tests, `CACHEX_TEST_FORMAT` selects the layout of another
/// version of cachex.
#[cfg(feature = "folder")]
pub fn version_dir() -> std::path::PathBuf {
    #[cfg(debug_assertions)]
    if let Some(format) = std::env::var_os("CACHEX_TEST_FORMAT") {
        return std::path::PathBuf::from(format!("v{}", format.display()));
    }
    std::path::PathBuf::from(format!("v{}", cachex_core::young::LAYOUT))
}
