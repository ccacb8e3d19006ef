//! Compares two keys by their components: which of them differ, and how.
//!
//! The result is exact: a component with equal MACs is no difference, and a variable whose name was
//! not kept, for want of room, is reported as unknown rather than guessed at. What to do about a
//! difference is decided elsewhere; its wording is in [`sentences`].

pub mod sentences;

use cachex_base::text::values::ExeMode;
use cachex_store::components::{Kind, Parts};
use std::collections::HashMap;

/// A component of the key that may differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// The arguments.
    Arguments,
    /// The way in which the executable is part of the key, as it was then.
    ExeMode(ExeMode),
    /// The path of the executable.
    ExePath,
    /// The executable in its place.
    ExeStat {
        /// Its size.
        size: bool,
        /// Its modification time.
        modified: bool,
    },
    /// The contents of the executable.
    ExeContent,
    /// The working directory.
    Directory,
    /// The variables as a whole: this many are part of one key, and none of the other.
    Environment(usize),
    /// The variable of this name.
    Variable(Vec<u8>),
    /// The selection of variables: the option that made it then, or makes it now if that was the
    /// default; empty if it was not kept.
    Selection(String),
    /// Standard input.
    Stdin,
    /// `--key`.
    Text,
    /// `--scope`.
    Scope,
    /// The terminal.
    Terminal,
    /// The fact about the machine or the project that has this name.
    Platform(Vec<u8>),
    /// The input files as a whole: only one key has any, or many differ.
    Inputs,
    /// The input file of this name; a name that ends with a slash is the contents of a folder.
    Input(Vec<u8>),
    /// The output of this command.
    InputCommand(Vec<u8>),
    /// The settings of `--auto`.
    Auto,
}

/// The kind of difference, from the point of view of the current key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The component is part of both keys.
    Differs,
    /// The component is in the current key only.
    New,
    /// The component is in the recorded key only.
    Gone,
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The component that differs.
    pub what: What,
    /// The kind of difference.
    pub change: Change,
}

/// The differences between two keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// The differences, at most one for each component.
    pub differences: Vec<Difference>,
    /// The number of variables that could not be compared.
    pub unknown: usize,
}

impl Comparison {
    /// Returns the distance between the two.
    pub fn distance(&self) -> usize {
        self.differences.len() + self.unknown
    }

    fn add(&mut self, what: What, change: Option<Change>) {
        self.differences.extend(change.map(|change| Difference { what, change }));
    }
}

/// Compares a call's components with those of a recorded one. Returns none if their MACs were made
/// with different secrets, and so cannot be compared.
pub fn compare(now: &Parts, then: &Parts) -> Option<Comparison> {
    if now.secret != then.secret {
        return None;
    }
    let mut comparison = Comparison::default();
    let change = |kind| change(now, then, kind);
    comparison.add(What::Arguments, change(Kind::Arguments));
    compare_executables(now, then, &mut comparison);
    let moved = change(Kind::Directory);
    comparison.add(What::Directory, moved);
    compare_selections(now, then, &mut comparison);
    compare_variables(now, then, moved.is_some(), &mut comparison);
    comparison.add(What::Stdin, change(Kind::Stdin).filter(|&how| how == Change::Differs));
    comparison.add(What::Text, change(Kind::Text));
    comparison.add(What::Scope, change(Kind::Scope));
    comparison.add(What::Terminal, change(Kind::Terminal));
    let (platform, _) = compare_named(now, then, Kind::Platform);
    for (name, change) in platform {
        comparison.add(What::Platform(name), Some(change));
    }
    compare_inputs(now, then, &mut comparison);
    comparison.add(What::Auto, change(Kind::Auto));
    Some(comparison)
}

fn sums(parts: &Parts, kind: Kind) -> impl Iterator<Item = &[u8; 6]> {
    parts.list.iter().filter(move |part| part.kind == kind).map(|part| &part.sum)
}

fn change(now: &Parts, then: &Parts, kind: Kind) -> Option<Change> {
    match (sums(now, kind).next().is_some(), sums(then, kind).next().is_some()) {
        (true, false) => Some(Change::New),
        (false, true) => Some(Change::Gone),
        _ => (!sums(now, kind).eq(sums(then, kind))).then_some(Change::Differs),
    }
}

fn compare_executables(now: &Parts, then: &Parts, comparison: &mut Comparison) {
    let mode = |parts: &Parts| {
        let has = |kind| sums(parts, kind).next().is_some();
        match (has(Kind::ExeContent), has(Kind::ExePath)) {
            (true, _) => ExeMode::Content,
            (_, true) => ExeMode::Stat,
            _ => ExeMode::Name,
        }
    };
    let differs = |kind| change(now, then, kind).is_some();
    let (size, modified) = (differs(Kind::ExeSize), differs(Kind::ExeModified));
    let what = if mode(now) != mode(then) {
        What::ExeMode(mode(then))
    } else if differs(Kind::ExeContent) {
        What::ExeContent
    } else if differs(Kind::ExePath) {
        // Another file: a different size and time go without saying.
        What::ExePath
    } else if size || modified {
        What::ExeStat { size, modified }
    } else {
        return;
    };
    comparison.add(what, Some(Change::Differs));
}

fn compare_selections(now: &Parts, then: &Parts, comparison: &mut Comparison) {
    let change = change(now, then, Kind::Selection);
    let side = if change == Some(Change::New) { now } else { then };
    let part = side.list.iter().find(|part| part.kind == Kind::Selection);
    let option = part.map(|part| String::from_utf8_lossy(&part.name).into_owned());
    comparison.add(What::Selection(option.unwrap_or_default()), change);
}

fn compare_variables(now: &Parts, then: &Parts, moved: bool, comparison: &mut Comparison) {
    let (here, there) = (sums(now, Kind::Variable).count(), sums(then, Kind::Variable).count());
    match (here, there) {
        (2.., 0) if !then.cut => {
            return comparison.add(What::Environment(here), Some(Change::New));
        }
        (0, 2..) => return comparison.add(What::Environment(there), Some(Change::Gone)),
        _ => {}
    }
    let (found, unknown) = compare_named(now, then, Kind::Variable);
    comparison.unknown += unknown;
    for (name, change) in found {
        // PWD is the working directory by another name.
        if !(moved && name == b"PWD") {
            comparison.add(What::Variable(name), Some(change));
        }
    }
}

/// The most added or removed files that are named one by one.
const MANY: usize = 8;

fn compare_inputs(now: &Parts, then: &Parts, comparison: &mut Comparison) {
    match change(now, then, Kind::Inputs) {
        whole @ Some(Change::New | Change::Gone) => comparison.add(What::Inputs, whole),
        Some(Change::Differs) | None => {
            let (found, unknown) = compare_named(now, then, Kind::Input);
            let moved = found.iter().filter(|(_, change)| *change != Change::Differs).count();
            if moved > MANY || unknown > 0 {
                comparison.add(What::Inputs, Some(Change::Differs));
            } else {
                let inputs = found.into_iter().map(|(name, change)| (What::Input(name), change));
                inputs.for_each(|(what, change)| comparison.add(what, Some(change)));
            }
        }
    }
    let (commands, unknown) = compare_named(now, then, Kind::InputCommand);
    comparison.unknown += unknown;
    for (command, change) in commands {
        comparison.add(What::InputCommand(command), Some(change));
    }
}

/// Returns the named components of a kind that differ, sorted by name, and the number of those that
/// could not be compared.
fn compare_named(now: &Parts, then: &Parts, kind: Kind) -> (Vec<(Vec<u8>, Change)>, usize) {
    let of = |parts: &Parts| -> Vec<(Vec<u8>, [u8; 6])> {
        let named = parts.list.iter().filter(|part| part.kind == kind);
        named.map(|part| (part.name.clone(), part.sum)).collect()
    };
    let mut named = HashMap::new();
    let mut nameless = Vec::new();
    for (name, sum) in of(then) {
        if name.is_empty() {
            nameless.push(sum);
        } else {
            named.insert(name, sum);
        }
    }
    let mut found = Vec::new();
    let mut new = Vec::new();
    for (name, sum) in of(now) {
        match named.remove(&name) {
            Some(then) if then == sum => {}
            Some(_) => found.push((name, Change::Differs)),
            None => match nameless.iter().position(|other| *other == sum) {
                Some(at) => drop(nameless.swap_remove(at)),
                None => new.push(name),
            },
        }
    }
    let mut unknown = 0;
    if then.cut && kind == Kind::Variable || !nameless.is_empty() {
        // They may have been recorded under an unknown name, or not at all.
        unknown = new.len().max(nameless.len());
    } else {
        found.extend(new.into_iter().map(|name| (name, Change::New)));
    }
    found.extend(named.into_keys().map(|name| (name, Change::Gone)));
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    (found, unknown)
}

/// A place where two lists of words differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hunk<'w> {
    /// The words in the old list.
    pub then: Vec<&'w [u8]>,
    /// The words in the new list.
    pub now: Vec<&'w [u8]>,
}

/// Returns the places where two lists of words differ, with as few words as possible. Takes time
/// proportional to the product of their lengths, which entries bound.
pub fn compare_words<'w>(then: &[&'w [u8]], now: &[&'w [u8]]) -> Vec<Hunk<'w>> {
    // The length of the longest common subsequence of the words that follow.
    let width = now.len() + 1;
    let mut common = vec![0_u16; (then.len() + 1) * width];
    for i in (0..then.len()).rev() {
        for j in (0..now.len()).rev() {
            common[i * width + j] = if then[i] == now[j] {
                common[(i + 1) * width + j + 1] + 1
            } else {
                common[(i + 1) * width + j].max(common[i * width + j + 1])
            };
        }
    }
    let mut hunks = Vec::new();
    let mut hunk = Hunk { then: Vec::new(), now: Vec::new() };
    let (mut i, mut j) = (0, 0);
    while i < then.len() || j < now.len() {
        if i < then.len() && j < now.len() && then[i] == now[j] {
            if hunk.then.len() + hunk.now.len() > 0 {
                hunks
                    .push(std::mem::replace(&mut hunk, Hunk { then: Vec::new(), now: Vec::new() }));
            }
            (i, j) = (i + 1, j + 1);
        } else if j == now.len()
            || i < then.len() && common[(i + 1) * width + j] >= common[i * width + j + 1]
        {
            hunk.then.push(then[i]);
            i += 1;
        } else {
            hunk.now.push(now[j]);
            j += 1;
        }
    }
    if hunk.then.len() + hunk.now.len() > 0 {
        hunks.push(hunk);
    }
    hunks
}

#[cfg(test)]
mod tests;
