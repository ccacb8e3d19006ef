//! The store's secret: what the sums of a key's parts are made with, so that who
//! gets hold of an entry alone cannot try out short values against them.
//!
//! It is made once. One that is damaged is no secret any more, and is replaced;
//! parts that were made with another one compare with nothing.

use super::Root;
use super::blobs::Temporary;
use cachex_base::system::fsutil;
use rustix::io::Errno;
use std::path::Path;

/// Where it lies.
pub const FILE: &str = "secret";
const LEN: usize = 32;

/// A secret.
pub type Secret = [u8; LEN];

/// The secret of a store, which is made if there is none.
pub fn of(root: &Root) -> rustix::io::Result<Secret> {
    match read(root)? {
        Some(secret) => Ok(secret),
        None => make(root),
    }
}

/// The secret of a store, if it has one.
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

/// Of several that are made at once, the last one stays; the parts made with
/// the others compare with nothing.
fn make(root: &Root) -> rustix::io::Result<Secret> {
    let mut secret = [0; LEN];
    getrandom::fill(&mut secret)
        .map_err(|error| error.raw_os_error().map_or(Errno::IO, Errno::from_raw_os_error))?;
    let (name, file) = Temporary::create(root)?;
    fsutil::write_file(file, &secret)?;
    name.rename(Path::new(FILE))?;
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
