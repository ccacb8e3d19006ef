//! How much of a result is replayed, and in which form: `--replay`, `--mark` and
//! `--color-strip`.

use crate::harness::cachex;

#[test]
fn a_hit_may_print_nothing_or_failures_alone() {
    let cachex = cachex();
    for (status, errors) in [(0, ""), (3, "out\n")] {
        let call = cachex.run(&format!("echo out; exit {status}"));
        // A run is shown.
        call.clone().with("--replay none").once().misses().prints("out\n").exits(status);
        call.clone().with("--replay none").once().hits().prints("").quietly().exits(status);
        call.clone().with("--replay errors").once().hits().prints(errors).exits(status);
        call.clone().with("--replay all").once().hits().prints("out\n").exits(status);
        call.clone().env("CACHEX_REPLAY", "none").once().hits().prints("").exits(status);
    }
}

#[test]
fn colours_are_for_terminals() {
    let cachex = cachex();
    let script = r"printf '\033[1;31mred\033[0m\n'; printf '\033[2mdim\033[0m\n' >&2";
    let call = cachex.run(script);
    let plain = call.clone().with("--color-strip auto");
    // The run as the replay of it.
    plain.twice().runs_once().prints("red\n").says("dim\n");
    call.clone().with("--color-strip always --no-concurrent").once().hits().prints("red\n");
    // One recording serves both.
    call.once().hits().prints("\x1b[1;31mred\x1b[0m\n").says("\x1b[2mdim\x1b[0m\n");
    let mut terminal = cachex.terminal();
    terminal.types(&format!(
        "cachex run --color-strip auto -- sh -c {}",
        crate::harness::quoted(cachex.counting(script))
    ));
    terminal.shows("\x1b[1;31mred\x1b[0m");
}

#[test]
fn long_output_is_stripped_too() {
    let cachex = cachex();
    let script = r"for i in $(seq 30000); do printf '\033[1m%s\033[0m\n' $i; done";
    let expected = (1..=30000).fold(String::new(), |all, i| all + &format!("{i}\n"));
    let call = cachex.run(script).with("--color-strip always");
    call.twice().runs_once().prints(&expected);
    cachex.folds();
    call.once().hits().prints(&expected);
    cachex
        .run(script)
        .with("--stale-if-error 1h")
        .once()
        .hits()
        .prints_bytes(expected.len() as u64 + 30000 * 8);
}

#[test]
fn a_mark_is_below_a_replay_at_a_terminal_and_nowhere_else() {
    let cachex = cachex();
    let call = cachex.exec(["echo", "out"]).with("--mark");
    call.twice().prints("out\n").quietly();
    let mut terminal = cachex.terminal();
    terminal.types("cachex run --mark -- echo seen; echo end");
    terminal.shows("seen").shows("end");
    assert!(!terminal.written().contains("cached"), "a run is no replay");
    terminal.types("cachex run --mark -- echo seen; echo end");
    terminal.shows("seen").shows("\x1b[2mcached 0s ago\x1b[0m").shows("end");
    let plain = "cachex run --ignore-env NO_COLOR --mark -- echo seen; echo end";
    terminal.types(plain).shows("seen").shows("end");
    terminal.types(&format!("NO_COLOR=1 {plain}")).shows("seen").shows("\ncached ").shows("end");
}
