//! The attributes of `cachex` that cache what a function returns.
//!
//! Use them from `cachex`, which exports both. What they make of a function only
//! calls `cachex::__private`, so the two have the same version.
//!
//! Here it is read what was written, in `options`, `function` and `arguments`, and
//! `expansion` writes the function anew. Everything that happens when it is called
//! is the library's.

mod arguments;
mod expansion;
mod fingerprint;
mod function;
mod options;
mod types;

use proc_macro::TokenStream;

/// Which of the attributes stands above a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Sync,
    Async,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Sync => "cache_value",
            Kind::Async => "async_cache_value",
        }
    }
}

/// Caches what a function returns.
///
/// A call whose key has a result in the cache returns that result, and the body does
/// not run. Any other call runs the body and stores what it returns: in memory, unless
/// `store` names a cache that outlives the process.
///
/// ```
/// use cachex::cache_value;
///
/// /// Counts the lines of a file, and reads it once in ten minutes at the most.
/// #[cache_value(expires_in = "10m")]
/// fn lines(path: &str) -> std::io::Result<usize> {
///     Ok(std::fs::read_to_string(path)?.lines().count())
/// }
///
/// assert!(lines("/no/such/file").is_err());
/// ```
///
/// The function may have generic parameters, a `where` clause and borrowed arguments,
/// it may be a method, return early, use `?`, and call itself. Its signature is what
/// it was. Async functions have [`async_cache_value`](macro@async_cache_value).
///
/// # What it is good for
///
/// A function whose result its arguments decide, for as long as it does not expire,
/// and whose result is all that a caller wants of it. What else the body does, such
/// as printing, sending or counting, is not done by a call that finds its result. What
/// the body reads beside its arguments, such as a file, a variable or the time, is not
/// asked again before the result expires.
///
/// # What counts in the key
///
/// - The function: the path of its module with the name of the crate, its name, and
///   the code of its signature and its body. Whoever changes the code starts anew.
///   White space, comments and documentation do not count.
/// - Every argument, as serde serializes it, in order. `self` is one too. What is
///   behind a reference counts, and not its address.
/// - The types that make one function many: its type and const parameters, what
///   `impl Trait` stands for in an argument, and `Self` and the parameters of the
///   `impl` or the trait that the function is in. So `parse::<u8>("1")` and
///   `parse::<u16>("1")` never share a result.
///
/// These do **not** count:
///
/// - **Functions that the body calls**, macros that it uses, and constants. If one of
///   them changes, and with it the result, change the body too, or clear the cache.
/// - Arguments with `#[key(skip)]`.
/// - The version of the crate, its features, and how it was compiled.
///
/// A `HashSet` lists the same things in another order in each process, which can be
/// another key each time: take a `BTreeSet`. The order of a map does not count.
///
/// # Arguments
///
/// Each has to be `serde::Serialize`, or have `#[key(skip)]` before it, which leaves it
/// out of the key and hands it to the body all the same. That is for a connection, a
/// logger, or whatever does not change the result:
///
/// ```
/// use cachex::cache_value;
/// # struct Error;
/// # struct Connection;
/// # impl Connection {
/// #     fn query(&self, _: &str, city: &str) -> Result<u64, Error> { Ok(city.len() as u64) }
/// # }
/// # struct Client;
/// # impl Client {
/// #     fn get(&self, path: &str) -> Result<Vec<f64>, Error> { Ok(vec![path.len() as f64]) }
/// # }
///
/// #[cache_value]
/// fn population(#[key(skip)] connection: &Connection, city: &str) -> Result<u64, Error> {
///     connection.query("SELECT population FROM cities WHERE name = ?", city)
/// }
///
/// impl Client {
///     #[cache_value(expires_in = "1h")]
///     fn rates(#[key(skip)] &self, currency: &str) -> Result<Vec<f64>, Error> {
///         self.get(&format!("/rates/{currency}"))
///     }
/// }
/// # assert!(population(&Connection, "Bern").is_ok_and(|people| people == 4));
/// # assert!(Client.rates("CHF").is_ok_and(|rates| rates == [10.0]));
/// ```
///
/// The types of skipped arguments count where they are type parameters or `impl Trait`.
///
/// `&mut` in an argument is an error, as a call that finds its result changes nothing.
/// With `#[key(skip)]` it is accepted: the change is made when the body runs, and only
/// then.
///
/// # What is returned
///
/// The type has to be `serde::Serialize` and `serde::de::DeserializeOwned`, and what is
/// read back has to be as good as what was stored: what `#[serde(skip)]` leaves out is
/// left out of cached results. It is owned, so it is neither a reference nor has one
/// in it (`Cow<'static, str>` will do), and it has a name, so it is no `impl Trait`.
///
/// If the last word of the declared type is `Result`, as in `io::Result<T>`, an `Err`
/// is returned and **not** stored: the next call tries again. `E` has to be nothing in
/// particular then. Of a `Result` that goes by another name the `Err` is not stored
/// either, but has to be one that could be. One that is inside of another type is a value
/// like any other, and so is the `None` of an `Option`.
///
/// # Options
///
/// | option | value | without it |
/// |---|---|---|
/// | `expires_in` | for how long a result is returned after it was stored: text such as `"500ms"`, `"2s"` or `"1h 30m"`; a number of seconds, such as `2` or `0.5`; or a constant expression of type [`Duration`](core::time::Duration). It has to be above zero | for ever |
/// | `allow_concurrent` | `false`: of simultaneous calls with the same key one runs the body, and the others wait for its result; `true`: each runs it | `true` |
/// | `store` | an expression that a `&Cache` can be borrowed from: a `static CACHE: LazyLock<Cache>`, a call that returns `&'static Cache`, an argument, or a field of `self`. It is evaluated at every call, before the body | one in memory, of up to 64 MiB, for all functions that name none |
/// | `crate` | the path of the library, if it is not `::cachex`, as in `crate = renamed` | `::cachex` |
///
/// ```
/// use cachex::{Cache, cache_value};
/// use std::sync::LazyLock;
/// use std::time::Duration;
///
/// static CACHE: LazyLock<Cache> = LazyLock::new(|| Cache::builder().memory(1 << 20).open().unwrap());
/// const TTL: Duration = Duration::from_secs(90);
///
/// #[cache_value(store = CACHE, expires_in = TTL, allow_concurrent = false)]
/// fn primes(below: u64) -> Vec<u64> {
///     (2..below).filter(|&it| (2..it).all(|by| it % by != 0)).collect()
/// }
///
/// assert_eq!(primes(8), [2, 3, 5, 7]);
/// ```
///
/// # Errors
///
/// What cannot be cached does not compile, and the error is shown where the reason
/// stands: async functions, `const fn`, functions with a variable number of arguments,
/// functions that return a reference, `impl Trait` or `!`, arguments that are neither
/// `Serialize` nor skipped or that are `&mut`, durations of zero and below, and options
/// that do not exist or are given twice.
#[proc_macro_attribute]
pub fn cache_value(options: TokenStream, function: TokenStream) -> TokenStream {
    expansion::expand(Kind::Sync, options.into(), &function.into()).into()
}

/// Caches what an async function returns.
///
/// This is [`cache_value`](macro@cache_value) for `async fn`: what counts in the key,
/// `#[key(skip)]`, what may be returned, the options and the errors are the same.
///
/// ```
/// use cachex::async_cache_value;
/// # struct Client;
/// # impl Client {
/// #     async fn get(&self, url: &str) -> Result<String, std::fmt::Error> { Ok(url.to_owned()) }
/// # }
///
/// #[async_cache_value(expires_in = "10m", allow_concurrent = false)]
/// async fn page(#[key(skip)] client: &Client, url: &str) -> Result<String, std::fmt::Error> {
///     client.get(url).await
/// }
/// ```
///
/// - The key is made and the cache asked when the future is polled for the first time,
///   and not when the function is called.
/// - A future that is dropped before it ends stores nothing.
/// - The future can go to another thread if the body's could: it is `Send` if the
///   arguments and what the body keeps across an `.await` are.
#[proc_macro_attribute]
pub fn async_cache_value(options: TokenStream, function: TokenStream) -> TokenStream {
    expansion::expand(Kind::Async, options.into(), &function.into()).into()
}
