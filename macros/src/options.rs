//! The options in the parentheses of the attributes.
//!
//! A literal duration is parsed and checked here; one that is an expression is left to the
//! compiler, see `expansion`.

use crate::Kind;
use proc_macro2::TokenStream;
use std::time::Duration;
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream, Parser as _};
use syn::{Error, Expr, ExprLit, ExprPath, ExprUnary, Ident, Lit, Path, Result, Token, UnOp};

/// The options of one function.
pub struct Options {
    /// The lifetime of a result.
    pub expires_in: Option<ExpiresIn>,
    /// Other options that are durations, each with the name of its method.
    pub spans: Vec<(Ident, ExpiresIn)>,
    /// Options that are expressions, each with the name of its method.
    pub others: Vec<(Ident, Expr)>,
    /// Labels of the results.
    pub tags: Option<Expr>,
    /// A function from a result to the duration for which it is served.
    pub expires_by: Option<Expr>,
    /// The word `companions`, if there are companion functions.
    pub companions: Option<Ident>,
    /// True if calls with one key may compute at the same time.
    pub allow_concurrent: bool,
    /// The expression of the cache, if it is not the default one.
    pub store: Option<Expr>,
    /// The path of the library.
    pub library: Path,
}

/// A duration above zero.
pub enum ExpiresIn {
    /// The value was written out.
    Known(Duration),
    /// A constant, which the compiler checks to be above zero.
    Constant(Expr),
}

const NAMES: &str = "`expires_in`, `expires_by`, `allow_concurrent`, `store`, \
                     `failure_expires_in`, `refresh_after`, `stale_if_error`, `lock_timeout`, \
                     `jitter`, `mode`, `name`, `tags`, `companions` and `crate`";
/// Options of values that are stored.
const OF_VALUES: [&str; 2] = ["failure_expires_in", "companions"];
const DURATIONS: &str = "expected a duration above zero: text such as `\"2s\"` or `\"1h 30m\"`, \
                         seconds such as `2` or `0.5`, or a constant `Duration`";

impl Options {
    /// Returns whether an `Err` is stored too.
    pub fn keeps_failures(&self) -> bool {
        self.spans.iter().any(|(name, _)| name == "failure_expires_in")
    }

    /// Parses the contents of the parentheses of an attribute.
    pub fn read(kind: Kind, tokens: TokenStream) -> Result<Options> {
        let parse = |input: ParseStream<'_>| Options::parse(kind, input);
        parse.parse2(tokens)
    }

    fn parse(kind: Kind, input: ParseStream<'_>) -> Result<Options> {
        let mut given: Vec<Ident> = Vec::new();
        let mut options = Options {
            expires_in: None,
            spans: Vec::new(),
            others: Vec::new(),
            tags: None,
            expires_by: None,
            companions: None,
            allow_concurrent: true,
            store: None,
            library: syn::parse_quote!(::cachex),
        };
        while !input.is_empty() {
            if !input.peek(Ident::peek_any) {
                return Err(input.error(format!("expected an option: there are {NAMES}")));
            }
            let name = input.call(Ident::parse_any)?;
            if given.contains(&name) {
                return Err(Error::new(name.span(), format!("`{name}` is given twice")));
            }
            if kind == Kind::Reference && OF_VALUES.iter().any(|of| name == of) {
                let what = format!("`{name}` is an option of `#[cache_value]` alone");
                return Err(Error::new(name.span(), what));
            }
            options.set(&name, input)?;
            given.push(name);
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(options)
    }

    fn set(&mut self, name: &Ident, input: ParseStream<'_>) -> Result<()> {
        match name.to_string().as_str() {
            "expires_in" => self.expires_in = Some(duration(value(name, "\"2s\"", input)?)?),
            "allow_concurrent" => {
                self.allow_concurrent = switch(name, &value(name, "false", input)?)?;
            }
            "companions" => {
                let is_on = switch(name, &value(name, "true", input)?)?;
                self.companions = is_on.then(|| name.clone());
            }
            "expires_by" => {
                self.expires_by = Some(value(name, "|result| result.lifetime()", input)?);
            }
            "store" => self.store = Some(value(name, "CACHE", input)?),
            "failure_expires_in" | "refresh_after" | "stale_if_error" | "lock_timeout" => {
                self.spans.push((name.clone(), duration(value(name, "\"2s\"", input)?)?));
            }
            "jitter" => self.others.push((name.clone(), value(name, "10", input)?)),
            "mode" => self.others.push((name.clone(), value(name, "Mode::ReadOnly", input)?)),
            "name" => self.others.push((name.clone(), value(name, "\"users\"", input)?)),
            "tags" => self.tags = Some(value(name, "[\"users\"]", input)?),
            "crate" => {
                let path: ExprPath = value(name, "path::to::cachex", input)?;
                self.library = path.path;
            }
            other => {
                let what = format!("unknown option `{other}`: there are {NAMES}");
                return Err(Error::new(name.span(), what));
            }
        }
        Ok(())
    }
}

fn value<T: Parse>(name: &Ident, example: &str, input: ParseStream<'_>) -> Result<T> {
    if !input.peek(Token![=]) {
        let what = format!("`{name}` needs a value, as in `{name} = {example}`");
        return Err(Error::new(name.span(), what));
    }
    input.parse::<Token![=]>()?;
    input.parse()
}

fn switch(name: &Ident, value: &Expr) -> Result<bool> {
    match bare(value) {
        Expr::Lit(ExprLit { lit: Lit::Bool(switch), .. }) => Ok(switch.value),
        _ => Err(Error::new_spanned(value, format!("`{name}` is `true` or `false`"))),
    }
}

fn duration(value: Expr) -> Result<ExpiresIn> {
    let read = match bare(&value) {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => {
            humantime::parse_duration(&text.value()).map_err(|error| error.to_string())
        }
        Expr::Lit(ExprLit { lit: Lit::Int(seconds), .. }) => {
            seconds.base10_parse().map(Duration::from_secs).map_err(|error| error.to_string())
        }
        Expr::Lit(ExprLit { lit: Lit::Float(seconds), .. }) => seconds
            .base10_parse()
            .map_err(|error| error.to_string())
            .and_then(|it| Duration::try_from_secs_f64(it).map_err(|error| error.to_string())),
        Expr::Lit(_) => Err("this is no duration".to_owned()),
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), .. }) => Err("this is below zero".to_owned()),
        _ => return Ok(ExpiresIn::Constant(value)),
    };
    match read {
        Ok(Duration::ZERO) => Err("this is zero".to_owned()),
        read => read,
    }
    .map(ExpiresIn::Known)
    .map_err(|what| Error::new_spanned(value, format!("{what}; {DURATIONS}")))
}

/// Removes the parentheses of an expression, including the invisible ones that `macro_rules!` adds.
fn bare(mut expression: &Expr) -> &Expr {
    loop {
        expression = match expression {
            Expr::Group(group) => &group.expr,
            Expr::Paren(paren) => &paren.expr,
            other => return other,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;

    fn mistake(tokens: TokenStream) -> String {
        Options::read(Kind::Sync, tokens).err().expect("a mistake").to_string()
    }

    fn known(tokens: TokenStream) -> Option<Duration> {
        match Options::read(Kind::Sync, tokens).unwrap().expires_in {
            Some(ExpiresIn::Known(duration)) => Some(duration),
            _ => None,
        }
    }

    #[test]
    fn nothing_has_to_be_given() {
        let options = Options::read(Kind::Sync, TokenStream::new()).unwrap();
        assert!(options.expires_in.is_none() && options.store.is_none());
        assert!(options.allow_concurrent);
        assert!(options.library.leading_colon.is_some() && options.library.segments.len() == 1);
    }

    #[test]
    fn all_may_be_given_in_any_order() {
        let tokens = quote!(
            store = &*CACHE,
            allow_concurrent = false,
            crate = self::renamed,
            expires_in = TTL,
        );
        let options = Options::read(Kind::Sync, tokens).unwrap();
        assert!(matches!(options.expires_in, Some(ExpiresIn::Constant(_))));
        assert!(!options.allow_concurrent && options.store.is_some());
        assert_eq!(options.library.segments.len(), 2);
    }

    #[test]
    fn a_duration_is_text_or_seconds() {
        let minute_and_half = Some(Duration::from_secs(90));
        assert_eq!(known(quote!(expires_in = "1m 30s")), minute_and_half);
        assert_eq!(known(quote!(expires_in = 90)), minute_and_half);
        assert_eq!(known(quote!(expires_in = (90.0))), minute_and_half);
        assert_eq!(known(quote!(expires_in = 0.5)), Some(Duration::from_millis(500)));
    }

    #[test]
    fn a_duration_that_is_none_is_a_mistake_that_says_what_is_accepted() {
        let mistakes = [
            (quote!(expires_in = 0), "this is zero"),
            (quote!(expires_in = 0.0), "this is zero"),
            (quote!(expires_in = "0s"), "this is zero"),
            (quote!(expires_in = -1), "this is below zero"),
            (quote!(expires_in = -0.5), "this is below zero"),
            (quote!(expires_in = 1e300), "cannot convert"),
            (quote!(expires_in = "soon"), "expected number"),
            (quote!(expires_in = "-2s"), "expected number"),
            (quote!(expires_in = true), "this is no duration"),
        ];
        for (tokens, what) in mistakes {
            let shown = tokens.to_string();
            let mistake = mistake(tokens);
            assert!(mistake.contains(what) && mistake.ends_with(DURATIONS), "{shown}: {mistake}");
        }
    }

    #[test]
    fn a_mistake_in_an_option_says_what_there_is() {
        assert_eq!(
            mistake(quote!(expire_in = 2)),
            format!("unknown option `expire_in`: there are {NAMES}")
        );
        assert_eq!(mistake(quote!("2s")), format!("expected an option: there are {NAMES}"));
        assert_eq!(mistake(quote!(store = A, store = B)), "`store` is given twice");
        assert_eq!(
            mistake(quote!(expires_in("2s"))),
            "`expires_in` needs a value, as in `expires_in = \"2s\"`"
        );
        assert_eq!(
            mistake(quote!(allow_concurrent = 1)),
            "`allow_concurrent` is `true` or `false`"
        );
        assert_eq!(mistake(quote!(companions = on)), "`companions` is `true` or `false`");
        let of_values = Options::read(Kind::Reference, quote!(companions = true));
        assert_eq!(
            of_values.err().expect("a mistake").to_string(),
            "`companions` is an option of `#[cache_value]` alone"
        );
    }
}
