//! The attributes of `cachex` that cache what a function returns.
//!
//! Use them from `cachex`, which exports both. What they make of a function only
//! calls `cachex::__private`, so the two have the same version.
//!
//! Here it is read what was written, in `options`, `function` and `arguments`, and
//! `expansion` writes the function anew. Everything that happens when it is called
//! is the library's.

mod arguments;
mod companions;
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
    /// Whether the function is async is seen there.
    Reference,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Sync => "cache_value",
            Kind::Async => "async_cache_value",
            Kind::Reference => "cache_reference",
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
/// The order of a map or of a `HashSet` does not count.
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
/// | `expires_by` | a function or closure from a reference to the result to a `Duration`, or to an `Option` of one: for how long this very result is returned, as in `|token| token.valid_for`. Where it returns `None` that is up to `expires_in` | |
/// | `failure_expires_in` | for how long an `Err` is returned, which has to be serializable then | an `Err` is not stored |
/// | `refresh_after` | from which age on one call runs the body, while the others return the stored result | |
/// | `stale_if_error` | for how long after it expired a result is returned in place of an `Err` | |
/// | `jitter` | by how many percent a result expires earlier at the most | 0 |
/// | `lock_timeout` | for how long a call waits for another with the same key | `"5m"` |
/// | `mode` | a `cachex::Mode`, such as `Mode::ReadOnly` | `ReadWrite` |
/// | `name` | what the results are called in `cachex list` and in events | the path of the function |
/// | `tags` | an array or a vector of labels, made at every call: `["users".to_owned(), format!("user:{id}")]` | |
/// | `companions` | `true`: three functions beside this one, see below | `false` |
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
/// # Companions
///
/// With `companions = true` there are three functions for the calls of a function `f`. They
/// take the arguments of `f`, and are as visible as it is:
///
/// - `f::key` returns the key of a call, whose digest `cachex show` takes;
/// - `f::forget` drops the stored result of a call, and returns whether there was one;
/// - `f::refresh` runs the body and stores what it returns in place of an earlier result. If
///   that is an `Err`, the earlier one stays.
///
/// ```
/// use cachex::cache_value;
///
/// #[cache_value(companions = true)]
/// fn length(text: &str) -> usize {
///     text.len()
/// }
///
/// assert_eq!(length("abc"), 3);
/// assert_eq!(length::refresh("abc"), 3);
/// assert!(length::forget("abc")?);
/// assert!(!length::forget("abc")?);
/// # Ok::<(), cachex::Error>(())
/// ```
///
/// Of an async function `forget` and `refresh` are async, too. The three are functions of a
/// type that has the name of `f`, so there must be no other type or module of that name, and
/// methods, for which there is no place for it, cannot have them.
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

/// Shares what a function returns with all callers of this process.
///
/// This is [`cache_value`](macro@cache_value) for what cannot be copied or stored, such as an
/// `Arc<T>`, a client or a pool of connections: the result is kept as it is, and each call
/// returns a clone of it. So it has to be `Clone + Send + Sync + 'static`, and nothing in
/// particular otherwise. It is gone with the process, whatever `store` is named.
///
/// ```
/// use cachex::cache_reference;
/// use std::sync::Arc;
///
/// #[cache_reference(expires_in = "1h")]
/// fn dictionary(language: &str) -> std::io::Result<Arc<Vec<String>>> {
///     # let language = { std::io::Result::Ok(language) }?;
///     Ok(Arc::new(vec![format!("the words of {language}")]))
/// }
///
/// let first = dictionary("de")?;
/// assert!(Arc::ptr_eq(&first, &dictionary("de")?));
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// It is for async functions, too. What counts in the key, `#[key(skip)]` and the options
/// are the same, but for `failure_expires_in` and `companions`, which there are not.
#[proc_macro_attribute]
pub fn cache_reference(options: TokenStream, function: TokenStream) -> TokenStream {
    expansion::expand(Kind::Reference, options.into(), &function.into()).into()
}
