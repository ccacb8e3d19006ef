//! Credentials in command lines, and what is shown in their place.
//!
//! A store keeps command lines as they were typed; whoever looks over a shoulder, or reads
//! the log of a CI job, is not to read a password in a table. What is taken for a credential
//! and is none costs the reader a look with `--reveal`, so a doubtful case is decided that
//! way, except that variables of a shell stay as they are: `$TOKEN` tells nobody anything.

use super::word;
use std::borrow::Cow;

/// What stands in the place of a credential.
const MASK: &[u8] = b"***";

/// What a name ends with whose value is a credential, without dashes, dots and underscores.
const SECRET_NAMES: &[&str] = &[
    "accesskey",
    "accountkey",
    "apikey",
    "authkey",
    "cookie",
    "credential",
    "credentials",
    "encryptionkey",
    "licensekey",
    "masterkey",
    "passcode",
    "passphrase",
    "passwd",
    "password",
    "privatekey",
    "secret",
    "secretkey",
    "sharedkey",
    "signingkey",
    "storagekey",
    "token",
];

/// The same of names that have to be a word of their own: `DB_PASS` is one, `bypass` is not.
const SECRET_WORDS: &[&str] = &["auth", "pass", "pat", "pin", "psk", "pw", "pwd"];

/// The same in the query of a URL, where short names are common.
const SECRET_QUERIES: &[&str] = &["code", "key", "sig", "signature"];

/// What tokens begin with whose form is known.
const TOKENS: &[&str] = &[
    "AIza",
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "hf_",
    "npm_",
    "pypi-",
    "sk-",
    "xoxa-",
    "xoxb-",
    "xoxp-",
    "xoxs-",
    "dop_v1_",
    "sk_live_",
    "rk_live_",
];

/// No token of a known form is shorter.
const TOKEN_LENGTH: usize = 20;

/// Short options that take a credential, each behind one of these words.
const SHORT_OPTIONS: &[(&[&str], &str, Form)] = &[
    (&["curl", "wcurl"], "-u", Form::User),
    (&["curl"], "-U", Form::User),
    (&["xh", "xhs", "http", "https"], "-a", Form::User),
    (&["mysql", "mysqladmin", "mysqldump", "mariadb", "mariadb-dump"], "-p", Form::Attached),
    (&["7z", "7za", "7zz"], "-p", Form::Attached),
    // Of docker, podman, helm and others.
    (&["login", "sshpass", "mongo", "mongosh"], "-p", Form::Value),
    (&["redis-cli"], "-a", Form::Value),
    (&["zip", "unzip"], "-P", Form::Value),
    (&["ldapsearch", "ldapadd", "ldapmodify"], "-w", Form::Value),
];

/// How a short option takes its credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Attached to the option, or as the next word.
    Value,
    /// Attached to the option alone.
    Attached,
    /// As [`Form::Value`], `USER:PASSWORD`.
    User,
}

/// Whether credentials in a command line are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Credentials {
    /// `***` is shown in their place.
    #[default]
    Masked,
    /// They are.
    Revealed,
}

impl Credentials {
    /// What an option `--reveal` asks for.
    pub fn reveal(reveal: bool) -> Credentials {
        if reveal { Credentials::Revealed } else { Credentials::Masked }
    }

    /// The words of a command line as they may be shown.
    pub fn words<'w>(self, argv: impl IntoIterator<Item = &'w [u8]>) -> Vec<Cow<'w, [u8]>> {
        let argv = argv.into_iter();
        match self {
            Credentials::Revealed => argv.map(Cow::Borrowed).collect(),
            Credentials::Masked => masked(&argv.collect::<Vec<_>>()),
        }
    }

    /// A text, such as a script, as it may be shown.
    pub fn text(self, text: &str) -> String {
        match self {
            Credentials::Revealed => text.to_owned(),
            Credentials::Masked => String::from_utf8_lossy(&in_text(text.as_bytes())).into_owned(),
        }
    }

    /// The words of a command line as texts.
    pub fn texts<'w>(self, argv: impl IntoIterator<Item = &'w [u8]>) -> Vec<String> {
        let words = self.words(argv);
        words.iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect()
    }

    /// The words of a command line as a line that a shell takes for these words.
    pub fn line<'w>(self, argv: impl IntoIterator<Item = &'w [u8]>) -> String {
        let words: Vec<String> = self.words(argv).iter().map(|it| word(it)).collect();
        words.join(" ")
    }
}

/// What a word takes to be of the word before it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expected {
    /// Nothing.
    Anything,
    /// All of it is a credential.
    Credential,
    /// What stands behind a colon is one.
    User,
}

fn masked<'w>(argv: &[&'w [u8]]) -> Vec<Cow<'w, [u8]>> {
    let mut expected = Expected::Anything;
    let mut commands: Vec<&str> = Vec::new();
    let mut words = Vec::with_capacity(argv.len());
    for &word in argv {
        let now = std::mem::replace(&mut expected, Expected::Anything);
        words.push(match now {
            // The option had no value.
            _ if now != Expected::Anything && word.len() > 2 && word.starts_with(b"--") => {
                expected = expected_after(word);
                in_text(word)
            }
            Expected::Credential => hidden(word),
            Expected::User => user(word),
            Expected::Anything => {
                if let Some((option, form)) = short_option(&commands, word) {
                    let (name, value) = word.split_at(option.len());
                    match form {
                        _ if !value.is_empty() && form == Form::User => {
                            Cow::Owned([name, &user(value)].concat())
                        }
                        _ if !value.is_empty() => Cow::Owned([name, &hidden(value)].concat()),
                        Form::Value => {
                            expected = Expected::Credential;
                            Cow::Borrowed(word)
                        }
                        Form::User => {
                            expected = Expected::User;
                            Cow::Borrowed(word)
                        }
                        Form::Attached => Cow::Borrowed(word),
                    }
                } else {
                    expected = expected_after(word);
                    in_text(word)
                }
            }
        });
        // Behind `env` and `sudo`, too, so each word may be the name of a command.
        if let Ok(text) = std::str::from_utf8(word)
            && !text.starts_with('-')
        {
            commands.push(text.rsplit('/').next().unwrap_or(text));
        }
    }
    words
}

/// The option of one of these commands, if `word` begins with one.
fn short_option(commands: &[&str], word: &[u8]) -> Option<(&'static str, Form)> {
    let is_of = |names: &[&str]| commands.iter().any(|command| names.contains(command));
    SHORT_OPTIONS
        .iter()
        .find(|(names, option, _)| word.starts_with(option.as_bytes()) && is_of(names))
        .map(|(_, option, form)| (*option, *form))
}

/// What the word behind `word` is, if this is an option by itself.
fn expected_after(word: &[u8]) -> Expected {
    let Some(name) = word.strip_prefix(b"-") else {
        let is_scheme = word.eq_ignore_ascii_case(b"bearer");
        return if is_scheme { Expected::Credential } else { Expected::Anything };
    };
    let is_name = name.iter().all(|byte| is_of_a_name(*byte));
    if matches!(word, b"--user" | b"--proxy-user") {
        Expected::User
    } else if is_name && !name.starts_with(b"-no-") && is_secret(name) {
        Expected::Credential
    } else {
        Expected::Anything
    }
}

fn is_of_a_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-.".contains(&byte)
}

/// Whether what has this name is a credential.
fn is_secret(name: &[u8]) -> bool {
    let mut parts = name.split(|byte| !byte.is_ascii_alphanumeric());
    let last = parts.rfind(|part| !part.is_empty()).unwrap_or_default();
    let last = last.to_ascii_lowercase();
    let mut whole: Vec<u8> =
        name.iter().filter(|byte| byte.is_ascii_alphanumeric()).copied().collect();
    whole.make_ascii_lowercase();
    SECRET_WORDS.iter().any(|it| last == it.as_bytes())
        || SECRET_NAMES.iter().any(|it| whole.ends_with(it.as_bytes()))
}

/// A credential as it is shown.
fn hidden(value: &[u8]) -> Cow<'_, [u8]> {
    let of_a_shell = value.starts_with(b"$") && value.len() > 1;
    if value.is_empty() || of_a_shell { Cow::Borrowed(value) } else { Cow::Borrowed(MASK) }
}

/// `USER:PASSWORD` as it is shown.
fn user(value: &[u8]) -> Cow<'_, [u8]> {
    match value.iter().position(|&byte| byte == b':') {
        // The numbers of a user and a group.
        Some(colon)
            if value.iter().all(|byte| byte.is_ascii_digit() || *byte == b':') && colon > 0 =>
        {
            Cow::Borrowed(value)
        }
        Some(colon) => {
            let (name, rest) = value.split_at(colon + 1);
            Cow::Owned([name, &hidden(rest)].concat())
        }
        None => Cow::Borrowed(value),
    }
}

/// A word, or a script, without the credentials that can be told by what is around them.
fn in_text(text: &[u8]) -> Cow<'_, [u8]> {
    let mut shown = Vec::new();
    let mut copied = 0;
    let mut at = 0;
    while at < text.len() {
        let found =
            if at > 0 && is_of_a_name(text[at - 1]) { None } else { credential_at(text, at) };
        match found.or_else(|| password_of_a_url(text, at)) {
            Some((start, end)) if start < end => {
                shown.extend_from_slice(&text[copied..start]);
                shown.extend_from_slice(&hidden(&text[start..end]));
                copied = end;
                at = end;
            }
            _ => at += 1,
        }
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    shown.extend_from_slice(&text[copied..]);
    Cow::Owned(shown)
}

/// Where the credential lies that is, or is named by, the name that begins at `at`.
fn credential_at(text: &[u8], at: usize) -> Option<(usize, usize)> {
    let len = text[at..].iter().take_while(|byte| is_of_a_name(**byte)).count();
    let name = &text[at..at + len];
    if len == 0 {
        return None;
    }
    let is_token = |start: &&str| name.starts_with(start.as_bytes());
    let is_jwt = || name.starts_with(b"eyJ") && name.split(|byte| *byte == b'.').count() == 3;
    if len >= TOKEN_LENGTH && (TOKENS.iter().any(is_token) || is_jwt()) {
        return Some((at, at + len));
    }
    let after = at + len;
    if name.eq_ignore_ascii_case(b"bearer") {
        let start = after + blanks(&text[after..]);
        return (start > after).then(|| (start, start + value(&text[start..])));
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

/// Where the value of a header lies whose name ends at `after`, behind the scheme that it
/// names; it ends with its line, or with the quotation.
fn header(text: &[u8], after: usize) -> Option<(usize, usize)> {
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
    Some((start + skipped, start + end))
}

/// Where the value lies that begins at `start`, quoted or not.
fn span_of_value(text: &[u8], start: usize) -> (usize, usize) {
    match text.get(start) {
        Some(&quote @ (b'\'' | b'"')) => {
            let rest = &text[start + 1..];
            let end = rest.iter().position(|byte| *byte == quote).unwrap_or(rest.len());
            (start + 1, start + 1 + end)
        }
        _ => (start, start + value(text.get(start..).unwrap_or_default())),
    }
}

/// The length of a value that no quotes end.
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

/// Where the password of a URL lies whose `://` begins at `at`.
fn password_of_a_url(text: &[u8], at: usize) -> Option<(usize, usize)> {
    let rest = text[at..].strip_prefix(b"://")?;
    let authority =
        rest.iter().position(|byte| b"/?#'\"".contains(byte) || byte.is_ascii_whitespace());
    let authority = &rest[..authority.unwrap_or(rest.len())];
    let end = authority.iter().rposition(|byte| *byte == b'@')?;
    let colon = authority[..end].iter().position(|byte| *byte == b':')?;
    let start = at + b"://".len();
    Some((start + colon + 1, start + end))
}

#[cfg(test)]
mod tests;
