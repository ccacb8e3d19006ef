//! The effects of the options.

use crate::Cache;
use crate::stand_in::Options;
use cachex_macros::cache_value;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

static CACHE: LazyLock<Cache> = LazyLock::new(Cache::default);

/// The library under another name.
mod renamed {
    pub(crate) use crate::{__private, Cache};
}

#[test]
fn options_are_handed_to_the_cache() {
    const MINUTE: Duration = Duration::from_mins(1);
    static CACHE: LazyLock<Cache> = LazyLock::new(Cache::default);

    #[cache_value(store = CACHE)]
    fn plain() -> u8 {
        1
    }
    #[cache_value(store = CACHE, expires_in = "1h 30m", allow_concurrent = false)]
    fn text() -> u8 {
        1
    }
    #[cache_value(store = CACHE, expires_in = 0.25, allow_concurrent = true)]
    fn seconds() -> u8 {
        1
    }
    #[cache_value(store = CACHE, expires_in = MINUTE.saturating_mul(2))]
    fn constant() -> u8 {
        1
    }
    assert_eq!([plain(), text(), seconds(), constant()], [1; 4]);
    let with = |milliseconds: Option<u64>, allow_concurrent| Options {
        expires_in: milliseconds.map(Duration::from_millis),
        allow_concurrent,
    };
    let expected = [
        with(None, true),
        with(Some(5_400_000), false),
        with(Some(250), true),
        with(Some(120_000), true),
    ];
    assert_eq!(CACHE.asked(), expected);
}

#[test]
fn whatever_leads_to_a_cache_is_a_store() {
    fn borrowed() -> &'static Cache {
        &CACHE
    }
    fn owned() -> Arc<Cache> {
        Arc::default()
    }
    #[cache_value(store = borrowed())]
    fn from_borrowed(a: u8) -> u8 {
        a
    }
    #[cache_value(store = owned())]
    fn from_owned(a: u8) -> u8 {
        a
    }
    #[cache_value(store = Cache::default())]
    fn from_nothing(a: u8) -> u8 {
        a
    }
    #[cache_value(store = cache)]
    fn from_argument(#[key(skip)] cache: &Cache, a: u8) -> u8 {
        a
    }
    #[cache_value(store = if a == 1 { borrowed() } else { &CACHE })]
    fn from_expression(a: u8) -> u8 {
        a
    }
    #[cache_value(store = *CACHE, crate = renamed)]
    fn from_renamed(a: u8) -> u8 {
        a
    }
    let results = [
        from_borrowed(1),
        from_owned(1),
        from_nothing(1),
        from_argument(&CACHE, 1),
        from_expression(1),
        from_renamed(1),
    ];
    assert_eq!(results, [1; 6]);
    assert_eq!(CACHE.asked().len(), 4);
}
