//! What is known of commands that print credentials, however they are written.

use super::patterns::like;
use super::*;

mod computed;
mod files;
mod scripts;
mod tools;

fn told(line: &str) -> Option<Home> {
    let words = shlex::split(line).unwrap();
    home(&words.iter().map(String::as_bytes).collect::<Vec<_>>(), b"/w")
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
        "printenv TOKEN",
        "sh -c 'env | sort >x'",
        "bash -c set",
        "bash -c 'declare -x; make'",
        "ibmcloud iam oauth-tokens",
        "npm config get //registry.npmjs.org/:_authToken",
        "npm config list -l",
        "npm token list",
        "npm run env",
        "pulumi config get x",
        "pulumi config --show-secrets",
        "pulumi stack output --show-secrets",
        "kubectl get secrets",
        "kubectl -n a get sec/a -o json",
        "docker-credential-gcloud get",
        "git credential fill",
        "git config --get http.https://github.com/.extraheader",
        "security find-generic-password -w",
        "secret-tool lookup a b",
        "gpg --export-secret-keys",
        "ssh-keygen -y -f x",
        "openssl rsa -in key",
        "heroku auth:token",
        "flyctl auth token",
        "fly tokens create",
        "glab auth status -t",
        "doctl auth token",
        "terraform output password",
        "terraform output -json",
        "sops -d x",
        "age -d x",
        "bw get password x",
        "lpass show x",
        "keyctl print 1",
        "cat /root/.netrc",
        "head -n1 /h/.aws/credentials",
        "jq . /h/.docker/config.json",
        "cat .kube/config",
        "base64 -w0 .npmrc",
        "dd if=.pypirc",
        "cat /h/.git-credentials",
        "sudo cat /h/.ssh/id_rsa",
        "timeout 5 cat /proc/self/environ",
        "sh -c 'cat \"$1\"' sh /h/.netrc",
        "python3 -c 'import os; print(os.environ)'",
        "python -Bc 'import os; print(os.getenv(\"A\"))'",
        "python3.11 '-cimport os;print(os.environ)'",
        "node -e 'console.log(process.env)'",
        "node -p process.env.A",
        "perl -e 'print %ENV'",
        "perl -lE 'say $ENV{A}'",
        "ruby -e 'puts ENV.to_h'",
        "awk 'BEGIN {for (i in ENVIRON) print ENVIRON[i]}'",
        "jq -n env",
        "jq -n '$ENV.A'",
        "php -r 'echo getenv(\"A\");'",
        "cmake -E environment",
        "make -np",
    ] {
        assert_eq!(told(line), Some(Home::Credentials), "{line}");
    }
}

#[test]
fn less_common_subcommands_are_known() {
    for line in [
        "kubectl get Secret",
        "kubectl get SECRETS",
        "gcloud services api-keys get-key-string x",
        "aws kms generate-data-key --key-id x",
        "aws cognito-idp admin-initiate-auth",
        "az webapp config appsettings list",
        "az iot hub connection-string show",
        "az keyvault key download",
        "gh config get oauth_token",
        "kubectl view-secret x",
        "helm secrets view x",
        "databricks auth token",
        "cf env app",
        "consul kv get x",
        "granted credential-process",
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
        "npm config get registry",
        "npm run build",
        "npm test env",
        "pulumi config",
        "terraform output",
        "kubectl get pods -o wide",
        "python3 -c 'print(1)'",
        "python3 manage.py --environment x",
        "node x.js env",
        "perl -pe s/a/b/ x",
        "awk '{print $1}' x",
        "jq .a x",
        "make -j4 --print-directory",
        "cat config.json credentials",
        "ssh-copy-id_rsa x",
        "cat id_rsa.pub",
        "printenv PATH",
        "printenv LANG LC_ALL",
        "vault status -format=json",
        "vault --version",
        "pass --help",
        "numactl -N0 make",
        "git rebase main",
        "cargo run -- x",
        "",
    ] {
        assert_eq!(told(line), None, "{line}");
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
        "chronic -v env",
        "sg docker env",
        "sg docker -c 'env | cat'",
        "dbus-run-session --config-file x -- env",
        "make --eval '$(info $(shell env))'",
        "make '--eval=$(info $(shell env))'",
        "watch -n 1 env",
        "entr -r env",
        "parallel env ::: a",
        "ts env",
        "unbuffer -p env",
        "faketime '2020-01-01 1:00' env",
        "catchsegv env",
        "systemd-run --user env",
        "runuser -u x -- env",
        "doas -u x env",
        "chpst -u x env",
        "daemonize -o x env",
        "firejail --quiet env",
        "bwrap --ro-bind / / env",
        "proot -R x env",
        "fakeroot -u -- env",
        "eatmydata env",
        "ionice -c3 taskset 1 env",
        "numactl -C 0 env",
        "cgexec -g cpu:x env",
        "nsenter -t 1 -m env",
        "direnv exec . env",
        "mise exec -- env",
        "uv run env",
        "poetry run env",
        "pipenv run env",
        "npx env",
        "npm exec -- env",
        "pnpm exec env",
        "bundle exec env",
        "git submodule foreach env",
        "git bisect run sh -c env",
        "valgrind -q env",
        "xvfb-run -a env",
        "hyperfine 'env; true'",
        "sudo fish -c env",
        "sudo find . -exec env ;",
        "docker run --entrypoint=env image",
    ] {
        assert_eq!(told(line), Some(Home::Credentials), "{line}");
    }
}

#[test]
fn what_runs_an_ordinary_command_is_shared() {
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
        "uv run pytest",
        "npx tsc --noEmit",
        "poetry run make env=x",
        "eatmydata make",
        "fakeroot -u make",
        "cgexec -g cpu:x make id",
        "make --eval 'A := 1' x",
        "xargs -n1 env A=1 make",
    ] {
        assert_eq!(told(line), None, "{line}");
    }
}

#[test]
fn the_tables_are_sorted() {
    for table in [CREDENTIALS, MACHINE, LEADERS] {
        assert!(table.is_sorted_by_key(|rule| rule.0));
    }
    for name in ["python3.11", "gpg2", "lua5.4", "docker-credential-gcloud", "psonoci"] {
        assert!(rules::is_known(name), "{name}");
    }
}

#[test]
fn words_match_patterns() {
    for (pattern, word) in
        [("a", "a"), ("a*", "a"), ("*a*b*", "xaxbx"), ("a*b", "a-b"), ("*", ""), ("*a", "aa")]
    {
        assert!(like(pattern, word.as_bytes()), "{pattern} {word}");
    }
    for (pattern, word) in [("a", "ab"), ("a*b", "a"), ("a*a", "a"), ("*a*b*", "ba"), ("*ab", "a")]
    {
        assert!(!like(pattern, word.as_bytes()), "{pattern} {word}");
    }
}
