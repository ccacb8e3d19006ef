//! Path sets are what was stored, or nothing.

use super::*;
use cachex_trace::Value;
use proptest::prelude::*;

fn facts() -> impl Strategy<Value = Vec<Fact>> {
    let stamp = proptest::option::of(any::<(u64, u64, u64, i64, i64)>());
    let fact = ("(/[a-c]{1,4}){1,4}", 0..Class::ALL.len(), any::<[u8; 32]>(), stamp);
    let fact = fact.prop_map(|(path, class, value, stamp)| Fact {
        path: path.into_bytes(),
        class: Class::ALL[class],
        value: Value(value),
        stamp: stamp.map(|(dev, ino, size, mtime, ctime)| Stamp { dev, ino, size, mtime, ctime }),
    });
    proptest::collection::vec(fact, 0..20)
}

fn known() -> impl Strategy<Value = PathSets> {
    let sets = proptest::collection::vec(facts().prop_map(|facts| PathSet { facts }), 0..=MOST);
    let refused = proptest::option::of((1..u64::MAX, ".{0,20}"));
    (sets, refused).prop_map(|(sets, refused)| PathSets {
        sets,
        refused: refused.map(|(at, why)| Refused { at: Timestamp(at), why }),
    })
}

proptest! {
    #[test]
    fn what_is_stored_comes_back(known in known()) {
        prop_assert_eq!(codec::decode(&codec::encode(&known)), Some(known));
    }

    #[test]
    fn a_byte_that_changed_makes_it_nothing(known in known(), at in any::<usize>(), by in 1..=255_u8) {
        let mut bytes = codec::encode(&known);
        let at = at % bytes.len();
        bytes[at] ^= by;
        prop_assert_eq!(codec::decode(&bytes), None);
        prop_assert_eq!(codec::decode(&bytes[..at]), None);
    }

    #[test]
    fn another_path_class_value_or_key_is_another_result(one in facts(), other in facts()) {
        let key = Key([1; 32]);
        let of = |facts: &Vec<Fact>| PathSet { facts: facts.clone() }.last_key(&key);
        let told = |facts: &Vec<Fact>| -> Vec<_> {
            facts.iter().map(|fact| (fact.path.clone(), fact.class, fact.value)).collect()
        };
        prop_assert_eq!(of(&one) == of(&other), told(&one) == told(&other));
        prop_assert_ne!(of(&one), PathSet { facts: one.clone() }.last_key(&Key([2; 32])));
    }
}

#[test]
fn the_set_that_was_used_last_is_the_first_and_the_ninth_drops_the_last() {
    let set = |path: &str| PathSet {
        facts: vec![Fact {
            path: path.into(),
            class: Class::Kind,
            value: Value::ABSENT,
            stamp: None,
        }],
    };
    let mut known = PathSets::default();
    (0..MOST).for_each(|number| known.used(set(&format!("/{number}"))));
    known.used(set("/0"));
    known.used(set("/new"));
    let paths = known.sets.iter().map(|set| String::from_utf8_lossy(&set.facts[0].path));
    assert_eq!(paths.collect::<Vec<_>>(), ["/new", "/0", "/7", "/6", "/5", "/4", "/3", "/2"]);
}

#[test]
fn a_stamp_that_is_too_young_is_not_kept() {
    let stamp = Stamp { dev: 1, ino: 2, size: 3, mtime: 10 * SETTLED, ctime: 11 * SETTLED };
    assert!(is_kept(Class::Contents, &stamp, 12 * SETTLED));
    assert!(!is_kept(Class::Contents, &stamp, 12 * SETTLED - 1));
    assert!(!is_kept(Class::Contents, &Stamp { size: 0, ..stamp }, 12 * SETTLED));
    assert!(!is_kept(Class::Stat, &stamp, 12 * SETTLED), "nothing is saved by it");
}
