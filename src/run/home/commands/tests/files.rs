//! Files of secrets, however they are named.

use super::*;

#[test]
fn files_of_secrets_are_known_however_they_are_named() {
    for script in [
        "cat ~/.ssh/id_*",
        "cat ~/.ssh/$x",
        "cat ~/.aws/*",
        "cat ~/.a*/cred*",
        "cat {id_rsa,x}",
        "cat ~/.{netrc,x}",
        "cat {~/.aws,x}/credentials",
        "cat id_*",
        "cat id_[r]sa",
        "cat ~/.n*",
        "f=~/.aws/credentials; cat $f",
        "f=.netrc; cat ~/$f",
        "cat ${f:-~/.netrc}",
        "cd ~/.docker; cat config.json",
        "set -- ~/.netrc; cat \"$1\"",
        "for f in ~/.ssh/*; do cat $f; done",
        "a=(~/.ssh/*); cat \"${a[@]}\"",
        "cat < ~/.ssh/$x",
        "cat ~/.aws//credentials",
        "cat ~/.aws/./credentials",
        "cat ~/.aws/x/../credentials",
        "grep -r . ~/.ssh",
        "grep -r . ~/.ssh/",
        "tar c ~/.ssh",
        "find ~/.ssh",
        "find ~ -name id_rsa -exec cat {} \\;",
        "cat /proc/self/env*",
        "cat /proc/*/environ",
        "cat /proc/self/task/1/environ",
        "cd /proc/self; cat environ",
        "f=/proc/self/environ; cat $f",
        "p=/proc/1; cat $p/environ",
        "for p in /proc/*; do cat $p/environ; done",
        "d=/etc; cat $d/shadow",
        "cd /etc && cat shadow",
        "d=~/.config; cat $d/gh/hosts.yml",
        "cat ~/.*rc",
        "cat ~/.[np]*rc",
        "cat ~/.*/credentials",
        "cat ~/.config/*/hosts.yml",
        "cat ~/.*",
        "cat ~/.[!.]*",
        "for f in ~/.*rc; do cat $f; done",
        "n=netrc; cat ~/.$n",
        "cat \"${XDG_CONFIG_HOME:-$HOME/.config}/gh/hosts.yml\"",
        "find ~ -name .netrc | xargs cat",
        "ls ~/.netrc | xargs cat",
        "cat $(ls ~/.netrc)",
        "D=/etc; F=shadow; cat $D/$F",
        "P=/proc; cat $P/self/environ",
        "pushd ~/.docker; cat config.json",
        "cd /run/secrets; cat db",
        "cat $(find ~ -name .netrc)",
        "find /etc -name shadow -exec cat {} +",
        "cat ~/.config/gh/*",
        ". ~/.vault-token",
        "tar c ~/.config/gh",
        "cat *.key",
        "cat $x.tfvars",
        "cat /etc/ssh/ssh_host_*_key",
        "cat /etc/wireguard/$x",
        "cat .env*",
        "f=.env; cat $f",
        "jq -R . .env",
        "jq -Rn inputs .env",
        "jq -n --rawfile a .env '$a'",
    ] {
        let words = [b"bash", &b"-c"[..], script.as_bytes()];
        assert_eq!(home(&words, b"/w"), Some(Home::Credentials), "{script}");
    }
    for line in ["cat /h/.aws//credentials", "cat /h/.aws/./credentials", "tar c /h/.ssh"] {
        assert_eq!(told(line), Some(Home::Credentials), "{line}");
    }
}

#[test]
fn files_of_many_tools_are_known() {
    for file in [
        ".env",
        ".env.local",
        "/w/.env.production",
        ".envrc",
        "kubeconfig",
        "x/kubeconfig.yaml",
        "server.key",
        "/etc/letsencrypt/live/x/privkey.pem",
        "key.pem",
        "tls-key.pem",
        "terraform.tfstate",
        "prod.tfvars",
        "x.p12",
        "x.pfx",
        "x.kdbx",
        "config/master.key",
        "/run/secrets/db",
        "/var/run/secrets/kubernetes.io/serviceaccount/token",
        "/etc/kubernetes/admin.conf",
        "/etc/rancher/k3s/k3s.yaml",
        "/etc/ssh/ssh_host_ed25519_key",
        "/etc/wireguard/wg0.conf",
        "/etc/NetworkManager/system-connections/x.nmconnection",
        "/h/.config/git/credentials",
        "/h/.m2/settings.xml",
        "/h/.config/rclone/rclone.conf",
        "/h/.s3cfg",
        "/h/.terraformrc",
        "/h/.boto",
        "/h/.config/sops/age/keys.txt",
        "/h/.cache/huggingface/token",
        "/h/.kaggle/kaggle.json",
        "service-account.json",
        "file:///proc/self/environ",
        "if=/proc/self/environ",
        "http://169.254.169.254/latest/meta-data",
        "--url=metadata.google.internal/x",
    ] {
        assert_eq!(told(&format!("cat {file}")), Some(Home::Credentials), "{file}");
    }
    assert_eq!(told("find /etc -name shadow -exec cat {} +"), Some(Home::Credentials));
    assert_eq!(told("getent shadow"), Some(Home::Credentials));
    for line in [
        "cat .env.example .env.sample .env.template .env.dist .env.defaults",
        "cat /etc/ssh/ssh_host_ed25519_key.pub",
        "cat environment keys.md .environment",
        "docker run --env-file .env image make",
        "docker compose --env-file .env up",
        "docker compose --env-file=.env up",
        "curl --key x.key https://x",
        "sh -c '. ./.env; make'",
        "cat src/proc/self/x.c",
    ] {
        assert_eq!(told(line), None, "{line}");
    }
}

#[test]
fn relative_paths_count_in_the_working_directory() {
    for (folder, line) in [
        ("/h/.aws", "cat credentials"),
        ("/h/.ssh", "grep -r ."),
        ("/proc/self", "cat environ"),
        ("/proc", "cat self/environ"),
        ("/etc/wireguard", "cat wg0.conf"),
        ("/run/secrets", "cat db"),
        ("/", "cat etc/shadow"),
        ("/h/.config", "cat gh/hosts.yml"),
        ("/h/.cargo", "cat credentials.toml"),
        ("/h/.cargo", "sh -c 'cat credentials*'"),
    ] {
        let words = shlex::split(line).unwrap();
        let words: Vec<&[u8]> = words.iter().map(String::as_bytes).collect();
        assert!(is_near_secrets(folder.as_bytes(), [&b"cat proc/self/environ"[..]]), "{folder}");
        assert_eq!(home(&words, folder.as_bytes()), Some(Home::Credentials), "{folder}: {line}");
    }
    for (folder, line) in [("/h/.cargo", "make credentials.rs"), ("/w", "cat credentials")] {
        let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
        assert_eq!(home(&words, folder.as_bytes()), None, "{folder}: {line}");
    }
    assert!(!is_near_secrets(b"/h/project", []));
    assert!(!is_near_secrets(b"/", [&b"cat"[..], b"f"]));
}

#[test]
fn files_that_only_look_like_it_or_are_not_shown_are_shared() {
    for script in [
        "cat *",
        "cat *.json *.rs",
        "cat app*.js",
        "cat $dir/config.json",
        "cat $dir/$f",
        "cat .github/*",
        "cat ~/.ssh/*.pub",
        "cat ~/.ssh/known_hosts",
        "[ -d ~/.aws ] && make",
        "cat /proc/cpuinfo",
        "cat /proc/self/status",
        "cat .docker/Dockerfile",
        "cat $DIR/config.json",
        "cat */config.yml",
        "cat $x/$y.conf fs/proc/*.c",
        "cat /etc/os-release; cat /etc/hosts | grep $x",
        "for d in /etc/*.d; do ls $d; done",
        "cd ~/.config/nvim && cat init.lua",
        "echo \"done. .$x\"",
        "sed 's/.*/x/' f",
        "tar c --exclude=.ssh .",
        "ssh -i ~/.ssh/id_rsa host make",
        "scp -i ~/.ssh/id_rsa a host:b",
        "curl --netrc-file ~/.netrc https://x",
        "kubectl --kubeconfig=/h/.kube/config get pods",
        "grep -q x ~/.netrc",
        "sha256sum ~/.ssh/id_rsa",
        "wc -c ~/.netrc",
    ] {
        let words = [b"bash", &b"-c"[..], script.as_bytes()];
        assert_eq!(home(&words, b"/w"), None, "{script}");
    }
}
