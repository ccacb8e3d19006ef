//! Values of every kind come back as what they were, or not at all.

use super::*;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Debug;

/// The last byte of what a value is stored as, once it was seen that it comes back, from
/// this process and from another.
fn form<T: Value + PartialEq + Debug>(value: &T) -> u8 {
    let stored = encode(value).unwrap_or_else(|why| panic!("{value:?}: {why}"));
    assert_eq!(decode::<T>(&stored, true).as_ref(), Some(value));
    assert_eq!(decode::<T>(&stored, false).as_ref(), Some(value));
    let form = *stored.last().unwrap();
    assert_eq!(decode_owned::<T>(stored).as_ref(), Some(value));
    form
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Skips {
    first: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    middle: Option<u32>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    list: Vec<u32>,
    last: u32,
}

#[test]
fn fields_that_are_left_out_are_what_they_were() {
    assert_eq!(form(&Skips { first: 1, middle: Some(2), list: vec![3], last: 4 }), PLAIN);
    assert_eq!(form(&Skips { first: 1, last: 2, ..Skips::default() }), DESCRIBED);
    assert_eq!(form(&Skips { first: 1, middle: Some(2), list: vec![3], last: 4 }), DESCRIBED);
    assert_eq!(form(&vec![Skips::default(); 3]), DESCRIBED);
}

#[test]
fn a_field_that_is_never_written_keeps_the_others_in_their_places() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Never {
        #[serde(skip_serializing, default)]
        secret: u32,
        name: u32,
    }
    assert_eq!(form(&Never { secret: 0, name: 7 }), DESCRIBED);
    let stored = encode(&Never { secret: 5, name: 7 }).unwrap();
    assert_eq!(decode(&stored, false), Some(Never { secret: 0, name: 7 }));
}

#[test]
fn a_variant_that_is_skipped_does_not_move_the_others() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Moved {
        A(u8),
        #[serde(skip)]
        #[allow(dead_code)]
        B,
        C(u8),
        D(u8),
    }
    for value in [Moved::A(1), Moved::C(2), Moved::D(3)] {
        form(&value);
    }
}

#[test]
fn enums_of_every_kind_come_back() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(untagged)]
    enum Untagged {
        Number(i64),
        Text(String),
        Pair { a: Option<u8>, b: Option<Box<Untagged>> },
        List(Vec<Untagged>),
        Nothing,
    }
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(tag = "type", rename_all = "kebab-case")]
    enum Tagged {
        Empty,
        Circle { radius: f32 },
        Named(BTreeMap<String, u32>),
    }
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(tag = "t", content = "c")]
    enum Adjacent {
        Empty,
        One(u32),
        Two(u32, String),
        Three { a: u32 },
    }
    for value in [
        Untagged::Number(-3),
        Untagged::Text("a".into()),
        Untagged::Pair { a: Some(1), b: Some(Box::new(Untagged::Nothing)) },
        Untagged::List(vec![Untagged::Number(1), Untagged::Text(String::new())]),
        Untagged::Nothing,
    ] {
        assert_eq!(form(&value), DESCRIBED);
    }
    for value in [
        Tagged::Empty,
        Tagged::Circle { radius: 0.1 },
        Tagged::Named(BTreeMap::from([("a".into(), 1)])),
    ] {
        assert_eq!(form(&value), DESCRIBED);
    }
    for value in [
        Adjacent::One(1),
        Adjacent::Two(1, "a".into()),
        Adjacent::Three { a: 3 },
        Adjacent::Empty,
        Adjacent::One(2),
    ] {
        form(&value);
    }
}

#[test]
fn what_is_flattened_comes_back() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Inner {
        a: u32,
        b: Option<String>,
    }
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Flat {
        id: u64,
        #[serde(flatten)]
        inner: Inner,
        #[serde(flatten)]
        rest: HashMap<String, serde_json::Value>,
    }
    let rest = HashMap::from([("x".into(), 1.into()), ("y".into(), serde_json::json!([null]))]);
    assert_eq!(form(&Flat { id: 1, inner: Inner { a: 2, b: None }, rest }), DESCRIBED);
}

#[test]
fn types_of_other_crates_come_back() {
    form(&serde_json::json!({"a": [1, 2.5, null, {"b": "c"}], "d": -1, "e": u64::MAX}));
    form(&serde_json::Map::from_iter([("a".to_owned(), serde_json::Value::Null)]));
    let time = chrono::DateTime::from_timestamp(1_700_000_000, 5).unwrap();
    assert_eq!(form(&time), PLAIN);
    assert_eq!(form(&(time.date_naive(), time.time(), 7_u8)), DESCRIBED);
    assert_eq!(form(&url::Url::parse("https://example.org/a?b#c").unwrap()), PLAIN);
    assert_eq!(form(&bytes::Bytes::from_static(b"abc")), PLAIN);
    form(&std::time::SystemTime::now());
    form(&std::time::Duration::from_millis(1));
    form(&std::net::IpAddr::from([1, 2, 3, 4]));
    form(&std::path::PathBuf::from("/a/b"));
    form(&std::num::NonZeroU8::MIN);
    form(&std::ops::Range { start: 1, end: 2 });
    form(&std::borrow::Cow::<'static, str>::Owned("a".into()));
}

#[test]
fn plain_types_are_stored_plainly() {
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    enum Shape {
        Point,
        Line { from: (i32, i32), to: Option<Box<Shape>> },
        Circle(f64),
    }
    let line = Shape::Line { from: (1, -2), to: Some(Box::new(Shape::Point)) };
    for value in [Shape::Point, line, Shape::Circle(0.5)] {
        assert_eq!(form(&value), PLAIN);
    }
    assert_eq!(form(&vec![String::from("a"), String::new()]), PLAIN);
    assert_eq!(form(&[None, Some(None), Some(Some(1_u8))]), PLAIN);
    assert_eq!(form(&((), true, 'ß', u128::MAX, i128::MIN)), PLAIN);
    assert_eq!(form(&HashSet::from([1, 2, 3])), PLAIN);
    assert_eq!(form(&HashMap::from([("a".to_owned(), vec![1.5_f64])])), PLAIN);
    assert_eq!(form(&Ok::<String, String>("a".into())), PLAIN);
    assert_eq!(form(&b"abc".to_vec()), RAW);
    assert_eq!(form(&Vec::<u8>::new()), RAW);
}

#[test]
fn what_cannot_be_read_back_is_told() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Renamed {
        #[serde(rename(serialize = "out", deserialize = "in"))]
        name: u32,
        #[serde(skip_deserializing)]
        lost: u32,
    }
    // Decoding by position does not need the names.
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct ByPlace {
        #[serde(rename(serialize = "out", deserialize = "in"))]
        name: u32,
    }
    let why = encode(&Renamed { name: 1, lost: 2 }).unwrap_err();
    assert!(matches!(why, Error::NotReadBack(_)), "{why}");
    assert!(why.to_string().contains("Renamed"), "{why}");
    assert_eq!(form(&ByPlace { name: 1 }), PLAIN);
}

#[test]
fn a_panic_while_reading_is_nothing_that_was_found() {
    #[derive(Debug, PartialEq, Serialize)]
    struct Even(u32);
    impl<'de> Deserialize<'de> for Even {
        fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Even, D::Error> {
            let number = u32::deserialize(from)?;
            assert!(number != 7, "seven");
            Ok(Even(number))
        }
    }
    form(&Even(2));
    let mut stored = encode(&Even(2)).unwrap();
    stored[0] = 7;
    assert_eq!(decode::<Even>(&stored, false), None);
}

#[test]
fn a_described_type_that_has_a_new_field_is_not_served_without_it() {
    #[derive(Serialize, Deserialize)]
    struct Before {
        id: u32,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    }
    #[derive(Serialize, Deserialize)]
    struct After {
        id: u32,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        #[serde(default)]
        score: u32,
    }
    let stored = encode(&Before { id: 1, name: None }).unwrap();
    assert_eq!(stored.last(), Some(&DESCRIBED));
    assert!(decode::<Before>(&stored, false).is_some());
    assert!(decode::<After>(&stored, false).is_none());
}

#[test]
fn what_is_damaged_is_nothing_that_was_found() {
    let stored = encode(&serde_json::json!({"a": [1, "b"]})).unwrap();
    for end in 0..stored.len() {
        assert_eq!(decode::<serde_json::Value>(&stored[..end], false), None);
    }
    for at in 0..stored.len() {
        let mut damaged = stored.clone();
        damaged[at] ^= 1;
        assert_eq!(decode::<serde_json::Value>(&damaged, false), None, "{at}");
    }
    assert_eq!(decode::<String>(&encode(&vec![1_u8]).unwrap(), false), None);
}
