//! Tests of comparisons.

use super::sentences::Sides;
use super::*;
use cachex_base::record::entry::About;
use cachex_base::text::quote::Credentials;
use cachex_store::components::Collector;
use proptest::prelude::*;
use serde_bytes::ByteBuf;
use std::collections::BTreeMap;

type Variables = BTreeMap<String, String>;

fn parts(kinds: &[(Kind, &str)], variables: &Variables) -> Parts {
    let mut collector = Collector::new([7; 32]);
    for (kind, value) in kinds {
        collector.add(*kind, b"", value.as_bytes());
    }
    for (name, value) in variables {
        collector.add(Kind::Variable, name.as_bytes(), value.as_bytes());
    }
    Parts::decode(&collector.finish()).unwrap()
}

fn about(argv: &[&[u8]]) -> About {
    About {
        argv: argv.iter().map(|arg| ByteBuf::from(*arg)).collect(),
        cut: false,
        cwd: None,
        scope: None,
        tags: Vec::new(),
    }
}

fn in_words(then: &[&[u8]], now: &[&[u8]]) -> String {
    let (then, now) = (about(then), about(now));
    let sides = Sides {
        now: &now,
        then: &then,
        executable: None,
        stdin: None,
        credentials: Credentials::Masked,
    };
    sides.sentence(&Difference { what: What::Arguments, change: Change::Differs })
}

fn variables() -> impl Strategy<Value = Variables> {
    proptest::collection::btree_map("[A-E]{1,2}", "[0-2]", 0..8)
}

proptest! {
    #[test]
    fn every_variable_that_differs_is_named_and_no_other(now in variables(), then in variables()) {
        let base = [(Kind::Arguments, "x"), (Kind::Directory, "/")];
        let found = compare(&parts(&base, &now), &parts(&base, &then)).unwrap();
        if now.len() > 1 && then.is_empty() || now.is_empty() && then.len() > 1 {
            let [one] = &found.differences[..] else { panic!("{found:?}") };
            prop_assert_eq!(&one.what, &What::Environment(now.len().max(then.len())));
            return Ok(());
        }
        let mut expected = Vec::new();
        for name in now.keys().chain(then.keys()).collect::<std::collections::BTreeSet<_>>() {
            let change = match (now.get(name), then.get(name)) {
                (Some(one), Some(other)) if one == other => continue,
                (Some(_), Some(_)) => Change::Differs,
                (Some(_), None) => Change::New,
                _ => Change::Gone,
            };
            let what = What::Variable(name.clone().into_bytes());
            expected.push(Difference { what, change });
        }
        prop_assert_eq!(found, Comparison { differences: expected, unknown: 0 });
    }

    #[test]
    fn hunks_make_one_list_of_words_the_other(
        then in proptest::collection::vec(0_u8..4, 0..12),
        now in proptest::collection::vec(0_u8..4, 0..12),
    ) {
        let then: Vec<&[u8]> = then.iter().map(std::slice::from_ref).collect();
        let now: Vec<&[u8]> = now.iter().map(std::slice::from_ref).collect();
        let hunks = compare_words(&then, &now);
        prop_assert_eq!(hunks.is_empty(), then == now);
        let gone: usize = hunks.iter().map(|hunk| hunk.then.len()).sum();
        let new: usize = hunks.iter().map(|hunk| hunk.now.len()).sum();
        prop_assert_eq!(then.len() - gone, now.len() - new);
        let is_within = |words: &[&[u8]], part: Vec<&[u8]>| {
            let mut words = words.iter();
            part.iter().all(|word| words.any(|other| other == word))
        };
        prop_assert!(is_within(&then, hunks.iter().flat_map(|hunk| hunk.then.clone()).collect()));
        prop_assert!(is_within(&now, hunks.iter().flat_map(|hunk| hunk.now.clone()).collect()));
    }

    #[test]
    fn any_words_read_on_one_harmless_line(
        then in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..80), 0..6),
        now in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..80), 0..6),
    ) {
        let then: Vec<&[u8]> = then.iter().map(Vec::as_slice).collect();
        let now: Vec<&[u8]> = now.iter().map(Vec::as_slice).collect();
        let told = in_words(&then, &now);
        prop_assert_eq!(cachex_base::text::quote::harmless(&told), told.as_str());
    }
}

#[test]
fn parts_of_another_secret_are_not_compared() {
    let mut other = Collector::new([8; 32]);
    other.add(Kind::Arguments, b"", b"x");
    let other = Parts::decode(&other.finish()).unwrap();
    assert_eq!(compare(&parts(&[(Kind::Arguments, "x")], &Variables::new()), &other), None);
}

#[test]
fn what_has_no_name_is_found_by_its_sum_or_said_to_be_unknown() {
    let set = |pairs: &[(&str, &str)]| -> Variables {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    let now = parts(&[], &set(&[("A", "1"), ("B", "1"), ("C", "1")]));
    let mut then = parts(&[], &set(&[("A", "1"), ("B", "2"), ("C", "1")]));
    then.list[0].name.clear();
    let found = compare(&now, &then).unwrap();
    assert_eq!((found.differences.len(), found.unknown), (1, 0));
    then.list[1].name.clear();
    let found = compare(&now, &then).unwrap();
    assert_eq!((found.differences.len(), found.unknown), (0, 1));
    then.list.truncate(1);
    then.cut = true;
    let found = compare(&now, &then).unwrap();
    assert_eq!((found.differences.len(), found.unknown), (0, 2));
}

#[test]
fn the_folder_is_told_once() {
    let of = |folder: &str| {
        let variables = [("PWD".to_owned(), folder.to_owned())].into();
        parts(&[(Kind::Directory, folder)], &variables)
    };
    let found = compare(&of("/a"), &of("/b")).unwrap();
    let what: Vec<_> = found.differences.iter().map(|difference| &difference.what).collect();
    assert_eq!(what, [&What::Directory]);
}

#[test]
fn an_executable_is_another_or_has_changed_or_counts_otherwise() {
    let stat = |path, size, time| {
        let kinds = [(Kind::ExePath, path), (Kind::ExeSize, size), (Kind::ExeModified, time)];
        parts(&kinds, &Variables::new())
    };
    let now = stat("/a", "1", "1");
    let what =
        |then: &Parts| compare(&now, then).unwrap().differences.pop().map(|found| found.what);
    assert_eq!(what(&now), None);
    assert_eq!(what(&stat("/b", "2", "2")), Some(What::ExePath));
    let changed = |size, modified| Some(What::ExeStat { size, modified });
    assert_eq!(what(&stat("/a", "2", "1")), changed(true, false));
    assert_eq!(what(&stat("/a", "1", "2")), changed(false, true));
    let content = parts(&[(Kind::ExeContent, "x")], &Variables::new());
    assert_eq!(what(&content), Some(What::ExeMode(ExeMode::Content)));
    assert_eq!(what(&parts(&[], &Variables::new())), Some(What::ExeMode(ExeMode::Name)));
}

#[test]
fn words_are_told_apart() {
    let told = |then: &str, now: &str| {
        let words = |line: &'static str| -> Vec<&'static [u8]> {
            line.split(' ').map(str::as_bytes).collect()
        };
        let leak = |line: &str| -> &'static str { line.to_owned().leak() };
        in_words(&words(leak(then)), &words(leak(now)))
    };
    assert_eq!(told("get pods", "get nodes"), "arguments differ: nodes in place of pods");
    assert_eq!(told("plan -json", "plan"), "arguments differ: -json is gone");
    assert_eq!(told("plan", "plan -a -b"), "arguments differ: -a -b is new");
    assert_eq!(
        told("a 1 b 2 c 3 d 4 e 5", "a x b x c x d x e x"),
        "arguments differ: x in place of 1, x in place of 2, x in place of 3, x in place of 4, and 1 more"
    );
    let long = |end: &str| format!("{}{end}", "0123456789".repeat(20));
    assert_eq!(
        in_words(&[long("a").as_bytes()], &[long("b").as_bytes()]),
        "arguments differ: …890123456789b in place of …890123456789a"
    );
    assert_eq!(
        in_words(&[b"\x1b[2J"], &[b"\xff"]),
        "arguments differ: $'\\377' in place of $'\\033[2J'"
    );
    assert_eq!(in_words(&[b"x"], &[b"x"]), "arguments differ: after the part that was kept");
}
