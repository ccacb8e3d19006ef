//! Other users, other limits and other kinds of programs; and where nothing can be traced.

use super::{auto, hits, program, runs};
use crate::harness::{Cachex, Call, cachex};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::Command;

/// Builds a C program.
fn built(cachex: &Cachex, compiler: &str, name: &str, source: &str) -> Option<PathBuf> {
    let file = cachex.write(format!("{name}.c"), source);
    let program = cachex.path(format!("bin/{name}"));
    fs::create_dir_all(program.parent().unwrap()).unwrap();
    let built =
        Command::new(compiler).args(["-O1", "-static", "-o"]).args([&program, &file]).status();
    built.is_ok_and(|status| status.success()).then_some(program)
}

/// The call runs each time as the bare command does, and says why it is not recorded.
#[track_caller]
fn runs_unrecorded(call: &Call, why: &str) {
    let bare = call.clone().bare().once();
    for _ in 0..2 {
        let outcome = call.clone().with("--verbose").once();
        let said = outcome.stderr();
        assert!(said.contains("not recorded: ") && said.contains(why), "{call}: {said}");
        assert_eq!(outcome.stdout(), bare.stdout());
    }
    call.once().same_as(&bare);
}

/// Executes a command for which listeners fail with an error: where there are none, where another
/// has one, or where they are forbidden.
const DENY: &str = r"
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(int argc, char **argv) {
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_seccomp, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | atoi(argv[1])),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, 2, &program))
        return 99;
    execvp(argv[2], argv + 2);
    return 98;
}
";

#[test]
fn where_nothing_can_be_traced_it_runs_and_says_why() {
    let cachex = cachex();
    cachex.write("work/f", "one\n");
    let deny = built(&cachex, "cc", "deny", DENY).unwrap();
    for (errno, why) in [
        (libc::ENOSYS, "the system has no listeners for filters of system calls"),
        (libc::EINVAL, "the system has no listeners for filters of system calls"),
        (libc::EPERM, "processes may not be traced here"),
        (libc::EBUSY, "something above traces this process in the same way"),
    ] {
        let denied = format!("exec {} {errno} \"$@\"", deny.display());
        let call = cachex.exec(["cat", "f"]).with("--auto").launched_by(&denied);
        runs_unrecorded(&call, why);
        let doctor = cachex.cli(["doctor"]).launched_by(&denied).once();
        assert!(doctor.stdout().contains(why), "{errno}: {}", doctor.stdout());
    }
    assert!(cachex.stored_in("v2/young").is_empty());
}

#[test]
fn with_few_descriptors_it_runs_and_is_silent() {
    let cachex = cachex();
    cachex.write("work/f", "one\n");
    let call = cachex.exec(["cat", "f"]).with("--auto");
    for limit in 10..40 {
        let limited = call.clone().launched_by(&format!("ulimit -n {limit}; exec \"$@\""));
        limited.once().exits(0).prints("one\n").quietly();
    }
}

#[test]
fn what_has_given_up_getting_more_rights_is_traced() {
    let cachex = cachex();
    cachex.write("work/f", "one\n");
    let call = auto(&cachex, "cat f").launched_by("exec setpriv --no-new-privs \"$@\"");
    call.twice().runs_once().prints("one\n");
    cachex.write("work/f", "two\n");
    call.twice().runs_once().prints("two\n");
}

#[test]
fn whoever_is_not_root_is_traced_and_forbidden_files_are_part_of_the_key() {
    let cachex = cachex();
    cachex.write("work/f", "one\n");
    cachex.write("work/locked/g", "two\n");
    let script = "cat f; cat locked/g 2>/dev/null || echo forbidden";
    let call = auto(&cachex, script).without_privileges();
    for (mode, prints) in [(0o000, "one\nforbidden\n"), (0o755, "one\ntwo\n")] {
        let mode = fs::Permissions::from_mode(mode);
        fs::set_permissions(cachex.path("work/locked"), mode).unwrap();
        call.twice().runs_once().prints(prints);
    }
}

#[test]
fn a_folder_that_is_left_upwards_has_to_be_searched() {
    let cachex = cachex();
    cachex.write("work/d/f", "one\n");
    cachex.write("work/d/e/deep/g", "");
    symlink("d/e", cachex.path("work/l")).unwrap();
    let answers = [
        ("cat d/e/../f", "one\n"),
        ("cat l/../f", "one\n"),
        ("cd d/e && cat deep/../../f", "one\n"),
        ("[ -d d/e/.. ] && echo yes", "yes\n"),
        ("cat d/missing d/e/../f", "one\n"),
        ("echo two >d/e/../made; cat d/made", "two\n"),
    ];
    let may_search = |may: bool| {
        let mode = fs::Permissions::from_mode(if may { 0o755 } else { 0o600 });
        for folder in ["work/d/e/deep", "work/d/e"] {
            // What cannot be searched cannot be changed below.
            let _ = fs::set_permissions(cachex.path(folder), mode.clone());
        }
    };
    for (script, prints) in answers {
        may_search(true);
        let call = auto(&cachex, script).without_privileges();
        call.once().misses().prints(prints);
        // The first one found nothing in the place of what it made.
        call.once().prints(prints);
        call.once().hits().prints(prints);
        let _ = fs::remove_file(cachex.path("work/d/made"));
        may_search(false);
        let refused = call.once();
        assert_ne!(refused.stdout(), prints, "{script}");
        assert!(!cachex.path("work/d/made").exists(), "{script}");
        may_search(true);
        let bare = call.clone().bare().once();
        call.once().same_as(&bare);
    }
}

#[test]
fn one_that_renames_nothing_into_a_folder_needs_that_folder() {
    let cachex = cachex();
    cachex.write("work/d/f", "");
    let program = "rename 'none', 'd/f' or print \"$!\\n\"";
    let call = cachex.exec(["perl", "-e", program]).with("--auto").without_privileges();
    for (mode, prints) in [(0o755, "No such file or directory\n"), (0o600, "Permission denied\n")] {
        let mode = fs::Permissions::from_mode(mode);
        fs::set_permissions(cachex.path("work/d"), mode).unwrap();
        for _ in 0..2 {
            call.once().exits(0).prints(prints);
        }
    }
}

#[test]
fn what_a_caller_may_do_is_part_of_the_key() {
    if !rustix::process::geteuid().is_root() {
        // Nobody else can choose groups.
        return;
    }
    let cachex = cachex();
    cachex.write("work/shared/f", "");
    let call = auto(&cachex, "[ -w shared ] && echo yes || echo no");
    for (group, answer) in [("60", "yes\n"), ("61", "no\n"), ("60", "yes\n")] {
        let call = call.clone().launched_by(&format!(
            "chmod 755 .. && chown -R 65534:65534 .. && chown 0:60 shared && chmod 770 shared && \
             exec setpriv --reuid 65534 --regid 65534 --groups {group} \"$@\""
        ));
        call.once().prints(answer);
        call.once().hits().prints(answer);
    }
}

/// A program of 32 bits: it writes "32\n" by the old way into the kernel, and ends.
#[cfg(target_arch = "x86_64")]
fn of_32_bits() -> Vec<u8> {
    const BASE: u32 = 0x0804_8000;
    let code: [u8; 34] = [
        0xb8, 4, 0, 0, 0, // write
        0xbb, 1, 0, 0, 0, // to standard output
        0xb9, 0x73, 0x80, 0x04, 0x08, // what stands behind the code,
        0xba, 3, 0, 0, 0, // three bytes;
        0xcd, 0x80, //
        0xb8, 1, 0, 0, 0, // exit
        0x31, 0xdb, // with 0
        0xcd, 0x80, //
        b'3', b'2', b'\n',
    ];
    let mut elf = b"\x7fELF\x01\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    let mut put = |words: &[u32]| words.iter().for_each(|it| elf.extend(it.to_le_bytes()));
    // An executable for the 386, one header of 32 bytes at 52, no sections.
    put(&[3 << 16 | 2, 1, BASE + 84, 52, 0, 0, 32 << 16 | 0x34, 1, 0]);
    let size = 84 + code.len() as u32;
    put(&[1, 0, BASE, BASE, size, size, 5, 0x1000]);
    elf.extend(code);
    elf
}

#[cfg(target_arch = "x86_64")]
#[test]
fn a_program_of_32_bits_is_run_and_not_recorded() {
    let cachex = cachex();
    let path = cachex.path("work/old");
    fs::write(&path, of_32_bits()).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    let bare = cachex.shell("./old").once();
    let outcome = auto(&cachex, "./old").with("--verbose").twice().runs_twice();
    assert_eq!(outcome.stdout(), bare.stdout());
    // Some kernels cannot run it.
    if bare.stdout() == "32\n" {
        for said in outcome.stderrs() {
            assert!(said.contains("not recorded: a system call of another architecture"), "{said}");
        }
    }
}

#[test]
fn a_program_of_another_c_library_is_seen_like_any_other() {
    let cachex = cachex();
    let source = "#include <stdio.h>\nint main(void) { char text[9]; FILE *f = fopen(\"f\", \"r\");\n\
                  if (f && fgets(text, 9, f)) fputs(text, stdout); else puts(\"none\"); return 0; }\n";
    let reader = built(&cachex, "musl-gcc", "reader", source).unwrap();
    // It links nothing.
    let linked = std::fs::read(&reader).unwrap();
    assert!(!linked.windows(8).any(|it| it == b"ld-linux"));
    let call = program(&cachex, &[reader.to_str().unwrap()]);
    runs(&call, "none\n");
    hits(&call, "none\n");
    cachex.write("work/f", "one\n");
    runs(&call, "one\n");
    hits(&call, "one\n");
    cachex.write("work/f", "two\n");
    runs(&call, "two\n");
    fs::remove_file(cachex.path("work/f")).unwrap();
    hits(&call, "none\n");
}

/// As `terraform validate` does, it reads all files of a kind in a folder and those below it, and
/// says what it finds.
const VALIDATE: &str = r#"package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	files, broken := 0, 0
	err := filepath.WalkDir(os.Args[1], func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".tf" {
			return err
		}
		text, err := os.ReadFile(path)
		files++
		if strings.Count(string(text), "{") != strings.Count(string(text), "}") {
			broken++
			fmt.Println(path, "is broken")
		}
		return err
	})
	if err != nil || broken > 0 {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(files, "files are valid")
}
"#;

#[test]
fn a_program_in_go_that_reads_whatever_is_in_a_folder() {
    let cachex = cachex();
    cachex.write("go/main.go", VALIDATE);
    let program = cachex.path("bin/validate");
    let built = Command::new("go")
        .args(["build", "-o"])
        .arg(&program)
        .arg("main.go")
        .current_dir(cachex.path("go"))
        .envs([("CGO_ENABLED", "0"), ("GO111MODULE", "off"), ("GOFLAGS", "")])
        .env("GOCACHE", cachex.path("go/cache"))
        .status();
    assert!(built.unwrap().success());
    cachex.write("work/main.tf", "resource \"a\" \"b\" {}\n");
    cachex.write("work/modules/net/net.tf", "variable \"c\" {}\n");
    cachex.write("work/README", "none of it {\n");
    let call = super::program(&cachex, &[program.to_str().unwrap(), "."]);
    runs(&call, "2 files are valid\n");
    hits(&call, "2 files are valid\n");
    cachex.write("work/README", "still none {{\n");
    hits(&call, "2 files are valid\n");
    cachex.write("work/modules/net/net.tf", "variable \"c\" {\n");
    call.once().exits(1).prints("modules/net/net.tf is broken\n<nil>\n");
    cachex.write("work/modules/net/net.tf", "variable \"d\" {}\n");
    runs(&call, "2 files are valid\n");
    hits(&call, "2 files are valid\n");
    cachex.write("work/modules/net/more.tf", "output \"e\" {}\n");
    runs(&call, "3 files are valid\n");
    hits(&call, "3 files are valid\n");
    fs::remove_file(cachex.path("work/modules/net/more.tf")).unwrap();
    hits(&call, "2 files are valid\n");
    fs::remove_dir_all(cachex.path("work/modules")).unwrap();
    runs(&call, "1 files are valid\n");
    hits(&call, "1 files are valid\n");
}

#[test]
fn node_and_its_modules() {
    let cachex = cachex();
    cachex.write("work/m.js", "module.exports = 1;\n");
    cachex.write("work/p.js", "console.log(require('./m.js'));\n");
    let call = program(&cachex, &["node", "p.js"]);
    runs(&call, "1\n");
    hits(&call, "1\n");
    cachex.write("work/m.js", "module.exports = 2;\n");
    runs(&call, "2\n");
    hits(&call, "2\n");
    // An index is looked for where there is none yet.
    cachex.write("work/q.js", "try { console.log(require('late')) } catch { console.log(0) }\n");
    let call = program(&cachex, &["node", "q.js"]);
    runs(&call, "0\n");
    hits(&call, "0\n");
    cachex.write("work/node_modules/late/index.js", "module.exports = 3;\n");
    runs(&call, "3\n");
}

#[test]
fn rustc_and_a_module_in_a_file_of_its_own() {
    let sysroot = Command::new("rustc").args(["--print", "sysroot"]).output().unwrap();
    let rustc = format!("{}/bin/rustc", String::from_utf8(sysroot.stdout).unwrap().trim_end());
    let cachex = cachex();
    cachex.write("work/lib.rs", "mod part;\n");
    cachex.write("work/part.rs", "");
    cachex.write("work/more.rs", "");
    let argv = [&rustc, "--crate-type=lib", "--emit=dep-info=-", "lib.rs"];
    // It looks for a terminal, and adapts its lines to that.
    let call = cachex.exec(argv).with("--auto --verbose").launched_by("exec setsid --wait \"$@\"");
    let files = |call: &Call| {
        let outcome = call.once();
        let listed: String = outcome.stdout().split_whitespace().collect();
        (listed, outcome.stderr().contains("cachex: hit"))
    };
    assert_eq!(files(&call), ("lib.rs:part.rs:".into(), false));
    assert_eq!(files(&call), ("lib.rs:part.rs:".into(), true));
    cachex.write("work/part.rs", "#[path = \"more.rs\"] mod more;");
    assert_eq!(files(&call), ("lib.rs:part.rs:more.rs:".into(), false));
    assert_eq!(files(&call), ("lib.rs:part.rs:more.rs:".into(), true));
    // Two files are one too many for a module.
    cachex.write("work/part/mod.rs", "");
    call.once().exits(1);
    fs::remove_dir_all(cachex.path("work/part")).unwrap();
    assert_eq!(files(&call), ("lib.rs:part.rs:more.rs:".into(), true));
}
