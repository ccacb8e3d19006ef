//! Variables that describe the session and not the work.
//!
//! The criterion is whether a reasonable command's output depends on the variable. If so, it is
//! part of the key: `TERM`, `COLUMNS`, `LANG` and commit ids are, and so are the numbers of builds
//! and runs, which people print into versions. The variables listed here name a window, a
//! connection, a socket or one run of a CI job. A miss too many is a nuisance, a hit too many is
//! wrong.

use crate::bytes::{eq, starts_with};
use alloc::borrow::Cow;
use alloc::vec::Vec;

/// Variables that are left out of the key, sorted by their bytes.
pub const NAMES: &[&str] = &[
    "ACTIONS_CACHE_URL",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    "ACTIONS_ID_TOKEN_REQUEST_URL",
    "ACTIONS_ORCHESTRATION_ID",
    "ACTIONS_RESULTS_URL",
    "ACTIONS_RUNTIME_TOKEN",
    "ACTIONS_RUNTIME_URL",
    "ALACRITTY_LOG",
    "ALACRITTY_SOCKET",
    "ALACRITTY_WINDOW_ID",
    "ATUIN_HISTORY_ID",
    "ATUIN_SESSION",
    "BAMF_DESKTOP_FILE_HINT",
    "BITBUCKET_PIPELINE_UUID",
    "BITBUCKET_STEP_OIDC_TOKEN",
    "BITBUCKET_STEP_TRIGGERER_UUID",
    "BITBUCKET_STEP_UUID",
    "BUILDKITE_AGENT_ACCESS_TOKEN",
    "BUILDKITE_BUILD_ID",
    "BUILDKITE_BUILD_URL",
    "BUILDKITE_JOB_ID",
    "BUILD_URL",
    "CIRCLE_BUILD_URL",
    "CIRCLE_OIDC_TOKEN",
    "CIRCLE_OIDC_TOKEN_V2",
    "CIRCLE_PIPELINE_ID",
    "CIRCLE_WORKFLOW_ID",
    "CIRCLE_WORKFLOW_JOB_ID",
    "CIRCLE_WORKFLOW_WORKSPACE_ID",
    "CI_BUILD_CREATED",
    "CI_BUILD_FINISHED",
    "CI_BUILD_ID",
    "CI_BUILD_STARTED",
    "CI_BUILD_TOKEN",
    "CI_JOB_FINISHED",
    "CI_JOB_ID",
    "CI_JOB_JWT",
    "CI_JOB_JWT_V1",
    "CI_JOB_JWT_V2",
    "CI_JOB_STARTED",
    "CI_JOB_STARTED_AT",
    "CI_JOB_TOKEN",
    "CI_JOB_URL",
    "CI_PIPELINE_CREATED_AT",
    "CI_PIPELINE_FINISHED",
    "CI_PIPELINE_FORGE_URL",
    "CI_PIPELINE_STARTED",
    "CI_PIPELINE_URL",
    "CI_REGISTRY_PASSWORD",
    "CI_REPOSITORY_URL",
    "CI_RUNNER_ID",
    "CI_RUNNER_SHORT_TOKEN",
    "CI_STEP_FINISHED",
    "CI_STEP_STARTED",
    "CI_STEP_URL",
    "CI_STEP_UUID",
    "DBUS_SESSION_BUS_ADDRESS",
    "DBUS_STARTER_ADDRESS",
    "DBUS_STARTER_BUS_TYPE",
    "DESKTOP_STARTUP_ID",
    "DRONE_BUILD_CREATED",
    "DRONE_BUILD_FINISHED",
    "DRONE_BUILD_LINK",
    "DRONE_BUILD_STARTED",
    "DRONE_CARD_PATH",
    "DRONE_JOB_FINISHED",
    "DRONE_JOB_NUMBER",
    "DRONE_JOB_STARTED",
    "DRONE_STAGE_FINISHED",
    "DRONE_STAGE_STARTED",
    "FNM_MULTISHELL_PATH",
    "GIO_LAUNCHED_DESKTOP_FILE",
    "GIO_LAUNCHED_DESKTOP_FILE_PID",
    "GITHUB_ACTION",
    "GITHUB_ENV",
    "GITHUB_OUTPUT",
    "GITHUB_PATH",
    "GITHUB_RUN_ID",
    "GITHUB_STATE",
    "GITHUB_STEP_SUMMARY",
    "GNOME_TERMINAL_SCREEN",
    "GNOME_TERMINAL_SERVICE",
    "GPG_AGENT_INFO",
    "GPG_TTY",
    "HUDSON_COOKIE",
    "HUDSON_SERVER_COOKIE",
    "HYPERFINE_ITERATION",
    "HYPERFINE_RANDOMIZED_ENVIRONMENT_OFFSET",
    "INVOCATION_ID",
    "ITERM_SESSION_ID",
    "JENKINS_NODE_COOKIE",
    "JENKINS_SERVER_COOKIE",
    "JOURNAL_STREAM",
    "KITTY_LISTEN_ON",
    "KITTY_PID",
    "KITTY_WINDOW_ID",
    "KONSOLE_DBUS_ACTIVATION_COOKIE",
    "KONSOLE_DBUS_SERVICE",
    "KONSOLE_DBUS_SESSION",
    "KONSOLE_DBUS_WINDOW",
    "LISTEN_FDNAMES",
    "LISTEN_FDS",
    "LISTEN_PID",
    "MAINPID",
    "MAKELEVEL",
    "MANAGERPID",
    "MANAGERPIDFDID",
    "MCFLY_HISTORY",
    "MCFLY_SESSION_ID",
    "MEMORY_PRESSURE_WATCH",
    "MEMORY_PRESSURE_WRITE",
    "NOTIFY_SOCKET",
    "NVIM",
    "OLDPWD",
    "P9K_SSH",
    "P9K_TTY",
    "PARALLEL_JOBSLOT",
    "PARALLEL_JOBSLOT0",
    "PARALLEL_PID",
    "PARALLEL_SEQ",
    "PARALLEL_TMP",
    "PYTEST_CURRENT_TEST",
    "PYTEST_XDIST_TESTRUNUID",
    "RUNNER_TRACKING_ID",
    "SECURITYSESSIONID",
    "SESSION_MANAGER",
    "SHELL_SESSION_ID",
    "SHLVL",
    "SSH_AGENT_PID",
    "SSH_AUTH_SOCK",
    "SSH_CLIENT",
    "SSH_CONNECTION",
    "SSH_TTY",
    "STARSHIP_SESSION_KEY",
    "STY",
    "SYSTEMD_EXEC_PID",
    "SYSTEM_ACCESSTOKEN",
    "SYSTEM_JOBID",
    "SYSTEM_PIPELINESTARTTIME",
    "SYSTEM_PLANID",
    "SYSTEM_TASKINSTANCEID",
    "SYSTEM_TIMELINEID",
    "TERMINATOR_DBUS_NAME",
    "TERMINATOR_DBUS_PATH",
    "TERMINATOR_UUID",
    "TERM_SESSION_ID",
    "TILIX_ID",
    "TMUX",
    "TMUX_PANE",
    "TRAVIS_BUILD_ID",
    "TRAVIS_BUILD_WEB_URL",
    "TRAVIS_JOB_ID",
    "TRAVIS_JOB_WEB_URL",
    "VSCODE_GIT_IPC_HANDLE",
    "VSCODE_IPC_HOOK",
    "VSCODE_IPC_HOOK_CLI",
    "VSCODE_PID",
    "VSTS_PROCESS_LOOKUP_ID",
    "WATCHDOG_PID",
    "WATCHDOG_USEC",
    "WEZTERM_PANE",
    "WEZTERM_UNIX_SOCKET",
    "WINDOW",
    "WINDOWID",
    "WSL_INTEROP",
    "WT_SESSION",
    "XAUTHORITY",
    "XDG_ACTIVATION_TOKEN",
    "XDG_SEAT",
    "XDG_SEAT_PATH",
    "XDG_SESSION_ID",
    "XDG_SESSION_PATH",
    "XDG_VTNR",
    "ZELLIJ",
    "ZELLIJ_PANE_ID",
    "ZELLIJ_SESSION_NAME",
    "_",
    "_P9K_SSH_TTY",
    "_P9K_TTY",
];

/// Variables that name the host or the user, or a place specific to one: left out if results are
/// portable. Sorted by their bytes.
pub const HOST: &[&str] = &[
    "BUILDKITE_AGENT_ID",
    "BUILDKITE_AGENT_NAME",
    "CI_RUNNER_DESCRIPTION",
    "CI_RUNNER_REVISION",
    "CI_RUNNER_TAGS",
    "CI_RUNNER_VERSION",
    "CI_SERVER_HOST",
    "CI_SERVER_URL",
    "EXECUTOR_NUMBER",
    "HISTFILE",
    "HOST",
    "HOSTNAME",
    "LOGNAME",
    "MAIL",
    "NODE_NAME",
    "RUNNER_NAME",
    "RUNNER_TEMP",
    "RUNNER_WORKSPACE",
    "SHELL",
    "SUDO_COMMAND",
    "SUDO_GID",
    "SUDO_UID",
    "SUDO_USER",
    "TEMP",
    "TMP",
    "TMPDIR",
    "USER",
    "USERNAME",
    "XDG_CACHE_HOME",
    "XDG_RUNTIME_DIR",
];

/// Returns whether a variable names the host or the user.
pub fn is_of_the_host(name: &[u8]) -> bool {
    HOST.iter().any(|host| eq(host.as_bytes(), name))
}

/// The prefix of cachex's own variables. How it caches is not part of the key.
pub const OWN: &[u8] = b"CACHEX_";
/// The prefixes of whole families that are left out: cachex's own, and direnv's bookkeeping.
pub const FAMILIES: [&[u8]; 2] = [OWN, b"DIRENV_"];

/// Returns whether a variable describes the session.
pub fn is_noise(name: &[u8]) -> bool {
    let Some(&first) = name.first() else { return false };
    let first = usize::from(first);
    let [begin, end] = [STARTS[first], STARTS[first + 1]].map(usize::from);
    let alike = NAMES.get(begin..end).unwrap_or_default();
    // Lengths distinguish nearly all of them.
    alike.iter().any(|noise| eq(noise.as_bytes(), name))
        || FAMILIES.iter().any(|family| starts_with(name, family))
}

/// The index of the first name that begins with each byte.
const STARTS: [u8; 257] = {
    let mut starts = [0; 257];
    let mut byte = 0;
    let mut at = 0;
    while byte < 256 {
        starts[byte] = at as u8;
        while at < NAMES.len() && NAMES[at].as_bytes()[0] as usize == byte {
            at += 1;
        }
        byte += 1;
    }
    assert!(at == NAMES.len() && at < 256);
    starts[256] = at as u8;
    starts
};

/// The reason why a variable is not part of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeftOut {
    /// The variable describes the session, see [`is_noise`].
    Session,
    /// The variable names the working directory.
    Directory,
    /// An option excludes it, or does not include it.
    Option,
    /// The variable only distributes jobs, see [`significant`].
    Jobs,
    /// The variable names the host or the user, and results are portable.
    Host,
}

/// Returns why a variable is not part of a key if no option names it. `cwd` is the working
/// directory, if that is part of the key.
#[inline]
pub fn left_out(name: &[u8], value: &[u8], portable: bool, cwd: Option<&[u8]>) -> Option<LeftOut> {
    if is_noise(name) {
        return Some(LeftOut::Session);
    }
    if portable && is_of_the_host(name) {
        return Some(LeftOut::Host);
    }
    // If it names the working directory by another path, a command may show that path.
    let is_pwd = eq(name, b"PWD") && cwd.is_none_or(|cwd| eq(cwd, value));
    is_pwd.then_some(LeftOut::Directory)
}

/// The part of a value that is part of the key.
#[derive(Clone)]
pub enum Significant<'a> {
    /// All of it.
    Whole(&'a [u8]),
    /// These words of it, joined by single spaces. If they are empty, the variable counts as unset.
    Words(Words<'a>),
}

/// Returns the part of a variable's value that is part of the key.
#[inline]
pub fn significant_part<'a>(name: &[u8], value: &'a [u8]) -> Significant<'a> {
    if has_flags_of_make(name) {
        return Significant::Words(Words::of(value));
    }
    // Whether the output is shown at a terminal is part of the key, but not which terminal.
    if eq(name, b"MAKE_TERMERR") || eq(name, b"MAKE_TERMOUT") {
        return Significant::Whole(b"");
    }
    Significant::Whole(value)
}

/// Returns the part of a value in one piece, or `None` if the variable counts as unset.
pub fn significant<'a>(name: &[u8], value: &'a [u8]) -> Option<Cow<'a, [u8]>> {
    match significant_part(name, value) {
        Significant::Whole(value) => Some(Cow::Borrowed(value)),
        Significant::Words(words) => {
            let rest = words.collect::<Vec<_>>().join(&b' ');
            (!rest.is_empty()).then_some(Cow::Owned(rest))
        }
    }
}

fn has_flags_of_make(name: &[u8]) -> bool {
    const NAMES: [&[u8]; 4] = [b"CARGO_MAKEFLAGS", b"GNUMAKEFLAGS", b"MAKEFLAGS", b"MFLAGS"];
    NAMES.iter().any(|it| eq(it, name))
}

/// The options of make without those that distribute jobs, or set the order in which their output
/// is shown. They are words between unescaped spaces. The variables after `--` stay as they are.
#[derive(Clone)]
pub struct Words<'a> {
    rest: &'a [u8],
    is_first: bool,
    has_ended: bool,
}

impl<'a> Words<'a> {
    fn of(flags: &'a [u8]) -> Words<'a> {
        Words { rest: flags, is_first: true, has_ended: false }
    }
}

impl<'a> Iterator for Words<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.has_ended {
            // The part after `--`, in one piece.
            self.has_ended = false;
            return Some(core::mem::take(&mut self.rest));
        }
        while !self.rest.is_empty() {
            let (word, tail) = split_word(self.rest);
            self.rest = tail;
            if eq(word, b"--") {
                // Without any options or variables, the `--` is dropped, too.
                if self.is_first && tail.is_empty() {
                    return None;
                }
                self.has_ended = true;
                return Some(word);
            }
            let of_jobs = [&b"--jobserver"[..], b"--jobs", b"--output-sync", b"-O"];
            let of_jobs = of_jobs.iter().any(|option| starts_with(word, option)) || is_j(word);
            if !word.is_empty() && !of_jobs {
                self.is_first = false;
                return Some(word);
            }
        }
        None
    }
}

fn is_j(word: &[u8]) -> bool {
    let [b'-', b'j', count @ ..] = word else { return false };
    count.iter().all(u8::is_ascii_digit)
}

fn split_word(text: &[u8]) -> (&[u8], &[u8]) {
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        match byte {
            b' ' => {
                let (word, rest) = text.split_at_checked(at).unwrap_or((text, &[]));
                return (word, rest.get(1..).unwrap_or_default());
            }
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    (text, &[])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_and_found() {
        assert!(NAMES.is_sorted());
        assert!(NAMES.iter().all(|name| is_noise(name.as_bytes())));
        assert!(HOST.is_sorted() && HOST.iter().all(|name| is_of_the_host(name.as_bytes())));
        assert!(!HOST.iter().any(|name| is_noise(name.as_bytes())));
        assert!(!is_of_the_host(b"HOME") && !is_of_the_host(b"PATH"));
        assert!(is_noise(b"CACHEX_ANYTHING") && is_noise(b"DIRENV_ANYTHING"));
        for counts in ["", "=", "DIRENV", "TERM", "SSH", "TMUXX", "\u{ff}", "A", "PATH", "CI"] {
            assert!(!is_noise(counts.as_bytes()), "{counts}");
        }
    }

    #[test]
    fn make_flags_count_without_their_jobs() {
        let count = |flags: &str| significant(b"MAKEFLAGS", flags.as_bytes()).map(Cow::into_owned);
        let kept = |text: &str| Some(text.as_bytes().to_vec());
        assert_eq!(count(" -j4 --jobserver-auth=3,4"), None);
        assert_eq!(count(" -j4 -Otarget --jobserver-auth=3,4"), None);
        assert_eq!(count("k --output-sync=line -j"), kept("k"));
        assert_eq!(count(" --jobserver-auth=fifo:/tmp/GMfifo12 -j"), None);
        assert_eq!(count("w -j4 --jobserver-fds=3,4"), kept("w"));
        assert_eq!(count("kw"), kept("kw"));
        assert_eq!(count(" -j2 -- CFLAGS=-j\\ -O2"), kept("-- CFLAGS=-j\\ -O2"));
        assert_eq!(count("-j8 --"), None);
        assert_eq!(count(""), None);
        assert_eq!(count("a\\"), kept("a\\"));
        let cargo = significant(b"CARGO_MAKEFLAGS", b"-j --jobserver-fds=8,9 --jobserver-auth=8,9");
        assert_eq!(cargo, None);
    }
}
