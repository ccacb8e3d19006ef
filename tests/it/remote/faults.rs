//! A fault is named as what it is, with what to do about it, once and in time.

use super::Machines;
use crate::harness::{Call, Redis, Remote, S3, Server, WebDav, own_server};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

/// A store by this URL, and these variables beside it.
struct At<'s>(String, Vec<(&'static str, &'s str)>);

impl Remote for At<'_> {
    fn url(&self) -> String {
        self.0.clone()
    }

    fn variables(&self) -> Vec<(&'static str, String)> {
        self.1.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
    }
}

/// Credentials that any S3 would ask for.
const KEYS: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "b")];

/// One warning with these words, in about a second; `check` has them, too.
#[track_caller]
fn is_named(url: String, variables: &[(&'static str, &str)], words: &[&str]) {
    let remote = At(url, variables.to_vec());
    let machines = Machines::sharing(&remote);
    let call = machines.cachex.run("echo hi").with("--ignore-env AWS_*,*_proxy,*_PROXY");
    let call = machines.on("a", &call).env("CACHEX_REMOTE_TIMEOUT", "5s");
    let outcome = call.once().misses().prints("hi\n").exits(0).promptly();
    outcome.warns_once(&[&["the remote store is left alone for a minute: "], words].concat());
    machines.verb("a", "check").once().exits(1).shows(words);
}

/// Where nobody listens.
const NOBODY: &str = "127.0.0.1:1";

#[test]
fn a_server_that_is_not_there() {
    let words = ["refused", "is the server running"];
    is_named(format!("redis://{NOBODY}"), &[], &words);
    is_named(format!("s3://a?endpoint=http://{NOBODY}"), &KEYS, &words);
    is_named(format!("webdav://{NOBODY}/a"), &[], &words);
    is_named(format!("memcached://{NOBODY}"), &[], &words);
}

#[test]
fn a_name_that_is_unknown() {
    let words = ["the name `cache.invalid` is not found", "spelt right"];
    is_named("redis://cache.invalid".to_owned(), &[], &words);
    is_named("s3://a?endpoint=http://cache.invalid".to_owned(), &KEYS, &words);
    is_named("webdav://cache.invalid/a".to_owned(), &[], &words);
    is_named("http://cache.invalid/a".to_owned(), &[], &words);
}

#[test]
fn a_database_that_is_not_there() {
    let redis = Redis::start();
    let words = ["DB index is out of range", "leave it out"];
    is_named(format!("redis://127.0.0.1:{}/99", redis.port()), &[], &words);
}

#[test]
fn a_certificate_that_nobody_trusts() {
    let server: Server = own_server(["tls"]);
    let words = ["certificate", "one that this machine trusts"];
    is_named(format!("rediss://{}", server.address()), &[], &words);
    is_named(format!("s3://a?endpoint=https://{}", server.address()), &KEYS, &words);
    is_named(format!("webdavs://{}/a", server.address()), &[], &words);
    is_named(format!("https://{}/a", server.address()), &[], &words);
}

#[test]
fn encryption_on_one_side_only() {
    let (encrypted, redis) = (own_server(["tls"]), Redis::start());
    is_named(format!("rediss://127.0.0.1:{}", redis.port()), &[], &["are port and scheme right"]);
    is_named(format!("redis://{}", encrypted.address()), &[], &["is the scheme right"]);
}

#[test]
fn a_password_that_is_wrong() {
    let (redis, webdav, s3) = (Redis::with_password(), WebDav::with_password(), S3::start());
    let words = ["access was denied: see to user, password or token"];
    for url in [redis.url(), webdav.url()] {
        let wrong = ("CACHEX_REMOTE_PASSWORD", "wrong");
        is_named(url, &[("CACHEX_REMOTE_USER", "walrus"), wrong], &words);
    }
    is_named(s3.url(), &KEYS, &words);
}

/// A web server that answers everything in this way, until nobody asks any more.
fn answering(status: &str, body: &str) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let len = body.len();
    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {len}\r\n\r\n{body}");
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut request = [0; 1 << 14];
            while stream.read(&mut request).is_ok_and(|read| read > 0) {
                let _ = stream.write_all(answer.as_bytes());
            }
        }
    });
    address
}

#[test]
fn a_bucket_that_is_not_there() {
    let words = ["has to be made first"];
    let body = "<Error><Code>NoSuchBucket</Code><Message>It does not exist</Message></Error>";
    let s3 = answering("404 Not Found", body);
    is_named(format!("s3://a?endpoint=http://{s3}"), &KEYS, &words);
    let body = r#"{"error": {"code": 404, "message": "The specified bucket does not exist."}}"#;
    let gcs = answering("404 Not Found", body);
    is_named(format!("gs://a?endpoint=http://{gcs}"), &[], &words);
    let body = "<Error><Code>ContainerNotFound</Code><Message>It is not there</Message></Error>";
    let azure = answering("404 The specified container does not exist.", body);
    let account = [("CACHEX_REMOTE_USER", "a"), ("CACHEX_REMOTE_PASSWORD", "YQ==")];
    is_named(format!("az://a?endpoint=http://{azure}"), &account, &words);
}

#[test]
fn a_network_that_answers_everything_with_a_page_to_log_in() {
    let page = answering("200 OK", "<!DOCTYPE html><title>Welcome</title>");
    let remote = At(format!("http://{page}"), Vec::new());
    let machines = Machines::sharing(&remote);
    let outcome = machines.on("a", &machines.cachex.run("echo hi")).once().misses().prints("hi\n");
    outcome.warns_once(&["left alone for a minute: it answers with a web page", "log in"]);
    machines.on("a", &machines.cachex.run("echo other")).once().misses().quietly();
}

#[test]
fn a_proxy_that_wants_a_password() {
    let proxy = format!("http://{}", answering("407 Proxy Authentication Required", ""));
    let variables = [&KEYS[..], &[("http_proxy", &proxy)]].concat();
    is_named("s3://a?endpoint=http://cache.invalid".to_owned(), &variables, &["407", "NO_PROXY"]);
}

#[test]
fn a_proxy_that_is_not_there() {
    let proxy = format!("http://ada:lovelace@{NOBODY}");
    for (url, name) in [
        ("s3://a?endpoint=http://cache.invalid", "http_proxy"),
        ("s3://a?endpoint=https://cache.invalid", "HTTPS_PROXY"),
        ("webdavs://cache.invalid/a", "https_proxy"),
    ] {
        let words = ["by way of the proxy http://127.0.0.1:1", "NO_PROXY"];
        is_named(url.to_owned(), &[&KEYS[..], &[(name, &proxy)]].concat(), &words);
    }
}

#[test]
fn a_password_that_is_replaced_while_results_wait() {
    let redis = Redis::with_password();
    let machines = Machines::sharing(&redis);
    let run = |script: &str| machines.cachex.run(script).with("--ignore-env REDISCLI_AUTH");
    let before = run("echo before");
    machines.on("a", &before).once().misses();
    machines.shares("a");
    redis.cli(["CONFIG", "SET", "requirepass", "new"]);
    machines.on("a", &before).once().hits().quietly();
    let during = run("echo during");
    let outcome = machines.on("a", &during).once().misses().prints("during\n").promptly();
    outcome.warns_once(&["access was denied: see to user, password or token"]);
    machines.verb("a", "flush").once().exits(1).mentions(&["1 entry still waiting"]);
    // With the new one, nothing is lost.
    let renewed = |call: Call| call.env("REDISCLI_AUTH", "new");
    renewed(machines.verb("a", "check")).once().exits(0);
    renewed(machines.verb("a", "flush")).once().exits(0).shows(&["1 entry sent"]);
    for call in [&before, &during] {
        renewed(machines.on("b", call)).once().hits().quietly();
    }
}

/// A web server that holds nothing and has room for nothing.
fn full() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut request = vec![0; 1 << 16];
                while let Ok(read @ 1..) = stream.read(&mut request) {
                    let status = match &request[..read.min(4)] {
                        b"GET " | b"HEAD" | b"PROP" => "404 Not Found",
                        _ => "507 Insufficient Storage",
                    };
                    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
                    if stream.write_all(answer.as_bytes()).is_err() {
                        break;
                    }
                }
            });
        }
    });
    address
}

#[test]
fn a_web_server_that_is_full() {
    let address = full();
    let s3 = At(format!("s3://a?endpoint=http://{address}"), KEYS.to_vec());
    let webdav = At(format!("webdav://{address}/a"), Vec::new());
    for remote in [&s3, &webdav] {
        let machines = Machines::sharing(remote);
        let call = machines.cachex.run("echo hi").with("--ignore-env AWS_*");
        // It can be read, so nobody who runs something is told.
        machines.on("a", &call).once().misses().prints("hi\n").exits(0).quietly();
        let flush = machines.verb("a", "flush").once().exits(1);
        flush.mentions(&["1 entry still waiting", "no space left", "507", "make room there"]);
        machines.on("a", &call).once().hits().quietly();
    }
}

#[test]
fn a_redis_that_was_stopped_and_goes_on() {
    let redis = Redis::start();
    let machines = Machines::sharing(&redis);
    let call = machines.cachex.run("echo hi");
    machines.on("a", &call).once().misses();
    machines.shares("a");
    redis.stops(true);
    let stopped = machines.on("b", &call).env("CACHEX_REMOTE_TIMEOUT", "300ms");
    let outcome = stopped.once().misses().prints("hi\n").exits(0);
    outcome.warns_once(&["no answer within", "left alone for a minute"]);
    stopped.once().hits().quietly();
    redis.stops(false);
    machines.on("c", &call).once().hits().quietly();
    machines.verb("b", "flush").once().exits(0);
}

#[test]
fn many_that_meet_one_outage_say_it_once() {
    let remote = At(format!("redis://{NOBODY}"), Vec::new());
    let machines = Machines::sharing(&remote);
    let call = machines.on("a", &machines.cachex.run("echo hi"));
    let outcome = call.simultaneously(16).prints("hi\n").exits(0);
    let said = outcome.stderrs().concat();
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 1, "{said}");
    assert!(lines[0].contains("is the server running"), "{said}");
}
