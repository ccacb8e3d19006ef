//! Stores whose calls are futures.

use super::backend::{Failure, Record, Storage};
use super::key::ValueKey;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

/// A store of values whose calls are futures, such as a client of a server.
///
/// Add it with [`Builder::async_store`](super::Builder::async_store). Tasks await its
/// futures themselves, on their own runtime. Synchronous callers block their thread until a
/// future is done, outside of any runtime: a store that needs a runtime enters it with a
/// handle of its own.
///
/// ```
/// use cachex::{AsyncStorage, Cache, Failure, Key, Options, Record, ValueKey};
/// use smol::lock::Mutex;
/// use std::collections::HashMap;
/// use std::sync::Arc;
///
/// #[derive(Default)]
/// struct Server(Mutex<HashMap<Key, Arc<Record>>>);
///
/// impl AsyncStorage for Server {
///     async fn get(&self, key: &ValueKey) -> Result<Option<Arc<Record>>, Failure> {
///         Ok(self.0.lock().await.get(&key.digest()).cloned())
///     }
///     async fn put(&self, key: &ValueKey, record: &Arc<Record>) -> Result<(), Failure> {
///         self.0.lock().await.insert(key.digest(), record.clone());
///         Ok(())
///     }
///     async fn remove(&self, key: &ValueKey) -> Result<bool, Failure> {
///         Ok(self.0.lock().await.remove(&key.digest()).is_some())
///     }
///     async fn clear(&self) -> Result<(), Failure> {
///         self.0.lock().await.clear();
///         Ok(())
///     }
/// }
///
/// # smol::block_on(async {
/// let cache = Cache::builder().async_store(Server::default()).open()?;
/// for computed in [1, 2] {
///     assert_eq!(cache.value_async("answer", Options::new(), async || computed).await, 1);
/// }
/// # Ok::<(), cachex::Error>(())
/// # }).unwrap();
/// ```
pub trait AsyncStorage: Send + Sync + 'static {
    /// Returns the record of a key, fresh or not.
    fn get(
        &self,
        key: &ValueKey,
    ) -> impl Future<Output = Result<Option<Arc<Record>>, Failure>> + Send;

    /// Stores a record, replacing an earlier one of this key.
    fn put(
        &self,
        key: &ValueKey,
        record: &Arc<Record>,
    ) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Removes the record of a key, and returns whether there was one, as far as known.
    fn remove(&self, key: &ValueKey) -> impl Future<Output = Result<bool, Failure>> + Send;

    /// Removes everything.
    fn clear(&self) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// A future of whatever type.
pub type Boxed<'f, T> = Pin<Box<dyn Future<Output = Result<T, Failure>> + Send + 'f>>;

/// A store whose calls are futures, of whatever type.
pub trait AsyncStore: Send + Sync {
    /// [`AsyncStorage::get`]
    fn get<'f>(&'f self, key: &'f ValueKey) -> Boxed<'f, Option<Arc<Record>>>;
    /// [`AsyncStorage::put`]
    fn put<'f>(&'f self, key: &'f ValueKey, record: Arc<Record>) -> Boxed<'f, ()>;
    /// [`AsyncStorage::remove`]
    fn remove<'f>(&'f self, key: &'f ValueKey) -> Boxed<'f, bool>;
    /// [`AsyncStorage::clear`]
    fn clear(&self) -> Boxed<'_, ()>;
}

impl<S: AsyncStorage> AsyncStore for S {
    fn get<'f>(&'f self, key: &'f ValueKey) -> Boxed<'f, Option<Arc<Record>>> {
        Box::pin(AsyncStorage::get(self, key))
    }

    fn put<'f>(&'f self, key: &'f ValueKey, record: Arc<Record>) -> Boxed<'f, ()> {
        Box::pin(async move { AsyncStorage::put(self, key, &record).await })
    }

    fn remove<'f>(&'f self, key: &'f ValueKey) -> Boxed<'f, bool> {
        Box::pin(AsyncStorage::remove(self, key))
    }

    fn clear(&self) -> Boxed<'_, ()> {
        Box::pin(AsyncStorage::clear(self))
    }
}

/// A blocking view of an asynchronous store.
pub struct Awaited<S>(pub S);

impl<S: AsyncStorage> Storage for Awaited<S> {
    fn get(&self, key: &ValueKey) -> Result<Option<Arc<Record>>, Failure> {
        wait(self.0.get(key))
    }

    fn put(&self, key: &ValueKey, record: &Arc<Record>) -> Result<(), Failure> {
        wait(self.0.put(key, record))
    }

    fn remove(&self, key: &ValueKey) -> Result<bool, Failure> {
        wait(self.0.remove(key))
    }

    fn clear(&self) -> Result<(), Failure> {
        wait(self.0.clear())
    }

    fn as_async(&self) -> Option<&dyn AsyncStore> {
        Some(&self.0)
    }
}

/// Blocks the thread until a future is done.
fn wait<F: Future>(future: F) -> F::Output {
    struct Sleeper(Thread);

    impl Wake for Sleeper {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Sleeper(std::thread::current())));
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}
