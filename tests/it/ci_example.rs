//! The CI example does what it says: a second job, with a fresh store and another
//! checkout, hits at every step, be it by an archive or by a store that both share.

use crate::harness::{Cachex, Call, Folder, Ghac, Outcome, Remote, cachex, copy, quoted};
use crate::remote::files_below;
use serde_json::Value;
use std::fs;
use std::path::Path;

/// A job that keeps its results in an archive.
fn job(cachex: &Cachex, name: &str) -> Call {
    steps(cachex, name, "../../archive")
}

/// A job that shares its results.
fn sharing(cachex: &Cachex, name: &str, remote: &dyn Remote) -> Call {
    // The machine may be busy, and this is not about time.
    steps(cachex, name, "").remote(remote).env("CACHEX_REMOTE_TIMEOUT", "30s")
}

/// The steps in a checkout of their own and with a store of their own.
fn steps(cachex: &Cachex, name: &str, argument: &str) -> Call {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/ci");
    let checkout = cachex.path(name).join("checkout");
    fs::create_dir_all(cachex.path(name)).unwrap();
    copy(&example, &checkout);
    let steps = quoted(checkout.join("steps.sh"));
    let call = cachex.shell(&format!("{steps} {argument}")).inside(checkout);
    call.env("CACHEX_DIR", cachex.path(name).join("store"))
}

/// Calls, hits and misses of a job.
fn counted(cachex: &Cachex, name: &str) -> [u64; 3] {
    let stats = cachex.cli(["stats", "--json"]).env("CACHEX_DIR", cachex.path(name).join("store"));
    let stats: Value = serde_json::from_str(&stats.once().exits(0).stdout()).unwrap();
    ["calls", "hits", "misses"].map(|field| stats["total"][field].as_u64().unwrap())
}

fn page(cachex: &Cachex, name: &str) -> String {
    fs::read_to_string(cachex.path(name).join("checkout/project/out/page.html")).unwrap()
}

#[track_caller]
fn passes(call: &Call) -> Outcome {
    call.once().exits(0).shows(&["6 lines are fine", "2 headings are there"])
}

#[test]
fn the_second_job_hits_at_every_step() {
    let cachex = cachex();
    let summary = cachex.path("summary");
    let first = passes(&job(&cachex, "one").env("GITHUB_STEP_SUMMARY", &summary));
    let first = first.shows(&["3 entries exported"]);
    assert!(!first.stdout().contains("imported"), "{}", first.stdout());
    assert_eq!(counted(&cachex, "one"), [3, 0, 3]);
    assert!(fs::read_to_string(&summary).unwrap().contains('|'));
    let second = passes(&job(&cachex, "two"));
    let second = second.shows(&["3 entries imported", "3 entries exported", "|"]);
    assert_eq!(second.stderr().matches("cachex: hit ").count(), 3, "{}", second.stderr());
    assert_eq!(counted(&cachex, "two"), [3, 3, 0]);
    assert_eq!(page(&cachex, "one"), page(&cachex, "two"));
}

#[test]
fn a_job_whose_sources_changed_runs_its_steps() {
    let cachex = cachex();
    passes(&job(&cachex, "one"));
    let two = job(&cachex, "two");
    let added = cachex.path("two/checkout/project/pages/more.md");
    fs::write(added, "# More\n\nOne more page.\n").unwrap();
    two.once().exits(0).shows(&["9 lines are fine", "3 headings are there", "6 entries exported"]);
    assert_eq!(counted(&cachex, "two"), [3, 0, 3]);
    assert!(page(&cachex, "two").contains("<h1>More</h1>"));
    // A step that fails fails the job, and again the next time.
    let three = job(&cachex, "three");
    fs::write(cachex.path("three/checkout/project/pages/bad.md"), "# Bad \n").unwrap();
    for _ in 0..2 {
        let failed = three.once().exits(1);
        assert_eq!(failed.stderr().matches("cachex: miss ").count(), 1);
    }
}

#[test]
fn a_damaged_archive_costs_time_and_no_more() {
    let cachex = cachex();
    cachex.write("archive", "what the CI's cache made of it");
    passes(&job(&cachex, "one")).mentions(&["not an archive", "nothing was imported"]);
    assert_eq!(counted(&cachex, "one"), [3, 0, 3]);
}

#[track_caller]
fn each_step_runs_once(remote: &dyn Remote) {
    let cachex = cachex();
    passes(&sharing(&cachex, "one", remote));
    assert_eq!(counted(&cachex, "one"), [3, 0, 3]);
    let second = passes(&sharing(&cachex, "two", remote));
    assert_eq!(second.stderr().matches("cachex: hit (remote) ").count(), 3, "{}", second.stderr());
    assert_eq!(counted(&cachex, "two"), [3, 3, 0]);
    assert_eq!(page(&cachex, "one"), page(&cachex, "two"));
}

#[test]
fn machines_that_share_a_folder_run_each_step_once() {
    each_step_runs_once(&Folder::new());
}

#[test]
fn machines_that_share_the_actions_cache_run_each_step_once() {
    each_step_runs_once(&Ghac::start());
}

#[test]
fn a_job_of_a_fork_replays_and_gives_nothing() {
    let (cachex, folder) = (cachex(), Folder::new());
    let fork = |name| sharing(&cachex, name, &folder).env("CACHEX_REMOTE_MODE", "read-only");
    passes(&fork("fork"));
    assert_eq!(counted(&cachex, "fork"), [3, 0, 3]);
    assert!(files_below(folder.objects()).is_empty());
    passes(&sharing(&cachex, "one", &folder));
    let shared = files_below(folder.objects());
    let changed = fork("changed");
    let added = cachex.path("changed/checkout/project/pages/more.md");
    fs::write(added, "# More\n\nOne more page.\n").unwrap();
    changed.once().exits(0).shows(&["9 lines are fine", "3 headings are there"]);
    assert_eq!(counted(&cachex, "changed"), [3, 0, 3]);
    passes(&fork("same"));
    assert_eq!(counted(&cachex, "same"), [3, 3, 0]);
    assert_eq!(files_below(folder.objects()), shared);
}

#[test]
fn what_passed_is_shared_though_a_later_step_fails() {
    let (cachex, folder) = (cachex(), Folder::new());
    let one = sharing(&cachex, "one", &folder);
    fs::write(cachex.path("one/checkout/project/test.sh"), "exit 7\n").unwrap();
    one.once().exits(7).mentions(&["== test"]);
    passes(&sharing(&cachex, "two", &folder));
    assert_eq!(counted(&cachex, "two"), [3, 2, 1]);
}

#[test]
fn what_could_not_be_sent_at_once_is_sent_at_the_end() {
    let (cachex, folder) = (cachex(), Folder::new());
    let shared = quoted(folder.objects());
    fs::remove_dir(folder.objects()).unwrap();
    let one = sharing(&cachex, "one", &folder);
    // The store is there again once sending failed, and was put off.
    let put_off = r#"ls "$CACHEX_DIR"/v2/remote/*.unsent >/dev/null 2>&1"#;
    let test = format!("until {put_off}; do sleep 0.01; done; mkdir {shared}\n");
    fs::write(cachex.path("one/checkout/project/test.sh"), test).unwrap();
    one.once().exits(0);
    passes(&sharing(&cachex, "two", &folder));
    assert_eq!(counted(&cachex, "two"), [3, 2, 1]);
}

#[test]
fn a_store_that_is_gone_fails_no_job() {
    let (cachex, folder) = (cachex(), Folder::new());
    fs::remove_dir(folder.objects()).unwrap();
    passes(&sharing(&cachex, "one", &folder));
    assert_eq!(counted(&cachex, "one"), [3, 0, 3]);
}

#[test]
fn the_workflow_shares_and_forks_only_read() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/ci");
    let text = fs::read_to_string(example.join("github-remote.yml")).unwrap();
    for line in ["  CACHEX_REMOTE: ghac:///\n", "fork && 'read-only' || 'read-write'", "steps.sh\n"]
    {
        assert!(text.contains(line), "{line}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_job_that_declares_nothing_skips_what_passed() {
    let cachex = cachex();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/ci");
    let checkout = cachex.path("checkout");
    // A checkout in the same folder, whose files have new times, and a store that is kept.
    let job = || {
        copy(&example, &checkout);
        let script = quoted(checkout.join("auto.sh"));
        let now = format!("find {} -exec touch {{}} +; {script}", quoted(&checkout));
        cachex.shell(&now).inside(checkout.clone())
    };
    let page = || fs::read_to_string(checkout.join("project/out/page.html")).unwrap();
    let hits = |outcome: &Outcome| outcome.stderr().matches("cachex: hit ").count();
    let first = passes(&job());
    assert_eq!(hits(&first), 0, "{}", first.stderr());
    let built = page();
    let second = passes(&job());
    assert_eq!(hits(&second), 3, "{}", second.stderr());
    assert!(second.stderr().contains("1 file restored"), "{}", second.stderr());
    assert_eq!(page(), built);
    let changed = job();
    fs::write(checkout.join("project/pages/more.md"), "# More\n\nOne more page.\n").unwrap();
    let third = changed.once().exits(0).shows(&["9 lines are fine", "3 headings are there"]);
    assert_eq!(hits(&third), 0, "{}", third.stderr());
    assert!(page().contains("<h1>More</h1>"));
    assert_eq!(hits(&passes(&job())), 3);
    assert_eq!(page(), built);
}

#[test]
fn both_ways_to_start_it_start_the_same() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/ci");
    for name in ["github-actions.yml", "gitlab-ci.yml"] {
        let text = fs::read_to_string(example.join(name)).unwrap();
        assert!(
            text.contains("- run: examples/ci/steps.sh results.cachex\n")
                || text.contains("- examples/ci/steps.sh results.cachex\n"),
            "{name}"
        );
        assert!(text.matches("results.cachex").count() == 2 && !text.contains('\t'), "{name}");
    }
}
