//! The encoding of the fields of a key.
//!
//! The key is BLAKE3-256 over fields, each a tag, a length and that many bytes; lists are a tag, a
//! count and as many lengths and bytes. So different lists of fields are never the same bytes, and
//! the key is as collision-resistant as the hash.
//!
//! A new field gets a new tag, or [`VERSION`] changes. So an implementation that omits a field has
//! another key, finds nothing by it, and serves nothing wrong.

use alloc::vec::Vec;

/// The version of the key. It changes whenever the same invocation must get another key.
pub const VERSION: u8 = 2;

/// The components of the key. The numbers are part of it.
#[derive(Clone, Copy)]
#[expect(missing_docs, reason = "what each is, `cachex` says where it tells of it")]
pub enum Tag {
    Argv = 1,
    ExePath = 2,
    ExeSize = 3,
    ExeModified = 4,
    ExeContent = 5,
    Cwd = 6,
    Env = 7,
    Stdin = 8,
    Text = 10,
    Scope = 11,
    Terminal = 12,
    Inputs = 13,
    InputCommand = 14,
    Descriptor = 15,
    Platform = 16,
    Auto = 17,
    Selection = 18,
}

/// The way in which the variables of a key are selected, unless it is the default.
///
/// It is a field of its own, because the variables that are left do not show it: that a variable is
/// left out differs from that it is not set. The field is a list of the option's name and the
/// patterns, which are sorted, and of which each is there once. The default has no such field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selection {
    /// The variables that match.
    Only,
    /// All that are selected by default and do not match.
    Except,
    /// No variables.
    None,
}

impl Selection {
    /// Returns the name of the option, which is what stands in a key.
    pub const fn option(self) -> &'static str {
        match self {
            Selection::Only => "env",
            Selection::Except => "ignore-env",
            Selection::None => "no-env",
        }
    }
}

/// The destination of the encoding.
pub trait Sink {
    /// Appends these bytes.
    fn put(&mut self, bytes: &[u8]);
}

impl Sink for Vec<u8> {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// An encoder of fields.
pub struct Fields<S>(pub S);

impl<S: Sink> Fields<S> {
    /// Starts an encoding without fields.
    #[inline]
    pub fn new(mut sink: S) -> Fields<S> {
        sink.put(&[VERSION]);
        Fields(sink)
    }

    /// Adds a field of one value.
    #[inline]
    pub fn add(&mut self, tag: Tag, value: &[u8]) {
        self.0.put(&[tag as u8]);
        self.sized(value);
    }

    /// Adds a field of several values.
    #[inline]
    pub fn list(&mut self, tag: Tag, values: impl ExactSizeIterator<Item = impl AsRef<[u8]>>) {
        self.begin_list(tag, values.len());
        for value in values {
            self.sized(value.as_ref());
        }
    }

    /// Starts a field of `count` values, which are added by [`Fields::sized`].
    #[inline]
    pub fn begin_list(&mut self, tag: Tag, count: usize) {
        self.0.put(&[tag as u8]);
        self.number(count);
    }

    /// Adds one value with its length.
    #[inline]
    pub fn sized(&mut self, value: &[u8]) {
        self.number(value.len());
        self.0.put(value);
    }

    /// Adds a length or a count.
    #[inline]
    pub fn number(&mut self, number: usize) {
        self.0.put(&(number as u64).to_le_bytes());
    }
}
