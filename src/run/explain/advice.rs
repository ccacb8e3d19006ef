//! Advice on how to avoid a miss.
//!
//! There are two kinds. With the first, this very call would hit: it is given only where the
//! resulting key was computed, and belongs to a fresh and whole entry. With the second, this call
//! and those like the recorded one would share a key from then on: every component that differs is
//! left out, so the rest is equal.

use crate::config::{EnvSelection, Freshness, Identity, var};
use crate::key::{self, Chosen, KeySource};
use crate::run::explain::State;
use crate::run::explain::differences::sentences::name_of;
use crate::run::explain::differences::{Change, Difference, What};
use crate::run::explain::nearest::Nearest;
use crate::run::replay::Replay;
use crate::run::{Call, Runner};
use cachex_base::record::entry::{Entry, Key};
use cachex_base::system::clock::Timestamp;
use cachex_base::text::values::{ExeMode, ExitCodes, NamePattern, StdinMode};
use cachex_exec::invocation::Resolved;
use cachex_exec::stdin::{self, Digest};
use cachex_store::Root;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// The longest list of names that is still useful advice.
const NAMES: usize = 8;
/// Limits as a user would type them.
const LIMITS: [&str; 9] = ["1m", "10m", "1h", "6h", "1day", "1week", "30days", "1year", "10years"];

/// A suggested change to the command line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Advice {
    /// The effect of the change.
    pub effect: Effect,
    /// Options to add to `run`, each with its value.
    pub with: Vec<Vec<String>>,
    /// Options to remove.
    pub without: Vec<&'static str>,
    /// True if standard input should be `/dev/null`.
    pub no_input: bool,
}

/// The effect of following advice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Effect {
    /// This call would hit.
    #[default]
    Hit,
    /// This call and the recorded ones would share an entry.
    Shared,
}

impl Advice {
    fn option(&mut self, words: &[&str]) {
        self.with.push(words.iter().map(|&word| word.to_owned()).collect());
    }

    /// Suggests another selection of variables.
    fn replace_selection(&mut self, before: &EnvSelection, after: &EnvSelection) {
        let [before, after] = [before, after].map(Chosen::by);
        self.with.extend(after.as_ref().map(Chosen::words));
        let before = before.map(|before| before.option());
        self.without.extend(before.filter(|&it| after.is_none_or(|after| after.option() != it)));
    }
}

impl Runner<'_> {
    pub(in crate::run) fn advise(
        &self,
        root: &Root,
        call: &Call,
        state: &State,
        entry: Option<&Entry>,
        nearest: Option<&Nearest>,
    ) -> Vec<Advice> {
        let advice = match (state, entry, nearest) {
            (State::Forced, Some(entry), _) => self.unforced(root, entry),
            (State::Expired { by_reader: true, .. }, Some(entry), _) => self.longer(root, entry),
            (State::OtherStatus { .. }, Some(entry), _) => self.any_status(root, entry),
            (State::NotRecorded, _, Some(nearest)) => {
                self.mirrored(root, call, nearest).or_else(|| self.shared(nearest))
            }
            _ => None,
        };
        advice.into_iter().collect()
    }

    fn unforced(&self, root: &Root, entry: &Entry) -> Option<Advice> {
        let without = vec!["--force"];
        would_serve(root, entry, &self.config.freshness)
            .then(|| Advice { without, ..Advice::default() })
    }

    fn any_status(&self, root: &Root, entry: &Entry) -> Option<Advice> {
        let any = Freshness { exit_codes: ExitCodes::default(), ..self.config.freshness.clone() };
        let mut advice = Advice::default();
        advice.option(&["--exit-codes", "all"]);
        would_serve(root, entry, &any).then_some(advice)
    }

    /// Suggests the shortest limit under which the entry is fresh.
    fn longer(&self, root: &Root, entry: &Entry) -> Option<Advice> {
        LIMITS.iter().find_map(|text| {
            let limit = Some(humantime::parse_duration(text).ok()?);
            let mut longer = self.config.freshness.clone();
            let option = if entry.status == 0 {
                longer.expires_in = limit;
                "--expires-in"
            } else {
                longer.failure_expires_in = limit;
                "--failure-expires-in"
            };
            let mut advice = Advice::default();
            advice.option(&[option, text]);
            would_serve(root, entry, &longer).then_some(advice)
        })
    }

    /// Suggests the options under which the nearest entry was recorded, if they give this call its
    /// key.
    fn mirrored(&self, root: &Root, call: &Call, nearest: &Nearest) -> Option<Advice> {
        let comparison = nearest.comparison.as_ref().ok()?;
        if !would_serve(root, &nearest.entry, &self.config.freshness) {
            return None;
        }
        let mut advice = Advice::default();
        let mut identity = self.config.identity.clone();
        let mut stdin = None;
        let mut is_selected_otherwise = false;
        for Difference { what, change } in &comparison.differences {
            match (what, change) {
                (What::ExeMode(mode), _) => {
                    identity.exe = *mode;
                    advice.option(&["--exe", &name_of(*mode)]);
                }
                (What::Directory, Change::New) => {
                    identity.cwd = false;
                    advice.option(&["--no-cwd"]);
                }
                (What::Directory, Change::Gone) => {
                    identity.cwd = true;
                    advice.without.push("--no-cwd");
                }
                (What::Selection(option), change) => {
                    let then = selection_then(option, *change)?;
                    advice.replace_selection(&identity.env, &then);
                    identity.env = then;
                    is_selected_otherwise = true;
                }
                // Whether the selection is the reason, the key shows below.
                (What::Variable(_) | What::Environment(_), _) if is_selected_otherwise => {}
                (What::Stdin, _) => {
                    stdin = Some(with_stdin(nearest.stdin?, &mut identity, &mut advice)?);
                }
                (What::Text, Change::New) => {
                    identity.key = None;
                    advice.without.push("--key");
                }
                (What::Scope, Change::New) => {
                    identity.scope = None;
                    advice.without.push("--scope");
                }
                (What::Scope, _) => {
                    let scope = nearest.entry.about.scope.clone()?;
                    advice.option(&["--scope", &scope]);
                    identity.scope = Some(scope);
                }
                _ => return None,
            }
        }
        let digest = stdin.as_ref().unwrap_or(&call.stdin.digest);
        let would_be = self.key_with(&identity, call, digest);
        (would_be == Some(nearest.entry.key)).then_some(advice)
    }

    /// Leaves these variables out of the key, besides those that are not selected: by their names,
    /// or by listing the others.
    fn leave_out(
        &self,
        names: &[&[u8]],
        identity: &mut Identity,
        advice: &mut Advice,
    ) -> Option<()> {
        let left = |name: &OsStr| names.contains(&name.as_bytes());
        if matches!(identity.env, EnvSelection::None) {
            advice.option(&["--no-env"]);
            return Some(());
        }
        if names.len() > NAMES && !matches!(identity.env, EnvSelection::Only(_)) {
            let (counted, _) = key::variables(self.vars, identity);
            let others = counted.into_iter().filter(|name| !left(name));
            let others: Option<Vec<NamePattern>> =
                others.map(|name| name.to_str()?.parse().ok()).collect();
            let others = others.filter(|others| (1..=NAMES).contains(&others.len()))?;
            advice.option(&["--env", &joined(&others)]);
            identity.env = EnvSelection::Only(others);
            return Some(());
        }
        identity.env = match &identity.env {
            EnvSelection::Only(listed) => {
                let others: Vec<NamePattern> = listed
                    .iter()
                    .filter(|name| !left(OsStr::new(name.as_str())))
                    .cloned()
                    .collect();
                if others.is_empty() {
                    advice.option(&["--no-env"]);
                    EnvSelection::None
                } else {
                    advice.option(&["--env", &joined(&others)]);
                    EnvSelection::Only(others)
                }
            }
            before => {
                let mut patterns = match before {
                    EnvSelection::Except(patterns) => patterns.clone(),
                    _ => Vec::new(),
                };
                for name in names {
                    patterns.push(pattern_of(name)?);
                }
                let texts: Vec<&str> = patterns.iter().map(NamePattern::as_str).collect();
                advice.option(&["--ignore-env", &texts.join(",")]);
                EnvSelection::Except(patterns)
            }
        };
        Some(())
    }

    /// Returns the key of this call with another identity.
    fn key_with(&self, identity: &Identity, call: &Call, stdin: &Digest) -> Option<Key> {
        let found;
        let executable = match (identity.exe, &call.executable) {
            (ExeMode::Name, _) => None,
            (_, Some(executable)) => Some(executable),
            (_, None) => match self.invocation.resolve(var(self.vars, "PATH")) {
                Resolved::Found(executable) => {
                    found = executable;
                    Some(&found)
                }
                _ => return None,
            },
        };
        let terminal = self.terminal();
        let declared = &call.found.declared;
        let descriptors = &call.descriptors;
        let subject = self.subject(executable, stdin, terminal.as_ref(), declared, descriptors);
        KeySource { identity, ..subject }.key().ok()
    }

    /// Suggests the options that leave out every component that differs.
    fn shared(&self, nearest: &Nearest) -> Option<Advice> {
        let comparison = nearest.comparison.as_ref().ok()?;
        if comparison.unknown > 0 || comparison.differences.is_empty() {
            return None;
        }
        let mut advice = Advice { effect: Effect::Shared, ..Advice::default() };
        let mut identity = self.config.identity.clone();
        let mut names = Vec::new();
        let mut is_selected_otherwise = false;
        let (_, left_out) = key::variables(self.vars, &identity);
        let is_left_out = |name: &[u8]| left_out.iter().any(|(left, _)| left.as_bytes() == name);
        for Difference { what, change } in &comparison.differences {
            match what {
                // A component that is not in the key now needs no option that leaves it out.
                What::Directory | What::Environment(_) if *change == Change::Gone => {}
                What::Variable(name) if is_left_out(name) => {}
                What::ExeMode(_) | What::ExePath | What::ExeStat { .. } | What::ExeContent => {
                    advice.option(&["--exe", "name"]);
                }
                What::Directory => {
                    identity.cwd = false;
                    advice.option(&["--no-cwd"]);
                }
                What::Environment(_) => {
                    identity.env = EnvSelection::None;
                    is_selected_otherwise = true;
                }
                What::Selection(option) => {
                    let then = selection_then(option, *change)?;
                    identity.env = narrower(&identity.env, &then)?;
                    is_selected_otherwise = true;
                }
                What::Variable(name) => names.push(name.as_slice()),
                // Both had input to read, so the output depends on it.
                What::Stdin => {
                    nearest.stdin?;
                    advice.option(&["--stdin", "null"]);
                }
                What::Arguments
                | What::Text
                | What::Scope
                | What::Terminal
                | What::Platform(_)
                | What::Inputs
                | What::Input(_)
                | What::InputCommand(_)
                | What::Auto => return None,
            }
        }
        if !names.is_empty() || is_selected_otherwise {
            self.leave_out(&names, &mut identity, &mut advice)?;
        }
        (!advice.with.is_empty()).then_some(advice)
    }
}

/// Returns the selection with which the nearest entry was recorded, from how it differs.
fn selection_then(option: &str, change: Change) -> Option<EnvSelection> {
    match change {
        Change::New => Some(EnvSelection::All),
        Change::Differs | Change::Gone => Chosen::parse(option),
    }
}

/// Returns a selection that leaves out what either of two leaves out, if one option can.
fn narrower(one: &EnvSelection, other: &EnvSelection) -> Option<EnvSelection> {
    use EnvSelection::{All, Except, None as Nothing};
    Some(match (one, other) {
        (Nothing, _) | (_, Nothing) => Nothing,
        (Except(one), Except(other)) => {
            let more = other.iter().filter(|it| one.iter().all(|one| one.as_str() != it.as_str()));
            Except(one.iter().chain(more).cloned().collect())
        }
        (Except(_), All) => one.clone(),
        (All, Except(_)) => other.clone(),
        _ => return None,
    })
}

/// Returns whether an entry is fresh and whole.
fn would_serve(root: &Root, entry: &Entry, freshness: &Freshness) -> bool {
    let limit = freshness.limit(entry.status, &entry.key);
    freshness.exit_codes.contain(entry.status)
        && entry.fresh(Timestamp::now(), limit).is_some()
        && matches!(Replay::prepare(root, entry.clone()), Ok(Some(_)))
}

/// Sets standard input to the kind it was when recorded.
fn with_stdin(was: &str, identity: &mut Identity, advice: &mut Advice) -> Option<Digest> {
    Some(match was {
        stdin::NULL => {
            identity.stdin = StdinMode::Null;
            advice.option(&["--stdin", "null"]);
            Digest::Kind(stdin::NULL)
        }
        stdin::INHERIT => {
            identity.stdin = StdinMode::Inherit;
            advice.option(&["--stdin", "inherit"]);
            Digest::Kind(stdin::INHERIT)
        }
        stdin::EMPTY if identity.stdin == StdinMode::Hash => {
            advice.no_input = true;
            Digest::Kind(stdin::EMPTY)
        }
        _ => return None,
    })
}

/// Returns the pattern that matches only this name.
fn pattern_of(name: &[u8]) -> Option<NamePattern> {
    let plain = name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    std::str::from_utf8(name).ok().filter(|_| plain)?.parse().ok()
}

fn joined(names: &[NamePattern]) -> String {
    names.iter().map(NamePattern::as_str).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn limits_rise() {
        let limits = LIMITS.map(|text| humantime::parse_duration(text).unwrap());
        assert!(limits.is_sorted() && limits[0] > Duration::ZERO);
    }
}
