//! What holds whatever the store is on.

use super::Machines;
use crate::harness::{Folder, Ghac, Memcached, Redis, Remote, S3, WebDav};
use std::fs;
use std::os::unix::fs::PermissionsExt;

/// These tests, for each of these kinds.
macro_rules! each {
    ($($kind:ident: $start:expr;)*) => {$(
        mod $kind {
            use super::*;

            #[test]
            fn a_result_is_served_to_others() {
                super::a_result_is_served_to_others(&$start);
            }

            #[test]
            fn files_come_along() {
                super::files_come_along(&$start);
            }

            #[test]
            fn long_outputs_come_along() {
                super::long_outputs_come_along(&$start);
            }

            #[test]
            fn eight_at_once_share_one_result() {
                super::eight_at_once_share_one_result(&$start);
            }

            #[test]
            fn who_only_reads_writes_nothing() {
                super::who_only_reads_writes_nothing(&$start);
            }

            #[test]
            fn the_check_is_content() {
                super::the_check_is_content(&$start);
            }
        }
    )*};
}

each! {
    folder: Folder::new();
    redis: Redis::start();
    redis_with_password: Redis::with_password();
    redis_by_socket: BySocket(Redis::start());
    memcached: Memcached::start();
    s3: S3::start();
    webdav: WebDav::start();
    webdav_with_password: WebDav::with_password();
    actions_cache: Ghac::start();
}

/// A Redis on its Unix socket.
struct BySocket(Redis);

impl Remote for BySocket {
    fn url(&self) -> String {
        self.0.socket_url()
    }
}

/// What others read by plain HTTP of what is on WebDAV.
struct ByHttp<'d>(&'d WebDav);

impl Remote for ByHttp<'_> {
    fn url(&self) -> String {
        self.0.http_url()
    }
}

#[track_caller]
fn a_result_is_served_to_others(remote: &dyn Remote) {
    let machines = Machines::sharing(remote);
    let call = machines.cachex.run("echo out; echo err >&2; exit 3").failure_expires_in("1h");
    let first = machines.on("a", &call).once().misses().prints("out\n").says("err\n").exits(3);
    machines.shares("a");
    let (outcome, report) = machines.reports("b", &call);
    outcome.hits().same_as(&first);
    assert_eq!((&report["result"], &report["remote"]), (&"hit".into(), &true.into()), "{report}");
    let (outcome, report) = machines.reports("b", &call);
    outcome.hits().same_as(&first);
    assert_eq!((&report["result"], &report["remote"]), (&"hit".into(), &false.into()), "{report}");
    machines.on("b", &machines.cachex.run("echo other")).once().misses().prints("other\n");
}

#[track_caller]
fn files_come_along(remote: &dyn Remote) {
    let machines = Machines::sharing(remote);
    let script = "mkdir -p made/deep made/empty; echo one >made/deep/file; ln -s deep made/link; \
                  seq 100000 >made/long; chmod 750 made/long; echo done";
    let call = machines.cachex.run(script).with("--output made/");
    machines.on("a", &call).once().misses().prints("done\n");
    machines.shares("a");
    let made = machines.cachex.work().join("made");
    let long = fs::read(made.join("long")).unwrap();
    fs::remove_dir_all(&made).unwrap();
    machines.on("b", &call).once().hits().prints("done\n").quietly();
    assert_eq!(fs::read(made.join("long")).unwrap(), long);
    assert_eq!(fs::metadata(made.join("long")).unwrap().permissions().mode() & 0o777, 0o750);
    assert_eq!(fs::read_to_string(made.join("link/file")).unwrap(), "one\n");
    assert!(made.join("empty").is_dir());
}

#[track_caller]
fn long_outputs_come_along(remote: &dyn Remote) {
    let machines = Machines::sharing(remote);
    // The one is packed on its way and the other is not.
    let scripts = ["head -c 5242880 /dev/zero", "head -c 5242880 /dev/urandom"];
    let calls = scripts.map(|script| machines.cachex.run(script).output_counted());
    let recorded = calls.each_ref().map(|call| machines.on("a", call).once().misses());
    machines.shares("a");
    for (call, recorded) in calls.iter().zip(&recorded) {
        machines.on("b", call).once().hits().same_as(recorded).prints_bytes(5 << 20);
    }
}

#[track_caller]
fn eight_at_once_share_one_result(remote: &dyn Remote) {
    let machines = Machines::sharing(remote);
    let call = machines.cachex.run("seq 20000");
    let first = machines.on("a", &call).once().misses();
    machines.shares("a");
    machines.on("b", &call).simultaneously(8).hits().same_as(&first);
    // Several machines write the same, and others read meanwhile.
    let call = machines.cachex.run("seq 30000");
    let names: Vec<String> = (0..8).map(|number| format!("m{number}")).collect();
    let running: Vec<_> = names.iter().map(|name| machines.on(name, &call).spawn()).collect();
    let ended: Vec<_> = running.into_iter().map(|running| running.ends().exits(0)).collect();
    ended.iter().skip(1).for_each(|outcome| assert_eq!(outcome.stdout(), ended[0].stdout()));
    for name in &names {
        machines.shares(name);
    }
    machines.on("z", &call).once().hits().same_as(&ended[0]);
}

#[track_caller]
fn who_only_reads_writes_nothing(remote: &dyn Remote) {
    let machines = Machines::sharing(remote);
    let call = machines.cachex.run("echo hi");
    let reading = call.clone().with("--remote-mode read-only");
    machines.on("a", &reading).once().misses();
    machines.on("b", &call.clone().with("--remote-mode off")).once().misses();
    for machine in ["a", "b"] {
        machines.shares(machine);
    }
    machines.on("c", &reading).once().misses().prints("hi\n");
    machines.on("d", &call).once().misses();
    machines.shares("d");
    machines.on("e", &call.with("--remote-mode off")).once().misses();
    machines.on("f", &reading).once().hits().prints("hi\n").quietly();
}

#[track_caller]
fn the_check_is_content(remote: &dyn Remote) {
    let machines = Machines::sharing(remote);
    machines.verb("a", "check").once().exits(0).quietly();
    machines.verb("a", "stats").once().exits(0).quietly();
}

#[test]
fn plain_http_reads_what_is_there_and_writes_nothing() {
    let webdav = WebDav::start();
    let machines = Machines::sharing(&webdav);
    let http = ByHttp(&webdav);
    let readers = machines.by(&http);
    let call = machines.cachex.run("seq 30000");
    let first = machines.on("a", &call).once().misses();
    machines.shares("a");
    readers.on("b", &call).once().hits().same_as(&first).quietly();
    let before = super::files_below(&webdav.objects());
    readers.on("b", &machines.cachex.run("echo new")).once().misses().prints("new\n").quietly();
    readers.verb("b", "check").once().exits(0);
    assert_eq!(super::files_below(&webdav.objects()), before);
}
