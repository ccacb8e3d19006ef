//! Different values have different encodings, and the same one the same.

use super::*;
use serde_bytes::ByteBuf;
use std::collections::{BTreeMap, HashMap, HashSet};

fn encoded<P: Serialize>(parts: P) -> Encoding {
    let mut out = Encoding::new();
    encode::<Key, P>(&parts, &mut out).unwrap();
    out
}

#[derive(Serialize)]
struct Point {
    x: u32,
    y: u32,
}

#[derive(Serialize)]
struct Turned {
    y: u32,
    x: u32,
}

#[derive(Serialize)]
enum Shape {
    Empty,
    Round(u32),
    Square(u32),
}

#[test]
fn what_differs_is_encoded_differently() {
    let all = [
        encoded(()),
        encoded(1),
        encoded(-1),
        encoded(256),
        encoded(u64::MAX),
        encoded(1_u128 << 64),
        encoded(i128::MIN),
        encoded(1.0),
        encoded(0.1_f32),
        encoded(0.1_f64),
        encoded(-0.0),
        encoded(0.0),
        encoded(true),
        encoded(false),
        encoded('a'),
        encoded("a"),
        encoded(ByteBuf::from(b"a")),
        encoded(("a", "bc")),
        encoded(("ab", "c")),
        encoded((("a", "b"), "c")),
        encoded(("a", ("b", "c"))),
        encoded(["a", "b", "c"]),
        encoded(None::<u8>),
        encoded(Some(1_u8)),
        encoded(Some(Some(1_u8))),
        encoded(Point { x: 1, y: 2 }),
        encoded(Turned { y: 1, x: 2 }),
        encoded((1_u32, 2_u32)),
        encoded(Shape::Empty),
        encoded(Shape::Round(1)),
        encoded(Shape::Square(1)),
        encoded(Vec::<u8>::new()),
        encoded(vec![Vec::<u8>::new()]),
        encoded(BTreeMap::from([(1_u8, 2_u8)])),
        encoded(BTreeMap::from([(2_u8, 1_u8)])),
    ];
    for (at, one) in all.iter().enumerate() {
        for other in &all[..at] {
            assert_ne!(one, other);
        }
    }
}

#[test]
fn what_is_the_same_is_encoded_the_same() {
    assert_eq!(encoded("a"), encoded(String::from("a")));
    assert_eq!(encoded(Some(&1_u8).as_ref()), encoded(Some(Box::new(1_i128))));
    assert_eq!(encoded(-1_i8), encoded(-1_i64));
    assert_eq!(encoded(0.5_f32), encoded(0.5_f64));
    assert_eq!(encoded([1_u8, 2]), encoded((1_u8, 2_u8)));
    assert_eq!(encoded(&[1_u8, 2][..]), encoded(vec![1_u8, 2]));
}

#[test]
fn the_order_of_a_hash_map_does_not_count() {
    let sorted: BTreeMap<u32, String> = (0..100).map(|n| (n, n.to_string())).collect();
    for _ in 0..4 {
        let hashed: HashMap<u32, String> = sorted.clone().into_iter().collect();
        assert_eq!(encoded(hashed), encoded(&sorted));
    }
}

#[test]
fn what_cannot_be_serialized_says_so() {
    struct Not;
    impl Serialize for Not {
        fn serialize<S: ser::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(ser::Error::custom("it is a socket"))
        }
    }
    let why = encode::<Key, _>(&(1, Not), &mut Encoding::new()).unwrap_err().to_string();
    assert!(why.contains("it is a socket"), "{why}");
}

#[test]
fn the_order_of_a_hash_set_does_not_count() {
    #[derive(Serialize)]
    struct Tags(HashSet<String>);
    let set = || (0..100).map(|n| n.to_string()).collect::<HashSet<_>>();
    for _ in 0..4 {
        assert_eq!(encoded(set()), encoded(set()));
        assert_eq!(encoded(Box::new(set())), encoded(set()));
        assert_eq!(encoded(("a", Some(set()))), encoded(("a", Some(set()))));
        assert_eq!(encoded(Tags(set())), encoded(Tags(set())));
    }
    assert_ne!(encoded(vec![1, 2]), encoded(vec![2, 1]));
}

#[test]
fn types_of_one_name_differ() {
    mod other {
        #[derive(serde::Serialize)]
        pub struct Point {
            pub x: u32,
            pub y: u32,
        }
    }
    assert_ne!(encoded(Point { x: 1, y: 2 }), encoded(other::Point { x: 1, y: 2 }));
    assert_eq!(encoded(Point { x: 1, y: 2 }), encoded(Box::new(Point { x: 1, y: 2 })));
}

#[test]
fn values_that_describe_themselves_lose_nothing() {
    fn same<T: Serialize + serde::de::DeserializeOwned + PartialEq + fmt::Debug>(value: &T) {
        let mut out = Encoding::new();
        encode::<Value, T>(value, &mut out).unwrap();
        assert_eq!(from_slice::<T>(&out).unwrap(), *value);
        for end in 0..out.len() {
            assert!(from_slice::<T>(&out[..end]).is_err());
        }
    }
    same(&(1_u8, -1_i8, u64::MAX, i64::MIN, u128::MAX, i128::MIN, 1_i128, 0_u128));
    same(&(0.5_f32, f64::MIN_POSITIVE, true, 'ß', String::from("text"), ByteBuf::from(b"ab")));
    same(&[None, Some(None), Some(Some(()))]);
    same(&vec![Some(String::new()), None]);
    same(&BTreeMap::from([((1, 2), vec![()]), ((3, 4), vec![])]));
    same(&[Ok::<_, String>(1), Err(String::from("why"))]);
    same(&serde_json::json!({"a": [1, -1, 2.5, null, "x", {}, []], "b": {"c": true}}));
}

#[test]
fn nesting_has_an_end() {
    let mut nested = serde_json::json!(1);
    for _ in 0..300 {
        nested = serde_json::Value::Array(vec![nested]);
    }
    let mut out = Encoding::new();
    encode::<Value, _>(&nested, &mut out).unwrap();
    assert!(from_slice::<serde_json::Value>(&out).is_err());
}
