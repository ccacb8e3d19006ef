//! The kinds that standard input has in a key. No kind is the beginning of another.

/// Of a command that gets an empty one, whatever cachex has.
pub const NULL: &str = "null";
/// Of a command that gets cachex's, which is no part of the key.
pub const INHERIT: &str = "inherit";
/// Closed when cachex started.
pub const CLOSED: &str = "closed";
/// A terminal.
pub const TERMINAL: &str = "terminal";
/// `/dev/null`.
pub const EMPTY: &str = "empty";
/// `/dev/null`, opened so that reading fails, as `nohup` does.
pub const WRITE_ONLY: &str = "write-only";
/// A regular file.
pub const FILE: &str = "file";
/// A pipe, named or not.
pub const PIPE: &str = "pipe";
/// A socket.
pub const SOCKET: &str = "socket";

/// The length of [`contents`] behind the name of the kind.
pub const CONTENTS: usize = 32 + 8;

/// What follows the name of a kind whose contents are part of the key: the hash of all that
/// can be read, and where the command starts to read.
pub fn contents(hash: &[u8; 32], offset: u64) -> [u8; CONTENTS] {
    let mut bytes = [0; CONTENTS];
    let (head, tail) = bytes.split_at_mut(32);
    crate::bytes::copy(head, hash);
    crate::bytes::copy(tail, &offset.to_le_bytes());
    bytes
}
