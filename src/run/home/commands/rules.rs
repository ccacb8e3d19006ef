//! The commands themselves.
//!
//! These are the ones that are known: somebody else's tool that prints secrets needs `--local`.

pub(super) use super::credentials::CREDENTIALS;

/// A command, and what has to be among its arguments: any one of these, each of which is patterns
/// of words in their order. Without any, the name is enough.
pub(super) type Rule = (&'static str, &'static [&'static str]);

/// Returns what has to be among the arguments of a command.
pub(super) fn find(rules: &[Rule], name: &str) -> Option<&'static [&'static str]> {
    rules.binary_search_by_key(&name, |rule| rule.0).ok().map(|at| rules[at].1)
}

/// Returns the name by which a command is known here: without a version behind it, and one for all
/// of a family.
pub(super) fn usual_name(name: &str) -> &str {
    let is_version = |letter: char| letter.is_ascii_digit() || letter == '.';
    let usual = name.trim_end_matches(is_version).trim_end_matches('-');
    let family = FAMILIES.iter().find(|family| name.starts_with(**family));
    family.copied().unwrap_or(if find(CREDENTIALS, usual).is_some() { usual } else { name })
}

/// Returns whether the output of a command of this name stays at home, if only sometimes.
pub(super) fn is_known(name: &str) -> bool {
    LISTS.contains(&name)
        || find(CREDENTIALS, usual_name(name)).is_some()
        || find(MACHINE, name).is_some()
}

/// Returns whether a pattern may stand for the name of a command that prints credentials: by its
/// beginning and end, or by a name in braces.
pub(super) fn may_be_known(pattern: &str) -> bool {
    if !pattern.contains(['*', '?', '[', '{']) {
        return false;
    }
    let mut parts = pattern.split(|letter| "*?[]{},".contains(letter));
    let (first, last) = (parts.clone().next(), parts.clone().next_back());
    let (first, last) = (first.unwrap_or_default(), last.unwrap_or_default());
    let mut names = CREDENTIALS.iter().map(|rule| rule.0).chain(LISTS);
    parts.any(is_known)
        || !(first.is_empty() && last.is_empty())
            && names.any(|name| name.starts_with(first) && name.ends_with(last))
}

/// Returns whether a variable of this name holds no secret.
pub(super) fn is_public_variable(name: &[u8]) -> bool {
    PUBLIC_VARIABLES.iter().any(|public| public.as_bytes() == name) || name.starts_with(b"LC_")
}

/// Returns how many words can stand in front of those that a command's patterns begin with.
pub(super) fn depth(name: &str) -> usize {
    match name {
        "az" => 2,
        "aws" | "gcloud" | "ibmcloud" | "step" => 1,
        _ => 0,
    }
}

/// Returns whether a command takes its arguments in capitals, too.
pub(super) fn ignores_case(name: &str) -> bool {
    matches!(name, "kubectl" | "oc" | "redis-cli")
}

/// Returns whether a command runs a filter in the language of `jq`.
pub(super) fn runs_filters(name: &str) -> bool {
    matches!(name, "gojq" | "jaq" | "jq" | "yq")
}

/// Returns whether a builtin runs the file that it is given, rather than a command.
pub(super) fn is_sourcing(name: &str) -> bool {
    matches!(name, "." | "source")
}

/// Returns whether the patterns of a command are about code or about options rather than about
/// what it is to do.
pub(super) fn is_about_code(name: &str) -> bool {
    INTERPRETERS.contains(&name) || ABOUT_CODE.contains(&name)
}

/// Returns whether words anywhere in a script may be arguments of a command: those that others use,
/// too, such as `-p`, say nothing of it.
pub(super) fn is_put_together(name: &str) -> bool {
    !ABOUT_CODE.contains(&name)
}

/// Commands that print variables.
const LISTS: [&str; 7] = ["declare", "env", "export", "printenv", "readonly", "set", "typeset"];

/// The beginnings of names that mean the same.
const FAMILIES: [&str; 2] = ["docker-credential", "psono"];

/// Variables that hold no secrets.
const PUBLIC_VARIABLES: [&str; 16] = [
    "CC", "CI", "CXX", "EDITOR", "HOME", "LANG", "LANGUAGE", "LOGNAME", "OLDPWD", "PATH", "PWD",
    "SHELL", "TERM", "TMPDIR", "TZ", "USER",
];

/// Commands that read code from their standard input.
pub(super) const INTERPRETERS: [&str; 9] =
    ["bun", "deno", "julia", "lua", "node", "perl", "php", "python", "ruby"];

/// Others whose patterns are about code or options.
const ABOUT_CODE: [&str; 16] = [
    "awk",
    "cmake",
    "compgen",
    "gawk",
    "gmake",
    "gojq",
    "jaq",
    "jq",
    "make",
    "mawk",
    "nawk",
    "nu",
    "powershell",
    "pwsh",
    "xonsh",
    "yq",
];

/// Commands that run all of their arguments as one script.
pub(super) const JOINS: [&str; 6] = ["emulate", "entr", "eval", "parallel", "ssh", "watch"];

/// Commands that print the properties or the state of a machine, sorted.
pub(super) const MACHINE: &[Rule] = &[
    ("arch", &[]),
    ("df", &[]),
    ("dmesg", &[]),
    ("dmidecode", &[]),
    ("findmnt", &[]),
    ("free", &[]),
    ("getconf", &[]),
    ("groups", &[]),
    ("hostid", &[]),
    ("hostname", &[]),
    ("hostnamectl", &[]),
    ("id", &[]),
    ("ifconfig", &[]),
    ("iostat", &[]),
    ("ip", &[]),
    ("journalctl", &[]),
    ("last", &[]),
    ("logname", &[]),
    ("lsblk", &[]),
    ("lscpu", &[]),
    ("lshw", &[]),
    ("lsmod", &[]),
    ("lsof", &[]),
    ("lspci", &[]),
    ("lsusb", &[]),
    ("mount", &[]),
    ("neofetch", &[]),
    ("netstat", &[]),
    ("nproc", &[]),
    ("numactl", &["-H", "--hardware", "-s", "--show"]),
    ("nvidia-smi", &[]),
    ("pgrep", &[]),
    ("pidof", &[]),
    ("ps", &[]),
    ("route", &[]),
    ("ss", &[]),
    ("sysctl", &[]),
    ("systemctl", &[]),
    ("timedatectl", &[]),
    ("top", &[]),
    ("uname", &[]),
    ("uptime", &[]),
    ("vmstat", &[]),
    ("w", &[]),
    ("who", &[]),
    ("whoami", &[]),
];

/// Commands that run another one, or a script among their arguments, besides those whose options
/// `cachex_base::system::wrapper` knows; sorted.
pub(super) const LEADERS: &[Rule] = &[
    (".", &[]),
    ("abbr", &[]),
    ("alias", &[]),
    ("apptainer", &["exec"]),
    ("asdf", &["exec"]),
    ("at", &[]),
    ("aws-okta", &["exec"]),
    ("batch", &[]),
    ("builtin", &[]),
    ("bun", &["run", "x"]),
    ("bundle", &["exec"]),
    ("bunx", &[]),
    ("bwrap", &[]),
    ("cachex", &[]),
    ("caffeinate", &[]),
    ("capsh", &[]),
    ("cargo", &["run"]),
    ("chpst", &[]),
    ("chroot", &[]),
    ("command", &[]),
    ("concurrently", &[]),
    ("conda", &["run"]),
    ("cross-env", &[]),
    ("daemonize", &[]),
    ("devbox", &["run"]),
    ("direnv", &[]),
    ("distrobox", &["enter"]),
    ("doas", &[]),
    ("docker", &[]),
    ("docker-compose", &[]),
    ("dotenv", &[]),
    ("dotenvx", &["run"]),
    ("emulate", &[]),
    ("entr", &[]),
    ("env-cmd", &[]),
    ("eval", &[]),
    ("exec", &[]),
    ("expect", &[]),
    ("faketime", &[]),
    ("firejail", &[]),
    ("fly", &["ssh console"]),
    ("flyctl", &["ssh console"]),
    ("fnm", &["exec"]),
    ("foreman", &["run"]),
    ("gdb", &[]),
    ("git", &["bisect run", "rebase *", "submodule foreach", "-c alias*"]),
    ("gmake", &["--eval*", "-E*"]),
    ("goenv", &["exec"]),
    ("gosu", &[]),
    ("guix", &[]),
    ("hatch", &["run"]),
    ("heroku", &["run*"]),
    ("honcho", &["run"]),
    ("hyperfine", &[]),
    ("incus", &["exec"]),
    ("k3s", &["kubectl"]),
    ("kubectl", &[]),
    ("ltrace", &[]),
    ("lxc", &["exec"]),
    ("machinectl", &["shell"]),
    ("make", &["--eval*", "-E*"]),
    ("mamba", &["run"]),
    ("microk8s", &["kubectl"]),
    ("micromamba", &["run"]),
    ("minikube", &["kubectl"]),
    ("mise", &[]),
    ("mpiexec", &[]),
    ("mpirun", &[]),
    ("nerdctl", &[]),
    ("nix", &[]),
    ("nix-shell", &[]),
    ("nodemon", &[]),
    ("nodenv", &["exec"]),
    ("npm", &["exec", "x", "run*"]),
    ("npx", &[]),
    ("nsenter", &[]),
    ("numactl", &[]),
    ("oc", &[]),
    ("parallel", &[]),
    ("pdm", &["run"]),
    ("perf", &["record", "stat", "trace"]),
    ("pipenv", &["run"]),
    ("pipx", &["run"]),
    ("pixi", &["run"]),
    ("pkexec", &[]),
    ("pnpm", &["dlx", "exec", "run"]),
    ("podman", &[]),
    ("poetry", &["run"]),
    ("proot", &[]),
    ("proxychains", &[]),
    ("proxychains4", &[]),
    ("pyenv", &["exec"]),
    ("railway", &["run"]),
    ("rbenv", &["exec"]),
    ("rlwrap", &[]),
    ("runuser", &[]),
    ("rustup", &["run"]),
    ("rye", &["run"]),
    ("screen", &[]),
    ("script", &[]),
    ("setpriv", &[]),
    ("sg", &[]),
    ("singularity", &["exec"]),
    ("source", &[]),
    ("srun", &[]),
    ("ssh", &[]),
    ("ssh-agent", &[]),
    ("start-stop-daemon", &[]),
    ("su", &[]),
    ("su-exec", &[]),
    ("sudo", &[]),
    ("systemd-run", &[]),
    ("tini", &[]),
    ("tmux", &[]),
    ("toolbox", &["run"]),
    ("torsocks", &[]),
    ("tox", &["exec"]),
    ("trap", &[]),
    ("ts", &[]),
    ("tsp", &[]),
    ("unshare", &[]),
    ("uv", &["run"]),
    ("uvx", &[]),
    ("vagrant", &["ssh"]),
    ("valgrind", &[]),
    ("volta", &["run"]),
    ("watch", &[]),
    ("watchexec", &[]),
    ("xargs", &[]),
    ("xvfb-run", &[]),
    ("yarn", &["dlx", "exec", "run"]),
];
