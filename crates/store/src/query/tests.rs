//! Every question against a model that looks at everything.

use super::*;
use crate::fold::{self, FoldOptions};
use crate::indexes::Indexes;
use crate::metadata::Usage;
use crate::old::Old;
use crate::testing::{Scene, ago, entry, key, run_of, scene};
use crate::walk::Span;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select as one_of, subsequence};
use std::time::Duration;

const SECOND: u64 = 1_000_000_000;

fn asked(scene: &Scene, query: &Query) -> (Vec<Key>, Option<u64>) {
    let mut keys = Vec::new();
    let matched = select(&scene.root, query, &mut |page| {
        keys.extend(page.iter().map(|(_, sealed)| Entry::open_any(sealed).unwrap().key));
        Ok(())
    });
    (keys, matched.unwrap())
}

/// Those of the tags used here that lead to an entry.
fn tags(scene: &Scene) -> Vec<&'static str> {
    let leads = |tag: &&str| {
        let filter = Filter { tag: Some((*tag).to_owned()), ..Filter::default() };
        !asked(scene, &Query { filter, ..Query::default() }).0.is_empty()
    };
    ["a", "b", "c", "d", "e"].into_iter().filter(leads).collect()
}

fn tagged(n: u64, tags: &[&str]) -> Entry {
    let plain = entry(n, 100);
    let tags = tags.iter().map(|&tag| tag.to_owned()).collect();
    Entry { about: About { tags, ..plain.about }, ..plain }
}

fn put(scene: &Scene, entries: &[(Entry, Usage)]) {
    Old::with(&scene.root, |old| {
        for (entry, usage) in entries {
            old.fold_in(entry, &entry.seal()?, *usage)?;
        }
        Ok(())
    })
    .unwrap();
}

fn everything(scene: &Scene) -> Vec<(Entry, EntryMetadata)> {
    Old::with(&scene.root, |old| {
        let page = old.page(&mut Span::all(), usize::MAX)?;
        page.into_iter()
            .map(|(key, sealed)| Ok((Entry::open(&key, &sealed)?, old.facts(&key)?.unwrap())))
            .collect()
    })
    .unwrap()
}

/// Answers a query by examining every entry and sorting the matches. Returns the keys and
/// the number of matches.
fn modelled(all: &[(Entry, EntryMetadata)], query: &Query) -> (Vec<Key>, usize) {
    let matcher = query.filter.matcher().unwrap();
    let mut found: Vec<_> = all
        .iter()
        .filter(|(entry, facts)| matcher.matches(entry, facts))
        .map(|(entry, facts)| (query.order.rank(entry, facts), entry.key))
        .collect();
    found.sort();
    if query.descends() {
        found.reverse();
    }
    let matched = found.len();
    found.truncate(query.limit.unwrap_or(usize::MAX));
    (found.into_iter().map(|(_, key)| key).collect(), matched)
}

const COMMANDS: [&[&str]; 5] =
    [&["git", "log"], &["/usr/bin/git", "log"], &["git"], &["ls", "-l", "a b"], &[]];
const TAGS: [&str; 4] = ["a", "ab", "b", "\u{7f}"];

fn entries() -> impl Strategy<Value = Vec<(Entry, Usage)>> {
    let one = (
        (one_of(&COMMANDS[..]), subsequence(&TAGS[..], 0..=4), option::of(one_of(&["x", "y"][..]))),
        (0..4_u64, option::of(0..4_u64), 0..3_u8, 0..4_u64, 0..4_u64),
    );
    prop::collection::vec(one, 0..24).prop_map(|all| {
        let entry = |(n, (about, numbers))| {
            let (command, tags, scope): (&[&str], Vec<&str>, Option<&str>) = about;
            let (seconds, expires, status, hits, used): (u64, Option<u64>, u8, u64, u64) = numbers;
            let mut entry = run_of(n as u64, command);
            entry.created = Timestamp(ago(100).0 / SECOND * SECOND - seconds * SECOND);
            entry.expires_in = expires.map(|after| (after + 1) * SECOND);
            entry.stale_for = Some(3_600 * SECOND);
            entry.status = status;
            entry.run_time = used;
            entry.about.tags = tags.into_iter().map(str::to_owned).collect();
            entry.about.scope = scope.map(str::to_owned);
            entry.about.cwd = scope.map(|scope| ByteBuf::from(format!("/{scope}")));
            let last = if used == 0 { 0 } else { entry.created.0 + used * SECOND };
            (entry, Usage { last, hits })
        };
        all.into_iter().enumerate().map(entry).collect()
    })
}

fn queries() -> impl Strategy<Value = Query> {
    use Order::{Command, Created, Expires, Hits, Key, RunTime, Size, Status, Used};
    let orders = [Key, Used, Created, Expires, Size, RunTime, Hits, Status, Command];
    let argv = one_of(&COMMANDS[..]).prop_map(|argv| command_place(&run_of(0, argv).about.argv));
    let name = one_of(&["git", "ls", "", "gi"][..]).prop_map(ByteBuf::from);
    let time = || (95..105_u64).prop_map(ago);
    let rarely =
        |text: &'static [&'static str]| option::weighted(0.3, one_of(text).prop_map(str::to_owned));
    let filter = (
        (
            rarely(&["", "0", "7", "e"]),
            rarely(&["a", "ab", "c"]),
            rarely(&["x", "z"]),
            rarely(&["git*", "* log", "*"]),
        ),
        (option::weighted(0.2, argv), option::weighted(0.3, name), prop::bool::weighted(0.2)),
        (option::weighted(0.2, time()), option::weighted(0.2, time())),
        (option::weighted(0.2, time()), option::weighted(0.2, time())),
        option::weighted(0.2, one_of(&["/x", "/y"][..]).prop_map(ByteBuf::from)),
    )
        .prop_map(|((key_prefix, tag, scope, command_glob), of_command, times, ends, cwd)| {
            let ((argv, name, failed), (used_before, created_before)) = (of_command, times);
            let (expired_at, gone_at) = ends;
            let of_text = Filter { key_prefix, tag, scope, command_glob, ..Filter::default() };
            let of_times = Filter { expired_at, gone_at, used_before, created_before, ..of_text };
            Filter { cwd, argv, name, failed, ..of_times }
        });
    (filter, one_of(orders.to_vec()), any::<bool>(), option::of(0..12_usize))
        .prop_map(|(filter, order, reverse, limit)| Query { filter, order, reverse, limit })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10, ..ProptestConfig::default() })]

    #[test]
    fn what_is_found_is_what_looking_at_everything_finds(
        entries in entries(),
        queries in prop::collection::vec(queries(), 40),
    ) {
        let scene = scene();
        put(&scene, &entries);
        let all = everything(&scene);
        for query in queries {
            let (expected, count) = modelled(&all, &query);
            let (found, matched) = asked(&scene, &query);
            prop_assert_eq!(found, expected, "{:?}", query);
            prop_assert!(matched.is_none_or(|matched| matched == count as u64), "{:?}", query);
            prop_assert!(matched.is_some() || query.limit.is_some_and(|limit| limit < count));
        }
    }
}

#[test]
fn what_an_index_leads_to_in_vain_is_passed_over() {
    let scene = scene();
    put(&scene, &[(tagged(1, &["a"]), Usage::default()), (tagged(2, &["a"]), Usage::default())]);
    let place = |number: u64, n: u64| [&number.to_be_bytes()[..], &key(n).0].concat();
    Old::with(&scene.root, |old| {
        let Indexes { uses, tags, commands, .. } = &old.indexes;
        tags.insert([b"a\0", &key(7).0[..]].concat(), b"")?;
        tags.insert([b"b\0", &key(1).0[..]].concat(), b"")?;
        tags.insert([b"c\0", &key(7).0[..]].concat(), b"")?;
        tags.insert(b"junk", b"")?;
        commands.insert([&[7; 16][..], &key(1).0].concat(), b"")?;
        commands.insert(b"junk", b"")?;
        uses.insert(place(3, 1), b"")?;
        uses.insert(place(u64::MAX, 2), b"")?;
        uses.insert(place(u64::MAX, 7), b"")?;
        old.count(|_| ());
        Ok(())
    })
    .unwrap();
    let of_tag = |tag: &str| {
        let filter = Filter { tag: Some(tag.to_owned()), ..Filter::default() };
        asked(&scene, &Query { filter, ..Query::default() }).0.len()
    };
    assert_eq!([of_tag("a"), of_tag("b"), of_tag("c")], [2, 0, 0]);
    assert_eq!(tags(&scene), ["a"]);
    let argv = Filter { argv: Some([7; 16]), ..Filter::default() };
    assert_eq!(asked(&scene, &Query { filter: argv, ..Query::default() }).0, []);
    let by_use = Query { order: Order::Used, ..Query::default() };
    assert_eq!(asked(&scene, &by_use).0.len(), 2);
    // A fold that checks everything drops them.
    let options = FoldOptions { full: true, wait: true, ..FoldOptions::default() };
    fold::fold(&scene.root, &options).unwrap().unwrap();
    Old::with(&scene.root, |old| {
        let Indexes { uses, tags, commands, .. } = &old.indexes;
        assert_eq!((uses.len(), tags.len(), commands.len()), (2, 2, 2));
        Ok(())
    })
    .unwrap();
}

#[test]
fn an_index_that_was_lost_is_mended_by_a_fold_that_checks_everything() {
    let scene = scene();
    put(&scene, &[(tagged(1, &["a", "b"]), Usage::default())]);
    Old::with(&scene.root, |old| {
        old.indexes.tags.clear()?;
        old.indexes.commands.clear()?;
        old.count(|_| ());
        Ok(())
    })
    .unwrap();
    assert_eq!(tags(&scene), [""; 0]);
    let options = FoldOptions { full: true, wait: true, ..FoldOptions::default() };
    fold::fold(&scene.root, &options).unwrap().unwrap();
    assert_eq!(tags(&scene), ["a", "b"]);
    let argv = Some(command_place(&entry(1, 0).about.argv));
    let filter = Filter { argv, ..Filter::default() };
    assert_eq!(asked(&scene, &Query { filter, ..Query::default() }).0, [key(1)]);
    let filter = Filter { gone_at: Some(Timestamp::now()), ..Filter::default() };
    assert_eq!(asked(&scene, &Query { filter, ..Query::default() }).0, []);
}

#[test]
fn tags_and_commands_lead_to_an_entry_until_it_is_gone() {
    let scene = scene();
    let fold = |max_size| {
        let options = FoldOptions { wait: true, max_size, ..FoldOptions::default() };
        fold::fold(&scene.root, &options).unwrap().unwrap();
    };
    let counts = || {
        Old::with(&scene.root, |old| {
            Ok((old.indexes.tags.len(), old.indexes.commands.len(), old.indexes.expiries.len()))
        })
        .unwrap()
    };
    scene.record(&tagged(1, &["a", "b"]));
    scene.record(&tagged(2, &["b"]));
    scene.record(&Entry { expires_in: Some(200 * SECOND), ..tagged(3, &["c"]) });
    fold(None);
    assert_eq!(counts(), (4, 3, 1));
    assert_eq!(tags(&scene), ["a", "b", "c"]);
    // A new version has other tags.
    scene.record(&Entry { expires_in: Some(SECOND), ..tagged(3, &["d"]) });
    scene.record(&tagged(1, &["b"]));
    scene.record(&tagged(4, &["e"]));
    fold(None);
    // It had expired by then.
    assert_eq!(counts(), (3, 3, 0));
    assert_eq!(tags(&scene), ["b", "e"]);
    Old::with(&scene.root, |old| old.take_out(&key(1)).map_err(Into::into)).unwrap();
    assert_eq!(counts(), (2, 2, 0));
    fold(Some(0));
    // The last one recorded is never evicted.
    assert_eq!(counts(), (1, 1, 0));
}

#[test]
fn an_entry_is_kept_past_its_expiry_for_as_long_as_was_asked() {
    let scene = scene();
    let expired = |n, stale_for: u64| Entry {
        expires_in: Some(50 * SECOND),
        stale_for: Some(stale_for * SECOND),
        ..entry(n, 100)
    };
    scene.record(&expired(1, 3_600));
    scene.record(&expired(2, 10));
    let options = FoldOptions { wait: true, ..FoldOptions::default() };
    assert_eq!(fold::fold(&scene.root, &options).unwrap().unwrap().expired, 1);
    assert!(scene.old(1).is_some() && scene.young(1).is_some());
    assert!(scene.old(2).is_none() && scene.young(2).is_none());
    let filter = Filter { expired_at: Some(Timestamp::now()), ..Filter::default() };
    assert_eq!(asked(&scene, &Query { filter, ..Query::default() }).0, [key(1)]);
    let filter = Filter { expired_at: Some(ago(60)), ..Filter::default() };
    assert_eq!(asked(&scene, &Query { filter, ..Query::default() }).0, []);
}

#[test]
fn the_last_used_of_many_are_found_by_their_use() {
    let scene = scene();
    let many: Vec<_> = (0..1500)
        .map(|n| {
            let last = ago(2000 - n).0;
            (run_of(n, &["git", "log"]), Usage { last, hits: 1 })
        })
        .collect();
    put(&scene, &many);
    let filter = Filter { name: Some(ByteBuf::from("git")), ..Filter::default() };
    let query = Query { filter, order: Order::Used, limit: Some(3), ..Query::default() };
    let (found, matched) = asked(&scene, &query);
    assert_eq!((found, matched), ([1499, 1498, 1497].map(key).to_vec(), None));
    let (found, matched) = asked(&scene, &Query { reverse: true, ..query.clone() });
    assert_eq!((found, matched), ([0, 1, 2].map(key).to_vec(), None));
    let few = Filter { command_glob: Some("nothing".to_owned()), ..query.filter.clone() };
    assert_eq!(asked(&scene, &Query { filter: few, ..query }), (Vec::new(), Some(0)));
}

#[test]
fn what_cannot_be_understood_is_an_error() {
    let prefix = |prefix: &str| Filter { key_prefix: Some(prefix.to_owned()), ..Filter::default() };
    assert!(prefix(&"a".repeat(64)).matcher().is_ok());
    assert!(prefix(&"a".repeat(65)).matcher().is_err());
    assert!(prefix("xyz").matcher().is_err());
    assert!(prefix("\u{e9}").matcher().is_err());
    let glob = Filter { command_glob: Some("a***".to_owned()), ..Filter::default() };
    assert!(glob.matcher().is_err());
}

#[test]
fn a_repair_drops_nothing_that_an_entry_did_not_ask_to_keep() {
    let scene = scene();
    scene.record(&Entry { expires_in: Some(SECOND), stale_for: Some(SECOND), ..entry(1, 100) });
    let grace = Duration::MAX;
    let options = FoldOptions { wait: true, grace, ..FoldOptions::default() };
    assert_eq!(fold::fold(&scene.root, &options).unwrap().unwrap().expired, 0);
    assert!(scene.old(1).is_some());
}
