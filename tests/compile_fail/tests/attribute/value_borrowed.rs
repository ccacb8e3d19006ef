//! A result that is a reference, or has one in it.

use cachex::cache_value;
use std::borrow::Cow;

#[cache_value]
fn first(text: &str) -> &str {
    &text[..1]
}

#[cache_value]
fn letters(text: &str) -> Result<Vec<&str>, String> {
    Ok(text.split("").collect())
}

#[cache_value]
fn trimmed<'a>(text: &'a str) -> Cow<'a, str> {
    text.trim().into()
}

fn main() {
    first("a");
    let _ = letters("a");
    trimmed("a");
}
