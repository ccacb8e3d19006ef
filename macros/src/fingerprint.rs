//! A number that stands for the code of a function.
//!
//! The number is a hash over the tokens, so that a change of the code leaves the earlier results
//! behind. White space, plain comments and documentation are not code. Locations are ignored, and
//! so is whether two signs are adjacent, which formatting may change. The number is the same in
//! every compilation and on every machine, as it is part of keys that outlive both.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// Returns the first 128 bits of the BLAKE3 of `tokens`.
pub fn fingerprint(tokens: TokenStream) -> u128 {
    let mut hasher = blake3::Hasher::new();
    hash(tokens, &mut hasher);
    let mut first = [0; 16];
    hasher.finalize_xof().fill(&mut first);
    u128::from_be_bytes(first)
}

/// Hashes each token as a tag, a length and its text, or as its contents between two tags, so that
/// different lists of tokens are never the same bytes.
fn hash(tokens: TokenStream, hasher: &mut blake3::Hasher) {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(sign) if sign.as_char() == '#' => {
                let inner = tokens.next_if(|it| is_sign(it, '!'));
                if tokens.next_if(is_documentation).is_none() {
                    text('p', "#", hasher);
                    if inner.is_some() {
                        text('p', "!", hasher);
                    }
                }
            }
            TokenTree::Punct(sign) => text('p', sign.as_char().encode_utf8(&mut [0; 4]), hasher),
            TokenTree::Ident(name) => text('i', &name.to_string(), hasher),
            TokenTree::Literal(literal) => text('l', &literal.to_string(), hasher),
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => (b"(", b")"),
                    Delimiter::Brace => (b"{", b"}"),
                    Delimiter::Bracket => (b"[", b"]"),
                    Delimiter::None => (b"<", b">"),
                };
                hasher.update(open);
                hash(group.stream(), hasher);
                hasher.update(close);
            }
        }
    }
}

fn text(tag: char, text: &str, hasher: &mut blake3::Hasher) {
    hasher.update(&[tag as u8]);
    hasher.update(&(text.len() as u64).to_le_bytes());
    hasher.update(text.as_bytes());
}

fn is_sign(token: &TokenTree, sign: char) -> bool {
    matches!(token, TokenTree::Punct(it) if it.as_char() == sign)
}

/// Returns whether this is the `[doc = "…"]` that a documentation comment becomes.
fn is_documentation(token: &TokenTree) -> bool {
    let TokenTree::Group(group) = token else { return false };
    group.delimiter() == Delimiter::Bracket
        && matches!(group.stream().into_iter().next(), Some(TokenTree::Ident(it)) if it == "doc")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(code: &str) -> u128 {
        fingerprint(code.parse().unwrap())
    }

    #[test]
    fn white_space_comments_and_documentation_do_not_count() {
        let plain = of("fn f(a: Vec<Vec<u8>>) -> u8 { struct S; a[0][0] + -1 }");
        let dressed = of("
            /// Says what it does.
            #[doc(hidden)]
            fn f(a: Vec<Vec<u8> >)->u8{
                //! Says it again.
                /** And what this is. */ struct S;
                a [0][0]+-1 // the first
            }
        ");
        assert_eq!(plain, dressed);
    }

    #[test]
    fn every_change_of_the_code_counts() {
        let codes = [
            "fn f(a: u8) -> u8 { a + 1 }",
            "fn f(a: u8) -> u8 { a + 2 }",
            "fn f(a: u8) -> u8 { a - 1 }",
            "fn f(a: u8) -> u8 { (a + 1) }",
            "fn f(a: u8) -> u8 { [a + 1] }",
            "fn f(a: u8) -> u8 { (a) + 1 }",
            "fn f(a: u8) -> u8 { a + 1; }",
            "fn f(a: u8) -> u8 { \"a + 1\" }",
            "fn f(#[key(skip)] a: u8) -> u8 { a + 1 }",
            "fn f(a: u8) -> u8 { #[cold] a + 1 }",
            "fn f(a: u8) -> u8 { #![cold] a + 1 }",
            "fn f(a: u16) -> u8 { a + 1 }",
            "fn f(a: u8) -> u16 { a + 1 }",
            "fn g(a: u8) -> u8 { a + 1 }",
            "fn f(b: u8) -> u8 { b + 1 }",
            "async fn f(a: u8) -> u8 { a + 1 }",
        ];
        let mut numbers: Vec<u128> = codes.iter().map(|code| of(code)).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), codes.len());
    }

    #[test]
    fn the_number_stays_what_it_was() {
        let number = of("fn f(a: u8) -> u8 { a + 1 }");
        assert_eq!(format!("{number:032x}"), "493b3a064d5f55f5a4930e14c15383fb");
    }
}
