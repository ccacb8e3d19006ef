//! What is on standard input is part of the key, and reaches the command.

use crate::harness::{cachex, quoted};

#[test]
fn different_input_is_a_different_entry() {
    let cachex = cachex();
    let call = cachex.run("cat");
    call.clone().stdin("AAA\n").twice().runs_once().prints("AAA\n");
    call.clone().stdin("BBB\n").twice().runs_once().prints("BBB\n");
    call.clone().stdin("AAA\n").once().hits().prints("AAA\n");
    call.clone().stdin("AAA").once().misses().prints("AAA");
}

#[test]
fn it_is_bytes() {
    let bytes: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    let call = cachex().run("cat").stdin(&bytes);
    call.behaves_as_bare().prints(&bytes);
}

#[test]
fn each_kind_of_nothing_is_an_input_of_its_own() {
    // A command may go by it: grep without arguments, tools that page, test -p.
    let cachex = cachex();
    let empty = cachex.write("empty", "");
    let kind = "[ -p /dev/stdin ] && echo pipe; [ -f /dev/stdin ] && echo file; cat";
    let call = cachex.run(kind);
    call.once().misses().prints("");
    call.clone().stdin("").twice().runs_once().prints("pipe\n");
    call.clone().stdin_from(&empty, 0).twice().runs_once().prints("file\n");
    let text = cachex.write("text", "text");
    call.clone().stdin("text").twice().runs_once().prints("pipe\ntext");
    call.clone().stdin_from(&text, 0).twice().runs_once().prints("file\ntext");
    call.once().hits().prints("");
}

#[test]
fn of_a_file_what_lies_before_the_offset_counts_as_well() {
    let cachex = cachex();
    let call = cachex.run("cat /dev/stdin");
    for before in ["AAAA", "BBBB"] {
        let file = cachex.write(before, format!("{before}rest"));
        call.clone().stdin_from(file, 4).twice().runs_once().prints(format!("{before}rest"));
    }
}

#[test]
fn closed_it_stays_closed_and_is_no_empty_input() {
    let cachex = cachex();
    let call = cachex.run("if [ -e /proc/self/fd/0 ]; then echo open; else echo closed; fi");
    call.once().misses().prints("open\n");
    let closed = call.clone().stdin_closed();
    closed.twice().runs_once().prints("closed\n").exits(0).quietly();
    call.once().hits().prints("open\n");
}

#[test]
fn a_file_counts_from_where_it_was_read_to() {
    let cachex = cachex();
    let letters = cachex.write("letters", "one two three");
    let call = cachex.run("cat");
    call.clone().stdin_from(&letters, 4).twice().runs_once().prints("two three");
    call.clone().stdin_from(&letters, 8).twice().runs_once().prints("three");
    call.clone().stdin_from(&letters, 13).twice().runs_once().prints("");
    call.clone().stdin_from(&letters, 4).once().hits().prints("two three");
    cachex.write("letters", "one 222 three");
    call.stdin_from(&letters, 4).once().misses().prints("222 three");
}

#[test]
fn a_file_is_read_on_as_far_as_the_command_read_it() {
    let cachex = cachex();
    let file = quoted(cachex.write("file", "abcdefghij"));
    // Two commands share the offset of one open file, as in a loop that reads.
    let first = cachex.counting("dd bs=1 count=3 status=none");
    let script = format!("{{ cachex run -- sh -c \"{first}\"; echo; cat; }} <{file}");
    cachex.shell(&script).twice().runs_once().prints("abc\ndefghij").quietly();

    let nothing = cachex.counting("echo none");
    let script = format!("{{ cachex run -- sh -c \"{nothing}\"; cat; }} <{file}");
    cachex.shell(&script).twice().runs_once().prints("none\nabcdefghij").quietly();

    let skips = cachex.counting("dd bs=2 count=1 status=none");
    let script = format!(
        "{{ dd bs=5 count=1 status=none; echo; cachex run -- sh -c \"{skips}\"; echo; cat; }} <{file}"
    );
    cachex.shell(&script).twice().runs_once().prints("abcde\nfg\nhij").quietly();
}

#[test]
fn a_loop_over_a_file_is_as_it_would_be_without() {
    let cachex = cachex();
    let list = quoted(cachex.write("list", "a\nb\nc\n"));
    let show = cachex.counting("echo $0");
    let script = format!(
        "while read x; do cachex run --stdin null -- sh -c '{}' $x; done <{list}",
        show.replace('\'', r"'\''")
    );
    cachex.shell(&script).twice().runs(3).prints("a\nb\nc\n");
}

#[test]
fn null_gives_the_command_nothing_and_does_not_wait() {
    let cachex = cachex();
    let call = cachex.run("wc -c").with("--stdin null");
    call.clone().stdin("some").once().misses().prints("0\n");
    call.clone().stdin("other").once().hits().prints("0\n");
    call.clone().stdin_open().spawn().ends().hits().prints("0\n").promptly();
    call.stdin_closed().once().prints("0\n").exits(0).quietly();
}

#[test]
fn null_leaves_the_input_to_whoever_comes_next() {
    let cachex = cachex();
    let call = cachex.counting("cat");
    let script = format!("{{ cachex run --stdin null -- sh -c \"{call}\"; cat; }}");
    cachex.shell(&script).stdin("rest").twice().runs_once().prints("rest");
}

#[test]
fn inherit_hands_it_over_unread_and_uncounted() {
    let cachex = cachex();
    let call = cachex.run("cat").with("--stdin inherit");
    call.clone().stdin("some").once().misses().prints("some");
    call.clone().stdin("other").once().hits().prints("some");
    let mut running = call.option("--key", "live").stdin_open().spawn();
    running.feed("ping\n").shows("ping\n");
    running.feed("pong\n").shows("pong\n");
    running.end_input();
    running.ends().prints("ping\npong\n").exits(0);
}

#[test]
fn the_three_ways_are_not_taken_for_each_other() {
    let call = cachex().run("cat");
    let keys = ["hash", "null", "inherit"].map(|way| call.clone().option("--stdin", way).key());
    assert!(keys[0] != keys[1] && keys[1] != keys[2] && keys[0] != keys[2], "{keys:?}");
}

#[test]
fn a_slow_but_lively_pipe_is_read_to_its_end() {
    let mut running = cachex().run("cat").stdin_open().spawn();
    for line in ["one\n", "two\n"] {
        running.feed(line);
    }
    running.end_input();
    running.ends().prints("one\ntwo\n").quietly();
}

#[test]
fn a_named_pipe_is_a_pipe() {
    let cachex = cachex();
    let call = cachex.counting("cat");
    let script =
        format!("mkfifo f 2>/dev/null; printf hello >f & cachex run -- sh -c \"{call}\" <f; wait");
    cachex.shell(&script).twice().runs_once().prints("hello").quietly();
}

#[test]
fn an_endless_device_is_left_to_the_command() {
    let call = cachex().run("head -c 3").launched_by(r#"exec "$@" </dev/zero"#);
    call.twice().runs_twice().prints([0; 3]).exits(0).quietly();
}

#[test]
fn a_descriptor_that_cannot_be_read_is_left_to_the_command() {
    for input in [r#"exec "$@" 0>out"#, r#"exec "$@" 0<."#] {
        let call = cachex().run("cat || echo no").launched_by(input);
        let bare = call.clone().bare().once();
        call.twice().same_as(&bare);
    }
}

#[test]
fn a_file_opened_for_both_is_not_written_to() {
    let cachex = cachex();
    let file = cachex.write("file", "content");
    let call = cachex.run("cat").launched_by(&format!(r#"exec "$@" 0<>{}"#, quoted(&file)));
    call.twice().runs_once().prints("content");
    assert_eq!(std::fs::read_to_string(file).unwrap(), "content");
}

#[test]
fn a_child_that_does_not_read_it_is_fine() {
    let cachex = cachex();
    let call = cachex.run("echo done").stdin(vec![b'x'; 1 << 20]);
    call.twice().runs_once().prints("done\n").exits(0).quietly();
}

/// Of a process's memory nothing is at its beginning, and to read that is an error.
#[cfg(target_os = "linux")]
#[test]
fn a_file_that_cannot_be_read_is_the_commands_to_meet() {
    let call = cachex().exec(["cat"]).stdin_from("/proc/self/mem", 0);
    let bare = call.clone().bare().once();
    assert!(bare.stderr().contains("Input/output error"), "{}", bare.stderr());
    call.twice().same_as(&bare);
}
