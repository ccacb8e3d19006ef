//! What an argument names by a descriptor counts by what can be read there.

use crate::harness::{cachex, quoted};

#[test]
fn a_process_substitution_is_run_each_time() {
    let cachex = cachex();
    for text in ["one", "two", "one"] {
        let script = format!("cachex run --stdin null -- cat <(echo {text})");
        cachex.shell(&script).once().prints(format!("{text}\n")).quietly();
        let script = format!("cachex run -- bash <(echo echo {text})");
        cachex.shell(&script).once().prints(format!("{text}\n")).quietly();
    }
    let both = "cachex run -- diff <(echo a) <(echo b)";
    cachex.shell(both).once().exits(1).prints("1c1\n< a\n---\n> b\n");
    // What is written there is not lost.
    let tee = "echo text | cachex run -- tee >(tr a-z A-Z) >/dev/null | cat; wait";
    cachex.shell(tee).twice().prints("TEXT\n");
}

#[test]
fn so_is_what_comes_through_a_pipe_with_a_name() {
    let cachex = cachex();
    for text in ["one", "two", "one"] {
        let script =
            format!("mkfifo pipe; echo {text} >pipe & cachex run -- cat pipe; wait; rm pipe");
        cachex.shell(&script).once().prints(format!("{text}\n")).quietly();
    }
}

#[test]
fn a_file_counts_by_what_it_holds() {
    let cachex = cachex();
    let call = cachex.run("cat /dev/fd/3");
    for text in ["one", "two"] {
        let file = quoted(cachex.write(text, text));
        let call = call.clone().launched_by(&format!(r#"exec "$@" 3<{file}"#));
        call.twice().runs_once().prints(text).quietly();
    }
}

#[test]
fn one_that_is_named_by_its_number_counts_as_well() {
    let cachex = cachex();
    cachex.tool("read-from", r#"cat "/dev/fd/$1""#);
    let call = cachex.exec(["read-from", "3"]);
    for text in ["one", "two"] {
        let file = quoted(cachex.write(text, text));
        let call = call.clone().launched_by(&format!(r#"exec "$@" 3<{file}"#));
        call.twice().runs_once().prints(text).quietly();
    }
    // A pipe may be anybody's, make's jobserver for one.
    let cachex = self::cachex();
    let call = cachex.run("echo 3").launched_by(r#"true | exec "$@" 3<&0 </dev/null"#);
    call.twice().runs_once().prints("3\n").quietly();
}

#[test]
fn what_is_read_on_from_an_open_file_is_read_on_each_time() {
    let cachex = cachex();
    let file = quoted(cachex.write("lines", "one\ntwo\nthree\n"));
    let next = "cachex run -- bash -c 'read -r x <&3; echo $x'";
    let script = format!("exec 3<{file}; {next} 2>/dev/null; {next} 2>/dev/null");
    cachex.shell(&script).twice().prints("one\ntwo\n");
}

#[test]
fn what_a_script_writes_to_a_descriptor_is_written_each_time() {
    let cachex = cachex();
    for script in ["echo text >&3", "echo text 1>& 3", "exec 4>&3; echo text >&4"] {
        let call = format!("cachex run -- sh -c {} 3>&1 >/dev/null", quoted(script));
        cachex.shell(&call).twice().runs(0).prints("text\n").quietly();
    }
    // Its own is nobody else's.
    let call = cachex.run("exec 3>&1; echo text >&3").launched_by(r#"exec "$@" 3>&-"#);
    call.twice().runs_once().prints("text\n").quietly();
}

#[test]
fn explain_says_why_it_would_not_be_cached() {
    let cachex = cachex();
    let told = cachex.shell("cachex explain -- cat <(echo one)").once().exits(1).stderr();
    assert!(told.contains("names descriptor"), "{told}");
}
