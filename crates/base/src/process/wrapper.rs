//! Commands that run another one, which is among their arguments: `env`, `nice`, `timeout` and the
//! like.
//!
//! Their options are read as they read them, so it is known for certain which word is the command,
//! and in which environment it runs. Wrappers about which this is not certain, such as `sudo` and
//! `docker`, are not listed here.

use std::collections::{BTreeMap, VecDeque};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The syntax of a wrapper's arguments. Options end at the first word that is none.
struct Wrapper {
    name: &'static str,
    /// The short options that take a value.
    values: &'static str,
    /// The long options that matter or take a value, and their short forms.
    long: &'static [(&'static str, u8)],
    /// The number of arguments between the options and the command.
    skips: usize,
}

const WRAPPERS: [Wrapper; 13] = [
    Wrapper { name: "ccache", values: "", long: &[], skips: 0 },
    Wrapper {
        name: "chrt",
        values: "DPT",
        long: &[("sched-deadline", b'D'), ("sched-period", b'P'), ("sched-runtime", b'T')],
        skips: 1,
    },
    Wrapper { name: "distcc", values: "", long: &[], skips: 0 },
    Wrapper {
        name: ENV,
        values: "aCPSu",
        long: &[
            ("argv0", b'a'),
            ("chdir", b'C'),
            ("ignore-environment", b'i'),
            ("split-string", b'S'),
            ("unset", b'u'),
        ],
        skips: 0,
    },
    Wrapper {
        name: "ionice",
        values: "cnpPu",
        long: &[("class", b'c'), ("classdata", b'n'), ("pgid", b'P'), ("pid", b'p'), ("uid", b'u')],
        skips: 0,
    },
    Wrapper { name: "nice", values: "n", long: &[("adjustment", b'n')], skips: 0 },
    Wrapper { name: "nohup", values: "", long: &[], skips: 0 },
    Wrapper { name: "sccache", values: "", long: &[], skips: 0 },
    Wrapper { name: "setsid", values: "", long: &[], skips: 0 },
    Wrapper {
        name: "stdbuf",
        values: "eio",
        long: &[("error", b'e'), ("input", b'i'), ("output", b'o')],
        skips: 0,
    },
    Wrapper { name: "taskset", values: "", long: &[], skips: 1 },
    Wrapper { name: "time", values: "fo", long: &[("format", b'f'), ("output", b'o')], skips: 0 },
    Wrapper {
        name: "timeout",
        values: "ks",
        long: &[("kill-after", b'k'), ("signal", b's')],
        skips: 1,
    },
];

/// The wrapper that changes the environment.
const ENV: &str = "env";

/// The deepest nesting of wrappers that is followed.
const DEPTH: usize = 16;

/// A function that looks up variables.
pub type Lookup<'o> = &'o dyn Fn(&str) -> Option<&'o OsStr>;

/// The command behind wrappers, and what they change for it.
pub struct Wrapped<'o> {
    /// The command and its arguments; never empty.
    pub words: Vec<Vec<u8>>,
    /// Its environment.
    pub environment: Environment<'o>,
    /// Its working directory, if that is another one. A relative path is relative to the present
    /// one.
    pub folder: Option<PathBuf>,
}

/// An environment that is another one with some changes.
pub struct Environment<'o> {
    /// Looks up variables in the environment before the changes.
    outer: Lookup<'o>,
    /// True if nothing of that environment is left.
    is_empty: bool,
    /// The new values, and the variables that are removed.
    changes: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
}

impl<'o> Environment<'o> {
    /// Creates an environment without changes.
    pub fn new(outer: Lookup<'o>) -> Environment<'o> {
        Environment { outer, is_empty: false, changes: BTreeMap::new() }
    }

    /// Returns the value of a variable.
    pub fn value(&self, name: &str) -> Option<&OsStr> {
        match self.changes.get(name.as_bytes()) {
            Some(value) => value.as_deref().map(OsStr::from_bytes),
            None if self.is_empty => None,
            None => (self.outer)(name),
        }
    }

    /// Applies the changes to a process that inherits the environment before them.
    pub fn apply(&self, command: &mut Command) {
        if self.is_empty {
            command.env_clear();
        }
        for (name, value) in &self.changes {
            let name = OsStr::from_bytes(name);
            // The system takes no other names.
            match value {
                _ if name.is_empty() => {}
                Some(value) => {
                    command.env(name, OsStr::from_bytes(value));
                }
                None => {
                    command.env_remove(name);
                }
            }
        }
    }

    fn clear(&mut self) {
        self.is_empty = true;
        self.changes.clear();
    }
}

/// Returns whether a command of this name is a wrapper.
pub fn is_wrapper(name: &[u8]) -> bool {
    find(name).is_some()
}

/// Returns the command that these words run in the end, or `None` if the first one is no wrapper,
/// or one that runs nothing. `outer` looks up their variables.
pub fn behind<'o>(words: &[&[u8]], outer: Lookup<'o>) -> Option<Wrapped<'o>> {
    find(words.first()?)?;
    let words = words.iter().map(|word| word.to_vec()).collect();
    let mut wrapped = Wrapped { words, environment: Environment::new(outer), folder: None };
    for _ in 0..DEPTH {
        let Some(wrapper) = find(wrapped.words.first()?) else { return Some(wrapped) };
        wrapped.enter(wrapper);
    }
    None
}

fn find(command: &[u8]) -> Option<&'static Wrapper> {
    let base = command.rsplit(|&byte| byte == b'/').next()?;
    WRAPPERS.iter().find(|wrapper| wrapper.name.as_bytes() == base)
}

impl Wrapper {
    /// Returns the short form of a long option, which may be abbreviated.
    fn short_of(&self, name: &[u8]) -> Option<u8> {
        let found = self.long.iter().find(|(long, _)| long.as_bytes().starts_with(name));
        found.map(|(_, short)| *short)
    }

    fn takes_value(&self, option: u8) -> bool {
        self.values.as_bytes().contains(&option)
    }
}

impl Wrapped<'_> {
    /// Goes on from a wrapper to the command behind it.
    fn enter(&mut self, wrapper: &Wrapper) {
        let mut rest: VecDeque<Vec<u8>> = std::mem::take(&mut self.words).into();
        rest.pop_front();
        while let Some(word) = next_if(&mut rest, |word| word.starts_with(b"-")) {
            if word == b"--" {
                break;
            }
            if let Some(long) = word.strip_prefix(b"--") {
                let mut sides = long.splitn(2, |&byte| byte == b'=');
                let (name, value) = (sides.next().unwrap_or_default(), sides.next());
                let Some(option) = wrapper.short_of(name) else { continue };
                let value = match value {
                    Some(value) => value.to_vec(),
                    None if wrapper.takes_value(option) => rest.pop_front().unwrap_or_default(),
                    None => Vec::new(),
                };
                self.obey(wrapper, option, value, &mut rest);
                continue;
            }
            // `env -` is short for `env -i`.
            let letters = if word == b"-" { b"i" } else { &word[1..] };
            for (at, &option) in letters.iter().enumerate() {
                let mut value = Vec::new();
                let takes_value = wrapper.takes_value(option);
                if takes_value {
                    value = letters[at + 1..].to_vec();
                    if value.is_empty() {
                        value = rest.pop_front().unwrap_or_default();
                    }
                }
                self.obey(wrapper, option, value, &mut rest);
                if takes_value {
                    break;
                }
            }
        }
        if wrapper.name == ENV {
            while let Some(word) = next_if(&mut rest, |word| word.contains(&b'=')) {
                let mut sides = word.splitn(2, |&byte| byte == b'=').map(<[u8]>::to_vec);
                let name = sides.next().unwrap_or_default();
                self.environment.changes.insert(name, sides.next());
            }
        }
        self.words = rest.into_iter().skip(wrapper.skips).collect();
    }

    /// Applies an option of `env`; those of others change nothing here.
    fn obey(
        &mut self,
        wrapper: &Wrapper,
        option: u8,
        value: Vec<u8>,
        rest: &mut VecDeque<Vec<u8>>,
    ) {
        match option {
            _ if wrapper.name != ENV => {}
            b'i' => self.environment.clear(),
            b'u' => {
                self.environment.changes.insert(value, None);
            }
            b'C' => {
                let folder = OsString::from_vec(value);
                self.folder = Some(match self.folder.take() {
                    Some(before) => before.join(folder),
                    None => PathBuf::from(folder),
                });
            }
            // Where BSD's looks for the command.
            b'P' => {
                self.environment.changes.insert(b"PATH".to_vec(), Some(value));
            }
            b'S' => {
                for word in split(&value, &self.environment).into_iter().rev() {
                    rest.push_front(word);
                }
            }
            _ => {}
        }
    }

    /// Returns the command as a path or a name to search for, as seen from the present working
    /// directory.
    pub fn command(&self) -> OsString {
        let name = &self.words[0];
        match &self.folder {
            Some(folder) if name.contains(&b'/') => {
                folder.join(Path::new(OsStr::from_bytes(name))).into_os_string()
            }
            _ => OsString::from_vec(name.clone()),
        }
    }
}

/// Takes the first word if it is like this.
fn next_if(words: &mut VecDeque<Vec<u8>>, is: impl Fn(&[u8]) -> bool) -> Option<Vec<u8>> {
    if is(words.front()?) { words.pop_front() } else { None }
}

/// Splits the text after `env -S` into words, as GNU `env` does.
fn split(text: &[u8], environment: &Environment<'_>) -> Vec<Vec<u8>> {
    let mut words = Vec::new();
    let mut word: Option<Vec<u8>> = None;
    let mut quote = None;
    let mut bytes = text.iter();
    while let Some(&byte) = bytes.next() {
        match byte {
            b'\'' | b'"' if quote.is_none_or(|quote| quote == byte) => {
                quote = if quote.is_some() { None } else { Some(byte) };
                word.get_or_insert_default();
            }
            b'\\' => {
                let Some(&next) = bytes.next() else { break };
                let meant = match next {
                    b'\'' | b'\\' => next,
                    _ if quote == Some(b'\'') => {
                        word.get_or_insert_default().push(byte);
                        next
                    }
                    b'c' => break,
                    b'_' if quote.is_none() => {
                        words.extend(word.take());
                        continue;
                    }
                    b'_' => b' ',
                    b'f' => b'\x0c',
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'v' => b'\x0b',
                    next => next,
                };
                word.get_or_insert_default().push(meant);
            }
            b'$' if quote != Some(b'\'') && bytes.as_slice().starts_with(b"{") => {
                let name = bytes.by_ref().skip(1).take_while(|&&it| it != b'}');
                let name: Vec<u8> = name.copied().collect();
                let value =
                    std::str::from_utf8(&name).ok().and_then(|name| environment.value(name));
                let value = value.map(OsStr::as_bytes).unwrap_or_default();
                word.get_or_insert_default().extend_from_slice(value);
            }
            b' ' | b'\t'..=b'\r' if quote.is_none() => words.extend(word.take()),
            b'#' if quote.is_none() && word.is_none() => break,
            byte => word.get_or_insert_default().push(byte),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words_behind(line: &[&str]) -> Option<Vec<String>> {
        let words: Vec<&[u8]> = line.iter().map(|word| word.as_bytes()).collect();
        let outer = |name: &str| (name == "TOOL").then_some(OsStr::new("cc"));
        let text = |word: Vec<u8>| String::from_utf8(word).unwrap();
        behind(&words, &outer).map(|it| it.words.into_iter().map(text).collect())
    }

    #[test]
    fn the_command_is_found_whatever_the_options_are() {
        for line in [
            "env cc -c",
            "/usr/bin/env -i A=b cc -c",
            "env - A=b cc -c",
            "env -u X -uY --unset Z --unset=Q cc -c",
            "env -C / --chdir=/tmp --block-signal=INT -v0 -- A=b =c cc -c",
            "env -iu A cc -c",
            "nice cc -c",
            "nice -n 5 cc -c",
            "nice -n5 cc -c",
            "nice -10 cc -c",
            "nice --adjustment 5 cc -c",
            "nice --adj=5 cc -c",
            "timeout 5 cc -c",
            "timeout -s KILL -k 1s --foreground 5 cc -c",
            "timeout --kill-after 1 --sig KILL -v 5 cc -c",
            "nohup cc -c",
            "setsid -w --fork cc -c",
            "stdbuf -oL -e 0 --input=0 cc -c",
            "time -p -f %e -o log --append cc -c",
            "ionice -c 3 -n7 -t cc -c",
            "chrt --batch 0 cc -c",
            "chrt -T 1 -d 0 cc -c",
            "taskset -c 0-3 cc -c",
            "taskset 0x3 cc -c",
            "ccache cc -c",
            "nohup env A=b timeout 5 nice ./env/time cc -c",
        ] {
            let line: Vec<&str> = line.split(' ').collect();
            assert_eq!(words_behind(&line).unwrap(), ["cc", "-c"], "{line:?}");
        }
        for line in
            ["cc -c", "env", "env -u HOME A=b", "timeout 5", "nice -n", "taskset -p 1", "", "--"]
        {
            assert_eq!(words_behind(&line.split(' ').collect::<Vec<_>>()), None, "{line}");
        }
        assert_eq!(words_behind(&[]), None);
    }

    #[test]
    fn one_word_is_split_as_env_splits_it() {
        for (text, words) in [
            ("-i A=b cc -c", "cc|-c|x"),
            ("  nice -n 5  cc\t'a b'\"\"", "cc|a b|x"),
            (r#"cc a\_b "a\_\tb" '\n\'' \#c # no"#, "cc|a|b|a \tb|\\n'|#c|x"),
            (r"${TOOL} '${TOOL}' a${NONE}b end\c more", "cc|${TOOL}|ab|end|x"),
        ] {
            for line in [&["env", "-S", text, "x"][..], &["env", &format!("-vS{text}"), "x"]] {
                let told = words_behind(line).unwrap().join("|");
                assert_eq!(told, words, "{text}");
            }
        }
        assert_eq!(words_behind(&["env", "-S${TOOL", "-c"]).unwrap(), ["cc", "-c"]);
        assert_eq!(words_behind(&["env", "-S", ""]), None);
    }

    #[test]
    fn the_environment_is_that_of_the_command() {
        let of = |line: &str| {
            let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
            behind(&words, &|name| (name == "PATH").then_some(OsStr::new("/bin"))).unwrap()
        };
        let value = |wrapped: &Wrapped<'_>| {
            let value = wrapped.environment.value("PATH");
            value.map(|value| value.to_str().unwrap().to_owned())
        };
        for (line, path) in [
            ("env A=b cc", Some("/bin")),
            ("env PATH=/a cc", Some("/a")),
            ("env -i cc", None),
            ("env -u PATH cc", None),
            ("env -u PATH PATH=/a cc", Some("/a")),
            ("env PATH=/a env -i cc", None),
            ("env -i nice env PATH=/a=b cc", Some("/a=b")),
            ("env -P /a cc", Some("/a")),
        ] {
            assert_eq!(value(&of(line)).as_deref(), path, "{line}");
        }
        assert_eq!(of("env -C /a env -C b ./cc").command(), "/a/b/./cc");
        assert_eq!(of("env -C /a cc").command(), "cc");
        let mut command = Command::new("cc");
        of("env -i A=b -u=c =d cc").environment.apply(&mut command);
        let told: Vec<_> = command.get_envs().map(|(name, _)| name).collect();
        assert_eq!(told, ["-u", "A"]);
    }
}
