//! How the fields of a key are encoded.
//!
//! The key is BLAKE3-256 over fields, each a tag, a length and so many bytes;
//! lists are a tag, a count and as many lengths and bytes. So no two different
//! lists of fields are the same bytes, and the key is as collision-proof as
//! the hash.
//!
//! A field that is new has a tag that is new, or [`VERSION`] changes: so whoever leaves out
//! a field has another key, finds nothing by it, and serves nothing wrong.

use alloc::vec::Vec;

/// Changes whenever the same invocation is to have another key than before.
pub const VERSION: u8 = 2;

/// The parts of the key. The numbers are part of it.
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
}

/// Where the encoding goes.
pub trait Sink {
    /// Takes these bytes too.
    fn put(&mut self, bytes: &[u8]);
}

impl Sink for Vec<u8> {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// Fields on their way into the hash.
pub struct Fields<S>(pub S);

impl<S: Sink> Fields<S> {
    /// None yet.
    #[inline]
    pub fn new(mut sink: S) -> Fields<S> {
        sink.put(&[VERSION]);
        Fields(sink)
    }

    /// A field of one value.
    #[inline]
    pub fn add(&mut self, tag: Tag, value: &[u8]) {
        self.0.put(&[tag as u8]);
        self.sized(value);
    }

    /// A field of several.
    #[inline]
    pub fn list(&mut self, tag: Tag, values: impl ExactSizeIterator<Item = impl AsRef<[u8]>>) {
        self.begin_list(tag, values.len());
        for value in values {
            self.sized(value.as_ref());
        }
    }

    /// A field of so many values, which are told by [`Fields::sized`].
    #[inline]
    pub fn begin_list(&mut self, tag: Tag, count: usize) {
        self.0.put(&[tag as u8]);
        self.number(count);
    }

    /// One value.
    #[inline]
    pub fn sized(&mut self, value: &[u8]) {
        self.number(value.len());
        self.0.put(value);
    }

    /// A length or a count.
    #[inline]
    pub fn number(&mut self, number: usize) {
        self.0.put(&(number as u64).to_le_bytes());
    }
}
