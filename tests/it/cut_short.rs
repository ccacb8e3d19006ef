//! A run that others follow and that does not come to its end, or that cannot be
//! followed: nothing is printed twice, and nothing wrong without saying so.

use crate::harness::{Cachex, Call, Running, Signal, cachex, eventually, quoted};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::PathBuf;

/// Callers who have shown this of another's run.
#[track_caller]
fn followers(call: &Call, count: usize, first: &str) -> Vec<Running> {
    let running: Vec<Running> = (0..count).map(|_| call.spawn()).collect();
    for follower in &running {
        follower.shows(first);
    }
    running
}

#[test]
fn one_runs_it_again_and_all_end_with_the_whole_output_once() {
    for signal in [Signal::KILL, Signal::TERM] {
        let cachex = cachex();
        let script = format!("echo one; echo err >&2; {}; echo two; exit 4", cachex.gate("gate"));
        let call = cachex.run(&script).with("--no-concurrent");
        let holder = call.spawn();
        holder.shows("one\n").warns("err\n");
        let all = followers(&call, 10, "one\n");
        for follower in &all {
            follower.warns("err\n");
        }
        holder.signal(signal);
        holder.ends().dies_of(signal);
        cachex.awaits_runs(2);
        cachex.opens("gate");
        for follower in all {
            follower.ends().prints("one\ntwo\n").says("err\n").exits(4);
        }
        assert_eq!(cachex.runs(), 2);
        call.once().hits().prints("one\ntwo\n").says("err\n").exits(4);
        cachex.fold().after("2h").once().exits(0);
        cachex.is_swept();
    }
}

#[test]
fn so_do_they_if_that_happens_again_and_again() {
    let cachex = cachex();
    let script = format!("echo one; {}; echo two", cachex.gate("gate"));
    let call = cachex.run(&script).with("--no-concurrent");
    let first = call.spawn();
    first.shows("one\n");
    let mut all = followers(&call, 5, "one\n");
    first.signal(Signal::KILL);
    for runs in 2..5 {
        cachex.awaits_runs(runs);
        let signatures: Vec<String> = cachex
            .stored_in("v2/locks")
            .into_iter()
            .filter_map(|lock| fs::read_to_string(cachex.in_store(lock)).ok())
            .filter_map(|text| Some(text.lines().next()?.to_owned()))
            .collect();
        let holds =
            |caller: &Running| signatures.contains(&caller.pid().as_raw_nonzero().to_string());
        let holder = all.remove(all.iter().position(holds).unwrap());
        holder.signal(Signal::KILL);
        holder.ends().prints("one\n").dies_of(Signal::KILL);
    }
    cachex.opens("gate");
    for follower in all {
        follower.ends().prints("one\ntwo\n").quietly().exits(0);
    }
}

#[test]
fn those_who_showed_something_else_say_so() {
    let cachex = cachex();
    let script =
        format!("wc -c <{}; {}; echo two", quoted(cachex.path("runs")), cachex.gate("gate"));
    let call = cachex.run(&script).with("--no-concurrent");
    let holder = call.spawn();
    holder.shows("1\n");
    let all = followers(&call, 10, "1\n");
    holder.signal(Signal::KILL);
    cachex.awaits_runs(2);
    // One who comes later has shown nothing yet.
    let late = followers(&call, 1, "2\n");
    cachex.opens("gate");
    for follower in all {
        follower.ends().prints("1\n").warns_once(&["another printed something else"]).exits(125);
    }
    for caller in late {
        caller.ends().prints("2\ntwo\n").quietly().exits(0);
    }
    assert_eq!(cachex.runs(), 2);
    call.once().hits().prints("2\ntwo\n");
}

#[test]
fn less_than_what_was_shown_is_something_else_too() {
    let cachex = cachex();
    let began = quoted(cachex.path("began"));
    let script = format!("mkdir {began} && {{ echo one; echo two; sleep 600; }}; echo one");
    let call = cachex.run(&script).with("--no-concurrent");
    let holder = call.spawn();
    holder.shows("one\ntwo\n");
    let all = followers(&call, 3, "one\ntwo\n");
    holder.signal(Signal::KILL);
    for follower in all {
        let said = follower.ends().prints("one\ntwo\n").exits(125);
        said.mentions(&["cachex: ", "another printed something else"]);
    }
    assert_eq!(cachex.runs(), 2);
}

/// A holder whose writes to the store fail from the `n`th on, or only that one,
/// at a gate after its first line; and three who wait for it.
fn with_failing_writes(cachex: &Cachex, fault: &str) -> (Call, Running, Vec<Running>) {
    // The store is there.
    cachex.exec(["true"]).once();
    let script = format!("echo one; {}; seq 1 50000; exit 3", cachex.gate("gate"));
    let call = cachex.run(&script).with("--no-concurrent");
    let holder = call.clone().fault(fault).spawn();
    holder.shows("one\n");
    let all: Vec<Running> = (0..3).map(|_| call.spawn()).collect();
    for waiter in &all {
        waiter.waits_for_a_lock();
    }
    (call, holder, all)
}

#[test]
fn with_a_full_store_they_wait_for_their_turn() {
    let cachex = cachex();
    let fault = format!("write={}", Errno::NOSPC.raw_os_error());
    let (call, holder, all) = with_failing_writes(&cachex, &fault);
    let good = call.clone().bare();
    for waiter in &all {
        assert_eq!(waiter.printed(), "");
    }
    cachex.opens("gate");
    let good = good.once();
    holder.ends().prints(good.stdout()).exits(3).mentions(&["cachex: warning: the result is not"]);
    for waiter in all {
        waiter.ends().same_as(&good);
    }
    // The bare one counts too.
    assert_eq!(cachex.runs(), 3);
}

#[test]
fn a_write_that_fails_spoils_nothing() {
    // Signing the lock, telling the pipes and the names, and then bytes and records in turn.
    for n in 1..=12 {
        let cachex = cachex();
        let fault = format!("write:{n}={}", Errno::NOSPC.raw_os_error());
        let (call, holder, all) = with_failing_writes(&cachex, &fault);
        cachex.opens("gate");
        let good = call.clone().bare().once();
        holder.ends().prints(good.stdout()).exits(3).warns_at_most_once();
        for waiter in all {
            waiter.ends().same_as(&good);
        }
        let left = cachex.stored_in("v2/tmp");
        assert!(left.is_empty(), "{left:?}");
        call.once().same_as(&good);
        call.once().hits().same_as(&good);
    }
}

#[test]
fn a_record_is_gone_through_as_far_as_it_was_shown() {
    // The writes are: signature, pipes, names, "one" and its record, the next chunk and
    // its record, which fails. So it is recorded, and not followed any more.
    let cachex = cachex();
    let fault = format!("write:7={}", Errno::NOSPC.raw_os_error());
    let (call, holder, all) = with_failing_writes(&cachex, &fault);
    for waiter in &all {
        waiter.shows("one\n");
    }
    cachex.opens("gate");
    let held = holder.ends().quietly().exits(3);
    for waiter in all {
        waiter.ends().same_as(&held);
    }
    assert_eq!(cachex.runs(), 1);
    call.once().hits().same_as(&held);
}

/// A key's lock that the test holds, in a store without a record of that key.
struct Held {
    cachex: Cachex,
    call: Call,
    lock: PathBuf,
    file: File,
}

impl Held {
    fn new() -> Held {
        let cachex = cachex();
        let call = cachex.run("echo hi").with("--no-concurrent").measured();
        call.once().misses();
        let is_key = |path: &PathBuf| path.file_name().unwrap().len() == 64;
        let lock = cachex.stored_in("v2/locks").into_iter().find(is_key).unwrap();
        let lock = cachex.in_store(lock);
        fs::remove_dir_all(cachex.in_store("v2/young")).unwrap();
        let file = File::create(&lock).unwrap();
        flock(&file, FlockOperation::LockExclusive).unwrap();
        Held { cachex, call, lock, file }
    }

    /// Somebody waits who has looked at it often enough.
    fn waiter(&self) -> Running {
        let waiter = self.call.spawn();
        waiter.waits_for_a_lock();
        let reads = || {
            let io = format!("/proc/{}/io", waiter.pid().as_raw_nonzero());
            let io = fs::read_to_string(io).unwrap();
            let count = io.lines().find_map(|line| line.strip_prefix("syscr: ")).unwrap();
            count.parse::<u64>().unwrap()
        };
        let before = reads();
        eventually("a look at the lock", || (reads() > before + 20).then_some(()));
        waiter
    }

    fn temporary(&self, name: &str) -> PathBuf {
        self.cachex.in_store("v2/tmp").join(name)
    }
}

fn chunk(stream: u8, len: u64) -> Vec<u8> {
    let mut record = vec![0; 16];
    record[0] = stream;
    record[8..].copy_from_slice(&len.to_le_bytes());
    record
}

#[test]
fn what_makes_no_sense_in_a_lock_is_passed_over() {
    let long = vec![b'1'; 100_000];
    let signatures: [&[u8]; 10] = [
        b"",
        b"\n\n\n",
        b"junk",
        b"\xff\xfe\n\x00",
        b"1\nlive tmp/a tmp/b",
        b"1\nlive tmp/../../secret tmp/../../secret\n",
        b"1\nlive /etc/passwd /etc/passwd\n",
        b"1\nlive tmp/ tmp/\n",
        b"1\nlive tmp/dead tmp/dead\n",
        &long,
    ];
    for signature in signatures {
        let held = Held::new();
        fs::write(&held.lock, signature).unwrap();
        let waiter = held.waiter();
        drop(held.file);
        waiter.ends().prints("hi\n").quietly().exits(0);
    }
}

#[test]
fn only_files_that_somebody_writes_are_followed() {
    let held = Held::new();
    let secret = held.cachex.write("secret", "secret");
    fs::write(held.temporary("a0"), "old").unwrap();
    fs::write(held.temporary("a1"), [chunk(0, 3), chunk(2, 0)].concat()).unwrap();
    for name in ["b0", "b1"] {
        symlink(&secret, held.temporary(name)).unwrap();
    }
    for name in ["c0", "c1"] {
        fs::create_dir(held.temporary(name)).unwrap();
    }
    for name in ["d0", "d1"] {
        let made = std::process::Command::new("mkfifo").arg(held.temporary(name)).status();
        assert!(made.unwrap().success());
    }
    let waiters: Vec<Running> = ["a", "b", "c", "d"]
        .map(|name| {
            fs::write(&held.lock, format!("1\nlive tmp/{name}0 tmp/{name}1\n")).unwrap();
            held.waiter()
        })
        .into();
    for waiter in &waiters {
        assert_eq!(waiter.printed(), "");
    }
    drop(held.file);
    for waiter in waiters {
        waiter.ends().prints("hi\n").quietly().exits(0);
    }
}

#[test]
fn absurd_records_are_no_more_than_the_bytes_there_are() {
    let most = u64::MAX;
    let indexes = [
        chunk(0, most),
        [chunk(0, most), chunk(0, most), chunk(0, most), chunk(3, 0)].concat(),
        [chunk(0, 3), chunk(1, most), chunk(2, 0)].concat(),
        [chunk(0, 2), chunk(0, 1), chunk(9, 9)].concat(),
        [chunk(0, 0), chunk(0, 0), chunk(0, 3), vec![0xff; 1000]].concat(),
        [chunk(0, 3), vec![2; 15]].concat(),
    ];
    for index in indexes {
        let held = Held::new();
        fs::write(held.temporary("a0"), "hi\n").unwrap();
        fs::write(held.temporary("a1"), index).unwrap();
        let data = File::open(held.temporary("a0")).unwrap();
        flock(&data, FlockOperation::LockExclusive).unwrap();
        fs::write(&held.lock, "1\nlive tmp/a0 tmp/a1\n").unwrap();
        let waiter = held.waiter();
        waiter.shows("hi\n");
        drop(held.file);
        // What its own run prints is what was shown.
        waiter.ends().prints("hi\n").quietly().exits(0).in_less_memory_than(64 << 20);
        assert_eq!(held.cachex.runs(), 2);
    }
}
