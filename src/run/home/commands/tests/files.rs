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
    ] {
        let words = [b"bash", &b"-c"[..], script.as_bytes()];
        assert_eq!(home(&words, b"/w"), Some(Home::Credentials), "{script}");
    }
    for line in ["cat /h/.aws//credentials", "cat /h/.aws/./credentials", "tar c /h/.ssh"] {
        assert_eq!(told(line), Some(Home::Credentials), "{line}");
    }
}

#[test]
fn relative_paths_count_in_the_working_directory() {
    for (folder, line) in [
        ("/h/.aws", "cat credentials"),
        ("/h/.ssh", "grep -r ."),
        ("/proc/self", "cat environ"),
        ("/proc", "cat self/environ"),
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
        "ls ~/.ssh",
        "[ -d ~/.aws ] && make",
        "cat /proc/cpuinfo",
        "cat /proc/self/status",
        "cat .docker/Dockerfile",
        "find . -name id_rsa",
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
