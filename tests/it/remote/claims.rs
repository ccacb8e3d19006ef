//! `--no-concurrent` across machines, where the store has claims: one of those that miss
//! at the same time runs the command, and the others get its result.

use super::Machines;
use crate::harness::{Call, Folder, Redis};
use rustix::process::Signal;

/// A call that ends once a gate is open.
fn slow(machines: &Machines<'_>) -> Call {
    let script = format!("{}; echo made", machines.cachex.gate("gate"));
    machines.cachex.run(&script).with("--no-concurrent")
}

fn claims(redis: &Redis) -> usize {
    redis.keys().iter().filter(|key| key.contains("/l/")).count()
}

#[test]
fn one_of_many_machines_runs_it() {
    let redis = Redis::start();
    let machines = Machines::sharing(&redis);
    let call = slow(&machines);
    let first = machines.on("m0", &call).spawn();
    machines.cachex.awaits_runs(1);
    let others: Vec<_> = (1..8).map(|n| machines.on(&format!("m{n}"), &call).spawn()).collect();
    machines.cachex.opens("gate");
    first.ends().exits(0).prints("made\n").quietly();
    for other in others {
        other.ends().exits(0).prints("made\n").quietly();
    }
    assert_eq!(machines.cachex.runs(), 1);
    crate::harness::eventually("the claim to be given up", || (claims(&redis) == 0).then_some(()));
}

#[test]
fn a_run_that_is_not_recorded_keeps_nobody_waiting() {
    let redis = Redis::start();
    let machines = Machines::sharing(&redis);
    let call = machines.cachex.run("echo no; exit 3").with("--no-concurrent --exit-codes 0");
    machines.on("a", &call).once().misses().exits(3).promptly();
    machines.on("b", &call).once().misses().exits(3).promptly();
}

#[test]
fn a_machine_waits_no_longer_than_it_is_told_to() {
    let redis = Redis::start();
    let machines = Machines::sharing(&redis);
    let call = slow(&machines);
    let first = machines.on("a", &call).spawn();
    machines.cachex.awaits_runs(1);
    let second = machines.on("b", &call).option("--lock-timeout", "1s").spawn();
    machines.cachex.awaits_runs(2);
    machines.cachex.opens("gate");
    first.ends().exits(0);
    second.ends().exits(0);
}

#[test]
fn the_death_of_who_runs_it_frees_the_others() {
    let redis = Redis::start();
    let machines = Machines::sharing(&redis);
    let call = slow(&machines);
    let first = machines.on("a", &call).spawn();
    machines.cachex.awaits_runs(1);
    let second = machines.on("b", &call).spawn();
    first.signal(Signal::KILL);
    machines.cachex.awaits_runs(2);
    machines.cachex.opens("gate");
    second.ends().exits(0).prints("made\n");
}

#[test]
fn where_there_are_no_claims_each_machine_runs_it() {
    let folder = Folder::new();
    let machines = Machines::sharing(&folder);
    let call = slow(&machines);
    let both = ["a", "b"].map(|machine| machines.on(machine, &call).spawn());
    machines.cachex.awaits_runs(2);
    machines.cachex.opens("gate");
    for running in both {
        running.ends().exits(0).prints("made\n");
    }
}
