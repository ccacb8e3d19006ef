//! The escapes of `$'…'`, which some shells know without quotes too.

/// Appends the meaning of an escape whose text follows the backslash. Returns its length.
pub fn decode(text: &[u8], meant: &mut Vec<u8>) -> usize {
    let Some(&letter) = text.first() else { return 0 };
    let length = decode_number(text, meant);
    if length > 0 {
        return length;
    }
    meant.push(match letter {
        b'a' => b'\x07',
        b'b' => b'\x08',
        b'e' | b'E' => b'\x1b',
        b'f' => b'\x0c',
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => b'\x0b',
        other => other,
    });
    1
}

/// Does the same for escapes that are numbers. Returns 0 for others.
pub fn decode_number(text: &[u8], meant: &mut Vec<u8>) -> usize {
    let (prefix, base, most) = match text {
        [b'x', b'{', ..] => (2, 16, 8),
        [b'x', ..] => (1, 16, 2),
        [b'u', ..] => (1, 16, 4),
        [b'U', ..] => (1, 16, 8),
        _ => (0, 8, 3),
    };
    let digits = text[prefix..].iter().map_while(|&byte| char::from(byte).to_digit(base));
    let (mut number, mut length) = (0_u32, 0);
    for digit in digits.take(most) {
        number = number.wrapping_mul(base).wrapping_add(digit);
        length += 1;
    }
    if length == 0 {
        return 0;
    }
    match char::from_u32(number) {
        Some(letter) if matches!(text[0], b'u' | b'U') => {
            meant.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
        }
        _ => meant.push(number as u8),
    }
    let is_closed = prefix == 2 && text.get(prefix + length) == Some(&b'}');
    prefix + length + usize::from(is_closed)
}
