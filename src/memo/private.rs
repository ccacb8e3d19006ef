//! What the attribute macros expand to. It is no part of the public interface.

use super::key;
use super::parts::{self, Encoding, Unwritable};
use super::{Cache, Options, Value};
use serde::Serialize;
use std::convert::Infallible;
use std::sync::LazyLock;
use std::time::Duration;

/// A function whose results are cached.
pub struct Function {
    /// Its path.
    pub name: &'static str,
    /// A hash of its source.
    pub tokens: u128,
}

/// The parts of a call's key, unless they cannot be encoded.
pub struct Parts {
    function: &'static Function,
    encoded: Option<key::Parts>,
}

/// The cache of functions that name none: in memory, and one for all of them.
pub fn default_cache() -> &'static Cache {
    static CACHE: LazyLock<Cache> = LazyLock::new(Cache::in_memory);
    &CACHE
}

/// What was said of a function. The span was looked at when it was compiled.
pub const fn options(expires_in: Option<Duration>, allow_concurrent: bool) -> Options {
    Options::of(expires_in, allow_concurrent)
}

/// What can be an argument of a cached function. `Argument` is a type that is called
/// after it, for the message.
#[diagnostic::on_unimplemented(
    message = "argument `{Argument}` of type `{Self}` cannot be part of a cache key",
    label = "this is not `serde::Serialize`",
    note = "implement `serde::Serialize` for it, or leave it out of the key with `#[key(skip)]`"
)]
pub trait KeyPart<Argument: ?Sized> {
    /// It, as a part of a key.
    fn part(&self) -> Part<'_>;
}

#[diagnostic::do_not_recommend]
impl<Argument: ?Sized, T: Serialize> KeyPart<Argument> for T {
    fn part(&self) -> Part<'_> {
        Part(self)
    }
}

/// A part of a key. Neither the argument nor its type is in its own, so that one that is
/// no such part is one error.
pub struct Part<'a>(&'a dyn Encode);

trait Encode {
    fn encode(&self, out: &mut Encoding) -> Result<(), Unwritable>;
}

impl<T: Serialize> Encode for T {
    fn encode(&self, out: &mut Encoding) -> Result<(), Unwritable> {
        parts::encode(self, out)
    }
}

/// An argument, as a part of the key.
pub fn key_part<Argument: ?Sized, T: KeyPart<Argument>>(argument: &T) -> Part<'_> {
    argument.part()
}

/// Parts of a key in their order: pairs of all that came before and the next.
pub trait InOrder {
    /// Appends their encoding.
    fn encode(&self, out: &mut Encoding) -> Result<(), Unwritable>;
}

impl<A: InOrder, B: InOrder> InOrder for (A, B) {
    fn encode(&self, out: &mut Encoding) -> Result<(), Unwritable> {
        self.0.encode(out)?;
        self.1.encode(out)
    }
}

impl InOrder for Part<'_> {
    fn encode(&self, out: &mut Encoding) -> Result<(), Unwritable> {
        self.0.encode(out)
    }
}

/// What the name of a type and the value of a `const` parameter can be.
macro_rules! in_order {
    ($($plain:ty),+) => {$(
        impl InOrder for $plain {
            fn encode(&self, out: &mut Encoding) -> Result<(), Unwritable> {
                parts::encode(self, out)
            }
        }
    )+};
}

in_order!(&str, bool, char);
in_order!(i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize);

/// The parts of the key of a call.
pub fn parts<P: InOrder>(function: &'static Function, given: &P) -> Parts {
    let mut encoding = Encoding::new();
    let named = parts::encode(&(function.name, function.tokens), &mut encoding);
    let encoded = named.and_then(|()| given.encode(&mut encoding));
    Parts { function, encoded: encoded.ok().map(|()| key::Parts::encoded(encoding)) }
}

/// A recorded result of a call, or what `compute` returns.
pub fn value<T, F>(cache: &Cache, parts: Parts, options: &Options, compute: F) -> T
where
    T: Value,
    F: FnOnce() -> T,
{
    let Ok(value) = try_value(cache, parts, options, || Ok::<T, Infallible>(compute()));
    value
}

/// The same for what may fail.
pub fn try_value<T, E, F>(
    cache: &Cache,
    parts: Parts,
    options: &Options,
    compute: F,
) -> Result<T, E>
where
    T: Value,
    F: FnOnce() -> Result<T, E>,
{
    let Parts { function, encoded } = parts;
    match encoded {
        Some(parts) => cache.found_or_computed(parts, options.name(function.name), compute),
        None => compute(),
    }
}

/// The same for what is computed by a future.
pub async fn value_async<T, F>(cache: &Cache, parts: Parts, options: &Options, compute: F) -> T
where
    T: Value,
    F: AsyncFnOnce() -> T,
{
    let compute = async || Ok::<T, Infallible>(compute().await);
    let Ok(value) = try_value_async(cache, parts, options, compute).await;
    value
}

/// The same for a future of what may fail.
pub async fn try_value_async<T, E, F>(
    cache: &Cache,
    parts: Parts,
    options: &Options,
    compute: F,
) -> Result<T, E>
where
    T: Value,
    F: AsyncFnOnce() -> Result<T, E>,
{
    let Parts { function, encoded } = parts;
    match encoded {
        Some(parts) => {
            let options = options.name(function.name);
            cache.found_or_computed_async(parts, options, compute).await
        }
        None => compute().await,
    }
}
