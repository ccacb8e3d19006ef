//! Shells, and where their scripts are.

/// Shells whose scripts are read as they read them.
const POSIX: &[&str] = &["ash", "bash", "dash", "ksh", "mksh", "oksh", "rbash", "sh", "yash"];

/// Shells with a grammar of their own.
const OTHERS: &[&str] = &[
    "csh",
    "elvish",
    "es",
    "nu",
    "osh",
    "powershell",
    "pwsh",
    "rc",
    "tcsh",
    "xonsh",
    "ysh",
    "zsh",
];

/// The grammar of a shell's scripts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Grammar {
    /// That of [`super::script`].
    Posix,
    /// That of fish, in which `set` has options of its own.
    Fish,
    /// Another one. What is known of these is not enough to tell which words are commands.
    Other,
}

/// Returns the grammar of a command that is a shell.
pub fn grammar(name: &str) -> Option<Grammar> {
    match name {
        "fish" => Some(Grammar::Fish),
        _ if POSIX.contains(&name) => Some(Grammar::Posix),
        _ => OTHERS.contains(&name).then_some(Grammar::Other),
    }
}

/// Returns the words that may be scripts among the arguments of a shell, and those that may be
/// given to them.
pub fn scripts<'w, 's>(
    grammar: Grammar,
    arguments: &'w [&'s [u8]],
) -> (Vec<&'s [u8]>, &'w [&'s [u8]]) {
    if grammar == Grammar::Posix {
        return scripts_of_posix(arguments);
    }
    // Options differ, and some shells take several scripts.
    let has_scripts = arguments.iter().any(|word| announces_script(word));
    let scripts = arguments.iter().filter(|_| has_scripts).map(|word| behind_option(word));
    (scripts.collect(), arguments)
}

/// Returns whether a script may come after an option, or be in the same word.
fn announces_script(option: &[u8]) -> bool {
    let Some(letters) = option.strip_prefix(b"-") else { return false };
    match letters.strip_prefix(b"-") {
        // `--command`, `--commands` and `--init-command`, which may be abbreviated.
        Some(long) => long.starts_with(b"c") || long.starts_with(b"i"),
        None => letters.iter().any(|letter| matches!(letter, b'c' | b'C')),
    }
}

/// Returns the text that may be a script in an argument.
fn behind_option(word: &[u8]) -> &[u8] {
    let end = match word {
        [b'-', b'-', ..] => word.iter().position(|&byte| byte == b'='),
        [b'-', ..] => word.iter().position(|byte| matches!(byte, b'c' | b'C')),
        _ => None,
    };
    end.map_or(word, |end| &word[end + 1..])
}

fn scripts_of_posix<'w, 's>(arguments: &'w [&'s [u8]]) -> (Vec<&'s [u8]>, &'w [&'s [u8]]) {
    let mut scripts = Vec::new();
    let mut rest = arguments;
    let (mut is_script, mut values, mut are_options) = (false, 0, true);
    while let Some((word, behind)) = rest.split_first() {
        let is_option = are_options && (word.starts_with(b"-") || word.starts_with(b"+"));
        if !is_option && scripts.len() > values {
            break;
        }
        rest = behind;
        if !is_option {
            scripts.push(*word);
        } else if matches!(*word, b"-" | b"--") {
            are_options = false;
        } else if let Some(long) = word.strip_prefix(b"--") {
            values += usize::from(matches!(long, b"rcfile" | b"init-file"));
        } else {
            let letters = &word[1..];
            values += letters.iter().filter(|&&letter| matches!(letter, b'o' | b'O')).count();
            is_script |= word[0] == b'-' && letters.contains(&b'c');
        }
    }
    if is_script { (scripts, rest) } else { (Vec::new(), rest) }
}

/// Returns whether a command of this name may read a script from its standard input.
pub fn may_read_input(name: &str) -> bool {
    super::rules::is_sourcing(name) || grammar(name).is_some()
}

/// Returns whether a command is a shell, or a builtin of one, that reads its script from its
/// standard input.
pub fn reads_input(words: &[&[u8]]) -> bool {
    let Some((command, arguments)) = words.split_first() else { return false };
    let name = super::name(command);
    if super::rules::is_sourcing(name) {
        return arguments.first().is_none_or(|file| file.starts_with(b"/dev/"));
    }
    let Some(grammar) = grammar(name) else { return false };
    let is_script_read = |word: &&[u8]| {
        word.starts_with(b"-") && !word.starts_with(b"--") && word.contains(&b's')
            || word.starts_with(b"/dev/")
    };
    arguments.iter().all(|word| word.starts_with(b"-") || word.starts_with(b"+"))
        && scripts(grammar, arguments).0.is_empty()
        || arguments.iter().any(is_script_read)
}
