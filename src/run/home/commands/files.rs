//! Files and folders that hold secrets.

use super::patterns::{HOLE, has_hole, known};
use super::{rules, value};

/// Such files, by their names.
const NAMES: &[&str] = &[
    ".boto",
    ".env",
    ".envrc",
    ".git-credentials",
    ".my.cnf",
    ".netrc",
    ".npmrc",
    ".pgpass",
    ".pypirc",
    ".s3cfg",
    ".terraformrc",
    ".vault-token",
    ".yarnrc.yml",
    "_netrc",
    "application_default_credentials.json",
    "id_dsa",
    "id_ecdsa",
    "id_ed25519",
    "id_rsa",
    "k3s.yaml",
    "key.pem",
    "kubeconfig",
    "kubeconfig.yaml",
    "kubeconfig.yml",
    "privkey.pem",
    "rclone.conf",
    "service-account.json",
];

/// Such files, by the beginnings of their names, and what nothing secret ends with.
const BEGINNINGS: &[&str] = &[".env.", "ssh_host_"];
const PUBLIC: &[&str] = &[".defaults", ".dist", ".example", ".pub", ".sample", ".template"];

/// Such files, by the ends of their names.
const ENDS: &[&str] =
    &["-key.pem", ".kdbx", ".key", ".nmconnection", ".p12", ".pfx", ".tfstate", ".tfvars"];

/// Such files, by the ends of their paths. A component may begin with `*`.
const FILES: &[&str] = &[
    ".aws/credentials",
    ".cache/huggingface/token",
    ".cargo/credentials",
    ".cargo/credentials.toml",
    ".config/gh/hosts.yml",
    ".config/git/credentials",
    ".config/glab-cli/config.yml",
    ".config/op/config",
    ".docker/config.json",
    ".gem/credentials",
    ".kaggle/kaggle.json",
    ".kube/config",
    ".m2/settings.xml",
    ".terraform.d/credentials.tfrc.json",
    "etc/gshadow",
    "etc/kubernetes/admin.conf",
    "etc/shadow",
    "etc/wireguard/*.conf",
    "run/secrets/*",
    "run/secrets/*/*",
    "run/secrets/*/*/*",
    "sops/age/keys.txt",
];

/// Folders of such files.
const FOLDERS: &[&str] = &[
    ".aws",
    ".azure",
    ".config/gcloud",
    ".config/gh",
    ".config/op",
    ".docker",
    ".gnupg",
    ".kube",
    ".password-store",
    ".ssh",
    "run/secrets",
];

/// Hosts that hand out credentials.
const HOSTS: &[&[u8]] = &[b"169.254.169.254", b"169.254.170.2", b"metadata.google.internal"];

/// Options whose values are files that are used without being shown.
const USES: &[&[u8]] =
    &[b"--env-file", b"--key", b"--kubeconfig", b"--netrc-file", b"--userconfig", b"-signkey"];

/// The bytes that are looked at on each side of braces.
const LONGEST: usize = 64;

/// Returns whether a word names such a file or folder, or is a pattern that does.
pub fn is_secret(word: &[u8]) -> bool {
    match word.iter().position(|&byte| byte == b'{') {
        Some(start) => alternatives(word, start).any(|word| is_secret_path(&word)),
        None => is_secret_path(word),
    }
}

/// Returns false for most folders that neither hold secrets nor lie above some that these words may
/// name, at once.
pub fn may_matter<'w>(folder: &[u8], words: impl IntoIterator<Item = &'w [u8]>) -> bool {
    if folder == b"/" {
        // The ends of other paths are known from anywhere.
        return words.into_iter().any(|word| word.windows(4).any(|it| it == b"proc"));
    }
    may_be_above(folder)
}

fn may_be_above(folder: &[u8]) -> bool {
    let starts = [&b"/etc"[..], b"/proc", b"/run", b"/var/run", b"."];
    starts.iter().any(|start| folder.starts_with(start))
        || folder.ends_with(b"etc")
        || folder.windows(2).any(|pair| pair == b"/.")
}

/// Returns whether a folder is one of secrets.
pub fn is_secret_folder(folder: &[u8]) -> bool {
    let parts = components(folder);
    names_folder(&parts) || matches!(of_process(folder, &parts), Some([]))
}

/// Returns the end of a folder if relative paths may name such files because of it.
pub fn relevant(folder: &[u8]) -> Option<&[u8]> {
    if matches!(folder, b"/" | b"/proc") {
        return Some(folder);
    }
    let is_above = |path: &&str| -> bool {
        let mut above = path.match_indices('/').map(|(at, _)| &path[..at]);
        above.any(|above| folder.ends_with(above.as_bytes()))
    };
    let above = may_be_above(folder) && FILES.iter().chain(FOLDERS).any(is_above);
    let mut slashes = folder.iter().enumerate().rev().filter(|(_, byte)| **byte == b'/');
    above.then(|| &folder[slashes.nth(2).map_or(0, |(at, _)| at)..])
}

/// Returns the words that a command may show files by.
pub fn shown<'s>(name: &str, arguments: &[&'s [u8]]) -> Vec<&'s [u8]> {
    let is_option = |word: &&[u8]| word.starts_with(b"-");
    let is_quiet =
        |word: &&[u8]| is_option(word) && !word.starts_with(b"--") && word.contains(&b'q');
    if is_harmless(name) || name == "grep" && arguments.first().is_some_and(is_quiet) {
        return Vec::new();
    }
    let is_key = |option: &[u8]| option == b"-i" && matches!(name, "scp" | "sftp" | "ssh");
    let is_used = |option: &[u8]| USES.contains(&option) || is_key(option);
    let before = [&b""[..]].into_iter().chain(arguments.iter().copied());
    let words = before.zip(arguments).filter(|(before, word)| {
        let is_set = || word.split(|&byte| byte == b'=').next().is_some_and(is_used);
        let is_value = is_option(before) && is_used(before)
            || is_option(word) && word.contains(&b'=') && is_set();
        !is_value && !word.starts_with(b"--exclude")
    });
    let mut words: Vec<&[u8]> = words.map(|(_, word)| *word).collect();
    if rules::is_sourcing(name) {
        words.retain(|word| !word.rsplit(|&byte| byte == b'/').any(|it| it.starts_with(b".env")));
    } else if rules::runs_filters(name) {
        // The first one that belongs to no option is a filter. `.env` is one, too.
        let is_long = |at: usize| words.get(at).is_some_and(|word| word.starts_with(b"--"));
        let belongs = |at: usize| (1..=2).any(|back| at.checked_sub(back).is_some_and(is_long));
        let filter = (0..words.len()).find(|&at| !is_option(&words[at]) && !belongs(at));
        filter.map(|at| words.remove(at));
    }
    words
}

/// Returns whether a command shows nothing of what is in files but how much it is, nor their names
/// to a command that may.
fn is_harmless(name: &str) -> bool {
    let names =
        ["[", "[[", "chmod", "chown", "cksum", "mkdir", "rm", "stat", "test", "touch", "wc"];
    names.contains(&name) || name.ends_with("sum") && !name.ends_with("-sum")
}

/// Returns the words that braces stand for, and others.
fn alternatives(word: &[u8], start: usize) -> impl Iterator<Item = Vec<u8>> {
    let end = word.iter().rposition(|&byte| byte == b'}').filter(|end| *end > start);
    let end = end.unwrap_or(word.len());
    let (before, behind) = (&word[..start], word.get(end + 1..).unwrap_or_default());
    let before = before.strip_suffix(&[HOLE]).unwrap_or(before);
    // No such path is longer.
    let before = &before[before.len().saturating_sub(LONGEST)..];
    let behind = &behind[..behind.len().min(LONGEST)];
    let parts = word[start..end].split(|byte| b"{},".contains(byte));
    parts.map(move |part| [before, part, behind].concat())
}

fn is_secret_path(word: &[u8]) -> bool {
    let parts = components(word);
    let Some((last, folder)) = parts.split_last() else { return false };
    let is_host = |part: &&[u8]| HOSTS.iter().any(|host| value(part).starts_with(host));
    is_secret_name(bare(last), !folder.is_empty())
        || FILES.iter().any(|file| said(&parts, file).is_some_and(|said| said.0 > 0))
        || names_folder(&parts)
        || has_hole(last) && names_folder(folder) && !last.ends_with(b".pub")
        || of_process(word, &parts).is_some_and(|behind| {
            behind.last().is_none_or(|last| may_be(last, "environ").is_some())
        })
        || parts.iter().take(2).any(is_host)
}

/// Returns whether a file of this name, in a folder that is said or not, is secret.
fn is_secret_name(name: &[u8], is_in_folder: bool) -> bool {
    let is_public = || PUBLIC.iter().any(|end| name.ends_with(end.as_bytes()));
    // A filter such as `.a.key` names no file.
    let is_stem = |stem: &[u8]| stem.first().is_some_and(|first| *first != b'.' || is_in_folder);
    let is_named = |known: &&str| {
        may_be(name, known).is_some_and(|said| {
            // `.*` alone may be anything, but not in somebody's home.
            let is_hidden = said > 0 && known.starts_with('.') && (said > 1 || is_in_folder);
            !has_hole(name) || said > 2 || is_hidden
        })
    };
    NAMES.iter().any(is_named)
        || ENDS.iter().any(|end| name.strip_suffix(end.as_bytes()).is_some_and(is_stem))
        || BEGINNINGS.iter().any(|first| name.starts_with(first.as_bytes())) && !is_public()
}

/// Returns the components behind the folder of a process, in which its environment is.
fn of_process<'p, 's>(path: &[u8], parts: &'p [&'s [u8]]) -> Option<&'p [&'s [u8]]> {
    let is_id = |part: &[u8]| {
        matches!(part, b"self" | b"thread-self")
            || has_hole(part)
            || part.iter().all(u8::is_ascii_digit)
    };
    let at = parts.iter().position(|part| *part == b"proc")?;
    // In front of the root, there may be an option, an assignment or a computed folder.
    let is_root = at == 0 && path.starts_with(b"/")
        || at == 1 && (bare(parts[0]).is_empty() || has_hole(parts[0]));
    let (id, behind) = parts[at + 1..].split_first()?;
    (is_root && is_id(id)).then_some(behind)
}

fn names_folder(parts: &[&[u8]]) -> bool {
    let is_open = parts.last().is_some_and(|last| has_hole(last));
    FOLDERS.iter().any(|folder| said(parts, folder).is_some_and(|said| !is_open || said.1 > 2))
}

/// Returns how many bytes are said of the folder and of the file if a path may end with these
/// components.
fn said(parts: &[&[u8]], path: &str) -> Option<(usize, usize)> {
    let (mut parts, mut path) = (parts, Some(path));
    let mut said = (0, None);
    while let Some(rest) = path {
        let (folder, component) =
            rest.rsplit_once('/').map_or((None, rest), |it| (Some(it.0), it.1));
        let (part, before) = parts.split_last()?;
        // In front of the first one, there may be an option or an assignment.
        let part = if folder.is_none() { bare(part) } else { part };
        let bytes = may_be(part, component)?;
        match said.1 {
            None => said.1 = Some(bytes),
            Some(_) => said.0 += bytes,
        }
        (parts, path) = (before, folder);
    }
    Some((said.0, said.1?))
}

/// Returns how many bytes are said of a component that may be this one.
fn may_be(part: &[u8], component: &str) -> Option<usize> {
    let component = component.as_bytes();
    if let Some(end) = component.strip_prefix(b"*") {
        return (part.ends_with(end) || has_hole(part)).then_some(0);
    }
    if !has_hole(part) {
        return (part == component).then_some(part.len());
    }
    let (begins, ends) = known(part);
    let is_it = component.starts_with(begins) && component.ends_with(ends);
    // What only ends like it says little.
    is_it.then_some(if begins.is_empty() { 0 } else { begins.len() + ends.len() })
}

/// Returns what is behind everything that is not part of a name, such as `dd`'s `if=`.
fn bare(part: &[u8]) -> &[u8] {
    // A bracket that is closed is one of a pattern, or of code.
    let is_pattern = has_hole(part);
    let is_part = |byte: &u8| {
        byte.is_ascii_alphanumeric()
            || b"_-.\0".contains(byte)
            || is_pattern && b"]!^".contains(byte)
    };
    let start = part.iter().rposition(|byte| !is_part(byte));
    &part[start.map_or(0, |at| at + 1)..]
}

/// Returns the components of a path, without those that lead nowhere.
fn components(path: &[u8]) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    for part in path.split(|&byte| byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts
}
