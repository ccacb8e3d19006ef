//! The shell parts of `action.yml`, of the template for GitLab and of the page for any
//! other CI do what they say: a second job, with a store of its own, hits.

use super::{files_below, make, packs, root, text};
use crate::harness::{Cachex, Call, Folder, Remote, WebDav, cachex, copy, quoted};
use std::collections::BTreeMap;
use std::fs;

/// A command of a job: what it depends on is the same in each checkout.
const RUN: &str = "cachex run --portable --no-env --input src --stdin null -- /bin/sh -c";

/// A step of `action.yml` that is a script.
struct Step {
    name: String,
    condition: String,
    variables: Vec<(String, String)>,
    script: String,
}

/// What stands behind `key: ` in these lines.
fn value<'a>(lines: &[&'a str], key: &str) -> Option<&'a str> {
    lines.iter().find_map(|line| line.trim_start().strip_prefix(key)?.strip_prefix(": "))
}

/// The lines that are indented deeper than the one that says `key:`, and by how much that is.
fn block(lines: &[&str], key: &str) -> Vec<String> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let Some(start) = lines.iter().position(|line| line.trim() == key) else { return Vec::new() };
    let deeper = |line: &&&str| line.is_empty() || indent(line) > indent(lines[start]);
    let inside: Vec<&str> = lines[start + 1..].iter().take_while(deeper).copied().collect();
    let margin = inside.iter().filter(|line| !line.is_empty()).map(|line| indent(line)).min();
    inside.iter().map(|line| line.get(margin.unwrap_or(0)..).unwrap_or("").to_owned()).collect()
}

/// The steps of the action, with those left out that are actions themselves.
fn steps() -> Vec<Step> {
    let action = text("action.yml");
    let steps = action.split("\n    - name: ").skip(1);
    let steps = steps.filter(|step| !step.contains("\n      uses: ")).map(|step| {
        let lines: Vec<&str> = step.lines().collect();
        assert_eq!(value(&lines, "shell"), Some("bash"), "{step}");
        let variables = block(&lines, "env:").into_iter().map(|line| {
            let (name, value) = line.split_once(": ").unwrap();
            (name.to_owned(), value.to_owned())
        });
        let script = block(&lines, "run: |").join("\n");
        // What an expression stands for would be code there.
        assert!(!script.is_empty() && !script.contains("${{"), "{step}");
        Step {
            name: lines[0].to_owned(),
            condition: value(&lines, "if").unwrap().to_owned(),
            variables: variables.collect(),
            script,
        }
    });
    let steps: Vec<Step> = steps.collect();
    assert_eq!(steps.len(), 4);
    steps
}

/// The action's inputs and their defaults.
fn inputs() -> BTreeMap<String, String> {
    let action = text("action.yml");
    let inputs = block(&action.lines().collect::<Vec<_>>(), "inputs:");
    let named = inputs.iter().enumerate().filter(|(_, line)| !line.starts_with(' '));
    named
        .map(|(at, line)| {
            let default = inputs[at + 2].trim().strip_prefix("default: ").unwrap();
            // An expression: of a job that is of no fork.
            let default = if default.starts_with("${{") { "read-write" } else { default };
            (line.trim_end_matches(':').to_owned(), default.trim_matches('"').to_owned())
        })
        .collect()
}

/// A job on a runner of GitHub's.
struct Job<'a> {
    cachex: &'a Cachex,
    name: &'a str,
    given: Vec<(&'a str, String)>,
    /// What steps have put into the environment of later ones.
    environment: Vec<(String, String)>,
}

impl<'a> Job<'a> {
    fn new(cachex: &'a Cachex, name: &'a str, given: &[(&'a str, String)]) -> Job<'a> {
        for folder in ["temp", "checkout"] {
            fs::create_dir_all(cachex.path(name).join(folder)).unwrap();
        }
        // What another runner has brought from GitHub's cache.
        let archive = cachex.path("cache");
        if archive.exists() {
            fs::copy(archive, cachex.path(name).join("temp/cachex-results")).unwrap();
        }
        Job { cachex, name, given: given.to_vec(), environment: Vec::new() }
    }

    /// A script as the runner starts it.
    fn call(&self, script: &str) -> Call {
        let place = self.cachex.path(self.name);
        let file = self.cachex.write(place.join("step.sh"), script);
        let bash = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail"].map(str::to_owned);
        let argv = bash.into_iter().chain([file.to_str().unwrap().to_owned()]);
        let mut call = self.cachex.bare(argv).inside(place.join("checkout")).without("CACHEX_DIR");
        let added = fs::read_to_string(place.join("path")).unwrap_or_default();
        let path = added.lines().rev().chain(["/usr/local/bin:/usr/bin:/bin"]);
        call = call.env("PATH", path.collect::<Vec<_>>().join(":"));
        for (name, file) in [
            ("RUNNER_TEMP", "temp"),
            ("GITHUB_ENV", "env"),
            ("GITHUB_PATH", "path"),
            ("GITHUB_STEP_SUMMARY", "summary"),
        ] {
            call = call.env(name, place.join(file));
        }
        self.environment.iter().fold(call, |call, (name, value)| call.env(name, value))
    }

    /// `uses: ./` with `step: STEP`.
    #[track_caller]
    fn uses(&mut self, step: &str) {
        let mut inputs = inputs();
        inputs.extend(self.given.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        inputs.insert("step".into(), step.into());
        for Step { name, condition, variables, script } in steps() {
            let wanted = condition.strip_prefix("inputs.step == '").unwrap().strip_suffix('\'');
            if wanted != Some(step) {
                continue;
            }
            let mut call = self.call(&script).env("GITHUB_ACTION_PATH", root());
            for (variable, expression) in variables {
                let input = expression.strip_prefix("${{ inputs.").unwrap();
                let value = &inputs[input.strip_suffix(" }}").unwrap()];
                call = call.env(variable, value);
            }
            assert!(call.once().succeeded(), "{name}: {}", call.once().stderr());
            let added = fs::read_to_string(self.cachex.path(self.name).join("env"));
            let added = added.unwrap_or_default();
            let added = added.lines().map(|line| line.split_once('=').unwrap());
            self.environment = added.map(|(name, value)| (name.into(), value.into())).collect();
        }
        if step == "finish" {
            let archive = self.cachex.path(self.name).join("temp/cachex-results");
            if archive.exists() {
                fs::copy(archive, self.cachex.path("cache")).unwrap();
            }
        }
    }

    /// A step of the user's, which counts how often it runs.
    #[track_caller]
    fn builds(&self) {
        let source = self.cachex.path(self.name).join("checkout/src/main.c");
        self.cachex.write(source, "int main(void) { return 0; }\n");
        let call = self.call(&format!("{RUN} {}", quoted(self.cachex.counting("echo built"))));
        call.once().exits(0).prints("built\n").quietly();
    }

    fn summary(&self) -> String {
        fs::read_to_string(self.cachex.path(self.name).join("summary")).unwrap_or_default()
    }
}

/// A folder with a release of the cachex under test.
fn release(cachex: &Cachex) -> String {
    packs(cachex, "tarball install");
    make(cachex, "sums").once().exits(0);
    cachex.path("dist").to_str().unwrap().to_owned()
}

#[test]
fn the_action_carries_results_from_job_to_job() {
    let cachex = cachex();
    let from = [("from", release(&cachex))];
    for (name, figure) in [("one", "**0 %** of 1 call "), ("two", "**100 %** of 1 call ")] {
        let mut job = Job::new(&cachex, name, &from);
        job.uses("start");
        job.builds();
        job.uses("finish");
        let summary = job.summary();
        assert!(summary.contains('|') && summary.contains(figure), "{summary}");
    }
    assert_eq!(cachex.runs(), 1);
    // A cache that is damaged costs time and no more.
    cachex.write("cache", "what became of it");
    let mut job = Job::new(&cachex, "three", &from);
    job.uses("start");
    job.builds();
    job.uses("finish");
    assert_eq!(cachex.runs(), 2);
}

#[test]
fn the_action_sets_a_remote_store_in_place_of_an_archive() {
    let (cachex, folder) = (cachex(), Folder::new());
    let given = [("from", release(&cachex)), ("remote", folder.url())];
    for name in ["one", "two"] {
        let mut job = Job::new(&cachex, name, &given);
        job.environment.push(("CACHEX_REMOTE_TIMEOUT".into(), "30s".into()));
        job.uses("start");
        job.builds();
        job.uses("finish");
        assert!(job.summary().contains('|'));
        assert!(!cachex.path(name).join("temp/cachex-results").exists());
    }
    assert_eq!(cachex.runs(), 1);
    assert!(!files_below(folder.objects()).is_empty());
    // A job of a fork is told to give nothing.
    assert!(text("action.yml").contains("head.repo.fork && 'read-only' || 'read-write'"));
}

#[test]
fn the_action_installs_its_own_version_and_no_other() {
    let cachex = cachex();
    let given = [("from", release(&cachex)), ("version", "99.0.0".into())];
    let job = Job::new(&cachex, "one", &given);
    let install = &steps()[0];
    let call = job.call(&install.script).env("GITHUB_ACTION_PATH", root());
    let call = call.env("FROM", &given[0].1).env("VERSION", "99.0.0");
    call.once().exits(1).mentions(&["no package of cachex 99.0.0"]);
    let lines = job.call(&steps()[1].script).env("REMOTE", "file:///a\nPATH=/evil");
    let lines =
        ["REMOTE_MODE", "SINCE", "MAX_SIZE"].iter().fold(lines, |call, it| call.env(it, ""));
    lines.once().exits(1).mentions(&["CACHEX_REMOTE has more than one line"]);
}

#[test]
fn the_template_for_gitlab_carries_results_from_job_to_job() {
    let (cachex, server) = (cachex(), WebDav::start());
    copy(release(&cachex).as_ref(), &server.objects());
    let template = text("packaging/gitlab.yml");
    let lines: Vec<&str> = template.lines().collect();
    let script = |key: &str| {
        let list = block(&lines, key);
        assert_eq!(list[0], "- |");
        block(&list.iter().map(String::as_str).collect::<Vec<_>>(), "- |").join("\n")
    };
    let variables = block(&lines, "variables:");
    let results = block(&lines, "paths:")[0].strip_prefix("- ").unwrap().to_owned();
    for (name, figure) in [("one", "**0 %** of 1 call "), ("two", "**100 %** of 1 call ")] {
        let project = cachex.path(name);
        fs::create_dir_all(project.join(".cachex")).unwrap();
        let kept = cachex.path("cache");
        if kept.exists() {
            fs::copy(&kept, project.join(&results)).unwrap();
        }
        let job = |script: &str| {
            let mut call = cachex.bare(["sh", "-ec", script]).inside(project.clone());
            call = call.env("CACHEX_FROM", server.http_url()).env("PATH", "/usr/bin:/bin");
            for line in &variables {
                let (variable, value) = line.split_once(": ").unwrap();
                let value = value.replace("$CI_PROJECT_DIR", project.to_str().unwrap());
                call = call.env(variable, value);
            }
            call
        };
        cachex.write(project.join("src/main.c"), "int main(void) { return 0; }\n");
        let build = quoted(cachex.counting("echo built"));
        let main = format!("{}\n{RUN} {build}", script("before_script:"));
        job(&main).once().exits(0).shows(&["built\n"]);
        let end = job(&script("after_script:")).once().exits(0);
        end.shows(&["|", figure]);
        fs::copy(project.join(&results), kept).unwrap();
    }
    assert_eq!(cachex.runs(), 1);
}

/// The lines for any CI in docs/install.md, in the plainest of shells.
#[test]
fn the_lines_for_any_ci_carry_results_from_job_to_job() {
    let (cachex, server) = (cachex(), WebDav::start());
    copy(release(&cachex).as_ref(), &server.objects());
    let page = text("docs/install.md");
    let section = page.split("\n### Any other CI\n").nth(1).unwrap();
    let make = format!("#!/bin/sh\n{}\n", cachex.counting("echo built"));
    let tools = cachex.executable("tools/make", make).parent().unwrap().to_owned();
    let lines = section.split("```sh\n").nth(1).unwrap().split("```").next().unwrap();
    for (name, figure) in [("one", "**0 %** of 1 call "), ("two", "**100 %** of 1 call ")] {
        let project = cachex.path(name);
        cachex.write(project.join("src/main.c"), "int main(void) { return 0; }\n");
        let kept = cachex.path("cache");
        if kept.exists() {
            fs::copy(&kept, project.join("cachex-results")).unwrap();
        }
        let call = cachex.bare(["sh", "-euc", lines]).inside(project.clone());
        let call = call.env("FROM", server.http_url()).env("HOME", project.join("home"));
        let call = call.env("CACHEX_DIR", project.join("store"));
        let call = call.env("PATH", format!("{}:/usr/bin:/bin", tools.display()));
        call.once().exits(0).shows(&["built\n", "|", figure]);
        fs::copy(project.join("cachex-results"), kept).unwrap();
    }
    assert_eq!(cachex.runs(), 1);
}
