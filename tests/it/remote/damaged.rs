//! A remote store in which something is damaged: nothing of that is ever served.

use super::{Machines, files_below};
use crate::harness::{Call, Folder, Memcached, Redis, copy, flip, overwrite, places};
use std::fs::{self, File};

/// How many places of a long object are damaged.
const PLACES: usize = 10;

/// A call with an output and a file that are too long for an entry.
fn long(machines: &Machines<'_>) -> Call {
    machines.cachex.run("seq 1 1500 | tee made; echo err >&2").with("--output made")
}

/// Every machine that meets the damage runs the command.
#[track_caller]
fn is_not_served(machines: &Machines<'_>, call: &Call, machine: &str, expected: &[u8]) {
    let store = machines.cachex.path(machine);
    let _ = fs::remove_dir_all(&store);
    let reading = call.clone().with("--remote-mode read-only");
    let outcome = machines.on(machine, &reading).once().exits(0).prints(expected);
    assert_eq!(outcome.executions(), 1, "{machine}: it was believed");
    let made = fs::read(machines.cachex.work().join("made")).unwrap();
    assert_eq!(made, expected);
}

#[test]
fn each_object_that_is_damaged_anywhere_is_a_miss() {
    let folder = Folder::new();
    let machines = Machines::sharing(&folder);
    let call = long(&machines);
    let first = machines.on("a", &call).once().misses();
    let expected = first.stdout().into_bytes();
    machines.shares("a");
    machines.on("b", &call).once().hits().same_as(&first);
    let objects = files_below(folder.objects());
    assert!(objects.len() >= 3, "an entry, an output, a list of files: {objects:?}");
    for object in &objects {
        let good = fs::read(object).unwrap();
        for at in places(object, PLACES) {
            for damage in [flip, overwrite] {
                damage(object, at);
                if fs::read(object).unwrap() != good {
                    is_not_served(&machines, &call, "damaged", &expected);
                }
                fs::write(object, &good).unwrap();
            }
        }
    }
    machines.on("c", &call).once().hits().same_as(&first);
}

#[test]
fn each_object_that_is_cut_or_longer_or_gone_is_a_miss() {
    let folder = Folder::new();
    let machines = Machines::sharing(&folder);
    let call = long(&machines);
    let expected = machines.on("a", &call).once().misses().stdout().into_bytes();
    machines.shares("a");
    let kept = machines.cachex.path("kept");
    copy(folder.objects(), &kept);
    for object in files_below(folder.objects()) {
        let good = fs::read(&object).unwrap();
        let len = good.len() as u64;
        for cut in [0, 1, 8, len / 2, len - 1] {
            File::options().write(true).open(&object).unwrap().set_len(cut).unwrap();
            is_not_served(&machines, &call, "cut", &expected);
            fs::write(&object, &good).unwrap();
        }
        fs::write(&object, [&good[..], b"more"].concat()).unwrap();
        is_not_served(&machines, &call, "longer", &expected);
        File::options().write(true).open(&object).unwrap().set_len(1 << 32).unwrap();
        is_not_served(&machines, &call, "huge", &expected);
        fs::remove_file(&object).unwrap();
        is_not_served(&machines, &call, "gone", &expected);
        fs::create_dir(&object).unwrap();
        is_not_served(&machines, &call, "folder", &expected);
        fs::remove_dir(&object).unwrap();
        fs::write(&object, &good).unwrap();
    }
}

#[test]
fn a_value_of_redis_that_is_overwritten_is_a_miss() {
    let redis = Redis::start();
    let machines = Machines::sharing(&redis);
    let call = long(&machines);
    let first = machines.on("a", &call).once().misses();
    let expected = first.stdout().into_bytes();
    machines.shares("a");
    let keys = redis.keys();
    assert!(keys.len() >= 3, "{keys:?}");
    for key in &keys {
        let good = redis.get(key);
        let mut flipped = good.clone();
        flipped[good.len() / 2] ^= 1;
        for bad in [&b""[..], b"walrus", &good[..good.len() - 1], &flipped] {
            redis.set(key, bad);
            is_not_served(&machines, &call, "b", &expected);
        }
        redis.cli(["DEL", key]);
        is_not_served(&machines, &call, "b", &expected);
        redis.cli(["LPUSH", key, "a list and no value"]);
        is_not_served(&machines, &call, "b", &expected);
        redis.cli(["DEL", key]);
        redis.set(key, &good);
    }
    machines.on("c", &call).once().hits().same_as(&first);
}

#[test]
fn a_piece_of_a_long_output_that_went_is_a_miss() {
    let (redis, memcached) = (Redis::start(), Memcached::start());
    for remote in [&redis as &dyn crate::harness::Remote, &memcached] {
        let machines = Machines::sharing(remote);
        let call = machines.cachex.run("head -c 9000000 /dev/urandom").output_counted();
        let first = machines.on("a", &call).once().misses();
        machines.shares("a");
        machines.on("b", &call).once().hits().same_as(&first);
    }
    let machines = Machines::sharing(&redis);
    let call = machines.cachex.run("head -c 9000000 /dev/urandom | cat").output_counted();
    let before = redis.keys();
    machines.on("a", &call).once().misses();
    machines.shares("a");
    let keys: Vec<String> = redis.keys().into_iter().filter(|key| !before.contains(key)).collect();
    let pieces: Vec<&String> = keys.iter().filter(|key| key.contains("/b/")).collect();
    assert!(pieces.len() >= 3, "{keys:?}");
    for piece in pieces {
        let good = redis.get(piece);
        redis.cli(["DEL", piece]);
        let reading = call.clone().with("--remote-mode read-only");
        let store = machines.cachex.path("b");
        let _ = fs::remove_dir_all(store);
        machines.on("b", &reading).once().misses().prints_bytes(9_000_000).exits(0);
        redis.set(piece, &good);
    }
}

#[test]
fn whoever_runs_the_command_instead_mends_it() {
    let folder = Folder::new();
    let machines = Machines::sharing(&folder);
    let call = long(&machines);
    let first = machines.on("a", &call).once().misses();
    machines.shares("a");
    for object in files_below(folder.objects()) {
        flip(&object, fs::metadata(&object).unwrap().len() / 2);
        let healer = format!("healer of {}", object.file_name().unwrap().to_str().unwrap());
        machines.on(&healer, &call).once().misses();
        machines.shares(&healer);
        let _ = fs::remove_dir_all(machines.cachex.path("b"));
        machines.on("b", &call).once().hits().same_as(&first);
    }
}
