//! The interface that the attributes expect of the library, over a map in memory: enough to compile
//! their output, and to see which calls share a result. Everything else is tested with the library
//! itself.

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};
use std::time::Duration;

/// A cache of results by key, all of them JSON text.
#[derive(Default)]
pub struct Cache {
    results: Mutex<HashMap<String, String>>,
    options: Mutex<Vec<Options>>,
}

impl Cache {
    /// Returns the options of each call.
    pub fn asked(&self) -> Vec<Options> {
        self.options.lock().unwrap().clone()
    }

    fn find<T: DeserializeOwned>(&self, parts: &Parts, options: &Options) -> Option<T> {
        self.options.lock().unwrap().push(options.clone());
        let results = self.results.lock().unwrap();
        results.get(&parts.0).map(|text| serde_json::from_str(text).unwrap())
    }

    fn keep<T: Serialize>(&self, parts: &Parts, value: &T) {
        let text = serde_json::to_string(value).unwrap();
        self.results.lock().unwrap().insert(parts.0.clone(), text);
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    pub expires_in: Option<Duration>,
    pub allow_concurrent: bool,
}

pub struct Function {
    name: &'static str,
    tokens: u128,
}

impl Function {
    pub const fn new(name: &'static str, tokens: u128) -> Function {
        Function { name, tokens }
    }
}

pub fn type_identity<T: ?Sized>() -> &'static str {
    std::any::type_name::<T>()
}

pub fn type_identity_of_val<T: ?Sized>(_: &T) -> &'static str {
    std::any::type_name::<T>()
}

pub fn place_identity<T>(_: &T) -> &'static str {
    std::any::type_name::<T>()
}

pub struct Parts(String);

#[derive(Serialize)]
pub struct Part(String);

pub trait KeyPart<Argument: ?Sized> {
    fn part(&self) -> Part;
}

#[diagnostic::do_not_recommend]
impl<Argument: ?Sized, T: Serialize + ?Sized> KeyPart<Argument> for T {
    fn part(&self) -> Part {
        Part(serde_json::to_string(self).unwrap())
    }
}

pub fn key_part<Argument: ?Sized, T: KeyPart<Argument> + ?Sized>(part: &T) -> Part {
    part.part()
}

pub fn no_parts() -> Parts {
    Parts(String::new())
}

pub fn add_parts<K: Serialize + ?Sized>(parts: &mut Parts, function: &'static Function, key: &K) {
    *parts =
        Parts(serde_json::to_string(&(function.name, function.tokens.to_string(), key)).unwrap());
}

pub fn default_cache() -> &'static Cache {
    static CACHE: LazyLock<Cache> = LazyLock::new(Cache::default);
    &CACHE
}

pub const fn options(expires_in: Option<Duration>, allow_concurrent: bool) -> Options {
    Options { expires_in, allow_concurrent }
}

pub fn value<T: Serialize + DeserializeOwned>(
    cache: &Cache,
    parts: &mut Parts,
    options: &Options,
    compute: impl FnOnce() -> T,
) -> T {
    cache.find(parts, options).unwrap_or_else(|| {
        let value = compute();
        cache.keep(parts, &value);
        value
    })
}

pub fn try_value<T: Serialize + DeserializeOwned, E>(
    cache: &Cache,
    parts: &mut Parts,
    options: &Options,
    compute: impl FnOnce() -> Result<T, E>,
) -> Result<T, E> {
    match cache.find(parts, options) {
        Some(value) => Ok(value),
        None => compute().inspect(|value| cache.keep(parts, value)),
    }
}

pub async fn value_async<T: Serialize + DeserializeOwned, F: Future<Output = T>>(
    cache: &Cache,
    parts: &mut Parts,
    options: &Options,
    compute: impl FnOnce() -> F,
) -> T {
    let Some(value) = cache.find(parts, options) else {
        let value = compute().await;
        cache.keep(parts, &value);
        return value;
    };
    value
}

pub async fn try_value_async<T, E, F>(
    cache: &Cache,
    parts: &mut Parts,
    options: &Options,
    compute: impl FnOnce() -> F,
) -> Result<T, E>
where
    T: Serialize + DeserializeOwned,
    F: Future<Output = Result<T, E>>,
{
    match cache.find(parts, options) {
        Some(value) => Ok(value),
        None => compute().await.inspect(|value| cache.keep(parts, value)),
    }
}
