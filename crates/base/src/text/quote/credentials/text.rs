//! Credentials recognized by the text around them, in words and in scripts.

use super::names::{SECRET_QUERIES, TOKEN_LENGTH, TOKENS, WEBHOOKS, is_of_a_name, is_secret};
use super::options::Options;
use std::ops::Range;

/// The depth to which scripts in arguments of scripts are searched.
const NESTED: usize = 3;

/// Returns the spans of credentials in a word, or in a script.
pub fn credentials_in(text: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let begins = at == 0 || !is_of_a_name(text[at - 1]);
        let named = begins.then(|| credential_at(text, at)).flatten();
        match named.or_else(|| in_a_url(text, at)).or_else(|| private_key(text, at)) {
            Some(span) if !span.is_empty() => {
                at = span.end;
                found.push(span);
            }
            _ => at += 1,
        }
    }
    in_script(text, 0, NESTED, &mut found);
    found
}

/// Adds the credentials of options in the commands of a script that begins at `start` of the text.
fn in_script(script: &[u8], start: usize, depth: usize, found: &mut Vec<Range<usize>>) {
    if depth == 0 || !script.iter().any(u8::is_ascii_whitespace) {
        return;
    }
    let mut options = Options::default();
    let mut at = 0;
    while at < script.len() {
        let byte = script[at];
        if byte == b'\n' || b";|&(){}`".contains(&byte) {
            options = Options::default();
        }
        let length = word(&script[at..]);
        if length == 0 {
            at += 1;
            continue;
        }
        let mut inner = at..at + length;
        if let [first @ (b'\'' | b'"'), .., last] = &script[inner.clone()]
            && first == last
        {
            inner = at + 1..at + length - 1;
        }
        let text = &script[inner.clone()];
        match options.credential_in(text) {
            Some(span) => {
                found.push(start + inner.start + span.start..start + inner.start + span.end);
            }
            None => in_script(text, start + inner.start, depth - 1, found),
        }
        at += length;
    }
}

/// Returns the length of the shell word that a text begins with.
fn word(text: &[u8]) -> usize {
    let mut quote = None;
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        match (quote, byte) {
            (Some(it), _) if it == byte => quote = None,
            (Some(b'"') | None, b'\\') => at += 1,
            (None, b'\'' | b'"') => quote = Some(byte),
            (None, _) if byte.is_ascii_whitespace() || b";|&(){}`".contains(&byte) => break,
            _ => {}
        }
        at += 1;
    }
    at.min(text.len())
}

/// Returns the span of the credential that is, or is named by, the name that begins at `at`.
fn credential_at(text: &[u8], at: usize) -> Option<Range<usize>> {
    let len = text[at..].iter().take_while(|byte| is_of_a_name(**byte)).count();
    let name = &text[at..at + len];
    if len == 0 {
        return None;
    }
    // `npm_config_cache` is not a token.
    let is_random =
        |rest: &[u8]| rest.iter().any(|it| it.is_ascii_digit() || it.is_ascii_uppercase());
    let is_token = |start: &&str| name.strip_prefix(start.as_bytes()).is_some_and(is_random);
    let is_jwt = || name.starts_with(b"eyJ") && name.split(|byte| *byte == b'.').count() == 3;
    if len >= TOKEN_LENGTH && (TOKENS.iter().any(is_token) || is_jwt()) {
        return Some(at..at + len);
    }
    let after = at + len;
    if name.eq_ignore_ascii_case(b"bearer") {
        let start = after + blanks(&text[after..]);
        return (start > after).then(|| start..start + value(&text[start..]));
    }
    let is_query = at > 0 && b"?&".contains(&text[at - 1]);
    let in_query =
        || is_query && SECRET_QUERIES.iter().any(|it| name.eq_ignore_ascii_case(it.as_bytes()));
    if name.eq_ignore_ascii_case(b"authorization")
        || name.eq_ignore_ascii_case(b"proxy-authorization")
    {
        return header(text, after);
    }
    if !is_secret(name) && !in_query() {
        return None;
    }
    if name.to_ascii_lowercase().ends_with(b"cookie") {
        return header(text, after);
    }
    // `name=value`, `name: value`, `"name": "value"`; in a script, `--name value`.
    let quote = text.get(after).filter(|byte| b"'\"".contains(byte));
    let sign = after + usize::from(quote.is_some());
    let spaced = sign + blanks(&text[sign..]);
    let start = match text.get(spaced) {
        Some(b'=') if spaced == sign => spaced + 1,
        Some(b':') => spaced + 1 + blanks(&text[spaced + 1..]),
        Some(_) if name.starts_with(b"--") && !name.starts_with(b"--no-") && spaced > after => {
            spaced
        }
        _ => return None,
    };
    Some(span_of_value(text, start))
}

/// Returns the span of the value of a header whose name ends at `after`, without its scheme. The
/// value ends with the line or the quotation.
fn header(text: &[u8], after: usize) -> Option<Range<usize>> {
    let sign = after + blanks(&text[after..]);
    let sign = sign + usize::from(text.get(sign).is_some_and(|byte| b"'\"".contains(byte)));
    if !text.get(sign).is_some_and(|byte| b":=".contains(byte)) {
        return None;
    }
    let mut start = sign + 1 + blanks(&text[sign + 1..]);
    start += usize::from(text.get(start).is_some_and(|byte| b"'\"".contains(byte)));
    let rest = &text[start..];
    let end = rest.iter().position(|byte| b"'\"\r\n".contains(byte)).unwrap_or(rest.len());
    let scheme = rest[..end].iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let gap = blanks(&rest[scheme..end]);
    let skipped = if scheme > 0 && gap > 0 { scheme + gap } else { 0 };
    Some(start + skipped..start + end)
}

/// Returns the span of the value that begins at `start`, quoted or not.
fn span_of_value(text: &[u8], start: usize) -> Range<usize> {
    match text.get(start) {
        Some(&quote @ (b'\'' | b'"')) => {
            let rest = &text[start + 1..];
            let end = rest.iter().position(|byte| *byte == quote).unwrap_or(rest.len());
            start + 1..start + 1 + end
        }
        _ => start..start + value(text.get(start..).unwrap_or_default()),
    }
}

/// Returns the length of an unquoted value.
fn value(text: &[u8]) -> usize {
    let ends = |byte: &u8| byte.is_ascii_whitespace() || b"&;,'\"|<>(){}".contains(byte);
    // `${NAME}` and `$(command)` stay as they are.
    if text.starts_with(b"$") {
        return text.iter().position(u8::is_ascii_whitespace).unwrap_or(text.len());
    }
    text.iter().position(ends).unwrap_or(text.len())
}

fn blanks(text: &[u8]) -> usize {
    text.iter().take_while(|byte| **byte == b' ' || **byte == b'\t').count()
}

/// Returns the span of the secret part of a URL whose `://` begins at `at`.
fn in_a_url(text: &[u8], at: usize) -> Option<Range<usize>> {
    let rest = text[at..].strip_prefix(b"://")?;
    let start = at + b"://".len();
    let is_end = |byte: &u8| b"'\"".contains(byte) || byte.is_ascii_whitespace();
    for webhook in WEBHOOKS {
        if text[at..].starts_with(webhook.as_bytes()) {
            let secret = at + webhook.len();
            let end = text[secret..].iter().position(is_end).unwrap_or(text.len() - secret);
            return Some(secret..secret + end);
        }
    }
    let authority = rest.iter().position(|byte| b"/?#".contains(byte) || is_end(byte));
    let authority = &rest[..authority.unwrap_or(rest.len())];
    let end = authority.iter().rposition(|byte| *byte == b'@')?;
    let colon = authority[..end].iter().position(|byte| *byte == b':');
    let (user, password) = match colon {
        Some(colon) => (&authority[..colon], &authority[colon + 1..end]),
        None => (&authority[..end], &b""[..]),
    };
    // Some services take a token as the user name.
    if password.is_empty() || password == b"x-oauth-basic" {
        return is_like_a_token(user).then(|| start..start + user.len());
    }
    Some(start + user.len() + 1..start + end)
}

/// Returns whether this looks like a token rather than the name of a user.
fn is_like_a_token(name: &[u8]) -> bool {
    name.len() >= 16
        && name.iter().any(u8::is_ascii_digit)
        && name.iter().any(u8::is_ascii_alphabetic)
        && name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(byte))
}

/// Returns the span of a private key whose first line begins at `at`.
fn private_key(text: &[u8], at: usize) -> Option<Range<usize>> {
    let header = text[at..].strip_prefix(b"-----BEGIN ")?;
    let find = |text: &[u8], what: &[u8]| text.windows(what.len()).position(|it| it == what);
    let end = find(header, b"-----")?;
    find(&header[..end], b"PRIVATE KEY")?;
    let start = text.len() - header.len() + end + b"-----".len();
    let length = find(&text[start..], b"-----END").unwrap_or(text.len() - start);
    Some(start..start + length)
}
