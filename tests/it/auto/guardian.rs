//! The process that answers for a killed cachex is one of its own, and nobody else's.

use super::auto;
use crate::harness::{Call, cachex, eventually, quoted, unshares};
use std::fs;
use std::path::Path;

/// A program that adopts whatever is left behind, waits for all of it, and writes how many ends of
/// processes it was told of.
const ADOPTS: &str = "import ctypes, os, sys\n\
                      ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)\n\
                      started = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ)\n\
                      ended = {}\n\
                      try:\n    \
                          while True:\n        \
                              process, status = os.waitpid(-1, 0)\n        \
                              ended[process] = status\n        \
                              open(sys.argv[1], 'w').write(f'{len(ended)}\\n')\n\
                      except ChildProcessError: pass\n\
                      os._exit(os.waitstatus_to_exitcode(ended[started]))\n";

fn adopted(call: Call, told: &Path) -> Call {
    call.launched_by(&format!("exec python3 -c {} {} \"$@\"", quoted(ADOPTS), quoted(told)))
}

#[test]
fn whoever_adopts_processes_is_told_of_none_that_it_did_not_start() {
    let cachex = cachex();
    let told = cachex.path("told");
    let no_program = cachex.executable("work/bad", "#!/nonexistent\n");
    let trace = cachex.cli(["trace"]).command(["sh", "-c", "echo hi"]);
    let calls = [
        (auto(&cachex, "echo hi"), 0),
        (auto(&cachex, "echo hi; exit 3"), 3),
        (auto(&cachex, "echo hi").with("--timeout 1m"), 0),
        (auto(&cachex, "sleep 600").with("--timeout 100ms"), 124),
        (auto(&cachex, "setsid sleep 600").with("--timeout 100ms"), 124),
        (cachex.exec([&no_program]).with("--auto"), 127),
        (trace, 0),
        (cachex.cli(["trace"]).command([&no_program]), 127),
    ];
    for (call, status) in calls {
        let name = call.to_string();
        adopted(call, &told).once().exits(status).promptly();
        assert_eq!(fs::read_to_string(&told).unwrap(), "1\n", "{name}");
    }
}

#[test]
fn it_is_there_as_long_as_something_is_left_to_trace() {
    let cachex = cachex();
    let told = cachex.path("told");
    let late = format!("{}; test -e none || cat in >late", cachex.gate("gate"));
    cachex.write("work/in", "text\n");
    for limit in ["", "--timeout 1m"] {
        let call = auto(&cachex, &format!("({late}) >/dev/null 2>&1 & echo hi")).with(limit);
        let running = adopted(call, &told).spawn();
        assert_eq!(cachex.line_of("told"), "1", "{limit}");
        cachex.opens("gate");
        // Besides cachex, the guardian and what it guards were left.
        running.ends().exits(0);
        assert_eq!(fs::read_to_string(&told).unwrap(), "3\n", "{limit}");
        assert_eq!(fs::read_to_string(cachex.work().join("late")).unwrap(), "text\n");
        for file in ["gate", "told", "work/late"] {
            fs::remove_file(cachex.path(file)).unwrap();
        }
    }
}

#[test]
fn a_stopped_one_keeps_nobody() {
    let cachex = cachex();
    let told = cachex.path("told");
    let script = format!("echo hi; {}", cachex.gate("gate"));
    let running = adopted(auto(&cachex, &script), &told).spawn();
    running.shows("hi\n");
    let guardian = eventually("the guardian", || {
        cachex.processes().into_iter().find(|pid| {
            let of = format!("/proc/{}", pid.as_raw_nonzero());
            let open = fs::read_dir(format!("{of}/fd")).map_or(0, Iterator::count);
            let name = fs::read_to_string(format!("{of}/comm")).unwrap_or_default();
            // It holds a socket and the listener.
            name == "cachex\n" && open == 2
        })
    });
    rustix::process::kill_process(guardian, rustix::process::Signal::STOP).unwrap();
    cachex.opens("gate");
    running.ends().exits(0).promptly();
    assert_eq!(fs::read_to_string(&told).unwrap(), "1\n");
}

#[test]
fn the_first_process_of_a_container_may_be_cachex() {
    if !unshares("--user --map-root-user --pid --fork --mount-proc") {
        return;
    }
    let first = "exec unshare --user --map-root-user --pid --fork --mount-proc \"$@\"";
    let cachex = cachex();
    let call = auto(&cachex, "echo hi").launched_by(first);
    call.once().misses().prints("hi\n").exits(0).promptly();
    let call = auto(&cachex, "setsid sleep 600 & sleep 600").with("--timeout 100ms");
    call.launched_by(first).once().exits(124).promptly();
}
