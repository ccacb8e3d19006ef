//! Commands whose output is for one machine alone: secrets, and facts about the machine.
//!
//! A command is looked for where a shell would find one: at the beginning, behind `env`, `sudo` and
//! the like, and in scripts after `-c`. A false positive only costs others a run, so doubtful cases
//! count as matches.

use super::Home;
use cachex_base::process::wrapper::{self, Environment};
use glob::Pattern;

/// A command, and patterns that match some of its arguments in this order.
type Rule = (&'static str, &'static [&'static str]);

/// Commands that print credentials.
const CREDENTIALS: &[Rule] = &[
    ("1password", &[]),
    ("age", &["-d*"]),
    ("age", &["--decrypt"]),
    ("ansible-vault", &[]),
    ("authy", &[]),
    ("aws", &["*get-*token*"]),
    ("aws", &["*auth-token*"]),
    ("aws", &["get-login*"]),
    ("aws", &["assume-role*"]),
    ("aws", &["get-*credentials*"]),
    ("aws", &["export-credentials"]),
    ("aws", &["get-secret-value"]),
    ("aws", &["*-get-secret-value"]),
    ("aws", &["get-password-data"]),
    ("aws", &["get-random-password"]),
    ("aws", &["create-access-key"]),
    ("aws", &["presign"]),
    ("aws", &["--with-decryption"]),
    ("aws", &["kms", "decrypt"]),
    ("aws", &["configure", "get"]),
    ("aws-vault", &[]),
    ("az", &["get-access-token"]),
    ("az", &["keyvault", "secret"]),
    ("az", &["--expose-token"]),
    ("az", &["keys"]),
    ("az", &["*credential*"]),
    ("az", &["*show-connection-string*"]),
    ("az", &["generate-sas"]),
    ("az", &["create-for-rbac"]),
    ("berglas", &[]),
    ("bw", &[]),
    ("bws", &[]),
    ("chamber", &[]),
    ("conjur", &[]),
    ("credstash", &[]),
    ("docker-credential-*", &[]),
    ("doctl", &["auth"]),
    ("doppler", &[]),
    ("envchain", &[]),
    ("fly", &["auth"]),
    ("flyctl", &["auth"]),
    ("gcloud", &["auth"]),
    ("gcloud", &["config-helper"]),
    ("gcloud", &["secrets", "versions", "access"]),
    ("gcloud", &["kms", "decrypt"]),
    ("gcloud", &["get-iam-token"]),
    ("gh", &["auth"]),
    ("git", &["credential*"]),
    ("glab", &["auth"]),
    ("gopass", &[]),
    ("gpg", &[]),
    ("gpg2", &[]),
    ("heroku", &["auth:*"]),
    ("heroku", &["config*"]),
    ("htpasswd", &[]),
    ("ibmcloud", &["oauth-tokens"]),
    ("infisical", &[]),
    ("keepassxc-cli", &[]),
    ("keyring", &[]),
    ("kinit", &[]),
    ("klist", &[]),
    ("kpcli", &[]),
    ("kubectl", &["secret*"]),
    ("kubectl", &["get", "*secret*"]),
    ("kubectl", &["--raw*"]),
    ("kubectl", &["create", "token"]),
    ("lpass", &[]),
    ("mkpasswd", &[]),
    ("npm", &["token"]),
    ("oathtool", &[]),
    ("oc", &["-t"]),
    ("oc", &["--show-token*"]),
    ("oc", &["*secret*"]),
    ("oc", &["create", "token"]),
    ("op", &[]),
    ("openssl", &["rand"]),
    ("openssl", &["gen*"]),
    ("openssl", &["enc"]),
    ("openssl", &["pkey"]),
    ("openssl", &["rsa"]),
    ("pass", &[]),
    ("passage", &[]),
    ("printenv", &[]),
    ("psono*", &[]),
    ("pwgen", &[]),
    ("rbw", &[]),
    ("saml2aws", &[]),
    ("secret-tool", &[]),
    ("security", &["find-*"]),
    ("security", &["export"]),
    ("sops", &[]),
    ("ssh-add", &[]),
    ("ssh-keygen", &[]),
    ("step", &["*token*"]),
    ("summon", &[]),
    ("systemd-creds", &[]),
    ("teller", &[]),
    ("terraform", &["output", "-raw"]),
    ("terraform", &["output", "-json"]),
    ("terraform", &["state", "pull"]),
    ("tofu", &["output", "-raw"]),
    ("tofu", &["output", "-json"]),
    ("tofu", &["state", "pull"]),
    ("vault", &[]),
    ("vercel", &["env"]),
    ("ykman", &[]),
    ("yubico-piv-tool", &[]),
];

/// Commands that print the properties or the state of a machine.
const MACHINE: &[&str] = &[
    "arch",
    "df",
    "dmesg",
    "dmidecode",
    "findmnt",
    "free",
    "getconf",
    "groups",
    "hostid",
    "hostname",
    "hostnamectl",
    "id",
    "ifconfig",
    "ip",
    "journalctl",
    "last",
    "lsblk",
    "lscpu",
    "lsmod",
    "lsof",
    "lspci",
    "lsusb",
    "mount",
    "netstat",
    "nproc",
    "numactl",
    "pgrep",
    "ps",
    "ss",
    "sysctl",
    "systemctl",
    "top",
    "uname",
    "uptime",
    "vmstat",
    "w",
    "who",
    "whoami",
];

/// Shells, whose argument after `-c` is a script.
const SHELLS: &[&str] =
    &["ash", "bash", "busybox", "dash", "fish", "ksh", "mksh", "oksh", "sh", "yash", "zsh"];

/// Commands and shell keywords that are followed by another command, besides those whose options
/// [`wrapper`] knows.
const LEADERS: &[&str] = &[
    "!", "builtin", "busybox", "chroot", "command", "direnv", "do", "doas", "docker", "elif",
    "else", "eval", "exec", "flock", "if", "kubectl", "mise", "nix", "nsenter", "parallel",
    "podman", "setpriv", "ssh", "su", "sudo", "then", "unbuffer", "unshare", "until", "while",
    "xargs",
];

/// The deepest nesting of commands that is examined.
const DEPTH: usize = 4;

/// Returns why the output of a command stays on its machine, if it does.
pub fn home(words: &[&[u8]]) -> Option<Home> {
    within(words, DEPTH, Words::Given)
}

/// The way in which the words of a command are known.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Words {
    /// They are the arguments of a process.
    Given,
    /// They are what can be told of them from a script, or the beginning may be missing.
    Guessed,
}

/// Returns whether the command that runs is given by words after the first.
pub fn is_indirect(words: &[&[u8]]) -> bool {
    words.first().is_some_and(|word| {
        let name = name(word);
        SHELLS.contains(&name) || is_leader(name)
    })
}

fn is_leader(name: &str) -> bool {
    LEADERS.contains(&name) || wrapper::is_wrapper(name.as_bytes())
}

fn within(words: &[&[u8]], depth: usize, known: Words) -> Option<Home> {
    let is_assignment = |word: &&&[u8]| word.contains(&b'=') && !word.starts_with(b"-");
    let words = &words[words.iter().take_while(is_assignment).count()..];
    let (command, arguments) = words.split_first()?;
    let name = name(command);
    if MACHINE.contains(&name) {
        return Some(Home::Machine);
    }
    let prints = |(of, pattern): &Rule| like(of, name) && are_among(pattern, arguments);
    if CREDENTIALS.iter().any(prints) || lists_variables(words) {
        return Some(Home::Credentials);
    }
    let depth = depth.checked_sub(1)?;
    if SHELLS.contains(&name)
        && let Some(at) = arguments.iter().position(|word| is_script_next(word))
        && let Some(script) = arguments.get(at + 1)
        && let Some(home) = in_script(script, depth)
    {
        return Some(home);
    }
    if let Some(wrapped) = wrapper::behind(words, Environment::new(&|_| None)) {
        let behind: Vec<&[u8]> = wrapped.words.iter().map(Vec::as_slice).collect();
        let home = within(&behind, depth, known);
        if home.is_some() || known == Words::Given {
            return home;
        }
    }
    if !is_leader(name) {
        return None;
    }
    // Options with values of their own make it unclear which word is the command, so try all.
    (0..arguments.len()).find_map(|at| within(&arguments[at..], depth, Words::Guessed))
}

/// Returns whether a command, or a builtin of a shell, prints the whole environment, where secrets
/// are handed around.
fn lists_variables(words: &[&[u8]]) -> bool {
    let is_option = |word: &&[u8]| word.starts_with(b"-");
    let words: Vec<&[u8]> = words.iter().copied().filter(|word| !word.contains(&b'>')).collect();
    let Some((command, mut arguments)) = words.split_first().map(|(it, rest)| (it, rest.iter()))
    else {
        return false;
    };
    match name(command) {
        "env" => wrapper::behind(&words, Environment::new(&|_| None)).is_none(),
        "set" => arguments.next().is_none(),
        "declare" | "export" | "readonly" | "typeset" => arguments.all(is_option),
        _ => false,
    }
}

fn is_script_next(word: &[u8]) -> bool {
    word.starts_with(b"-") && !word.starts_with(b"--") && word.contains(&b'c')
}

fn in_script(script: &[u8], depth: usize) -> Option<Home> {
    let commands = script.split(|byte| b";&|(){}`\n".contains(byte));
    commands.into_iter().find_map(|command| {
        let words = command.split(|byte| byte.is_ascii_whitespace() || b"'\"$".contains(byte));
        let words: Vec<&[u8]> = words.filter(|word| !word.is_empty()).collect();
        within(&words, depth, Words::Guessed)
    })
}

/// Returns the last component of a path, or nothing if it is not UTF-8.
fn name(command: &[u8]) -> &str {
    let base = command.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
    std::str::from_utf8(base).unwrap_or_default()
}

fn are_among(patterns: &[&str], words: &[&[u8]]) -> bool {
    let mut words = words.iter().filter_map(|word| std::str::from_utf8(word).ok());
    patterns.iter().all(|pattern| words.any(|word| like(pattern, word)))
}

fn like(pattern: &str, word: &str) -> bool {
    if !pattern.contains('*') {
        return pattern == word;
    }
    Pattern::new(pattern).is_ok_and(|pattern| pattern.matches(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(line: &str) -> Option<Home> {
        let words = shlex::split(line).unwrap();
        home(&words.iter().map(String::as_bytes).collect::<Vec<_>>())
    }

    #[test]
    fn commands_that_print_credentials_are_known_wherever_they_stand() {
        for line in [
            "gcloud auth print-access-token",
            "gcloud auth --account a print-identity-token",
            "aws --profile x ecr get-login-password",
            "aws eks get-token --cluster-name a",
            "aws ssm get-parameter --name a --with-decryption",
            "az account get-access-token",
            "/usr/bin/vault kv get secret/a",
            "op read op://a/b",
            "pass show mail",
            "kubectl get secret a -o yaml",
            "kubectl config view --raw",
            "gh auth token",
            "env A=b vault read x",
            "sudo -u bob pass show mail",
            "A=b timeout 5 op whoami",
            "sh -c 'cd /; TOKEN=$(gcloud auth print-access-token) && curl x'",
            "bash -euc 'if true; then vault read x; fi'",
            "sudo sh -c \"op read x | head\"",
            "docker run -it image sh -c 'pass x'",
            "env",
            "env -u HOME A=b",
            "env -S '-u HOME'",
            "env -S 'A=b vault read x' y",
            "chrt -b 0 taskset -c 1-3 ionice -c3 vault read x",
            "timeout --signal=KILL 5 nice -n 5 stdbuf -oL op read x",
            "sh -c 'env $OPTIONS vault read x'",
            "env TOKEN=x sudo -u bob pass show mail",
            "printenv PATH",
            "sh -c 'env | sort >x'",
            "bash -c set",
            "bash -c 'declare -x; make'",
            "ibmcloud iam oauth-tokens",
        ] {
            assert_eq!(told(line), Some(Home::Credentials), "{line}");
        }
    }

    #[test]
    fn what_is_about_the_machine_is_known_too() {
        for line in ["uname -r", "nproc", "sh -c 'echo $(hostname)'", "env -i uname -m"] {
            assert_eq!(told(line), Some(Home::Machine), "{line}");
        }
    }

    #[test]
    fn what_only_looks_like_it_is_shared() {
        for line in [
            "make test",
            "grep pass file",
            "gcloud compute instances list",
            "aws s3 ls",
            "kubectl get pods",
            "gh pr list",
            "git log --oneline",
            "sh -c 'make vault'",
            "terraform plan",
            "env -u HOME make",
            "timeout 5 make id",
            "nice -n 5 env A=b make vault",
            "bash -c 'set -e; export A=b; make'",
            "echo id",
            "",
        ] {
            assert_eq!(told(line), None, "{line}");
        }
    }
}
