//! The function below the attribute, parsed and checked: a function that cannot be cached is
//! reported as an error at the offending place.
//!
//! The body is only tokens here, so it may contain whatever the compiler understands. Arguments are
//! left to `arguments`.

use crate::Kind;
use crate::fingerprint::fingerprint;
use crate::types::{Parts, is_result};
use proc_macro2::{Group, TokenStream};
use syn::parse::{Parse, ParseStream, Parser as _};
use syn::{
    AttrStyle, Attribute, Error, FnArg, GenericArgument, Ident, PathArguments, Result, ReturnType,
    Safety, Signature, Type, TypeParamBound, Visibility,
};

/// A function as it was written.
pub struct Function {
    /// The attributes, including those at the beginning of the body.
    pub attributes: Vec<Attribute>,
    /// The visibility.
    pub visibility: Visibility,
    /// Everything up to the body.
    pub signature: Signature,
    /// The body with its braces.
    pub body: Group,
    /// The fingerprint of the code, without the attributes.
    pub fingerprint: u128,
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> Result<Function> {
        let mut attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        let fingerprint = fingerprint(input.fork().parse()?);
        let signature = input.parse()?;
        let (inner, body) = without_inner_attributes(&input.parse()?)?;
        attributes.extend(inner);
        Ok(Function { attributes, visibility, signature, body, fingerprint })
    }
}

/// Separates the inner attributes of a body, which are not allowed in its new place: they go above
/// the function.
fn without_inner_attributes(body: &Group) -> Result<(Vec<Attribute>, Group)> {
    let parse = |input: ParseStream<'_>| {
        Ok((input.call(Attribute::parse_inner)?, input.parse::<TokenStream>()?))
    };
    let (mut attributes, tokens) = parse.parse2(body.stream())?;
    for attribute in &mut attributes {
        attribute.style = AttrStyle::Outer;
    }
    let mut rest = Group::new(body.delimiter(), tokens);
    rest.set_span(body.span());
    Ok((attributes, rest))
}

impl Function {
    /// Returns the output of a boxed future, if that is the return type: `#[async_trait]` turns
    /// async functions into such functions.
    pub fn boxed(&self) -> Option<Type> {
        match &self.signature.output {
            ReturnType::Type(_, ty) if self.signature.asyncness.is_none() => future_in_box(ty),
            _ => None,
        }
    }

    /// Returns whether a call of it returns a future.
    pub fn is_async(&self) -> bool {
        self.signature.asyncness.is_some() || self.boxed().is_some()
    }

    /// Returns the declared type of the stored value.
    pub fn output(&self) -> ReturnType {
        match self.boxed() {
            Some(ty) => syn::parse_quote!(-> #ty),
            None => self.signature.output.clone(),
        }
    }

    /// Returns whether an `Err` is returned and not stored.
    pub fn may_fail(&self) -> bool {
        matches!(&self.output(), ReturnType::Type(_, ty) if is_result(ty))
    }

    /// Checks that its calls can be answered from a cache.
    pub fn check(&self, kind: Kind) -> Result<()> {
        let signature = &self.signature;
        match (kind, signature.asyncness) {
            (Kind::Sync, Some(token)) => Err(Error::new_spanned(
                token,
                "`#[cache_value]` is for functions that are not async; use `#[async_cache_value]`",
            )),
            (Kind::Async, None) if self.boxed().is_some() => Ok(()),
            (Kind::Sync, None) if self.boxed().is_some() => Err(Error::new_spanned(
                &signature.output,
                "this returns a future, as `#[async_trait]` has it; use `#[async_cache_value]`",
            )),
            (Kind::Async, None) => Err(Error::new_spanned(
                signature.fn_token,
                "`#[async_cache_value]` is for async functions; use `#[cache_value]`",
            )),
            _ => Ok(()),
        }?;
        if let Some(token) = &signature.constness {
            let what = "a `const fn` cannot be cached: there is no cache at compile time";
            return Err(Error::new_spanned(token, what));
        }
        if let Some(dots) = &signature.variadic {
            let what = "arguments that are not declared cannot be part of a cache key";
            return Err(Error::new_spanned(dots, what));
        }
        match &self.output() {
            ReturnType::Default => Ok(()),
            ReturnType::Type(_, ty) => check_value(ty),
        }
    }

    /// Checks that it can have companions, which are placed next to it.
    pub fn check_companions(&self, word: &Ident) -> Result<()> {
        let inputs = &self.signature.inputs;
        let attributes = inputs.iter().flat_map(|input| match input {
            FnArg::Receiver(receiver) => &receiver.attrs,
            FnArg::Typed(typed) => &typed.attrs,
        });
        let what = if self.signature.receiver().is_some() || self.boxed().is_some() {
            "a method cannot have companions, for which there is no place in an `impl`; give its \
             results `tags`, by which they can be removed"
        } else if matches!(self.signature.safety, Safety::Unsafe(_)) || self.signature.abi.is_some()
        {
            "an `unsafe` or `extern` function cannot have companions"
        } else if attributes.into_iter().any(|it| it.path().is_ident("cfg")) {
            "a function cannot have companions if some of its arguments are there under a `cfg` \
             alone"
        } else {
            return Ok(());
        };
        Err(Error::new(word.span(), what))
    }
}

/// Returns the `T` of `Pin<Box<dyn Future<Output = T> + …>>`.
fn future_in_box(ty: &Type) -> Option<Type> {
    let boxed = only_argument(ty, "Pin")?;
    let Type::TraitObject(object) = only_argument(boxed, "Box")? else { return None };
    object.bounds.iter().find_map(|bound| {
        let TypeParamBound::Trait(bound) = bound else { return None };
        let last = bound.path.segments.last().filter(|last| last.ident == "Future")?;
        let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
        arguments.args.iter().find_map(|argument| match argument {
            GenericArgument::AssocType(output) if output.ident == "Output" => {
                Some(output.ty.clone())
            }
            _ => None,
        })
    })
}

/// Returns the `T` of `Name<T>`.
fn only_argument<'t>(ty: &'t Type, name: &str) -> Option<&'t Type> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last().filter(|last| last.ident == name)?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    match arguments.args.first()? {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    }
}

fn check_value(ty: &Type) -> Result<()> {
    if let Type::Never(never) = ty {
        return Err(Error::new_spanned(
            never,
            "a function that never returns has no value to cache",
        ));
    }
    let parts = Parts::of(ty);
    if let Some(borrowed) = parts.borrowed {
        let what = "a cached value has to be owned, because it outlives the call: return for \
                    example `String` instead of `&str`";
        return Err(Error::new_spanned(borrowed, what));
    }
    if let Some(implied) = parts.implied {
        let what = "a cached value has to be owned and of a type that is named, to be read again \
                    by another call: return that type instead of `impl …`";
        return Err(Error::new_spanned(implied, what));
    }
    Ok(())
}

/// Returns the error for an item that is not a function with a body.
pub fn misplaced(kind: Kind, item: &TokenStream) -> Error {
    let what = format!("`#[{}]` is for functions that have a body", kind.name());
    Error::new_spanned(item, what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_str;

    fn mistake(kind: Kind, code: &str) -> String {
        parse_str::<Function>(code).unwrap().check(kind).expect_err(code).to_string()
    }

    fn is_fine(kind: Kind, code: &str) {
        let checked = parse_str::<Function>(code).unwrap().check(kind);
        assert!(checked.is_ok(), "{code}: {checked:?}");
    }

    #[test]
    fn what_can_be_cached_is_fine() {
        is_fine(Kind::Sync, "fn f() {}");
        is_fine(
            Kind::Sync,
            "pub(crate) fn f<'a, T: Copy>(a: &'a T) -> Vec<T> where T: Ord { todo!() }",
        );
        is_fine(Kind::Sync, "fn f(&self) -> Result<Self, Cow<'static, str>> { todo!() }");
        is_fine(Kind::Sync, "unsafe extern \"C\" fn f(a: u8) -> u8 { a }");
        is_fine(Kind::Async, "async fn f() -> u8 { 1 }");
        let boxed = "fn f<'t>(&'t self) -> ::core::pin::Pin<Box<dyn Future<Output = u8> + Send + 't>> { g() }";
        is_fine(Kind::Async, boxed);
        assert!(mistake(Kind::Sync, boxed).ends_with("use `#[async_cache_value]`"));
    }

    #[test]
    fn the_wrong_attribute_names_the_right_one() {
        assert!(mistake(Kind::Sync, "async fn f() {}").ends_with("use `#[async_cache_value]`"));
        assert!(mistake(Kind::Async, "fn f() {}").ends_with("use `#[cache_value]`"));
    }

    #[test]
    fn what_cannot_be_cached_says_why() {
        let mistakes = [
            ("const fn f() -> u8 { 1 }", "no cache at compile time"),
            ("unsafe extern \"C\" fn f(a: u8, ...) -> u8 { a }", "that are not declared"),
            ("fn f() -> ! { loop {} }", "never returns"),
            ("fn f(a: &str) -> &str { a }", "has to be owned"),
            ("fn f(a: &str) -> Option<Vec<&str>> { None }", "has to be owned"),
            ("fn f<'a>(a: &'a str) -> Cow<'a, str> { a.into() }", "has to be owned"),
            ("fn f() -> impl Iterator<Item = u8> { None.into_iter() }", "has to be owned and of"),
            ("fn f() -> Vec<impl Copy> { vec![1] }", "has to be owned and of"),
        ];
        for (code, what) in mistakes {
            let mistake = mistake(Kind::Sync, code);
            assert!(mistake.contains(what), "{code}: {mistake}");
        }
    }

    #[test]
    fn inner_attributes_go_above_the_function() {
        let function: Function = parse_str("fn f() { #![allow(unused)] let a = 1; }").unwrap();
        let [attribute] = &function.attributes[..] else { panic!("one attribute") };
        assert!(matches!(attribute.style, AttrStyle::Outer));
        assert_eq!(function.body.to_string(), "{ let a = 1 ; }");
    }
}
