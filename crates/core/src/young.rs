//! The paths of recent entries and of blobs.

/// The folder of recent entries, below the store's folder of this version.
pub const FOLDER: &str = "young";
/// The version of the store's layout, which its folder is named after. Archives and remote stores
/// have versions of their own.
pub const LAYOUT: u8 = 2;

/// The folder of the blobs, beside that of the entries.
const BLOBS: &str = "blobs";

/// The length of a path: `young/ab/abcdef…`.
pub const PATH: usize = FOLDER.len() + 1 + 2 + 1 + 64;

/// Returns the path of a key's file below the store's folder.
pub fn path(key: &[u8; 32]) -> [u8; PATH] {
    path_below(FOLDER, key)
}

/// Returns the path of the uncompressed form of a blob.
pub fn blob(hash: &[u8; 32]) -> [u8; PATH] {
    path_below(BLOBS, hash)
}

fn path_below(parent: &str, key: &[u8; 32]) -> [u8; PATH] {
    let mut path = *b"-----/--/----------------------------------------------------------------";
    crate::bytes::copy(&mut path, parent.as_bytes());
    let digit = |half: u8| if half < 10 { b'0' + half } else { b'a' + half - 10 };
    let (folder, name) = path.split_at_mut(FOLDER.len() + 4);
    for (digits, byte) in name.as_chunks_mut::<2>().0.iter_mut().zip(key) {
        *digits = [digit(byte >> 4), digit(byte & 15)];
    }
    if let ([.., first, second, _], [a, b, ..]) = (folder, name) {
        (*first, *second) = (*a, *b);
    }
    path
}
