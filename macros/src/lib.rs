//! The attributes of `cachex`, which cache the results of functions.
//!
//! Use them from `cachex`, which exports them. The generated code calls only
//! `cachex::__private`, so the two packages have the same version.
//!
//! `options`, `function` and `arguments` parse the input, and `expansion` writes the new
//! function. Everything that happens when it is called is done by the library.

mod arguments;
mod companions;
mod expansion;
mod fingerprint;
mod function;
mod options;
mod types;

use proc_macro::TokenStream;

/// The attribute above a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Sync,
    Async,
    /// For functions that are async or not.
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

/// Caches the results of a function.
///
/// If the cache has a result for the key of a call, the call returns it, and the body does
/// not run. Any other call runs the body and stores its result: in memory, unless `store`
/// names another cache.
///
/// ```
/// use cachex::cache_value;
///
/// /// Counts the lines of a file, and reads it at most once in ten minutes.
/// #[cache_value(expires_in = "10m")]
/// fn lines(path: &str) -> std::io::Result<usize> {
///     Ok(std::fs::read_to_string(path)?.lines().count())
/// }
///
/// assert!(lines("/no/such/file").is_err());
/// ```
///
/// The function may have generic parameters, a `where` clause and borrowed arguments,
/// it may be a method, return early, use `?`, and call itself. Its signature stays the
/// same. Async functions have [`async_cache_value`](macro@async_cache_value).
///
/// # When to use it
///
/// The result should depend only on the arguments, as long as it has not expired, and the
/// caller should need nothing but the result. Side effects of the body, such as printing,
/// sending or counting, do not happen on a hit. Anything else that the body reads, such as
/// a file, a variable or the time, is not read again before the result expires.
///
/// # The key
///
/// - The function: the path of its module with the name of the crate, its name, and
///   the code of its signature and its body, without white space, comments and
///   documentation. A change of the code makes new keys.
/// - Every argument, including `self`, as serde serializes it, in order; of a reference,
///   the value and not the address.
/// - The type parameters and const parameters, the types behind `impl Trait` in
///   arguments, and `Self` and the parameters of the surrounding `impl` or trait. So
///   `parse::<u8>("1")` and `parse::<u16>("1")` never share a result.
///
/// These are **not** part of the key:
///
/// - **Functions that the body calls**, macros that it uses, and constants. If one of
///   them changes, and with it the result, change the body too, or clear the cache.
/// - Arguments with `#[key(skip)]`.
/// - The version of the crate, its features, and how it was compiled.
///
/// The order of a map or of a `HashSet` makes no difference.
///
/// # Arguments
///
/// Each argument has to implement `serde::Serialize`, or be marked with `#[key(skip)]`, which
/// leaves it out of the key. Use that for a connection, a logger, or anything else that does
/// not change the result:
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
/// The types of skipped arguments are part of the key if they are type parameters or
/// `impl Trait`.
///
/// `&mut` in an argument is an error, because a hit changes nothing. With `#[key(skip)]`,
/// it is accepted: the change happens only when the body runs.
///
/// # The result
///
/// The type has to implement `serde::Serialize` and `serde::de::DeserializeOwned`. Fields
/// that `#[serde(skip)]` leaves out are missing from cached results. The type is owned, so it
/// is not a reference and contains none (`Cow<'static, str>` is fine), and it has a name,
/// so it is not `impl Trait`.
///
/// If the last word of the declared type is `Result`, as in `io::Result<T>`, an `Err`
/// is returned and **not** stored: the next call tries again. `E` needs no traits then. The
/// `Err` of a `Result` under another name is not stored either, but has to be serializable.
/// A `Result` inside another type is a value like any other, and so is the `None` of an
/// `Option`.
///
/// # Options
///
/// | option | value | without it |
/// |---|---|---|
/// | `expires_in` | how long a result is returned after it was stored: text such as `"500ms"`, `"2s"` or `"1h 30m"`; a number of seconds, such as `2` or `0.5`; or a constant expression of type [`Duration`](core::time::Duration). It has to be above zero | for ever |
/// | `allow_concurrent` | `false`: of simultaneous calls with the same key one runs the body, and the others wait for its result; `true`: each runs it | `true` |
/// | `expires_by` | a function or closure from a reference to the result to a `Duration`, or to an `Option` of one: for how long this very result is returned, as in `|token| token.valid_for`. Where it returns `None` that is up to `expires_in` | |
/// | `failure_expires_in` | how long an `Err` is returned, which then has to be serializable | an `Err` is not stored |
/// | `refresh_after` | the age from which on one call runs the body, while the others return the stored result | |
/// | `stale_if_error` | how long after it expired a result is returned in place of an `Err` | |
/// | `jitter` | the maximum by which a result expires earlier, in percent | 0 |
/// | `lock_timeout` | how long a call waits for another with the same key | `"5m"` |
/// | `mode` | a `cachex::Mode`, such as `Mode::ReadOnly` | `ReadWrite` |
/// | `name` | the name of the results in `cachex list` and in events | the path of the function |
/// | `tags` | an array or a vector of labels, made at every call: `["users".to_owned(), format!("user:{id}")]` | |
/// | `companions` | `true`: adds three functions, see below | `false` |
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
/// `companions = true` adds three functions to a function `f`. They take the arguments of
/// `f`, and have the same visibility:
///
/// - `f::key` returns the key of a call, whose digest `cachex show` accepts;
/// - `f::forget` drops the stored result of a call, and returns whether there was one;
/// - `f::refresh` runs the body and replaces the stored result. If the new one is an `Err`,
///   the earlier one stays.
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
/// For an async function, `forget` and `refresh` are async, too. The three are functions of
/// a type with the name of `f`, so there must be no other type or module of that name, and
/// methods cannot have them.
///
/// # Errors
///
/// Functions that cannot be cached do not compile, and the error points to the reason:
/// async functions, `const fn`, functions with a variable number of arguments,
/// functions that return a reference, `impl Trait` or `!`, arguments that are neither
/// `Serialize` nor skipped or that are `&mut`, durations of zero and below, and options
/// that do not exist or are given twice.
#[proc_macro_attribute]
pub fn cache_value(options: TokenStream, function: TokenStream) -> TokenStream {
    expansion::expand(Kind::Sync, options.into(), &function.into()).into()
}

/// Caches the results of an async function.
///
/// This is [`cache_value`](macro@cache_value) for `async fn`: the key, `#[key(skip)]`, the
/// result, the options and the errors are the same.
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
/// - The key is computed and looked up when the future is polled for the first time, not
///   when the function is called.
/// - A future that is dropped before it ends stores nothing.
/// - The future is `Send` if the arguments and everything that the body keeps across an
///   `.await` are.
#[proc_macro_attribute]
pub fn async_cache_value(options: TokenStream, function: TokenStream) -> TokenStream {
    expansion::expand(Kind::Async, options.into(), &function.into()).into()
}

/// Shares the results of a function among all callers in this process.
///
/// This is [`cache_value`](macro@cache_value) for results that cannot be copied or stored,
/// such as an `Arc<T>`, a client or a pool of connections: the result is kept as it is, and
/// each call returns a clone of it. It has to be `Clone + Send + Sync + 'static`. It is gone
/// with the process, whatever `store` is named.
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
/// The function may be async. The key, `#[key(skip)]` and the options are the same, except
/// that there is no `failure_expires_in` and no `companions`.
#[proc_macro_attribute]
pub fn cache_reference(options: TokenStream, function: TokenStream) -> TokenStream {
    expansion::expand(Kind::Reference, options.into(), &function.into()).into()
}
