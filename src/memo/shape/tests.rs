//! Types that differ in what they read have different fingerprints.

use super::*;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::{Duration, SystemTime};

/// The shape of what is declared here as `Changing`, each in a module of its own.
macro_rules! changing {
    ($($declaration:item)+) => {
        [$({
            #[derive(Deserialize)]
            #[allow(dead_code)]
            $declaration
            log::<Changing>()
        }),+]
    };
}

/// Returns everything that a type asked for but its name, which is the same here.
fn log<T: DeserializeOwned + 'static>() -> Vec<u8> {
    let mut seen = Seen::default();
    seen.read_all::<T>();
    seen.log
}

fn all_differ(logs: &[Vec<u8>]) {
    for (at, one) in logs.iter().enumerate() {
        assert!(!one.is_empty());
        for (other_at, other) in logs[..at].iter().enumerate() {
            assert_ne!(one, other, "{other_at} and {at}");
        }
    }
}

#[test]
fn every_change_of_a_struct_shows() {
    all_differ(&changing! {
        struct Changing { a: u32, b: u32 }
        struct Changing { b: u32, a: u32 }
        struct Changing { a: u32, b: i32 }
        struct Changing { a: u32, b: u64 }
        struct Changing { a: u32 }
        struct Changing { a: u32, c: u32 }
        struct Changing { a: u32, b: Option<u32> }
        struct Changing { a: u32, b: Vec<u32> }
        struct Changing { a: u32, b: Vec<i32> }
        struct Changing { a: u32, b: BTreeMap<u32, u8> }
        struct Changing { a: u32, b: BTreeMap<u32, i8> }
        struct Changing { a: u32, b: (u32, NonZeroU32) }
        struct Changing(u32, u32);
        struct Changing(u32);
        struct Changing;
        struct Changing { a: u32, b: Duration }
        struct Changing { a: u32, b: SystemTime }
    });
}

#[test]
fn every_change_of_any_variant_shows() {
    all_differ(&changing! {
        enum Changing { A, B }
        enum Changing { B, A }
        enum Changing { A, B(u32) }
        enum Changing { A, B(i32) }
        enum Changing { A, B { a: u32 } }
        enum Changing { A, B { b: u32 } }
        enum Changing { A, B(u32, u32) }
        enum Changing { A, B(Option<Box<Changing>>), C }
        enum Changing { A(Box<Changing>), B, C }
        enum Changing { A(Box<Changing>), B(Box<Changing>), C(u8) }
        enum Changing { A(Box<Changing>), B(Box<Changing>), C(i8) }
    });
}

#[test]
fn an_enum_within_others_is_seen_whole() {
    mod before {
        #[derive(serde::Deserialize)]
        #[allow(dead_code)]
        pub enum Inner {
            A(u8),
            B(u8),
        }
    }
    mod after {
        #[derive(serde::Deserialize)]
        #[allow(dead_code)]
        pub enum Inner {
            A(u8),
            B(i8),
        }
    }
    #[derive(Deserialize)]
    #[allow(dead_code)]
    struct Outer<T> {
        list: Vec<(Option<T>, u8)>,
    }
    assert_ne!(log::<Outer<before::Inner>>(), log::<Outer<after::Inner>>());
}

#[test]
fn a_type_that_has_no_end_is_read_to_an_end() {
    #[derive(Deserialize)]
    #[allow(dead_code)]
    struct Endless {
        next: Box<Endless>,
    }
    #[derive(Deserialize)]
    #[allow(dead_code)]
    enum Tree {
        Add(Box<Tree>, Box<Tree>),
        Sub(Box<Tree>, Box<Tree>),
        Mul(Box<Tree>, Box<Tree>),
        Div(Box<Tree>, Box<Tree>),
        List(Vec<Tree>),
        Number(f64),
    }
    assert_eq!(of::<Endless>().shape, of::<Endless>().shape);
    assert_ne!(of::<Tree>().shape, of::<Endless>().shape);
}

#[test]
fn a_type_of_the_same_shape_and_another_name_is_another() {
    #[derive(Deserialize)]
    struct Metres(#[allow(dead_code)] f64);
    #[derive(Deserialize)]
    struct Feet(#[allow(dead_code)] f64);
    assert_ne!(of::<Metres>().shape, of::<Feet>().shape);
    assert_ne!(of::<u32>().shape, of::<i32>().shape);
    assert_ne!(of::<Vec<u8>>().shape, of::<String>().shape);
    let there = std::thread::spawn(|| of::<String>().shape).join().unwrap();
    assert_eq!(of::<String>().shape, there);
}

#[test]
fn a_field_that_refuses_made_up_content_hides_nothing() {
    #[derive(Deserialize)]
    #[allow(dead_code)]
    struct Dated {
        at: chrono::NaiveDate,
        list: Vec<u32>,
    }
    all_differ(&changing! {
        struct Changing { at: chrono::NaiveDate, a: u32 }
        struct Changing { at: chrono::NaiveDate, a: u64 }
        struct Changing { at: chrono::NaiveDate, b: u32 }
        struct Changing { at: url::Url, a: u32 }
        struct Changing { at: url::Url, a: Vec<Vec<(u32, u8)>> }
        struct Changing { at: url::Url, a: Vec<Vec<(u32, i8)>> }
        enum Changing { A { at: url::Url, a: u32 }, B }
        enum Changing { A { at: url::Url, a: i32 }, B }
    });
    assert!(of::<Dated>().is_whole);
}

#[test]
fn what_is_behind_a_refusal_in_a_type_without_names_is_not_known() {
    #[derive(Deserialize)]
    struct Pair(#[allow(dead_code)] url::Url, #[allow(dead_code)] u32);
    assert!(!of::<Pair>().is_whole);
    assert!(!of::<BTreeMap<url::Url, u32>>().is_whole);
    assert!(of::<(u32, url::Url)>().is_whole);
}

#[test]
fn a_type_that_asks_what_there_is_is_not_whole() {
    #[derive(Deserialize)]
    #[serde(untagged)]
    #[allow(dead_code)]
    enum Untagged {
        Number(u32),
        Text(String),
    }
    #[derive(Deserialize)]
    #[allow(dead_code)]
    struct Flat {
        a: u32,
        #[serde(flatten)]
        rest: BTreeMap<String, u32>,
    }
    assert!(!of::<Untagged>().is_whole);
    assert!(!of::<Flat>().is_whole);
    assert!(!of::<serde_json::Value>().is_whole);
    assert!(of::<Result<Option<BTreeMap<String, (u8, [f64; 3])>>, String>>().is_whole);
}

#[test]
fn a_panic_on_made_up_content_is_a_refusal() {
    struct Picky;
    impl<'de> Deserialize<'de> for Picky {
        fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Picky, D::Error> {
            let text = String::deserialize(from)?;
            assert_eq!(text, "picky");
            Ok(Picky)
        }
    }
    assert!(!of::<Picky>().is_whole);
}
