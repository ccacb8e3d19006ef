//! Tests of which texts are masked.

use super::*;

#[track_caller]
fn shows(argv: &[&str], expected: &str) {
    let line = |credentials: Credentials| credentials.line(argv.iter().map(|it| it.as_bytes()));
    let shown = line(Credentials::Masked).replace("'***'", "***");
    assert_eq!(shown, expected);
    assert_eq!(
        line(Credentials::Revealed),
        Credentials::Revealed.line(argv.iter().map(|it| it.as_bytes()))
    );
}

#[test]
fn options_and_variables_with_a_credential_are_masked() {
    shows(&["tool", "--password", "s3cret", "x"], "tool --password *** x");
    shows(&["tool", "--password=s3cret", "x"], "tool '--password=***' x");
    shows(&["tool", "-password", "s3cret"], "tool -password ***");
    shows(&["tool", "--api-key", "s3cret"], "tool --api-key ***");
    shows(&["tool", "--accessToken=s3cret"], "tool '--accessToken=***'");
    shows(&["env", "PGPASSWORD=s3cret", "psql"], "env 'PGPASSWORD=***' psql");
    shows(&["env", "AWS_SECRET_ACCESS_KEY=x/y+z=", "aws"], "env 'AWS_SECRET_ACCESS_KEY=***' aws");
    shows(&["tool", "-Ddb.password=s3cret"], "tool '-Ddb.password=***'");
    shows(&["kubectl", "--from-literal=password=x"], "kubectl '--from-literal=password=***'");
    shows(&["tool", "--password", "--verbose"], "tool --password --verbose");
}

#[test]
fn headers_and_bodies_are_masked() {
    shows(&["curl", "-H", "Authorization: Bearer abc.def"], "curl -H 'Authorization: Bearer ***'");
    shows(&["curl", "-H", "authorization: abc"], "curl -H 'authorization: ***'");
    shows(&["curl", "-H", "Authorization: token abc def"], "curl -H 'Authorization: token ***'");
    shows(&["curl", "-HX-Api-Key: abc"], "curl '-HX-Api-Key: ***'");
    shows(&["curl", "-H", "PRIVATE-TOKEN: abc"], "curl -H 'PRIVATE-TOKEN: ***'");
    shows(&["curl", "-H", "Cookie: a=b; c=d"], "curl -H 'Cookie: ***'");
    shows(
        &["curl", "-d", r#"{"user": "me", "password": "a b"}"#],
        r#"curl -d '{"user": "me", "password": "***"}'"#,
    );
    shows(&["curl", "-d", "user=me&token=abc&x=1"], "curl -d 'user=me&token=***&x=1'");
    shows(&["curl", "-u", "me:s3cret", "x"], "curl -u 'me:***' x");
    shows(&["curl", "-ume:s3cret", "x"], "curl '-ume:***' x");
    shows(&["curl", "--user", "me:s3cret"], "curl --user 'me:***'");
}

#[test]
fn scripts_are_masked_and_their_variables_are_not() {
    shows(
        &["sh", "-c", "curl -H \"Authorization: Bearer abc\" x | jq ."],
        "sh -c 'curl -H \"Authorization: Bearer ***\" x | jq .'",
    );
    shows(&["sh", "-c", "tool --token abc --x"], "sh -c 'tool --token *** --x'");
    shows(&["sh", "-c", "PASSWORD='a b' tool"], "sh -c \"PASSWORD=*** tool\"");
    for script in ["tool --token $TOKEN", "tool --token=${TOKEN}", "TOKEN=$(pass show x) tool"] {
        let line = Credentials::Revealed.line([b"sh".as_slice(), b"-c", script.as_bytes()]);
        shows(&["sh", "-c", script], &line);
    }
}

#[test]
fn urls_and_tokens_of_a_known_form_are_masked() {
    shows(&["git", "clone", "https://me:s3cret@host/x"], "git clone 'https://me:***@host/x'");
    shows(&["psql", "postgres://me:p@ss@host:5/db"], "psql 'postgres://me:***@host:5/db'");
    shows(&["curl", "https://x.org/?key=abc&q=1"], "curl 'https://x.org/?key=***&q=1'");
    shows(&["x", "ghp_0123456789abcdef0123"], "x ***");
    shows(&["x", "https://ghp_0123456789abcdef0123@h/x"], "x 'https://***@h/x'");
    shows(&["x", "eyJhbGciOiJIUzI1.eyJzdWIiOiIx.SflKxwRJ"], "x ***");
    shows(&["mysql", "-ps3cret", "-u", "root"], "mysql '-p***' -u root");
    shows(&["sudo", "redis-cli", "-a", "s3cret"], "sudo redis-cli -a ***");
}

#[test]
fn options_without_a_value_may_stand_before_the_one_with_the_credential() {
    shows(&["curl", "-sSu", "me:s3cret", "x"], "curl -sSu 'me:***' x");
    shows(&["curl", "-fsSLume:s3cret", "x"], "curl '-fsSLume:***' x");
    shows(&["curl", "--user=me:s3cret"], "curl '--user=me:***'");
    shows(&["curl", "-b", "session=abc; x=y", "x"], "curl -b *** x");
    shows(&["curl", "--oauth2-bearer", "abc"], "curl --oauth2-bearer ***");
    shows(&["zip", "-rP", "s3cret", "x.zip"], "zip -rP *** x.zip");
    shows(&["http", "-va", "me:s3cret", ":/x"], "http -va 'me:***' :/x");
    shows(&["ldapsearch", "-xw", "s3cret"], "ldapsearch -xw ***");
    shows(&["smbclient", "-U", "me%s3cret"], "smbclient -U 'me%***'");
    shows(&["lftp", "-u", "me,s3cret", "host"], "lftp -u 'me,***' host");
    shows(&["openssl", "enc", "-k", "s3cret"], "openssl enc -k ***");
    shows(&["openssl", "rsa", "-passin", "pass:s3cret"], "openssl rsa -passin 'pass:***'");
    shows(&["tool", "--password1", "s3cret"], "tool --password1 ***");
    shows(
        &["kubectl", "create", "secret", "generic", "x", "--from-literal=any=s3cret"],
        "kubectl create secret generic x '--from-literal=any=***'",
    );
}

#[test]
fn what_is_set_by_its_name_is_masked() {
    let key = "aws_secret_access_key";
    shows(&["aws", "configure", "set", key, "x"], &format!("aws configure set {key} ***"));
    shows(
        &["git", "config", "--global", "github.token", "x"],
        "git config --global github.token ***",
    );
    shows(&["npm", "config", "set", "//h/:_authToken", "x"], "npm config set //h/:_authToken ***");
    shows(&["fish", "-c", "set -gx API_KEY abc; x"], "fish -c 'set -gx API_KEY ***; x'");
}

#[test]
fn a_script_is_masked_as_a_command_line_is() {
    for (script, expected) in [
        ("curl -sSu me:s3cret x | jq .", "curl -sSu me:*** x | jq ."),
        ("cd /x && curl -u 'me:s3cret' x", "cd /x && curl -u '\\''me:***'\\'' x"),
        ("mysql -ps3cret -u root", "mysql -p*** -u root"),
        ("AWS_SECRET_ACCESS_KEY=x/y aws s3 ls", "AWS_SECRET_ACCESS_KEY=*** aws s3 ls"),
        ("sshpass -p s3cret ssh h", "sshpass -p *** ssh h"),
        ("curl -u me:s3cret x; docker run -u me:x y", "curl -u me:*** x; docker run -u me:x y"),
        ("bash -c \"redis-cli -a s3cret ping\"", "bash -c \"redis-cli -a *** ping\""),
    ] {
        let shown = String::from_utf8(in_text(script.as_bytes()).into_owned()).unwrap();
        assert_eq!(shown, expected.replace("'\\''", "'"));
    }
    for script in ["mysql -p$PW x", "curl -u \"$AUTH\" x", "tool --password $(cat x) y"] {
        assert_eq!(in_text(script.as_bytes()), script.as_bytes());
    }
}

#[test]
fn keys_and_addresses_that_are_secrets_are_masked() {
    let key =
        "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Blb\nnNza\n-----END OPENSSH PRIVATE KEY-----\n";
    let shown = in_text(key.as_bytes());
    let expected = "-----BEGIN OPENSSH PRIVATE KEY-----***-----END OPENSSH PRIVATE KEY-----\n";
    assert_eq!(shown, expected.as_bytes());
    shows(&["x", "https://a1b2c3d4e5f6a7b8c9d0@h/x"], "x 'https://***@h/x'");
    shows(&["x", "https://a1b2c3d4e5f6a7b8c9d0:@h/x"], "x 'https://***:@h/x'");
    shows(
        &["x", "https://a1b2c3d4e5f6a7b8c9d0:x-oauth-basic@h/x"],
        "x 'https://***:x-oauth-basic@h/x'",
    );
    let hook = "https://hooks.slack.com/services/T0/B0/abc";
    shows(&["curl", "-d", "{}", hook], "curl -d '{}' 'https://hooks.slack.com/***'");
    shows(&["curl", "--header", "X-Api-Key: abc"], "curl --header 'X-Api-Key: ***'");
    shows(&["curl", "-HDD-APPLICATION-KEY: abc"], "curl '-HDD-APPLICATION-KEY: ***'");
    shows(&["x", "hvs.CAESIJ0123456789abcdef"], "x ***");
}

#[test]
fn what_is_no_credential_stays() {
    for argv in [
        &["kubectl", "get", "secret", "web"][..],
        &["kubectl", "get", "secret/web", "-o", "json"],
        &["git", "log", "--author=me", "--format=%h"],
        &["ssh", "git@host", "ls"],
        &["curl", "https://host:8080/a:b@c"],
        &["docker", "run", "--user", "1000:1000", "-p", "80:80", "x"],
        &["tool", "--password-file", "x", "--token-ttl=5m", "--no-password", "x"],
        &["sort", "--key=2", "-k", "3", "bypass=1", "compass=2"],
        &["grep", "token"],
        &["mysql", "-p", "database"],
        &["git", "log", "sk-short", "npm_x"],
        &["env", "npm_config_fetch_retries=5", "npm", "ls"],
        &["curl", "-sSL", "-b", "cookies.txt", "-o", "x", "https://h/x"],
        &["openssl", "req", "-key", "x.pem", "-keyout", "y.pem"],
        &["ssh", "ssh://git@host/x", "https://me@host/x"],
        &["kubectl", "config", "set-credentials", "me"],
        &["git", "config", "credential.helper", "store"],
        &["sh", "-c", "set -o pipefail; curl -sS https://h/x | tar -xzf - -C /x"],
    ] {
        let line = Credentials::Revealed.line(argv.iter().map(|it| it.as_bytes()));
        shows(argv, &line);
    }
}

#[test]
fn whatever_the_bytes_nothing_breaks() {
    let mut seed = 7_u64;
    let pieces: [&[u8]; 16] = [
        b"token",
        b"=",
        b":",
        b"\"",
        b"'",
        b" ",
        b"--password",
        b"Authorization",
        b"Bearer",
        b"://",
        b"@",
        b"\xff",
        "名".as_bytes(),
        b"$",
        b"?key",
        b"\n",
    ];
    for _ in 0..20_000 {
        let mut text = Vec::new();
        for _ in 0..8 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            text.extend_from_slice(pieces[(seed >> 60) as usize]);
        }
        let shown = in_text(&text);
        assert!(shown.len() <= text.len() + 3 * MASK.len() * 8);
        masked(&[b"curl", b"-u", &text, &text]);
        masked(&[b"sh", b"-c", &[b"curl -sSu ", text.as_slice()].concat()]);
    }
}
