//! Tests of what runs learn about the system, other processes and times.

use super::World;
use crate::{Class, Settings};
use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::Command;

#[test]
fn what_is_mounted_is_known_to_whoever_looks() {
    let world = World::new();
    fs::create_dir(world.path("dir")).unwrap();
    for script in [
        "cat /proc/self/mountinfo >/dev/null",
        "exec cat /proc/$$/mountinfo >/dev/null",
        "mountpoint -q dir",
        "findmnt -n / >/dev/null",
    ] {
        let run = world.shell(script);
        assert_eq!(run.refusal(), None, "{script}");
        assert!(run.knows("/proc/self/mountinfo", Class::Contents), "{script}");
        assert!(run.holds(), "{script}: {:?}", run.differing());
    }
    let run = world.shell("cat /proc/mounts >/dev/null");
    assert!(run.knows("/proc/self/mounts", Class::Contents) && run.refusal().is_none());
}

#[test]
fn free_space_is_no_fact() {
    let world = World::new();
    fs::create_dir(world.path("dir")).unwrap();
    let refusal = world.shell("df . >/dev/null").refusal().unwrap();
    assert!(refusal.starts_with("a look at the free space of "), "{refusal}");
    // These programs ask for the type.
    let run = world.shell("find dir; du dir; grep -r x dir; ls dir; cp -r dir other; rm -r other");
    assert_eq!(run.refusal(), None);
}

#[test]
fn whether_a_stranger_is_alive_is_no_fact() {
    let world = World::new();
    for script in ["kill -0 1", "kill -0 4194000", "kill -0 -1"] {
        let refusal = world.shell(&format!("{script} 2>/dev/null; :")).refusal().unwrap();
        assert!(refusal.starts_with("kill of process "), "{refusal}");
    }
    let own = "/bin/true & p=$!; wait; kill -0 $p; kill -0 $$; kill -0 0; kill -0 $PPID; \
               sleep 100 & kill $!; wait; :";
    assert_eq!(world.shell(&format!("({own}) 2>/dev/null")).refusal(), None);
}

#[test]
fn the_scheduling_of_a_stranger_is_no_fact_and_that_of_its_own_processes_is_known() {
    let world = World::new();
    for (script, why) in [
        ("taskset -p 1", "sched_getaffinity of process 1 "),
        ("chrt -p 1", "sched_get"),
        ("ionice -p 1", "ioprio_get of process 1 "),
        ("renice -n 1 -p 4194000", "getpriority of process 4194000 "),
    ] {
        let refusal = world.shell(&format!("({script}) >/dev/null 2>&1; :")).refusal();
        assert!(refusal.as_ref().is_some_and(|it| it.starts_with(why)), "{script}: {refusal:?}");
    }
    let own = "nice true; taskset 1 true; chrt -o 0 true; ionice -c 3 true; renice -n 5 -p $$; \
               taskset -p $$; chrt -p $$; ionice -p $$; \
               sleep 100 & renice -n 6 -p $!; taskset -p $!; kill $!; wait; :";
    assert_eq!(world.shell(&format!("({own}) >/dev/null 2>&1")).refusal(), None);
}

#[test]
fn the_processors_of_a_thread_of_its_own_are_known() {
    let world = World::new();
    let script = "import os, threading\n\
                  gate = threading.Event()\n\
                  thread = threading.Thread(target=gate.wait)\n\
                  thread.start()\n\
                  os.sched_setaffinity(thread.native_id, os.sched_getaffinity(0))\n\
                  os.getpriority(os.PRIO_PROCESS, thread.native_id)\n\
                  gate.set()\n";
    let run = world.run(Settings::default(), Command::new("python3").args(["-c", script]));
    assert!(run.status.success());
    assert_eq!(run.refusal(), None);
}

#[test]
fn a_lock_that_is_tried_by_a_program_for_that_is_no_fact() {
    let world = World::new();
    let refusal = world.shell("flock -n lock true; rm lock").refusal().unwrap();
    assert!(refusal.starts_with("a look at whether another holds a lock"), "{refusal}");
    assert_eq!(world.shell("flock lock true; rm lock").refusal(), None);
}

#[test]
fn a_program_without_a_name_tells_nothing_of_its_interpreter() {
    let world = World::new();
    world.write("script", "#!/bin/sh\necho ran\n");
    let mode = fs::Permissions::from_mode(0o755);
    fs::set_permissions(world.path("script"), mode).unwrap();
    let run = world.shell("cp script made; exec 5<made; rm made; /proc/self/fd/5");
    assert_eq!(run.stdout, "ran\n");
    let refusal = run.refusal().unwrap();
    assert!(refusal.starts_with("a program that has no name is run by sh"), "{refusal}");
}

#[test]
fn flags_of_files_are_no_fact() {
    let world = World::new();
    world.write("file", "text");
    let run = world.shell("lsattr file >/dev/null 2>&1");
    let refusal = run.refusal().unwrap();
    assert!(refusal.starts_with("a look at the flags of a file by lsattr"), "{refusal}");
}

#[test]
fn times_that_a_shell_compares_are_known_although_the_files_are_read() {
    let world = World::new();
    world.write("one", "1");
    world.write("two", "2");
    for shell in ["sh", "bash"] {
        let run =
            |script: &str| world.run(Settings::default(), Command::new(shell).args(["-c", script]));
        for test in ["[ one -nt two ]", "test two -ot one", "/usr/bin/test one -nt two"] {
            let run = run(&format!("cat one two; {test}; :"));
            for name in ["one", "two"] {
                let is_known = run.knows(name, Class::Stat) && run.knows(name, Class::Contents);
                assert!(is_known, "{shell}: {test}: {:#?}", run.report.facts);
            }
        }
        // Files are also examined like this before they are read.
        for test in
            ["[ -f one ] && [ -f two ] && cat one two", "[ -f one ] && cat one two; [ -f two ]"]
        {
            let run = run(test);
            assert!(!run.knows("one", Class::Stat) && !run.knows("two", Class::Stat), "{shell}");
        }
        let run = run("[ -f one ] && cat one two; [ -f two ]; [ new -nt newer ]");
        assert!(!run.knows("one", Class::Stat) && !run.knows("two", Class::Stat), "{shell}");
    }
}

#[test]
fn a_script_that_compares_times_is_one_however_it_comes() {
    let world = World::new();
    for name in ["one", "two"] {
        world.write(name, "text");
    }
    let compare = "cat one two; [ one -nt two ]\n";
    world.write("script", &format!("#!/bin/sh\n{compare}"));
    world.write("part", compare);
    let mode = fs::Permissions::from_mode(0o755);
    fs::set_permissions(world.path("script"), mode).unwrap();
    for script in
        ["./script", "sh script", "sh <part", ". ./part", "(:; . ./part)", "cat part | sh"]
    {
        let run = world.shell(script);
        assert!(run.knows("one", Class::Stat), "{script}: {:#?}", run.report.facts);
    }
}

#[test]
fn what_shows_inodes_is_told_of_a_copy_of_the_same_time() {
    let world = World::new();
    world.write("dir/file", "text");
    world.write("copy", "text");
    let time = world.path("dir/file").metadata().unwrap().modified().unwrap();
    let run = world.shell("ls -i dir");
    fs::File::options().append(true).open(world.path("copy")).unwrap().set_modified(time).unwrap();
    assert!(run.holds(), "{:?}", run.differing());
    fs::rename(world.path("copy"), world.path("dir/file")).unwrap();
    assert!(!run.holds());
}

#[test]
fn a_folder_that_is_made_anew_is_another_whatever_its_number() {
    let world = World::new();
    let dir = world.path("dir");
    // Some file systems reuse an inode number at once, and have a coarse clock.
    let born = || dir.metadata().unwrap().created().ok();
    fs::create_dir(&dir).unwrap();
    let (first, ino) = (born(), dir.metadata().unwrap().ino());
    if first.is_none() {
        return;
    }
    let wait = Command::new("sh")
        .args(["-c", "while touch -r $0 ref; touch new; [ ! new -nt ref ]; do :; done; rm new ref"])
        .arg(&dir)
        .current_dir(world.path(""))
        .status();
    assert!(wait.unwrap().success());
    let run = world.shell("ls dir; rmdir dir; mkdir dir; touch dir/new; ls dir");
    assert_eq!(run.stdout, "new\n");
    assert_eq!(run.refusal(), None, "it was {ino}, it is {}", dir.metadata().unwrap().ino());
    assert!(run.knows("dir", Class::Listing));
}

#[test]
fn a_fifo_that_somebody_else_writes_to_is_the_same() {
    let world = World::new();
    let fifo = world.path("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let (tracer, child) = world.start(
        Settings::default(),
        Command::new("sh").args(["-c", "[ -r fifo ]; echo looked; read line"]),
    );
    let mut child = child;
    let mut said = [0; 7];
    child.stdout.as_mut().unwrap().read_exact(&mut said).unwrap();
    let open = fs::File::options().read(true).write(true).open(&fifo).unwrap();
    (&open).write_all(b"x").unwrap();
    drop(child.stdin.take());
    child.wait().unwrap();
    assert_eq!(tracer.finish().0.refusal.map(|why| why.to_string()), None);
}
