//! Commands that run another one, which is among their arguments: `env`, `nice`, `timeout` and the
//! like.
//!
//! Their options are read as they read them, so it is known for certain which word is the command,
//! and in which environment and folder it runs. Wrappers about which this is not certain, such as
//! `sudo` and `docker`, are not listed here.

mod environment;
mod split;
mod table;

pub use environment::Environment;

use split::split;
use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;
use table::{ENV, FLOCK, SETARCH, STRACE, Wrapper, find};

/// The deepest nesting of wrappers that is followed.
pub const DEPTH: usize = 16;

/// A function that looks up variables.
pub type Lookup<'o> = &'o dyn Fn(&str) -> Option<&'o OsStr>;

/// A command, and what the wrappers in front of it changed for it.
pub struct Wrapped<'o> {
    /// The command and its arguments; never empty.
    pub words: Vec<Vec<u8>>,
    /// Its environment.
    pub environment: Environment<'o>,
}

/// Returns whether a command of this name is a wrapper.
pub fn is_wrapper(name: &[u8]) -> bool {
    find(name).is_some()
}

/// Returns whether a command is a wrapper if its file has this name, whatever it is called by.
pub fn is_wrapper_file(name: &[u8]) -> bool {
    find(name).is_some_and(|wrapper| !wrapper.goes_by_name)
}

/// Returns the command that these words run in the end, or `None` if the first one is no wrapper,
/// or one that runs nothing. They run in this environment.
pub fn behind<'o>(words: &[&[u8]], environment: Environment<'o>) -> Option<Wrapped<'o>> {
    let mut wrapped = Wrapped::new(words, environment)?.next(None)?;
    for _ in 0..DEPTH {
        if !is_wrapper(&wrapped.words[0]) {
            return Some(wrapped);
        }
        wrapped = wrapped.next(None)?;
    }
    None
}

impl<'o> Wrapped<'o> {
    /// Creates a command that nothing is in front of. Returns `None` if there are no words.
    pub fn new(words: &[&[u8]], environment: Environment<'o>) -> Option<Wrapped<'o>> {
        let words: Vec<_> = words.iter().map(|word| word.to_vec()).collect();
        (!words.is_empty()).then_some(Wrapped { words, environment })
    }

    /// Returns the command that this one runs, or `None` if it is no wrapper, or runs nothing.
    /// `file` is the name of its file without links, if that is known.
    pub fn next(&self, file: Option<&OsStr>) -> Option<Wrapped<'o>> {
        let file = file.map(OsStr::as_bytes).filter(|file| is_wrapper_file(file));
        let wrapper = find(&self.words[0]).or_else(|| find(file?))?;
        let mut next = Wrapped { words: Vec::new(), environment: self.environment.clone() };
        let mut rest: VecDeque<Vec<u8>> = self.words[1..].to_vec().into();
        if wrapper.is(SETARCH) {
            next_if(&mut rest, |word| !word.starts_with(b"-"));
        }
        let mut folder = None;
        while let Some(word) = next_if(&mut rest, is_option) {
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
                self.obey(wrapper, (option, value), &mut next, &mut folder, &mut rest);
                continue;
            }
            // `env -` is short for `env -i`.
            let letters = if word == b"-" { &b"-i"[..] } else { &word };
            for (at, &option) in letters.iter().enumerate().skip(1) {
                let mut value = Vec::new();
                let takes_value = wrapper.takes_value(option);
                if takes_value {
                    value = letters[at + 1..].to_vec();
                    if value.is_empty() {
                        value = rest.pop_front().unwrap_or_default();
                    }
                }
                self.obey(wrapper, (option, value), &mut next, &mut folder, &mut rest);
                if takes_value {
                    break;
                }
            }
        }
        if wrapper.is(ENV) {
            if next_if(&mut rest, |word| word == b"-").is_some() {
                next.environment.clear();
            }
            while let Some(word) = next_if(&mut rest, |word| word.contains(&b'=')) {
                next.environment.assign(&word);
            }
        }
        if let Some(folder) = folder {
            next.environment.enter(OsString::from_vec(folder));
        }
        next.words = rest.into_iter().skip(wrapper.skips).collect();
        let is_script = |word: &Vec<u8>| [&b"-c"[..], b"--command"].contains(&&word[..]);
        if wrapper.is(FLOCK) && next.words.first().is_some_and(is_script) {
            let shell = self.environment.value("SHELL").unwrap_or("/bin/sh".as_ref());
            next.words.insert(0, shell.as_bytes().to_vec());
        }
        (!next.words.is_empty()).then_some(next)
    }

    /// Applies an option that changes something for the command behind.
    fn obey(
        &self,
        wrapper: &Wrapper,
        (option, value): (u8, Vec<u8>),
        next: &mut Wrapped<'o>,
        folder: &mut Option<Vec<u8>>,
        rest: &mut VecDeque<Vec<u8>>,
    ) {
        match option {
            b'E' if wrapper.is(STRACE) => next.environment.assign(&value),
            _ if !wrapper.is(ENV) => {}
            b'i' => next.environment.clear(),
            b'u' => next.environment.change(value, None),
            // The last one counts.
            b'C' => *folder = Some(value),
            // Where BSD's looks for the command.
            b'P' => next.environment.change(b"PATH".to_vec(), Some(value)),
            b'S' => {
                for word in split(&value, &self.environment).into_iter().rev() {
                    rest.push_front(word);
                }
            }
            _ => {}
        }
    }

    /// Returns the paths at which the command is looked for, as seen from the present working
    /// directory.
    pub fn places(&self) -> Vec<PathBuf> {
        self.environment.places(OsStr::from_bytes(&self.words[0]))
    }
}

/// Returns whether a word is an option, or the `--` after them. A lone `-` ends them for GNU's
/// programs.
fn is_option(word: &[u8]) -> bool {
    word.starts_with(b"-") && (word.len() > 1 || cfg!(not(target_os = "linux")))
}

/// Takes the first word if it is like this.
fn next_if(words: &mut VecDeque<Vec<u8>>, is: impl Fn(&[u8]) -> bool) -> Option<Vec<u8>> {
    if is(words.front()?) { words.pop_front() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;
    use std::process::Command;

    fn words_behind(line: &[&str]) -> Option<Vec<String>> {
        let words: Vec<&[u8]> = line.iter().map(|word| word.as_bytes()).collect();
        let outer = |name: &str| (name == "TOOL").then_some(OsStr::new("cc"));
        let text = |word: Vec<u8>| String::from_utf8(word).unwrap();
        behind(&words, Environment::new(&outer)).map(|it| it.words.into_iter().map(text).collect())
    }

    #[test]
    fn the_command_is_found_whatever_the_options_are() {
        for line in [
            "env cc -c",
            "/usr/bin/env -i A=b cc -c",
            "env - A=b cc -c",
            "env -u X -uY --unset Z --unset=Q cc -c",
            "env -C / --chdir=/tmp --block-signal=INT -v0 -- A=b =c cc -c",
            "env -i -- - A=b cc -c",
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
            "gnice -n 5 cc -c",
            "genv A=b gtimeout 5 cc -c",
            "setarch x86_64 -R cc -c",
            "setarch -R cc -c",
            "linux32 -R cc -c",
            "prlimit --nofile=10 -n10:20 --output x -- cc -c",
            "choom -n 100 cc -c",
            "flock -w 5 --exclusive lock cc -c",
            "busybox nice cc -c",
            "strace -f -o log -e trace=file --summary --output=x -E A=b cc -c",
            "cgexec -g cpu,memory:x --sticky cc -c",
            "catchsegv cc -c",
            "chronic -v -e cc -c",
            "dbus-run-session --config-file=x --dbus-daemon y -- cc -c",
            "eatmydata -- cc -c",
            "fakeroot -l x -u --faked=y -s z -- cc -c",
            "unbuffer -p cc -c",
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
        let told = words_behind(&["flock", "lock", "-c", "cc -c"]).unwrap();
        assert_eq!(told, ["/bin/sh", "-c", "cc -c"]);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn options_end_at_a_lone_dash() {
        let told = words_behind(&["env", "-", "--chdir=a", "-u=b", "cc", "-c"]).unwrap();
        assert_eq!(told, ["cc", "-c"]);
        let words: [&[u8]; 4] = [b"env", b"-", b"--chdir=a", b"./cc"];
        let outer = Environment::new(&|_| None);
        assert_eq!(behind(&words, outer).unwrap().places(), [Path::new("./cc")]);
    }

    #[test]
    fn a_file_of_another_name_is_a_wrapper_unless_it_goes_by_its_name() {
        let outer = Environment::new(&|_| None);
        let wrapped = Wrapped::new(&[b"other", b"cc"], outer).unwrap();
        assert_eq!(wrapped.next(Some("env".as_ref())).unwrap().words, [b"cc"]);
        for file in [None, Some("ccache"), Some("busybox"), Some("cat")] {
            assert!(wrapped.next(file.map(OsStr::new)).is_none(), "{file:?}");
        }
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
        // Variables are those of `env` itself.
        assert_eq!(
            words_behind(&["env", "-u", "TOOL", "-iS", "${TOOL} -c"]).unwrap(),
            ["cc", "-c"]
        );
        assert_eq!(words_behind(&["env", "-S${TOOL", "-c"]).unwrap(), ["cc", "-c"]);
        assert_eq!(words_behind(&["env", "-S", ""]), None);
    }

    #[test]
    fn the_environment_is_that_of_the_command() {
        let of = |line: &str| {
            let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
            let outer = Environment::new(&|name| (name == "PATH").then_some(OsStr::new("/bin")));
            behind(&words, outer).unwrap()
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
            ("strace -E PATH=/a cc", Some("/a")),
        ] {
            assert_eq!(value(&of(line)).as_deref(), path, "{line}");
        }
        for (line, places) in [
            ("env -C /a env -C b ./cc", "/a/b/./cc"),
            ("env -C a -C b ./cc", "b/./cc"),
            ("env -C a PATH=:b:/c cc", "a/./cc|a/b/cc|/c/cc"),
            ("env -C a cc", "/bin/cc"),
            ("env -i cc", "/bin/cc|/usr/bin/cc"),
        ] {
            let told: Vec<_> =
                of(line).places().iter().map(|it| it.display().to_string()).collect();
            assert_eq!(told.join("|"), places, "{line}");
        }
        assert_eq!(of("env -C a cc").environment.at("b"), Path::new("a/b"));
        let mut command = Command::new("cc");
        of("env -i A=b -u=c =d cc").environment.apply(&mut command);
        let told: Vec<_> = command.get_envs().map(|(name, _)| name).collect();
        assert_eq!(told, ["-u", "A"]);
    }
}
