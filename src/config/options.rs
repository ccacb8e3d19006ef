//! The lasting options: what each is called, by which variable, and how its
//! value is read, wherever it comes from.
//!
//! What `run` and `sh` can be told only for one call is not among them, see [`ONCE`].

use cachex_base::text::values::{
    self, AutoAllow, AutoOutputs, AutoQuirks, AutoTimes, ColorStrip, ExeMode, ExitCodes,
    InputPattern, Limit, Mode, NamePattern, OutputPattern, PathPattern, PrivateKey, PublicKey,
    ReplayMode, StdinMode, Tag,
};
use cachex_store::settings::{RemoteMode, Tier};
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// An option, and the one way to read its value.
pub struct Lasting<T: 'static> {
    /// Its name on the command line without the dashes, and in the file.
    pub name: &'static str,
    /// The variable that stands for it.
    pub variable: &'static str,
    read: Reader<T>,
}

enum Reader<T> {
    Text(fn(&str) -> Result<T, String>),
    /// In the file it may be a bare number too.
    Number(fn(&str) -> Result<T, String>),
    Bytes(fn(&OsStr) -> T),
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

impl<T> Lasting<T> {
    const fn new(name: &'static str, variable: &'static str, read: Reader<T>) -> Lasting<T> {
        Lasting { name, variable, read }
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

/// An option, whatever the type of its value.
pub trait Option: Sync {
    /// See [`Lasting::name`].
    fn name(&self) -> &'static str;
    /// See [`Lasting::variable`].
    fn variable(&self) -> &'static str;
    /// The type of its value in the file.
    fn kind(&self) -> &'static str;
    /// Checks a value, and returns what is wrong with it.
    fn check(&self, value: &Value) -> Result<(), String>;
    /// Returns whether what was written turns it on: any value does, but `false`.
    fn is_on(&self, raw: Raw<'_>) -> Result<bool, String>;
}

impl<T> Option for Lasting<T> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn variable(&self) -> &'static str {
        self.variable
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

/// Declares them, and [`ALL`] of them in the order of their declaration.
macro_rules! lasting {
    ($($constant:ident: $type:ty = $name:literal $variable:literal $read:expr;)*) => {
        $(pub static $constant: Lasting<$type> = Lasting::new($name, $variable, $read);)*
        /// All of them.
        pub static ALL: &[&dyn Option] = &[$(&$constant),*];
    };
}

lasting! {
    EXPIRES_IN: Limit = "expires-in" "CACHEX_EXPIRES_IN" Reader::Text(str::parse);
    FAILURE_EXPIRES_IN: Limit =
        "failure-expires-in" "CACHEX_FAILURE_EXPIRES_IN" Reader::Text(str::parse);
    EXIT_CODES: ExitCodes = "exit-codes" "CACHEX_EXIT_CODES" Reader::Number(str::parse);
    REFRESH_AFTER: Duration =
        "refresh-after" "CACHEX_REFRESH_AFTER" Reader::Text(values::duration);
    STALE_OK: Duration = "stale-ok" "CACHEX_STALE_OK" Reader::Text(values::duration);
    STALE_IF_ERROR: Duration =
        "stale-if-error" "CACHEX_STALE_IF_ERROR" Reader::Text(values::duration);
    JITTER: u8 = "jitter" "CACHEX_JITTER" Reader::Number(values::percent);
    MODE: Mode = "mode" "CACHEX_MODE" Reader::Text(choice);
    MISS_STATUS: u8 = "miss-status" "CACHEX_MISS_STATUS" Reader::Number(values::status);
    NO_CONCURRENT: bool = "no-concurrent" "CACHEX_NO_CONCURRENT" Reader::Switch(as_it_is);
    LOCK_TIMEOUT: Duration = "lock-timeout" "CACHEX_LOCK_TIMEOUT" Reader::Text(values::duration);
    TIMEOUT: Duration = "timeout" "CACHEX_TIMEOUT" Reader::Text(values::duration);
    FINISH: bool = "finish" "CACHEX_FINISH" Reader::Switch(as_it_is);
    TTY: bool = "tty" "CACHEX_TTY" Reader::Switch(as_it_is);
    REPLAY: ReplayMode = "replay" "CACHEX_REPLAY" Reader::Text(choice);
    MARK: bool = "mark" "CACHEX_MARK" Reader::Switch(as_it_is);
    COLOR_STRIP: ColorStrip = "color-strip" "CACHEX_COLOR_STRIP" Reader::Text(choice);
    SHELL: String =
        "shell" "CACHEX_SHELL" Reader::Text(|text| values::shell(text).map_err(str::to_owned));
    EXE: ExeMode = "exe" "CACHEX_EXE" Reader::Text(choice);
    NO_CWD: bool = "no-cwd" "CACHEX_NO_CWD" Reader::Switch(as_it_is);
    ENV: Vec<NamePattern> = "env" "CACHEX_ENV" Reader::List(list);
    IGNORE_ENV: Vec<NamePattern> = "ignore-env" "CACHEX_IGNORE_ENV" Reader::List(list);
    NO_ENV: bool = "no-env" "CACHEX_NO_ENV" Reader::Switch(as_it_is);
    STDIN: StdinMode = "stdin" "CACHEX_STDIN" Reader::Text(choice);
    KEY: OsString = "key" "CACHEX_KEY" Reader::Bytes(OsStr::to_owned);
    SCOPE: String = "scope" "CACHEX_SCOPE" Reader::Text(|text| Ok(text.to_owned()));
    INPUT: Vec<InputPattern> = "input" "CACHEX_INPUT" Reader::Paths(list);
    INPUT_FROM: PathBuf = "input-from" "CACHEX_INPUT_FROM" Reader::Bytes(|path| path.into());
    INPUT_COMMAND: Vec<String> = "input-command" "CACHEX_INPUT_COMMAND" Reader::Texts(|items| {
        items.map(|text| values::shell_command(text).map_err(str::to_owned)).collect()
    });
    NO_IGNORE: bool = "no-ignore" "CACHEX_NO_IGNORE" Reader::Switch(as_it_is);
    BASE_DIR: PathBuf = "base-dir" "CACHEX_BASE_DIR" Reader::Bytes(|path| path.into());
    PLATFORM: String =
        "platform" "CACHEX_PLATFORM" Reader::Text(|text| values::platform(text).map_err(str::to_owned));
    PORTABLE: bool = "portable" "CACHEX_PORTABLE" Reader::Switch(as_it_is);
    AUTO: bool = "auto" "CACHEX_AUTO" Reader::Switch(as_it_is);
    AUTO_IGNORE: Vec<PathPattern> = "auto-ignore" "CACHEX_AUTO_IGNORE" Reader::Paths(list);
    AUTO_TIMES: AutoTimes = "auto-times" "CACHEX_AUTO_TIMES" Reader::Text(choice);
    AUTO_ALLOW: Vec<AutoAllow> = "auto-allow" "CACHEX_AUTO_ALLOW" Reader::List(choices);
    AUTO_QUIRKS: AutoQuirks = "auto-quirks" "CACHEX_AUTO_QUIRKS" Reader::Text(choice);
    AUTO_OUTPUTS: AutoOutputs = "auto-outputs" "CACHEX_AUTO_OUTPUTS" Reader::Text(choice);
    OUTPUT: Vec<OutputPattern> = "output" "CACHEX_OUTPUT" Reader::Paths(list);
    REQUIRE_OUTPUTS: bool =
        "require-outputs" "CACHEX_REQUIRE_OUTPUTS" Reader::Switch(as_it_is);
    CACHE_DIR: PathBuf = "cache-dir" "CACHEX_DIR" Reader::Bytes(|path| path.into());
    MAX_ENTRY_SIZE: u64 =
        "max-entry-size" "CACHEX_MAX_ENTRY_SIZE" Reader::Number(values::size);
    MAX_SIZE: u64 = "max-size" "CACHEX_MAX_SIZE" Reader::Number(values::store_size);
    MAX_ENTRIES: u64 = "max-entries" "CACHEX_MAX_ENTRIES" Reader::Number(values::entries);
    COMPRESS: u8 = "compress" "CACHEX_COMPRESS" Reader::Number(values::level);
    REMOTE: Vec<Tier> = "remote" "CACHEX_REMOTE" Reader::Texts(cachex_store::settings::tiers);
    REMOTE_MODE: RemoteMode = "remote-mode" "CACHEX_REMOTE_MODE" Reader::Text(choice);
    REMOTE_TIMEOUT: Duration =
        "remote-timeout" "CACHEX_REMOTE_TIMEOUT" Reader::Text(values::duration);
    REMOTE_BUDGET: Duration =
        "remote-budget" "CACHEX_REMOTE_BUDGET" Reader::Text(values::duration);
    REMOTE_MAX_SIZE: u64 =
        "remote-max-size" "CACHEX_REMOTE_MAX_SIZE" Reader::Number(values::size);
    REMOTE_SIGNING_KEY: PrivateKey =
        "remote-signing-key" "CACHEX_REMOTE_SIGNING_KEY" Reader::Text(cachex_store::settings::signing_key);
    REMOTE_TRUST: Vec<PublicKey> = "remote-trust" "CACHEX_REMOTE_TRUST" Reader::Paths(list);
    LOCAL: bool = "local" "CACHEX_LOCAL" Reader::Switch(as_it_is);
    TAG: Vec<Tag> = "tag" "CACHEX_TAG" Reader::List(|items| list(items).and_then(few));
    QUIET: bool = "quiet" "CACHEX_QUIET" Reader::Switch(as_it_is);
    VERBOSE: bool = "verbose" "CACHEX_VERBOSE" Reader::Switch(as_it_is);
}

/// Options that exclude each other wherever they stand together.
pub static EXCLUSIVE: &[&[&dyn Option]] = &[&[&ENV, &IGNORE_ENV, &NO_ENV], &[&QUIET, &VERBOSE]];

/// The options of `run` that are for one call, and what a file says instead.
pub static ONCE: &[(&str, Instead)] = &[
    ("profile", Instead::Nothing),
    ("warm", Instead::Nothing),
    ("cached-only", Instead::Nothing),
    ("no-wait", Instead::Nothing),
    ("no-fail", Instead::Line("exit-codes = \"0\"")),
    ("status-file", Instead::Nothing),
    ("status-fd", Instead::Nothing),
    ("force", Instead::Line("mode = \"write-only\"")),
    ("no-read", Instead::Line("mode = \"write-only\"")),
    ("read-only", Instead::Line("mode = \"read-only\"")),
];

/// The replacement in a file for an option that cannot be set there.
#[derive(Clone, Copy)]
pub enum Instead {
    Nothing,
    Line(&'static str),
}

const fn as_it_is(on: bool) -> bool {
    on
}

fn choice<T: clap::ValueEnum>(text: &str) -> Result<T, String> {
    T::from_str(text, false).map_err(|_| {
        let names = T::value_variants().iter().filter_map(clap::ValueEnum::to_possible_value);
        let names: Vec<String> = names.map(|value| format!("`{}`", value.get_name())).collect();
        format!("expected one of {}", names.join(", "))
    })
}

fn choices<T: clap::ValueEnum>(items: &mut dyn Iterator<Item = &str>) -> Result<Vec<T>, String> {
    items.map(choice).collect()
}

fn list<T: FromStr<Err: ToString>>(
    items: &mut dyn Iterator<Item = &str>,
) -> Result<Vec<T>, String> {
    items.map(|item| item.parse().map_err(|why: T::Err| why.to_string())).collect()
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

    #[test]
    fn every_option_of_run_and_sh_is_lasting_or_for_one_call() {
        let cli = Cli::command();
        let options = |verb| {
            let verb = cli.find_subcommand(verb).unwrap();
            let options = verb.get_arguments().filter_map(clap::Arg::get_long);
            options.filter(|name| *name != "help").collect::<BTreeSet<&str>>()
        };
        let (run, sh) = (options("run"), options("sh"));
        assert_eq!(sh, &run | &BTreeSet::from([SHELL.name]));
        let lasting: BTreeSet<&str> = ALL.iter().map(|option| option.name()).collect();
        let once: BTreeSet<&str> = ONCE.iter().map(|(name, _)| *name).collect();
        assert!(lasting.is_disjoint(&once));
        assert_eq!(sh, &lasting | &once);
    }

    #[test]
    fn variables_are_called_as_their_options() {
        for option in ALL.iter().filter(|option| option.name() != CACHE_DIR.name) {
            let name = option.name().replace('-', "_").to_uppercase();
            assert_eq!(option.variable(), format!("CACHEX_{name}"));
        }
    }

    #[test]
    fn types_that_an_option_does_not_have_are_refused() {
        let refused = |option: &dyn Option, value| option.check(&value).unwrap_err();
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
