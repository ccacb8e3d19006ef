//! `cachex init`: what it makes of bash, zsh and fish.

use crate::harness::{Cachex, Outcome, cachex, quoted};

/// Lines that each shell takes once it is at home with cachex; none of them is expanded as
/// an alias before it is there.
fn shells(cachex: &Cachex, lines: &str) -> Vec<(&'static str, Outcome)> {
    let lines: Vec<String> = lines.lines().map(|line| format!("eval {}", quoted(line))).collect();
    let lines = lines.join("\n");
    let bash = format!("shopt -s expand_aliases\neval \"$(cachex init bash)\"\n{lines}");
    let zsh = format!("setopt aliases\neval \"$(cachex init zsh)\"\n{lines}");
    let fish = format!("cachex init fish | source\n{lines}");
    [("bash", "bash --norc", bash), ("zsh", "zsh -f", zsh), ("fish", "fish --no-config", fish)]
        .map(|(name, shell, script)| {
            let script = cachex.write(name, script);
            (name, cachex.shell(&format!("{shell} {}", quoted(script))).once())
        })
        .into()
}

#[test]
fn a_wrapped_command_goes_through_the_cache_until_it_is_unwrapped() {
    let cachex = cachex();
    cachex.tool("tool", "echo \"$# $1\"; wc -c <$HOME/../runs; exit 3");
    let lines = "cached tool 10m --failure-expires-in 10m\ncached\ntool 'a b'; tool 'a b'\ncached -d tool\n\
                 tool 'a b'\ncached tool 10m --failure-expires-in 10m\ntool 'a b'";
    let mut runs = 0;
    for (shell, outcome) in shells(&cachex, lines) {
        let (first, plain) = if runs == 0 { (1, 2) } else { (1, runs + 1) };
        runs = plain;
        // The shells share what is recorded, but for what tells them apart.
        let told = outcome.stdout();
        let lines: Vec<&str> = told.lines().collect();
        assert_eq!(lines[..2], ["tool", "1 a b"], "{shell}: {told}");
        assert_eq!(lines[2], lines[4], "{shell}: {told}");
        assert_ne!(lines[4], lines[6], "{shell}: {told}");
        assert_eq!(lines[2], lines[8], "{shell}: {told} {first}");
        outcome.quietly().exits(3);
    }
}

#[test]
fn aliases_and_functions_are_wrapped_too() {
    let cachex = cachex();
    cachex.tool("tool", "echo \"$*\"; wc -c <$HOME/../runs");
    let alike = |told: &str| {
        let lines: Vec<&str> = told.lines().collect();
        lines.len().is_multiple_of(4) && lines.chunks(4).all(|four| four[..2] == four[2..])
    };
    let lines = "alias t='tool -x'\nalias tt='t -y'\ncached t 10m\ncached tt 10m\n\
                 t 'a b'; t 'a b'\ntt c; tt c";
    for (shell, outcome) in shells(&cachex, lines) {
        let told = outcome.exits(0).quietly().stdout();
        assert!(alike(&told), "{shell}: {told}");
        assert!(told.starts_with("-x a b\n") && told.contains("-x -y c\n"), "{shell}: {told}");
    }
    // What no program takes for its arguments is for a shell.
    let lines = "alias up='tool a | tr a-z A-Z #'\ncached up 10m\nup; up";
    for (shell, outcome) in shells(&cachex, lines).into_iter().take(2) {
        let told = outcome.exits(0).quietly().stdout();
        assert!(alike(&told) && told.starts_with("A\n"), "{shell}: {told}");
    }
    let lines = "f() { tool \"f $1\"; }\ncached f 10m\nf 'a b'; f 'a b'\ncached -d f\nf z";
    for (shell, outcome) in shells(&cachex, lines).into_iter().take(2) {
        let told = outcome.exits(0).quietly().stdout();
        let (cached, plain) = told.rsplit_once("f z\n").unwrap();
        assert!(alike(cached) && cached.starts_with("f a b\n"), "{shell}: {told}");
        assert!(!cached.contains(plain), "{shell}: {told}");
    }
}

#[test]
fn whatever_the_options_of_the_shell_it_is_at_home() {
    let cachex = cachex();
    cachex.tool("tool", "echo \"$*\"");
    let lines = "cached\ncached tool 10m\nalias t='tool -x'\ncached t 10m\n\
                 f() { tool f; }\ncached f 10m\ntool a\nt b\nf\ncached -d f\ncached";
    let lines: Vec<String> = lines.lines().map(|line| format!("eval {}", quoted(line))).collect();
    let lines = lines.join("\n");
    let bash = ["set -u", "set -e", "set -o posix", "shopt -s failglob", "IFS=:"];
    let bash = bash.map(|option| ("bash --norc", "shopt -s expand_aliases", option));
    let zsh =
        ["nounset", "err_exit", "ksh_arrays", "sh_word_split", "sh_glob", "csh_junkie_quotes"];
    let zsh = zsh.map(|option| ("zsh -f", "setopt aliases", option));
    for (shell, aliases, option) in bash.into_iter().chain(zsh) {
        let (set, name) = if shell == "zsh -f" { ("setopt ", "zsh") } else { ("", "bash") };
        // Twice, as by who reads the file anew that has the line.
        let init = format!("eval \"$(cachex init {name})\"");
        let script = format!("{aliases}\n{set}{option}\n{init}\n{init}\n{lines}");
        let script = cachex.write(name, script);
        let outcome = cachex.shell(&format!("{shell} {}", quoted(script))).once().quietly();
        assert_eq!(outcome.stdout(), "a\n-x b\nf\nt\ntool\n", "{set}{option}");
    }
}

#[test]
fn an_alias_of_a_function_or_a_builtin_is_none_of_a_program() {
    let cachex = cachex();
    cachex.tool("tool", "echo ran");
    let lines = "f() { echo f; }\nalias a='f x' b='cd /' e='echo e' t='tool t'\n\
                 cached a 10m\ncached b 10m\ncached e 10m && e\ncached tool 1m; cached t 10m && t\na";
    let lines: Vec<String> = lines.lines().map(|line| format!("eval {}", quoted(line))).collect();
    for (shell, aliases) in [("bash", "shopt -s expand_aliases"), ("zsh", "setopt aliases")] {
        let init = format!("eval \"$(cachex init {shell})\"");
        let script = cachex.write(shell, format!("{aliases}\n{init}\n{}", lines.join("\n")));
        let outcome = cachex.shell(&format!("{shell} {}", quoted(script))).once();
        assert_eq!(outcome.stdout(), "e\nran\nf\n");
        let said = "cached: a stands for f, which is no program\n\
                    cached: b stands for cd, which is no program\n";
        assert_eq!(outcome.stderr(), said);
    }
}

#[test]
fn a_function_of_zsh_that_was_not_loaded_yet_is_wrapped() {
    let cachex = cachex();
    let file = cachex.write("functions/greet", "echo hi $1\n");
    let folder = quoted(file.parent().unwrap());
    let lines = format!(
        "fpath=({folder} $fpath); autoload -Uz greet; eval \"$(cachex init zsh)\"; \
         cached greet 10m; greet you"
    );
    cachex.shell(&format!("zsh -fc {}", quoted(lines))).once().prints("hi you\n").quietly();
}

#[test]
fn a_function_of_fish_that_calls_another_of_its_file_is_wrapped() {
    let cachex = cachex();
    cachex.write("work/d/one", "");
    let script = "cachex init fish | source; cached ls 10m; ls d; ls d";
    let call = cachex.shell(&format!("fish --no-config -c {}", quoted(script)));
    call.once().prints("one\none\n").quietly();
}

#[test]
fn mistakes_are_told_and_change_nothing() {
    let cachex = cachex();
    for (lines, status, said) in [
        ("cached cd 10m", 1, "a part of the shell itself"),
        ("cached nonesuch 10m", 127, "command not found"),
        ("cached ls", 2, "no duration; for example: cached ls 10m"),
        ("cached -d ls", 1, "ls is not cached"),
        ("cached --help", 2, "usage: cached NAME DURATION"),
        ("cached ls soon", 2, "soon is not a duration, as in: cached ls 10m"),
        ("cached ls 10x", 2, "invalid value '10x'"),
        ("cached ls 10m --nonesuch", 2, "--nonesuch"),
    ] {
        for (_, outcome) in shells(&cachex, lines) {
            outcome.exits(status).prints("").says_one_line(&[said]);
        }
    }
}

#[test]
fn a_prompt_never_waits() {
    let cachex = cachex();
    let script = format!("{}; echo value", cachex.gate("gate"));
    cachex.tool("tool", &script);
    for (_, outcome) in shells(&cachex, "cached_prompt tool x\ncached_prompt 5s tool x") {
        outcome.prints("").quietly().promptly();
    }
    cachex.opens("gate");
    cachex.awaits_quiet();
    for (_, outcome) in shells(&cachex, "cached_prompt tool x") {
        outcome.prints("value\n").quietly();
    }
}

#[test]
fn completions_are_read_when_the_first_is_asked_for() {
    let cachex = cachex();
    let bash = "eval \"$(cachex init bash)\"; complete -p cachex; _cachex_load; echo $?; complete -p cachex";
    let told = cachex.shell(bash).once().exits(0).stdout();
    assert!(
        told.contains("_cachex_load cachex\n124\n") && told.contains("_cachex_stored"),
        "{told}"
    );
    let fish = "cachex init fish | source; complete -C 'cachex run --expires-i'";
    let fish = format!("fish --no-config -c {}", quoted(fish));
    cachex.shell(&fish).once().exits(0).shows(&["--expires-in"]);
}
