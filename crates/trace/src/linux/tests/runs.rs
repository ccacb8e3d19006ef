//! Tests of the facts about whole runs.

use super::{World, c};
use crate::{Change, Class, Settings, Times};
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps};
use std::io::{Read, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;

#[test]
fn a_file_that_is_read_is_known_by_its_content_and_the_way_to_it() {
    let world = World::new();
    world.write("a/b/file", "text");
    symlink("a/b", world.path("link")).unwrap();
    let run = world.shell("cat link/../b/file");
    assert!(run.status.success() && run.stdout == "text");
    assert!(run.knows("a/b/file", Class::Contents) && run.knows("link", Class::Link));
    assert!(run.knows("a", Class::Kind));
    // It is left upwards, which takes a right.
    assert!(run.knows("a/b", Class::Access));
    assert!(!run.knows_of("link/.."));
    assert_eq!(run.refusal(), None);
    assert!(run.holds(), "{:?}", run.differing());
    world.write("a/b/file", "TEXT");
    assert_eq!(run.differing().len(), 1);
}

#[test]
fn what_is_missing_is_known_at_the_first_place_where_it_is() {
    let world = World::new();
    world.write("a/file", "");
    let run = world.shell("cat a/x/y/z 2>/dev/null; cat a/file/below 2>/dev/null; :");
    assert!(run.knows_absent("a/x") && !run.knows_of("a/x/y"));
    assert!(run.knows("a/file", Class::Kind) && !run.knows_of("a/file/below"));
    assert!(run.holds(), "{:?}", run.differing());
    std::fs::create_dir(world.path("a/x")).unwrap();
    assert!(!run.holds());
}

#[test]
fn a_listing_is_known_less_what_the_run_made_and_with_what_it_removed() {
    let world = World::new();
    world.write("dir/a", "");
    world.write("dir/b", "");
    let time = world.path("dir/a").metadata().unwrap().modified().unwrap();
    let run = world.shell("touch dir/new; rm dir/a; echo dir/*; rm dir/new");
    assert_eq!(run.stdout, "dir/b dir/new\n");
    assert!(run.knows("dir", Class::Listing), "{:#?}", run.report.facts);
    assert_eq!(run.written(), [("dir/a".into(), Change::Removed)]);
    // Restore the former state.
    world.write("dir/a", "");
    let file = std::fs::File::options().write(true).open(world.path("dir/a")).unwrap();
    file.set_modified(time).unwrap();
    assert!(run.holds(), "{:?}", run.differing());
    world.write("dir/c", "");
    assert!(!run.holds());
}

#[test]
fn what_a_run_made_is_no_fact() {
    let world = World::new();
    let run = world.shell(
        "mkdir made && echo x > made/file && cat made/file && ln -s file made/link && \
         cat made/link && ls made && mv made moved && cat moved/file; test -e moved/none; :",
    );
    assert_eq!(run.refusal(), None);
    assert!(run.knows_absent("made") && run.knows_absent("moved"));
    assert!(
        !run.knows_of("made/file") && !run.knows_of("moved/file") && !run.knows_of("moved/none")
    );
    let written = run.written();
    for name in ["moved", "moved/file", "moved/link"] {
        assert!(written.contains(&(name.into(), Change::Created)), "{name}: {written:?}");
    }
    assert!(written.iter().all(|(name, _)| !name.starts_with("made")), "{written:?}");
}

#[test]
fn what_was_moved_there_with_its_folder_is_looked_at_anew() {
    let world = World::new();
    world.write("file", "text");
    std::fs::create_dir(world.path("dir")).unwrap();
    let run = world.shell(
        "test -e dir/link; rmdir dir && mkdir made && ln -s ../file made/link && mv made dir && \
         cat dir/link",
    );
    assert_eq!((run.stdout.as_str(), run.refusal()), ("text", None));
    assert!(run.knows("file", Class::Contents), "{:#?}", run.report.facts);
}

#[test]
fn what_is_changed_is_known_as_it_was() {
    let world = World::new();
    world.write("log", "one\n");
    world.write("out", "old");
    world.write("gone", "x");
    world.write("moved", "y");
    let before = world.shell("cat log");
    let run = world.shell("echo two >> log; echo new > out; rm gone; mv moved there; cat out");
    assert_eq!(run.refusal(), None);
    let contents = |run: &super::Run, name| {
        let path = run.full(name);
        let fact = |it: &&crate::Fact| it.path == path && it.class == Class::Contents;
        run.report.facts.iter().find(fact).map(|it| it.value)
    };
    assert!(contents(&run, "log").is_some() && contents(&run, "log") == contents(&before, "log"));
    // A file that is moved keeps its time.
    assert!(contents(&run, "moved").is_some() && run.knows("moved", Class::Stat));
    assert!(run.knows("out", Class::Access) && contents(&run, "out").is_none());
    let change = |name: &str| run.written().into_iter().find(|it| it.0 == name).map(|it| it.1);
    assert_eq!(change("log"), Some(Change::Modified));
    assert_eq!(change("out"), Some(Change::Modified));
    assert_eq!(change("gone"), Some(Change::Removed));
    assert_eq!(change("moved"), Some(Change::Removed));
    assert_eq!(change("there"), Some(Change::Created));
}

/// The calls of a compiler for its output, whatever is there: examine, remove, create.
#[cfg(target_arch = "x86_64")]
const MAKE: &str = "4 s:out b , 6 s:out b , 87 s:out , 2 s:out i:0x242 i:0666 , 1 r s:hello i:5";

#[cfg(target_arch = "x86_64")]
#[test]
fn an_output_of_a_compiler_that_is_there_is_as_good_as_none() {
    let run = |world: &World, calls: &str, program: &str| {
        // By another process: what another thread starts while this one writes a copy would hold
        // that open, and it could not be executed. A link would change the times of the original,
        // which other tests execute.
        let copy = Command::new("cp").arg(super::program()).arg(world.path(program)).status();
        assert!(copy.unwrap().success());
        let settings = Settings { quirks: true, ..Settings::default() };
        world.run(settings, Command::new(world.path(program)).args(calls.split_whitespace()))
    };
    for there in [None, Some("old")] {
        let world = World::new();
        world.write("bin/x", "");
        if let Some(old) = there {
            world.write("out", old);
        }
        let made = run(&world, MAKE, "bin/gcc-12");
        assert_eq!(made.refusal(), None);
        assert!(made.knows("out", Class::NewFile), "{there:?} {:#?}", made.report.facts);
        let is_as_good = || !made.differing().iter().any(|fact| fact.contains("NewFile"));
        assert!(is_as_good());
        std::fs::remove_file(world.path("out")).unwrap();
        assert!(is_as_good());
        symlink("elsewhere", world.path("out")).unwrap();
        assert!(!is_as_good());
        std::fs::remove_file(world.path("out")).unwrap();
        world.write("out", "x");
        std::fs::set_permissions(world.path("out"), PermissionsExt::from_mode(0o600)).unwrap();
        assert!(!is_as_good());
    }
    // Other programs may behave differently, and so may this one, if it reads the old output, or
    // requires that there is none.
    let (reads, is_new) = ("2 s:out i:0 , ", "2 s:out i:0xc1 i:0666");
    for (calls, name) in [
        (MAKE.to_owned(), "bin/tool"),
        (MAKE.to_owned(), "bin/ar"),
        (format!("{reads}{MAKE}"), "bin/gcc"),
        (is_new.to_owned(), "bin/gcc"),
    ] {
        let world = World::new();
        world.write("bin/x", "");
        let made = run(&world, &calls, name);
        assert!(made.knows_absent("out"), "{name} {calls} {:#?}", made.report.facts);
    }
}

#[test]
fn what_could_not_be_changed_is_known_all_the_same() {
    let world = World::new();
    world.write("dir/file", "text");
    // The folder is not empty, and the name is taken.
    let run = world.shell("rmdir dir 2>/dev/null; mkdir dir 2>/dev/null; cat dir/file");
    assert!(run.knows("dir/file", Class::Contents), "{:#?}", run.report.facts);
    assert!(run.written().is_empty(), "{:?}", run.written());
    assert!(run.holds(), "{:?}", run.differing());
}

#[test]
fn temporary_files_with_random_names_leave_nothing() {
    let world = World::new();
    let run = world.shell("f=$(mktemp ./tXXXXXXXXXXXX) && echo x > $f && cat $f && rm $f");
    assert_eq!(run.refusal(), None);
    assert!(run.written().is_empty());
    let random = run.report.facts.iter().filter(|fact| {
        let path = String::from_utf8_lossy(&fact.path).into_owned();
        path.starts_with(&*world.path("t").to_string_lossy())
    });
    assert_eq!(random.count(), 0);
}

#[test]
fn a_lock_that_comes_and_goes_is_known_to_have_been_absent() {
    let world = World::new();
    let run = world.shell("mkdir index.lock || exit 1; rmdir index.lock");
    assert!(run.knows_absent("index.lock"));
}

#[test]
fn a_script_depends_on_its_interpreter_and_that_on_its_linker() {
    let world = World::new();
    world.write("script", &format!("#!{}\n", world.path("sh").display()));
    // Copied by another process: one that is started meanwhile would keep it open for writing.
    let copied = Command::new("cp").args(["/bin/sh".into(), world.path("sh")]).status();
    assert!(copied.unwrap().success());
    for name in ["script", "sh"] {
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(world.path(name), mode).unwrap();
    }
    let run = world.run(Settings::default(), &mut Command::new(world.path("script")));
    assert!(run.knows("script", Class::Contents) && run.knows("sh", Class::Contents));
    let linker = run.report.facts.iter().any(|fact| {
        String::from_utf8_lossy(&fact.path).contains("/ld-") && fact.class == Class::Stat
    });
    assert!(linker, "{:#?}", run.report.facts);
    // An earlier read makes no difference.
    let run = world.shell("cat ./script >/dev/null; ./script");
    assert!(run.knows("sh", Class::Contents), "{:#?}", run.report.facts);
}

#[test]
fn a_name_for_oneself_in_proc_leads_where_it_does_for_the_command() {
    let world = World::new();
    world.write("file", "text");
    let run = world.shell("cat /proc/self/cwd/file; exec 5<file; cat /dev/fd/5 /proc/self/fd/5");
    assert_eq!(run.stdout, "texttexttext");
    assert_eq!(run.refusal(), None);
    assert!(run.knows("file", Class::Contents));
    assert!(run.report.facts.iter().all(|fact| !fact.path.starts_with(b"/proc/")));
    let stranger = world.shell("cat /proc/1/comm");
    assert!(stranger.refusal().unwrap().starts_with("a look at process 1 by cat (pid "));
    assert!(world.shell("ls /proc").refusal().unwrap().starts_with("a look at all processes"));
}

#[test]
fn the_time_of_a_file_counts_if_it_was_looked_at_and_not_read() {
    let world = World::new();
    world.write("seen", "x");
    world.write("read", "x");
    let script = "test -f seen; test -f read; cat read";
    let run = world.shell(script);
    let touch = |name: &str| {
        let time = Timespec { tv_sec: 1, tv_nsec: 0 };
        let times = Timestamps { last_access: time, last_modification: time };
        rustix::fs::utimensat(CWD, c(&world.path(name)), &times, AtFlags::empty()).unwrap();
    };
    touch("read");
    assert!(run.holds(), "{:?}", run.differing());
    touch("seen");
    assert_eq!(run.differing().len(), 1);
    let of = |times| {
        let settings = Settings { times, ..Settings::default() };
        world.run(settings, Command::new("sh").args(["-c", script]))
    };
    assert!(of(Times::All).knows("read", Class::Stat));
    assert!(
        !of(Times::None).knows("seen", Class::Stat) && of(Times::None).knows("seen", Class::Size)
    );
}

#[test]
fn what_somebody_else_changes_meanwhile_makes_a_run_that_cannot_be_recorded() {
    let world = World::new();
    world.write("file", "old");
    world.write("dir/a", "");
    for (look, change) in [
        ("cat file", "echo new > file"),
        ("ls dir", "touch dir/b"),
        ("cat none 2>/dev/null", "touch none"),
        ("test -d dir", "rm -r dir"),
    ] {
        let script = format!("{look} >/dev/null; echo looked; read x");
        let (tracer, mut child) =
            world.start(Settings::default(), Command::new("sh").args(["-c", &script]));
        let mut looked = [0; 7];
        child.stdout.as_mut().unwrap().read_exact(&mut looked).unwrap();
        let done = Command::new("sh").args(["-c", change]).current_dir(world.path("")).status();
        assert!(done.unwrap().success());
        drop(child.wait_with_output().unwrap());
        let refusal = tracer.finish().0.refusal.map(|it| it.to_string());
        let is_seen =
            refusal.as_ref().is_some_and(|it| it.ends_with("changed while the command ran"));
        assert!(is_seen, "{look}: {refusal:?}");
    }
}

#[test]
fn what_comes_and_goes_again_meanwhile_is_seen_as_well() {
    let world = World::new();
    for look in ["test -e none", "cat none", "rm -f none", "mv none dir"] {
        let script =
            format!("{look} 2>/dev/null; echo 1; read x; {look} >/dev/null; echo 2; read x");
        let (tracer, mut child) =
            world.start(Settings::default(), Command::new("sh").args(["-c", &script]));
        let mut looked = [0; 2];
        let mut output = child.stdout.take().unwrap();
        output.read_exact(&mut looked).unwrap();
        world.write("none", "somebody's");
        child.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
        output.read_exact(&mut looked).unwrap();
        let _ = std::fs::remove_file(world.path("none"));
        let _ = std::fs::remove_file(world.path("dir"));
        drop(child.wait_with_output().unwrap());
        let refusal = tracer.finish().0.refusal.map(|it| it.to_string());
        let is_seen =
            refusal.as_ref().is_some_and(|it| it.ends_with("none changed while the command ran"));
        assert!(is_seen, "{look}: {refusal:?}");
    }
}

#[test]
fn what_outlives_the_command_goes_on_unharmed() {
    let world = World::new();
    let script = "(sleep 0.3; cat none; echo done > late) >/dev/null 2>&1 & exit 3";
    let run = world.shell(script);
    assert_eq!(run.status.code(), Some(3));
    assert!(run.report.processes_left);
    assert_eq!(run.refusal().unwrap(), "a process outlives the command");
    let late = world.path("late");
    while !std::fs::read_to_string(&late).is_ok_and(|text| text == "done\n") {
        std::thread::yield_now();
    }
}

#[test]
fn a_call_of_another_architecture_is_seen() {
    let world = World::new();
    world.write("file", "");
    let run =
        world.run(Settings::default(), Command::new(super::program()).args(["int80", "file"]));
    // A kernel without such calls kills the program.
    if run.status.success() {
        assert!(run.refusal().unwrap().starts_with("a system call of another architecture"));
    }
}

#[test]
fn io_uring_is_denied() {
    let world = World::new();
    let ring = format!("{} i:1 b:", libc::SYS_io_uring_setup);
    assert_eq!(world.calls(&ring).refusal(), None);
}

#[test]
fn it_is_known_whether_it_works() {
    assert_eq!(crate::support(), Ok(()));
}

#[test]
fn a_command_that_is_not_started_is_not_traced() {
    let known_descriptors = (3..1024).collect();
    let settings = Settings { known_descriptors, ..Settings::default() };
    let tracer = crate::Tracer::new(settings).unwrap();
    let (report, _) = tracer.finish();
    assert!(!report.traced);
    assert_eq!(report.refusal.unwrap().to_string(), "no command was started");
}

#[test]
fn threads_share_what_is_known_of_them() {
    let world = World::new();
    world.write("a", "1");
    world.write("dir/b", "2");
    let run = world.run(
        Settings::default(),
        Command::new("python3").args([
            "-c",
            "import threading, os\n\
             def f(): print(open('a').read())\n\
             t = threading.Thread(target=f); t.start(); t.join()\n\
             os.chdir('dir')\n\
             t = threading.Thread(target=lambda: print(open('b').read())); t.start(); t.join()",
        ]),
    );
    if run.status.success() {
        assert!(run.knows("a", Class::Contents) && run.knows("dir/b", Class::Contents));
        assert_eq!(run.refusal(), None);
    }
}

#[test]
fn what_is_left_out_is_not_said() {
    let world = World::new();
    world.write("cache/x", "1");
    world.write("y.log", "1");
    let settings = Settings {
        left_out: vec![super::c(&world.path("cache")).into_bytes()],
        ignore: Some(Box::new(|path| path.ends_with(b".log"))),
        ..Settings::default()
    };
    let run = world.run(settings, Command::new("sh").args(["-c", "cat cache/x y.log /dev/null"]));
    assert!(!run.knows_of("cache/x") && !run.knows_of("y.log") && !run.knows_of("/dev/null"));
    assert_eq!(run.refusal(), None);
}
