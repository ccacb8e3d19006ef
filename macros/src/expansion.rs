//! The expansion of an attribute.
//!
//! All names that are not the function's own have the hygiene of this crate (`Span::mixed_site`),
//! so they cannot conflict with those of arguments. Items have no such protection: they are in
//! blocks of their own, apart from the function's body. Errors about an argument or a result point
//! to its declaration.

use crate::Kind;
use crate::arguments::{self, Argument};
use crate::companions;
use crate::function::{Function, misplaced};
use crate::options::{ExpiresIn, Options};
use proc_macro2::{Delimiter, Group, Span, TokenStream};
use quote::{ToTokens as _, format_ident, quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::spanned::Spanned;
use syn::{Error, GenericParam, Ident, Path, ReturnType, Signature};

/// Returns the cached function, or errors and the original function, so that its absence causes no
/// more errors.
pub fn expand(kind: Kind, options: TokenStream, item: &TokenStream) -> TokenStream {
    let Ok(mut function) = syn::parse2::<Function>(item.clone()) else {
        let error = misplaced(kind, item).into_compile_error();
        return quote!(#error #item);
    };
    let plain = function.signature.clone();
    match cached(kind, options, &mut function) {
        Ok(made) => made,
        Err(error) => {
            function.signature = plain;
            arguments::clean(&mut function.signature);
            let error = error.into_compile_error();
            let function = function.with(&function.body.to_token_stream());
            quote!(#error #function)
        }
    }
}

/// Returns the cached function.
fn cached(kind: Kind, options: TokenStream, function: &mut Function) -> Result<TokenStream, Error> {
    let read = Options::read(kind, options).and_then(|options| {
        options.companions.iter().try_for_each(|word| function.check_companions(word))?;
        Ok(options)
    });
    let checked = function.check(kind);
    let arguments = arguments::take(&mut function.signature);
    // All mistakes are reported at once.
    match (read, checked, arguments) {
        (Ok(options), Ok(()), Ok(arguments)) => Ok(if options.companions.is_some() {
            companions::expand(kind, &options, function, &arguments)
        } else {
            function.with(&body(kind, &options, function, &arguments))
        }),
        (read, checked, arguments) => {
            let mut errors = [read.err(), checked.err(), arguments.err()].into_iter().flatten();
            let first = errors.next().expect("one of them is an error");
            Err(errors.fold(first, |mut all, error| {
                all.combine(error);
                all
            }))
        }
    }
}

impl Function {
    /// Returns the function with this body, which has braces.
    pub fn with(&self, body: &TokenStream) -> TokenStream {
        let Function { attributes, visibility, signature, .. } = self;
        quote!(#(#attributes)* #visibility #signature #body)
    }
}

/// Returns the body of a cached function.
pub fn body(
    kind: Kind,
    options: &Options,
    function: &Function,
    arguments: &[Argument],
) -> TokenStream {
    let library = &options.library;
    let cache = cache(options);
    let add_parts = add_parts(options, function, arguments);
    let expires_in = expires_in(options.expires_in.as_ref());
    let allow_concurrent = options.allow_concurrent;
    let output = function.output();
    let compute = compute(function, arguments);
    // An error about a result that cannot be stored points to its type.
    let place = place_at(match &output {
        ReturnType::Default => Span::call_site(),
        ReturnType::Type(_, ty) => ty.span(),
    });
    let may_fail = function.may_fail() && !options.keeps_failures();
    let get = match (kind == Kind::Reference, function.is_async(), may_fail) {
        (false, false, false) => "value",
        (false, false, true) => "try_value",
        (false, true, false) => "value_async",
        (false, true, true) => "try_value_async",
        (true, false, false) => "reference",
        (true, false, true) => "try_reference",
        (true, true, false) => "reference_async",
        (true, true, true) => "try_reference_async",
    };
    let get = Ident::new(get, place);
    let plain = quote_spanned! {Span::mixed_site()=>
        #library::__private::options(#expires_in, #allow_concurrent)
    };
    let further = further(options, function);
    let options_of_call = if further.is_empty() {
        // They are a part of the program, and no call makes them.
        quote_spanned!(Span::mixed_site()=> let options = &const { #plain };)
    } else {
        quote_spanned! {Span::mixed_site()=>
            let options = #plain;
            #further
            let options = &options;
        }
    };
    let at = moved(library, place);
    let wait = function.is_async().then(|| quote_spanned!(place=> .await));
    let get = quote_spanned! {place=>
        #at::__private::#get(cache, &mut parts, options, #compute) #wait
    };
    let body = quote_spanned! {Span::mixed_site()=> {
        #cache
        #options_of_call
        #add_parts
        #get
    }};
    if function.boxed().is_none() {
        return body;
    }
    quote_spanned!(Span::mixed_site()=> { ::std::boxed::Box::pin(async move #body) })
}

/// Returns the type of a result, as a value that holds none. A `Result` of which only the `Ok` is
/// stored is passed to a function of its own.
pub fn result(options: &Options, function: &Function) -> (Option<&'static str>, TokenStream) {
    let output = match function.output() {
        ReturnType::Default => quote!(()),
        ReturnType::Type(_, ty) => ty.to_token_stream(),
    };
    let ok = (function.may_fail() && !options.keeps_failures()).then_some("try_");
    let kind = quote_spanned!(Span::mixed_site()=> ::core::marker::PhantomData::<#output>);
    (ok, kind)
}

/// Adds the other options.
fn further(options: &Options, function: &Function) -> TokenStream {
    let library = &options.library;
    let spans = options.spans.iter().map(|(name, span)| {
        let span = span_of(span);
        quote_spanned!(Span::mixed_site()=> let options = options.#name(#span);)
    });
    let others = options.others.iter().map(
        |(name, value)| quote_spanned!(Span::mixed_site()=> let options = options.#name(#value);),
    );
    let tags = options
        .tags
        .iter()
        .map(|tags| quote_spanned!(Span::mixed_site()=> let cache = &cache.tagged(#tags);));
    let expires_by = options.expires_by.iter().map(|lifetime| {
        let (ok, kind) = result(options, function);
        let place = place_at(lifetime.span());
        let name = format_ident!("{}expires_by", ok.unwrap_or_default(), span = place);
        let at = moved(library, place);
        quote_spanned!(place=> let cache = &#at::__private::#name(cache, #kind, #lifetime);)
    });
    let anew = options.companions.iter().map(|_| {
        quote_spanned!(Span::mixed_site()=> let options = #library::__private::anew(options, anew);)
    });
    spans.chain(others).chain(tags).chain(expires_by).chain(anew).collect()
}

/// Returns a location for errors, with the hygiene of this crate.
fn place_at(span: Span) -> Span {
    Span::mixed_site().located_at(span)
}

/// Returns a path unchanged, but with another location for errors.
fn moved(path: &Path, place: Span) -> TokenStream {
    let tokens = path.to_token_stream().into_iter();
    tokens
        .map(|mut token| {
            token.set_span(token.span().located_at(place));
            token
        })
        .collect()
}

/// Binds `cache`. An expression that is not a reference is borrowed in a statement of its own,
/// where its type is not yet inferred as `Cache`.
pub fn cache(options: &Options) -> TokenStream {
    let library = &options.library;
    let place = place_at(options.store.as_ref().map_or_else(Span::call_site, Spanned::span));
    let store = match &options.store {
        None => quote_spanned!(place=> #library::__private::default_cache()),
        Some(store) => quote_spanned!(place=> &(#store)),
    };
    quote_spanned! {place=>
        let store = #store;
        let cache: &#library::Cache = store;
    }
}

fn expires_in(expires_in: Option<&ExpiresIn>) -> TokenStream {
    match expires_in.map(span_of) {
        None => quote_spanned!(Span::mixed_site()=> ::core::option::Option::None),
        Some(span) => {
            quote_spanned!(Span::mixed_site()=> ::core::option::Option::Some(#span))
        }
    }
}

/// Returns an expression of type `Duration`.
fn span_of(span: &ExpiresIn) -> TokenStream {
    match span {
        ExpiresIn::Known(duration) => {
            let (seconds, nanoseconds) = (duration.as_secs(), duration.subsec_nanos());
            quote_spanned! {Span::mixed_site()=>
                ::core::time::Duration::new(#seconds, #nanoseconds)
            }
        }
        // An item, because that is evaluated even if nobody calls the function.
        ExpiresIn::Constant(duration) => quote_spanned! {place_at(duration.span())=> {
            const __CACHEX_EXPIRES_IN: ::core::time::Duration = #duration;
            const _: () = ::core::assert!(
                !__CACHEX_EXPIRES_IN.is_zero(),
                "`expires_in` has to be above zero",
            );
            __CACHEX_EXPIRES_IN
        }},
    }
}

/// Binds `parts`, the key components. They are owned, since the body uses the arguments afterwards.
pub fn add_parts(options: &Options, function: &Function, arguments: &[Argument]) -> TokenStream {
    let library = &options.library;
    let ident = &function.signature.ident;
    let name = function.signature.ident.unraw().to_string();
    let tokens = function.fingerprint;
    let types = types(library, &function.signature);
    let arguments = arguments.iter().map(|argument| key_part(library, argument));
    let place = if options.companions.is_some() {
        // It is next to the function, and has the same path.
        quote_spanned!(Span::mixed_site()=> #library::__private::type_identity::<#ident>())
    } else {
        // The type of a closure differs for each combination of surrounding type parameters,
        // including those of the `impl`, which do not appear in the function.
        quote_spanned!(Span::mixed_site()=> #library::__private::place_identity(&|| ()))
    };
    quote_spanned! {Span::mixed_site()=>
        let mut parts = #library::__private::no_parts();
        {
        static __CACHEX_FUNCTION: #library::__private::Function =
            #library::__private::Function::new(
                ::core::concat!(::core::module_path!(), "::", #name),
                #tokens,
            );
        let key = #place;
        #(#types)*
        #(#arguments)*
        #library::__private::add_parts(&mut parts, &__CACHEX_FUNCTION, &key);
        }
    }
}

/// Returns the components for type parameters and `Self`, which make one function several.
fn types(library: &Path, signature: &Signature) -> Vec<TokenStream> {
    let receiver = signature.receiver().map(|_| {
        quote_spanned! {Span::mixed_site()=>
            let key = (key, #library::__private::type_identity::<Self>());
        }
    });
    let parameters = signature.generics.params.iter().map(|parameter| match parameter {
        GenericParam::Lifetime(_) => TokenStream::new(),
        GenericParam::Type(parameter) => {
            let (name, cfgs) = (&parameter.ident, arguments::cfgs(&parameter.attrs));
            quote_spanned! {Span::mixed_site()=>
                #(#cfgs)* let key = (key, #library::__private::type_identity::<#name>());
            }
        }
        GenericParam::Const(parameter) => {
            let (name, cfgs) = (&parameter.ident, arguments::cfgs(&parameter.attrs));
            quote_spanned!(Span::mixed_site()=> #(#cfgs)* let key = (key, #name);)
        }
    });
    receiver.into_iter().chain(parameters).collect()
}

/// Returns the component for one argument: its type if that is not written out, and its value
/// unless it is skipped.
fn key_part(library: &Path, argument: &Argument) -> TokenStream {
    let Argument { name, shown, cfgs, .. } = argument;
    let span = place_at(name.span());
    let implied = argument.implied.then(|| {
        quote_spanned! {span=>
            #(#cfgs)* let key = (key, #library::__private::type_identity_of_val(&#name));
        }
    });
    let value = (!argument.skipped).then(|| {
        // With braces, so that it is a type and not a value that hides the argument.
        let mut marker = shown.clone();
        marker.set_span(span);
        quote_spanned! {span=>
            #(#cfgs)* let key = (key, {
                struct #marker {}
                #library::__private::key_part::<#marker, _>(&#name)
            });
        }
    });
    quote!(#implied #value)
}

/// Returns the closure that runs the body.
fn compute(function: &Function, arguments: &[Argument]) -> TokenStream {
    let output = function.output();
    let mut body = function.body.clone();
    if function.boxed().is_some() {
        // The body creates the future, which is awaited here.
        let place = place_at(body.span());
        body = Group::new(Delimiter::Brace, quote_spanned!(place=> #body.await));
        body.set_span(place);
    }
    let apart: Vec<TokenStream> = arguments
        .iter()
        .filter_map(|Argument { name, pattern, cfgs, .. }| {
            let pattern = pattern.as_ref()?;
            Some(quote_spanned!(Span::mixed_site()=> #(#cfgs)* let #pattern = #name;))
        })
        .collect();
    let head = if function.is_async() {
        quote_spanned!(Span::mixed_site()=> async move ||)
    } else {
        quote_spanned!(Span::mixed_site()=> move ||)
    };
    if apart.is_empty() {
        return quote!(#head #output #body);
    }
    // The body stays a block, with items and inner names of its own, but one that the compiler does
    // not report as superfluous braces of the function's.
    body.set_span(place_at(body.span()));
    quote!(#head #output { #(#apart)* #body })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(options: &str, item: &str) -> String {
        let tokens = expand(Kind::Sync, options.parse().unwrap(), &item.parse().unwrap());
        tokens.to_string().replace(' ', "")
    }

    #[test]
    fn attributes_visibility_generics_and_signature_stay() {
        let made = expanded(
            "",
            "#[must_use] pub(crate) fn f<'a, T: Copy>(a: &'a T, mut b: u8) -> Vec<T> where T: Ord { g() }",
        );
        let head = "#[must_use]pub(crate)fnf<'a,T:Copy>(a:&'aT,mutb:u8)->Vec<T>whereT:Ord{";
        assert!(made.starts_with(head), "{made}");
        assert!(made.ends_with("move||->Vec<T>{g()})}"), "{made}");
    }

    #[test]
    fn a_mistake_leaves_the_function_without_what_only_this_crate_knows() {
        let made = expanded("store", "fn f(#[key(skip)] &self, #[key(other)] a: u8) -> u8 { a }");
        assert!(made.ends_with("fnf(&self,a:u8)->u8{a}"), "{made}");
    }

    #[test]
    fn all_mistakes_are_told_at_once() {
        let made = expanded("stored = A", "fn f(a: &mut u8) -> &u8 { a }");
        assert_eq!(made.matches("compile_error!").count(), 3, "{made}");
    }

    #[test]
    fn what_is_no_function_is_left_as_it_is() {
        for item in ["struct S;", "fn f();", "impl S { fn f() {} }"] {
            let made = expanded("", item);
            assert!(made.contains("compile_error!"), "{made}");
            assert!(made.ends_with(&item.replace(' ', "")), "{made}");
        }
    }
}
