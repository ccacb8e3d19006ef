//! Commands whose helper is not cachex.

use super::*;
use anyhow::anyhow;

fn call(program: &str, args: &[&str]) -> CachedCommand {
    let mut command = Command::new(program);
    command.args(args).env("FRUIT", "pear").current_dir("/");
    CachedCommand::new(Vec::new(), command)
}

fn without_a_helper(call: &CachedCommand) -> io::Result<CommandOutput> {
    call.call(Err(anyhow!("there is a reason")), Stdio::piped)
}

/// Uses this shell script as the helper; its `$1` is the file for its answer.
fn helped_by(script: &str, call: &CachedCommand) -> io::Result<CommandOutput> {
    let mut helper = Command::new("sh");
    helper.args(["-c", script, "sh"]);
    call.call(Ok(helper), Stdio::piped)
}

#[test]
fn without_a_helper_a_command_is_run_as_it_is() {
    let call = call("sh", &["-c", r#"cat; echo "$FRUIT $PWD" >&2; kill -9 $$"#]).input("in");
    let output = without_a_helper(&call).unwrap();
    assert_eq!((&*output.stdout, &*output.stderr), (&b"in"[..], &b"pear /\n"[..]));
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&output.status), Some(9));
    assert_eq!(output.outcome, Outcome::Uncached);
    assert!(output.reason.unwrap().contains("there is a reason"));
}

#[test]
fn what_is_not_there_is_not_found_without_a_helper_too() {
    let error = without_a_helper(&call("no-such-program", &[])).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
}

#[test]
fn a_helper_that_did_not_begin_did_nothing() {
    let output = helped_by("exit 127", &call("echo", &["done"])).unwrap();
    assert_eq!(output.stdout, b"done\n");
    assert_eq!(output.outcome, Outcome::Uncached);
}

#[test]
fn a_helper_that_died_may_have_run_the_command_so_it_is_not_run_again() {
    let error = helped_by(r#": >"$1"; kill -9 $$"#, &call("echo", &["done"])).unwrap_err();
    assert!(error.to_string().contains("signal: 9"), "{error}");
}

#[test]
fn what_only_a_helper_can_keep_is_refused_without_one() {
    let call = call("echo", &["done"]);
    let error = without_a_helper(&call.run_option("--timeout", "1m")).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::Unsupported);
    assert!(error.to_string().contains("--timeout"), "{error}");
}
