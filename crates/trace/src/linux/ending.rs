//! Evaluates a run after its end: whether its inputs are still unchanged, and what it changed.

use crate::Times;
use crate::facts::{self, Class, Fact, Names, Value};
use crate::linux::recorder::{Recorder, Weight};
use crate::linux::tree::{Found, Id, Node, parent};
use crate::linux::walk::changed_meanwhile;
use crate::report::Report;
use rustix::io::Errno;
use std::collections::{BTreeMap, HashSet};

/// An error: somebody else changed a file while the command ran.
struct ChangedMeanwhile;

impl Recorder {
    /// Builds the report.
    pub fn report(mut self, processes_left: bool) -> Report {
        if processes_left {
            self.refuse(Weight::Prepared, "a process outlives the command");
        }
        if self.received.lacks_any() {
            self.refuse(Weight::Done, "a signal interrupted a system call before it was looked at");
        }
        let mut facts = Vec::new();
        let mut written = BTreeMap::new();
        let folders: HashSet<Vec<u8>> =
            self.changed.iter().map(|&id| parent(self.tree[id].path.to_bytes()).to_vec()).collect();
        for id in 0..self.tree.len() as Id {
            let node = &self.tree[id];
            let Some(before) = node.before else { continue };
            if node.is_left_out || node.facts == 0 && !node.is_changed {
                continue;
            }
            let now = Found::at(&node.path);
            if node.is_changed {
                let is_temporary = before == Found::Nothing && now == Found::Nothing;
                if is_temporary && node.began_as_new && self.places.is_random(node.path.to_bytes())
                {
                    continue;
                }
                self.outcome(id, before, now, &mut written);
            } else if self.is_replaced(id) {
                // It was replaced together with its folder, by the run itself.
            } else if self.verify(id, before, now, &folders).is_err() {
                let why = changed_meanwhile(self.tree[id].path.to_bytes());
                self.refuse(Weight::Done, why);
            }
            self.facts_of(id, before, now, &mut facts);
        }
        facts.sort_by(|a, b| (&a.path, a.class).cmp(&(&b.path, b.class)));
        let read = self.tree.nodes().iter().filter(|node| node.is_read && !node.is_left_out);
        let read = read.filter(|node| !node.was_folder());
        let mut read: Vec<Vec<u8>> = read.map(|node| node.path.to_bytes().to_vec()).collect();
        read.sort();
        Report {
            facts,
            read,
            written: written.into_values().collect(),
            refusal: self.refusal.map(|(_, refusal)| refusal),
            lacked_io_uring: self.lacks_io_uring,
            traced: true,
            processes_left,
            crossed: self.crossed,
            events: self.received.count,
        }
    }

    /// Returns whether a path lies below a folder that the run replaced.
    fn is_replaced(&mut self, id: Id) -> bool {
        let path = self.tree[id].path.clone();
        self.own_above(parent(path.to_bytes())).is_some()
    }

    /// Checks that a path that the run did not change is still as it was when first examined.
    fn verify(
        &mut self,
        id: Id,
        before: Found,
        now: Found,
        folders: &HashSet<Vec<u8>>,
    ) -> Result<(), ChangedMeanwhile> {
        let node = &self.tree[id];
        let path = &node.path;
        let is = |is_same: bool| if is_same { Ok(()) } else { Err(ChangedMeanwhile) };
        let (Found::There(was), Found::There(status)) = (before, now) else {
            return is(before == now);
        };
        if was.kind() != status.kind() {
            return Err(ChangedMeanwhile);
        }
        let has_stamp = facts::has_stamp(path.to_bytes());
        if was.is_folder() {
            let is_known = node.facts & !Class::Kind.bit() != 0;
            is(!has_stamp || before.is_same(&now))?;
            is(!is_known || Value::access(&was) == Value::access(&status))?;
            let is_stable = has_stamp && !folders.contains(path.to_bytes());
            is(!is_stable || !node.has(Class::Details) || was.stamp == status.stamp)?;
            if let Some(names) = &node.names {
                is(!is_stable || was.stamp == status.stamp)?;
                is(self.names(id).as_ref() == Ok(&**names))?;
            }
        } else if has_stamp && status.has_content() {
            is(before.is_same(&now))?;
        } else if has_stamp {
            // Whoever writes to a device changes its times.
            is(Value::access(&was) == Value::access(&status))?;
        }
        let node = &self.tree[id];
        for (class, known) in
            [(Class::Contents, node.contents), (Class::Attributes, node.attributes)]
        {
            if let Some(known) = known
                && node.has(class)
            {
                let again = facts::value(&node.path, &status, class);
                is(again == Ok(known) || !has_stamp && class != Class::Contents)?;
            }
        }
        Ok(())
    }

    /// Adds the facts about one path.
    fn facts_of(&mut self, id: Id, before: Found, now: Found, facts: &mut Vec<Fact>) {
        let is_by_time = self.is_known_by_time(id);
        let node = &self.tree[id];
        let path = node.path.to_bytes();
        let status = before.status();
        let stamp = status.map(|status| status.stamp);
        let stamp = stamp.filter(|_| facts::has_stamp(path) && before.is_same(&now));
        let mut add = |class: Class, value: Value| {
            facts.push(Fact { path: path.to_vec(), class, value, stamp });
        };
        if node.facts == 0 {
            return;
        }
        if let Some(class) = self.output_of_a_maker(id, before, now) {
            facts.push(Fact { path: path.to_vec(), class, value: Value::REPLACEABLE, stamp: None });
            return;
        }
        let Some(status) = status else {
            let value = before.value(&node.path, Class::Kind).unwrap_or(Value::ABSENT);
            add(Class::Kind, value);
            return;
        };
        let is_file = status.kind() == rustix::fs::FileType::RegularFile;
        let bits =
            classes(self.without_times(id, node.facts), self.settings.times, is_by_time && is_file);
        let mut why = None;
        for class in Class::ALL.into_iter().filter(|class| bits & class.bit() != 0) {
            let value = match class {
                Class::Contents if is_file => node.contents.map_or_else(
                    || match now {
                        Found::There(_) if before.is_same(&now) => {
                            facts::value(&node.path, status, class)
                        }
                        _ => Err(Errno::AGAIN),
                    },
                    Ok,
                ),
                Class::Link => Ok(match &node.target {
                    Some(target) => Value::link(target),
                    None => Value::kind(status),
                }),
                Class::Listing => node.names.as_deref().map_or_else(
                    || {
                        if node.was_folder() { Err(Errno::ACCESS) } else { Ok(Value::kind(status)) }
                    },
                    |names: &Names| Ok(Value::listing(names)),
                ),
                Class::Attributes => node.attributes.ok_or(Errno::ACCESS),
                _ => facts::value(&node.path, status, class),
            };
            match value {
                Ok(value) => add(class, value),
                // The run could not read it either, and that is a fact.
                Err(errno @ (Errno::ACCESS | Errno::PERM)) => {
                    add(class, Value::error(errno));
                    if class == Class::Contents && bits & Class::Stat.bit() == 0 {
                        add(Class::Stat, Value::stat(status));
                    }
                }
                Err(_) => why = Some(changed_meanwhile(path)),
            }
        }
        if let Some(why) = why {
            self.refuse(Weight::Done, why);
        }
    }
}

/// Reduces the requested classes to those for which facts are kept, without redundant ones.
fn classes(mut bits: u16, times: Times, is_by_time: bool) -> u16 {
    let [contents, stat, size, details] =
        [Class::Contents, Class::Stat, Class::Size, Class::Details].map(Class::bit);
    // A program that has a file open can read its time without naming it.
    if times == Times::All && bits & contents != 0 {
        bits |= stat;
    }
    if times == Times::None && bits & (stat | details) != 0 {
        bits = bits & !(stat | details) | size;
    }
    // A program that reads a file learns the content, so the time does not matter.
    if times == Times::Auto && bits & contents != 0 && bits & Node::TIMES == 0 {
        bits &= !stat;
    }
    if is_by_time && bits & contents != 0 {
        bits = bits & !contents | stat;
    }
    let has = |class: &Class| bits & class.bit() != 0;
    let told =
        |class: &Class| Class::ALL.iter().filter(|&it| has(it)).any(|it| class.is_implied_by(*it));
    Class::ALL.iter().filter(|class| has(class) && !told(class)).fold(0, |all, it| all | it.bit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use Class::{Access, Contents, Details, Kind, Listing, Size, Stat};

    #[test]
    fn nothing_is_said_twice() {
        let bits = |classes: &[Class]| classes.iter().fold(0, |all, class| all | class.bit());
        let kept = |given: &[Class], times| classes(bits(given), times, false);
        assert_eq!(kept(&[Kind, Access, Contents], Times::Auto), bits(&[Contents]));
        assert_eq!(kept(&[Kind, Stat], Times::Auto), bits(&[Stat]));
        assert_eq!(kept(&[Stat, Contents], Times::Auto), bits(&[Contents]));
        assert_eq!(kept(&[Stat, Contents], Times::All), bits(&[Stat, Contents]));
        assert_eq!(kept(&[Contents], Times::All), bits(&[Stat, Contents]));
        assert_eq!(kept(&[Stat], Times::None), bits(&[Size]));
        assert_eq!(kept(&[Details, Access, Listing], Times::Auto), bits(&[Details, Listing]));
    }

    #[test]
    fn times_count_beside_the_content_for_programs_that_compare_them() {
        let bits = Class::Stat.bit() | Class::Contents.bit();
        assert_eq!(classes(bits | Node::TIMES, Times::Auto, false), bits);
        assert_eq!(classes(bits | Node::TIMES, Times::None, false), Class::Contents.bit());
    }

    #[test]
    fn what_is_of_the_system_is_known_by_its_time() {
        assert_eq!(classes(Class::Contents.bit(), Times::Auto, true), Class::Stat.bit());
    }
}
