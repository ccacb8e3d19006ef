//! Calls of tools that print credentials which print none of them.

use super::patterns::has_hole;

/// Options of `gpg` that show no key and no text, and what goes with them.
const GPG: [&[u8]; 17] = [
    b"--batch",
    b"--fingerprint",
    b"--homedir",
    b"--import",
    b"--keyid-format",
    b"--keyring",
    b"--keyserver",
    b"--list-keys",
    b"--no-default-keyring",
    b"--no-tty",
    b"--quiet",
    b"--recv-keys",
    b"--status-fd",
    b"--verify",
    b"--with-colons",
    b"--yes",
    b"-q",
];

/// Options of `kubectl` that may stand in front of what it is to do.
const KUBECTL: [&[u8]; 5] = [b"--cluster", b"--context", b"--kubeconfig", b"--namespace", b"-n"];

/// Returns whether these arguments make a command, under its usual name, print nothing of interest.
pub fn is_harmless(name: &str, arguments: &[&[u8]]) -> bool {
    if matches!(arguments, [b"--help" | b"--version"]) {
        return true;
    }
    match (name, arguments) {
        ("vault", [b"status", options @ ..]) => options.iter().all(|word| word.starts_with(b"-")),
        ("vault", [b"version"]) => true,
        ("ssh-keygen", [first, ..]) => first.starts_with(b"-l"),
        ("gpg", _) => is_harmless_gpg(arguments),
        ("kubectl" | "oc", _) => is_harmless_kubectl(arguments),
        _ => false,
    }
}

fn is_harmless_gpg(arguments: &[&[u8]]) -> bool {
    let name = |word: &&[u8]| word.split(|&byte| byte == b'=').next().map(<[u8]>::to_vec);
    let mut options = arguments.iter().filter(|word| word.starts_with(b"-")).filter_map(name);
    // Without any, it decrypts.
    let says_what = |word: &&[u8]| {
        matches!(
            *word,
            b"--fingerprint" | b"--import" | b"--list-keys" | b"--recv-keys" | b"--verify"
        )
    };
    arguments.iter().any(says_what)
        && options.all(|option| GPG.contains(&&option[..]))
        && !arguments.iter().any(|word| has_hole(word))
}

/// Returns whether `kubectl` explains resources or names them.
fn is_harmless_kubectl(mut arguments: &[&[u8]]) -> bool {
    while let [option, _, rest @ ..] = arguments
        && KUBECTL.contains(option)
    {
        arguments = rest;
    }
    match arguments {
        [b"explain", ..] | [b"auth", b"can-i", ..] => true,
        [b"get", rest @ ..] => {
            let is_format = |word: &&&[u8]| word.starts_with(b"-o") || word.starts_with(b"--o");
            let names = |pair: &[&[u8]]| matches!(pair, [b"-o" | b"--output", b"name"]);
            let is_name = |word: &&[u8]| matches!(*word, b"-oname" | b"-o=name" | b"--output=name");
            rest.iter().filter(is_format).count() == 1
                && (rest.windows(2).any(names) || rest.iter().any(is_name))
                && !rest.iter().any(|word| has_hole(word) || word.starts_with(b"--raw"))
        }
        _ => false,
    }
}
