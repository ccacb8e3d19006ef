//! The wrappers that are known.

/// The syntax of a wrapper's arguments. Options end at the first word that is none.
#[derive(Clone, Copy)]
pub(super) struct Wrapper {
    /// Its names. With a `g` in front, they are those of GNU's programs on other systems.
    pub(super) names: &'static [&'static str],
    /// The short options that take a value.
    pub(super) values: &'static str,
    /// The long options that matter or take a value, and their short forms.
    pub(super) long: &'static [(&'static str, u8)],
    /// The number of arguments between the options and the command.
    pub(super) skips: usize,
    /// True if it does something else under another name.
    pub(super) goes_by_name: bool,
}

/// The wrapper that changes the environment.
pub(super) const ENV: &str = "env";
/// The wrapper that may run a script.
pub(super) const FLOCK: &str = "flock";
/// The wrapper that may have a word before its options.
pub(super) const SETARCH: &str = "setarch";
/// The wrapper whose option changes one variable.
pub(super) const STRACE: &str = "strace";

/// A wrapper without options that take a value.
const fn plain(names: &'static [&'static str]) -> Wrapper {
    Wrapper { names, values: "", long: &[], skips: 0, goes_by_name: false }
}

/// A wrapper with such options.
const fn with(
    names: &'static [&'static str],
    values: &'static str,
    long: &'static [(&'static str, u8)],
) -> Wrapper {
    Wrapper { values, long, ..plain(names) }
}

/// A wrapper that has as many arguments of its own.
const fn after(skips: usize, wrapper: Wrapper) -> Wrapper {
    Wrapper { skips, ..wrapper }
}

const WRAPPERS: [Wrapper; 22] = [
    Wrapper { goes_by_name: true, ..plain(&["busybox", "toybox"]) },
    Wrapper { goes_by_name: true, ..plain(&["ccache", "distcc", "sccache"]) },
    with(&["cgexec"], "g", &[]),
    with(&["choom"], "np", &[("adjust", b'n'), ("pid", b'p')]),
    after(
        1,
        with(
            &["chrt"],
            "DPT",
            &[("sched-deadline", b'D'), ("sched-period", b'P'), ("sched-runtime", b'T')],
        ),
    ),
    plain(&["catchsegv", "chronic", "eatmydata", "unbuffer"]),
    with(&["dbus-run-session"], "cd", &[("config-file", b'c'), ("dbus-daemon", b'd')]),
    with(
        &[ENV],
        "aCPSu",
        &[
            ("argv0", b'a'),
            ("chdir", b'C'),
            ("ignore-environment", b'i'),
            ("split-string", b'S'),
            ("unset", b'u'),
        ],
    ),
    with(&["fakeroot"], "bfils", &[("faked", b'f'), ("fd-base", b'b'), ("lib", b'l')]),
    after(
        1,
        with(&[FLOCK], "Ew", &[("conflict-exit-code", b'E'), ("timeout", b'w'), ("wait", b'w')]),
    ),
    with(
        &["ionice"],
        "cnpPu",
        &[("class", b'c'), ("classdata", b'n'), ("pgid", b'P'), ("pid", b'p'), ("uid", b'u')],
    ),
    Wrapper {
        goes_by_name: true,
        ..plain(&["i386", "i486", "i586", "i686", "linux32", "linux64", "uname26", "x86_64"])
    },
    with(&["nice"], "n", &[("adjustment", b'n')]),
    plain(&["nohup"]),
    with(&["prlimit"], "op", &[("output", b'o'), ("pid", b'p')]),
    plain(&[SETARCH]),
    plain(&["setsid"]),
    with(&["stdbuf"], "eio", &[("error", b'e'), ("input", b'i'), ("output", b'o')]),
    with(
        &[STRACE],
        "abeEIoOpPsSuUX",
        &[
            ("attach", b'p'),
            ("columns", b'a'),
            ("const-print-style", b'X'),
            ("detach-on", b'b'),
            ("env", b'E'),
            ("interruptible", b'I'),
            ("output", b'o'),
            ("string-limit", b's'),
            ("summary", b'C'),
            ("summary-columns", b'U'),
            ("summary-sort-by", b'S'),
            ("summary-syscall-overhead", b'O'),
            ("trace-path", b'P'),
            ("user", b'u'),
        ],
    ),
    after(1, plain(&["taskset"])),
    with(&["time"], "fo", &[("format", b'f'), ("output", b'o')]),
    after(1, with(&["timeout"], "ks", &[("kill-after", b'k'), ("signal", b's')])),
];

/// Returns the wrapper of this name.
pub(super) fn find(command: &[u8]) -> Option<&'static Wrapper> {
    let base = command.rsplit(|&byte| byte == b'/').next()?;
    let is = |name: &str| {
        let name = name.as_bytes();
        name == base || base.strip_prefix(b"g") == Some(name)
    };
    WRAPPERS.iter().find(|wrapper| wrapper.names.iter().any(|name| is(name)))
}

impl Wrapper {
    /// Returns whether this is its usual name.
    pub(super) fn is(&self, name: &str) -> bool {
        self.names[0] == name
    }

    /// Returns the short form of a long option, which may be abbreviated.
    pub(super) fn short_of(&self, name: &[u8]) -> Option<u8> {
        let find = |is: fn(&[u8], &[u8]) -> bool| {
            self.long.iter().find(|(long, _)| is(long.as_bytes(), name)).map(|(_, short)| *short)
        };
        find(|long, name| long == name).or_else(|| find(<[u8]>::starts_with))
    }

    /// Returns whether a short option takes a value.
    pub(super) fn takes_value(&self, option: u8) -> bool {
        self.values.as_bytes().contains(&option)
    }
}
