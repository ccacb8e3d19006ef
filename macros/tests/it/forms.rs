//! Every form that a function can have.

use crate::Runs;
use cachex_macros::cache_value;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Point {
    x: i32,
    y: i32,
}

/// A type that is not part of a key.
struct Connection;

#[test]
fn a_call_with_the_same_arguments_does_not_run_again() {
    static RUNS: Runs = Runs::none();
    #[cache_value]
    fn add(a: u32, b: u32) -> u32 {
        RUNS.add();
        a + b
    }
    assert_eq!([add(1, 2), add(1, 2), add(2, 1), add(2, 1)], [3; 4]);
    assert_eq!(RUNS.count(), 2);
}

#[test]
fn a_function_may_have_no_argument_and_return_nothing() {
    static RUNS: Runs = Runs::none();
    #[cache_value]
    fn prepare() {
        RUNS.add();
    }
    prepare();
    prepare();
    assert_eq!(RUNS.count(), 1);
}

#[test]
fn arguments_may_be_borrowed_and_their_lifetimes_named() {
    static RUNS: Runs = Runs::none();
    #[cache_value]
    fn join<'a, 'b: 'a>(parts: &'a [&'b str], by: &str, kept: Option<&Point>) -> String {
        RUNS.add();
        let kept = kept.map(|it| it.x.to_string()).unwrap_or_default();
        parts.join(by) + &kept
    }
    let name = String::from("a");
    assert_eq!(join(&[&name, "b"], "-", None), "a-b");
    assert_eq!(join(&[&name, "b"], "-", None), "a-b");
    assert_eq!(join(&[&name, "b"], "-", Some(&Point { x: 1, y: 2 })), "a-b1");
    assert_eq!(RUNS.count(), 2);
}

#[test]
fn arguments_may_be_owned_changed_in_the_body_and_given_away() {
    static RUNS: Runs = Runs::none();
    #[cache_value]
    fn sorted(mut values: Vec<u8>, mut first: u8) -> BTreeMap<u8, Vec<u8>> {
        RUNS.add();
        values.sort_unstable();
        first += 1;
        BTreeMap::from([(first, values)])
    }
    let expected = BTreeMap::from([(2, vec![1, 2, 3])]);
    assert_eq!(sorted(vec![3, 2, 1], 1), expected);
    assert_eq!(sorted(vec![3, 2, 1], 1), expected);
    assert_eq!(RUNS.count(), 1);
}

#[test]
fn arguments_may_be_taken_apart_and_all_of_them_count() {
    static RUNS: Runs = Runs::none();
    #[cache_value]
    fn area(_: u8, (a, b): (i32, i32), Point { x, y: mut z }: Point, [c, ..]: [i32; 2]) -> i32 {
        RUNS.add();
        z += 1;
        (a + b + c) * (x + z)
    }
    let point = Point { x: 1, y: 2 };
    assert_eq!(area(0, (1, 2), point.clone(), [3, 4]), 24);
    assert_eq!(area(0, (1, 2), point.clone(), [3, 4]), 24);
    assert_eq!(RUNS.count(), 1);
    area(1, (1, 2), point.clone(), [3, 4]);
    area(0, (1, 2), point, [3, 5]);
    assert_eq!(RUNS.count(), 3);
}

#[test]
fn what_is_skipped_does_not_count_and_is_there_in_the_body() {
    static RUNS: Runs = Runs::none();
    #[cache_value]
    fn ask(
        #[key(skip)] _connection: &Connection,
        #[key(skip)] log: &mut Vec<String>,
        question: &str,
        #[key(skip)] _: Connection,
        #[key(skip)] notify: impl FnOnce(&str),
    ) -> usize {
        notify(question);
        log.push(question.to_owned());
        RUNS.add()
    }
    let mut log = Vec::new();
    let mut notified = 0;
    for _ in 0..2 {
        assert_eq!(ask(&Connection, &mut log, "why", Connection, |_| notified += 1), 1);
    }
    assert_eq!((log.len(), notified), (1, 1));
}

#[test]
fn arguments_may_be_called_as_anything_around_them_is() {
    #[cache_value]
    fn names(
        cache: u8,
        key: u8,
        parts: u8,
        options: u8,
        r#type: u8,
        str: u8,
        argument_6: u8,
    ) -> u8 {
        cache + key + parts + options + r#type + str + argument_6
    }
    assert_eq!(names(1, 2, 3, 4, 5, 6, 7), 28);
}

#[test]
fn an_error_is_returned_and_not_kept() {
    static RUNS: Runs = Runs::none();
    #[cache_value]
    fn read(text: &str) -> Result<u32, std::num::ParseIntError> {
        RUNS.add();
        let number: u32 = text.parse()?;
        if number == 0 {
            return Ok(100);
        }
        Ok(number)
    }
    assert!(read("x").is_err() && read("x").is_err());
    assert_eq!(RUNS.count(), 2);
    assert_eq!([read("0"), read("0"), read("7")], [Ok(100), Ok(100), Ok(7)]);
    assert_eq!(RUNS.count(), 4);
}

#[test]
fn a_result_may_be_one_by_another_path() {
    #[cache_value]
    fn open(fails: bool) -> io::Result<u8> {
        if fails { Err(io::Error::other("as told")) } else { Ok(1) }
    }
    assert!(open(true).is_err());
    assert_eq!(open(false).unwrap(), 1);
}

#[test]
fn an_option_is_a_value_and_its_none_is_kept() {
    static RUNS: Runs = Runs::none();
    #[cache_value]
    fn first(values: &[u8]) -> Option<u8> {
        RUNS.add();
        let first = values.first()?;
        Some(*first)
    }
    assert_eq!([first(&[]), first(&[]), first(&[1])], [None, None, Some(1)]);
    assert_eq!(RUNS.count(), 2);
}

#[test]
fn what_is_returned_may_be_static_or_coerced() {
    #[cache_value]
    fn shown(a: u8) -> Cow<'static, str> {
        if a == 0 { "none".into() } else { a.to_string().into() }
    }
    #[cache_value]
    fn boxed(a: u8) -> Result<Box<[u8]>, Box<dyn std::error::Error>> {
        let text = std::str::from_utf8(&[a])?.to_owned();
        Ok(text.into_bytes().into())
    }
    assert_eq!([shown(0), shown(0), shown(2)], ["none", "none", "2"]);
    assert!(boxed(200).is_err());
    assert_eq!(boxed(65).unwrap(), boxed(65).unwrap());
}

#[test]
fn a_function_may_call_itself() {
    static RUNS: Runs = Runs::none();
    #[cache_value]
    fn fibonacci(n: u64) -> u64 {
        RUNS.add();
        if n < 2 { n } else { fibonacci(n - 1) + fibonacci(n - 2) }
    }
    assert_eq!(fibonacci(50), 12_586_269_025);
    assert_eq!(RUNS.count(), 51);
}

#[test]
fn a_body_has_items_inner_attributes_and_documentation_as_any_has() {
    /// Says what it does.
    #[cache_value]
    #[must_use]
    #[inline]
    fn documented(a: u8) -> u8 {
        #![allow(clippy::no_effect_underscore_binding)]
        //! And how.
        const STEP: u8 = 1;
        fn next(a: u8) -> u8 {
            a + STEP
        }
        let _unread = a;
        return next(a);
    }
    assert_eq!(documented(1), 2);
}

#[test]
fn an_argument_is_there_where_its_condition_holds() {
    #[cache_value]
    fn conditional(
        a: u8,
        #[cfg(not(test))] never: Connection,
        #[cfg(test)] (b, _): (u8, u8),
    ) -> u8 {
        a + b
    }
    assert_eq!(conditional(1, (2, 3)), 3);
}

#[test]
fn a_function_may_be_unsafe_or_of_another_abi() {
    #[cache_value]
    unsafe fn claimed(a: u8) -> u8 {
        a
    }
    #[cache_value]
    extern "C" fn foreign(a: u8) -> u8 {
        a
    }
    // SAFETY: it has no condition.
    assert_eq!(unsafe { claimed(1) }, foreign(1));
}

#[test]
#[rustfmt::skip]
fn a_function_may_stand_in_one_line() {
    #[cache_value]
    fn first((a, _): (u8, u8)) -> u8 { a + 1 }
    #[cache_value]
    fn plain(a: u8) -> u8 { a }
    #[cache_value]
    fn none(_: u8) {}
    none(1);
    assert_eq!(first((1, 2)), plain(2));
}

macro_rules! cached {
    ($name:ident, $expires_in:expr, $type:ty, $body:expr) => {
        #[cache_value(expires_in = $expires_in)]
        fn $name(a: $type) -> $type {
            let _ = &a;
            $body
        }
    };
}

#[test]
fn a_function_may_come_from_a_macro() {
    cached!(doubled, "2s", u8, 4);
    assert_eq!(doubled(2), 4);
}
