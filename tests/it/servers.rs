//! The servers and the wire that the tests of the remote store stand on.

use crate::harness::{
    Ghac, Memcached, Proxy, Redis, Remote, S3, WebDav, cachex, contains, eventually,
};
use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// Sends a request and reads the answer to its end, if it has one.
fn asked(address: SocketAddr, request: &str) -> Option<Vec<u8>> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    Some(answer)
}

/// The answer to an HTTP request.
#[track_caller]
fn http(address: SocketAddr, method: &str, path: &str, more: &str, body: &str) -> String {
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
         Content-Length: {length}\r\n{more}\r\n{body}"
    );
    String::from_utf8(asked(address, &request).unwrap()).unwrap()
}

/// The status of the answer.
fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or_default()
}

#[test]
fn redis_keeps_what_it_held() {
    let mut redis = Redis::start();
    redis.set("walrus", b"a\r\n\0\xff\n");
    assert_eq!(redis.cli(["EXPIRE", "walrus", "1000"]), "1");
    redis.restart();
    assert_eq!(redis.get("walrus"), b"a\r\n\0\xff\n");
    assert_eq!(redis.keys(), ["walrus"]);
    redis.kill();
    assert!(TcpStream::connect(redis.address()).is_err());
}

#[test]
fn redis_has_a_socket_and_a_password() {
    let redis = Redis::with_password();
    assert_eq!(redis.cli(["PING"]), "PONG");
    let stranger = asked(redis.address(), "PING\r\nQUIT\r\n").unwrap();
    assert!(contains(&stranger, b"NOAUTH"));
    let socket = redis.socket_url();
    assert!(fs::metadata(socket.strip_prefix("redis+unix://").unwrap()).is_ok());
}

#[test]
fn a_call_has_the_url_and_the_credentials() {
    let redis = Redis::with_password();
    let proxy = Proxy::before(&redis);
    let script = r#"redis-cli -u "$CACHEX_REMOTE" ECHO walrus"#;
    for remote in [&redis as &dyn Remote, &proxy] {
        cachex().shell(script).remote(remote).once().exits(0).prints("walrus\n");
    }
}

#[test]
fn memcached_tells_its_keys() {
    let mut memcached = Memcached::start();
    let words = "set brief 0 1000 1\r\nx\r\nset eternal 0 0 1\r\ny\r\nquit\r\n";
    asked(memcached.address(), words).unwrap();
    let keys = memcached.keys();
    assert_eq!(keys.iter().map(|key| key.0.as_str()).collect::<Vec<_>>(), ["brief", "eternal"]);
    assert!(keys[0].1.is_some() && keys[1].1.is_none(), "{keys:?}");
    memcached.restart();
    assert!(memcached.keys().is_empty());
}

#[test]
fn s3_lets_nobody_in_without_a_signature() {
    let s3 = S3::start();
    assert_eq!(status(&http(s3.address(), "GET", "/cachex", "", "")), "403");
    assert!(s3.objects().parent().unwrap().is_dir());
}

#[test]
fn webdav_serves_its_folder() {
    let mut webdav = WebDav::start();
    fs::create_dir(webdav.objects()).unwrap();
    let at = webdav.address();
    assert_eq!(status(&http(at, "PUT", "/shared/walrus", "", "tusks")), "201");
    assert_eq!(fs::read(webdav.objects().join("walrus")).unwrap(), b"tusks");
    webdav.restart();
    assert!(http(at, "GET", "/shared/walrus", "", "").ends_with("\r\n\r\ntusks"));
    assert!(webdav.http_url().ends_with("/shared"));
}

#[test]
fn webdav_knows_its_user() {
    let webdav = WebDav::with_password();
    let at = webdav.address();
    assert_eq!(status(&http(at, "GET", "/", "", "")), "401");
    // walrus:seal
    let wrong = "Authorization: Basic d2FscnVzOnNlYWw=\r\n";
    assert_eq!(status(&http(at, "GET", "/", wrong, "")), "401");
    // walrus and the password of the harness
    let right = "Authorization: Basic d2FscnVzOm9mL3RoZStzZWE6IDEwMCVAaG9tZQ==\r\n";
    assert_eq!(status(&http(at, "GET", "/nothing", right, "")), "404");
}

#[test]
fn the_actions_cache_wants_its_token() {
    let ghac = Ghac::start();
    let call = "/twirp/github.actions.results.api.v1.CacheService/GetCacheEntryDownloadURL";
    assert_eq!(status(&http(ghac.address(), "POST", call, "", "")), "401");
    assert_eq!(status(&http(ghac.address(), "GET", "/blobs/any", "", "")), "403");
}

#[test]
fn a_wire_counts_and_passes_on() {
    let redis = Redis::start();
    let proxy = Proxy::before(&redis);
    assert_eq!((proxy.connections(), proxy.requested(), proxy.answered()), (0, 0, 0));
    assert_eq!(asked(proxy.address(), "PING\r\nQUIT\r\n").unwrap(), b"+PONG\r\n+OK\r\n");
    assert_eq!((proxy.connections(), proxy.requested(), proxy.answered()), (1, 12, 12));
    assert_eq!(proxy.url(), format!("redis://{}", proxy.address()));
}

#[test]
fn a_wire_is_cut_or_refused() {
    let mut redis = Redis::start();
    let proxy = Proxy::before(&redis);
    proxy.cuts_after(Some(3));
    assert_eq!(asked(proxy.address(), "PING\r\n").unwrap(), b"+PO");
    proxy.cuts_after(None).refuses(true);
    assert!(asked(proxy.address(), "PING\r\nQUIT\r\n").is_none_or(|answer| answer.is_empty()));
    proxy.refuses(false);
    redis.kill();
    assert!(asked(proxy.address(), "PING\r\nQUIT\r\n").is_none_or(|answer| answer.is_empty()));
    redis.restart();
    assert_eq!(asked(proxy.address(), "PING\r\nQUIT\r\n").unwrap(), b"+PONG\r\n+OK\r\n");
    assert_eq!(proxy.connections(), 4);
}

#[test]
fn a_wire_is_slow_or_swallows() {
    let redis = Redis::start();
    let proxy = Proxy::before(&redis);
    proxy.delays_requests(Duration::from_millis(30)).delays_answers(Duration::from_millis(30));
    let start = Instant::now();
    asked(proxy.address(), "PING\r\nQUIT\r\n").unwrap();
    assert!(start.elapsed() >= Duration::from_millis(60));
    proxy.swallows(true);
    let mut client = TcpStream::connect(proxy.address()).unwrap();
    client.write_all(b"PING\r\nQUIT\r\n").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    eventually("the connection", || (proxy.connections() == 2).then_some(()));
    assert_eq!(proxy.requested(), 12);
    proxy.delays_requests(Duration::ZERO).swallows(false);
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).unwrap();
    assert_eq!(answer, b"+PONG\r\n+OK\r\n");
}
