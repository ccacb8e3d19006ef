//! `config.toml` in its plain form: lines of a name and a string, a list of strings or `true`, and
//! rules whose patterns use `*` and `?` alone.
//!
//! Anything else, including a mistake, is left to the ordinary way, and so is a file that is long
//! or not trusted. The meaning of a name is defined by [`Given`], for arguments and the file alike.
//! Reading the few lines of such a file costs less than checking that an earlier result is still
//! valid.

use crate::buffer::Buffer;
use crate::call::Process;
use crate::options::{Given, Options};
use crate::sys::{self, Errno};
use crate::text::Text;
use crate::{Known, Pass};
use cachex_core::bytes::{eq, strip_prefix};
use cachex_core::key::Sink;

/// The maximum length of a file. Longer ones are left to the ordinary way.
const SIZE: usize = 8 * 1024;

/// The separator of the patterns of a list.
const PATTERN_END: u8 = b'\n';
const OTHERWISE: Pass = Pass("the configuration file is not plain");

/// The maximum number of rules. Files with more are left to the ordinary way.
const RULES: usize = 16;

/// Buffers for the contents of a file.
pub struct Room {
    text: [u8; SIZE],
    command: [u8; SIZE],
}

impl Room {
    pub const NEW: Room = Room { text: [0; SIZE], command: [0; SIZE] };
}

/// The settings of each level of a call, including those of a file for all commands.
pub struct Levels {
    pub flags: Given,
    pub variables: Given,
    pub all: Given,
}

impl Levels {
    pub const NEW: Levels = Levels { flags: Given::NEW, variables: Given::NEW, all: Given::NEW };
}

/// The settings of a file for some commands.
pub type Rules = [Given; RULES];

pub const NO_RULES: Rules = [const { Given::NEW }; RULES];

/// Merges the settings of the file at this path. Returns false if there is none. A file that was
/// named must exist.
pub fn read(
    (path, is_named): (Text<'_>, bool),
    options: &mut Options,
    process: &Process,
    room: &'static mut Room,
    (all, rules): (&mut Given, &mut [Given]),
) -> Known<bool> {
    let flags = libc::O_RDONLY | libc::O_NONBLOCK | libc::O_NOCTTY;
    let file = match sys::open_at(libc::AT_FDCWD, path, flags, 0) {
        Ok(file) => file,
        Err(Errno(libc::ENOENT | libc::ENOTDIR)) if !is_named => return Ok(false),
        Err(_) => return Err(Pass("the configuration file cannot be opened")),
    };
    let stat = sys::fstat(file.number())?;
    let is_trusted = stat.st_mode & libc::S_IFMT == libc::S_IFREG
        && (stat.st_uid == 0 || stat.st_uid == sys::geteuid())
        && stat.st_mode & (libc::S_IWGRP | libc::S_IWOTH) == 0;
    if !is_trusted {
        return Err(Pass("the configuration file is not to be trusted"));
    }
    let len = sys::read_all(file.number(), &mut room.text)?;
    let text = room.text.get_mut(..len).filter(|text| text.len() < SIZE);
    let text = text.ok_or(Pass("the configuration file is long"))?;
    let mut command = Buffer::new(&mut room.command);
    settings(text, options, process, &mut command, all, rules).ok_or(OTHERWISE)?;
    Ok(true)
}

fn settings(
    text: &'static mut [u8],
    options: &mut Options,
    process: &Process,
    command: &mut Buffer<'_>,
    all: &mut Given,
    rules: &mut [Given],
) -> Option<()> {
    // The number of rules that have begun, and which of them match.
    let (mut count, mut matching) = (0_usize, [None; RULES]);
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
        let (line, behind) = rest.split_at_mut_checked(end)?;
        rest = behind.get_mut(1..).unwrap_or_default();
        if !line.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\t')) {
            return None;
        }
        let line = trimmed(line);
        if matches!(line, [] | [b'#', ..]) {
            continue;
        }
        if let Some(behind) = strip_prefix(line, b"[[command]]") {
            if !is_nothing(behind) {
                return None;
            }
            if count == 0 {
                let words = options.argv_by(all.shell(), process);
                command_line(words, command);
            }
            count = count.wrapping_add(1);
            continue;
        }
        let (name, value) = setting(line)?;
        let Some(at) = count.checked_sub(1) else {
            all.take(name, value, true)?;
            continue;
        };
        let (rule, matches) = (rules.get_mut(at)?, matching.get_mut(at)?);
        if eq(name, b"match") {
            let Value::Text(patterns) = value else { return None };
            if matches.is_some() {
                return None;
            }
            *matches = Some(is_matched(patterns, command.bytes().ok()?)?);
        } else {
            rule.take(name, value, false)?;
        }
    }
    let begun = rules.get(..count)?.iter().zip(&matching);
    // The last rule has precedence.
    for (rule, matches) in begun.rev() {
        if !rule.agrees() {
            return None;
        }
        if (*matches)? {
            options.put_below(rule);
        }
    }
    options.put_below(all);
    all.agrees().then_some(())
}

impl Given {
    /// Merges a line of the file.
    fn take(&mut self, name: &[u8], value: Value, is_top: bool) -> Option<()> {
        let is = |other: &[u8]| eq(name, other);
        match value {
            // Aliases of options, and options for one call.
            _ if is(b"ttl") || is(b"stale-after") || is(b"single-flight") || is(b"read-only") => {
                None
            }
            Value::True => self.switch(name, false)?.then_some(()),
            // It has no effect on a hit.
            Value::Text(size) if is(b"max-size") => is_size(size.bytes()).then_some(()),
            Value::Text(path) if is(b"cache-dir") && !path.starts_with(b"/") => None,
            Value::Text(text) if text.is_empty() => None,
            Value::Text(text) => self.set(name, text, is_top),
        }
    }
}

#[derive(Clone, Copy)]
enum Value {
    True,
    /// A string, or a list: of names separated by commas, or of patterns separated by line ends.
    Text(Text<'static>),
}

/// Returns the name and the value of a line.
fn setting(line: &'static mut [u8]) -> Option<(&'static [u8], Value)> {
    let is_of_a_name = |byte: &u8| byte.is_ascii_lowercase() || *byte == b'-';
    let end = line.iter().position(|byte| !is_of_a_name(byte))?;
    let (name, rest) = line.split_at_mut_checked(end)?;
    let rest = trimmed(rest);
    if !matches!(rest, [b'=', ..]) {
        return None;
    }
    let rest = trimmed(rest.get_mut(1..)?);
    let name: &'static [u8] = name;
    if let Some(behind) = strip_prefix(rest, b"true") {
        return is_nothing(behind).then_some((name, Value::True));
    }
    let between = if eq(name, b"match") {
        Some(PATTERN_END)
    } else if eq(name, b"env") || eq(name, b"ignore-env") {
        Some(b',')
    } else {
        None
    };
    Some((name, Value::Text(strings(rest, between)?)))
}

/// Parses a string, or a list of strings, which are joined in place with `between`. Returns `None`
/// for a list if there is no separator.
fn strings(text: &'static mut [u8], between: Option<u8>) -> Option<Text<'static>> {
    let is_list = matches!(text, [b'[', ..]);
    if is_list && between.is_none() {
        return None;
    }
    let mut from = usize::from(is_list);
    let mut to = 0_usize;
    loop {
        from = behind_blanks(text, from);
        if text.get(from) != Some(&b'"') {
            return None;
        }
        loop {
            from = from.wrapping_add(1);
            match *text.get(from)? {
                b'"' => break,
                b'\\' => return None,
                b',' if is_list => return None,
                byte => *text.get_mut(to)? = byte,
            }
            to = to.wrapping_add(1);
        }
        from = from.wrapping_add(1);
        if !is_list {
            break;
        }
        from = behind_blanks(text, from);
        match text.get(from)? {
            b']' => {
                from = from.wrapping_add(1);
                break;
            }
            b',' => {}
            _ => return None,
        }
        from = from.wrapping_add(1);
        *text.get_mut(to)? = between?;
        to = to.wrapping_add(1);
    }
    if !is_nothing(text.get(from..)?) {
        return None;
    }
    *text.get_mut(to)? = 0;
    Text::of(text.get(..=to)?)
}

fn behind_blanks(text: &[u8], at: usize) -> usize {
    let blanks = text.get(at..).unwrap_or_default().iter().take_while(|byte| is_blank(**byte));
    at.wrapping_add(blanks.count())
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

fn trimmed(line: &mut [u8]) -> &mut [u8] {
    let start = behind_blanks(line, 0);
    line.get_mut(start..).unwrap_or_default()
}

/// Returns whether there is at most a comment.
fn is_nothing(text: &[u8]) -> bool {
    matches!(text.get(behind_blanks(text, 0)..), None | Some([] | [b'#', ..]))
}

/// Returns whether this is a valid size of a store.
pub fn is_size(text: &[u8]) -> bool {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let Some((number, unit)) = text.split_at_checked(digits) else { return false };
    let is_unit = [&b"MB"[..], b"MiB", b"GB", b"GiB"].iter().any(|other| eq(unit, other));
    matches!(number, [b'1'..=b'9', ..]) && number.len() <= 4 && is_unit
}

/// Writes the command in the form that the patterns of rules match.
fn command_line(words: impl Iterator<Item = Text<'static>>, to: &mut Buffer<'_>) {
    let mut between: &[u8] = b"";
    for word in words {
        to.put(between);
        to.put(word.bytes());
        between = b" ";
    }
}

/// Returns whether one of these patterns matches a command, or `None` if that cannot be decided
/// here.
fn is_matched(patterns: Text<'_>, command: &[u8]) -> Option<bool> {
    // The command also matches by the name of its file.
    let end = command.iter().position(|&byte| byte == b' ').unwrap_or(command.len());
    let slash = command.get(..end)?.iter().rposition(|&byte| byte == b'/');
    let by_name = command.get(slash.map_or(0, |slash| slash.wrapping_add(1))..)?;
    let is_plain = patterns.bytes().iter().all(|byte| !matches!(byte, b'[' | b']' | b'{' | b'}'))
        && !patterns.bytes().windows(2).any(|two| matches!(two, b"**"))
        && command.is_ascii()
        && matches!(by_name, [b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z', ..]);
    if !is_plain {
        return None;
    }
    let mut is_one = false;
    for pattern in patterns.bytes().split(|&byte| byte == PATTERN_END) {
        if pattern.is_empty() {
            return None;
        }
        is_one |= matches(pattern, command) || matches(pattern, by_name);
    }
    Some(is_one)
}

/// Returns whether a text matches a pattern, in which `*` stands for any text and `?` for one
/// character.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut of) = (0_usize, 0_usize);
    // The position of the last `*`, and the end of the text that it matches.
    let mut star = None;
    while let Some(byte) = text.get(at) {
        match pattern.get(of) {
            Some(b'*') => {
                star = Some((of, at));
                of = of.wrapping_add(1);
            }
            Some(wanted) if *wanted == b'?' || wanted == byte => {
                of = of.wrapping_add(1);
                at = at.wrapping_add(1);
            }
            _ => {
                let Some((place, end)) = star else { return false };
                at = end.wrapping_add(1);
                of = place.wrapping_add(1);
                star = Some((place, at));
            }
        }
    }
    pattern.get(of..).unwrap_or_default().iter().all(|&byte| byte == b'*')
}
