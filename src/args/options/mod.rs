//! The options of `run` and `sh`: the one table of them, in [`run`], [`identity`], [`auto`] and
//! [`sh`].
//!
//! From it follow what clap reads and prints, and with that help, man pages, completions and
//! `docs/options.md`; the fast reader; the variables; the keys of `config.toml` and of a
//! project's file; what `cachex config` lists and what `explain` leaves out. A new option is an
//! entry there, and the place in `config` that picks its value. The front has a table of its
//! own for the few that it knows, which a test compares with this one.

#[macro_use]
mod macros;
mod auto;
mod configurable;
mod identity;
mod run;
mod sh;

pub use auto::*;
pub use configurable::{About, AnyOption, Configurable, Mark, Once, Raw, Reader, Value};
pub use identity::*;
pub use run::*;
pub use sh::*;

use cachex_base::text::values::Tag;
use clap::ValueHint;
use std::ffi::OsStr;
use std::str::FromStr;
use std::sync::LazyLock;

/// A part of a table.
pub enum Part {
    Configurable(&'static dyn AnyOption),
    Once(&'static Once),
    /// The options of another table.
    Group(&'static [Part]),
}

/// The options of a table, in the order of the help: the configurable ones, and those for one call.
type Options = (Vec<&'static dyn AnyOption>, Vec<&'static Once>);

static OPTIONS: LazyLock<Options> = LazyLock::new(|| {
    let mut all = Options::default();
    gather(ShArgs::OPTIONS, &mut all);
    all
});

fn gather(parts: &[Part], all: &mut Options) {
    for part in parts {
        match part {
            Part::Configurable(option) => all.0.push(*option),
            Part::Once(option) => all.1.push(option),
            Part::Group(parts) => gather(parts, all),
        }
    }
}

/// The options that a variable and `config.toml` may set, too.
pub fn all() -> &'static [&'static dyn AnyOption] {
    &OPTIONS.0
}

/// Those for one call.
pub fn for_one_call() -> &'static [&'static Once] {
    &OPTIONS.1
}

/// Returns the properties of the option with this identifier in clap.
pub fn about(id: &str) -> Option<&'static About> {
    let configurable = all().iter().map(|option| option.about());
    configurable
        .chain(for_one_call().iter().map(|option| &option.about))
        .find(|about| about.id == id)
}

/// The type of an option on the command line.
pub trait Field {
    /// The type of the option's value elsewhere.
    type Value: 'static;

    /// Returns whether the option was given.
    fn is_given(&self) -> bool;

    /// Returns the option as a switch that can be turned on, if it is one.
    fn as_switch(&mut self) -> Option<&mut bool> {
        None
    }
}

impl Field for bool {
    type Value = bool;

    fn is_given(&self) -> bool {
        *self
    }

    fn as_switch(&mut self) -> Option<&mut bool> {
        Some(self)
    }
}

impl<T: 'static> Field for Option<T> {
    type Value = T;

    fn is_given(&self) -> bool {
        self.is_some()
    }
}

impl<T: 'static> Field for Vec<T> {
    type Value = Vec<T>;

    fn is_given(&self) -> bool {
        !self.is_empty()
    }
}

fn once<T, E>(place: &mut Option<T>, value: Result<T, E>) -> Option<()> {
    if place.is_some() {
        return None;
    }
    *place = Some(value.ok()?);
    Some(())
}

fn several<T, E>(place: &mut Vec<T>, value: Result<T, E>) -> Option<()> {
    place.push(value.ok()?);
    Some(())
}

fn choice<T: clap::ValueEnum>(text: &str) -> Result<T, String> {
    T::from_str(text, false).map_err(|_| {
        let names = T::value_variants().iter().filter_map(clap::ValueEnum::to_possible_value);
        let names: Vec<String> = names.map(|value| format!("`{}`", value.get_name())).collect();
        format!("expected one of {}", names.join(", "))
    })
}

fn tags(items: &mut dyn Iterator<Item = &str>) -> Result<Vec<Tag>, String> {
    items.map(Tag::from_str).collect::<Result<_, _>>().map_err(ToString::to_string).and_then(few)
}

/// Sorted, each once, and no more than an entry may have.
pub fn few(mut tags: Vec<Tag>) -> Result<Vec<Tag>, String> {
    tags.sort();
    tags.dedup();
    if tags.len() > Tag::MOST {
        return Err(format!(
            "{} tags are too many, an entry has at most {}",
            tags.len(),
            Tag::MOST
        ));
    }
    Ok(tags)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Cli;
    use clap::CommandFactory;
    use std::collections::BTreeSet;
    use std::path::Path;

    #[test]
    fn every_option_of_run_and_sh_is_configurable_or_for_one_call() {
        let cli = Cli::command();
        let options = |verb| {
            let verb = cli.find_subcommand(verb).unwrap();
            let options = verb.get_arguments().filter_map(clap::Arg::get_long);
            options.filter(|name| *name != "help").collect::<BTreeSet<&str>>()
        };
        let (run, sh) = (options("run"), options("sh"));
        assert_eq!(sh, &run | &BTreeSet::from([SHELL.name]));
        let configurable: BTreeSet<&str> = all().iter().map(|option| option.name()).collect();
        let once: BTreeSet<&str> = for_one_call().iter().map(|option| option.name).collect();
        assert!(configurable.is_disjoint(&once));
        assert_eq!(sh, &configurable | &once);
    }

    #[test]
    fn variables_are_called_as_their_options() {
        let configurable = all().iter().map(|option| option.about());
        let all = configurable.chain(for_one_call().iter().map(|option| &option.about));
        for option in all.filter(|option| option.name != DIR.name) {
            let name = option.name.replace('-', "_");
            assert_eq!(option.id, name);
            assert_eq!(option.variable, format!("CACHEX_{}", name.to_uppercase()));
        }
    }

    #[test]
    fn the_front_knows_the_same_names() {
        let read = |file| {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/front/src");
            std::fs::read_to_string(folder.join(file)).unwrap()
        };
        let front = read("options.rs");
        let cli = Cli::command();
        let known = cli.find_subcommand("sh").unwrap().get_arguments();
        let known = known.filter_map(clap::Arg::get_long_and_visible_aliases).flatten();
        let known: BTreeSet<&str> = known.collect();
        let named = front.split(" is(b\"").skip(1).filter_map(|rest| rest.split('"').next());
        let unknown: Vec<&str> = named.filter(|name| !known.contains(name)).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
        for rest in front.split("[b'-', b'").skip(1) {
            let (letter, rest) = rest.split_once("'] => b\"").unwrap();
            let letter = letter.parse().unwrap();
            assert_eq!(ShArgs::letter(letter), rest.split('"').next(), "-{letter}");
        }
        for rest in read("environment.rs").split("(b\"CACHEX_").skip(1) {
            let Some((variable, rest)) = rest.split_once("\", b\"") else { continue };
            let option = all().iter().find(|it| Some(it.name()) == rest.split('"').next());
            let expected = option.map(|option| option.variable().to_owned());
            assert_eq!(expected, Some(format!("CACHEX_{variable}")));
        }
    }

    #[test]
    fn types_that_an_option_does_not_have_are_refused() {
        let refused = |option: &dyn AnyOption, value| option.check(&value).unwrap_err();
        assert!(refused(&EXPIRES_IN, Value::Number(10)).contains("string"));
        assert!(refused(&JITTER, Value::Switch(true)).contains("whole number"));
        assert!(refused(&NO_CWD, Value::Text("yes".into())).contains("`true`"));
        assert!(refused(&TAG, Value::Number(1)).contains("array of strings"));
        assert!(refused(&ENV, Value::Items(vec!["A=B".into()])).contains("HOME,LANG"));
        assert!(
            JITTER.check(&Value::Number(10)).is_ok()
                && TAG.check(&Value::Items(Vec::new())).is_ok()
        );
    }
}
