//! Byte for byte, in order, live and replayed.

use crate::harness::{cachex, eventually, quoted};
use std::io::Read;

#[test]
fn any_bytes_pass() {
    for script in [
        r"printf '\0\0\0'",
        r"printf '\377\376\300\200'",
        r"printf 'no newline'",
        r"printf '\n\n'",
        r"printf '\r\n\033[31mred\033[m'",
        "true",
        "printf err >&2",
        r"printf 'a\0b'; printf 'c\0d' >&2; printf e",
    ] {
        cachex().run(script).behaves_as_bare();
    }
}

#[test]
fn every_byte_there_is_passes() {
    let cachex = cachex();
    let bytes: Vec<u8> = (0..=255).collect();
    let file = cachex.write("bytes", &bytes);
    cachex.run(&format!("cat {}", quoted(file))).behaves_as_bare().prints(&bytes);
}

#[test]
fn every_length_passes() {
    // Around page sizes, pipe sizes and the limit of what lies in an entry.
    let cachex = cachex();
    for length in [1, 2, 1023, 1024, 2047, 2048, 2049, 4095, 4096, 4097, 16384, 65535, 65536, 65537]
    {
        let script = format!("yes abcdefg | head -c {length}");
        cachex.run(&script).twice().runs_once().alike().prints_bytes(length).exits(0);
        let to_stderr = format!("{script} >&2; yes 123 | head -c {length}");
        cachex.run(&to_stderr).twice().runs_once().alike().prints_bytes(length);
    }
}

#[test]
fn a_megabyte_on_each_stream_in_turn() {
    let script = "i=0; while [ $i -lt 256 ]; do i=$((i+1)); \
                  head -c 4096 /dev/zero | tr '\\0' \"$((i%10))\"; \
                  head -c 4096 /dev/zero | tr '\\0' e >&2; done";
    let outcome = cachex().run(script).behaves_as_bare();
    assert_eq!(outcome.stdout().len(), 1 << 20);
    assert_eq!(outcome.stderr(), "e".repeat(1 << 20));
}

#[test]
fn a_megabyte_on_one_stream_while_the_other_is_open() {
    cachex().run("head -c 1048576 /dev/zero >&2; echo done").behaves_as_bare().prints("done\n");
}

#[test]
fn the_order_of_the_chunks_is_kept() {
    // The command goes on only when its last chunk is seen, so that the order
    // is certain.
    let cachex = cachex();
    let awaits = |size: usize| cachex.gate(&format!("seen-{size}"));
    let script = format!(
        "printf out1; {}; printf err1 >&2; {}; printf err2 >&2; {}; printf out2; {}; printf err3 >&2",
        awaits(4),
        awaits(8),
        awaits(12),
        awaits(16),
    );
    let file = cachex.path("seen");
    let both = format!(r#"exec "$@" >{} 2>&1"#, quoted(&file));
    let call = cachex.run(&script).launched_by(&both);
    let running = call.spawn();
    for size in [4, 8, 12, 16] {
        eventually("the last chunk", || {
            std::fs::metadata(&file).is_ok_and(|file| file.len() >= size).then_some(())
        });
        cachex.opens(&format!("seen-{size}"));
    }
    running.ends().exits(0);
    let shown = || std::fs::read_to_string(&file).unwrap();
    assert_eq!(shown(), "out1err1err2out2err3");
    call.once().exits(0);
    assert_eq!(shown(), "out1err1err2out2err3");
    assert_eq!(cachex.runs(), 1);
}

#[test]
fn in_one_pipe_or_file_the_order_is_the_commands_own() {
    let script = "i=0; while [ $i -lt 300 ]; do i=$((i+1)); echo out $i; echo err $i >&2; done";
    let cachex = cachex();
    let lines: Vec<String> = (1..=300).map(|n| format!("out {n}\nerr {n}\n")).collect();
    let lines = lines.concat();
    cachex.run(script).merged().behaves_as_bare().prints(&lines);
    let into_a_file = r#""$@" >file 2>&1; cat file"#;
    for _ in 0..2 {
        cachex.run(script).launched_by(into_a_file).once().hits().prints(&lines);
    }
    // As a line of a crontab has it, and a unit of systemd.
    let to_its_end = r#": >file; "$@" >>file 2>>file; cat file"#;
    let cachex = crate::harness::cachex();
    for _ in 0..2 {
        cachex.run(script).launched_by(to_its_end).once().prints(&lines);
    }
    assert_eq!(cachex.runs(), 1);
    cachex.run(script).merged().once().hits().prints(&lines);
}

#[test]
fn a_file_that_is_opened_twice_is_two_files() {
    let cachex = cachex();
    let twice = r#""$@" >file 2>file; cat file"#;
    cachex.run("echo long line; echo err >&2").launched_by(twice).behaves_as_bare();
}

#[test]
fn streams_that_were_one_are_not_replayed_apart_nor_the_other_way_round() {
    let script = "echo out; echo err >&2; exit 3";
    let (cachex, apart) = (cachex(), "out\n");
    let call = cachex.run(script);
    for _ in 0..2 {
        call.clone().merged().twice().runs_once().prints("out\nerr\n").exits(3);
        call.twice().runs_once().prints(apart).says("err\n").exits(3);
    }
    // Where there is one stream only, it makes no difference.
    let one = cachex.run("echo out; exit 3");
    one.once().misses().prints(apart);
    one.clone().merged().once().hits().prints(apart);
    let none = cachex.run("exit 3");
    none.clone().merged().once().misses().prints("");
    none.once().hits().prints("");
}

#[test]
fn others_follow_one_pipe_only_into_one() {
    let cachex = cachex();
    let script = format!("echo out; echo err >&2; {}; echo end", cachex.gate("gate"));
    let call = cachex.run(&script).with("--no-concurrent");
    let holder = call.clone().merged().spawn();
    holder.shows("out\nerr\n");
    let (alike, apart) = (call.clone().merged().spawn(), call.spawn());
    alike.shows("out\nerr\n");
    cachex.opens("gate");
    holder.ends().prints("out\nerr\nend\n");
    alike.ends().prints("out\nerr\nend\n");
    apart.ends().prints("out\nend\n").says("err\n");
    assert_eq!(cachex.runs(), 2);
}

#[test]
fn output_recorded_without_its_streams_apart_is_apart_all_the_same() {
    let call = cachex().run("echo out; echo err >&2");
    call.clone().launched_by(r#"exec "$@" >/dev/null 2>&1"#).once();
    call.once().hits().prints("out\n").says("err\n");
}

#[test]
fn a_slow_reader_that_does_not_block_gets_everything() {
    let cachex = cachex();
    let call = cachex.run("seq 1 100000");
    let bare = call.clone().bare().once().stdout();
    for _ in 0..2 {
        let (mut reader, writer) = std::io::pipe().unwrap();
        rustix::io::ioctl_fionbio(&writer, true).unwrap();
        let running = call.spawn_into(writer);
        let mut read = String::new();
        reader.read_to_string(&mut read).unwrap();
        assert_eq!(read, bare);
        running.ends().exits(0).quietly();
    }
    assert_eq!(cachex.runs(), 2, "one of them bare");
}

#[test]
fn output_goes_to_files_as_to_pipes() {
    let cachex = cachex();
    let file = quoted(cachex.path("file"));
    let counted = cachex.counting("seq 1 3");
    // Appended, and from an offset, as a shell's groups do it.
    let script = format!(
        "{{ echo head; cachex run -- sh -c \"{counted}\"; echo tail; }} >{file}; \
         cachex run -- sh -c \"{counted}\" >>{file}; cat {file}"
    );
    cachex.shell(&script).once().runs_once().prints("head\n1\n2\n3\ntail\n1\n2\n3\n");
    let long = cachex.counting("seq 1 20000");
    let script = format!(
        "{{ echo head; cachex run -- sh -c \"{long}\"; echo tail; }} >{file}; wc -l <{file}"
    );
    cachex.shell(&script).twice().runs_once().prints("20002\n");
}

#[test]
fn output_into_a_socket() {
    let cachex = cachex();
    let call = cachex.run("seq 1 50000");
    let bare = call.clone().bare().once().stdout();
    for _ in 0..2 {
        let (mut ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
        let running = call.spawn_into(std::os::fd::OwnedFd::from(theirs));
        let mut read = String::new();
        ours.read_to_string(&mut read).unwrap();
        assert_eq!(read, bare);
        running.ends().exits(0).quietly();
    }
    assert_eq!(cachex.runs(), 2, "one of them bare");
}

#[cfg(target_os = "linux")]
#[test]
fn a_command_that_reads_the_file_it_prints_to_finds_its_end() {
    let cachex = cachex();
    cachex.write("work/much", "line\n".repeat(400_000));
    // Without a limit this would fill the disk. Twice, since what is held back is shown again.
    let script = "ulimit -f 100000; \
                  cachex run -v -- sh -c 'cat much out; echo between; cat out; echo end' >out; \
                  echo $?; head -n 400000 out | cmp - much && grep -c between out; tail -n 1 out";
    let said = cachex.shell(script).once().exits(0);
    let shown = said.stdout();
    let [status, between, end] = shown.lines().collect::<Vec<_>>()[..] else { panic!("{shown}") };
    // What it read may have ended within a line.
    assert!(status == "0" && end.ends_with("end"), "{shown}");
    assert!(between.parse::<u32>().unwrap() >= 1);
    said.mentions(&["not recorded: it read the file that its output goes to"]);
    assert!(cachex.stored_in("v2/young").is_empty());
}

#[cfg(target_os = "linux")]
#[test]
fn a_command_that_is_told_to_read_what_it_adds_to_runs_as_without_cachex() {
    let cachex = cachex();
    for reads in
        ["cat out", "sh -c 'cat out; cat out; cat ./out'", "grep line out -", "cp out /dev/stdout"]
    {
        let script = |by: &str| format!("echo line >out; {by} {reads} >>out; echo $?; cat out");
        let bare = cachex.shell(&script("")).once();
        cachex.shell(&script("cachex run --")).once().same_as(&bare);
    }
    assert!(cachex.stored_in("v2/young").is_empty());
    // One that is told the name of the file that it makes is recorded.
    cachex.tool("makes", "echo \"made for $1\"");
    for _ in 0..2 {
        cachex.shell("cachex run -- makes out >out; cat out").once().prints("made for out\n");
    }
    assert_eq!(cachex.runs(), 1);
}

#[cfg(target_os = "linux")]
#[test]
fn a_command_that_waits_in_the_file_it_prints_to_sees_what_it_prints() {
    let cachex = cachex();
    let message = "not recorded: it read the file that its output goes to";
    for script in [
        // As a script follows its own log, or has it open, or looks at it now and then.
        "(echo starting; sleep 0.1; echo ready) & tail -n +1 -f out | sed /ready/q; wait",
        "exec 7<out; echo ready; until grep -q ready out; do sleep 0.01; done",
        "echo ready; until tail -n 1 out | grep -q ready; do sleep 0.01; done",
    ] {
        let shell = format!("cachex run -v -- sh -c '{script}' >out; grep -c ready out");
        cachex.shell(&shell).once().exits(0).mentions(&[message]);
    }
}

#[test]
fn a_follower_of_the_file_it_prints_to_does_not_keep_it_from_being_recorded() {
    let cachex = cachex();
    cachex.tool("log", &format!("echo ready; {}; echo done", cachex.gate("gate")));
    let file = cachex.path("work/out");
    let into_file = format!(r#"exec "$@" >{}"#, quoted(&file));
    let running = cachex.exec(["log"]).launched_by(&into_file).spawn();
    let follower = eventually("the file", || std::fs::File::open(&file).ok());
    eventually("output", || std::fs::read(&file).ok().filter(|read| !read.is_empty()));
    cachex.opens("gate");
    running.ends().exits(0);
    drop(follower);
    cachex.exec(["log"]).once().hits().prints("ready\ndone\n");
}
