//! Path sets are what was stored, or nothing.

use super::*;
use cachex_trace::Value;
use proptest::prelude::*;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

fn facts() -> impl Strategy<Value = Vec<Fact>> {
    let stamp = proptest::option::of(any::<(u64, u64, u64, i64, i64, i64, u64)>());
    let fact = ("(/[a-c]{1,4}){1,4}", 0..Class::ALL.len(), any::<[u8; 32]>(), stamp);
    let fact = fact.prop_map(|(path, class, value, stamp)| Fact {
        path: path.into_bytes(),
        class: Class::ALL[class],
        value: Value(value),
        stamp: stamp.map(|(dev, ino, size, mtime, ctime, btime, mount)| Stamp {
            dev,
            ino,
            size,
            mtime,
            ctime,
            btime,
            mount,
        }),
    });
    proptest::collection::vec(fact, 0..20)
}

/// A set whose folders tell of nothing that is there.
fn set() -> impl Strategy<Value = PathSet> {
    (facts(), any::<[u8; 32]>()).prop_map(|(facts, id)| {
        let stamp = Stamp { dev: 1, ..Stamp::default() };
        let folders: Vec<_> = facts.iter().map(|it| (it.path.clone(), stamp)).collect();
        let told_by = facts.iter().zip(0..);
        let told_by = told_by.map(|(it, at)| if it.stamp.is_none() { at } else { NO_FOLDER });
        let told_by = told_by.collect();
        PathSet { facts, id: Key(id), folders, told_by, ..PathSet::default() }
    })
}

fn known() -> impl Strategy<Value = PathSets> {
    let sets = proptest::collection::vec(set(), 0..=MOST);
    let refused = proptest::option::of((1..u64::MAX, ".{0,20}"));
    (sets, refused).prop_map(|(sets, refused)| PathSets {
        sets,
        refused: refused.map(|(at, why)| Refused { at: Timestamp(at), why }),
    })
}

proptest! {
    #[test]
    fn what_is_stored_comes_back(known in known()) {
        prop_assert_eq!(codec::decode(&codec::encode(&known), None), Some(known));
    }

    #[test]
    fn a_byte_that_changed_makes_it_nothing(known in known(), at in any::<usize>(), by in 1..=255_u8) {
        let mut bytes = codec::encode(&known);
        let at = at % bytes.len();
        bytes[at] ^= by;
        prop_assert_eq!(codec::decode(&bytes, None), None);
        prop_assert_eq!(codec::decode(&bytes[..at], None), None);
    }

    #[test]
    fn another_path_class_value_or_key_is_another_result(one in facts(), other in facts()) {
        let key = Key([1; 32]);
        let of = |facts: &Vec<Fact>| PathSet::of_run(facts.clone(), 0).last_key(&key);
        let told = |facts: &Vec<Fact>| -> Vec<_> {
            facts.iter().map(|fact| (fact.path.clone(), fact.class, fact.value)).collect()
        };
        prop_assert_eq!(of(&one) == of(&other), told(&one) == told(&other));
        prop_assert_ne!(of(&one), PathSet::of_run(one.clone(), 0).last_key(&Key([2; 32])));
    }
}

fn absent(path: &[u8]) -> Fact {
    Fact { path: path.to_vec(), class: Class::Kind, value: Value::ABSENT, stamp: None }
}

#[test]
fn the_set_that_was_used_last_is_the_first_and_the_ninth_drops_the_last() {
    let set = |path: &str| PathSet::of_run(vec![absent(path.as_bytes())], 0);
    let mut known = PathSets::default();
    (0..MOST).for_each(|number| known.used(set(&format!("/{number}"))));
    known.used(set("/0"));
    known.used(set("/new"));
    let paths = known.sets.iter().map(|set| String::from_utf8_lossy(&set.facts[0].path));
    assert_eq!(paths.collect::<Vec<_>>(), ["/new", "/0", "/7", "/6", "/5", "/4", "/3", "/2"]);
}

#[test]
fn a_stamp_that_is_too_young_is_not_kept() {
    let stamp = Stamp {
        dev: 1,
        ino: 2,
        size: 3,
        mtime: 10 * SETTLED,
        ctime: 11 * SETTLED,
        ..Stamp::default()
    };
    assert!(is_kept(Class::Contents, &stamp, 12 * SETTLED));
    assert!(!is_kept(Class::Contents, &stamp, 12 * SETTLED - 1));
    assert!(!is_kept(Class::Contents, &Stamp { size: 0, ..stamp }, 12 * SETTLED));
    assert!(!is_kept(Class::Stat, &stamp, 12 * SETTLED), "nothing is saved by it");
}

/// Returns the path set of a run that began at `then` and looked up `names` in a folder.
fn looked_at(folder: &Path, names: &[&str], then: i64) -> PathSet {
    let facts = names.iter().map(|name| {
        let path = folder.join(name).into_os_string().into_vec();
        let value = facts::look(&path, Class::Kind, None).value;
        Fact { path, class: Class::Kind, value, stamp: None }
    });
    PathSet::of_run(facts.collect(), then)
}

fn changed(folder: &Path) -> i64 {
    let stamp = Stamp::at(folder.as_os_str().as_bytes()).unwrap();
    stamp.mtime.max(stamp.ctime)
}

#[test]
fn a_folder_tells_of_its_names_once_it_is_two_seconds_old() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().canonicalize().unwrap();
    let then = changed(&folder) + SETTLED;
    assert_eq!(looked_at(&folder, &["a", "b"], then - 1).folders.len(), 0);
    let set = looked_at(&folder, &["a", "b"], then);
    assert_eq!((set.folders.len(), &set.told_by[..]), (1, &[0, 0][..]));
    // What it tells is not looked at.
    let mut told = set.clone();
    told.facts[0].value = facts::look(b"/", Class::Kind, None).value;
    let values = |set: &PathSet| -> Vec<_> {
        set.look(&Memo::new()).iter().map(|look| look.value.is_absent()).collect()
    };
    assert_eq!(values(&told), [false, true]);
    std::fs::write(folder.join("a"), "").unwrap();
    assert_eq!(values(&set), [false, true]);
    assert_eq!(values(&told), [false, true]);
    std::fs::remove_file(folder.join("a")).unwrap();
    assert_eq!(values(&told), [true, true], "it is another time now");
}

#[test]
fn a_name_that_became_another_thing_is_noticed_however_that_was_done() {
    type Change = fn(&Path);
    let changes: [Change; 5] = [
        |folder| std::fs::rename(folder.join("new"), folder.join("there")).unwrap(),
        |folder| std::fs::remove_file(folder.join("there")).unwrap(),
        |folder| std::fs::hard_link(folder.join("new"), folder.join("none")).unwrap(),
        |folder| std::os::unix::fs::symlink("x", folder.join("none")).unwrap(),
        |folder| {
            let (old, parent) = (folder.with_extension("old"), folder.parent().unwrap());
            std::fs::rename(folder, &old).unwrap();
            std::fs::create_dir(parent.join(folder.file_name().unwrap())).unwrap();
        },
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let around = tempfile::tempdir().unwrap();
        let folder = around.path().canonicalize().unwrap().join("folder");
        std::fs::create_dir(&folder).unwrap();
        for name in ["there", "other"] {
            std::fs::write(folder.join(name), "").unwrap();
        }
        std::fs::create_dir(folder.join("new.d")).unwrap();
        std::os::unix::fs::symlink("nowhere", folder.join("new")).unwrap();
        // As if it had been so for long.
        let set = looked_at(&folder, &["none", "other", "there"], changed(&folder) + SETTLED);
        assert_eq!(set.folders.len(), 1);
        let before = folder.metadata().unwrap().modified().unwrap();
        // By a clock that goes in steps, a change may have the time of the one before.
        until_the_clock_of(around.path(), before);
        change(&folder);
        let looks = set.look(&Memo::new());
        let is_same = set.facts.iter().zip(&*looks).all(|(fact, look)| fact.value == look.value);
        assert!(!is_same, "change {number}");
    }
}

/// Waits until a file that is made in a folder is younger than that.
fn until_the_clock_of(folder: &Path, then: std::time::SystemTime) {
    let file = folder.join("clock");
    loop {
        std::fs::write(&file, "x").unwrap();
        if file.metadata().unwrap().modified().unwrap() > then {
            return;
        }
    }
}

#[test]
fn what_a_hit_learns_is_kept_once_and_no_more_often() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().canonicalize().unwrap();
    let young = looked_at(&folder, &["a"], changed(&folder));
    assert_eq!(young.folders.len(), 0);
    let looked = |set| Looked {
        set,
        looks: set.look(&Memo::new()),
        key: Key([0; 32]),
        began: changed(&folder) + SETTLED,
    };
    let renewed = looked(&young).renewed().expect("the folder is old by now");
    assert_eq!((renewed.folders.len(), renewed.id()), (1, young.id()));
    assert_eq!(looked(&renewed).renewed(), None);
}

#[test]
fn path_sets_stay_within_the_limit_of_the_store_and_the_least_recently_used_go() {
    const LIMIT: u64 = 1 << 20;
    let scene = crate::testing::scene();
    let key = |n: u32| Key(*blake3::hash(&n.to_le_bytes()).as_bytes());
    let set = |n: u32| {
        let fact = |m: u32| Fact {
            path: format!("/{:x?}", blake3::hash(&[n, m].map(u32::to_le_bytes).concat())).into(),
            class: Class::Contents,
            value: Value([0; 32]),
            stamp: None,
        };
        PathSet::of_run((0..500).map(fact).collect(), 0)
    };
    let taken = || crate::account::Survey::of(&scene.root, &mut |_| {}).unwrap().total;
    for n in 0..60 {
        PathSets::add(&scene.root, LIMIT, &key(n), set(n)).unwrap();
        assert!(taken() <= LIMIT, "{} after {n}", taken());
        let account = crate::account::update(&scene.root, |account| *account).unwrap();
        assert!(account.taken <= LIMIT && account.taken + 4096 >= taken(), "{account:?}");
    }
    let is_known = |n| !PathSets::recall(&scene.root, &key(n)).sets.is_empty();
    assert!(is_known(59) && is_known(50) && !is_known(0));
    let large = (0..100).flat_map(|n| set(n).facts).collect();
    let too_large = PathSets::add(&scene.root, LIMIT, &key(99), PathSet::of_run(large, 0));
    assert!(too_large.is_err() && is_known(59));
}
