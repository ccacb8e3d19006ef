//! A buffer of fixed length.

use crate::text::Text;
use crate::{Known, Pass};
use cachex_core::bytes::copy;
use cachex_core::key::Sink;

/// A buffer of fixed length. Bytes that did not fit are lost, and that is recorded.
pub struct Buffer<'r> {
    place: &'r mut [u8],
    len: usize,
    is_full: bool,
}

impl<'r> Buffer<'r> {
    pub fn new(place: &'r mut [u8]) -> Buffer<'r> {
        Buffer { place, len: 0, is_full: false }
    }

    /// Returns the bytes in the buffer.
    pub fn bytes(&self) -> Known<&[u8]> {
        match self.place.get(..self.len) {
            Some(bytes) if !self.is_full => Ok(bytes),
            _ => Err(Pass("something is too long")),
        }
    }

    /// Returns the bytes in the buffer, with its lifetime.
    pub fn into_bytes(self) -> Known<&'r [u8]> {
        match self.place.get(..self.len) {
            Some(bytes) if !self.is_full => Ok(bytes),
            _ => Err(Pass("something is too long")),
        }
    }

    /// Returns the bytes with a terminating zero byte, which is not counted.
    pub fn text(&mut self) -> Known<Text<'_>> {
        self.put(&[0]);
        self.len = self.len.saturating_sub(1);
        if self.is_full {
            return Err(Pass("something is too long"));
        }
        let text = self.place.get(..=self.len).and_then(Text::of);
        text.ok_or(Pass("something is too long"))
    }

    pub fn len(&self) -> usize {
        self.len
    }

    /// Truncates it to this length.
    pub fn cut(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// Appends the name of a file to the path of a folder.
    pub fn push(&mut self, name: &[u8]) {
        if self.len > 0 && self.place.get(self.len.wrapping_sub(1)) != Some(&b'/') {
            self.put(b"/");
        }
        self.put(name);
    }

    /// Removes the last name of an absolute path without a trailing slash.
    pub fn pop(&mut self) {
        let bytes = self.place.get(..self.len).unwrap_or_default();
        let slash = bytes.iter().rposition(|&byte| byte == b'/').unwrap_or(0);
        self.len = slash;
    }
}

impl Sink for Buffer<'_> {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        let room = self.place.get_mut(self.len..).unwrap_or_default();
        if room.len() < bytes.len() {
            self.is_full = true;
            return;
        }
        copy(room, bytes);
        self.len = self.len.wrapping_add(bytes.len());
    }
}
