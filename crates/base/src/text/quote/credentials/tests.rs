//! What is masked, and what is not.

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
    }
}
