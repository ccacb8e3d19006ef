//! The functions that the attribute macros call. Not part of the public interface.

use super::calls::{Caller, at_once};
pub use super::default_cache;
use super::encoding::{self, Unwritable};
use super::key::{self, ValueKey};
use super::{Cache, Error, Mode, Options, Value, unserializable_key};
use cachex_base::system::hashing;
use serde::Serialize;
use std::convert::Infallible;
use std::marker::PhantomData;
use std::sync::OnceLock;
use std::time::Duration;

/// A function whose results are cached.
pub struct Function {
    name: &'static str,
    tokens: u128,
    id: OnceLock<[u8; 16]>,
}

impl Function {
    /// Creates a function with this path, and this hash of its source.
    pub const fn new(name: &'static str, tokens: u128) -> Function {
        Function { name, tokens, id: OnceLock::new() }
    }

    /// A hash of both, which is shorter.
    #[inline]
    fn id(&self) -> [u8; 16] {
        *self.id.get_or_init(|| {
            let hash = hashing::of(&[&self.tokens.to_le_bytes(), self.name.as_bytes()].concat());
            let mut id = [0; 16];
            id.copy_from_slice(&hash.as_bytes()[..16]);
            id
        })
    }
}

/// A type that tells the instances of a generic function apart.
pub struct TypeIdentity<T: ?Sized>(PhantomData<fn(&T)>);

/// A type that stands for the function that it is in.
pub struct PlaceIdentity<T>(PhantomData<fn(&T)>);

/// Returns the identity of a type.
#[inline]
pub fn type_identity<T: ?Sized>() -> TypeIdentity<T> {
    TypeIdentity(PhantomData)
}

/// Returns the identity of a value's type.
#[inline]
pub fn type_identity_of_val<T: ?Sized>(_: &T) -> TypeIdentity<T> {
    type_identity::<T>()
}

/// Returns the identity of the function that this closure is in. The closure's type depends on
/// every generic parameter around it; those of an `impl` are named nowhere in the function.
#[inline]
pub fn place_identity<T>(_: &T) -> PlaceIdentity<T> {
    PlaceIdentity(PhantomData)
}

/// The parts of a call's key, and the name of its function.
pub struct Parts {
    name: &'static str,
    encoded: key::Parts,
    /// Why they could not be encoded.
    fault: Option<Unwritable>,
}

/// The options of a function. The span was checked at compile time.
pub const fn options(expires_in: Option<Duration>, allow_concurrent: bool) -> Options {
    Options::of(expires_in, allow_concurrent)
}

/// A value that can be an argument of a cached function. `Argument` is a type that is named after
/// the argument, for the error message.
#[diagnostic::on_unimplemented(
    message = "argument `{Argument}` of type `{Self}` cannot be part of a cache key",
    label = "this is not `serde::Serialize`",
    note = "implement `serde::Serialize` for it, or leave it out of the key with `#[key(skip)]`"
)]
pub trait KeyPart<Argument: ?Sized> {
    /// Returns the argument as a part of a key.
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
    fn encode(&self, out: &mut key::Parts) -> Result<(), Unwritable>;
}

impl<T: Serialize> Encode for T {
    #[inline]
    fn encode(&self, out: &mut key::Parts) -> Result<(), Unwritable> {
        out.add(self)
    }
}

/// An argument, as a part of the key.
pub fn key_part<Argument: ?Sized, T: KeyPart<Argument>>(argument: &T) -> Part<'_> {
    argument.part()
}

/// Parts of a key in their order: pairs of all that came before and the next.
pub trait InOrder {
    /// Appends their encoding.
    fn encode(&self, out: &mut key::Parts) -> Result<(), Unwritable>;
}

impl<A: InOrder, B: InOrder> InOrder for (A, B) {
    #[inline]
    fn encode(&self, out: &mut key::Parts) -> Result<(), Unwritable> {
        self.0.encode(out)?;
        self.1.encode(out)
    }
}

impl InOrder for Part<'_> {
    #[inline]
    fn encode(&self, out: &mut key::Parts) -> Result<(), Unwritable> {
        self.0.encode(out)
    }
}

/// A possible value of a `const` parameter.
macro_rules! in_order {
    ($($plain:ty),+) => {$(
        impl InOrder for $plain {
            #[inline]
            fn encode(&self, out: &mut key::Parts) -> Result<(), Unwritable> {
                out.add(self)
            }
        }
    )+};
}

impl<T: ?Sized> InOrder for TypeIdentity<T> {
    #[inline]
    fn encode(&self, out: &mut key::Parts) -> Result<(), Unwritable> {
        out.add_type(encoding::TypeIdentity::of::<T>());
        Ok(())
    }
}

impl<T> InOrder for PlaceIdentity<T> {
    #[inline]
    fn encode(&self, out: &mut key::Parts) -> Result<(), Unwritable> {
        out.add_type(encoding::TypeIdentity::of_place::<T>());
        Ok(())
    }
}

in_order!(bool, char);
in_order!(i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize);

/// The parts of a key before there are any. The others are added to them where they lie: a hit in
/// memory is so short that each copy would count.
#[inline]
pub fn no_parts() -> Parts {
    Parts { name: "", encoded: key::Parts::none(), fault: None }
}

/// Adds the parts of the key of a call.
#[inline]
pub fn add_parts<P: InOrder>(parts: &mut Parts, function: &'static Function, given: &P) {
    parts.name = function.name;
    parts.encoded.add_function(function.id());
    parts.fault = given.encode(&mut parts.encoded).err();
}

/// Returns the options; if `anew`, no earlier record is served.
pub fn anew(options: Options, anew: bool) -> Options {
    let mode = match options.mode {
        mode if !anew => mode,
        Mode::ReadWrite | Mode::WriteOnly => Mode::WriteOnly,
        Mode::ReadOnly | Mode::Off => Mode::Off,
    };
    options.mode(mode)
}

/// A handle of the cache by which results are served for as long as they say.
pub fn expires_by<T: 'static, L: Into<Option<Duration>>>(
    cache: &Cache,
    _: PhantomData<T>,
    lifetime: impl Fn(&T) -> L + Send + Sync + 'static,
) -> Cache {
    cache.expires_by(lifetime)
}

/// Like [`expires_by()`], for fallible functions.
pub fn try_expires_by<T: 'static, E, L: Into<Option<Duration>>>(
    cache: &Cache,
    _: PhantomData<Result<T, E>>,
    lifetime: impl Fn(&T) -> L + Send + Sync + 'static,
) -> Cache {
    cache.expires_by(lifetime)
}

/// The key of a call with a result of this type.
pub fn key<T: Value>(parts: Parts, _: PhantomData<T>) -> Result<ValueKey, Error> {
    let Parts { mut encoded, fault, .. } = parts;
    match fault {
        None => Ok(encoded.key::<T>().clone()),
        Some(why) => Err(unserializable_key(&why)),
    }
}

/// Like [`key()`], for fallible functions.
pub fn try_key<T: Value, E>(parts: Parts, _: PhantomData<Result<T, E>>) -> Result<ValueKey, Error> {
    key(parts, PhantomData::<T>)
}

/// Drops a recorded result.
pub fn forget(cache: &Cache, key: &ValueKey) -> Result<bool, Error> {
    at_once(cache.inner.remove(Caller::Thread, key))
}

/// Like [`forget()`], without blocking a task.
pub async fn forget_async(cache: &Cache, key: &ValueKey) -> Result<bool, Error> {
    cache.inner.remove(Caller::Task, key).await
}

/// A recorded result of a call, or what `compute` returns.
pub fn value<T, F>(cache: &Cache, parts: &mut Parts, options: &Options, compute: F) -> T
where
    T: Value,
    F: FnOnce() -> T,
{
    let Ok(value) = try_value(cache, parts, options, || Ok::<T, Infallible>(compute()));
    value
}

/// Like [`value()`], for fallible functions.
pub fn try_value<T, E, F>(
    cache: &Cache,
    parts: &mut Parts,
    options: &Options,
    compute: F,
) -> Result<T, E>
where
    T: Value,
    F: FnOnce() -> Result<T, E>,
{
    if parts.fault.is_some() {
        return compute();
    }
    let wanted = cache.wanted::<T>(&mut parts.encoded, options).named(parts.name);
    cache.found_or_computed(&wanted, compute)
}

/// Like [`value()`], for values that a future computes.
pub async fn value_async<T, F>(cache: &Cache, parts: &mut Parts, options: &Options, compute: F) -> T
where
    T: Value + Send,
    F: AsyncFnOnce() -> T,
{
    let compute = async || Ok::<T, Infallible>(compute().await);
    let Ok(value) = try_value_async(cache, parts, options, compute).await;
    value
}

/// Like [`try_value()`], for values that a future computes.
pub async fn try_value_async<T, E, F>(
    cache: &Cache,
    parts: &mut Parts,
    options: &Options,
    compute: F,
) -> Result<T, E>
where
    T: Value + Send,
    F: AsyncFnOnce() -> Result<T, E>,
{
    if parts.fault.is_some() {
        return compute().await;
    }
    let wanted = cache.wanted::<T>(&mut parts.encoded, options).named(parts.name);
    cache.found_or_computed_async(&wanted, compute).await
}

/// Returns the shared result of a call, or that of `compute`.
pub fn reference<R, F>(cache: &Cache, parts: &mut Parts, options: &Options, compute: F) -> R
where
    R: Clone + Send + Sync + 'static,
    F: FnOnce() -> R,
{
    let Ok(value) = try_reference(cache, parts, options, || Ok::<R, Infallible>(compute()));
    value
}

/// Like [`reference()`], for fallible functions.
pub fn try_reference<R, E, F>(
    cache: &Cache,
    parts: &mut Parts,
    options: &Options,
    compute: F,
) -> Result<R, E>
where
    R: Clone + Send + Sync + 'static,
    F: FnOnce() -> Result<R, E>,
{
    if parts.fault.is_some() {
        return compute();
    }
    let wanted = cache.wanted_reference::<R>(&mut parts.encoded, options);
    cache.shared(&wanted.named(parts.name), compute)
}

/// Like [`reference()`], for values that a future computes.
pub async fn reference_async<R, F>(
    cache: &Cache,
    parts: &mut Parts,
    options: &Options,
    compute: F,
) -> R
where
    R: Clone + Send + Sync + 'static,
    F: AsyncFnOnce() -> R,
{
    let compute = async || Ok::<R, Infallible>(compute().await);
    let Ok(value) = try_reference_async(cache, parts, options, compute).await;
    value
}

/// Like [`try_reference()`], for values that a future computes.
pub async fn try_reference_async<R, E, F>(
    cache: &Cache,
    parts: &mut Parts,
    options: &Options,
    compute: F,
) -> Result<R, E>
where
    R: Clone + Send + Sync + 'static,
    F: AsyncFnOnce() -> Result<R, E>,
{
    if parts.fault.is_some() {
        return compute().await;
    }
    let wanted = cache.wanted_reference::<R>(&mut parts.encoded, options);
    cache.shared_async(&wanted.named(parts.name), compute).await
}
