//! The environment: cachex's own variables, and those that are part of the key.

use crate::call::Process;
use crate::config;
use crate::options::{Given, Options, Variables};
use crate::text::Text;
use crate::{Known, Pass};
use cachex_core::bytes::{eq, starts_with};
use cachex_core::environment::{self, Significant};
use cachex_core::key::{Fields, Selection, Sink, Tag};
use core::cmp::Ordering;

/// The variable that disables this crate.
const SWITCH: &[u8] = b"CACHEX_FRONT";
/// The setting that reports why a call is passed on.
pub const TRACED: &[u8] = b"CACHEX_FRONT=trace";
/// The maximum number of variables. Calls with more are passed on.
pub const MOST: usize = 560;
/// The maximum number of names in a list of variables. Calls with more are passed on: to sort them
/// takes time in proportion to its square.
const NAMES: usize = 64;

/// The variables for options that are supported here, and the options' names. Others are left to
/// the ordinary way.
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
/// The values that turn on a switch.
const ON: [&[u8]; 4] = [b"1", b"true", b"yes", b"on"];

#[derive(Clone, Copy)]
pub struct Variable {
    name: &'static [u8],
    value: Text<'static>,
    /// The first bytes of the name, so that most comparisons compare numbers.
    rank: u64,
}

/// The order of the variables, and the variables, at the end.
#[repr(C)]
pub struct Room {
    order: [u16; MOST],
    all: [Option<Variable>; MOST],
}

impl Room {
    #[expect(clippy::large_stack_arrays, reason = "it is the beginning of a static")]
    pub const NEW: Room = Room { order: [0; MOST], all: [None; MOST] };
}

pub struct Environment {
    all: &'static [Option<Variable>],
    order: &'static mut [u16],
}

/// The settings of cachex's own variables.
#[derive(Default)]
pub struct Own {
    /// The folder of the store.
    pub dir: Option<Text<'static>>,
    /// The configuration file, if it is named.
    pub file: Option<Text<'static>>,
    /// True if no configuration file is read.
    pub has_no_file: bool,
    /// True if some of them stand for options.
    pub has_options: bool,
}

impl Environment {
    /// Reads the environment.
    pub fn of(process: &Process, room: &'static mut Room) -> Known<Environment> {
        let Room { all, order } = room;
        // At the end, next to the buffer that is filled from them: both share a page.
        let start = MOST.checked_sub(process.count_of_variables()).ok_or(Pass("many variables"))?;
        let all = all.get_mut(start..).unwrap_or_default();
        let mut places = all.iter_mut();
        for text in process.environment() {
            let equals = text.bytes().iter().position(|&byte| byte == b'=');
            let (name, value) = match equals {
                Some(at) => (text.bytes().get(..at), text.from(at.wrapping_add(1))),
                // Treated as the ordinary way does.
                None => (Some(&b"="[..]), Some(text)),
            };
            let (Some(name), Some(value)) = (name, value) else { return Err(Pass("a variable")) };
            let Some(place) = places.next() else { return Err(Pass("many variables")) };
            *place = Some(Variable { name, value, rank: rank(name) });
        }
        Ok(Environment { all, order })
    }

    fn iter(&self) -> impl Iterator<Item = &Variable> {
        self.all.iter().flatten()
    }

    /// Returns the value of a variable.
    pub fn get(&self, name: &[u8]) -> Option<Text<'static>> {
        self.iter().find(|variable| eq(variable.name, name)).map(|variable| variable.value)
    }

    /// Returns the settings of cachex's own variables, if all of them are supported here. Those
    /// that stand for options are put into `given`.
    pub fn own(&self, given: &mut Given) -> Known<Own> {
        let mut own = Own::default();
        let mut named: Option<Text<'static>> = None;
        let mut has_dir = false;
        for Variable { name, value, .. } in self.iter() {
            if !starts_with(name, environment::OWN) {
                continue;
            }
            if eq(name, b"CACHEX_DIR") {
                // The first of several has precedence, empty or not.
                if !has_dir && !value.is_empty() {
                    own.dir = Some(*value);
                }
                has_dir = true;
            } else if eq(name, b"CACHEX_CONFIG") {
                named = named.or(Some(*value));
            } else if value.is_empty() || is_of_tests(name) {
                // Equivalent to an unset variable.
            } else if eq(name, SWITCH) && (value.is(b"1") || value.is(b"trace")) {
                // The default behaviour.
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

    /// Adds the variables that are part of the key, sorted by name, and their selection. `cwd` is
    /// the working directory, if that is part of the key.
    pub fn tell(
        self,
        options: &Options,
        cwd: Option<&[u8]>,
        to: &mut Fields<impl Sink>,
    ) -> Known<()> {
        let Environment { all, order } = self;
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
        sort(all, order);
        to.begin_list(Tag::Env, count.wrapping_mul(2));
        for &at in &*order {
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
        tell_selection(options.variables(), to)
    }
}

/// Adds the way in which the variables are selected, unless it is the default.
fn tell_selection(variables: Variables, to: &mut Fields<impl Sink>) -> Known<()> {
    let (selection, list) = match variables {
        Variables::All => return Ok(()),
        Variables::Only(list) => (Selection::Only, Some(list)),
        Variables::Except(list) => (Selection::Except, Some(list)),
        Variables::None => (Selection::None, None),
    };
    if list.is_some_and(|list| list.split(|&byte| byte == b',').nth(NAMES).is_some()) {
        return Err(Pass("many names of variables"));
    }
    let behind = |last| list.and_then(|list| next_name(list, last));
    let names = core::iter::successors(behind(None), |&last| behind(Some(last)));
    to.begin_list(Tag::Selection, names.clone().count().wrapping_add(1));
    to.sized(selection.option().as_bytes());
    for name in names {
        to.sized(name);
    }
    Ok(())
}

/// Returns the first of these names, separated by commas, that sorts after `last`.
fn next_name<'l>(list: &'l [u8], last: Option<&[u8]>) -> Option<&'l [u8]> {
    let mut next: Option<&[u8]> = None;
    for name in list.split(|&byte| byte == b',') {
        if last.is_none_or(|last| sorts_after(name, last))
            && next.is_none_or(|next| sorts_after(next, name))
        {
            next = Some(name);
        }
    }
    next
}

/// Merges a variable that stands for an option.
fn option(name: &[u8], value: Text<'static>, given: &mut Given) -> Option<()> {
    let (_, option) = OPTIONS.iter().find(|(variable, _)| eq(variable, name))?;
    if ON.iter().any(|on| value.is(on)) && given.switch(option, false)? {
        return Some(());
    }
    if eq(option, b"max-size") {
        // It has no effect on a hit.
        return config::is_size(value.bytes()).then_some(());
    }
    // Several inputs are a list, which is not supported here.
    let is_list = eq(option, b"input") && value.contains(b',');
    if is_list { None } else { given.set(option, value, true) }
}

/// Returns whether tests set this variable for each call. It has no effect here.
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

/// Returns the length of words joined by single spaces.
fn length(words: environment::Words<'_>) -> usize {
    let mut length = 0_usize;
    for word in words {
        length = length.wrapping_add(word.len()).wrapping_add(1);
    }
    length.saturating_sub(1)
}

/// Returns whether the name of one variable sorts after that of the other.
fn is_behind(all: &[Option<Variable>], one: u16, other: u16) -> bool {
    let at = |at: u16| all.get(usize::from(at)).copied().flatten();
    let (Some(one), Some(other)) = (at(one), at(other)) else { return false };
    match one.rank.cmp(&other.rank) {
        Ordering::Less => false,
        Ordering::Greater => true,
        Ordering::Equal => sorts_after(one.name, other.name),
    }
}

/// Returns whether one name sorts after the other.
fn sorts_after(one: &[u8], other: &[u8]) -> bool {
    let differ = one.iter().zip(other).find(|(a, b)| a != b);
    differ.map_or(one.len() > other.len(), |(a, b)| a > b)
}

/// Sorts by inserting each at its place among those before it: equal names must stay in order, and
/// there are few. The standard library's sort allocates, and panics if the order is inconsistent.
fn sort(all: &[Option<Variable>], order: &mut [u16]) {
    for end in 1..order.len() {
        let Some((sorted, [next, ..])) = order.split_at_mut_checked(end) else { return };
        let one = *next;
        let place = sorted.partition_point(|&other| !is_behind(all, other, one));
        let mut moved = one;
        for at in sorted.get_mut(place..).unwrap_or_default() {
            core::mem::swap(at, &mut moved);
        }
        *next = moved;
    }
}
