//! The arguments of a function: their names, and which of them are part of the key.
//!
//! Every argument gets a name that the key and the body can share. A pattern is destructured in the
//! body instead of the declaration.

use crate::types::Parts;
use proc_macro2::Span;
use quote::{ToTokens, format_ident};
use syn::spanned::Spanned as _;
use syn::{Attribute, Error, FnArg, Ident, Pat, Result, Signature, parse_quote_spanned};

/// One argument.
pub struct Argument {
    /// The name in the body and in the key.
    pub name: Ident,
    /// The name in errors; any word that may name a type.
    pub shown: Ident,
    /// The pattern of the declaration, if it is not a name.
    pub pattern: Option<Pat>,
    /// True if it is left out of the key.
    pub skipped: bool,
    /// True if its type is an `impl Trait`, or contains one.
    pub implied: bool,
    /// The `cfg` attributes.
    pub cfgs: Vec<Attribute>,
}

const MUTABLE: &str = "a cached call does not change what `&mut` refers to: take another type, or \
                       say with `#[key(skip)]` that this may be left undone, and that the \
                       argument does not count in the key";

/// Takes the arguments of a signature, and removes what only this crate understands.
pub fn take(signature: &mut Signature) -> Result<Vec<Argument>> {
    signature.inputs.iter_mut().enumerate().map(|(at, input)| argument(at + 1, input)).collect()
}

/// Removes from a signature what only this crate understands.
pub fn clean(signature: &mut Signature) {
    signature.inputs.iter_mut().for_each(|input| attributes(input).retain(|it| !is_key(it)));
}

fn argument(number: usize, input: &mut FnArg) -> Result<Argument> {
    let skipped = skipped(attributes(input))?;
    let cfgs = cfgs(attributes(input));
    let parts = match input {
        FnArg::Receiver(receiver) => Parts::of_receiver(receiver),
        FnArg::Typed(typed) => Parts::of(&typed.ty),
    };
    if !skipped && parts.mutable.is_some() {
        // The error shows the source, `&mut self` for example, and not the type behind it.
        let shown = match input {
            FnArg::Receiver(receiver) => receiver.to_token_stream(),
            FnArg::Typed(typed) => typed.ty.to_token_stream(),
        };
        return Err(Error::new_spanned(shown, MUTABLE));
    }
    let (name, shown, pattern) = match input {
        FnArg::Receiver(receiver) => {
            let name = Ident::new("self", receiver.self_token.span);
            (name, format_ident!("self_"), None)
        }
        FnArg::Typed(typed) => match &mut *typed.pat {
            Pat::Ident(simple) if simple.by_ref.is_none() && simple.subpat.is_none() => {
                (simple.ident.clone(), simple.ident.clone(), None)
            }
            pattern => {
                let span = Span::mixed_site().located_at(pattern.span());
                let name = format_ident!("argument_{number}", span = span);
                let named = parse_quote_spanned!(span=> #name);
                let pattern = std::mem::replace(pattern, named);
                (name, format_ident!("number_{number}"), Some(pattern))
            }
        },
    };
    let implied = parts.implied.is_some();
    Ok(Argument { name, shown, pattern, skipped, implied, cfgs })
}

fn attributes(input: &mut FnArg) -> &mut Vec<Attribute> {
    match input {
        FnArg::Receiver(receiver) => &mut receiver.attrs,
        FnArg::Typed(typed) => &mut typed.attrs,
    }
}

/// Removes `#[key(skip)]`, and returns whether it was there.
fn skipped(attributes: &mut Vec<Attribute>) -> Result<bool> {
    let mut skipped = false;
    for attribute in attributes.extract_if(.., |it| is_key(it)) {
        let is_skip = attribute.parse_args::<Ident>().is_ok_and(|word| word == "skip");
        if !is_skip {
            let what = "expected `#[key(skip)]`, which leaves the argument out of the key";
            return Err(Error::new_spanned(attribute, what));
        }
        skipped = true;
    }
    Ok(skipped)
}

fn is_key(attribute: &Attribute) -> bool {
    attribute.path().is_ident("key")
}

/// Returns the `cfg` attributes.
pub fn cfgs(attributes: &[Attribute]) -> Vec<Attribute> {
    attributes.iter().filter(|it| it.path().is_ident("cfg")).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(code: &str) -> (Result<Vec<Argument>>, String) {
        let mut signature: Signature = syn::parse_str(code).unwrap();
        let arguments = take(&mut signature);
        (arguments, signature.to_token_stream().to_string().replace(' ', ""))
    }

    fn names(code: &str) -> (Vec<String>, String) {
        let (arguments, signature) = read(code);
        (arguments.unwrap().iter().map(|it| it.name.to_string()).collect(), signature)
    }

    #[test]
    fn names_stay_what_they_are() {
        let (names, signature) = names("fn f(self, a: u8, mut b: u8, r#type: u8)");
        assert_eq!(names, ["self", "a", "b", "r#type"]);
        assert_eq!(signature, "fnf(self,a:u8,mutb:u8,r#type:u8)");
    }

    #[test]
    fn what_has_no_name_gets_one() {
        let (names, signature) = names("fn f(_: u8, (a, b): (u8, u8), c @ 0..: u8, ref d: u8)");
        assert_eq!(names, ["argument_1", "argument_2", "argument_3", "argument_4"]);
        assert_eq!(signature, "fnf(argument_1:u8,argument_2:(u8,u8),argument_3:u8,argument_4:u8)");
    }

    #[test]
    fn what_is_skipped_is_said_and_not_left_in_the_signature() {
        let (arguments, signature) = read(
            "fn f(#[key(skip)] &mut self, #[key(skip)] a: &mut u8, #[cfg(unix)] b: impl Copy)",
        );
        let arguments = arguments.unwrap();
        assert_eq!(arguments.iter().map(|it| it.skipped).collect::<Vec<_>>(), [true, true, false]);
        assert_eq!(arguments.iter().map(|it| it.implied).collect::<Vec<_>>(), [false, false, true]);
        assert_eq!(arguments.iter().map(|it| it.cfgs.len()).collect::<Vec<_>>(), [0, 0, 1]);
        assert_eq!(signature, "fnf(&mutself,a:&mutu8,#[cfg(unix)]b:implCopy)");
    }

    #[test]
    fn what_would_be_changed_is_a_mistake() {
        let codes = [
            "fn f(a: &mut u8)",
            "fn f(&mut self)",
            "fn f(self: &mut Self)",
            "fn f(self: Pin<&mut Self>)",
            "fn f(a: Option<&mut u8>)",
        ];
        for code in codes {
            assert_eq!(read(code).0.err().expect(code).to_string(), MUTABLE);
        }
    }

    #[test]
    fn another_word_than_skip_is_a_mistake() {
        for code in ["fn f(#[key(other)] a: u8)", "fn f(#[key] a: u8)", "fn f(#[key = 1] a: u8)"] {
            let mistake = read(code).0.err().expect(code).to_string();
            assert!(mistake.starts_with("expected `#[key(skip)]`"), "{mistake}");
        }
    }
}
