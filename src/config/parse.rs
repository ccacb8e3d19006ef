//! Parses `config.toml`. Every line is checked: a mistake is reported, with its position, even
//! where it would not affect this call.

use super::UsageError;
use super::file::{File, Profile, Rule, Setting, shown};
use super::options::{self, AnyOption, Raw, Value};
use cachex_store::place;
use std::ffi::OsStr;
use std::fmt::Display;
use std::ops::Range;
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::{DeInteger, DeString, DeTable, DeValue};

/// The maximum length of a quoted value.
const QUOTED: usize = 60;
/// The similarity above which an unknown name counts as misspelt.
const NEAR: f64 = 0.8;

const RULES: &str = "command";
const MATCH: &str = "match";
const PROFILES: &str = "profile";

/// Parses the bytes of the file at `path`; `home` replaces `~`.
pub fn file(path: PathBuf, bytes: &[u8], home: Option<&Path>) -> Result<File, UsageError> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let valid = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
        mistake(&path, &valid, valid.len(), "it is not UTF-8")
    })?;
    let line_ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at);
    let reader = Reader { text, line_ends: line_ends.collect(), home };
    match reader.file() {
        Ok((settings, rules, profiles)) => {
            Ok(File { path, settings, rules, profiles, project: None, warning: None })
        }
        Err(Mistake { at, what }) => Err(mistake(&path, text, at, &what)),
    }
}

/// A mistake, and its position.
struct Mistake {
    at: usize,
    what: String,
}

fn mistake(path: &Path, text: &str, at: usize, what: &str) -> UsageError {
    let mut end = at.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let before = &text[..end];
    let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1;
    let line = before.matches('\n').count() + 1;
    UsageError(format!(
        "{}:{line}:{column}: {}",
        shown(path),
        cachex_base::text::quote::harmless(what)
    ))
}

type Key<'t> = Spanned<DeString<'t>>;
type Item<'t> = Spanned<DeValue<'t>>;

struct Reader<'t> {
    text: &'t str,
    line_ends: Vec<usize>,
    home: Option<&'t Path>,
}

/// The top level of a file, its rules and its profiles.
type Parts = (Vec<Setting>, Vec<Rule>, Vec<Profile>);

impl<'t> Reader<'t> {
    fn file(&self) -> Result<Parts, Mistake> {
        let document = DeTable::parse(self.text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            Mistake { at, what: error.message().to_owned() }
        })?;
        let table = in_order(document.get_ref());
        let (rules, settings): (Vec<_>, Vec<_>) =
            table.into_iter().partition(|(key, _)| key.get_ref() == RULES);
        let (profiles, settings): (Vec<_>, Vec<_>) =
            settings.into_iter().partition(|(key, _)| key.get_ref() == PROFILES);
        let settings = self.settings(settings, RULES)?;
        let profiles = match profiles.first() {
            Some((_, tables)) => self.profiles(tables)?,
            None => Vec::new(),
        };
        let rules = match rules.first() {
            Some((_, tables)) => self.rules(tables)?,
            None => Vec::new(),
        };
        Ok((settings, rules, profiles))
    }

    fn profiles(&self, tables: &Item<'t>) -> Result<Vec<Profile>, Mistake> {
        let what = "each profile begins with a line `[profile.NAME]`";
        let mistake = |item: &Item<'t>| Mistake { at: item.span().start, what: what.to_owned() };
        let Some(all) = tables.get_ref().as_table() else { return Err(mistake(tables)) };
        let profile = |(name, item): (&Key<'t>, &Item<'t>)| {
            let table = item.get_ref().as_table().ok_or_else(|| mistake(item))?;
            let settings = self.settings(in_order(table), PROFILES)?;
            let line = self.line(name.span().start);
            Ok(Profile { name: name.get_ref().to_string(), settings, line })
        };
        in_order(all).into_iter().map(profile).collect()
    }

    fn rules(&self, tables: &Item<'t>) -> Result<Vec<Rule>, Mistake> {
        let what = "each rule begins with a line `[[command]]`, in two pairs of brackets";
        let whole = Mistake { at: tables.span().start, what: what.to_owned() };
        let Some(tables) = tables.get_ref().as_array() else { return Err(whole) };
        tables
            .iter()
            .map(|item| match item.get_ref() {
                DeValue::Table(table) => self.rule(item.span().start, table),
                _ => Err(Mistake { at: item.span().start, what: what.to_owned() }),
            })
            .collect()
    }

    fn rule(&self, at: usize, table: &DeTable<'t>) -> Result<Rule, Mistake> {
        let (matches, settings): (Vec<_>, Vec<_>) =
            in_order(table).into_iter().partition(|(key, _)| key.get_ref() == MATCH);
        let Some((_, globs)) = matches.first() else {
            let what = format!(
                "this rule has no `{MATCH}`; add the commands that it is for, such as `{MATCH} = \"terraform plan*\"`"
            );
            return Err(Mistake { at, what });
        };
        let (globs, patterns) = self.globs(globs)?;
        let settings = self.settings(settings, MATCH)?;
        Ok(Rule { globs, patterns, settings, line: self.line(at) })
    }

    fn globs(&self, item: &Item<'t>) -> Result<(Vec<String>, Vec<glob::Pattern>), Mistake> {
        let single = [item.clone()];
        let items: &[Item<'t>] = match item.get_ref() {
            DeValue::Array(items) => items,
            _ => &single,
        };
        let expected = "expected a pattern such as \"terraform plan*\", or an array of them";
        if items.is_empty() {
            return Err(self.invalid(item.span(), MATCH, expected));
        }
        let pattern = |item: &Item<'t>| {
            let Some(glob) = item.get_ref().as_str().filter(|glob| !glob.is_empty()) else {
                return Err(self.invalid(item.span(), MATCH, expected));
            };
            match glob::Pattern::new(glob) {
                Ok(pattern) => Ok((glob.to_owned(), pattern)),
                Err(error) => {
                    let why = format!("{} at position {}; {expected}", error.msg, error.pos);
                    Err(self.invalid(item.span(), MATCH, why))
                }
            }
        };
        items.iter().map(pattern).collect()
    }

    /// Parses the options of a table; `other` is the other key that is allowed here.
    fn settings(
        &self,
        table: Vec<(&Key<'t>, &Item<'t>)>,
        other: &'static str,
    ) -> Result<Vec<Setting>, Mistake> {
        let mut settings = Vec::with_capacity(table.len());
        for (key, item) in table {
            let Some(option) = options::all().iter().find(|option| option.name() == key.get_ref())
            else {
                let what = unknown(key.get_ref(), other);
                return Err(Mistake { at: key.span().start, what });
            };
            if other == MATCH && option.name() == options::SHELL.name {
                let what = format!(
                    "`{}` cannot be set in a rule, because rules match the command with its shell; put it above the first `[[{RULES}]]`",
                    option.name()
                );
                return Err(Mistake { at: key.span().start, what });
            }
            let value = self.value(*option, item)?;
            let setting =
                Setting { option: option.about(), value, line: self.line(key.span().start) };
            agrees(key.span().start, &setting, &settings)?;
            settings.push(setting);
        }
        Ok(settings)
    }

    fn value(&self, option: &dyn AnyOption, item: &Item<'t>) -> Result<Value, Mistake> {
        let invalid = |why: &dyn Display| self.invalid(item.span(), option.name(), why);
        let mut value = match item.get_ref() {
            DeValue::String(text) => Value::Text(text.clone().into_owned()),
            DeValue::Integer(number) => {
                Value::Number(integer(number).ok_or_else(|| invalid(&"it is too large"))?)
            }
            DeValue::Boolean(on) => Value::Switch(*on),
            DeValue::Array(items) => {
                let text = |item: &Item<'t>| match item.get_ref().as_str() {
                    Some(text) => Ok(text.to_owned()),
                    None => {
                        Err(self.invalid(item.span(), option.name(), "expected a string in quotes"))
                    }
                };
                Value::Items(items.iter().map(text).collect::<Result<_, _>>()?)
            }
            // No option has such a type, so it is rejected like any wrong type.
            DeValue::Float(_) | DeValue::Datetime(_) | DeValue::Table(_) => {
                let why = [Value::Switch(false), Value::Items(vec![String::new()])];
                let why = why.iter().find_map(|other| option.check(other).err());
                return Err(invalid(&why.unwrap_or_default()));
            }
        };
        if option.name() == options::DIR.name
            && let Value::Text(path) = &mut value
        {
            let folder = place::anywhere(OsStr::new(path), self.home);
            let folder = folder.map_err(|(_, why)| invalid(&why))?;
            *path =
                folder.into_os_string().into_string().map_err(|_| invalid(&"it is not UTF-8"))?;
        }
        option.check(&value).map_err(|why| invalid(&why))?;
        Ok(value)
    }

    fn invalid(&self, span: Range<usize>, name: &str, why: impl Display) -> Mistake {
        let written = self.text.get(span.clone()).unwrap_or_default();
        let mut quoted: String = written.chars().take(QUOTED).collect();
        if quoted.len() < written.len() {
            quoted.push('…');
        }
        Mistake { at: span.start, what: format!("invalid value {quoted} for `{name}`: {why}") }
    }

    fn line(&self, at: usize) -> usize {
        self.line_ends.partition_point(|&end| end < at) + 1
    }
}

/// Checks that a setting does not contradict those next to it.
fn agrees(at: usize, new: &Setting, others: &[Setting]) -> Result<(), Mistake> {
    let is_on = |setting: &Setting| !matches!(setting.value, Value::Switch(false));
    let contradicts = |other: &&Setting| is_on(other) && new.option.contradicts(other.option);
    if let Some(other) = others.iter().find(contradicts).filter(|_| is_on(new)) {
        let what = format!(
            "`{}` and `{}` (line {}) contradict each other; remove one of them",
            new.name(),
            other.name(),
            other.line
        );
        return Err(Mistake { at, what });
    }
    let (refresh_after, expires_in) = (&options::REFRESH_AFTER, &options::EXPIRES_IN);
    if ![refresh_after.name, expires_in.name].contains(&new.name()) {
        return Ok(());
    }
    let find = |name| others.iter().chain([new]).find(|setting| setting.name() == name);
    let refresh = find(refresh_after.name)
        .and_then(|found| Some((found, refresh_after.read(Raw::Value(&found.value)).ok()?)));
    let expires = find(expires_in.name)
        .and_then(|found| Some((found, expires_in.read(Raw::Value(&found.value)).ok()?.0?)));
    if let (Some((refresh, after)), Some((expires, limit))) = (refresh, expires)
        && after >= limit
    {
        let what = format!(
            "`{}` (line {}) is not shorter than `{}` (line {}): a result would expire before it is \
             refreshed; make it shorter",
            refresh.name(),
            refresh.line,
            expires.name(),
            expires.line
        );
        return Err(Mistake { at, what });
    }
    Ok(())
}

/// Sorts the entries by position, so that the first mistake is reported.
fn in_order<'d, 't>(table: &'d DeTable<'t>) -> Vec<(&'d Key<'t>, &'d Item<'t>)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}

fn integer(number: &DeInteger<'_>) -> Option<i64> {
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}

/// Formats the message about an unknown key.
fn unknown(key: &str, other: &'static str) -> String {
    let name = key.strip_prefix("--").unwrap_or(key);
    if let Some(once) = options::for_one_call().iter().find(|once| once.name == name) {
        return match once.line {
            None => format!("`{name}` is for one call and cannot be set for all; use --{name}"),
            Some(line) => format!("`{name}` is for one call; for all it is `{line}`"),
        };
    }
    let names = options::all().iter().map(|option| option.name()).chain([other]);
    match nearest(&name.replace('_', "-").to_lowercase(), names) {
        Some(known) => format!("unknown key `{key}`; did you mean `{known}`?"),
        None => {
            format!("unknown key `{key}`; `cachex help run` lists the options, which are the keys")
        }
    }
}

/// Returns the name that was meant by another one, if there is one like it.
pub(super) fn nearest<'k>(name: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    known
        .map(|known| (strsim::jaro_winkler(name, known), known))
        .filter(|(near, _)| *near > NEAR)
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, known)| known)
}
