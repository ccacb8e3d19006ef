//! Functions with several instances, by their types: none shares a result with another.

use crate::Runs;
use cachex_macros::cache_value;
use serde::{Deserialize, Serialize};
use std::any::type_name;
use std::marker::PhantomData;

#[test]
fn type_parameters_count() {
    #[cache_value]
    fn name<T>() -> String {
        type_name::<T>().to_owned()
    }
    assert_eq!([name::<u8>(), name::<u16>(), name::<u8>()], ["u8", "u16", "u8"]);
}

#[test]
fn type_parameters_count_where_the_values_are_alike() {
    #[cache_value]
    fn width<T>(value: T) -> usize
    where
        T: Copy + Serialize,
    {
        size_of_val(&value)
    }
    assert_eq!([width(1_u8), width(1_u16), width(1_u64)], [1, 2, 8]);
}

#[test]
fn const_parameters_count() {
    #[cache_value]
    fn filled<const N: usize, const C: char>() -> String {
        C.to_string().repeat(N)
    }
    assert_eq!(filled::<1, 'a'>(), "a");
    assert_eq!(filled::<2, 'a'>(), "aa");
    assert_eq!(filled::<2, 'b'>(), "bb");
}

#[test]
fn what_an_impl_trait_stands_for_counts() {
    #[cache_value]
    fn width(value: impl Serialize + Copy, #[key(skip)] other: impl Copy) -> usize {
        size_of_val(&value) + size_of_val(&other)
    }
    assert_eq!([width(1_u8, 1_u8), width(1_u16, 1_u8), width(1_u8, 1_u16)], [2, 3, 3]);
}

#[derive(Clone, Serialize, Deserialize)]
struct Client {
    host: String,
}

static RUNS: Runs = Runs::none();

impl Client {
    #[cache_value]
    fn get(&self, path: &str) -> String {
        RUNS.add();
        format!("{}{path}", self.host)
    }

    #[cache_value]
    fn consumed(mut self, #[key(skip)] more: &str) -> Self {
        self.host.push_str(more);
        self
    }

    #[cache_value]
    fn counted(#[key(skip)] &mut self, more: u8) -> usize {
        self.host.push('x');
        self.host.len() + usize::from(more)
    }

    #[cache_value]
    fn boxed(self: Box<Self>) -> String {
        self.host
    }
}

#[test]
fn a_receiver_counts_unless_it_is_skipped() {
    let [mut a, b] = ["a", "b"].map(|host| Client { host: host.to_owned() });
    assert_eq!([a.get("/"), a.get("/"), b.get("/"), a.get("?")], ["a/", "a/", "b/", "a?"]);
    assert_eq!(RUNS.count(), 3);
    assert_eq!(b.clone().consumed("c").host, "bc");
    assert_eq!(Box::new(b.clone()).boxed(), "b");
    assert_eq!([a.counted(1), a.counted(1)], [3, 3]);
    assert_eq!(a.host, "ax");
}

trait Unit {
    const NAME: &str;

    #[cache_value]
    fn plural() -> String {
        format!("{}s", Self::NAME)
    }

    #[cache_value]
    fn of(&self) -> String
    where
        Self: Serialize,
    {
        Self::NAME.to_owned()
    }
}

#[derive(Serialize)]
struct Second;
#[derive(Serialize)]
struct Metre;

impl Unit for Second {
    const NAME: &str = "second";
}

impl Unit for Metre {
    const NAME: &str = "metre";
}

struct Measure<U>(PhantomData<U>);

impl<U: Unit> Measure<U> {
    #[cache_value]
    fn unit() -> String {
        U::NAME.to_owned()
    }
}

struct Other;

impl Other {
    #[cache_value]
    fn unit() -> String {
        U::NAME.to_owned()
    }
}

type U = Second;

#[test]
fn the_types_around_a_function_count() {
    assert_eq!([Second::plural(), Metre::plural()], ["seconds", "metres"]);
    assert_eq!([Second.of(), Metre.of()], ["second", "metre"]);
    assert_eq!(Measure::<Metre>::unit(), "metre");
    assert_eq!(Measure::<Second>::unit(), "second");
    assert_eq!(Other::unit(), "second");
}
