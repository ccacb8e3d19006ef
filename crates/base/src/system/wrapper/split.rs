//! The words after `env -S`.

use super::Environment;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// Splits the text after `env -S` into words, as GNU `env` does.
pub(super) fn split(text: &[u8], environment: &Environment<'_>) -> Vec<Vec<u8>> {
    let mut words = Vec::new();
    let mut word: Option<Vec<u8>> = None;
    let mut quote = None;
    let mut bytes = text.iter();
    while let Some(&byte) = bytes.next() {
        match byte {
            b'\'' | b'"' if quote.is_none_or(|quote| quote == byte) => {
                quote = if quote.is_some() { None } else { Some(byte) };
                word.get_or_insert_default();
            }
            b'\\' => {
                let Some(&next) = bytes.next() else { break };
                let meant = match next {
                    b'\'' | b'\\' => next,
                    _ if quote == Some(b'\'') => {
                        word.get_or_insert_default().push(byte);
                        next
                    }
                    b'c' => break,
                    b'_' if quote.is_none() => {
                        words.extend(word.take());
                        continue;
                    }
                    b'_' => b' ',
                    b'f' => b'\x0c',
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'v' => b'\x0b',
                    next => next,
                };
                word.get_or_insert_default().push(meant);
            }
            b'$' if quote != Some(b'\'') && bytes.as_slice().starts_with(b"{") => {
                let name = bytes.by_ref().skip(1).take_while(|&&it| it != b'}');
                let name: Vec<u8> = name.copied().collect();
                let value =
                    std::str::from_utf8(&name).ok().and_then(|name| environment.value(name));
                let value = value.map(OsStr::as_bytes).unwrap_or_default();
                word.get_or_insert_default().extend_from_slice(value);
            }
            b' ' | b'\t'..=b'\r' if quote.is_none() => words.extend(word.take()),
            b'#' if quote.is_none() && word.is_none() => break,
            byte => word.get_or_insert_default().push(byte),
        }
    }
    words.extend(word);
    words
}
