//! The levels at which an option may be set. In order of precedence: a flag, a variable, the chosen
//! profile, the rules of the file that match the command (last first), the file's top level, the
//! project's file in the same way, and the default.
//!
//! Options that exclude each other are a contradiction only on the same level; otherwise the higher
//! level wins.

use super::file::{File, Read, Setting};
use super::options::{self, About, AnyOption, Configurable, Once, Raw};
use super::shown::Shown;
use super::{UsageError, Vars};
use cachex_base::text::values::{self, NamePattern, PrivateKey};
use cachex_core::environment;
use std::cell::RefCell;
use std::cmp::Ordering;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// The level that set an option, lowest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The default: nobody set it.
    Default,
    /// The project's file, in this line, by the rule at this index or its top level.
    Project { place: Option<usize>, line: usize },
    /// The file's top level, in this line.
    File { line: usize },
    /// The rule at this index in the file, in this line.
    Rule { place: usize, line: usize },
    /// The chosen profile, in this line of the file.
    Profile { line: usize },
    /// A variable.
    Variable,
    /// A flag.
    Flag,
}

impl By {
    fn rank(self) -> (u8, usize) {
        match self {
            By::Default => (0, 0),
            By::Project { place, .. } => (1, place.map_or(0, |place| place + 1)),
            By::File { .. } => (2, 0),
            By::Rule { place, .. } => (3, place),
            By::Profile { .. } => (4, 0),
            By::Variable => (5, 0),
            By::Flag => (6, 0),
        }
    }

    /// Compares the precedence of two levels.
    pub fn against(self, other: By) -> Ordering {
        self.rank().cmp(&other.rank())
    }
}

/// A choice: its level, and its name there.
#[derive(Clone, Copy, Debug)]
pub struct Chosen {
    pub by: By,
    /// The name of the option, or of its variable.
    pub name: &'static str,
}

/// Every level below the flags.
pub struct Levels<'f> {
    own: Own,
    file: Option<&'f File>,
    /// The indices of the matching rules, last first.
    rules: Vec<usize>,
    /// The indices of the matching rules in the project's file, last first.
    project_rules: Vec<usize>,
    /// The index of the chosen profile.
    profile: Option<usize>,
    /// The outcome of each option, if it is recorded.
    noted: Option<RefCell<Vec<Noted>>>,
}

/// The outcome of an option.
pub struct Noted {
    pub name: &'static str,
    /// The level that set it.
    pub by: By,
    /// The value as it could be written in the file; null if there is none.
    pub value: serde_json::Value,
}

impl About {
    /// Returns the choice of this option at a level.
    pub fn said_by(&self, by: By) -> Chosen {
        let name = if by == By::Variable { self.variable } else { self.name };
        Chosen { by, name }
    }
}

impl<'f> Levels<'f> {
    /// Creates the levels without a command, so that no rule matches.
    pub fn new(own: Own, file: Option<&'f File>) -> Levels<'f> {
        let (rules, project_rules) = (Vec::new(), Vec::new());
        Levels { own, file, rules, project_rules, profile: None, noted: None }
    }

    /// Adds the rules that match this command.
    pub fn of(self, argv: &[OsString]) -> Levels<'f> {
        let matching = |file: &File| file.matching(argv);
        let project = self.file.and_then(|file| file.project.as_deref());
        let rules = self.file.map(matching).unwrap_or_default();
        Levels { rules, project_rules: project.map(matching).unwrap_or_default(), ..self }
    }

    /// Creates the levels with the rule at this index alone.
    pub fn of_rule(own: Own, read: &'f Read, place: usize) -> Levels<'f> {
        Levels { rules: vec![place], ..Levels::new(own, read.file()) }
    }

    /// Adds the profile that the flag or the variable names.
    pub fn with_profile(self, flag: Option<String>) -> Result<Levels<'f>, UsageError> {
        let named = match flag {
            Some(name) => Some(name),
            None => self.own.read(options::PROFILE.variable, |name| Ok(name.to_owned()))?,
        };
        let Some(name) = named else { return Ok(self) };
        let profiles = self.file.map_or(&[][..], |file| &file.profiles);
        let Some(place) = profiles.iter().position(|profile| profile.name == name) else {
            let known: Vec<_> = profiles.iter().map(|it| format!("`{}`", it.name)).collect();
            let known = match &known[..] {
                [] => "config.toml has no `[profile.NAME]`".to_owned(),
                known => format!("known: {}", known.join(", ")),
            };
            return Err(UsageError(
                cachex_base::text::quote::harmless(&format!(
                    "there is no profile `{name}`; {known}"
                ))
                .into(),
            ));
        };
        Ok(Levels { profile: Some(place), ..self })
    }

    /// Records the outcome of each option.
    pub fn noting(self) -> Levels<'f> {
        Levels { noted: Some(RefCell::default()), ..self }
    }

    /// Returns the recorded outcomes.
    pub fn noted(self) -> Vec<Noted> {
        self.noted.map(RefCell::into_inner).unwrap_or_default()
    }

    /// Returns the indices of the matching rules, last first.
    pub fn rules(&self) -> &[usize] {
        &self.rules
    }

    /// Returns cachex's own variables.
    pub fn own(&self) -> &Own {
        &self.own
    }

    /// Returns the value of an option, if it is set.
    pub fn pick<T: Shown>(
        &self,
        option: &'static Configurable<T>,
        flag: Option<T>,
    ) -> Result<Option<T>, UsageError> {
        Ok(self.pick_by(option, flag)?.map(|(value, _)| value))
    }

    /// Returns the value, and the level that set it.
    pub fn pick_by<T: Shown>(
        &self,
        option: &'static Configurable<T>,
        flag: Option<T>,
    ) -> Result<Option<(T, By)>, UsageError> {
        let picked = match flag {
            Some(value) => Some((value, By::Flag)),
            None => match self.said(option) {
                Some((by, raw)) => {
                    let value = option.read(raw);
                    Some((value.map_err(|why| Own::invalid(option.variable, raw, &why))?, by))
                }
                None => None,
            },
        };
        if let Some((value, by)) = &picked {
            self.note(option, *by);
            self.settle(option, value);
        }
        Ok(picked)
    }

    /// Returns the value of an option, or the default.
    pub fn pick_or<T: Shown>(
        &self,
        option: &'static Configurable<T>,
        flag: Option<T>,
        default: T,
    ) -> Result<T, UsageError> {
        if let Some(value) = self.pick(option, flag)? {
            return Ok(value);
        }
        self.settle(option, &default);
        Ok(default)
    }

    /// Returns whether a switch is on.
    pub fn switch(
        &self,
        option: &'static Configurable<bool>,
        flag: bool,
    ) -> Result<bool, UsageError> {
        self.pick_or(option, flag.then_some(true), false)
    }

    /// Returns which of several mutually exclusive options is chosen. Each is given with whether it
    /// was set by a flag.
    pub fn choose<const N: usize>(
        &self,
        options: [(&'static dyn AnyOption, bool); N],
    ) -> Result<Option<usize>, UsageError> {
        // The level that turned each option on, unless a higher one turned it off.
        let mut ons = [None; N];
        for ((option, flag), on) in options.iter().zip(&mut ons) {
            if *flag {
                *on = Some(By::Flag);
            } else if let Some((by, raw)) = self.said(*option) {
                let is_on = option.is_on(raw);
                let is_on = is_on.map_err(|why| Own::invalid(option.variable(), raw, &why))?;
                *on = is_on.then_some(by);
            }
        }
        let found = ons.iter().enumerate().filter_map(|(at, on)| Some((at, (*on)?)));
        // The first one, among equals.
        let Some((at, by)) = found.reduce(|best, next| match best.1.against(next.1) {
            Ordering::Less => next,
            _ => best,
        }) else {
            return Ok(None);
        };
        let equal = |&other: &usize| ons[other].is_some_and(|it| it.against(by).is_eq());
        if let Some(other) = (at + 1..N).find(equal) {
            let [one, other] = [at, other].map(|at| self.told(options[at].0.about().said_by(by)));
            return Err(contradiction(&one, &other));
        }
        self.note(options[at].0.about(), by);
        Ok(Some(at))
    }

    /// Removes the lower one of two choices that exclude each other. Fails if both are on the same
    /// level.
    pub fn exclude(
        &self,
        one: &mut Option<Chosen>,
        other: &mut Option<Chosen>,
    ) -> Result<(), UsageError> {
        if let (Some(first), Some(second)) = (&one, &other) {
            match first.by.against(second.by) {
                Ordering::Less => *one = None,
                Ordering::Greater => *other = None,
                Ordering::Equal => {
                    return Err(contradiction(&self.told(*first), &self.told(*second)));
                }
            }
        }
        Ok(())
    }

    /// Formats a choice for an error message.
    pub fn told(&self, chosen: Chosen) -> String {
        match (chosen.by, self.file) {
            (By::File { line } | By::Rule { line, .. } | By::Profile { line }, Some(file)) => {
                format!("`{}` in {}:{line}", chosen.name, file.shown())
            }
            (By::Project { line, .. }, Some(File { project: Some(file), .. })) => {
                format!("`{}` in {}:{line}", chosen.name, file.shown())
            }
            (By::Flag, _) => format!("--{}", chosen.name),
            _ => chosen.name.to_owned(),
        }
    }

    /// Records the level that set an option.
    fn note(&self, option: &About, by: By) {
        if let Some(noted) = &self.noted {
            let value = serde_json::Value::Null;
            noted.borrow_mut().push(Noted { name: option.name, by, value });
        }
    }

    /// Records the final value of an option, whoever set it.
    pub fn settle(&self, option: &About, value: &dyn Shown) {
        let Some(noted) = &self.noted else { return };
        let mut noted = noted.borrow_mut();
        let (name, value) = (option.name, value.shown());
        match noted.iter_mut().find(|noted| noted.name == name) {
            Some(noted) => noted.value = value,
            None => noted.push(Noted { name, by: By::Default, value }),
        }
    }

    /// Records that an option is not in effect after all.
    pub fn forget(&self, option: &About) {
        if let Some(noted) = &self.noted {
            noted.borrow_mut().retain(|noted| noted.name != option.name);
        }
    }

    /// Returns the value of an option at the highest level below the flags.
    fn said<'s>(&'s self, option: &'s (impl AnyOption + ?Sized)) -> Option<(By, Raw<'s>)> {
        if let Some(value) = self.own.get(option.variable()) {
            return Some((By::Variable, Raw::Variable(value)));
        }
        // Usually there is none.
        self.file.and_then(|file| self.written(file, option).next())
    }

    /// Returns the values of an option in the file and the project's file, highest level first.
    fn written<'s>(
        &'s self,
        file: &'s File,
        option: &'s (impl AnyOption + ?Sized),
    ) -> impl Iterator<Item = (By, Raw<'s>)> {
        let find = move |settings: &'s [Setting]| {
            settings.iter().find(|setting| setting.name() == option.name())
        };
        let profile = self.profile.and_then(|place| find(&file.profiles[place].settings));
        let profile = profile.map(|it| (By::Profile { line: it.line }, it));
        let rules = self.rules.iter().filter_map(move |&place| {
            let setting = find(&file.rules[place].settings)?;
            Some((By::Rule { place, line: setting.line }, setting))
        });
        let top = find(&file.settings).map(|top| (By::File { line: top.line }, top));
        let project = file.project.as_deref();
        let of_project = project.into_iter().flat_map(move |project| {
            let rules = self.project_rules.iter().filter_map(move |&place| {
                let setting = find(&project.rules[place].settings)?;
                Some((By::Project { place: Some(place), line: setting.line }, setting))
            });
            let top = find(&project.settings);
            rules.chain(top.map(|top| (By::Project { place: None, line: top.line }, top)))
        });
        let all = profile.into_iter().chain(rules).chain(top).chain(of_project);
        all.map(|(by, setting)| (by, Raw::Value(&setting.value)))
    }

    /// Returns a list of names, in which `+NAME` adds to the lists of lower levels.
    pub fn pick_names(
        &self,
        option: &'static Configurable<Vec<NamePattern>>,
        flag: Option<Vec<NamePattern>>,
    ) -> Result<Option<Vec<NamePattern>>, UsageError> {
        let Some((mut names, by)) = self.pick_by(option, flag)? else { return Ok(None) };
        let adds = |names: &[NamePattern]| names.iter().any(NamePattern::adds);
        let mut is_adding = adds(&names);
        let variable = self.own.get(option.variable).map(|it| (By::Variable, Raw::Variable(it)));
        let file = self.file.into_iter().flat_map(|file| self.written(file, option));
        let below = variable.into_iter().chain(file);
        for (_, raw) in below.filter(|(other, _)| other.against(by).is_lt()) {
            if !is_adding {
                break;
            }
            let more = option.read(raw);
            let more = more.map_err(|why| Own::invalid(option.variable, raw, &why))?;
            is_adding = adds(&more);
            names.extend(more);
        }
        // Without a list below, it would stand alone, and leave out all the others.
        if is_adding && option.variable == options::ENV.variable {
            return Err(UsageError(format!(
                "`+` adds to a list of variables, and there is none to add to: all but those of the \
                 session are part of the key; leave out the `+` of {} for these alone",
                names.iter().map(NamePattern::as_str).collect::<Vec<_>>().join(",")
            )));
        }
        self.settle(option, &names);
        Ok(Some(names))
    }
}

pub fn contradiction(one: &str, other: &str) -> UsageError {
    UsageError(format!("{one} and {other} contradict each other; remove one of them"))
}

/// cachex's own variables.
pub struct Own(Vec<(&'static OsStr, &'static OsStr)>);

impl Own {
    pub fn of(vars: &Vars) -> Own {
        let own = vars.iter().filter(|(name, _)| name.as_bytes().starts_with(environment::OWN));
        Own(own.copied().collect())
    }

    /// Keeps the variables that have an effect where cachex is disabled; mistakes in the others do
    /// not matter then.
    pub fn where_disabled(self) -> Own {
        use options::{SHELL, STATUS_FD, STATUS_FILE};
        let heard = [SHELL.variable, STATUS_FILE.variable, STATUS_FD.variable];
        let heard = |(name, _): &(&OsStr, &OsStr)| heard.iter().any(|it| name == it);
        Own(self.0.into_iter().filter(heard).collect())
    }

    /// Returns a variable's value; an empty one counts as unset.
    pub fn get(&self, name: &str) -> Option<&'static OsStr> {
        let found = self.0.iter().find(|(var, _)| *var == name);
        found.map(|(_, value)| *value).filter(|value| !value.is_empty())
    }

    /// Returns the value of a variable that stands for no persistent option.
    pub fn read<T>(
        &self,
        name: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>, UsageError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let parsed = value.to_str().ok_or_else(|| "it is not UTF-8".to_owned()).and_then(parse);
        parsed.map(Some).map_err(|why| Own::invalid(name, Raw::Variable(value), &why))
    }

    pub fn switch(&self, name: &str) -> Result<bool, UsageError> {
        Ok(self.read(name, values::switch)?.unwrap_or(false))
    }

    /// Returns the level that turned on an option for one call, if any did.
    pub fn either(&self, option: &Once, flag: bool) -> Result<Option<Chosen>, UsageError> {
        if flag {
            return Ok(Some(option.said_by(By::Flag)));
        }
        Ok(self.switch(option.variable)?.then(|| option.said_by(By::Variable)))
    }

    /// Creates an error. Values in the file were checked when it was read.
    pub fn invalid(name: &str, raw: Raw<'_>, why: &str) -> UsageError {
        let Raw::Variable(value) = raw else { return UsageError(why.to_owned()) };
        let value = value.to_string_lossy();
        if PrivateKey::is_meant_by(&value) {
            return UsageError(format!("invalid value for the variable {name}: {why}"));
        }
        UsageError(format!(
            "invalid value '{}' for the variable {name}: {why}",
            cachex_base::text::quote::harmless(&value)
        ))
    }
}
