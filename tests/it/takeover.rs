//! `--no-concurrent`: who takes over from a killed holder goes on where that one stopped.

use crate::harness::{Call, Signal, cachex};

#[test]
fn who_goes_on_after_a_killed_holder_goes_on_where_that_one_stopped() {
    let outputs = |call: Call, is_one: bool| if is_one { call.merged() } else { call };
    for (holders_are_one, ours_are_one) in [(true, true), (false, false), (false, true)] {
        let cachex = cachex();
        let script =
            format!("echo 1; echo 2 >&2; echo 3; {}; echo 4; echo 5 >&2", cachex.gate("gate"));
        let call = cachex.run(&script).with("--no-concurrent");
        let holder = outputs(call.clone(), holders_are_one).spawn();
        holder.shows(if holders_are_one { "1\n2\n3\n" } else { "1\n3\n" });
        let follower = outputs(call, ours_are_one).spawn();
        follower.shows(if ours_are_one { "3\n" } else { "1\n3\n" });
        holder.signal(Signal::KILL);
        holder.ends().dies_of(Signal::KILL);
        cachex.awaits_runs(2);
        cachex.opens("gate");
        let ended = follower.ends().exits(0);
        match ours_are_one {
            // Two pipes were followed: what is in which order is known of each alone.
            true if !holders_are_one => assert_eq!(ended.stdout().len(), "1\n2\n3\n4\n5\n".len()),
            true => drop(ended.prints("1\n2\n3\n4\n5\n")),
            false => drop(ended.prints("1\n3\n4\n").says("2\n5\n")),
        }
    }
}

#[test]
fn what_was_shown_of_one_pipe_is_not_compared_with_two() {
    let cachex = cachex();
    let script = format!("echo 1; echo 2 >&2; {}; echo 3", cachex.gate("gate"));
    let call = cachex.run(&script).with("--no-concurrent");
    let holder = call.clone().merged().spawn();
    holder.shows("1\n2\n");
    // Whoever comes next has the turn when the holder dies.
    let apart = call.spawn();
    apart.waits_for_a_lock();
    let follower = call.clone().merged().spawn();
    follower.shows("1\n2\n");
    holder.signal(Signal::KILL);
    holder.ends().dies_of(Signal::KILL);
    cachex.awaits_runs(2);
    cachex.opens("gate");
    apart.ends().prints("1\n3\n").says("2\n").exits(0);
    follower.ends().prints("1\n2\n3\n").exits(0);
}
