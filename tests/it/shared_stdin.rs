//! Others may read from the same standard input while the command runs: what is recorded
//! was made of what the key says, and a replay takes nothing from anybody.

use crate::harness::{Cachex, Call, cachex, quoted};
use rustix::fs::{Mode, OFlags};

/// A script that runs `./tool` by cachex and does this beside it, once that has begun, with
/// the same standard input; then the tool goes on.
fn beside(cachex: &Cachex, others: &str) -> String {
    let (runs, go) = (quoted(cachex.path("runs")), quoted(cachex.path("go")));
    format!(
        "cachex run -- ./tool <&0 & until [ -s {runs} ]; do sleep 0.01; done; {others}; >{go}; wait"
    )
}

/// Makes `./tool` wait for the others, and do this.
fn tool(cachex: &Cachex, script: &str) {
    let script = cachex.counting(&format!("{}; {script}", cachex.gate("go")));
    cachex.executable("work/tool", format!("#!/bin/sh\n{script}\n"));
}

/// This script with the numbers up to 30 on its standard input: in a file, and in a pipe.
fn both_ways(cachex: &Cachex, script: &str) -> [Call; 2] {
    let numbers = (1..=30).map(|n| format!("{n}\n")).collect::<Vec<_>>().concat();
    let list = quoted(cachex.write("list", numbers));
    let of = |start: &str, end: &str| cachex.shell(&format!("{start}{{ {script}; }}{end}"));
    [of("", &format!(" <{list}")), of(&format!("cat {list} | "), "")]
}

#[test]
fn what_another_reads_meanwhile_is_not_missing_in_the_record() {
    for way in [0, 1] {
        let cachex = cachex();
        tool(&cachex, "read -r line; echo $line");
        let parallel = beside(&cachex, "read -r a; read -r b");
        both_ways(&cachex, &parallel)[way].once().misses().prints("1\n");
        let alone = both_ways(&cachex, "cachex run -- ./tool; read -r next; echo $next");
        alone[way].twice().hits().prints("1\n2\n").quietly();
    }
}

#[test]
fn what_another_read_meanwhile_is_not_repeated_for_the_command() {
    for way in [0, 1] {
        let cachex = cachex();
        tool(&cachex, "echo done");
        let parallel = beside(&cachex, "read -r a; read -r b; read -r c");
        both_ways(&cachex, &format!("{parallel}; cat | wc -l"))[way].once().prints("done\n27\n");
        let alone = both_ways(&cachex, "cachex run -- ./tool; cat | wc -l");
        alone[way].once().hits().prints("done\n30\n");
    }
}

#[test]
fn calls_that_share_it_do_not_record_a_part_as_the_whole() {
    for way in [0, 1] {
        let cachex = cachex();
        tool(&cachex, "cat");
        let (runs, go) = (quoted(cachex.path("runs")), quoted(cachex.path("go")));
        let both = format!(
            "cachex run -- ./tool <&0 & cachex run -- ./tool <&0 & \
             until [ \"$(cat {runs} 2>/dev/null)\" = .. ]; do sleep 0.01; done; >{go}; wait"
        );
        both_ways(&cachex, &both)[way].once().runs_twice();
        let alone = both_ways(&cachex, "cachex run -- ./tool | wc -l; cat");
        alone[way].once().hits().prints("30\n").quietly();
    }
}

#[test]
fn a_loop_whose_calls_overlap_is_no_trap_for_one_whose_do_not() {
    let cachex = cachex();
    let body = "cachex run -- echo it $x";
    let all = (1..=30).map(|n| format!("it {n}\n")).collect::<Vec<_>>().concat();
    let parallel = format!("while read -r x; do {body} <&0 & done; wait");
    for call in both_ways(&cachex, &format!("{{ {parallel}; }} | sort -k2n")) {
        call.twice().prints(&all);
    }
    for call in both_ways(&cachex, &format!("while read -r x; do {body}; done")) {
        call.twice().prints(&all).quietly();
    }
}

#[test]
fn a_pipe_in_many_pieces_stays_with_who_shares_it() {
    let cachex = cachex();
    tool(&cachex, "echo done");
    // Each piece takes up a place, of which a new pipe has 16.
    cachex.write("work/share.py", PIECES);
    let (runs, go) = (quoted(cachex.path("runs")), quoted(cachex.path("go")));
    let call = cachex.shell(&format!("python3 share.py {runs} {go}"));
    call.once().misses().prints("done\n30\n");
}

/// A program that reads from its standard input while cachex runs a tool with the same.
const PIECES: &str = r"
import fcntl, os, subprocess, sys, time
reader, writer = os.pipe()
fcntl.fcntl(writer, 1031, 1 << 20)  # F_SETPIPE_SZ
with open('piece', 'w') as piece:
    piece.write('x')
with open('piece') as piece:
    for _ in range(30):
        os.splice(piece.fileno(), writer, 1, offset_src=0)
os.close(writer)
os.dup2(reader, 0)
running = subprocess.Popen(['cachex', 'run', '--', './tool'])
while not os.path.exists(sys.argv[1]):
    time.sleep(0.01)
rest = os.read(0, 100)
open(sys.argv[2], 'w').close()
running.wait()
print(len(rest), flush=True)
";

#[test]
fn a_replay_moves_a_file_only_from_where_it_found_it() {
    let cachex = cachex();
    let long = cachex.counting("head -n 2; head -c 1000000 /dev/zero | tr '\\0' x");
    cachex.executable("work/tool", format!("#!/bin/sh\n{long}\n"));
    let [first, _] = both_ways(&cachex, "cachex run -- ./tool >/dev/null; read -r x; echo $x");
    first.twice().runs_once().prints("3\n");
    // While the replay waits for its reader, others read on.
    let began = quoted(cachex.path("began"));
    let slow = format!(
        "{{ cachex run -- ./tool | {{ head -c 1 >{began}; {}; cat >/dev/null; }}; }} <&0 & \
         until [ -s {began} ]; do sleep 0.01; done; \
         read -r x; read -r x; read -r x; >{}; wait; read -r x; echo $x",
        cachex.gate("go"),
        quoted(cachex.path("go"))
    );
    let [call, _] = both_ways(&cachex, &slow);
    // Two lines are the tool's, as soon as it prints, and three the others'.
    call.once().hits().prints("6\n");
}

/// The standard output that nobody reads, for a script.
const DEAD: &str = "exec 5> >(exit 0); wait $!";

#[test]
fn a_hit_whose_reader_left_has_read_what_the_command_read() {
    for (way, front) in [(0, "0"), (0, "1"), (1, "0"), (1, "1")] {
        let cachex = cachex();
        tool(&cachex, "read -r line; echo $line");
        let recorded = "cachex run -- ./tool >/dev/null; read -r x";
        cachex.opens("go");
        both_ways(&cachex, recorded)[way].once().runs_once();
        let script = format!("{DEAD}; cachex run -- ./tool >&5; echo $?; read -r x; echo $x");
        let call = both_ways(&cachex, &script)[way].clone().env("CACHEX_FRONT", front);
        call.once().runs(0).prints("141\n2\n");
    }
}

#[test]
fn a_reader_that_left_is_an_error_for_who_holds_its_signal_back() {
    for (way, front) in [(0, "0"), (0, "1"), (1, "0"), (1, "1")] {
        let cachex = cachex();
        tool(&cachex, "read -r line; echo $line 2>/dev/null || exit 9");
        cachex.opens("go");
        for end in ["ignore", "block"] {
            let recorded = "cachex run -- ./tool >/dev/null; read -r x";
            both_ways(&cachex, recorded)[way].once().exits(0);
            let script = format!(
                "{DEAD}; env --{end}-signal=PIPE cachex run -- ./tool >&5; echo $?; \
                 read -r x; echo $x"
            );
            let call = both_ways(&cachex, &script)[way].clone().env("CACHEX_FRONT", front);
            let bare = both_ways(&cachex, &script.replace("cachex run -- ", ""));
            assert_eq!(bare[way].once().stdout(), "9\n2\n");
            call.once().prints("9\n2\n").quietly();
        }
    }
}

#[test]
fn a_command_that_moves_it_back_is_not_recorded() {
    let cachex = cachex();
    let back = cachex.counting("perl -e 'sysseek STDIN, 0, 0'; echo back");
    cachex.executable("work/tool", format!("#!/bin/sh\n{back}\n"));
    let [call, _] = both_ways(&cachex, "read -r a; cachex run -- ./tool; read -r b; echo $a $b");
    call.twice().runs_twice().prints("back\n1 1\n").quietly();
}

#[test]
fn a_descriptor_that_shares_its_offset_keeps_sharing_it() {
    let cachex = cachex();
    let both = cachex.counting("read -r a <&3; read -r b; echo $a $b").replace('\'', r"'\''");
    let [call, _] = both_ways(&cachex, &format!("cachex run -- sh -c '{both}' 3<&0"));
    call.twice().runs_twice().prints("1 2\n").quietly();
}

#[test]
fn a_file_opened_for_both_can_be_written_by_the_command() {
    let cachex = cachex();
    let file = cachex.write("file", "one\n");
    let call = cachex.run("read -r a; echo two >&0; echo $a");
    let call = call.launched_by(&format!(r#"exec "$@" 0<>{}"#, quoted(&file)));
    call.once().prints("one\n");
    assert_eq!(std::fs::read_to_string(file).unwrap(), "one\ntwo\n");
}

#[test]
fn nothing_that_cannot_be_read_is_not_nothing_to_read() {
    let call = cachex().run("cat 2>/dev/null || echo no");
    call.once().misses().prints("");
    let unreadable = call.clone().launched_by(r#"exec "$@" 0>/dev/null"#);
    unreadable.twice().runs_once().prints("no\n").quietly();
    // It is open only to be named.
    let named = rustix::fs::open("/dev/null", OFlags::PATH, Mode::empty()).unwrap();
    let named = call.clone().stdin_is(named);
    named.once().prints("no\n").quietly();
    named.clone().env("CACHEX_FRONT", "0").once().prints("no\n").quietly();
    call.once().hits().prints("");
}

/// Input that is taken cannot be put back while somebody may still write more.
#[cfg(target_os = "linux")]
#[test]
fn a_pipe_whose_writer_lives_is_left_to_those_who_share_it() {
    let cachex = cachex();
    let script = "mkfifo fifo; (exec >fifo; printf 'a\\nb\\nc\\n'; exec sleep 600) & \
                  while read job; do $CACHEX echo \"job $job\"; [ \"$job\" != c ] || break; done <fifo; \
                  kill $!; \
                  (seq 1 130000; until [ -e over ]; do sleep 0.01; done) | \
                  { $CACHEX true; head -c 798895 | wc -c; >over; }; \
                  seq 1 12000000 | { read a; $CACHEX echo \"item $a\"; read b; echo \"next=$b\"; }; \
                  seq 1 300000 | { $CACHEX true & $CACHEX true y & wait; wc -c; }";
    let expected = "job a\njob b\njob c\n798895\nitem 1\nnext=2\n1988895\n";
    let call = cachex.bare(["sh", "-c", script]).env("CACHEX", "cachex run -q --");
    call.once().prints(expected).exits(0).quietly();
}

#[cfg(target_os = "linux")]
#[test]
fn messages_stay_apart() {
    let receives = "use Socket; socketpair A, B, AF_UNIX, SOCK_DGRAM, 0; send B, $_, 0 for qw(one two); \
                    open STDIN, q(<&), A; exec @ARGV";
    let call = cachex().exec(["perl", "-e", "recv STDIN, $_, 99, 0; print"]);
    let call = call.launched_by(&format!("exec perl -e '{receives}' \"$@\""));
    call.once().prints("one").exits(0).quietly();
}

#[cfg(target_os = "linux")]
#[test]
fn a_caller_may_have_it_on_another_descriptor() {
    let cachex = cachex();
    let caller = "exec 3<&0 </dev/null; cachex run -q -- true <&3; :";
    let script = format!("seq 1 200000 | {{ sh -c '{caller}'; wc -c; }}");
    cachex.shell(&script).once().prints("1288895\n").exits(0).quietly();
}
