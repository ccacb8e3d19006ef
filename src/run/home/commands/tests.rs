//! What is known of commands that print credentials, however they are written.

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

/// A script of a shell.
fn told_of(script: &str) -> Option<Home> {
    home(&[b"bash", b"-c", script.as_bytes()])
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
echo $(( $(env|wc -l) ))
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
/usr/bin/print*nv; pass
compgen -e
command -p env
exec -a x env
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
    ];
    let scripts = of_one_line.chain(longer);
    let missed: Vec<&str> = scripts.filter(|it| told_of(it) != Some(Home::Credentials)).collect();
    assert!(missed.is_empty(), "{missed:#?}");
    let words: [&[u8]; 6] = [b"sh", b"-c", b"exec \"$@\"", b"sh", b"pass", b"show"];
    assert_eq!(home(&words), Some(Home::Credentials));
    // What cannot be examined is doubtful.
    let deep = "(".repeat(100_000) + "make";
    assert_eq!(told_of(&"$(cat <<A\n".repeat(100)), Some(Home::Credentials));
    for script in [deep, "sudo eval ".repeat(200), "make x; ".repeat(30_000)] {
        assert_eq!(told_of(&script), Some(Home::Credentials));
    }
}

#[test]
fn a_script_may_end_anywhere() {
    for end in 0..SCRIPTS.len() {
        script::parse(&SCRIPTS.as_bytes()[..end]);
        script::parse(&SCRIPTS.as_bytes()[end..]);
    }
}

#[test]
fn the_script_of_a_shell_is_found_behind_any_options() {
    for line in [
        "sh -c -- env",
        "bash -c -e env",
        "bash -co pipefail env",
        "bash -o pipefail -c env",
        "bash -o pipefail -euc env x",
        "bash +e -c +x env",
        "bash --norc --rcfile x -c env",
        "fish --command env",
        "fish --command=env",
        "fish --comm=env",
        "fish -cenv",
        "fish -C env x",
        "zsh -fc env",
        "busybox sh -c env",
        "busybox printenv",
        "busybox env",
        "sudo bash -c env",
        "env sh -c -- env",
    ] {
        assert_eq!(told(line), Some(Home::Credentials), "{line}");
    }
}

#[test]
fn whatever_runs_another_command_is_looked_through() {
    for line in [
        "genv A=b",
        "gnice -n 5 printenv",
        "gtimeout 5 printenv",
        "gstdbuf -oL gnohup gtime printenv",
        "setarch x86_64 -R printenv",
        "setarch -R printenv",
        "linux64 printenv",
        "uname26 printenv",
        "prlimit --nofile=100 printenv",
        "choom -n 0 printenv",
        "setpriv --reuid 1 env",
        "unshare -r printenv",
        "flock /dev/null printenv",
        "flock /dev/null -c 'env | cat'",
        "script -qc env /dev/null",
        "script --command=env x",
        "strace -f -o x printenv",
        "ltrace -o x printenv",
        "ssh-agent env",
        "find x -exec env ;",
        "find x -execdir env {} ; -exec pass show {} +",
        "xargs -n 1 pass show",
        "env - --chdir=x printenv",
    ] {
        assert_eq!(told(line), Some(Home::Credentials), "{line}");
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
        "case $1 in a) make;; set) make;; esac",
        "trap 'rm -f x' EXIT; make",
        "if [ -f x ]; then make; fi",
        "(cd sub; make) 2>/dev/null",
        "echo make | sh",
        "eval make",
    ] {
        assert_eq!(told_of(script), None, "{script}");
    }
    for line in [
        "env FOO=1 make",
        "timeout 5 make test",
        "nice cargo test",
        "sh -c 'make \"$@\"' sh id",
        "sh x.sh env",
        "flock x make",
        "setarch -R make",
        "find . -name pass",
        "sudo env A=1 make",
        "docker run image make",
        "busybox ls",
    ] {
        assert_eq!(told(line), None, "{line}");
    }
}
