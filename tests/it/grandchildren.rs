//! Processes that a command leaves behind.

use crate::harness::{cachex, eventually, quoted, unshares};
use rustix::process::Pid;
use std::fs;
use std::io::Read;
use std::path::Path;

#[test]
fn one_that_keeps_the_output_open_does_not_keep_cachex() {
    let call = cachex().run("sleep 600 & echo hi");
    for _ in 0..2 {
        let running = call.spawn();
        running.ends_first().misses().exits(0).promptly();
        running.shows("hi\n");
    }
}

#[test]
fn nor_does_one_that_keeps_only_stderr_open() {
    let call = cachex().run("sleep 600 >/dev/null & echo hi; exit 4");
    for _ in 0..2 {
        let running = call.spawn();
        running.ends_first().misses().exits(4).promptly();
        running.shows("hi\n");
        eventually("the end of standard output", || running.has_shown_all().then_some(()));
    }
}

#[test]
fn one_that_let_go_of_the_output_is_nobodys_business() {
    let call = cachex().run("sleep 600 </dev/null >/dev/null 2>&1 & echo hi");
    call.twice().runs_once().prints("hi\n").exits(0).quietly().promptly();
}

#[test]
fn what_one_prints_later_arrives_whole_after_cachex_has_ended() {
    let cachex = cachex();
    let late = format!("{}; seq 1 50000; echo err >&2; echo end >../end", cachex.gate("gate"));
    let running = cachex.run(&format!("{{ {late}; }} & echo now; exit 5")).spawn();
    running.ends_first().exits(5).promptly();
    cachex.opens("gate");
    // It was not ended by a closed pipe.
    assert_eq!(cachex.line_of("end"), "end");
    let numbers: Vec<String> = (0..=50_000_u32).map(|number| number.to_string()).collect();
    running.ends().prints(numbers.join("\n").replacen('0', "now", 1) + "\n").says("err\n");
    assert!(cachex.stored_in("v2/young").is_empty(), "it was recorded");
    cachex.awaits_quiet();
}

#[test]
fn in_one_pipe_in_the_order_in_which_it_is_printed() {
    let cachex = cachex();
    let late = "i=0; while [ $i -lt 100 ]; do i=$((i+1)); echo out; echo err >&2; done";
    let script = format!("{{ {}; {late}; }} & echo now", cachex.gate("gate"));
    let running = cachex.run(&script).merged().spawn();
    running.ends_first().exits(0).promptly();
    cachex.opens("gate");
    running.ends().prints(format!("now\n{}", "out\nerr\n".repeat(100)));
}

#[test]
fn one_whose_reader_leaves_is_ended_by_that_as_ever() {
    let cachex = cachex();
    let (reader, writer) = std::io::pipe().unwrap();
    let late = format!("{}; while :; do echo late; done", cachex.gate("gate"));
    let running = cachex.run(&format!("{{ {late}; }} 2>/dev/null & exit 0")).spawn_into(writer);
    running.ends_first().exits(0).promptly();
    drop(reader);
    cachex.opens("gate");
    cachex.awaits_quiet();
}

#[test]
fn one_that_never_stops_printing_does_not_keep_cachex() {
    let (mut reader, writer) = std::io::pipe().unwrap();
    let running = cachex().run("yes 2>/dev/null & exit 4").spawn_into(writer);
    let reading = std::thread::spawn(move || {
        let mut some = vec![0; 10 << 20];
        reader.read_exact(&mut some).unwrap();
    });
    running.ends_first().exits(4).promptly();
    reading.join().unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn what_carries_on_holds_nothing_else() {
    let cachex = cachex();
    let call = cachex.run("sleep 600 & echo hi").with("--no-concurrent");
    let running = call.spawn();
    running.ends_first().exits(0).promptly();
    let relay = eventually("the process that carries on", || {
        let is_cachex = |pid: &Pid| {
            let name = fs::read_to_string(format!("/proc/{}/comm", pid.as_raw_nonzero()));
            name.is_ok_and(|name| name.trim() == "cachex")
        };
        cachex.processes().into_iter().find(is_cachex)
    });
    let relay = format!("/proc/{}", relay.as_raw_nonzero());
    eventually("it to hold nothing but pipes", || {
        let open = fs::read_dir(format!("{relay}/fd")).unwrap();
        let mut targets = open.filter_map(|fd| fs::read_link(fd.unwrap().path()).ok());
        targets.all(|to| to.to_string_lossy().starts_with("pipe:")).then_some(())
    });
    assert_eq!(fs::read_link(format!("{relay}/cwd")).unwrap(), Path::new("/"));
    // The next has its turn at once.
    call.spawn().ends_first().misses().promptly();
}

#[test]
fn where_a_good_result_stands_in_what_comes_later_is_not_shown() {
    let cachex = cachex();
    let late = format!("{}; echo late; echo end >../end", cachex.gate("gate"));
    let bad = format!("{{ {late}; }} & echo bad; exit 1");
    let call = cachex.run(&format!("if [ -e ../bad ]; then {bad}; else echo good; fi"));
    let call = call.with("--stale-if-error 1h").expires_in("1s");
    call.once().prints("good\n").exits(0);
    cachex.write("bad", "");
    let running = call.clone().after("1m").spawn();
    running.ends_first().exits(0).promptly();
    cachex.opens("gate");
    assert_eq!(cachex.line_of("end"), "end");
    running.ends().prints("good\n");
}

#[test]
fn what_one_prints_shortly_after_the_end_is_still_shown() {
    let cachex = cachex();
    // It writes as soon as its parent is gone.
    let script = "{ while [ -e /proc/$$ ]; do :; done; echo late; } & echo early";
    cachex.run(script).once().prints("early\nlate\n").exits(0).quietly();
}

#[cfg(target_os = "linux")]
#[test]
fn one_holds_nothing_of_cachex() {
    let cachex = cachex();
    let pid = quoted(cachex.path("pid"));
    let call = cachex.run(&format!("sleep 600 & echo $! >{pid}")).with("--no-concurrent");
    let running = call.spawn();
    running.ends_first().exits(0).promptly();
    let pid = cachex.line_of("pid");
    let store = cachex.store();
    for entry in fs::read_dir(format!("/proc/{pid}/fd")).unwrap() {
        // What is closed meanwhile is not held.
        let Ok(target) = fs::read_link(entry.unwrap().path()) else { continue };
        assert!(!target.starts_with(&store), "it holds {}", target.display());
    }
}

#[cfg(target_os = "linux")]
#[test]
fn nothing_of_cachex_itself_stays() {
    let cachex = cachex();
    for number in 0..20 {
        cachex.run(&format!("echo {number}")).twice().runs_once();
    }
    eventually("the end of every process", || cachex.processes().is_empty().then_some(()));
}

#[test]
fn what_it_left_behind_may_wait_for_a_reader_alone() {
    let cachex = cachex();
    let script = format!("yes 2>/dev/null & {}; exit 3", cachex.gate("gate"));
    let (running, mut unread) = cachex.run(&script).spawn_unread();
    cachex.opens("gate");
    running.ends_first().exits(3).promptly();
    // It goes on where it was as soon as somebody reads.
    let mut more = vec![0; 4 << 20];
    unread.read_exact(&mut more).unwrap();
    assert!(more.as_chunks().0.iter().all(|line| line == b"y\n"));
    assert!(cachex.stored_in("v2/young").is_empty());
}

#[cfg(target_os = "linux")]
#[test]
fn nor_does_cachex_leave_one_to_the_first_process_of_a_container() {
    if !unshares("--user --map-root-user --pid --fork --mount-proc") {
        return;
    }
    // One that reaps only what it waits for.
    let shows = r#"'system @ARGV; @ARGV = glob "/proc/[0-9]*/comm"; print while <>'"#;
    let first = "exec unshare --user --map-root-user --pid --fork --mount-proc perl -e";
    let first = format!(r#"{first} {shows} "$@""#);
    cachex().run("echo hi").launched_by(&first).once().misses().prints("hi\nperl\n").exits(0);
}
