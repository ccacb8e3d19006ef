//! The variables: those that are cachex's own, and those that are part of the key.

use crate::call::Process;
use crate::config;
use crate::options::{Given, Options, Variables};
use crate::text::Text;
use crate::{Known, Pass};
use cachex_core::bytes::{eq, starts_with};
use cachex_core::environment::{self, Significant};
use cachex_core::key::{Fields, Sink, Tag};
use core::cmp::Ordering;

/// The variable that switches all of this off.
const SWITCH: &[u8] = b"CACHEX_FRONT";
/// As it is where it is to be told why a call is passed on.
pub const TRACED: &[u8] = b"CACHEX_FRONT=trace";
/// More variables than this nobody has.
pub const MOST: usize = 768;

/// The variables that stand for an option which is known here, and its name. What else
/// stands for one is left to others.
pub const OPTIONS: [(&[u8], &[u8]); 20] = [
    (b"CACHEX_EXPIRES_IN", b"expires-in"),
    (b"CACHEX_FAILURE_EXPIRES_IN", b"failure-expires-in"),
    (b"CACHEX_REFRESH_AFTER", b"refresh-after"),
    (b"CACHEX_STALE_IF_ERROR", b"stale-if-error"),
    (b"CACHEX_LOCK_TIMEOUT", b"lock-timeout"),
    (b"CACHEX_TIMEOUT", b"timeout"),
    (b"CACHEX_NO_CONCURRENT", b"no-concurrent"),
    (b"CACHEX_SHELL", b"shell"),
    (b"CACHEX_EXE", b"exe"),
    (b"CACHEX_NO_CWD", b"no-cwd"),
    (b"CACHEX_ENV", b"env"),
    (b"CACHEX_IGNORE_ENV", b"ignore-env"),
    (b"CACHEX_NO_ENV", b"no-env"),
    (b"CACHEX_STDIN", b"stdin"),
    (b"CACHEX_KEY", b"key"),
    (b"CACHEX_SCOPE", b"scope"),
    (b"CACHEX_INPUT", b"input"),
    (b"CACHEX_MAX_SIZE", b"max-size"),
    (b"CACHEX_QUIET", b"quiet"),
    (b"CACHEX_VERBOSE", b"verbose"),
];
/// What turns on a switch.
const ON: [&[u8]; 4] = [b"1", b"true", b"yes", b"on"];

#[derive(Clone, Copy)]
pub struct Variable {
    name: &'static [u8],
    value: Text<'static>,
    /// What the name begins with, so that most comparisons are one of numbers.
    rank: u64,
}

/// All of them, and room to sort them.
pub struct Room {
    all: [Option<Variable>; MOST],
    order: [u16; MOST],
    spare: [u16; MOST],
}

impl Room {
    #[expect(clippy::large_stack_arrays, reason = "it is the beginning of a static")]
    pub const NEW: Room = Room { all: [None; MOST], order: [0; MOST], spare: [0; MOST] };
}

pub struct Environment {
    all: &'static [Option<Variable>],
    order: &'static mut [u16],
    spare: &'static mut [u16],
}

/// What cachex's own variables say.
#[derive(Default)]
pub struct Own {
    /// The folder of the store.
    pub dir: Option<Text<'static>>,
    /// The configuration file, if it is named.
    pub file: Option<Text<'static>>,
    /// No configuration file is read.
    pub has_no_file: bool,
    /// Some of them stand for options.
    pub has_options: bool,
}

impl Environment {
    /// Reads it.
    pub fn of(process: &Process, room: &'static mut Room) -> Known<Environment> {
        let Room { all, order, spare } = room;
        let mut count = 0;
        for text in process.environment() {
            let equals = text.bytes().iter().position(|&byte| byte == b'=');
            let (name, value) = match equals {
                Some(at) => (text.bytes().get(..at), text.from(at.wrapping_add(1))),
                // As the ordinary way has it.
                None => (Some(&b"="[..]), Some(text)),
            };
            let (Some(name), Some(value)) = (name, value) else { return Err(Pass("a variable")) };
            let Some(place) = all.get_mut(count) else { return Err(Pass("many variables")) };
            *place = Some(Variable { name, value, rank: rank(name) });
            count = count.wrapping_add(1);
        }
        Ok(Environment { all: all.get(..count).unwrap_or_default(), order, spare })
    }

    fn iter(&self) -> impl Iterator<Item = &Variable> {
        self.all.iter().flatten()
    }

    /// The value of a variable.
    pub fn get(&self, name: &[u8]) -> Option<Text<'static>> {
        self.iter().find(|variable| eq(variable.name, name)).map(|variable| variable.value)
    }

    /// What cachex's own say, if all of them are understood here; `given` takes in those that
    /// stand for options.
    pub fn own(&self, given: &mut Given) -> Known<Own> {
        let mut own = Own::default();
        let mut named: Option<Text<'static>> = None;
        let mut has_dir = false;
        for Variable { name, value, .. } in self.iter() {
            if !starts_with(name, environment::OWN) {
                continue;
            }
            if eq(name, b"CACHEX_DIR") {
                // The first of several is the one, empty or not.
                if !has_dir && !value.is_empty() {
                    own.dir = Some(*value);
                }
                has_dir = true;
            } else if eq(name, b"CACHEX_CONFIG") {
                named = named.or(Some(*value));
            } else if value.is_empty() || is_of_tests(name) {
                // As good as unset.
            } else if eq(name, SWITCH) && (value.is(b"1") || value.is(b"trace")) {
                // As without it.
            } else {
                let first = self.get(name).map(Text::pointer);
                if first != Some(value.pointer()) {
                    return Err(Pass("a variable of cachex is set twice"));
                }
                option(name, *value, given).ok_or(Pass("a variable of cachex"))?;
                own.has_options = true;
            }
        }
        if let Some(named) = named {
            own.has_no_file = named.is_empty() || named.is(b"/dev/null");
            own.file = Some(named);
            if !own.has_no_file && !named.starts_with(b"/") {
                return Err(Pass("a configuration file is named by a relative path"));
            }
        }
        Ok(own)
    }

    /// Tells those that are part of the key, sorted by their names; `cwd` is the working
    /// directory, if that is part of it.
    pub fn tell(
        self,
        options: &Options,
        cwd: Option<&[u8]>,
        to: &mut Fields<impl Sink>,
    ) -> Known<()> {
        let Environment { all, order, spare } = self;
        let mut count = 0;
        for (at, variable) in all.iter().enumerate() {
            let Some(variable) = variable else { continue };
            if !is_in_key(variable, options, cwd) {
                continue;
            }
            let Some(place) = order.get_mut(count) else { return Err(Pass("many variables")) };
            *place = at as u16;
            count = count.wrapping_add(1);
        }
        let order = order.get_mut(..count).unwrap_or_default();
        let order = sorted(all, order, spare.get_mut(..count).unwrap_or_default());
        to.begin_list(Tag::Env, count.wrapping_mul(2));
        for &at in order {
            let Some(Some(Variable { name, value, .. })) = all.get(usize::from(at)) else {
                return Err(Pass("a variable"));
            };
            to.sized(name);
            match environment::significant_part(name, value.bytes()) {
                Significant::Whole(value) => to.sized(value),
                Significant::Words(words) => {
                    to.number(length(words.clone()));
                    let mut between: &[u8] = b"";
                    for word in words {
                        to.0.put(between);
                        to.0.put(word);
                        between = b" ";
                    }
                }
            }
        }
        Ok(())
    }
}

/// Takes in a variable that stands for an option.
fn option(name: &[u8], value: Text<'static>, given: &mut Given) -> Option<()> {
    let (_, option) = OPTIONS.iter().find(|(variable, _)| eq(variable, name))?;
    if ON.iter().any(|on| value.is(on)) && given.switch(option, false)? {
        return Some(());
    }
    if eq(option, b"max-size") {
        // It says nothing of a hit.
        return config::is_size(value.bytes()).then_some(());
    }
    // More than one input is a list here.
    let is_list = eq(option, b"input") && value.contains(b',');
    if is_list { None } else { given.set(option, value, true) }
}

/// What tests set for each call, and that says nothing here.
fn is_of_tests(name: &[u8]) -> bool {
    cfg!(debug_assertions) && eq(name, b"CACHEX_TEST_PATIENCE")
}

fn rank(name: &[u8]) -> u64 {
    let mut first = [0; 8];
    cachex_core::bytes::copy(&mut first, name);
    u64::from_be_bytes(first)
}

fn is_in_key(variable: &Variable, options: &Options, cwd: Option<&[u8]>) -> bool {
    let Variable { name, value, .. } = variable;
    let by_default = || environment::left_out(name, value.bytes(), false, cwd).is_none();
    let is_named = |list: &[u8]| list.split(|&byte| byte == b',').any(|it| eq(it, name));
    let is_chosen = match options.variables() {
        Variables::All => by_default(),
        Variables::Only(list) => is_named(list),
        Variables::Except(list) => by_default() && !is_named(list),
        Variables::None => false,
    };
    is_chosen
        && match environment::significant_part(name, value.bytes()) {
            Significant::Whole(_) => true,
            Significant::Words(words) => length(words) > 0,
        }
}

/// The length of words with a space between each two.
fn length(words: environment::Words<'_>) -> usize {
    let mut length = 0_usize;
    for word in words {
        length = length.wrapping_add(word.len()).wrapping_add(1);
    }
    length.saturating_sub(1)
}

/// Whether the name of one stands behind that of the other.
fn is_behind(all: &[Option<Variable>], one: u16, other: u16) -> bool {
    let at = |at: u16| all.get(usize::from(at)).copied().flatten();
    let (Some(one), Some(other)) = (at(one), at(other)) else { return false };
    match one.rank.cmp(&other.rank) {
        Ordering::Less => false,
        Ordering::Greater => true,
        Ordering::Equal => {
            let differ = one.name.iter().zip(other.name).find(|(a, b)| a != b);
            differ.map_or(one.name.len() > other.name.len(), |(a, b)| a > b)
        }
    }
}

/// Sorts by merging, since equals have to stay in their order; `spare` is as long. The
/// standard library's sort allocates, and panics where an order is none.
fn sorted<'o>(
    all: &[Option<Variable>],
    mut from: &'o mut [u16],
    mut to: &'o mut [u16],
) -> &'o [u16] {
    let count = from.len();
    let mut width = 1;
    while width < count {
        let mut places = to.iter_mut();
        let mut start = 0;
        while start < count {
            let middle = count.min(start.wrapping_add(width));
            let end = count.min(middle.wrapping_add(width));
            let mut left = from.get(start..middle).unwrap_or_default().iter().copied().peekable();
            let mut right = from.get(middle..end).unwrap_or_default().iter().copied().peekable();
            for place in places.by_ref().take(end.wrapping_sub(start)) {
                let takes_right = match (left.peek(), right.peek()) {
                    (Some(&one), Some(&other)) => is_behind(all, one, other),
                    (one, _) => one.is_none(),
                };
                let next = if takes_right { right.next() } else { left.next() };
                *place = next.unwrap_or_default();
            }
            start = end;
        }
        core::mem::swap(&mut from, &mut to);
        width = width.wrapping_mul(2);
    }
    from
}
