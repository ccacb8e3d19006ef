//! `--auto`: a call whose files are found out hits as long as they are as they were.

mod foreign;
#[cfg(target_os = "linux")]
mod guardian;
mod links;
#[cfg(target_os = "linux")]
mod mounts;
mod options;
mod outputs;
pub mod portable;
mod refusals;
mod times;
mod told;
mod transparent;

use crate::harness::{Cachex, Call, cachex, quoted};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;

/// An automatic call whose executions are counted. What counts them is ignored.
pub fn auto(cachex: &Cachex, script: &str) -> Call {
    cachex.run(script).with("--auto").option("--auto-ignore", cachex.path("runs"))
}

/// An automatic call of a program, which is not counted.
pub fn program(cachex: &Cachex, argv: &[&str]) -> Call {
    cachex.exec(argv.iter().copied()).with("--auto --verbose")
}

/// The call misses, and prints this.
#[track_caller]
pub fn runs(call: &Call, prints: &str) {
    let outcome = call.once().exits(0);
    let said = outcome.stderr();
    assert!(said.contains("cachex: miss") && said.contains("recorded: "), "{call}: {said}");
    assert!(!said.contains("not recorded: "), "{call}: {said}");
    outcome.prints(prints);
}

/// The call hits, and prints this.
#[track_caller]
pub fn hits(call: &Call, prints: &str) {
    let outcome = call.once().exits(0);
    let said = outcome.stderr();
    assert!(said.contains("cachex: hit"), "{call}: {said}");
    outcome.prints(prints);
}

#[test]
fn a_file_that_is_read_is_part_of_the_key() {
    let cachex = cachex();
    cachex.write("work/f", "one\n");
    let call = program(&cachex, &["cat", "f"]);
    runs(&call, "one\n");
    hits(&call, "one\n");
    cachex.write("work/f", "two\n");
    runs(&call, "two\n");
    hits(&call, "two\n");
    cachex.write("work/f", "one\n");
    hits(&call, "one\n");
    fs::remove_file(cachex.path("work/f")).unwrap();
    assert!(call.once().exits(1).stderr().contains("No such file"));
    cachex.write("work/f", "two\n");
    hits(&call, "two\n");
}

#[test]
fn a_folder_that_is_listed_is_part_of_the_key() {
    let cachex = cachex();
    cachex.write("work/d/a", "");
    let call = auto(&cachex, "echo d/*");
    call.twice().runs_once().prints("d/a\n");
    cachex.write("work/d/b", "");
    call.twice().runs_once().prints("d/a d/b\n");
    fs::remove_file(cachex.path("work/d/b")).unwrap();
    call.once().hits().prints("d/a\n");
    cachex.write("work/elsewhere", "");
    call.once().hits();
}

#[test]
fn a_file_that_is_looked_for_in_vain_is_part_of_the_key() {
    let cachex = cachex();
    let call = auto(&cachex, "if [ -e deep/x ]; then echo yes; else echo no; fi");
    call.twice().runs_once().prints("no\n");
    cachex.write("work/deep/other", "");
    call.once().prints("no\n");
    cachex.write("work/deep/x", "");
    call.twice().runs_once().prints("yes\n");
    fs::remove_dir_all(cachex.path("work/deep")).unwrap();
    call.once().hits().prints("no\n");
}

#[test]
fn a_link_that_leads_elsewhere_is_another_file() {
    let cachex = cachex();
    cachex.write("work/one/f", "1\n");
    cachex.write("work/two/f", "2\n");
    symlink("one", cachex.path("work/now")).unwrap();
    let call = auto(&cachex, "cat now/f");
    call.twice().runs_once().prints("1\n");
    fs::remove_file(cachex.path("work/now")).unwrap();
    symlink("two", cachex.path("work/now")).unwrap();
    call.twice().runs_once().prints("2\n");
}

#[test]
fn a_header_that_appears_earlier_in_the_include_path_is_found() {
    let cachex = cachex();
    cachex.write("work/main.c", "#include \"h.h\"\nint x = X;\n");
    cachex.write("work/two/h.h", "#define X 2\n");
    fs::create_dir_all(cachex.path("work/one")).unwrap();
    let call = program(&cachex, &["gcc", "-E", "-P", "-Ione", "-Itwo", "main.c"]);
    runs(&call, "int x = 2;\n");
    hits(&call, "int x = 2;\n");
    cachex.write("work/one/h.h", "#define X 1\n");
    runs(&call, "int x = 1;\n");
    hits(&call, "int x = 1;\n");
    fs::remove_file(cachex.path("work/one/h.h")).unwrap();
    hits(&call, "int x = 2;\n");
}

#[test]
fn a_module_that_is_edited_is_read_anew() {
    let cachex = cachex();
    // Python tells modules apart by size and seconds.
    let module =
        |value: usize| cachex.write("work/m.py", format!("VALUE = {value}{}\n", " ".repeat(value)));
    cachex.write("work/p.py", "import m\nprint(m.VALUE)\n");
    module(1);
    let call = program(&cachex, &["/usr/bin/env", "python3", "-B", "p.py"]);
    runs(&call, "1\n");
    hits(&call, "1\n");
    module(2);
    runs(&call, "2\n");
    hits(&call, "2\n");
    // Compiled modules are files that are left behind.
    let call = program(&cachex, &["/usr/bin/env", "python3", "p.py"]).with("--auto-outputs none");
    assert!(call.once().prints("2\n").stderr().contains("not recorded: it made __pycache__"));
    runs(&call, "2\n");
    hits(&call, "2\n");
    module(1);
    assert_eq!(call.once().stdout(), "1\n");
}

#[test]
fn a_script_whose_interpreter_is_replaced_runs_anew() {
    let cachex = cachex();
    let interpreter = |says: &str| {
        cachex.executable("work/interpreter", format!("#!/bin/sh\necho {says}\n"));
    };
    interpreter("one");
    let path = cachex.path("work/interpreter");
    cachex.executable("work/script", format!("#!{}\n", path.display()));
    let call = program(&cachex, &["./script"]);
    runs(&call, "one\n");
    hits(&call, "one\n");
    interpreter("two");
    runs(&call, "two\n");
    hits(&call, "two\n");
}

#[test]
fn a_script_that_is_read_first_and_executed_then_depends_on_its_interpreter_too() {
    let cachex = cachex();
    for says in ["one", "two"] {
        cachex.executable(format!("work/{says}"), format!("#!/bin/sh\necho {says}\n"));
    }
    let link = cachex.path("work/interpreter");
    symlink("one", &link).unwrap();
    cachex.executable("work/script", format!("#!{}\n", link.display()));
    let call = auto(&cachex, "cat ./script >/dev/null; ./script");
    call.twice().runs_once().prints("one\n");
    fs::remove_file(&link).unwrap();
    symlink("two", &link).unwrap();
    call.twice().runs_once().prints("two\n");
}

#[test]
fn a_script_whose_interpreter_the_run_itself_puts_in_place_depends_on_that_too() {
    let cachex = cachex();
    let two = |says: &str| cachex.executable("work/two", format!("#!/bin/sh\necho {says}\n"));
    two("one");
    let link = cachex.path("work/interpreter");
    cachex.executable("work/script", format!("#!{}\n", link.display()));
    let script = "./script 2>/dev/null; ln -s two interpreter; ./script; rm interpreter";
    let call = auto(&cachex, script);
    call.twice().runs_once().prints("one\n");
    two("other");
    call.twice().runs_once().prints("other\n");
}

#[test]
fn a_history_that_grows_is_told_anew() {
    let cachex = cachex();
    let git = |line: &str| {
        let script = format!("git -c user.name=n -c user.email=e {line}");
        cachex.shell(&script).once().exits(0);
    };
    git("init -q . && git -c user.name=n -c user.email=e commit -q --allow-empty -m first");
    let call = program(&cachex, &["git", "log", "--format=%s"]);
    runs(&call, "first\n");
    hits(&call, "first\n");
    git("commit -q --allow-empty -m second");
    runs(&call, "second\nfirst\n");
    hits(&call, "second\nfirst\n");
    git("tag v1");
    assert_eq!(call.once().stdout(), "second\nfirst\n");
}

#[test]
fn a_document_that_is_edited_is_read_anew() {
    let cachex = cachex();
    cachex.write("work/x.json", "{\"a\": 1}");
    let call = program(&cachex, &["jq", ".a", "x.json"]);
    runs(&call, "1\n");
    hits(&call, "1\n");
    cachex.write("work/x.json", "{\"a\": 2}");
    runs(&call, "2\n");
    hits(&call, "2\n");
}

/// As Go's are: it links nothing, asks the kernel itself, and has threads.
const STATIC: &str = r#"
#include <fcntl.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>
static void *read_it(void *name) {
    char bytes[100];
    long fd = syscall(SYS_openat, AT_FDCWD, name, O_RDONLY | O_CLOEXEC);
    long n = fd < 0 ? 0 : syscall(SYS_read, fd, bytes, sizeof bytes);
    syscall(SYS_write, 1, bytes, n);
    return 0;
}
int main(void) {
    pthread_t threads[2];
    char *names[] = {"main.tf", "modules/a.tf"};
    for (int at = 0; at < 2; at++) {
        pthread_create(&threads[at], 0, read_it, names[at]);
        pthread_join(threads[at], 0);
    }
}
"#;

#[test]
fn a_static_program_with_threads_is_seen_like_any_other() {
    let cachex = cachex();
    let source = cachex.write("static.c", STATIC);
    let program_path = cachex.path("work/validate");
    let mut cc = Command::new("cc");
    cc.args(["-O1", "-static", "-pthread", "-o"]).args([&program_path, &source]);
    assert!(cc.status().unwrap().success());
    cachex.write("work/main.tf", "main\n");
    let call = program(&cachex, &["./validate"]);
    runs(&call, "main\n");
    hits(&call, "main\n");
    cachex.write("work/modules/a.tf", "module\n");
    runs(&call, "main\nmodule\n");
    hits(&call, "main\nmodule\n");
    fs::remove_dir_all(cachex.path("work/modules")).unwrap();
    hits(&call, "main\n");
}

#[test]
fn a_file_that_may_not_be_executed_any_more_is_another() {
    let cachex = cachex();
    let tool = cachex.executable("work/tool", "#!/bin/sh\necho tool\n");
    let call = auto(&cachex, "./tool 2>/dev/null || echo none");
    call.twice().runs_once().prints("tool\n");
    fs::set_permissions(&tool, fs::Permissions::from_mode(0o644)).unwrap();
    call.twice().runs_once().prints("none\n");
}

#[test]
fn what_was_read_long_ago_is_known_by_its_stamp_and_noticed_by_it() {
    let cachex = cachex();
    let file = cachex.write("work/f", "one\n");
    let call = auto(&cachex, "cat f");
    let is_settled = || {
        let age = fs::metadata(&file).unwrap().modified().unwrap().elapsed();
        age.is_ok_and(|age| age.as_secs() >= 3).then_some(())
    };
    crate::harness::eventually("an old file", is_settled);
    call.times(3).runs_once().prints("one\n");
    // Of the same size, and with the same time.
    let times = fs::metadata(&file).unwrap().modified().unwrap();
    fs::write(&file, "two\n").unwrap();
    fs::File::options().append(true).open(&file).unwrap().set_modified(times).unwrap();
    call.twice().runs_once().prints("two\n");
}

#[test]
fn a_file_changed_while_the_command_runs_is_not_recorded() {
    let cachex = cachex();
    cachex.write("work/f", "one\n");
    let gate = cachex.gate("open");
    let script = format!("cat f; echo started >>{}; {gate}; cat f", quoted(cachex.path("started")));
    let call = auto(&cachex, &script).option("--auto-ignore", cachex.path("started"));
    let call = call.option("--auto-ignore", cachex.path("open")).with("--verbose");
    let running = call.spawn();
    crate::harness::eventually("the start", || fs::metadata(cachex.path("started")).ok());
    cachex.write("work/f", "two\n");
    cachex.opens("open");
    running.ends().prints("one\ntwo\n");
    call.once().misses().prints("two\ntwo\n");
}
