//! An option that may stand in a variable and in `config.toml` too, and how it is read there.

use cachex_base::text::values;
use std::ffi::OsStr;
use std::ops::Deref;

/// The properties of an option that do not depend on the type of its value.
#[derive(Debug)]
pub struct About {
    /// The option's identifier in clap.
    pub id: &'static str,
    /// Its name on the command line without the dashes, and in the file.
    pub name: &'static str,
    /// The variable that stands for it.
    pub variable: &'static str,
    /// Those that it does not go with, by what clap calls them. They may not say so themselves.
    pub excludes: &'static [&'static str],
    /// The marks of the option.
    pub marks: &'static [Mark],
}

/// A property of an option on which a project's file or `explain` depends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// The file of a project may set it: it makes results expire earlier, tells them apart or
    /// labels them, and leaves nothing out of a key.
    Project,
    /// The option has no effect on whether a call hits, so `explain` leaves it out of its help.
    RunOnly,
}

impl About {
    /// Returns whether the two options exclude each other.
    pub fn contradicts(&self, other: &About) -> bool {
        self.excludes.contains(&other.id) || other.excludes.contains(&self.id)
    }

    /// Returns whether the option has this mark.
    pub fn is(&self, mark: Mark) -> bool {
        self.marks.contains(&mark)
    }
}

/// An option for one call, which cannot be set in a file.
pub struct Once {
    pub about: About,
    /// The line of `config.toml` with the same effect, if there is one.
    pub line: Option<&'static str>,
}

impl Deref for Once {
    type Target = About;

    fn deref(&self) -> &About {
        &self.about
    }
}

/// An option, and the one way to read its value.
pub struct Configurable<T: 'static> {
    about: About,
    read: Reader<T>,
}

/// The way in which a value is read.
pub enum Reader<T> {
    /// As one text.
    Text(fn(&str) -> Result<T, String>),
    /// In the file it may be a bare number too.
    Number(fn(&str) -> Result<T, String>),
    /// As it is.
    Bytes(fn(&OsStr) -> T),
    /// On or off.
    Switch(fn(bool) -> T),
    /// Items: in a variable they stand between commas.
    List(fn(&mut dyn Iterator<Item = &str>) -> Result<T, String>),
    /// Items: in a variable they stand between blanks too.
    Paths(fn(&mut dyn Iterator<Item = &str>) -> Result<T, String>),
    /// Items of which each is a text of its own, with blanks and commas.
    Texts(fn(&mut dyn Iterator<Item = &str>) -> Result<T, String>),
}

/// A value as it was written.
#[derive(Clone, Copy)]
pub enum Raw<'a> {
    Variable(&'a OsStr),
    Value(&'a Value),
}

/// A value in the file, of the types that options have.
#[derive(Debug)]
pub enum Value {
    Text(String),
    Number(i64),
    Switch(bool),
    Items(Vec<String>),
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Value::Text(text) => write!(f, "{text:?}"),
            Value::Number(number) => write!(f, "{number}"),
            Value::Switch(on) => write!(f, "{on}"),
            Value::Items(items) => write!(f, "{items:?}"),
        }
    }
}

impl<T> Deref for Configurable<T> {
    type Target = About;

    fn deref(&self) -> &About {
        &self.about
    }
}

impl<T> Configurable<T> {
    /// Makes one of what is said of it.
    pub const fn new(about: About, read: Reader<T>) -> Configurable<T> {
        Configurable { about, read }
    }

    /// The value that was written so, or what is wrong with it.
    pub fn read(&self, raw: Raw<'_>) -> Result<T, String> {
        let text = |value: &'_ OsStr| {
            value.to_str().map(str::to_owned).ok_or_else(|| "it is not UTF-8".to_owned())
        };
        match (&self.read, raw) {
            (Reader::Bytes(read), Raw::Variable(value)) => Ok(read(value)),
            (Reader::Bytes(read), Raw::Value(Value::Text(value))) => Ok(read(OsStr::new(value))),
            (Reader::Text(read) | Reader::Number(read), Raw::Variable(value)) => {
                read(&text(value)?)
            }
            (Reader::Text(read) | Reader::Number(read), Raw::Value(Value::Text(value))) => {
                read(value)
            }
            (Reader::Number(read), Raw::Value(Value::Number(value))) => read(&value.to_string()),
            (Reader::Switch(read), Raw::Variable(value)) => values::switch(&text(value)?).map(read),
            (Reader::Switch(read), Raw::Value(Value::Switch(value))) => Ok(read(*value)),
            (Reader::List(read), Raw::Variable(value)) => read(&mut text(value)?.split(',')),
            (Reader::List(read), Raw::Value(Value::Text(value))) => read(&mut value.split(',')),
            (Reader::Paths(read), Raw::Variable(value)) => read(&mut values::listed(&text(value)?)),
            (Reader::Texts(read), Raw::Variable(value)) => {
                read(&mut std::iter::once(text(value)?.as_str()))
            }
            (Reader::Paths(read) | Reader::Texts(read), Raw::Value(Value::Text(value))) => {
                read(&mut std::iter::once(value.as_str()))
            }
            (
                Reader::List(read) | Reader::Paths(read) | Reader::Texts(read),
                Raw::Value(Value::Items(items)),
            ) => read(&mut items.iter().map(String::as_str)),
            (Reader::Bytes(_) | Reader::Text(_), _) => Err("expected a string in quotes".into()),
            (Reader::Number(_), _) => Err("expected a string in quotes or a whole number".into()),
            (Reader::Switch(_), _) => Err("expected `true` or `false`, without quotes".into()),
            (Reader::List(_) | Reader::Paths(_) | Reader::Texts(_), _) => {
                Err("expected an array of strings, or one string".into())
            }
        }
    }
}

/// A configurable option, whatever the type of its value.
pub trait AnyOption: Sync {
    /// Returns the properties that do not depend on the type.
    fn about(&self) -> &About;

    /// See [`About::name`].
    fn name(&self) -> &'static str {
        self.about().name
    }

    /// See [`About::variable`].
    fn variable(&self) -> &'static str {
        self.about().variable
    }

    /// The type of its value in the file.
    fn kind(&self) -> &'static str;
    /// Checks a value, and returns what is wrong with it.
    fn check(&self, value: &Value) -> Result<(), String>;
    /// Returns whether what was written turns it on: any value does, but `false`.
    fn is_on(&self, raw: Raw<'_>) -> Result<bool, String>;
}

impl<T> AnyOption for Configurable<T> {
    fn about(&self) -> &About {
        &self.about
    }

    fn kind(&self) -> &'static str {
        match self.read {
            Reader::Text(_) | Reader::Bytes(_) => "string",
            Reader::Number(_) => "string or number",
            Reader::Switch(_) => "boolean",
            Reader::List(_) | Reader::Paths(_) | Reader::Texts(_) => "list or string",
        }
    }

    fn check(&self, value: &Value) -> Result<(), String> {
        self.read(Raw::Value(value)).map(drop)
    }

    fn is_on(&self, raw: Raw<'_>) -> Result<bool, String> {
        match (&self.read, raw) {
            (Reader::Switch(_), Raw::Variable(value)) => {
                value.to_str().ok_or_else(|| "it is not UTF-8".to_owned()).and_then(values::switch)
            }
            (_, Raw::Value(Value::Switch(on))) => Ok(*on),
            _ => Ok(true),
        }
    }
}
