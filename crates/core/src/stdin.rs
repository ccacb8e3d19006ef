//! The kinds of standard input in a key. No kind is a prefix of another.

/// The empty input of a command, whatever that of cachex is.
pub const NULL: &str = "null";
/// The input of cachex, which is not part of the key.
pub const INHERIT: &str = "inherit";
/// An input that was closed when cachex started.
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

/// The length of [`contents`] after the name of the kind.
pub const CONTENTS: usize = 32 + 8;

/// Returns the part after the name of a kind whose contents are part of the key: the hash of all
/// that can be read, and the offset at which the command starts to read.
pub fn contents(hash: &[u8; 32], offset: u64) -> [u8; CONTENTS] {
    let mut bytes = [0; CONTENTS];
    let (head, tail) = bytes.split_at_mut(32);
    crate::bytes::copy(head, hash);
    crate::bytes::copy(tail, &offset.to_le_bytes());
    bytes
}
