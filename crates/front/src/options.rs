//! The arguments, as far as they are understood here.
//!
//! What each option means is told by `cachex help run`. What is accepted here is accepted
//! by the ordinary way with the same meaning; what is not, whether it is an option that is
//! not known here, a value of another form, or a mistake, is passed on.

use crate::call::Process;
use crate::text::Text;
use crate::{Known, Pass};
use cachex_core::bytes::{eq, strip_prefix};

/// How the executable is part of the key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Executable {
    Stat,
    Name,
}

/// How standard input is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Stdin {
    Hash,
    Null,
    Inherit,
}

/// Which variables are. Lists are names between commas.
#[derive(Clone, Copy)]
pub enum Variables {
    All,
    Only(&'static [u8]),
    Except(&'static [u8]),
    None,
}

/// What was asked for. Spans are in nanoseconds.
pub struct Options {
    /// The shell that the command is run by, where it is a script.
    pub shell: Option<Text<'static>>,
    /// Where among the arguments those of the command begin, or those of the shell.
    pub command: usize,
    pub executable: Executable,
    pub stdin: Stdin,
    pub variables: Variables,
    pub has_directory: bool,
    pub key: Option<&'static [u8]>,
    pub scope: Option<&'static [u8]>,
    pub expires_in: Option<u64>,
    pub failure_expires_in: Option<u64>,
    pub refresh_after: Option<u64>,
    pub dir: Option<Text<'static>>,
}

/// Where make looks for one.
const SHELL: Text<'static> = Text::literal(c"/bin/sh");
/// How long a failure is replayed at the most where nothing is said.
const FAILURE_EXPIRES_IN: u64 = 60_000_000_000;

/// What was given so far, to find what was given twice.
#[derive(Default)]
struct Given {
    executable: Option<Executable>,
    stdin: Option<Stdin>,
    variables: Option<Variables>,
    shell: Option<Text<'static>>,
    key: Option<&'static [u8]>,
    scope: Option<&'static [u8]>,
    expires_in: Option<u64>,
    failure_expires_in: Option<u64>,
    refresh_after: Option<u64>,
    stale_if_error: Option<u64>,
    lock_timeout: Option<u64>,
    timeout: Option<u64>,
    dir: Option<Text<'static>>,
    no_cwd: Option<()>,
    no_concurrent: Option<()>,
    quiet: Option<()>,
    read_only: Option<()>,
}

impl Options {
    /// Reads them.
    pub fn of(process: &Process) -> Known<Options> {
        read(process).ok_or(Pass("arguments"))
    }

    /// How long a result with this status may be replayed.
    pub fn limit(&self, status: u8) -> Option<u64> {
        if status == 0 {
            return self.expires_in;
        }
        let shorter = self.expires_in.map_or(FAILURE_EXPIRES_IN, |it| it.min(FAILURE_EXPIRES_IN));
        Some(self.failure_expires_in.unwrap_or(shorter))
    }

    /// The arguments of the command, itself the first.
    pub fn argv<'p>(&'p self, process: &'p Process) -> impl Iterator<Item = Text<'static>> + 'p {
        let given = (self.command..process.count()).filter_map(|at| process.argument(at));
        self.shell.into_iter().chain(given)
    }

    /// How many these are.
    pub fn count(&self, process: &Process) -> usize {
        let given = process.count().saturating_sub(self.command);
        given.wrapping_add(usize::from(self.shell.is_some()))
    }
}

/// Whether what follows the last slash of a path is cachex's own name.
fn is_called_cachex(path: Text<'static>) -> bool {
    let mut begin = 0;
    for (at, &byte) in path.bytes().iter().enumerate() {
        if byte == b'/' {
            begin = at.wrapping_add(1);
        }
    }
    path.from(begin).is_some_and(|name| name.starts_with(b"cachex"))
}

fn read(process: &Process) -> Option<Options> {
    // By the name of another command, cachex runs that one.
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
    let mut given = Given::default();
    let command = options(process, is_script, begin, &mut given)?;
    let first = process.argument(command)?;
    if first.is_empty() || is_script && !is_plain_script(process, command, first) {
        return None;
    }
    if let (Some(after), Some(limit)) = (given.refresh_after, given.expires_in)
        && after >= limit
    {
        return None;
    }
    let stdin = if is_script { Stdin::Null } else { Stdin::Hash };
    Some(Options {
        shell: is_script.then(|| given.shell.unwrap_or(SHELL)),
        command,
        executable: given.executable.unwrap_or(Executable::Stat),
        stdin: given.stdin.unwrap_or(stdin),
        variables: given.variables.unwrap_or(Variables::All),
        has_directory: given.no_cwd.is_none(),
        key: given.key,
        scope: given.scope,
        expires_in: given.expires_in,
        failure_expires_in: given.failure_expires_in,
        refresh_after: given.refresh_after,
        dir: given.dir,
    })
}

/// Whether the first argument begins a `run` without that word. What stands in front of the
/// `--` is no script: none of what is understood here is a flag `-c` of a shell.
fn is_short_form(process: &Process, first: Text<'_>) -> bool {
    first.starts_with(b"-")
        && (2..process.count())
            .filter_map(|at| process.argument(at))
            .chain([first])
            .any(|argument| argument.is(b"--"))
}

/// Whether these are flags of a shell with a `-c` among them, and a script behind.
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

/// Reads the options, and says where the command begins.
fn options(process: &Process, is_script: bool, begin: usize, given: &mut Given) -> Option<usize> {
    let mut at = begin;
    loop {
        let argument = process.argument(at)?;
        let is_shells =
            matches!(argument.bytes(), [b'-', letter, ..] if letter.is_ascii_alphabetic());
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

/// The name of an option, and the value behind its `=`.
fn named(
    argument: Text<'static>,
    is_script: bool,
) -> Option<(&'static [u8], Option<Text<'static>>)> {
    let Some(long) = strip_prefix(argument.bytes(), b"--") else {
        let name: &'static [u8] = match argument.bytes() {
            _ if is_script => return None,
            [b'-', b'e'] => b"env",
            [b'-', b'k'] => b"key",
            [b'-', b'n'] => b"no-concurrent",
            [b'-', b'q'] => b"quiet",
            [b'-', b's'] => b"refresh-after",
            [b'-', b't'] => b"expires-in",
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
    /// Turns on a switch of this name, if there is one.
    fn switch(&mut self, name: &[u8], has_value: bool) -> Option<bool> {
        let is = |known: &[u8]| eq(name, known);
        if is(b"no-env") {
            once(&mut self.variables, Variables::None)?;
        } else if is(b"no-cwd") {
            once(&mut self.no_cwd, ())?;
        } else if is(b"no-concurrent") || is(b"single-flight") {
            once(&mut self.no_concurrent, ())?;
        } else if is(b"quiet") {
            once(&mut self.quiet, ())?;
        } else if is(b"read-only") {
            once(&mut self.read_only, ())?;
        } else {
            return Some(false);
        }
        (!has_value).then_some(true)
    }

    /// Sets the option of this name.
    fn set(&mut self, name: &[u8], value: Text<'static>, is_script: bool) -> Option<()> {
        let is = |known: &[u8]| eq(name, known);
        let bytes = value.bytes();
        if is(b"expires-in") || is(b"ttl") {
            once(&mut self.expires_in, span(bytes)?)
        } else if is(b"failure-expires-in") {
            once(&mut self.failure_expires_in, span(bytes)?)
        } else if is(b"refresh-after") || is(b"stale-after") {
            once(&mut self.refresh_after, span(bytes)?)
        } else if is(b"stale-if-error") {
            // Of what is fresh it says nothing.
            once(&mut self.stale_if_error, span(bytes)?)
        } else if is(b"lock-timeout") {
            once(&mut self.lock_timeout, span(bytes)?)
        } else if is(b"timeout") {
            once(&mut self.timeout, span(bytes)?)
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

/// Plain names of variables between commas.
fn names(list: &'static [u8]) -> Option<&'static [u8]> {
    let is_of_a_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let are_names = list
        .split(|&byte| byte == b',')
        .all(|name| !name.is_empty() && name.iter().all(is_of_a_name));
    are_names.then_some(list)
}

/// A span of one unit, such as `10m`.
fn span(text: &[u8]) -> Option<u64> {
    let digits = text.iter().position(|byte| !byte.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(digits)?;
    // So many seconds, days even, are no overflow.
    if number.is_empty() || number.len() > 4 {
        return None;
    }
    let second = 1_000_000_000;
    let units = [
        (&b"ms"[..], 1_000_000),
        (b"s", second),
        (b"m", 60 * second),
        (b"h", 3600 * second),
        (b"d", 86400 * second),
    ];
    let unit: u64 = chosen(unit, &units)?;
    let value =
        |value: u64, digit: &u8| value.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
    let number = number.iter().fold(0, value);
    (number > 0).then_some(number.wrapping_mul(unit))
}
