//! Bytes with a terminating zero byte, as the kernel uses them.

use cachex_core::bytes;
use core::ffi::CStr;

/// A slice that ends with a zero byte.
#[derive(Clone, Copy)]
pub struct Text<'a>(&'a [u8]);

impl<'a> Text<'a> {
    /// Creates a text from a literal.
    pub const fn literal(text: &'static CStr) -> Text<'static> {
        Text(text.to_bytes_with_nul())
    }

    /// Returns the text at a pointer.
    ///
    /// # Safety
    ///
    /// There is a zero byte, and nothing up to it changes while the text is used.
    pub unsafe fn at(pointer: *const u8) -> Text<'a> {
        let mut len = 0;
        // SAFETY: a zero byte ends both.
        unsafe {
            while *pointer.add(len) != 0 {
                len += 1;
            }
            Text(core::slice::from_raw_parts(pointer, len + 1))
        }
    }

    /// Returns these bytes as a text, if they end with a zero byte.
    pub fn of(bytes: &'a [u8]) -> Option<Text<'a>> {
        (bytes.last() == Some(&0)).then_some(Text(bytes))
    }

    pub fn bytes(self) -> &'a [u8] {
        self.0.split_last().map_or(&[], |(_, bytes)| bytes)
    }

    pub fn pointer(self) -> *const u8 {
        self.0.as_ptr()
    }

    /// Returns the text from this offset on.
    pub fn from(self, at: usize) -> Option<Text<'a>> {
        Text::of(self.0.get(at..)?)
    }

    pub fn is(self, other: &[u8]) -> bool {
        bytes::eq(self.bytes(), other)
    }

    pub fn starts_with(self, start: &[u8]) -> bool {
        bytes::starts_with(self.bytes(), start)
    }

    pub fn is_empty(self) -> bool {
        self.bytes().is_empty()
    }

    pub fn contains(self, wanted: u8) -> bool {
        self.bytes().contains(&wanted)
    }
}
