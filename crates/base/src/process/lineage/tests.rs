//! Tests of the identity of processes.

use super::*;

fn process(pid: u32, birth: Option<(u128, u64, u64)>) -> Process {
    let birth = birth.map(|(boot, namespace, started)| Birth { boot, namespace, started });
    Process { pid, birth }
}

fn holder(process: Process, pipes: &[Pipe]) -> Holder {
    Holder { process, host: "here".into(), pipes: pipes.to_vec() }
}

fn lineage(ancestors: &[Process], pipes: &[Pipe]) -> Lineage {
    let (ancestors, pipes) = (ancestors.to_vec(), pipes.to_vec());
    Lineage { host: "here".into(), ancestors, pipes, is_complete: false, is_nested: true }
}

#[test]
fn a_process_is_another_one_in_another_namespace_boot_or_life() {
    let one = process(7, Some((1, 2, 3)));
    assert!(one.is(&one));
    for other in [Some((9, 2, 3)), Some((1, 9, 3)), Some((1, 2, 9)), None] {
        assert!(!one.is(&process(7, other)), "{other:?}");
        assert!(!lineage(&[one], &[]).descends_from(&holder(process(7, other), &[])));
    }
    assert!(lineage(&[process(1, Some((1, 2, 0))), one], &[]).descends_from(&holder(one, &[])));
    let unknown = process(7, None);
    assert!(!unknown.is(&unknown), "a number that may be anybody's");
}

#[test]
fn a_pipe_of_the_command_leads_to_who_runs_it_under_the_same_kernel() {
    let pipe = Pipe { device: 1, inode: 2 };
    let init = process(1, Some((1, 2, 0)));
    let hidden = holder(process(70, Some((1, 9, 5))), &[pipe]);
    assert!(lineage(&[init], &[pipe]).descends_from(&hidden));
    assert!(!lineage(&[init], &[Pipe { device: 1, inode: 3 }]).descends_from(&hidden));
    let elsewhere = holder(process(70, Some((8, 9, 5))), &[pipe]);
    assert!(!lineage(&[init], &[pipe]).descends_from(&elsewhere));
    // Without /proc, the name of the host has to do.
    let unknown = holder(process(70, None), &[pipe]);
    assert!(lineage(&[], &[pipe]).descends_from(&unknown));
    let there = Holder { host: "there".into(), ..unknown };
    assert!(!lineage(&[], &[pipe]).descends_from(&there));
}

#[test]
fn what_is_written_is_read() {
    for birth in [None, Some((u128::MAX, u64::MAX, 0))] {
        let process = process(7, birth);
        assert_eq!(Process::parse(&process.to_string()), Some(process));
        let whole = lineage(&[process, process], &[Pipe { device: 1, inode: 2 }]);
        assert_eq!(Lineage::parse(&whole.to_string()), Some(whole));
    }
    for bad in ["", "7", "x -", "7 - 1", "7 1 2", "7 1 2 3 4"] {
        assert_eq!(Process::parse(bad), None, "{bad}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_parent_is_an_ancestor_and_this_process_is_none() {
    let own = Lineage::own();
    let this = Process::this();
    assert!(this.is(&this) && this.is_here() && !this.is_stopped());
    assert!(own.is_complete() && !own.ancestors.iter().any(|ancestor| ancestor.is(&this)));
    let parent = rustix::process::getppid().unwrap().as_raw_nonzero().get() as u32;
    assert_eq!(own.ancestors[0].pid, parent);
    assert!(own.descends_from(&holder(own.ancestors[0], &[])));
}
