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
