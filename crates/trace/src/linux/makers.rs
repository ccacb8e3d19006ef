//! Build tools, and what they learn about their own outputs.
//!
//! A compiler or a linker examines the path of its output, and then writes a new file there in any
//! case. So it makes no difference whether the path was empty or had the previous output. For other
//! programs these are two states, and the time of the second differs each time: repeating a build
//! would never be a hit.

use crate::facts::{Class, Value};
use crate::linux::recorder::Recorder;
use crate::linux::tracee::Tracee;
use crate::linux::tree::{Found, Id, name};
use rustix::fs::FileType;

/// Names of compilers and linkers, without target and version.
const MAKERS: &[&str] = &[
    "as",
    "ld",
    "ld.bfd",
    "ld.gold",
    "ld.lld",
    "lld",
    "mold",
    "collect2",
    "cc1",
    "cc1plus",
    "cc1obj",
    "f951",
    "lto1",
    "lto-wrapper",
    "cc",
    "gcc",
    "c++",
    "g++",
    "gfortran",
    "clang",
    "clang++",
    "rustc",
];
/// Names of programs that read their old output, if there is one: only its time does not matter.
const UPDATERS: &[&str] = &["ar"];

/// The classes that examine a file which is about to be replaced.
const LOOKS: u16 = 1 << Class::Kind as u16
    | 1 << Class::Link as u16
    | 1 << Class::Access as u16
    | 1 << Class::Stat as u16
    | 1 << Class::Size as u16;

/// The way in which a program treats its own output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Maker {
    /// Unknown.
    #[default]
    Not,
    /// The program replaces whatever is there.
    Replaces,
    /// The program reads what is there.
    Updates,
}

impl Maker {
    /// Returns the kind of a program by its name: `gcc`, `x86_64-linux-gnu-gcc-12`, `rust-lld`.
    fn of(program: &[u8]) -> Maker {
        if is_one_of(MAKERS, program) {
            Maker::Replaces
        } else if is_one_of(UPDATERS, program) {
            Maker::Updates
        } else {
            Maker::Not
        }
    }
}

/// Returns whether a program has one of these names, with or without a target and a version:
/// `x86_64-linux-gnu-ar`, `gcc-12`.
pub fn is_one_of(names: &[&str], program: &[u8]) -> bool {
    let is_version = |part: &[u8]| part.iter().all(|it| it.is_ascii_digit() || *it == b'.');
    let last = program.rsplit(|&byte| byte == b'-').find(|part| !is_version(part));
    names.iter().any(|name| [Some(program), last].contains(&Some(name.as_bytes())))
}

impl Recorder {
    /// Notes that a thread executes a program.
    pub fn is_executed(&mut self, tracee: Tracee, program: &[u8]) {
        let maker = if self.settings.quirks { Maker::of(name(program)) } else { Maker::Not };
        if maker != Maker::Not || !self.makers.is_empty() {
            self.makers.insert(tracee.0, maker);
        }
    }

    /// Notes which kind of program makes the next call.
    pub fn is_called(&mut self, tracee: Tracee) {
        self.by = if self.makers.is_empty() {
            Maker::Not
        } else {
            *self.makers.entry(tracee.0).or_insert_with(|| {
                let process = Tracee(tracee.process());
                Maker::of(process.name().as_bytes())
            })
        };
    }

    /// Notes which kind of program asks for these facts about a path.
    pub fn note_asker(&mut self, id: Id, bits: u16) {
        let node = &mut self.tree[id];
        match self.by {
            Maker::Not => node.facts_of_others |= bits,
            Maker::Replaces => {}
            Maker::Updates => node.facts_of_updaters |= bits,
        }
    }

    /// Notes that a maker, too, depends on whether something exists: it needs more than a look, or
    /// creates something that must not exist yet.
    pub fn is_needed(&mut self, id: Id) {
        self.tree[id].facts_of_updaters |= Class::Kind.bit();
    }

    /// Notes the classes that were requested for a missing path.
    pub fn is_looked_for(&mut self, id: Id, bits: u16) {
        if bits & !LOOKS != 0 {
            self.is_needed(id);
        }
    }

    /// Returns the only class to record for a maker's output, if nobody else examined the old
    /// state. In that class an old output equals a missing one.
    pub fn output_of_a_maker(&self, id: Id, before: Found, now: Found) -> Option<Class> {
        let node = &self.tree[id];
        let by_others = node.facts_of_others | node.facts_of_updaters;
        let is_asked = node.is_changed && by_others == 0 && node.facts & !LOOKS == 0;
        let is_made = now.status().is_some_and(|now| now.kind() == FileType::RegularFile);
        if !is_asked || !is_made || before.is_same(&now) {
            return None;
        }
        let is_like_new = |found: Found, class| match found {
            Found::Nothing => true,
            found => found.value(&node.path, class) == Ok(Value::REPLACEABLE),
        };
        [Class::NewFile, Class::NewProgram]
            .into_iter()
            .find(|&class| is_like_new(before, class) && is_like_new(now, class))
    }

    /// Removes the times from the facts about a file that only makers examined, read and changed.
    pub fn without_times(&self, id: Id, facts: u16) -> u16 {
        let node = &self.tree[id];
        let is_read = facts & Class::Contents.bit() != 0;
        if node.is_changed && is_read && node.facts_of_others == 0 {
            facts & !(Class::Stat.bit() | Class::Details.bit())
        } else {
            facts
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Maker;

    #[test]
    fn makers_are_known_by_whatever_name() {
        for name in ["gcc", "gcc-12", "x86_64-linux-gnu-gcc-12", "clang++-15", "ld.lld", "rust-lld"]
        {
            assert_eq!(Maker::of(name.as_bytes()), Maker::Replaces, "{name}");
        }
        assert_eq!(Maker::of(b"x86_64-linux-gnu-ar"), Maker::Updates);
        for name in ["make", "sh", "cp", "gcc-wrapper", "asx", "-", "", "12"] {
            assert_eq!(Maker::of(name.as_bytes()), Maker::Not, "{name}");
        }
    }
}
