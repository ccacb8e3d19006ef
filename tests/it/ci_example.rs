//! The CI example does what it says: a second job, with a fresh store and another
//! checkout, hits at every step.

use crate::harness::{Cachex, Call, Outcome, cachex, copy, quoted};
use serde_json::Value;
use std::fs;
use std::path::Path;

/// A job in a checkout of its own and with a store of its own.
fn job(cachex: &Cachex, name: &str) -> Call {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/ci");
    let checkout = cachex.path(name).join("checkout");
    fs::create_dir_all(cachex.path(name)).unwrap();
    copy(&example, &checkout);
    let steps = quoted(checkout.join("steps.sh"));
    let call = cachex.shell(&format!("{steps} ../../archive")).inside(checkout);
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
    let outcome = call.once().exits(0);
    outcome.shows(&["6 lines are fine", "2 headings are there", "3 entries exported"])
}

#[test]
fn the_second_job_hits_at_every_step() {
    let cachex = cachex();
    let summary = cachex.path("summary");
    let first = passes(&job(&cachex, "one").env("GITHUB_STEP_SUMMARY", &summary));
    assert!(!first.stdout().contains("imported"), "{}", first.stdout());
    assert_eq!(counted(&cachex, "one"), [3, 0, 3]);
    assert!(fs::read_to_string(&summary).unwrap().contains('|'));
    let second = passes(&job(&cachex, "two")).shows(&["3 entries imported", "|"]);
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
