//! Programs that make files: what they ask of their own output.
//!
//! A compiler or a linker looks at what lies where its output goes, and then puts that there in
//! any case, as new. So it makes no difference whether nothing is there, or what it left the
//! last time. By what is known of other programs these are two states, and the time of the
//! second is another each time: building again what was built would never be a hit.

use crate::facts::{Class, Value};
use crate::linux::recorder::Recorder;
use crate::linux::tracee::Tracee;
use crate::linux::tree::{Found, Id, name};
use rustix::fs::FileType;

/// Their names, without what they are made for and which version they are.
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
/// Programs that read their old output, if there is one: only its time makes no difference.
const UPDATERS: &[&str] = &["ar"];

/// What a look tells of a file that is about to be replaced.
const LOOKS: u16 = 1 << Class::Kind as u16
    | 1 << Class::Link as u16
    | 1 << Class::Access as u16
    | 1 << Class::Stat as u16
    | 1 << Class::Size as u16;

/// How a program deals with its own output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Maker {
    /// Nothing is known of that.
    #[default]
    Not,
    /// It puts its output in the place of whatever is there.
    Replaces,
    /// It reads what is there.
    Updates,
}

impl Maker {
    /// That of a program of this name: `gcc`, `x86_64-linux-gnu-gcc-12`, `rust-lld`.
    fn of(program: &[u8]) -> Maker {
        let is_version = |part: &[u8]| part.iter().all(|it| it.is_ascii_digit() || *it == b'.');
        let last = program.rsplit(|&byte| byte == b'-').find(|part| !is_version(part));
        let is_in = |names: &[&str]| {
            names.iter().any(|name| [Some(program), last].contains(&Some(name.as_bytes())))
        };
        if is_in(MAKERS) {
            Maker::Replaces
        } else if is_in(UPDATERS) {
            Maker::Updates
        } else {
            Maker::Not
        }
    }
}

impl Recorder {
    /// A thread executes a program from now on.
    pub fn is_executed(&mut self, tracee: Tracee, program: &[u8]) {
        let maker = if self.settings.quirks { Maker::of(name(program)) } else { Maker::Not };
        if maker != Maker::Not || !self.makers.is_empty() {
            self.makers.insert(tracee.0, maker);
        }
    }

    /// Notes by whom the next call is.
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

    /// Notes who asks for these facts about a path.
    pub fn note_asker(&mut self, id: Id, bits: u16) {
        let node = &mut self.tree[id];
        match self.by {
            Maker::Not => node.facts_of_others |= bits,
            Maker::Replaces => {}
            Maker::Updates => node.facts_of_updaters |= bits,
        }
    }

    /// Notes that it matters to a maker, too, whether something is there: it asks for more than
    /// a look tells, or makes what must not be there yet.
    pub fn is_needed(&mut self, id: Id) {
        self.tree[id].facts_of_updaters |= Class::Kind.bit();
    }

    /// Notes what was asked for where nothing is.
    pub fn is_looked_for(&mut self, id: Id, bits: u16) {
        if bits & !LOOKS != 0 {
            self.is_needed(id);
        }
    }

    /// The one class that there is to know of the output of a maker, if nobody else looked at
    /// what was there: by it, an output is as good as none.
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

    /// What matters of a file that only makers looked at, read and changed: not its time.
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
