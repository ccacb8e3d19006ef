//! What `cachex explain` says about variables.

use super::{advised, differs, told, would_hit, would_share};
use crate::harness::cachex;

/// That the variables are selected in another way is told in these words.
fn selected(how: &str) -> String {
    format!("the variables are selected in another way: recorded {how}")
}

#[test]
fn a_variable_that_differs_is_named_and_its_value_is_not() {
    let cachex = cachex();
    let call = cachex.run("echo hi");
    let (then, now) = (call.clone().env("AWS_PROFILE", "first"), call.env("AWS_PROFILE", "other"));
    then.once().misses();
    let told = differs(&now, &["variable `AWS_PROFILE` differs"]);
    assert!(!told.contains("first") && !told.contains("other"), "{told}");
    would_share(&now, &then, &told, "--ignore-env AWS_PROFILE");
}

#[test]
fn a_new_variable_is_named() {
    let call = cachex().run("echo hi");
    call.once().misses();
    let now = call.clone().env("FOO", "x").env("BAR", "y");
    let told = differs(&now, &["variable `BAR` is new", "variable `FOO` is new"]);
    would_share(&now, &call, &told, "--ignore-env BAR,FOO");
}

#[test]
fn a_variable_that_is_gone_is_named() {
    let call = cachex().run("echo hi");
    let then = call.clone().env("BAR", "x");
    then.once().misses();
    let told = differs(&call, &["variable `BAR` is gone"]);
    would_share(&call, &then, &told, "--ignore-env BAR");
}

#[test]
fn one_that_was_left_out_or_taken_in_is_told_too() {
    let call = cachex().run("echo hi").env("A", "1").env("B", "2");
    call.clone().with("--ignore-env A").once().misses();
    let without_a = selected("with `--ignore-env A`");
    let told = differs(&call, &[&without_a, "variable `A` is new"]);
    would_hit(&call, &told, "--ignore-env A");
    let now = call.clone().with("--ignore-env A,B");
    let told = differs(&now, &[&without_a, "variable `B` is gone"]);
    advised(&told, "would hit with `--ignore-env A`\n");
    call.once().misses();
    let told = differs(&now, &[&without_a, "variable `B` is gone"]);
    advised(&told, "would hit with `--ignore-env A`\n");
}

#[test]
fn a_selection_that_differs_is_told_even_if_no_variable_does() {
    let call = cachex().run("echo hi");
    let then = call.clone().with("--ignore-env B?R,A,B?R");
    then.once().misses();
    let how = selected("with `--ignore-env A,'B?R'`");
    let told = differs(&call, &[&how]);
    advised(&told, "would hit with `--ignore-env A,'B?R'`\n");
    // What differs besides is left out, too.
    let told = differs(&call.clone().env("C", "1"), &[&how, "variable `C` is new"]);
    let options = "--ignore-env A,'B?R',C";
    advised(
        &told,
        &format!("`{options}` leaves out what differs: calls with it share one result\n"),
    );
    let now = call.clone().with("--no-env");
    let told = differs(&now, &[&how, "no variable is in the key now: 5 were when it was recorded"]);
    assert!(
        told.contains("\nwould hit with `--ignore-env A,'B?R'`, without `--no-env`\n"),
        "{told}"
    );
    let told = differs(&then.clone().with("--scope a"), &["scope is new: recorded without one"]);
    advised(&told, "would hit without `--scope`\n");
    let told = then.explain().once().exits(0).stdout();
    assert!(
        told.contains(" left out (2 session, 1 directory), selected by `--ignore-env A,'B?R'`\n"),
        "{told}"
    );
}

#[test]
fn the_option_that_leaves_too_much_out_is_told() {
    let call = cachex().run("echo hi").env("A", "1");
    call.once().misses();
    let how = selected("without `--ignore-env`");
    let told = differs(&call.clone().with("--ignore-env A"), &[&how, "variable `A` is gone"]);
    advised(&told, "would hit without `--ignore-env`\n");
    let told = differs(
        &call.with("--env A"),
        &[
            &selected("without `--env`"),
            "variable `HOME` is gone",
            "variable `LANG` is gone",
            "variable `PATH` is gone",
            "variable `TMPDIR` is gone",
            "variable `TZ` is gone",
        ],
    );
    assert!(told.ends_with("would hit without `--env`\n"), "{told}");
}

#[test]
fn a_result_that_counts_no_variable_is_told_in_one_line() {
    let call = cachex().run("echo hi").env("FOO", "x");
    call.clone().with("--no-env").once().misses();
    let all = "6 variables are in the key now: none were when it was recorded";
    let told = differs(&call, &[&selected("with `--no-env`"), all]);
    would_hit(&call, &told, "--no-env");
    let cachex = cachex();
    let call = cachex.run("echo hi").env("FOO", "x");
    call.once().misses();
    let now = call.with("--no-env");
    let none = "no variable is in the key now: 6 were when it was recorded";
    let told = differs(&now, &[&selected("without `--no-env`"), none]);
    assert!(told.ends_with("would hit without `--no-env`\n"), "{told}");
}

#[test]
fn a_result_that_counts_a_few_of_many_variables_is_hit_by_naming_them() {
    let mut call = cachex().run("echo hi");
    for n in 0..10 {
        call = call.env(format!("V{n}"), "x");
    }
    call.clone().with("--env HOME,LANG").once().misses();
    let told = told(&call);
    assert!(told.contains("\n  and 3 more, which --all lists\n"), "{told}");
    would_hit(&call, &told, "--env HOME,LANG");
}
