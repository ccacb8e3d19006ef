//! The store's secret. It keys the MACs of a key's components, so that whoever gets hold of an
//! entry alone cannot guess short values by them.
//!
//! The secret is created once. A damaged secret is replaced; components whose MACs were made with
//! another secret cannot be compared.

use super::Root;
use super::temporary;
use cachex_base::system::fsutil;
use rustix::io::Errno;
use std::path::Path;

/// The name of the file with the secret.
pub const FILE: &str = "secret";
const LEN: usize = 32;

/// A secret.
pub type Secret = [u8; LEN];

/// Returns the secret of a store, and creates it if there is none.
pub fn of(root: &Root) -> rustix::io::Result<Secret> {
    match read(root)? {
        Some(secret) => Ok(secret),
        None => make(root),
    }
}

/// Returns the secret of a store, if it has one.
pub fn read(root: &Root) -> rustix::io::Result<Option<Secret>> {
    let file = match fsutil::open_file(root, FILE) {
        Ok(file) => file,
        Err(Errno::NOENT) => return Ok(None),
        Err(errno) => return Err(errno),
    };
    let mut bytes = [0; LEN + 1];
    let len = fsutil::read_full(file, &mut bytes)?;
    Ok((len == LEN).then(|| bytes[..LEN].try_into().ok()).flatten())
}

/// Creates a secret. If several are created at once, the last one stays, and components made with
/// the others cannot be compared.
fn make(root: &Root) -> rustix::io::Result<Secret> {
    let mut secret = [0; LEN];
    getrandom::fill(&mut secret)
        .map_err(|error| error.raw_os_error().map_or(Errno::IO, Errno::from_raw_os_error))?;
    temporary::put(root, Path::new(FILE), &secret)?;
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::scene;
    use rustix::fs::OFlags;

    #[test]
    fn it_is_made_once_and_anew_when_it_is_damaged() {
        let scene = scene();
        assert_eq!(read(&scene.root), Ok(None));
        let first = of(&scene.root).unwrap();
        assert_eq!(of(&scene.root), Ok(first));
        let file = fsutil::create_file(&scene.root, FILE, OFlags::WRONLY).unwrap();
        rustix::fs::ftruncate(file, 7).unwrap();
        let second = of(&scene.root).unwrap();
        assert_ne!(second, first);
        assert_eq!(of(&scene.root), Ok(second));
    }
}
