//! Files and folders that hold secrets.

use super::patterns::{HOLE, has_hole, known};

/// Such files, by the ends of their paths.
const FILES: &[&str] = &[
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
];

/// Commands and their options whose values are files that are used without being shown.
const USES: &[(&str, &str)] = &[
    ("curl", "--netrc-file"),
    ("kubectl", "--kubeconfig"),
    ("npm", "--userconfig"),
    ("scp", "-i"),
    ("sftp", "-i"),
    ("ssh", "-i"),
];

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
    folder.starts_with(b"/proc")
        || folder.ends_with(b"etc")
        || folder.windows(2).any(|pair| pair == b"/.")
}

/// Returns whether a folder is one of secrets.
pub fn is_secret_folder(folder: &[u8]) -> bool {
    let parts = components(folder);
    names_folder(&parts) || is_process(folder, &parts)
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
    let above = FILES.iter().chain(FOLDERS).any(is_above);
    let mut slashes = folder.iter().enumerate().rev().filter(|(_, byte)| **byte == b'/');
    above.then(|| &folder[slashes.nth(2).map_or(0, |(at, _)| at)..])
}

/// Returns the words that a command may show files by.
pub fn shown<'s>(name: &str, arguments: &[&'s [u8]]) -> Vec<&'s [u8]> {
    let is_quiet =
        |word: &&[u8]| word.starts_with(b"-") && !word.starts_with(b"--") && word.contains(&b'q');
    if is_harmless(name) || name == "grep" && arguments.first().is_some_and(is_quiet) {
        return Vec::new();
    }
    let is_name = |word: &[u8]| matches!(word, b"-name" | b"-iname" | b"-path" | b"-ipath");
    let runs = arguments.iter().any(|word| word.starts_with(b"-exec") || word.starts_with(b"-ok"));
    let is_used = |option: &[u8]| {
        USES.iter().any(|(command, known)| *command == name && known.as_bytes() == option)
            || name == "find" && !runs && is_name(option)
    };
    let before = [&b""[..]].into_iter().chain(arguments.iter().copied());
    let words = before.zip(arguments).filter(|(before, word)| {
        let is_set = word.split(|&byte| byte == b'=').next().is_some_and(&is_used);
        let is_value = is_used(before) || is_set && word.contains(&b'=');
        !is_value && !word.starts_with(b"--exclude")
    });
    words.map(|(_, word)| *word).collect()
}

/// Returns whether a command shows nothing of what is in files but how much it is.
fn is_harmless(name: &str) -> bool {
    let names =
        ["[", "[[", "chmod", "chown", "cksum", "ls", "mkdir", "rm", "stat", "test", "touch", "wc"];
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
    names_folder(&parts)
        || has_hole(last) && names_folder(folder) && !last.ends_with(b".pub")
        || is_process(word, &parts)
        || word.starts_with(b"/proc/") && parts.len() > 2 && may_be(last, b"environ").is_some()
        || FILES.iter().any(|file| names(&parts, file))
}

/// Returns whether a path is the folder of a process, in which its environment is.
fn is_process(path: &[u8], parts: &[&[u8]]) -> bool {
    let is_id = |part: &[u8]| {
        matches!(part, b"self" | b"thread-self")
            || has_hole(part)
            || part.iter().all(u8::is_ascii_digit)
    };
    path.starts_with(b"/proc/") && parts.len() == 2 && is_id(parts[1])
}

fn names_folder(parts: &[&[u8]]) -> bool {
    FOLDERS.iter().any(|folder| {
        names(parts, folder) && parts.last().is_some_and(|last| known(last).0.len() > 2)
    })
}

/// Returns whether a path ends with these components. What is computed may be any of them, if the
/// folder, or the beginning of the name where there is none, is said.
fn names(parts: &[&[u8]], path: &str) -> bool {
    let count = 1 + path.matches('/').count();
    let Some(first) = parts.len().checked_sub(count) else { return false };
    parts[first..].iter().zip(path.split('/')).enumerate().all(|(at, (part, component))| {
        // In front of the first one, there may be an option or an assignment.
        let part = if at == 0 { bare(part) } else { part };
        let said = may_be(part, component.as_bytes());
        said.is_some_and(|said| {
            !has_hole(part)
                || count > 1 && at + 1 == count
                || said > 2
                || said == 2 && component.starts_with('.')
        })
    })
}

/// Returns how many bytes at its beginning are said of a component that may be this one.
fn may_be(part: &[u8], component: &[u8]) -> Option<usize> {
    let (begins, ends) = known(part);
    let is_it = if has_hole(part) {
        component.starts_with(begins) && component.ends_with(ends)
    } else {
        part == component
    };
    is_it.then_some(begins.len())
}

/// Returns what is behind everything that is not part of a name, such as `dd`'s `if=`.
fn bare(part: &[u8]) -> &[u8] {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.\0]".contains(byte);
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
