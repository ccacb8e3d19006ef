//! Each hit is a copy of its own: changing one changes neither the next nor the cache.
//!
//!     cargo run --example independent_copies

use cachex::{async_cache_value, cache_value};

#[cache_value]
fn basket() -> Vec<String> {
    println!("filling a basket");
    vec!["apple".to_owned(), "banana".to_owned()]
}

#[async_cache_value]
async fn basket_async() -> Vec<String> {
    println!("filling a basket, asynchronously");
    vec!["apple".to_owned(), "banana".to_owned()]
}

#[tokio::main]
async fn main() {
    let mut mine = basket();
    mine.push("cherry".to_owned());
    let yours = basket();
    println!("mine: {mine:?}, yours: {yours:?}");
    assert_eq!(yours, ["apple", "banana"]);

    let mut mine = basket_async().await;
    mine.clear();
    let yours = basket_async().await;
    println!("mine: {mine:?}, yours: {yours:?}");
    assert_eq!(yours, ["apple", "banana"]);
}
