//! The companions of a cached function: the key of a call, and functions to forget or refresh its
//! result.
//!
//! They are functions of a type with the name of the function. Types and functions have separate
//! namespaces, so both are reached by one path, and by one `use`. The body exists once, in a
//! function of that type with an argument that tells whether a recorded result is accepted. The
//! function itself, and the one that refreshes, only call it.

use crate::Kind;
use crate::arguments::Argument;
use crate::expansion::{self, body};
use crate::function::Function;
use crate::options::Options;
use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::punctuated::Punctuated;
use syn::{FnArg, GenericParam, Ident, Pat, Signature, Token, parse_quote, parse_quote_spanned};

/// Returns the function and its companions.
pub fn expand(
    kind: Kind,
    options: &Options,
    function: &Function,
    arguments: &[Argument],
) -> TokenStream {
    let Function { attributes, visibility, signature, .. } = function;
    let (name, library) = (&signature.ident, &options.library);
    let of_attributes = |names: &'static [&'static str]| {
        attributes.iter().filter(move |it| names.iter().any(|name| it.path().is_ident(name)))
    };
    let conditions: Vec<_> = of_attributes(&["cfg"]).collect();
    let levels = of_attributes(&["allow", "warn", "deny", "forbid"]);

    let called = Ident::new("__cachex_call", Span::mixed_site());
    let [call, call_anew] = [false, true].map(|anew| call(&called, signature, arguments, anew));
    let mut inner = Signature { ident: called, ..signature.clone() };
    inner.inputs.insert(0, parse_quote_spanned!(Span::mixed_site()=> anew: bool));
    let body = body(kind, options, function, arguments);

    let plain = Signature { inputs: without_mut(signature), ..signature.clone() };
    let named = |name: &str| Ident::new(name, Span::mixed_site());
    let refresh = Signature { ident: named("refresh"), ..plain.clone() };
    let forget = Signature {
        ident: named("forget"),
        output: parse_quote!(-> ::core::result::Result<bool, #library::Error>),
        ..plain.clone()
    };
    let key = Signature {
        ident: named("key"),
        asyncness: None,
        output: parse_quote!(-> ::core::result::Result<#library::ValueKey, #library::Error>),
        ..plain.clone()
    };

    let cache = expansion::cache(options);
    let add_parts = expansion::add_parts(options, function, arguments);
    let (ok, result) = expansion::result(options, function);
    let key_of = format_ident!("{}key", ok.unwrap_or_default(), span = Span::mixed_site());
    let key_of = quote_spanned! {Span::mixed_site()=> {
        #add_parts
        #library::__private::#key_of(parts, #result)
    }};
    let drop = if function.is_async() {
        quote_spanned!(Span::mixed_site()=> #library::__private::forget_async(cache, &key).await)
    } else {
        quote_spanned!(Span::mixed_site()=> #library::__private::forget(cache, &key))
    };

    let about = format!("The key of a call of `{name}`, and its recorded result.");
    let about_key = format!("Returns the key of a call of `{name}` with these arguments.");
    let about_forget = format!(
        "Drops the recorded result of `{name}` for these arguments, and returns whether there was \
         one. A result that is just being computed is not recorded."
    );
    let about_refresh = format!(
        "Computes the result of `{name}` for these arguments, and records it in place of an earlier \
         one."
    );
    quote_spanned! {Span::mixed_site()=>
        #(#attributes)* #visibility #plain { #name::#call }

        #(#conditions)*
        #[doc = #about]
        #[allow(non_camel_case_types, dead_code)]
        #visibility struct #name {}

        #(#conditions)*
        #[allow(dead_code, unused_variables, clippy::all, clippy::pedantic)]
        impl #name {
            #[doc = #about_key]
            #visibility #key { #key_of }

            #[doc = #about_forget]
            #visibility #forget {
                #cache
                let key = #key_of?;
                #drop
            }

            #[doc = #about_refresh]
            #visibility #refresh { #name::#call_anew }
        }

        #(#conditions)*
        #[allow(clippy::too_many_arguments)]
        impl #name {
            #(#levels)*
            #inner #body
        }
    }
}

/// Returns the arguments by their names, for a function that only passes them on unchanged.
fn without_mut(signature: &Signature) -> Punctuated<FnArg, Token![,]> {
    let mut inputs = signature.inputs.clone();
    for input in &mut inputs {
        if let FnArg::Typed(typed) = input
            && let Pat::Ident(name) = &mut *typed.pat
        {
            name.mutability = None;
        }
    }
    inputs
}

/// Returns a call with the same arguments and parameters. With `anew`, recorded results are
/// ignored.
fn call(
    function: &Ident,
    signature: &Signature,
    arguments: &[Argument],
    anew: bool,
) -> TokenStream {
    let parameters: Vec<_> = signature
        .generics
        .params
        .iter()
        .filter_map(|parameter| match parameter {
            GenericParam::Lifetime(_) => None,
            GenericParam::Type(parameter) => Some(&parameter.ident),
            GenericParam::Const(parameter) => Some(&parameter.ident),
        })
        .collect();
    let parameters = (!parameters.is_empty()).then(|| quote!(::<#(#parameters),*>));
    let arguments = arguments.iter().map(|argument| &argument.name);
    let wait = signature.asyncness.map(|_| quote_spanned!(Span::mixed_site()=> .await));
    quote_spanned!(Span::mixed_site()=> #function #parameters (#anew #(, #arguments)*) #wait)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expansion;

    fn expanded(kind: Kind, item: &str) -> String {
        let options = "companions = true".parse().unwrap();
        let made = expansion::expand(kind, options, &item.parse().unwrap());
        made.to_string().replace(' ', "")
    }

    #[test]
    fn the_body_is_there_once() {
        let made =
            expanded(Kind::Sync, "pub fn f<T: Copy, const N: usize>(mut a: T) -> u8 { g() }");
        let outer = "pubfnf<T:Copy,constN:usize>(a:T)->u8{f::__cachex_call::<T,N>(false,a)}";
        assert!(made.starts_with(outer), "{made}");
        assert_eq!(made.matches("g()").count(), 1, "{made}");
        let made = expanded(Kind::Async, "async fn f((a, b): (u8, u8)) -> u8 { g() }");
        assert!(made.contains("{f::__cachex_call(true,argument_1).await}"), "{made}");
    }

    #[test]
    fn where_there_is_no_place_for_them_it_is_said() {
        for item in [
            "fn f(&self) {}",
            "unsafe fn f() {}",
            "extern \"C\" fn f() {}",
            "fn f(#[cfg(unix)] a: u8) {}",
        ] {
            let made = expanded(Kind::Sync, item);
            assert!(made.contains("cannothavecompanions"), "{made}");
        }
    }
}
