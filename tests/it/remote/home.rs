//! Results that stay on the machine, whatever store is shared.

use super::{Machines, files_below};
use crate::harness::{Call, Folder};
use serde_json::Value;

/// Whether another machine gets what one recorded.
#[track_caller]
fn is_shared(machines: &Machines<'_>, folder: &Folder, call: &Call) -> bool {
    machines.on("a", call).once().misses().exits(0).quietly();
    machines.shares("a");
    machines.on("a", call).once().hits().quietly();
    let has_objects = !files_below(folder.objects()).is_empty();
    let asked = machines.on("b", call).once().exits(0).executions() == 0;
    assert_eq!(asked, has_objects);
    asked
}

/// What `explain` says of the remote store.
fn explained(machines: &Machines<'_>, call: &Call) -> (String, String) {
    let told = machines.on("c", &call.clone().explain().with("--json")).once();
    let told: Value = serde_json::from_str(&told.stdout()).unwrap();
    let text = |name: &str| told["remote"][name].as_str().unwrap_or_default().to_owned();
    (text("answer"), text("reason"))
}

#[test]
fn what_is_labelled_so_stays() {
    for options in ["--local", "--tag local", "--tag a --tag local"] {
        let folder = Folder::new();
        let machines = Machines::sharing(&folder);
        let call = machines.cachex.run("echo hi").with(options);
        assert!(!is_shared(&machines, &folder, &call), "{options}");
        let (answer, reason) = explained(&machines, &call);
        assert_eq!(answer, "kept-here");
        assert!(reason.contains("`local`"), "{reason}");
        machines.on("a", &machines.cachex.cli(["list"])).once().shows(&["local"]);
    }
}

#[test]
fn a_rule_says_which_commands_stay_whatever_a_variable_says_of_the_store() {
    let folder = Folder::new();
    let machines = Machines::sharing(&folder);
    machines.cachex.config("[[command]]\nmatch = \"sh -c *secret*\"\nlocal = true\n");
    let secret = machines.cachex.run("echo a secret").env("CACHEX_REMOTE_MODE", "read-write");
    assert!(!is_shared(&machines, &folder, &secret));
    let other = machines.cachex.run("echo hi");
    assert!(is_shared(&machines, &folder, &other));
}

#[test]
fn commands_that_print_credentials_stay_unless_somebody_knows_better() {
    let folder = Folder::new();
    let machines = Machines::sharing(&folder);
    machines.cachex.tool("vault", "echo secret");
    machines.cachex.tool("gcloud", "echo token");
    for call in [
        machines.cachex.exec(["vault", "read", "a"]),
        machines.cachex.exec(["gcloud", "auth", "print-access-token"]),
        machines.cachex.exec(["sh", "-c", "gcloud auth print-access-token | cat"]),
        machines.cachex.exec(["env", "-S", "A=b nice -n 1 vault read", "a"]),
        machines.cachex.exec(["chrt", "--other", "0", "vault", "read", "a"]),
    ] {
        assert!(!is_shared(&machines, &folder, &call), "{call}");
        let (answer, reason) = explained(&machines, &call);
        assert_eq!(answer, "kept-here");
        assert!(
            reason.contains("credentials") && reason.contains("CACHEX_LOCAL=false"),
            "{reason}"
        );
    }
    let known = machines.cachex.exec(["vault", "status"]).env("CACHEX_LOCAL", "false");
    assert!(is_shared(&machines, &folder, &known));
}

#[test]
fn commands_about_the_machine_stay() {
    let folder = Folder::new();
    let machines = Machines::sharing(&folder);
    for name in ["uname", "nproc", "hostname"] {
        machines.cachex.tool(name, "echo this one");
        let call = machines.cachex.exec([name]);
        assert!(!is_shared(&machines, &folder, &call), "{name}");
        assert!(explained(&machines, &call).1.contains("about this machine"));
    }
}
