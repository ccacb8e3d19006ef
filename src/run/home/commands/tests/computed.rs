//! Subcommands that a script computes, or that come from somewhere else.

use super::*;

/// A script of a shell.
fn told_of(shell: &str, script: &str) -> Option<Home> {
    home(&[shell.as_bytes(), b"-c", script.as_bytes()], b"/w")
}

#[test]
fn what_is_computed_may_be_what_prints_credentials() {
    for script in [
        "f() { gh \"$@\"; }; f auth token",
        "a=(auth token); gh \"${a[@]}\"",
        "for t in cm secret; do kubectl get $t; done",
        "kubectl get -A \"$t\"",
        "kubectl get pods,$t",
        "a=auth; gh $a token",
        "gh a$x token",
        "set -- auth token; gh \"$@\"",
        "gh {auth,token}",
        "gh a*",
        "gh $(echo auth) token",
        "gh `echo auth` token",
        "echo auth token | xargs gh",
        "xargs -a F gh",
        "parallel gh ::: auth",
        "read -r a b <<<\"auth token\"; gh $a $b",
        "sudo gh $x",
        "timeout 5 gh \"$x\" token",
        "sh -c \"gh $x token\"",
        "x=gh; ${x}gh $y",
        "aws $x",
        "aws ecr $x",
        "aws ecr get-$x",
        "aws kms $x",
        "az storage account $x list",
        "gcloud secrets $x",
        "gcloud $x print-access-token",
        "terraform output $x",
        "git config $x",
        "npm config get $x",
        "helm get $x a",
    ] {
        for shell in ["bash", "zsh"] {
            assert_eq!(told_of(shell, script), Some(Home::Credentials), "{script}");
        }
    }
    for script in ["set a auth token; gh $a", "gh (echo auth) token", "gh {auth,x} token"] {
        assert_eq!(told_of("fish", script), Some(Home::Credentials), "{script}");
    }
    for line in ["xargs -a F gh", "xargs -I% gh % x", "xargs -I {} gh {} x", "parallel gh {} ::: a"]
    {
        assert_eq!(told(line), Some(Home::Credentials), "{line}");
    }
}

#[test]
fn the_value_of_an_option_is_no_subcommand() {
    for script in [
        "kn() { kubectl -n prod get \"$@\"; }; kn secret db",
        "for r in configmap secret; do kubectl -n prod get $r; done",
        "echo secret x | xargs kubectl -n prod get",
        "aws --profile p sts $x",
        "helm -n x get \"$@\"",
        "gh -R a/b \"$@\"",
        "aws --profile p secretsmanager \"$@\"",
        "git -C x config \"$@\"",
        "git -c a=b config \"$@\"",
        "npm --prefix x config \"$@\"",
        "kubectl get -n prod \"$@\"",
        "kubectl get -o yaml \"$@\"",
        "kubectl -nprod get \"$@\"",
        "kubectl --as get get \"$@\"",
        "gh --unknown x \"$@\"",
        "x() { docker exec c \"$@\"; }; x env",
        "echo c env | xargs docker exec",
    ] {
        for shell in ["bash", "zsh"] {
            assert_eq!(told_of(shell, script), Some(Home::Credentials), "{script}");
        }
    }
    let script = "function kg; kubectl -n prod get $argv; end";
    assert_eq!(told_of("fish", script), Some(Home::Credentials));
    for (script, given) in
        [("kubectl -n prod get \"$1\" x", "secret"), ("docker exec c \"$@\"", "env")]
    {
        let words = ["sh", "-c", script, "_", given].map(str::as_bytes);
        assert_eq!(home(&words, b"/w"), Some(Home::Credentials), "{script}");
    }
    for script in [
        "git --no-pager log $x",
        "git -P log $x",
        "git config --global user.email $x",
        "npm --silent run $x",
        "kubectl get pods $x",
        "kubectl -n prod get pods $x",
        "kubectl get -A pods $x",
    ] {
        assert_eq!(told_of("bash", script), None, "{script}");
    }
}

#[test]
fn a_command_may_be_put_together_from_any_words_of_a_script() {
    for script in [
        "K=\"kubectl -n prod\"; $K get secret db",
        "K=\"kubectl -n prod\"; kn() { $K get \"$@\"; }; kn secret db",
        "K=\"kubectl -n prod\"; for r in cm secret; do $K get $r; done",
        "K=\"kubectl -n prod\"; $K get $KIND",
        "export K=\"kubectl -n prod\"; $K get secret db",
        "sudo ${K:-kubectl -n prod} get secret db",
        "AWS=\"aws --profile p\"; $AWS secretsmanager get-secret-value --secret-id x",
        "TF=\"terraform -chdir=infra\"; $TF output -json",
        "a=(git config); \"${a[@]}\" --list",
        "K=\"kubectl -n prod\"; ${=K} get secret",
        "AZ=\"az keyvault\"; $AZ secret show",
        "x=\"get secret\"; kubectl -n prod $x db",
        "CMD=\"c env\"; docker exec $CMD",
        "G=\"git config\"; $G --list",
        "P=\"python3 -c\"; $P 'import os; print(os.environ)'",
        "cmd=(kubectl); cmd+=(-n prod get secret db); \"${cmd[@]}\"",
        "cmd=\"kubectl get\"; cmd+=\" secret db\"; eval \"$cmd\"",
        "cmd=\"kubectl\"; cmd=\"$cmd get secret x\"; $cmd",
        "printf -v cmd 'kubectl get %s' secret; $cmd",
        "$SUDO kubectl get $r",
        "K=kubectl bash -c '$K get secret x'",
        "export K='kubectl -n prod'; sh -c '$K get secret x'",
        "run() { \"$@\"; }; run kubectl -n prod get secret x",
        "time $T kubectl get $r",
        "declare -A m=([a]=kubectl); ${m[a]} get secret x",
        "set -- kubectl get secret x; \"$@\"",
        "g=get s=secret; kubectl $g $s",
        "alias k=kubectl\nk get secret x",
        "alias k='kubectl -n prod'\nk get secret x",
    ] {
        for shell in ["bash", "zsh"] {
            assert_eq!(told_of(shell, script), Some(Home::Credentials), "{script}");
        }
    }
    for script in [
        "alias k kubectl\nk get secret x",
        "alias k=kubectl; k get secret x",
        "abbr -a k kubectl\nk get secret x",
        "abbr k kubectl\nk get secret x",
    ] {
        assert_eq!(told_of("fish", script), Some(Home::Credentials), "{script}");
    }
    for script in [
        "K=\"kubectl -n prod\"; $K get pods $x",
        "G=git; $G log --oneline; ls -l",
        "$CC -c x.c; git config user.name x; ls -l",
        "$CC -o x x.c && echo 'the last free id'",
        "docker run -v \"$PWD:/src\" img make; git config user.name x; ls --list",
        "MAKE=\"make -j4\"; mkdir -p out; $MAKE",
        "alias ll='ls -l'; ll",
        "env A=$B make",
        "timeout 10 make $X",
        "docker run --rm -e CI=1 -v $PWD:/src img sh -c 'cd /src && make'",
        "docker compose -f docker-compose.yml run web pytest $x",
        "MSG=\"update the id\"; git commit -m \"$MSG\"",
        "PATH=$PWD/bin:$PATH make",
        "find . -type f | xargs -P4 -n1 sh -c 'gzip \"$0\"'",
        ". ~/.cargo/env; $CC x.c",
    ] {
        assert_eq!(told_of("bash", script), None, "{script}");
    }
}

#[test]
fn what_is_computed_is_shared_if_what_is_in_front_of_it_rules_that_out() {
    for script in [
        "kubectl get pods $x",
        "kubectl -n $ns get pods",
        "kubectl --namespace \"$ns\" get pods",
        "kubectl apply -f *.yml",
        "aws s3 cp $a $b",
        "aws --region \"$R\" s3 ls",
        "aws s3 cp *.c s3://x/",
        "az group show -n $n",
        "gh pr view $n",
        "gh -R \"$repo\" pr list",
        "gcloud compute instances list --filter $x",
        "git log $x",
        "git -C $dir status",
        "git commit -m \"$m\"",
        "git checkout $b && make",
        "npm run $x",
        "terraform -chdir=$d plan",
        "terraform plan -var $x",
        "helm upgrade $x",
        "make -j$n $targets",
        "python3 -c \"print($x)\"",
        "awk \"{print $x}\"",
        "jq \".$x\" f",
        "find . -name '*.c' | xargs git log",
        "xargs aws s3 rm",
        "openssl dgst $f",
        "docker run image $x",
    ] {
        assert_eq!(told_of("bash", script), None, "{script}");
    }
}
