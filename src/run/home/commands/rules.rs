//! The commands themselves.
//!
//! These are the ones that are known: somebody else's tool that prints secrets needs `--local`.

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

/// Returns whether a word names a file that holds secrets.
pub(super) fn is_secret_file(word: &[u8]) -> bool {
    let is_in = |file: &&str| {
        word.strip_suffix(file.as_bytes()).is_some_and(|before| {
            before.last().is_none_or(|byte| !byte.is_ascii_alphanumeric() && !b"_-.".contains(byte))
        })
    };
    SECRET_FILES.iter().any(is_in) || word.ends_with(b"/environ") && word.starts_with(b"/proc/")
}

/// Returns whether a variable of this name holds no secret.
pub(super) fn is_public_variable(name: &[u8]) -> bool {
    PUBLIC_VARIABLES.iter().any(|public| public.as_bytes() == name) || name.starts_with(b"LC_")
}

/// Returns whether a command shows nothing of what is in files.
pub(super) fn is_harmless_to_files(name: &str) -> bool {
    ["[", "[[", "chmod", "chown", "ls", "mkdir", "rm", "stat", "test", "touch"].contains(&name)
}

/// Commands that print variables.
const LISTS: [&str; 7] = ["declare", "env", "export", "printenv", "readonly", "set", "typeset"];

/// The beginnings of names that mean the same.
const FAMILIES: [&str; 2] = ["docker-credential", "psono"];

/// Files that hold secrets, by the ends of their paths.
const SECRET_FILES: [&str; 26] = [
    ".aws/credentials",
    ".cargo/credentials",
    ".cargo/credentials.toml",
    ".config/gh/hosts.yml",
    ".config/glab-cli/config.yml",
    ".config/op/config",
    ".docker/config.json",
    ".gem/credentials",
    ".git-credentials",
    ".kube/config",
    ".my.cnf",
    ".netrc",
    ".npmrc",
    ".pgpass",
    ".pypirc",
    ".terraform.d/credentials.tfrc.json",
    ".vault-token",
    ".yarnrc.yml",
    "_netrc",
    "application_default_credentials.json",
    "etc/gshadow",
    "etc/shadow",
    "id_dsa",
    "id_ecdsa",
    "id_ed25519",
    "id_rsa",
];

/// Variables that hold no secrets.
const PUBLIC_VARIABLES: [&str; 16] = [
    "CC", "CI", "CXX", "EDITOR", "HOME", "LANG", "LANGUAGE", "LOGNAME", "OLDPWD", "PATH", "PWD",
    "SHELL", "TERM", "TMPDIR", "TZ", "USER",
];

/// Commands that read code from their standard input.
pub(super) const INTERPRETERS: [&str; 9] =
    ["bun", "deno", "julia", "lua", "node", "perl", "php", "python", "ruby"];

/// Commands that run all of their arguments as one script.
pub(super) const JOINS: [&str; 6] = ["emulate", "entr", "eval", "parallel", "ssh", "watch"];

/// Commands that print credentials, sorted.
pub(super) const CREDENTIALS: &[Rule] = &[
    ("1password", &[]),
    ("age", &["-d*", "--decrypt"]),
    ("age-keygen", &[]),
    ("ansible-vault", &[]),
    ("argocd", &["account generate-token", "admin initial-password"]),
    ("authy", &[]),
    ("awk", &["*ENVIRON*"]),
    (
        "aws",
        &[
            "*get-*token*",
            "*auth-token*",
            "get-login*",
            "assume-role*",
            "get-*credentials*",
            "export-credentials",
            "get-secret-value",
            "*-get-secret-value",
            "get-password-data",
            "get-random-password",
            "create-access-key",
            "presign",
            "--with-decryption",
            "kms decrypt",
            "configure get",
        ],
    ),
    ("aws-vault", &[]),
    (
        "az",
        &[
            "get-access-token",
            "keyvault secret",
            "--expose-token",
            "keys",
            "*list-keys*",
            "*credential*",
            "*publishing-profiles*",
            "*show-connection-string*",
            "generate-sas",
            "create-for-rbac",
        ],
    ),
    ("berglas", &[]),
    ("bun", &["*process*env*", "*Bun.env*"]),
    ("bw", &[]),
    ("bws", &[]),
    ("chamber", &[]),
    ("cmake", &["-E environment"]),
    ("compgen", &["-*e*", "-*v*"]),
    ("composer", &["config *auth*", "config *-basic*", "config *-token*"]),
    ("conjur", &[]),
    ("credstash", &[]),
    ("deno", &["*Deno.env*", "*process*env*"]),
    ("docker-credential", &[]),
    ("doctl", &["auth", "docker-config", "kubeconfig", "databases connection", "databases user"]),
    ("doppler", &[]),
    ("envchain", &[]),
    ("esc", &[]),
    ("firebase", &["login*"]),
    ("fly", &["auth", "tokens"]),
    ("flyctl", &["auth", "tokens"]),
    ("gawk", &["*ENVIRON*"]),
    (
        "gcloud",
        &[
            "auth",
            "config-helper",
            "secrets versions access",
            "kms decrypt",
            "get-iam-token",
            "*login-token*",
        ],
    ),
    ("gh", &["auth"]),
    ("git", &["credential*", "config *extraheader*", "config -l", "config --list", "config list"]),
    ("glab", &["auth", "config get *token*"]),
    ("gmake", &["-p*", "-np*", "-qp*", "-rp*", "--print-data-base"]),
    ("gojq", &["*env*", "*$ENV*"]),
    ("gopass", &[]),
    ("gpg", &[]),
    ("helm", &["get values", "get all", "get manifest", "get hooks"]),
    ("heroku", &["auth:*", "authorizations*", "config*", "pg:credentials*"]),
    ("htpasswd", &[]),
    ("ibmcloud", &["oauth-tokens"]),
    ("infisical", &[]),
    ("jf", &["config export", "c export"]),
    ("jq", &["*env*", "*$ENV*"]),
    ("julia", &["-*e *ENV*", "-*E *ENV*", "-*e*ENV*"]),
    ("keepassxc-cli", &[]),
    ("keyctl", &["print", "pipe", "read"]),
    ("keyring", &[]),
    ("kinit", &[]),
    ("klist", &[]),
    ("kpcli", &[]),
    ("kubectl", &["secret*", "get *sec*", "--raw*", "create token"]),
    ("lpass", &[]),
    ("lua", &["*getenv*"]),
    ("make", &["-p*", "-np*", "-qp*", "-rp*", "--print-data-base"]),
    ("mawk", &["*ENVIRON*"]),
    ("mkpasswd", &[]),
    ("mvn", &["help:effective-settings"]),
    ("nawk", &["*ENVIRON*"]),
    ("netlify", &["env*"]),
    ("node", &["*process*env*"]),
    (
        "npm",
        &["token", "config list", "config ls", "c list", "c ls", "*_auth*", "*_password*", "login"],
    ),
    ("nu", &["*$env*"]),
    ("oathtool", &[]),
    ("oc", &["-t", "--show-token*", "*secret*", "create token", "--raw*"]),
    ("op", &[]),
    (
        "openssl",
        &["rand", "gen*", "enc", "pkey", "rsa", "dsa", "ec", "pkcs8", "pkcs12", "cms", "smime"],
    ),
    ("pass", &[]),
    ("passage", &[]),
    ("perl", &["-*e *ENV*", "-*E *ENV*", "-*e*ENV*", "-*E*ENV*"]),
    ("php", &["*getenv*", "*_ENV*", "*_SERVER*", "*phpinfo*", "-i"]),
    ("pip", &["config"]),
    ("pnpm", &["config list", "*_auth*", "*_password*"]),
    ("poetry", &["config"]),
    ("powershell", &["*env:*", "*Env:*", "-e", "-ec", "-enc*", "-Enc*"]),
    ("psono", &[]),
    ("pulumi", &["config get", "--show-secrets*", "env get", "env open", "env run"]),
    ("pwgen", &[]),
    ("pwsh", &["*env:*", "*Env:*", "-e", "-ec", "-enc*", "-Enc*"]),
    ("python", &["-*c *environ*", "-*c*environ*", "-*c *getenv*", "-*c*getenv*"]),
    ("rage", &["-d*", "--decrypt"]),
    ("railway", &["variables"]),
    ("rbw", &[]),
    ("rclone", &["config", "reveal"]),
    ("ruby", &["-*e *ENV*", "-*e*ENV*"]),
    ("saml2aws", &[]),
    ("secret-tool", &[]),
    ("security", &["find-*", "export"]),
    ("sops", &[]),
    ("ssh-add", &[]),
    ("ssh-keygen", &[]),
    ("step", &["*token*"]),
    ("summon", &[]),
    ("supabase", &["secrets", "status"]),
    ("systemd-creds", &[]),
    ("teller", &[]),
    ("terraform", &["output *", "show -json", "state pull", "console"]),
    ("terragrunt", &["output *", "show -json", "state pull", "console"]),
    ("tmux", &["show-env*"]),
    ("tofu", &["output *", "show -json", "state pull", "console"]),
    ("vault", &[]),
    ("vercel", &["env"]),
    ("wg", &["gen*", "showconf*", "show *private*"]),
    ("xonsh", &["*env*", "*ENV*"]),
    ("yarn", &["config *auth*", "config *Auth*", "config list"]),
    ("ykman", &[]),
    ("yq", &["*env(*", "*strenv*", "*$ENV*"]),
    ("yubico-piv-tool", &[]),
];

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
    ("ip", &[]),
    ("journalctl", &[]),
    ("last", &[]),
    ("lsblk", &[]),
    ("lscpu", &[]),
    ("lsmod", &[]),
    ("lsof", &[]),
    ("lspci", &[]),
    ("lsusb", &[]),
    ("mount", &[]),
    ("netstat", &[]),
    ("nproc", &[]),
    ("numactl", &["-H", "--hardware", "-s", "--show"]),
    ("pgrep", &[]),
    ("ps", &[]),
    ("ss", &[]),
    ("sysctl", &[]),
    ("systemctl", &[]),
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
    ("alias", &[]),
    ("apptainer", &["exec"]),
    ("asdf", &["exec"]),
    ("at", &[]),
    ("batch", &[]),
    ("builtin", &[]),
    ("bun", &["run", "x"]),
    ("bundle", &["exec"]),
    ("bunx", &[]),
    ("bwrap", &[]),
    ("capsh", &[]),
    ("chpst", &[]),
    ("chroot", &[]),
    ("command", &[]),
    ("concurrently", &[]),
    ("conda", &["run"]),
    ("cross-env", &[]),
    ("daemonize", &[]),
    ("devbox", &["run"]),
    ("direnv", &[]),
    ("doas", &[]),
    ("docker", &[]),
    ("dotenv", &[]),
    ("emulate", &[]),
    ("entr", &[]),
    ("env-cmd", &[]),
    ("eval", &[]),
    ("exec", &[]),
    ("expect", &[]),
    ("faketime", &[]),
    ("firejail", &[]),
    ("gdb", &[]),
    ("git", &["bisect run", "rebase *", "submodule foreach", "-c alias*"]),
    ("gmake", &["--eval*", "-E*"]),
    ("gosu", &[]),
    ("guix", &[]),
    ("hatch", &["run"]),
    ("heroku", &["run*"]),
    ("hyperfine", &[]),
    ("incus", &["exec"]),
    ("kubectl", &[]),
    ("ltrace", &[]),
    ("lxc", &["exec"]),
    ("machinectl", &["shell"]),
    ("make", &["--eval*", "-E*"]),
    ("mamba", &["run"]),
    ("micromamba", &["run"]),
    ("mise", &[]),
    ("mpiexec", &[]),
    ("mpirun", &[]),
    ("nerdctl", &[]),
    ("nix", &[]),
    ("nix-shell", &[]),
    ("nodemon", &[]),
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
    ("pyenv", &["exec"]),
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
    ("watch", &[]),
    ("watchexec", &[]),
    ("xargs", &[]),
    ("xvfb-run", &[]),
    ("yarn", &["dlx", "exec", "run"]),
];
