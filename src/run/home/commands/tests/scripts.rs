//! Scripts, and how long it takes to read them.

use super::*;

/// A script of a shell.
fn told_of(script: &str) -> Option<Home> {
    home(&[b"bash", b"-c", script.as_bytes()], b"/w")
}

/// Scripts of one line that print credentials.
const SCRIPTS: &str = r#"
printenv>x
not pass show x
true; and pass show x
test -n a; or env
begin env; end
if not env; end
noglob pass show x
(env>x);cat x
printenv</dev/null
pass</dev/null show x
pass>&1
set>x
2>/dev/null printenv
>x printenv
env 2>&1|cat
env >&- <<<x
{fd}>x env
&>x env
cat <(env)
cat > >(env)
env #x
echo a#b; env
A="b c" aws ecr get-login-password
A='b c' pass show x
A="$B" pass show x
A=$(true) aws ecr get-login-password
A[0]=1 aws ecr get-login-password
aws --region "$R" ecr get-login-password
"bin/aws" ecr get-login-password
$PWD/bin/aws ecr get-login-password
${X}aws ecr get-login-password
\env
\pass show x
p''rintenv
aws eks get-"token"
eval "e""nv"
eval e nv; eval en"v"
eval 'env|cat'
eval env '|cat'
sh -c 'sh -c "sh -c env"'
sh -c "sh -c 'eval \"sh -c env\"'"
echo env | sh
echo printenv|sudo bash -e
printf 'cd /\nenv\n'|sh -s
echo "pass show x" | sh
echo env | . /dev/stdin
find . -exec env \;
find . -name x -execdir printenv {} +
trap env EXIT
trap 'env; true' 0
coproc env
coproc X { env; }
xargs env</dev/null
xargs -n1 env
watch -n 1 env
watch 'env|cat'
ssh host 'env | sort'
script -qc env /dev/null
alias e=env; e
f() { env; }; f
f()(env);f
function f { env; }; f
if env; then :; fi
if ! env; then :; fi
for a in 1;do env;done
case a in a)env;;esac
echo "$(case a in a) true;; esac)"; env
echo "$(case a in (a) true;; esac; env)"
echo "`env`"
echo `echo \`env\``
echo "${A:-$(env)}"
echo $(( $(env|sort) ))
echo "$(echo case)"; env
while :; do env; done
[[ 1 ]]&&env
time -p env
env $X
env -u "$X" env
{ env;}
$(which env)
"$(which env)"
$(which pass) show x
${E:-env}
${E:-pass show x}
E=env;$E
E=env; exec "$E"
a=bin/aws; $a ecr get-login-password
nice -n $N vault read x
timeout "$T" pass show x
/usr/bin/print*nv
[p]ass x
{env,}
{env,-u,X}
command *ass x
time pas* x
compgen -e
command -p env
exec -a x env
bash <<< env
bash <<<'env; true'
sh -s <<<"printenv"
cat <<< x; env
declare -p TOKEN
declare -px A_KEY
typeset -p
export -p
readonly -p
$'\x65nv'
$'\145nv'
$'\u0065nv' | cat
$'e\x{6e}v'
$'env\0x'
echo $'a\'b'; env
echo "a$'"; env; echo "'"
echo ${A:-'}'}; env; echo ''
echo "${ env; }"
echo ${| env; }
builtin export -p
builtin printf x; env
env >x | grep -c A
env | grep A
env | wc -c; env
env >/dev/null >x
env >/dev/stderr
cat <~/.netrc
read x <"$HOME/.netrc"
export A=1; $X set
flock x env
flock x -c env
setarch -R printenv
env -S 'printenv x'
"#;

#[test]
fn a_command_in_a_script_is_known_however_it_is_written() {
    let of_one_line = SCRIPTS.lines().filter(|line| !line.is_empty());
    let longer = [
        "make # it's\nenv",
        "sh<<X\nenv\nX",
        "sh<<-'X'\n\tenv\n\tX",
        "cat <<X\nit doesn't\nX\nenv; echo 'x'",
        "cat <<X\nhe doesn't $(env) say\nX",
        "cat <<X\n`printenv`\nX",
        "case a in\n a) env;;\nesac",
        "en\\\nv",
        "echo \r#;env",
        "sudo python3 - <<X\nimport os\nprint(os.environ)\nX",
        "perl <<<'print %ENV'",
        "cat <<X\n X\nit's\nX\nenv",
        "cat <<$X\nit's\n$X\nenv",
    ];
    let scripts = of_one_line.chain(longer);
    let missed: Vec<&str> = scripts.filter(|it| told_of(it) != Some(Home::Credentials)).collect();
    assert!(missed.is_empty(), "{missed:#?}");
    let words: [&[u8]; 6] = [b"sh", b"-c", b"exec \"$@\"", b"sh", b"pass", b"show"];
    assert_eq!(home(&words, b"/w"), Some(Home::Credentials));
    // What cannot be examined is doubtful.
    let deep = "(".repeat(100_000) + "make";
    assert_eq!(told_of(&"$(cat <<A\n".repeat(100)), Some(Home::Credentials));
    assert_eq!(told_of(&deep), Some(Home::Credentials));
}

/// Texts that are hard to read if there are many of them.
const HOSTILE: &[&str] = &[
    "$",
    "$ ",
    "! ",
    "time ",
    "$(((((",
    "\\",
    "\"",
    "'",
    "\"'",
    "`",
    ";",
    "; ",
    "<<A ",
    "<<A\n",
    "<<<",
    "<<<'$x' ",
    "${a-",
    "${a-\"",
    "$'\\x",
    "$'a' ",
    "|",
    "a|",
    "{ ",
    "A=1 ",
    "sudo ",
    "env ",
    "sudo eval ",
    "eval \"",
    "sh -c '",
    "bash ",
    "$x env;",
    "$x set;",
    "$a '$b' ",
    "aws get-",
    "aws $x ",
    "*$ ",
    "case ",
    "case a in a) ",
    "xargs sh ",
    "nice ",
    "busybox ",
    "a=aws;$a x ",
    "/proc/environ ",
    "printenv$ ",
    "sudo $x 'a b' ",
    "exec -a x ",
    "env -S 'env ",
    "find -exec ",
    "repeat 1 ",
    "alias x=",
    "trap '",
    "(",
    "$(",
    "<(",
    ">(",
    "&",
    "\n",
    "#",
    "a#",
    "env -S ",
    "env A=b ",
    "sudo <<'E' ",
    "sudo env ",
    "gh $x ",
    "set ",
    "['gh',",
    "a=.ssh ",
    "alias a=b;",
    "K=aws;$K x ",
    "a=(aws);$a ",
    "cd /etc;",
    ". ",
    ".config/ ",
    "jq env ",
    "$x kubectl ",
    "xargs sudo ",
    "git -a ",
];

/// Returns why a script stays on the machine, how many steps it took to find that out, and how many
/// there were.
fn examined(shell: &str, script: &str) -> (Option<Home>, i64, i64) {
    let words: [&[u8]; 3] = [shell.as_bytes(), b"-c", script.as_bytes()];
    let search = Search { budget: Budget::of(&words), folder: None };
    let all = search.budget.left.get();
    (search.home(&words), all - search.budget.left.get(), all)
}

#[test]
fn the_time_that_a_script_takes_is_proportional_to_its_length() {
    // What is left is what the parser does for each byte, which never goes back.
    for shell in ["bash", "zsh", "fish"] {
        for text in HOSTILE {
            let length = 3_000;
            let (_, spent, all) = examined(shell, &text.repeat(length / text.len()));
            assert!(spent <= all + 64 * length as i64, "{shell}: {text}: {spent} of {all}");
        }
        // Each of them in the light of what another one began.
        for first in ["sudo <<'E' ", "xargs "] {
            for text in HOSTILE {
                let length = 1_000;
                let script = first.to_string() + &text.repeat(length / text.len());
                let (_, spent, all) = examined(shell, &script);
                assert!(spent <= all + 64 * length as i64, "{shell}: {first}{text}: {spent}");
            }
        }
    }
    // Ordinary scripts are far from the bound.
    let ordinary = [
        "make x; ",
        "$CC -O2 -DA='b c' -c x.c -o x.o || exit 1\n",
        "export A=1; set -e; timeout 5 make \"$A\" >/dev/null 2>&1\n",
        "if [ -f \"$x\" ]; then echo \"it's there: ${x:-none}\"; fi\n",
        "cat >x <<E\nsome text, $x\nE\n",
        "sudo apt-get install -y some package\n",
        "sh -c 'make \"$@\"' sh x\n",
    ];
    for text in ordinary {
        let (home, spent, _) = examined("bash", &text.repeat(120_000 / text.len()));
        assert_eq!(home, None, "{text}");
        assert!(spent < 12 * 120_000, "{text}: {spent}");
    }
}

#[test]
fn shells_with_another_grammar_are_read_with_doubt() {
    for (shell, scripts) in [
        (
            "fish -c",
            &[
                "set -x A b; env",
                "set -x",
                "set -gx; make",
                "set --show",
                r"echo 'it\'s'; env",
                r"echo 'it\\'; env",
                r"echo 'a\'b'; pass show x; echo 'c'",
                "make; and env",
                "env | string match A",
                "echo (env)",
                r"\x65nv",
                r"printf 'a\nenv\n' | source",
                "cat ~/.netrc",
                "eval pa''ss show x",
            ][..],
        ),
        ("fish -c true -c", &["env"]),
        ("fish -C", &["env"]),
        (
            "zsh -c",
            &[
                "=env",
                "repeat 1 env",
                "emulate sh -c 'env'",
                "- env",
                "sh -c pass$x",
                "noglob nocorrect env",
                "command -p env",
                "() { env }",
                "for x (a b) env",
                "if [[ -n a ]] { env }",
                "=aws ecr get-login-password",
                "typeset",
            ],
        ),
        ("zsh -o pipefail -c", &["env"]),
        ("tcsh -c", &["setenv", "printenv", "if (1) env"]),
        ("nu -c", &["env", "$env | to json", "^env"]),
        ("xonsh -c", &["print(${...}); env", "$(vault read x)"]),
        ("pwsh -Command", &["gci env:", "& vault read x"]),
    ] {
        let shell = shell.split(' ').map(str::as_bytes);
        for script in scripts {
            let words: Vec<&[u8]> = shell.clone().chain([script.as_bytes()]).collect();
            assert_eq!(home(&words, b"/w"), Some(Home::Credentials), "{script}");
        }
        for script in ["make", "set -e; ./configure && make", "echo 'it works'; make -j4 id"] {
            let words: Vec<&[u8]> = shell.clone().chain([script.as_bytes()]).collect();
            assert_eq!(home(&words, b"/w"), None, "{script}");
        }
    }
    assert_eq!(told("fish -c 'set -x A b; make'"), None);
    assert_eq!(told("fish x.fish env"), None);
    assert_eq!(told("zsh -c 'env A=1 make'"), None);
}

#[test]
fn a_script_may_end_anywhere() {
    for end in 0..SCRIPTS.len() {
        for part in [&SCRIPTS[..end], &SCRIPTS[end..]] {
            script::parse(part.as_bytes(), &Budget::of(&[part.as_bytes()]));
        }
    }
}

#[test]
fn ordinary_scripts_are_shared() {
    for script in [
        "export A=1; make",
        "set -eu; make >log 2>&1",
        "A=1 B='x y' make -j4",
        "$CC -O2 -c x.c -o x.o",
        "cd build && cmake .. && make -j$(getconf_ _NPROCESSORS_ONLN)",
        "echo env",
        "make # env",
        "echo 'env; pass show x'",
        "echo \"a; env\"",
        "P=env; echo $P",
        "for f in *.c; do cc -c \"$f\" || exit 1; done",
        "timeout 5 make id",
        "env A=1 make",
        "find . -name pass -o -name '*.rs'",
        "find . -name '*.c' -exec cc -c {} ;",
        "cat x | xargs grep -l foo",
        "cat <<X\nmake env\nX",
        "python3 - <<X\nprint(1)\nX",
        "cat <<X\nimport os; print(os.environ)\nX",
        "case $1 in a) make;; set) make;; esac",
        "trap 'rm -f x' EXIT; make",
        "if [ -f x ]; then make; fi",
        "(cd sub; make) 2>/dev/null",
        "echo make | sh",
        "eval make",
        "export A=1; make",
        "set -e; ./configure && make",
        "set -ex; export A=1; $CC -c x.c",
        "env >/dev/null; make",
        "env 2>&1 >/dev/null; make",
        "printenv >/dev/null && make",
        "x=$(env | grep -c A); make",
        "if env | grep -q ^A=; then make; fi",
        "env | wc -l",
        "env A=1 make",
        "printenv PATH HOME",
        "echo ${A:-\"x\"}; make",
        "command -v pass >/dev/null && make",
        "vault status",
        "[ -f ~/.netrc ] && make",
        "rm -f .npmrc",
        "make <<<x",
        "echo $'it\\'s'; make",
        "declare -p PATH",
        "gpg --version",
        "time cc *.c",
        "case $1 in -h|--help) make;; *.c|*.h) make x;; esac",
        "./build*.sh; ./run{1,2}",
    ] {
        assert_eq!(told_of(script), None, "{script}");
    }
}
