//! The arguments, as far as they are supported here.
//!
//! The meaning of each option is described by `cachex help run`. Everything accepted here is
//! accepted by the ordinary way with the same meaning. All else is passed on, whether it is an
//! option that is not supported here, a value of another form, or a mistake.

use crate::call::Process;
use crate::text::Text;
use crate::{Known, Pass};
use cachex_core::bytes::{eq, strip_prefix};
use cachex_core::span;

/// The way in which the executable is part of the key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Executable {
    Stat,
    Name,
}

/// The handling of standard input.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Stdin {
    Hash,
    Null,
    Inherit,
}

/// The variables that are part of the key. Lists are names separated by commas.
#[derive(Clone, Copy)]
pub enum Variables {
    All,
    Only(&'static [u8]),
    Except(&'static [u8]),
    None,
}

/// The amount of messages on standard error.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Loudness {
    Quiet,
    Verbose,
}

/// The call and its options.
pub struct Options {
    /// True if the command is a script for a shell.
    is_script: bool,
    /// The index of the first argument of the command, or of the shell.
    command: usize,
    given: &'static mut Given,
}

/// The default shell, which is that of make.
const SHELL: Text<'static> = Text::literal(c"/bin/sh");
/// The default maximum age of a failure.
const FAILURE_EXPIRES_IN: u64 = 60_000_000_000;

/// The settings of one level, to detect duplicates there. Durations are in nanoseconds.
///
/// The struct is never moved: moving so much memory requires a function of the C library.
pub struct Given {
    executable: Option<Executable>,
    stdin: Option<Stdin>,
    variables: Option<Variables>,
    shell: Option<Text<'static>>,
    key: Option<&'static [u8]>,
    scope: Option<&'static [u8]>,
    input: Option<Text<'static>>,
    expires_in: Option<u64>,
    failure_expires_in: Option<u64>,
    refresh_after: Option<u64>,
    stale_if_error: Option<u64>,
    lock_timeout: Option<u64>,
    timeout: Option<u64>,
    dir: Option<Text<'static>>,
    no_cwd: Option<()>,
    no_concurrent: Option<()>,
    loudness: Option<Loudness>,
    read_only: Option<()>,
}

impl Options {
    /// Reads the arguments.
    pub fn of(process: &Process, given: &'static mut Given) -> Known<Options> {
        read(process, given).ok_or(Pass("arguments"))
    }

    /// Merges settings with a lower precedence than this call's.
    pub fn put_below(&mut self, below: &Given) {
        self.given.put_below(below);
    }

    /// Makes sure that no result expires before it is refreshed: which of the two settings applies
    /// depends on where they were made.
    pub fn check(&self) -> Known<()> {
        let agrees = self.given.agrees();
        if agrees { Ok(()) } else { Err(Pass("a result would expire before it is refreshed")) }
    }

    pub fn executable(&self) -> Executable {
        self.given.executable.unwrap_or(Executable::Stat)
    }

    pub fn stdin(&self) -> Stdin {
        self.given.stdin.unwrap_or(if self.is_script { Stdin::Null } else { Stdin::Hash })
    }

    pub fn variables(&self) -> Variables {
        self.given.variables.unwrap_or(Variables::All)
    }

    pub fn has_directory(&self) -> bool {
        self.given.no_cwd.is_none()
    }

    pub fn key(&self) -> Option<&'static [u8]> {
        self.given.key
    }

    pub fn scope(&self) -> Option<&'static [u8]> {
        self.given.scope
    }

    pub fn input(&self) -> Option<Text<'static>> {
        self.given.input
    }

    /// Returns the folder of the store.
    pub fn dir(&self) -> Option<Text<'static>> {
        self.given.dir
    }

    pub fn is_verbose(&self) -> bool {
        self.given.loudness == Some(Loudness::Verbose)
    }

    pub fn refresh_after(&self) -> Option<u64> {
        self.given.refresh_after
    }

    /// Returns the maximum age of a result with this status.
    pub fn limit(&self, status: u8) -> Option<u64> {
        let limit = self.given.expires_in;
        if status == 0 {
            return limit;
        }
        let shorter = limit.map_or(FAILURE_EXPIRES_IN, |it| it.min(FAILURE_EXPIRES_IN));
        Some(self.given.failure_expires_in.unwrap_or(shorter))
    }

    /// Returns the arguments of the command, beginning with the command itself.
    pub fn argv<'p>(&self, process: &'p Process) -> impl Iterator<Item = Text<'static>> + 'p {
        self.argv_by(None, process)
    }

    /// Returns the arguments of the command, given a shell that is set with a lower precedence.
    pub fn argv_by<'p>(
        &self,
        below: Option<Text<'static>>,
        process: &'p Process,
    ) -> impl Iterator<Item = Text<'static>> + 'p {
        let shell = self.is_script.then(|| self.given.shell.or(below).unwrap_or(SHELL));
        let given = (self.command..process.count()).filter_map(|at| process.argument(at));
        shell.into_iter().chain(given)
    }

    /// Returns the number of arguments of the command.
    pub fn count(&self, process: &Process) -> usize {
        let given = process.count().saturating_sub(self.command);
        given.wrapping_add(usize::from(self.is_script))
    }
}

/// Returns whether the last part of a path is cachex's own name.
fn is_called_cachex(path: Text<'static>) -> bool {
    let mut begin = 0;
    for (at, &byte) in path.bytes().iter().enumerate() {
        if byte == b'/' {
            begin = at.wrapping_add(1);
        }
    }
    path.from(begin).is_some_and(|name| name.starts_with(b"cachex"))
}

fn read(process: &Process, given: &'static mut Given) -> Option<Options> {
    // Called by the name of another command, cachex runs that command.
    if !is_called_cachex(process.argument(0)?) {
        return None;
    }
    let verb = process.argument(1)?;
    let (is_script, begin) = if verb.is(b"run") {
        (false, 2)
    } else if verb.is(b"sh") {
        (true, 2)
    } else if is_short_form(process, verb) {
        (false, 1)
    } else {
        return None;
    };
    let command = options(process, is_script, begin, given)?;
    let first = process.argument(command)?;
    if first.is_empty() || is_script && !is_plain_script(process, command, first) {
        return None;
    }
    given.agrees().then_some(Options { is_script, command, given })
}

/// Returns whether the first argument begins a `run` without that word. The options before the `--`
/// are no script: none of those supported here is a flag `-c` of a shell.
fn is_short_form(process: &Process, first: Text<'_>) -> bool {
    first.starts_with(b"-")
        && (2..process.count())
            .filter_map(|at| process.argument(at))
            .chain([first])
            .any(|argument| argument.is(b"--"))
}

/// Returns whether these are flags of a shell that include `-c`, followed by a script.
fn is_plain_script(process: &Process, at: usize, flags: Text<'_>) -> bool {
    let [b'-', letters @ ..] = flags.bytes() else { return false };
    let are_plain = letters
        .iter()
        .all(|letter| letter.is_ascii_alphabetic() && *letter != b'o' && *letter != b'O');
    let script = process.argument(at.wrapping_add(1));
    are_plain
        && letters.contains(&b'c')
        && script.is_some_and(|it| !it.starts_with(b"-") && !it.starts_with(b"+"))
}

/// Reads the options. Returns the index of the command.
fn options(process: &Process, is_script: bool, begin: usize, given: &mut Given) -> Option<usize> {
    let mut at = begin;
    loop {
        let argument = process.argument(at)?;
        let is_shells =
            matches!(argument.bytes(), [b'-' | b'+', it, ..] if it.is_ascii_alphabetic());
        if is_script && is_shells || !is_script && !argument.starts_with(b"-") {
            return Some(at);
        }
        at = at.wrapping_add(1);
        if argument.is(b"--") {
            return Some(at);
        }
        let (name, glued) = named(argument, is_script)?;
        if given.switch(name, glued.is_some())? {
            continue;
        }
        let value = if let Some(value) = glued {
            value
        } else {
            let next = process.argument(at).filter(|next| !next.starts_with(b"-"))?;
            at = at.wrapping_add(1);
            next
        };
        if value.is_empty() {
            return None;
        }
        given.set(name, value, is_script)?;
    }
}

/// Returns the name of an option, and the value after its `=`.
fn named(
    argument: Text<'static>,
    is_script: bool,
) -> Option<(&'static [u8], Option<Text<'static>>)> {
    let Some(long) = strip_prefix(argument.bytes(), b"--") else {
        let name: &'static [u8] = match argument.bytes() {
            _ if is_script => return None,
            [b'-', b'e'] => b"env",
            [b'-', b'i'] => b"input",
            [b'-', b'k'] => b"key",
            [b'-', b'n'] => b"no-concurrent",
            [b'-', b'q'] => b"quiet",
            [b'-', b's'] => b"refresh-after",
            [b'-', b't'] => b"expires-in",
            [b'-', b'v'] => b"verbose",
            _ => return None,
        };
        return Some((name, None));
    };
    match long.iter().position(|&byte| byte == b'=') {
        Some(equals) => {
            let value = argument.from(equals.wrapping_add(3))?;
            Some((long.get(..equals)?, Some(value)))
        }
        None => Some((long, None)),
    }
}

impl Given {
    pub const NEW: Given = Given {
        executable: None,
        stdin: None,
        variables: None,
        shell: None,
        key: None,
        scope: None,
        input: None,
        expires_in: None,
        failure_expires_in: None,
        refresh_after: None,
        stale_if_error: None,
        lock_timeout: None,
        timeout: None,
        dir: None,
        no_cwd: None,
        no_concurrent: None,
        loudness: None,
        read_only: None,
    };

    /// Merges settings with a lower precedence.
    pub fn put_below(&mut self, below: &Given) {
        self.executable = self.executable.or(below.executable);
        self.stdin = self.stdin.or(below.stdin);
        self.variables = self.variables.or(below.variables);
        self.shell = self.shell.or(below.shell);
        self.key = self.key.or(below.key);
        self.scope = self.scope.or(below.scope);
        self.input = self.input.or(below.input);
        self.expires_in = self.expires_in.or(below.expires_in);
        self.failure_expires_in = self.failure_expires_in.or(below.failure_expires_in);
        self.refresh_after = self.refresh_after.or(below.refresh_after);
        self.stale_if_error = self.stale_if_error.or(below.stale_if_error);
        self.lock_timeout = self.lock_timeout.or(below.lock_timeout);
        self.timeout = self.timeout.or(below.timeout);
        self.dir = self.dir.or(below.dir);
        self.no_cwd = self.no_cwd.or(below.no_cwd);
        self.no_concurrent = self.no_concurrent.or(below.no_concurrent);
        self.loudness = self.loudness.or(below.loudness);
        self.read_only = self.read_only.or(below.read_only);
    }

    /// Returns the shell of scripts.
    pub fn shell(&self) -> Option<Text<'static>> {
        self.shell
    }

    /// Returns whether no result expires before it is refreshed.
    pub fn agrees(&self) -> bool {
        match (self.refresh_after, self.expires_in) {
            (Some(after), Some(limit)) => after < limit,
            _ => true,
        }
    }

    /// Turns on the switch of this name, if there is one.
    pub fn switch(&mut self, name: &[u8], has_value: bool) -> Option<bool> {
        let is = |known: &[u8]| eq(name, known);
        if is(b"no-env") {
            once(&mut self.variables, Variables::None)?;
        } else if is(b"no-cwd") {
            once(&mut self.no_cwd, ())?;
        } else if is(b"no-concurrent") || is(b"single-flight") {
            once(&mut self.no_concurrent, ())?;
        } else if is(b"quiet") {
            once(&mut self.loudness, Loudness::Quiet)?;
        } else if is(b"verbose") {
            once(&mut self.loudness, Loudness::Verbose)?;
        } else if is(b"read-only") {
            once(&mut self.read_only, ())?;
        } else {
            return Some(false);
        }
        (!has_value).then_some(true)
    }

    /// Sets the option of this name.
    pub fn set(&mut self, name: &[u8], value: Text<'static>, is_script: bool) -> Option<()> {
        let is = |known: &[u8]| eq(name, known);
        let bytes = value.bytes();
        if is(b"expires-in") || is(b"ttl") {
            once(&mut self.expires_in, span::read(bytes)?)
        } else if is(b"failure-expires-in") {
            once(&mut self.failure_expires_in, span::read(bytes)?)
        } else if is(b"refresh-after") || is(b"stale-after") {
            once(&mut self.refresh_after, span::read(bytes)?)
        } else if is(b"stale-if-error") {
            // It does not affect fresh results.
            once(&mut self.stale_if_error, span::read(bytes)?)
        } else if is(b"lock-timeout") {
            once(&mut self.lock_timeout, span::read(bytes)?)
        } else if is(b"timeout") {
            once(&mut self.timeout, span::read(bytes)?)
        } else if is(b"exe") {
            let how = [(&b"stat"[..], Executable::Stat), (b"name", Executable::Name)];
            once(&mut self.executable, chosen(bytes, &how)?)
        } else if is(b"stdin") {
            let how =
                [(&b"hash"[..], Stdin::Hash), (b"null", Stdin::Null), (b"inherit", Stdin::Inherit)];
            once(&mut self.stdin, chosen(bytes, &how)?)
        } else if is(b"env") {
            once(&mut self.variables, Variables::Only(names(bytes)?))
        } else if is(b"ignore-env") {
            once(&mut self.variables, Variables::Except(names(bytes)?))
        } else if is(b"key") {
            once(&mut self.key, bytes)
        } else if is(b"scope") {
            once(&mut self.scope, bytes.iter().all(u8::is_ascii).then_some(bytes)?)
        } else if is(b"input") {
            once(&mut self.input, is_plain_path(bytes).then_some(value)?)
        } else if is(b"cache-dir") {
            once(&mut self.dir, value)
        } else if is(b"shell") && is_script {
            once(&mut self.shell, bytes.iter().all(u8::is_ascii).then_some(value)?)
        } else {
            None
        }
    }
}

fn once<T>(place: &mut Option<T>, value: T) -> Option<()> {
    if place.is_some() {
        return None;
    }
    *place = Some(value);
    Some(())
}

fn chosen<T: Copy>(value: &[u8], choices: &[(&[u8], T)]) -> Option<T> {
    choices.iter().find(|(name, _)| eq(name, value)).map(|(_, choice)| *choice)
}

/// Parses names of variables separated by commas.
fn names(list: &'static [u8]) -> Option<&'static [u8]> {
    let is_of_a_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let are_names = list
        .split(|&byte| byte == b',')
        .all(|name| !name.is_empty() && name.iter().all(is_of_a_name));
    are_names.then_some(list)
}

/// Returns whether a path is not a pattern and in its shortest form.
fn is_plain_path(path: &[u8]) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-+=,:@%/".contains(byte);
    let mut parts = path.split(|&byte| byte == b'/');
    let is_absolute = matches!(path, [b'/', ..]);
    if is_absolute {
        parts.next();
    }
    path.iter().all(is_plain) && parts.all(|part| !matches!(part, [] | [b'.'] | [b'.', b'.']))
}
