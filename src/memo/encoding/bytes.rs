//! The bytes of an encoding.

use std::fmt;
use std::ops::Deref;

/// The number of bytes that lie where their owner does. Hardly an encoding of a key is longer.
const INLINE: usize = 112;
/// The length of an encoding that is longer.
const LONGER: usize = INLINE + 1;

/// An encoding, which is appended to. A short one allocates nothing.
///
/// This is made for few bytes of a known number, which the compiler then copies in place. That is
/// why it is not `smallvec`, which calls a function for them, twice.
#[derive(Clone)]
pub struct Encoding {
    len: usize,
    inline: [u8; INLINE],
    /// All bytes, of a longer one.
    all: Vec<u8>,
}

impl Encoding {
    /// Creates an empty one.
    #[inline]
    pub fn new() -> Encoding {
        Encoding { len: 0, inline: [0; INLINE], all: Vec::new() }
    }

    /// Appends a byte.
    #[inline]
    pub fn push(&mut self, byte: u8) {
        self.append([byte]);
    }

    /// Appends bytes of a known number.
    #[inline]
    pub fn append<const N: usize>(&mut self, bytes: [u8; N]) {
        match self.inline.get_mut(self.len..self.len + N) {
            Some(room) => {
                room.copy_from_slice(&bytes);
                self.len += N;
            }
            None => self.lengthen(&bytes),
        }
    }

    /// Appends bytes.
    #[inline]
    pub fn extend_from_slice(&mut self, bytes: &[u8]) {
        match self.inline.get_mut(self.len..).and_then(|room| room.get_mut(..bytes.len())) {
            Some(room) => {
                room.copy_from_slice(bytes);
                self.len += bytes.len();
            }
            None => self.lengthen(bytes),
        }
    }

    /// Appends bytes that do not fit in.
    #[inline(never)]
    fn lengthen(&mut self, bytes: &[u8]) {
        if self.len != LONGER {
            self.all.reserve(4 * INLINE + bytes.len());
            self.all.extend_from_slice(&self.inline[..self.len]);
            self.len = LONGER;
        }
        self.all.extend_from_slice(bytes);
    }

    /// Removes the last byte.
    pub fn pop(&mut self) {
        if self.len == LONGER {
            self.all.pop();
        } else {
            self.len = self.len.saturating_sub(1);
        }
    }

    /// Returns the bytes.
    pub fn into_vec(self) -> Vec<u8> {
        if self.len == LONGER { self.all } else { self.to_vec() }
    }
}

impl Deref for Encoding {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        self.inline.get(..self.len).unwrap_or(&self.all)
    }
}

impl Default for Encoding {
    fn default() -> Encoding {
        Encoding::new()
    }
}

impl PartialEq for Encoding {
    fn eq(&self, other: &Encoding) -> bool {
        **self == **other
    }
}

impl fmt::Debug for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_all_that_was_appended_whatever_its_length() {
        let (mut encoding, mut all) = (Encoding::new(), Vec::new());
        encoding.pop();
        for round in 0..20_u8 {
            let some = vec![round; usize::from(round)];
            encoding.push(round);
            encoding.append([1, 2, round]);
            encoding.extend_from_slice(&some);
            all.extend([&[round, 1, 2, round], &some[..]].concat());
            assert_eq!(*encoding, all);
            encoding.push(9);
            assert_eq!(encoding.clone().into_vec(), [&all[..], &[9]].concat());
            encoding.pop();
            assert_eq!(encoding, encoding.clone());
        }
        for filled in [INLINE - 1, INLINE, INLINE + 1] {
            let mut encoding = Encoding::new();
            encoding.extend_from_slice(&vec![7; filled]);
            encoding.append([]);
            encoding.append([8, 9]);
            assert_eq!(*encoding, [&vec![7; filled][..], &[8, 9]].concat());
        }
    }
}
