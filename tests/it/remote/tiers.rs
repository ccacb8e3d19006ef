//! Several remote stores, the nearest first.

use super::Machines;
use crate::harness::{Call, Folder, Redis, Remote};

struct Tiers<'r> {
    near: Machines<'r>,
    far: Machines<'r>,
}

impl<'r> Tiers<'r> {
    fn of(near: &'r dyn Remote, far: &'r dyn Remote) -> Tiers<'r> {
        let near = Machines::sharing(near);
        Tiers { far: near.by(far), near }
    }

    /// A call that uses both, each in the mode that its URL names.
    fn on(&self, machine: &str, call: &Call, modes: [&str; 2]) -> Call {
        let url = |machines: &Machines<'_>, mode: &str| {
            let url = machines.remote.url();
            if mode.is_empty() { url } else { format!("{url}?mode={mode}") }
        };
        let urls = format!("{} {}", url(&self.near, modes[0]), url(&self.far, modes[1]));
        self.near.on(machine, call).env("CACHEX_REMOTE", urls)
    }

    fn flush(&self, machine: &str, modes: [&str; 2]) -> Call {
        self.on(machine, &self.near.cachex.cli(["remote", "flush"]), modes)
    }
}

#[test]
fn a_find_far_away_is_put_into_the_near_store() {
    let (near, far) = (Redis::start(), Folder::new());
    let tiers = Tiers::of(&near, &far);
    let call = tiers.near.cachex.run("echo hi; seq 4000");
    tiers.far.on("a", &call).once().misses();
    tiers.far.shares("a");
    let modes = ["", "read-only"];
    tiers.on("b", &call, modes).once().hits().quietly();
    tiers.flush("b", modes).once().exits(0);
    tiers.near.on("c", &call).once().hits().quietly();
    // What is recorded goes where it may.
    let other = tiers.near.cachex.run("echo other");
    tiers.on("b", &other, modes).once().misses();
    tiers.flush("b", modes).once().exits(0);
    tiers.near.on("d", &other).once().hits();
    tiers.far.on("e", &other).once().misses();
}

#[test]
fn both_get_what_is_recorded_and_lose_what_is_forgotten() {
    let (near, far) = (Folder::new(), Folder::new());
    let tiers = Tiers::of(&near, &far);
    let call = tiers.near.cachex.run("echo hi");
    tiers.on("a", &call, ["", ""]).once().misses();
    tiers.flush("a", ["", ""]).once().exits(0);
    tiers.near.on("b", &call).once().hits();
    tiers.far.on("c", &call).once().hits();
    tiers.on("a", &call.clone().forget(), ["", ""]).once().exits(0);
    tiers.near.on("d", &call).once().misses();
    tiers.far.on("e", &call).once().misses();
}

#[test]
fn what_is_invalid_far_away_is_invalid_nearby() {
    let (near, far) = (Folder::new(), Folder::new());
    let tiers = Tiers::of(&near, &far);
    let call = tiers.near.cachex.run("echo old");
    tiers.on("a", &call, ["", ""]).once().misses();
    tiers.flush("a", ["", ""]).once().exits(0);
    tiers.far.on("b", &tiers.near.cachex.cli(["remote", "invalidate", "--all"])).once().exits(0);
    // Who sends something learns of it.
    tiers.on("c", &tiers.near.cachex.run("echo other"), ["", ""]).once().misses();
    tiers.flush("c", ["", ""]).once().exits(0);
    tiers.on("c", &call, ["", ""]).once().misses();
    tiers.flush("c", ["", ""]).once().exits(0);
    // What was recorded since is not.
    tiers.on("d", &call, ["", ""]).once().hits();
}

#[test]
fn one_that_is_down_does_not_keep_the_others_from_answering() {
    let (mut near, far) = (Redis::start(), Folder::new());
    near.kill();
    let tiers = Tiers::of(&near, &far);
    let call = tiers.near.cachex.run("echo hi");
    tiers.far.on("a", &call).once().misses();
    tiers.far.shares("a");
    tiers.on("b", &call, ["", ""]).once().hits().warns_once(&["left alone for a minute"]);
    let explained = tiers.on("c", &call.clone().explain(), ["", ""]).once();
    explained.exits(0).shows(&["file:///"]);
}

#[test]
fn what_is_named_twice_or_has_no_mode_is_misuse() {
    let folder = Folder::new();
    let tiers = Tiers::of(&folder, &folder);
    let call = tiers.near.cachex.run("echo hi");
    tiers.on("a", &call, ["", ""]).once().runs(0).exits(125).mentions(&["twice"]);
    let modes = ["sometimes", "read-only"];
    tiers.on("a", &call, modes).once().runs(0).exits(125).mentions(&["mode=read-only"]);
    tiers.on("a", &call, ["off", ""]).once().runs(0).exits(125);
}

#[test]
fn the_stricter_of_two_modes_holds() {
    let (near, far) = (Folder::new(), Folder::new());
    let tiers = Tiers::of(&near, &far);
    let call = tiers.near.cachex.run("echo hi");
    let modes = ["read-write", ""];
    tiers.on("a", &call, modes).env("CACHEX_REMOTE_MODE", "read-only").once().misses();
    tiers.flush("a", modes).once().exits(0).shows(&["nothing was waiting"]);
    tiers.on("a", &call, ["off", "read-only"]).env("CACHEX_MODE", "write-only").once().misses();
    tiers.flush("a", modes).once().exits(0).shows(&["nothing was waiting"]);
}
