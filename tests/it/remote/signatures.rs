//! Signed entries: who names keys takes results from nobody else, whoever knows the secret.

use super::{Machines, files_below};
use crate::harness::{Call, Folder, Remote};
use std::fs;
use std::os::unix::fs::PermissionsExt;

/// Makes a key, and returns the public one.
fn keygen(machines: &Machines<'_>, name: &str) -> String {
    let file = machines.cachex.path(name);
    let made = machines.cachex.cli(["remote".into(), "keygen".into(), file.into_os_string()]);
    made.once().exits(0).quietly().stdout().trim_end().to_owned()
}

/// A call that signs with this key, or trusts those.
fn with(machines: &Machines<'_>, call: Call, key: Option<&str>, trusted: &str) -> Call {
    let call = call.env("CACHEX_REMOTE_TRUST", trusted);
    match key {
        Some(key) => call.env("CACHEX_REMOTE_SIGNING_KEY", machines.cachex.path(key)),
        None => call,
    }
}

#[test]
fn a_key_is_for_its_owner_alone_and_is_never_replaced() {
    let folder = Folder::new();
    let machines = Machines::sharing(&folder);
    let public = keygen(&machines, "key");
    assert!(public.starts_with("ed25519:") && public.len() == 72, "{public}");
    let file = machines.cachex.path("key");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let content = fs::read(&file).unwrap();
    let again = machines.cachex.cli(["remote", "keygen", file.to_str().unwrap()]);
    again.once().exits(1).mentions(&["exists"]);
    assert_eq!(fs::read(&file).unwrap(), content);
    let shown = machines.cachex.cli(["remote", "keygen", "--public", file.to_str().unwrap()]);
    shown.once().exits(0).prints(format!("{public}\n"));
}

#[test]
fn readers_accept_what_a_key_signed_that_they_trust() {
    let folder = Folder::new();
    let machines = Machines::sharing(&folder).with_secret("shared by all");
    let [ours, theirs] = ["ours", "theirs"].map(|name| keygen(&machines, name));
    let signed = machines.cachex.run("echo signed; seq 3000");
    let alien = machines.cachex.run("echo alien");
    let unsigned = machines.cachex.run("echo unsigned");
    let on = |machine: &str, call: &Call, key, trusted: &str| {
        with(&machines, machines.on(machine, call), key, trusted)
    };
    for (machine, key, call) in
        [("a", Some("ours"), &signed), ("b", Some("theirs"), &alien), ("c", None, &unsigned)]
    {
        on(machine, call, key, "").once().misses();
        with(&machines, machines.verb(machine, "flush"), key, "").once().exits(0);
    }
    on("d", &signed, None, &ours).once().hits().quietly();
    for call in [&alien, &unsigned] {
        on("d", call, None, &ours).once().misses().warns_once(&["not to be trusted"]);
    }
    let both = format!("{ours},{theirs}");
    on("e", &alien, None, &both).once().hits().quietly();
    on("f", &signed, Some("theirs"), "").once().misses();
    on("g", &signed, Some("theirs"), &ours).once().hits();
    // Who names no key goes by the secret.
    for call in [&signed, &alien, &unsigned] {
        on("h", call, None, "").once().hits().quietly();
    }
}

#[test]
fn what_was_fetched_before_keys_were_named_is_not_trusted_afterwards() {
    let folder = Folder::new();
    let machines = Machines::sharing(&folder);
    let [ours, theirs] = ["ours", "theirs"].map(|name| keygen(&machines, name));
    let call = machines.cachex.run("echo hi");
    let on = |machine: &str, key, trusted: &str| {
        let call = with(&machines, machines.on(machine, &call), key, trusted);
        call.env("CACHEX_REMOTE_TIMEOUT", "30s")
    };
    on("a", None, "").once().misses();
    machines.shares("a");
    on("b", None, "").once().hits();
    let explained = with(&machines, machines.on("b", &call.clone().explain()), None, &ours);
    explained.once().shows(&["not recorded"]);
    on("b", None, &ours).once().misses().warns_once(&["not to be trusted"]);
    // What was recorded here is not affected, nor is what one of them signed.
    on("b", None, &ours).once().hits().quietly();
    on("c", Some("ours"), "").once().misses();
    with(&machines, machines.verb("c", "flush"), Some("ours"), "").once().exits(0);
    on("d", None, &ours).once().hits().quietly();
    let there = on("d", None, &ours).env("CACHEX_REMOTE_MODE", "off");
    there.once().hits().quietly();
    on("d", None, &theirs).env("CACHEX_REMOTE_MODE", "off").once().misses();
}

#[test]
fn a_signed_result_takes_the_place_of_one_that_is_not_trusted() {
    let folder = Folder::new();
    let machines = Machines::sharing(&folder);
    let ours = keygen(&machines, "ours");
    let call = machines.cachex.run("cat ../mood");
    let on = |machine: &str, key, trusted: &str| {
        with(&machines, machines.on(machine, &call), key, trusted)
    };
    // It is recorded first, and signed and sent last.
    machines.cachex.write("mood", "good\n");
    on("a", Some("ours"), "").env("CACHEX_REMOTE_MODE", "off").once().misses();
    machines.cachex.write("mood", "bad\n");
    on("b", None, "").once().misses();
    machines.shares("b");
    on("c", None, "").once().hits().prints("bad\n");
    fs::remove_dir_all(folder.objects()).unwrap();
    fs::create_dir(folder.objects()).unwrap();
    with(&machines, machines.verb("a", "push"), Some("ours"), "").once().exits(0);
    on("c", None, &ours).once().hits().prints("good\n").quietly();
    on("c", None, &ours).once().hits().prints("good\n").quietly();
}

#[test]
fn readers_send_nothing_that_they_would_not_accept() {
    let folder = Folder::new();
    let machines = Machines::sharing(&folder);
    let public = keygen(&machines, "key");
    let call = machines.cachex.run("echo hi");
    with(&machines, machines.on("a", &call), None, &public).once().misses();
    let flushed = with(&machines, machines.verb("a", "flush"), None, &public);
    flushed.once().exits(0).shows(&["nothing to do", "read-only"]);
    assert_eq!(files_below(folder.objects()).len(), 0);
}

/// Somebody who knows the secret and may write, but has no key, moves and bends what others
/// signed.
#[test]
fn what_is_signed_is_bound_to_its_place() {
    let folder = Folder::new();
    let machines = Machines::sharing(&folder);
    let public = keygen(&machines, "key");
    let calls = ["one", "two"].map(|text| machines.cachex.run(&format!("echo {text}")));
    for call in &calls {
        with(&machines, machines.on("a", call), Some("key"), "").once().misses();
    }
    with(&machines, machines.verb("a", "flush"), Some("key"), "").once().exits(0);
    let entries = files_below(folder.objects());
    let [one, two] = &entries[..] else { panic!("two entries: {entries:?}") };
    let (first, second) = (fs::read(one).unwrap(), fs::read(two).unwrap());
    fs::write(one, second).unwrap();
    fs::write(two, first).unwrap();
    for call in &calls {
        let outcome = with(&machines, machines.on("b", call), None, &public).once().misses();
        outcome.warns_once(&["not to be trusted"]);
    }
}

#[test]
fn keys_that_are_none_are_misuse() {
    let folder = Folder::new();
    let machines = Machines::sharing(&folder);
    let call = machines.on("a", &machines.cachex.run("echo ran"));
    fs::write(machines.cachex.path("bad"), "ed25519-private:12\n").unwrap();
    let bad = with(&machines, call.clone(), Some("bad"), "");
    bad.once().runs(0).exits(125).mentions(&["CACHEX_REMOTE_SIGNING_KEY", "private key"]);
    let absent = with(&machines, call.clone(), Some("absent"), "");
    absent.once().runs(0).exits(125).mentions(&["CACHEX_REMOTE_SIGNING_KEY", "absent"]);
    call.clone().env("CACHEX_REMOTE_TRUST", "ed25519:1").once().runs(0).exits(125);
    // A secret that was mistaken for a name is not repeated.
    let typed = call.env("CACHEX_REMOTE_SIGNING_KEY", "ed25519-private:0123456789abcdefgh");
    let outcome = typed.once().runs(0).exits(125).mentions(&["CACHEX_REMOTE_SIGNING_KEY"]);
    assert!(!outcome.stderr().contains("0123456789"), "{}", outcome.stderr());
}

#[test]
fn show_says_who_sent_an_entry() {
    let folder = Folder::new();
    let machines = Machines::sharing(&folder);
    let public = keygen(&machines, "key");
    let call = machines.cachex.run("echo hi").with("--no-env");
    let job = |call: Call| {
        let call = call.env("USER", "ada").env("CI_JOB_URL", "https://ci.example/7");
        with(&machines, call, Some("key"), "")
    };
    job(machines.on("a", &call)).once().misses();
    job(machines.verb("a", "flush")).once().exits(0);
    machines.on("b", &call).once().hits();
    let json = |machine: &str| {
        let key = call.key();
        let shown = machines.on(machine, &machines.cachex.cli(["show", "--json", &key])).once();
        serde_json::from_str::<serde_json::Value>(&shown.exits(0).stdout()).unwrap()["origin"]
            .clone()
    };
    let origin = json("b");
    assert_eq!(origin["user"], "ada");
    assert_eq!(origin["job"], "https://ci.example/7");
    assert_eq!(origin["key"], public.as_str());
    assert!(origin["host"].is_string());
    assert!(json("a").is_null());
    let shown = machines.on("b", &machines.cachex.cli(["show", &call.key()])).once();
    shown.exits(0).shows(&["sent by", "ada on ", "https://ci.example/7", &public]);
    assert!(folder.url().starts_with("file:"));
}

#[test]
fn a_sender_without_variables_is_the_user_of_its_processes() {
    let folder = Folder::new();
    let machines = Machines::sharing(&folder);
    let name = machines.cachex.shell("id -un").once().exits(0).stdout();
    for (variable, value, user) in [("LOGNAME", "grace", "grace"), ("TERM", "dumb", name.trim())] {
        let call = machines.cachex.run(&format!("echo {user}")).with("--no-env");
        let here = |call: Call| call.without("USER").env(variable, value);
        here(machines.on(user, &call)).once().misses();
        here(machines.verb(user, "flush")).once().exits(0);
        machines.on("b", &call).once().hits();
        let shown = machines.on("b", &machines.cachex.cli(["show", &call.key()])).once();
        shown.exits(0).shows(&["sent by", &format!("{user} on ")]);
    }
}
