//! Runs that are shown and not recorded, and why.

use super::auto;
use crate::harness::{Cachex, Call, Signal, cachex, eventually};
use std::fs;
use std::net::TcpListener;

/// The call runs each time, is transparent, and says that it is not recorded, and why.
#[track_caller]
fn refuses(call: &Call, why: &str) {
    let outcome = call.clone().with("--verbose").twice().runs_twice();
    for said in outcome.stderrs() {
        assert!(said.contains(&format!("not recorded: {why}")), "{call}: {said}");
    }
    let told = call.clone().explain().once().exits(1).stdout();
    assert!(told.contains(why), "{told}");
}

#[test]
fn what_is_left_behind_and_not_declared() {
    let cachex = cachex();
    let none = |script: &str| auto(&cachex, script).with("--auto-outputs none");
    let call = none("echo x >made; mkdir -p two");
    let said = call.clone().with("--verbose").once().misses().stderr();
    assert!(
        said.contains("not recorded: it made made and 1 more, which no --output names"),
        "{said}"
    );
    refuses(&call, "it changed made, which no --output names");
    refuses(&none("rm -f made; echo y >made"), "it ");
    let declared = none("echo x >declared; cat declared").option("--output", "declared");
    declared.times(3).same_as(&declared.clone().bare().once());
    declared.once().hits();
    let folder = none("mkdir -p out/deep && echo x >out/deep/f").with("--output out");
    folder.times(2);
    folder.once().hits();
}

#[test]
fn the_file_that_the_output_goes_to() {
    let cachex = cachex();
    // What it prints goes by way of cachex, which may take a while.
    let script = "for n in 1 2 3; do cachex run --auto -- sh -c 'had=$(wc -l <log); echo hi; \
                  while [ $(wc -l <log) = $had ]; do :; done; wc -l <log >&2' >>log; done";
    assert_eq!(cachex.shell(script).once().exits(0).stderr(), "1\n2\n3\n");
}

#[test]
fn a_system_call_that_a_signal_interrupts() {
    let cachex = cachex();
    // It is interrupted by a signal once while nobody answers what it asks.
    let program = "import os, signal, sys\n\
                   signal.signal(signal.SIGUSR1, lambda *_: print('interrupted', flush=True))\n\
                   print('ready', flush=True)\n\
                   while not os.path.exists(sys.argv[1]): pass\n";
    let gate = cachex.path("gate");
    let call = cachex.exec(["python3", "-c", program, gate.to_str().unwrap()]);
    let call = call.with("--auto --verbose").option("--auto-ignore", &gate);
    let running = call.spawn();
    running.shows("ready\n");
    let cachex_itself = running.pid().as_raw_nonzero();
    let read = |path: String| fs::read_to_string(path).unwrap_or_default();
    let children = read(format!("/proc/{cachex_itself}/task/{cachex_itself}/children"));
    let mut children = children.split_ascii_whitespace();
    let python = |it: &&str| read(format!("/proc/{it}/comm")).starts_with("python");
    let command: i32 = children.find(python).unwrap().parse().unwrap();
    let process = rustix::process::Pid::from_raw(command).unwrap();
    let status = |field: &str| {
        let status = read(format!("/proc/{command}/status"));
        let value = status.lines().find_map(|line| line.strip_prefix(field));
        value.unwrap_or_default().trim().to_owned()
    };
    let has_arrived = || status("ShdPnd:").chars().all(|digit| digit == '0');
    // A call that was received, and not yet answered, is not interrupted.
    loop {
        running.signal(Signal::STOP);
        eventually("cachex to stop", || {
            let threads = fs::read_dir(format!("/proc/{cachex_itself}/task")).unwrap();
            let mut threads = threads.map(|it| it.unwrap().path().join("status"));
            let is_stopped = |of| fs::read_to_string(of).unwrap().contains("State:\tT");
            threads.all(is_stopped).then_some(())
        });
        eventually("a call that nobody answers", || {
            let made = read(format!("/proc/{command}/syscall"));
            (made.split(' ').next()? == libc::SYS_newfstatat.to_string()).then_some(())
        });
        rustix::process::kill_process(process, Signal::USR1).unwrap();
        let was_received = eventually("what becomes of the signal", || {
            let is_held_back = status("State:").starts_with('D');
            if has_arrived() { Some(false) } else { is_held_back.then_some(true) }
        });
        if !was_received {
            break;
        }
        running.signal(Signal::CONT);
        eventually("the signal's arrival", || has_arrived().then_some(()));
    }
    cachex.opens("gate");
    running.signal(Signal::CONT);
    let said = running.ends().exits(0).stderr();
    assert!(said.contains("not recorded: a signal interrupted a system call"), "{said}");
}

#[test]
fn a_temporary_file_is_no_reason() {
    let cachex = cachex();
    let script = "t=$(mktemp); echo x >$t; cat $t; rm $t; mkdir m; touch m/f; ls m; rm -r m";
    auto(&cachex, script).twice().runs_once().prints("x\nf\n");
}

#[test]
fn a_connection_to_the_network() {
    let cachex = cachex();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let script = format!("exec 3<>/dev/tcp/127.0.0.1/{port}; echo connected");
    let call = |cachex: &Cachex| {
        let script = cachex.counting(&script);
        let call = cachex.exec(["bash", "-c", &script]).with("--auto");
        call.option("--auto-ignore", cachex.path("runs"))
    };
    let outcome = call(&cachex).with("--verbose").twice().runs_twice();
    assert!(
        outcome.stderrs().iter().all(|said| said.contains("not recorded: ")),
        "{:?}",
        outcome.stderrs()
    );
    call(&cachex).with("--auto-allow network").twice().runs_once().prints("connected\n");
}

#[test]
fn a_process_that_goes_on_running() {
    let cachex = cachex();
    let gate = cachex.gate("end");
    let script = format!("({gate}) </dev/null >/dev/null 2>&1 & echo started");
    let call = auto(&cachex, &script).with("--verbose");
    let said = call.once().exits(0).stderr();
    assert!(said.contains("not recorded: "), "{said}");
    cachex.opens("end");
    cachex.awaits_quiet();
}

#[test]
fn a_descriptor_that_is_inherited_whatever_it_leads_to() {
    let cachex = cachex();
    cachex.write("work/f", "one\n");
    for inherited in ["3<f", "3<.", "3</dev/zero"] {
        let call = auto(&cachex, "echo x").launched_by(&format!("exec \"$@\" {inherited}"));
        refuses(&call, "descriptor 3 is inherited");
    }
    let nothing = auto(&cachex, "echo x").launched_by("exec \"$@\" 3</dev/null");
    nothing.twice().runs_once().prints("x\n");
    let mut terminal = cachex.terminal();
    terminal.types("cachex run --auto -v -- true 3>&1");
    terminal.shows("not recorded: descriptor 3 is inherited");
}

#[test]
fn the_scheduling_of_a_process_that_it_did_not_start() {
    let cachex = cachex();
    let call = |script: &str| auto(&cachex, &format!("{script} >/dev/null 2>&1; echo x"));
    refuses(&call("taskset -p 1"), "sched_getaffinity of process 1 by taskset");
    refuses(&call("ionice -p 1"), "ioprio_get of process 1 by ionice");
    refuses(&call("renice -n 1 -p 4194000"), "getpriority of process 4194000 by renice");
    call("taskset -p $$ >/dev/null; renice -n 5 -p $$").twice().runs_once().prints("x\n");
}

#[test]
fn a_failure_after_io_uring_was_denied() {
    let cachex = cachex();
    let call = |end: &str| {
        let set_up = "import ctypes, sys\n\
            ring = ctypes.CDLL(None).syscall(425, 1, ctypes.create_string_buffer(120))\n";
        auto(&cachex, &format!("python3 -c '{set_up}print(ring); sys.exit({end})'"))
    };
    refuses(&call("ring < 0"), "it failed, and io_uring, which cannot be traced, was denied");
    // Others do without it.
    call("0").twice().runs_once().prints("-1\n");
}

#[test]
fn a_path_that_leads_up_from_a_removed_folder() {
    let cachex = cachex();
    cachex.write("q", "one");
    let why = "a path that leads up from a removed folder";
    refuses(&auto(&cachex, "mkdir a; cd a; rmdir ../a; cat ../q"), why);
    refuses(&auto(&cachex, "mkdir b; cd b; rmdir ../b; echo x >>./../q"), why);
    refuses(&auto(&cachex, "mkdir d; cd d; rmdir ../d; cat /proc/self/cwd/../q"), why);
    refuses(&auto(&cachex, "mkdir e; exec 5<e; rmdir e; cat /proc/self/fd/5/../q"), why);
    // Nothing is there, whatever lies above.
    auto(&cachex, "mkdir c; cd c; rmdir ../c; cat q 2>/dev/null; echo x").twice().runs_once();
}

#[test]
fn an_automatic_call_within_another_runs_untraced() {
    let cachex = cachex();
    cachex.write("work/f", "one\n");
    let inner = crate::harness::World::binary().display().to_string();
    let call = auto(&cachex, &format!("{inner} run --auto --verbose -- cat f"));
    let said = call.once().exits(0).stderr();
    assert!(said.contains("not recorded: "), "{said}");
    cachex.write("work/f", "two\n");
    assert_eq!(call.once().exits(0).stdout(), "two\n");
    cachex.awaits_quiet();
}
