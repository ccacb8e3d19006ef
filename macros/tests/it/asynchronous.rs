//! Async functions. Nothing here waits for anything, so one poll is enough.

use crate::{Cache, Runs};
use cachex_macros::async_cache_value;
use serde::Serialize;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// Runs a future that could run on any thread.
fn run<F: Future + Send>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits for something"),
    }
}

#[test]
fn an_async_function_runs_once() {
    static RUNS: Runs = Runs::none();
    #[async_cache_value]
    async fn join(a: &str, mut b: String, (c, _): (u8, u8)) -> String {
        RUNS.add();
        std::future::ready(()).await;
        b.push_str(a);
        format!("{b}{c}")
    }
    for _ in 0..2 {
        assert_eq!(run(join("a", "b".to_owned(), (1, 2))), "ba1");
    }
    assert_eq!(RUNS.count(), 1);
}

#[test]
fn an_async_error_is_returned_and_not_kept() {
    static RUNS: Runs = Runs::none();
    #[async_cache_value(allow_concurrent = false, expires_in = "1h")]
    async fn read(text: &str) -> Result<u32, Box<dyn std::error::Error + Send + Sync>> {
        RUNS.add();
        let text = std::future::ready(text).await;
        if text.is_empty() {
            return Ok(0);
        }
        Ok(text.parse()?)
    }
    assert!(run(read("x")).is_err() && run(read("x")).is_err());
    assert_eq!(
        [run(read("")).unwrap(), run(read("")).unwrap(), run(read("2")).unwrap()],
        [0, 0, 2]
    );
    assert_eq!(RUNS.count(), 4);
}

#[test]
fn an_async_function_may_return_nothing() {
    static RUNS: Runs = Runs::none();
    #[async_cache_value]
    async fn prepare() {
        RUNS.add();
    }
    run(prepare());
    run(prepare());
    assert_eq!(RUNS.count(), 1);
}

#[derive(Serialize)]
struct Client<'a> {
    host: &'a str,
    #[serde(skip)]
    cache: Cache,
}

impl Client<'_> {
    #[async_cache_value(store = self.cache)]
    async fn get<T>(&self, path: &str, more: T, #[key(skip)] seen: &mut u8) -> Vec<T>
    where
        T: Copy + Serialize + serde::de::DeserializeOwned + Send + Sync,
    {
        *seen += 1;
        std::future::ready(()).await;
        vec![more; self.host.len() + path.len()]
    }
}

#[test]
fn a_method_may_be_async_and_the_cache_be_the_receivers() {
    let client = Client { host: "a", cache: Cache::default() };
    let mut seen = 0;
    for _ in 0..2 {
        assert_eq!(run(client.get("b", 1_u8, &mut seen)), [1, 1]);
        assert_eq!(run(client.get("b", 1_u16, &mut seen)), [1, 1]);
    }
    assert_eq!((seen, client.cache.asked().len()), (2, 4));
}

#[test]
fn an_async_function_may_call_itself() {
    #[async_cache_value]
    async fn factorial(n: u64) -> u64 {
        if n == 0 {
            return 1;
        }
        n * Box::pin(factorial(n - 1)).await
    }
    assert_eq!(run(factorial(10)), 3_628_800);
}
