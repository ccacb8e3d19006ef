//! Standard input never holds a command up: not by being open, not by being endless.

use crate::harness::{Call, cachex, quoted};
use std::io::Write;
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// How patient it really is: other tests have that stretched for the sake of loaded
/// machines.
fn as_patient_as_it_is(call: Call) -> Call {
    call.without("CACHEX_TEST_PATIENCE")
}

#[test]
fn a_pipe_that_stays_open_and_silent_is_left_to_the_command() {
    let cachex = cachex();
    let call = as_patient_as_it_is(cachex.run("echo done").stdin_open());
    let ended = call.spawn().ends();
    ended.prints("done\n").exits(0).promptly().warns_once(&["nothing came", "--stdin null"]);
    // Nothing was taken from it.
    let mut running = as_patient_as_it_is(cachex.run("cat").stdin_open()).spawn();
    running.warns("--stdin null");
    running.feed("late").shows("late");
    assert!(running.processor_time() < Duration::from_millis(300), "it burns the processor");
    running.end_input();
    running.ends().prints("late").exits(0);
}

#[test]
fn what_trickles_goes_on_live() {
    let mut running = as_patient_as_it_is(cachex().run("cat").stdin_open()).spawn();
    running.feed("one\n");
    running.warns("did not end within").shows("one\n");
    running.feed("two\n").shows("two\n");
    running.feed("three\n").shows("three\n");
    assert!(running.processor_time() < Duration::from_millis(600), "it burns the processor");
    running.end_input();
    running.ends().prints("one\ntwo\nthree\n").exits(0).warns_once(&["did not end"]);
}

#[test]
fn an_endless_pipe_is_no_hindrance() {
    let cachex = cachex();
    let first = cachex.counting("head -n1");
    let call = cachex.shell(&format!("yes | cachex run -- sh -c '{first}'"));
    call.twice().runs_twice().prints("y\n").quietly().promptly();
}

#[test]
fn a_very_long_input_is_passed_on_whole_in_little_memory() {
    let call = cachex().run("wc -c").stdin_of_zeros(150 << 20).measured();
    let bounded = call.twice().runs_twice().prints("157286400\n").quietly();
    bounded.in_less_memory_than(64 << 20);
}

#[test]
fn whoever_writes_finds_out_that_the_command_reads_no_more() {
    let cachex = cachex();
    let done = quoted(cachex.path("done"));
    let script = format!(
        r"{{ yes; : >{done}; }} | cachex run -- sh -c 'head -n1; exec <&-; until [ -e {done} ]; do :; done; echo saw'"
    );
    cachex.shell(&script).once().prints("y\nsaw\n").exits(0).quietly();
}

#[test]
fn a_short_list_in_a_pipe_is_read_on_by_its_loop() {
    let cachex = cachex();
    let probe = cachex.counting("echo probed $0 done").replace('\'', r"'\''");
    let script = format!(
        "printf 'a\\nb\\nc\\n' | while read -r h; do cachex run -- sh -c '{probe}' $h; done"
    );
    let all = "probed a done\nprobed b done\nprobed c done\n";
    cachex.shell(&script).twice().runs(3).prints(all).quietly();
    // What was read of it when that was recorded is read by a replay.
    let first = cachex.counting("read -r x; echo $x").replace('\'', r"'\''");
    let script = format!("printf 'a\\nb\\nc\\n' | {{ cachex run -- sh -c '{first}'; cat; }}");
    cachex.shell(&script).twice().runs_once().prints("a\nb\nc\n").quietly();
}

#[test]
fn what_nobody_would_have_read_is_not_worth_a_word() {
    let cachex = cachex();
    let first = cachex.counting("head -n1");
    let call = cachex.shell(&format!("seq 100000 | cachex run -- sh -c '{first}'"));
    call.twice().runs_once().prints("1\n").quietly();
}

#[test]
fn a_file_that_is_printed_to_is_left_to_the_command() {
    let cachex = cachex();
    cachex.write("work/f", "hello\n");
    let call = cachex.run("cat").launched_by(r#"exec "$@" <f >>f"#);
    let bare = call.clone().bare().once();
    cachex.write("work/f", "hello\n");
    call.once().ends_as(&bare).says(bare.stderr());
    assert_eq!(std::fs::read_to_string(cachex.path("work/f")).unwrap(), "hello\n");
}

#[cfg(target_os = "linux")]
#[test]
fn a_caller_that_closes_its_copy_of_a_long_socket_late_is_no_reader() {
    let cachex = cachex();
    let call = cachex.run("wc -c");
    // More than a socket holds; as programs in JavaScript feed the commands that they start.
    for _ in 0..2 {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let fed = call.clone().stdin_is(theirs);
        let running = fed.spawn();
        let writer = std::thread::spawn(move || (&ours).write_all(&vec![b'x'; 1 << 20]));
        // It looks at the socket meanwhile.
        crate::harness::eventually("a look", || {
            let call = format!("/proc/{}/syscall", running.pid().as_raw_nonzero());
            let call = std::fs::read_to_string(call).ok()?;
            // `poll`, and `ppoll` on either processor.
            ["7", "73", "271"].contains(&call.split(' ').next()?).then_some(())
        });
        drop(fed);
        running.ends().prints("1048576\n").quietly();
        writer.join().unwrap().unwrap();
    }
    assert_eq!(cachex.runs(), 1);
}

#[test]
fn a_socket_stays_one() {
    let cachex = cachex();
    let call = cachex.run("[ -S /dev/stdin ] && echo socket; cat");
    let of_a_socket = |call: &Call| {
        let (ours, theirs) = UnixStream::pair().unwrap();
        (&ours).write_all(b"text\n").unwrap();
        ours.shutdown(Shutdown::Write).unwrap();
        call.clone().stdin_is(theirs).once().prints("socket\ntext\n").quietly()
    };
    of_a_socket(&call).misses();
    of_a_socket(&call).hits();
    call.stdin("text\n").once().misses().prints("text\n");
}

#[test]
fn an_error_of_a_socket_is_no_end() {
    let cachex = cachex();
    let call = cachex.run("cat; echo status $?");
    let reset = |sent: &[u8]| -> OwnedFd {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let mut sender = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (receiver, _) = listener.accept().unwrap();
        sender.write_all(sent).unwrap();
        let mut there = vec![0; sent.len()];
        while !sent.is_empty() && receiver.peek(&mut there).unwrap_or_default() < sent.len() {}
        rustix::net::sockopt::set_socket_linger(&sender, Some(Duration::ZERO)).unwrap();
        drop(sender);
        receiver.into()
    };
    let unconnected = || {
        let (family, kind) = (rustix::net::AddressFamily::INET, rustix::net::SocketType::STREAM);
        rustix::net::socket(family, kind, None).unwrap()
    };
    let all: [(&dyn Fn() -> OwnedFd, &str); 3] = [
        (&|| reset(b"text\n"), "text\nstatus 1\n"),
        (&|| reset(b""), "status 1\n"),
        (&unconnected, "status 1\n"),
    ];
    for (socket, shown) in all {
        let bare = call.clone().bare().stdin_is(socket()).once().prints(shown);
        for _ in 0..2 {
            call.clone().stdin_is(socket()).once().runs_once().same_as(&bare);
        }
    }
}
