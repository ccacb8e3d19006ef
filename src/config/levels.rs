//! Who may say something about an option, and whose word counts: a flag, a
//! variable, the chosen profile, the rules of the file that match the command (the last
//! first), the file's top level, the file of the project in the same way, and else the
//! default.
//!
//! What excludes each other contradicts itself only on one level; a choice on a
//! higher one replaces those below.

use super::file::{File, Read, Setting};
use super::options::{self, About, AnyOption, Lasting, Once, Raw};
use super::shown::Shown;
use super::{UsageError, Vars};
use cachex_base::text::values::{self, NamePattern, PrivateKey};
use cachex_core::environment;
use std::cell::RefCell;
use std::cmp::Ordering;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// Who said something, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Nobody.
    Default,
    /// The file of the project, in this line, by the rule at this place or its top level.
    Project { place: Option<usize>, line: usize },
    /// The file's top level, in this line.
    File { line: usize },
    /// The rule at this place in the file, in this line.
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

    /// Whose word counts.
    pub fn against(self, other: By) -> Ordering {
        self.rank().cmp(&other.rank())
    }
}

/// A choice: who made it, and what it is called there.
#[derive(Clone, Copy, Debug)]
pub struct Chosen {
    pub by: By,
    /// Its name, or the variable.
    pub name: &'static str,
}

/// All levels below the flags.
pub struct Levels<'f> {
    own: Own,
    file: Option<&'f File>,
    /// The places of the rules that match, the last first.
    rules: Vec<usize>,
    /// The same of the file of the project.
    project_rules: Vec<usize>,
    /// The place of the chosen profile.
    profile: Option<usize>,
    /// What became of each option, if somebody needs it.
    noted: Option<RefCell<Vec<Noted>>>,
}

/// What became of an option.
pub struct Noted {
    pub name: &'static str,
    /// Who set it.
    pub by: By,
    /// Its value as it could stand in the file; null: there is none.
    pub value: serde_json::Value,
}

impl About {
    /// The choice of this option there.
    pub fn said_by(&self, by: By) -> Chosen {
        let name = if by == By::Variable { self.variable } else { self.name };
        Chosen { by, name }
    }
}

impl<'f> Levels<'f> {
    /// Of no command, so that no rule matches.
    pub fn new(own: Own, file: Option<&'f File>) -> Levels<'f> {
        let (rules, project_rules) = (Vec::new(), Vec::new());
        Levels { own, file, rules, project_rules, profile: None, noted: None }
    }

    /// With the rules that match this command.
    pub fn of(self, argv: &[OsString]) -> Levels<'f> {
        let matching = |file: &File| file.matching(argv);
        let project = self.file.and_then(|file| file.project.as_deref());
        let rules = self.file.map(matching).unwrap_or_default();
        Levels { rules, project_rules: project.map(matching).unwrap_or_default(), ..self }
    }

    /// With the rule at this place in the file and no other.
    pub fn of_rule(own: Own, read: &'f Read, place: usize) -> Levels<'f> {
        Levels { rules: vec![place], ..Levels::new(own, read.file()) }
    }

    /// With the profile that the flag names, or the variable.
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
                known => format!("there are {}", known.join(", ")),
            };
            return Err(UsageError(
                cachex_base::text::quote::harmless(&format!("no profile `{name}`; {known}")).into(),
            ));
        };
        Ok(Levels { profile: Some(place), ..self })
    }

    /// The same, noting what is taken from where.
    pub fn noting(self) -> Levels<'f> {
        Levels { noted: Some(RefCell::default()), ..self }
    }

    /// What was noted.
    pub fn noted(self) -> Vec<Noted> {
        self.noted.map(RefCell::into_inner).unwrap_or_default()
    }

    /// The places of the rules that match, the last first.
    pub fn rules(&self) -> &[usize] {
        &self.rules
    }

    /// The variables that are cachex's own.
    pub fn own(&self) -> &Own {
        &self.own
    }

    /// The value of an option, if anybody said one.
    pub fn pick<T: Shown>(
        &self,
        option: &'static Lasting<T>,
        flag: Option<T>,
    ) -> Result<Option<T>, UsageError> {
        Ok(self.pick_by(option, flag)?.map(|(value, _)| value))
    }

    /// Returns the value, and the level that set it.
    pub fn pick_by<T: Shown>(
        &self,
        option: &'static Lasting<T>,
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

    /// The value of an option that has one even if nobody said one.
    pub fn pick_or<T: Shown>(
        &self,
        option: &'static Lasting<T>,
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
    pub fn switch(&self, option: &'static Lasting<bool>, flag: bool) -> Result<bool, UsageError> {
        self.pick_or(option, flag.then_some(true), false)
    }

    /// Which of several options that exclude each other is chosen, each with
    /// whether it was given as a flag.
    pub fn choose<const N: usize>(
        &self,
        options: [(&'static dyn AnyOption, bool); N],
    ) -> Result<Option<usize>, UsageError> {
        // For each option who turned it on, and not who turned it off below.
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
        // The first of equals.
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

    /// Leaves one of two choices that exclude each other, if both were made: the
    /// higher one.
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

    /// A choice as an error names it.
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

    /// Notes that an option's value was taken from there.
    fn note(&self, option: &About, by: By) {
        if let Some(noted) = &self.noted {
            let value = serde_json::Value::Null;
            noted.borrow_mut().push(Noted { name: option.name, by, value });
        }
    }

    /// Notes the value that it has in the end, whoever set it.
    pub fn settle(&self, option: &About, value: &dyn Shown) {
        let Some(noted) = &self.noted else { return };
        let mut noted = noted.borrow_mut();
        let (name, value) = (option.name, value.shown());
        match noted.iter_mut().find(|noted| noted.name == name) {
            Some(noted) => noted.value = value,
            None => noted.push(Noted { name, by: By::Default, value }),
        }
    }

    /// Notes that it does not count after all.
    pub fn forget(&self, option: &About) {
        if let Some(noted) = &self.noted {
            noted.borrow_mut().retain(|noted| noted.name != option.name);
        }
    }

    /// What the highest level below the flags that says something of an option says.
    fn said<'s>(&'s self, option: &'s (impl AnyOption + ?Sized)) -> Option<(By, Raw<'s>)> {
        if let Some(value) = self.own.get(option.variable()) {
            return Some((By::Variable, Raw::Variable(value)));
        }
        // Mostly there is none.
        self.file.and_then(|file| self.written(file, option).next())
    }

    /// What the file and that of the project say of it, the highest level first.
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

    /// A list of names, to which `+NAME` adds: what the levels below say is part of it then.
    pub fn pick_names(
        &self,
        option: &'static Lasting<Vec<NamePattern>>,
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
        self.settle(option, &names);
        Ok(Some(names))
    }
}

pub fn contradiction(one: &str, other: &str) -> UsageError {
    UsageError(format!("{one} and {other} contradict each other; remove one of them"))
}

/// The variables that are cachex's own.
pub struct Own(Vec<(&'static OsStr, &'static OsStr)>);

impl Own {
    pub fn of(vars: &Vars) -> Own {
        let own = vars.iter().filter(|(name, _)| name.as_bytes().starts_with(environment::OWN));
        Own(own.copied().collect())
    }

    /// Those that have a say where cachex is disabled: the others, and mistakes in them,
    /// are about what is not there.
    pub fn where_disabled(self) -> Own {
        use options::{SHELL, STATUS_FD, STATUS_FILE};
        let heard = [SHELL.variable, STATUS_FILE.variable, STATUS_FD.variable];
        let heard = |(name, _): &(&OsStr, &OsStr)| heard.iter().any(|it| name == it);
        Own(self.0.into_iter().filter(heard).collect())
    }

    /// A variable's value; an empty one is as good as unset.
    pub fn get(&self, name: &str) -> Option<&'static OsStr> {
        let found = self.0.iter().find(|(var, _)| *var == name);
        found.map(|(_, value)| *value).filter(|value| !value.is_empty())
    }

    /// The value of a variable that stands for no lasting option.
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

    /// Who turned on what is for one call, if anybody did.
    pub fn either(&self, option: &Once, flag: bool) -> Result<Option<Chosen>, UsageError> {
        if flag {
            return Ok(Some(option.said_by(By::Flag)));
        }
        Ok(self.switch(option.variable)?.then(|| option.said_by(By::Variable)))
    }

    /// Values in the file were checked when it was read.
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
