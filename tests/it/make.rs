//! Under GNU make: the jobserver passes through, and is no part of the key.

use crate::harness::{World, cachex, quoted};

/// Four sub-makes with two targets each, all through `cachex`.
const RECURSIVE: &str = "\
all: a b c d
\t@echo all done
a b c d:
\t@cachex run -- $(MAKE) --no-print-directory -C ../sub NAME=$@
.PHONY: all a b c d
";

fn sub_makefile(world: &World) -> String {
    let counting = world.counting("true").replace('$', "$$");
    format!(
        "all: one two\n\
         one two:\n\
         \t@{counting}; echo $(NAME) $@\n\
         .PHONY: all one two\n"
    )
}

/// The lines in whichever order the jobs came.
fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines
}

#[test]
fn sub_makes_share_the_jobserver_and_are_served_the_second_time() {
    let cachex = cachex();
    cachex.write("work/Makefile", RECURSIVE);
    cachex.write("sub/Makefile", sub_makefile(&cachex));
    // No "jobserver unavailable", no token lost.
    let first = cachex.shell("make -j4").once().runs(8).exits(0).quietly();
    assert_eq!(
        sorted(&first.stdout()),
        ["a one", "a two", "all done", "b one", "b two", "c one", "c two", "d one", "d two"]
    );
    let second = cachex.shell("make -j4").once().hits().exits(0).quietly();
    assert_eq!(sorted(&second.stdout()), sorted(&first.stdout()));
    // Neither the number of jobs nor their absence makes another entry.
    cachex.shell("make -j2").once().hits().exits(0).quietly();
    cachex.shell("make").once().hits().exits(0).quietly();
    // Nor does the way in which their output is put in order.
    let third = cachex.shell("make -j4 --output-sync=line").once().hits().exits(0).quietly();
    assert_eq!(sorted(&third.stdout()), sorted(&first.stdout()));
}

#[test]
fn make_at_another_terminal_is_the_same() {
    let cachex = cachex();
    cachex.tool("tool", "echo at $MAKE_TERMOUT");
    cachex.write("work/Makefile", "all:\n\t@cachex run -- tool\n");
    let mut terminals = [cachex.terminal(), cachex.terminal()];
    for terminal in &mut terminals {
        terminal.types("make; echo status=$?").shows("at /").shows("status=0");
    }
    assert_eq!(cachex.runs(), 1);
    // What is not shown at a terminal may look otherwise.
    terminals[0].types("make | cat; echo status=$?").shows("at\r\n").shows("status=0");
    assert_eq!(cachex.runs(), 2);
}

#[test]
fn a_recursive_make_as_a_whole_is_as_it_is_without() {
    let cachex = cachex();
    cachex.write("work/Makefile", RECURSIVE.replace("cachex run -- ", ""));
    cachex.write("sub/Makefile", sub_makefile(&cachex));
    let call = cachex.exec(["make", "-j4", "--output-sync=recurse"]);
    let bare = call.clone().bare().once().runs(8).exits(0).quietly();
    let outcome = call.twice().runs(8).alike().exits(0).quietly();
    assert_eq!(sorted(&outcome.stdout()), sorted(&bare.stdout()));
}

#[test]
fn a_failing_sub_make_fails_each_time() {
    let cachex = cachex();
    cachex
        .write("work/Makefile", "all:\n\t@cachex run -- $(MAKE) --no-print-directory -C ../sub\n");
    cachex.write("sub/Makefile", format!("all:\n\t@{}; exit 3\n", cachex.counting("true")));
    cachex.shell("make -j2").twice().runs_once().exits(2).alike().mentions(&["Error 3", "Error 2"]);
}

/// What a client of the jobserver does: takes a token, works, gives it back.
fn takes_a_token(from: &str, to: &str) -> String {
    format!("token=$(head -c 1 <&{from}); echo token $token; printf %s \"$token\" >&{to}")
}

#[test]
fn tokens_come_and_go_through_a_pipe() {
    let cachex = cachex();
    let call = cachex.run(&takes_a_token("8", "9")).with("--stdin null");
    // Descriptors 8 and 9 are inherited, as make's are; at the end the one
    // token is still there.
    let jobserver = "export MAKEFLAGS=' -j2 --jobserver-auth=8,9'; mkfifo ../pipe; \
                     exec 7<>../pipe 8<../pipe 9>../pipe; rm ../pipe; \
                     printf T >&9; \"$@\"; head -c 1 <&8";
    call.launched_by(jobserver).twice().runs_once().prints("token T\nT").exits(0).quietly();
}

#[test]
fn tokens_come_and_go_through_a_fifo() {
    // The style of make 4.4 and later, done by hand so that it is tested with
    // any make: the path, and not a descriptor, is inherited.
    let cachex = cachex();
    let client = "fifo=${MAKEFLAGS##*=fifo:}; exec 8<$fifo 9>$fifo; ";
    let call = cachex.run(&format!("{client}{}", takes_a_token("8", "9")));
    for number in [1, 2] {
        let fifo = quoted(cachex.path(format!("fifo{number}")));
        let jobserver = format!(
            "export MAKEFLAGS=' -j2 --jobserver-auth=fifo:'{fifo}; mkfifo {fifo}; exec 7<>{fifo}; \
             printf T >&7; \"$@\"; head -c 1 <&7"
        );
        call.clone().launched_by(&jobserver).once().prints("token T\nT").exits(0).quietly();
    }
    assert_eq!(cachex.runs(), 1, "the fifo's path is part of the key");
}

#[test]
fn a_make_that_has_fifos_uses_them() {
    let cachex = cachex();
    let version = cachex.shell("make --version").once().stdout();
    let number = version.lines().next().unwrap().rsplit(' ').next().unwrap().to_owned();
    let (major, minor) = number.split_once('.').unwrap();
    let minor = minor.split('.').next().unwrap();
    let has_fifos = (major.parse::<u32>().unwrap(), minor.parse::<u32>().unwrap()) >= (4, 4);
    cachex.write("work/Makefile", RECURSIVE);
    cachex.write("sub/Makefile", sub_makefile(&cachex));
    let style = if has_fifos { "--jobserver-style=fifo" } else { "" };
    cachex.shell(&format!("make -j4 {style}")).twice().runs(8).exits(0).quietly();
}
