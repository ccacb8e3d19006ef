//! Comparing and copying slices without `memcmp` and `memcpy`.

/// Whether both are the same bytes.
#[inline]
pub fn eq(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    let ((words, rest), (others, other_rest)) = (one.as_chunks::<8>(), other.as_chunks::<8>());
    words.iter().zip(others).all(|(a, b)| u64::from_ne_bytes(*a) == u64::from_ne_bytes(*b))
        && rest.iter().zip(other_rest).all(|(a, b)| a == b)
}

/// Whether `bytes` begin with `start`.
#[inline]
pub fn starts_with(bytes: &[u8], start: &[u8]) -> bool {
    bytes.get(..start.len()).is_some_and(|bytes| eq(bytes, start))
}

/// Whether `bytes` end with `end`.
#[inline]
pub fn ends_with(bytes: &[u8], end: &[u8]) -> bool {
    let tail = bytes.len().checked_sub(end.len()).and_then(|at| bytes.get(at..));
    tail.is_some_and(|bytes| eq(bytes, end))
}

/// What follows `start`, if the bytes begin with that.
#[inline]
pub fn strip_prefix<'b>(bytes: &'b [u8], start: &[u8]) -> Option<&'b [u8]> {
    let (head, rest) = bytes.split_at_checked(start.len())?;
    eq(head, start).then_some(rest)
}

/// Copies `from` to the start of `to`; what does not fit is left out.
#[inline]
pub fn copy(to: &mut [u8], from: &[u8]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
}
