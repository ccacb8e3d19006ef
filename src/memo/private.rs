//! What the attribute macros expand to. It is no part of the public interface.

use super::key::Parts;
use super::{Cache, Options};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::convert::Infallible;
use std::sync::LazyLock;
use std::time::Duration;

/// A function whose results are cached.
#[derive(Serialize)]
pub struct Function {
    /// Its path.
    pub name: &'static str,
    /// A hash of its source.
    pub tokens: u128,
}

/// A call of one: the parts of its key, unless they cannot be encoded.
pub struct Call {
    function: &'static Function,
    parts: Option<Parts>,
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
    message = "{Argument} of type `{Self}` cannot be part of a cache key",
    note = "implement `serde::Serialize` for it, or leave it out of the key with `#[key(skip)]`"
)]
pub trait KeyPart<Argument: ?Sized> {
    /// What is encoded of it.
    fn part(&self) -> impl Serialize;
}

impl<Argument: ?Sized, T: Serialize + ?Sized> KeyPart<Argument> for T {
    fn part(&self) -> impl Serialize {
        self
    }
}

/// The call of a function with these arguments.
pub fn call<P: Serialize>(function: &'static Function, parts: &P) -> Call {
    Call { function, parts: Parts::of(&(function, parts)).ok() }
}

/// A recorded result of a call, or what `compute` returns.
pub fn value<T, F>(cache: &Cache, call: Call, options: Options, compute: F) -> T
where
    T: Serialize + DeserializeOwned + 'static,
    F: FnOnce() -> T,
{
    let Ok(value) = try_value(cache, call, options, || Ok::<T, Infallible>(compute()));
    value
}

/// The same for what may fail.
pub fn try_value<T, E, F>(cache: &Cache, call: Call, options: Options, compute: F) -> Result<T, E>
where
    T: Serialize + DeserializeOwned + 'static,
    F: FnOnce() -> Result<T, E>,
{
    match call.parts {
        Some(parts) => cache.found_or_computed(parts, options.name(call.function.name), compute),
        None => compute(),
    }
}

/// The same for what is computed by a future.
pub async fn value_async<T, F>(cache: &Cache, call: Call, options: Options, compute: F) -> T
where
    T: Serialize + DeserializeOwned + 'static,
    F: AsyncFnOnce() -> T,
{
    let compute = async || Ok::<T, Infallible>(compute().await);
    let Ok(value) = try_value_async(cache, call, options, compute).await;
    value
}

/// The same for a future of what may fail.
pub async fn try_value_async<T, E, F>(
    cache: &Cache,
    call: Call,
    options: Options,
    compute: F,
) -> Result<T, E>
where
    T: Serialize + DeserializeOwned + 'static,
    F: AsyncFnOnce() -> Result<T, E>,
{
    match call.parts {
        Some(parts) => {
            cache.found_or_computed_async(parts, options.name(call.function.name), compute).await
        }
        None => compute().await,
    }
}
