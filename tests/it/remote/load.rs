//! Many machines and many results at once: nothing wrong, nothing lost, nothing sent twice.

use super::{Machines, files_below};
use crate::harness::{Redis, Remote, S3};
use std::thread;

/// How many machines there are, and how many results each of them records that nobody else
/// does.
const MACHINES: usize = 8;
const RESULTS: usize = 4;

/// A remote store as several threads can use it.
struct Address(String, Vec<(&'static str, String)>);

impl Remote for Address {
    fn url(&self) -> String {
        self.0.clone()
    }

    fn variables(&self) -> Vec<(&'static str, String)> {
        self.1.clone()
    }
}

#[track_caller]
fn nothing_is_lost(remote: &dyn Remote) {
    let remote = &Address(remote.url(), remote.variables());
    thread::scope(|scope| {
        for machine in 0..MACHINES {
            scope.spawn(move || {
                // Each has its own world, since calls count their runs there.
                let machines = Machines::sharing(remote);
                for result in 0..RESULTS {
                    let text = format!("{machine} {result}");
                    let call = machines.cachex.exec(["seq", "-f", &format!("{text} %g"), "900"]);
                    let call = call.with("--no-cwd --no-env");
                    let first = machines.on("one", &call).once().exits(0).quietly();
                    assert!(first.stdout().starts_with(&format!("{text} 1\n")), "wrong: {text}");
                }
                machines.shares("one");
            });
        }
    });
    let machines = Machines::sharing(remote);
    for machine in 0..MACHINES {
        for result in 0..RESULTS {
            let text = format!("{machine} {result}");
            let call = machines.cachex.exec(["seq", "-f", &format!("{text} %g"), "900"]);
            let call = call.with("--no-cwd --no-env --verbose");
            let found = machines.on("two", &call).once().exits(0);
            let found = found.says_one_line(&["cachex: hit (remote)"]);
            assert!(found.stdout().starts_with(&format!("{text} 1\n")), "wrong: {text}");
        }
    }
}

#[test]
fn of_what_many_machines_send_to_redis_nothing_is_lost() {
    nothing_is_lost(&Redis::start());
}

#[test]
fn of_what_many_machines_send_to_s3_nothing_is_lost() {
    nothing_is_lost(&S3::start());
}

#[test]
fn what_many_results_have_in_common_is_sent_once() {
    let s3 = S3::start();
    let machines = Machines::sharing(&s3);
    for n in 0..5 {
        let call = machines.cachex.run(&format!("seq 30000; : {n}"));
        machines.on(&format!("m{n}"), &call).once().misses();
        machines.shares(&format!("m{n}"));
    }
    let objects = files_below(&s3.objects());
    let count =
        |kind: &str| objects.iter().filter(|path| path.to_str().unwrap().contains(kind)).count();
    assert_eq!(count("/v1/e/"), 5);
    assert!(count("/v1/b/") <= 2, "chunks and bytes: {objects:?}");
}
