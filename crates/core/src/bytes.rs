//! Comparing and copying slices without `memcmp` and `memcpy`.

/// Returns whether both slices are equal.
#[inline]
pub fn eq(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    let ((words, rest), (others, other_rest)) = (one.as_chunks::<8>(), other.as_chunks::<8>());
    words.iter().zip(others).all(|(a, b)| u64::from_ne_bytes(*a) == u64::from_ne_bytes(*b))
        && rest.iter().zip(other_rest).all(|(a, b)| a == b)
}

/// Returns whether `bytes` begins with `start`.
#[inline]
pub fn starts_with(bytes: &[u8], start: &[u8]) -> bool {
    bytes.get(..start.len()).is_some_and(|bytes| eq(bytes, start))
}

/// Returns whether `bytes` ends with `end`.
#[inline]
pub fn ends_with(bytes: &[u8], end: &[u8]) -> bool {
    let tail = bytes.len().checked_sub(end.len()).and_then(|at| bytes.get(at..));
    tail.is_some_and(|bytes| eq(bytes, end))
}

/// Returns the bytes after `start`, if the slice begins with that.
#[inline]
pub fn strip_prefix<'b>(bytes: &'b [u8], start: &[u8]) -> Option<&'b [u8]> {
    let (head, rest) = bytes.split_at_checked(start.len())?;
    eq(head, start).then_some(rest)
}

/// Copies `from` to the start of `to`; bytes that do not fit are omitted.
#[inline]
pub fn copy(to: &mut [u8], from: &[u8]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
}
