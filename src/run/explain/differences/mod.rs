//! Comparing two keys by their parts: which of them differ, and how.
//!
//! What is said is exact: a part that both have and of which the sums are the
//! same is no difference, and a variable whose name was not kept, for want of
//! room, is said to be unknown and not guessed at. What to do about a difference
//! is for others to say; how it reads is in [`sentences`].

pub mod sentences;

use cachex_base::text::values::ExeMode;
use cachex_store::components::{Kind, Parts};
use std::collections::HashMap;

/// A part of the key that may differ.
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
    /// True if variables count: so many do on one side, and none on the other.
    Environment(usize),
    /// The variable of this name.
    Variable(Vec<u8>),
    /// Standard input.
    Stdin,
    /// `--key`.
    Text,
    /// `--scope`.
    Scope,
    /// The terminal.
    Terminal,
    /// A fact about the machine, or the project, of this name.
    Platform(Vec<u8>),
    /// True if files count, or many of them.
    Inputs,
    /// The file of this name, or what is in a folder, whose name ends with a slash.
    Input(Vec<u8>),
    /// The output of this command.
    InputCommand(Vec<u8>),
    /// How it is found out what the command reads.
    Auto,
}

/// The kind of difference, as seen from now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is part of both keys.
    Differs,
    /// It is in the key now and was not then.
    New,
    /// It was part of the key then and is not now.
    Gone,
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Of what.
    pub what: What,
    /// The kind of difference.
    pub change: Change,
}

/// Everything in which two keys differ.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Each part at the most once.
    pub differences: Vec<Difference>,
    /// Variables of which it cannot be known.
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

/// Compares a call's parts with those of one that was recorded. None: their sums
/// were made with different secrets, and say nothing about each other.
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
        // Another file: that its size and time are others goes without saying.
        What::ExePath
    } else if size || modified {
        What::ExeStat { size, modified }
    } else {
        return;
    };
    comparison.add(what, Some(Change::Differs));
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

/// More files than this that came or went are told of together.
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

/// In which of the parts of a kind that have names the two differ, in the order of
/// these; and of how many it cannot be known.
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
        // They may have been there: it is not known under which name, or at all.
        unknown = new.len().max(nameless.len());
    } else {
        found.extend(new.into_iter().map(|name| (name, Change::New)));
    }
    found.extend(named.into_keys().map(|name| (name, Change::Gone)));
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    (found, unknown)
}

/// The places where two lists of words differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hunk<'w> {
    /// The words that were there.
    pub then: Vec<&'w [u8]>,
    /// The words that are there in their place.
    pub now: Vec<&'w [u8]>,
}

/// The places where two lists of words differ, as few words as can be. It takes
/// time by the product of their lengths, which entries bound.
pub fn compare_words<'w>(then: &[&'w [u8]], now: &[&'w [u8]]) -> Vec<Hunk<'w>> {
    // How many words of what follows both have in common, in order.
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
