//! Outputs that take no more, and what the command makes of them.

use crate::harness::{cachex, quoted};
use std::io::Read;

const BOTH: &str = "echo one; echo complaint >&2; echo two; exit 3";

#[test]
fn a_full_stderr_costs_only_what_was_to_go_there() {
    let cachex = cachex();
    let full = r#"exec "$@" 2>/dev/full"#;
    let call = cachex.run(BOTH);
    let complains = call.clone().launched_by(full);
    complains.twice().runs_twice().prints("one\ntwo\n").exits(3);
    call.once().misses().prints("one\ntwo\n").says("complaint\n");
    complains.once().hits().prints("one\ntwo\n").exits(3);
    call.once().hits().says("complaint\n").exits(3);
}

#[test]
fn a_success_stays_one_though_its_complaints_are_lost() {
    let call = cachex().run("echo complaint >&2; seq 1 30000; exit 0");
    let call = call.launched_by(r#"exec "$@" 2>/dev/full"#);
    let bare = call.clone().bare().once();
    for _ in 0..2 {
        call.once().prints(bare.stdout()).exits(0);
    }
}

#[test]
fn a_hit_leaves_a_dead_pipe_to_who_ignores_its_signal() {
    let cachex = cachex();
    for count in [1, 1_000_000] {
        let call = cachex.run(&format!("seq 1 {count} 2>/dev/null || exit 9"));
        call.once().misses().exits(0);
        call.once().hits().exits(0);
        let ignoring = call.launched_by(r#"trap '' PIPE; exec "$@""#);
        let (mut reader, writer) = std::io::pipe().unwrap();
        if count > 1 {
            let running = ignoring.spawn_into(writer);
            reader.read_exact(&mut [0; 4]).unwrap();
            drop(reader);
            running.ends().exits(9).promptly();
        } else {
            drop(reader);
            ignoring.spawn_into(writer).ends().exits(9).promptly();
        }
    }
}

#[test]
fn who_ends_its_output_early_is_seen_to() {
    let cachex = cachex();
    cachex.tool("early", "echo last; exec >&-; until [ -e ../gate ]; do sleep 0.05; done; exit 3");
    let gate = quoted(cachex.path("gate"));
    let ended = format!("| {{ cat; touch {gate}; }}; echo ${{PIPESTATUS[0]}}");
    let script = format!("cachex run -- early {ended}");
    for _ in 0..2 {
        // The first run has to meet the gate shut.
        cachex.shell(&script).once().prints("last\n3\n").promptly();
    }
    let both = format!("cachex run -- early 2>&1 {ended}");
    std::fs::remove_file(cachex.path("gate")).unwrap();
    cachex.tool("early", "echo last; exec >&- 2>&-; until [ -e ../gate ]; do sleep 0.05; done");
    cachex.shell(&both).once().prints("last\n0\n").promptly();
}
